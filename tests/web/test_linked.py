"""What a link still does, as time goes by and others have it. Stories on a simulated clock."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path

from hostwatch.channels.base import Message, Receipt
from hostwatch.configuration.secret import Secret
from hostwatch.configuration.web import ApiToken
from hostwatch.core import acknowledging
from hostwatch.core.acknowledgement import Acknowledgement, How
from hostwatch.core.emergency import Emergency
from hostwatch.core.world import Decision, World
from hostwatch.linked import CHANGES_MAX, OTHERS_MAX, Linked
from hostwatch.links import Links
from hostwatch.programs import PEOPLE_MAX, Programs
from tests.outbox.office import KEY, START, Office, Scripted, simulate, site

URL = "https://status.dc.example"


async def accepts(to: str, message: Message) -> Receipt:
    return Receipt("250 accepted")


def played(folder: Path, times: int) -> list[str]:
    """The state that a link of one hour has, every twenty minutes."""
    seen: list[str] = []

    async def play(office: Office, side: Scripted) -> None:
        linked, asked = await scene(office)
        for _ in range(times):
            await asyncio.sleep(20 * 60)
            seen.append((await linked.look(asked))["state"])

    simulate(folder, site({"acme": [{"simulated": "first"}]}), accepts, play)
    return seen


async def scene(office: Office) -> tuple[Linked, dict[str, str]]:
    """Somebody was told, and has a link that is good for an hour."""
    (name,) = await office.owe("acme", "duty")
    notice = office.notice(name)
    links = Links(KEY, URL, timedelta(hours=1))
    office.directory.links = links
    emergency = office.engine.world.emergencies[notice.emergencies[0]]
    linked = Linked(office.engine, office.clock, lambda: office.directory)
    return linked, {"token": links.token(notice, emergency)}


def test_it_is_good_until_its_hour(tmp_path: Path) -> None:
    assert played(tmp_path, 4) == ["open", "open", "expired", "expired"]


def note(reference: str, said: Acknowledgement, world: World, now: datetime) -> Decision:
    return acknowledging.acknowledge(world, reference, said, now)


def test_who_else_has_it_is_told_to_their_own_people_alone(tmp_path: Path) -> None:
    async def play(office: Office, side: Scripted) -> None:
        linked, asked = await scene(office)
        reference = (await linked.look(asked))["reference"]
        for customer, contact, who in (("acme", "boss", "Chen"), ("globex", "boss", "Li")):
            said = Acknowledgement(
                customer=customer,
                contact=contact,
                who=office.engine.vault.commit(who),
                how=How.CLI,
                actor="me",
                at=START,
            )
            await office.engine.do(partial(note, reference, said))
        told = await linked.look(asked)
        assert [one["by"] for one in told["others"]] == ["Chen"]

    simulate(tmp_path, site({"acme": [{"simulated": "first"}]}), accepts, play)


def test_nobody_fills_the_record_by_changing_their_mind(tmp_path: Path) -> None:
    async def play(office: Office, side: Scripted) -> None:
        linked, asked = await scene(office)
        states = []
        for _ in range(CHANGES_MAX):
            states.append((await linked.acknowledge(asked))["state"])
            states.append((await linked.withdraw(asked))["state"])
        assert states == ["open"] * CHANGES_MAX + ["busy", "open"] * (CHANGES_MAX // 2)
        office.engine.vault.take()
        for number in range(5):
            await linked.withdraw(asked)
            await linked.acknowledge(asked | {"by": f"Somebody {number}"})
        assert office.engine.vault.take() == [], "and nothing is kept of what changes nothing"

    simulate(tmp_path, site({"acme": [{"simulated": "first"}]}), accepts, play)


class Counting(Links):
    """Counts how often it reckons who is meant."""

    reckoned = 0

    def person(self, customer: str, contact: str, of: Emergency) -> bytes:
        self.reckoned += 1
        return super().person(customer, contact, of)


def test_who_is_meant_is_reckoned_once_however_many_are_told_and_ask(tmp_path: Path) -> None:
    """Four hundred customers are told of one emergency, and many follow their links at a time."""

    async def play(office: Office, side: Scripted) -> None:
        linked, asked = await scene(office)
        (mine,) = office.engine.world.emergencies.values()
        (notice,) = office.engine.world.notices.of(mine.reference)
        for number in range(400):
            one = replace(notice, id=f"{notice.id}-{number}", customer=f"c{number}")
            await office.engine.do(lambda world, now, one=one: Decision(notices=(one,)))  # type: ignore[misc]
        links = Counting(KEY, URL, timedelta(hours=1))
        office.directory.links = links
        for _ in range(10):
            assert (await linked.look(asked))["customer"] == "Acme"
        assert links.reckoned == 401
        stranger = replace(notice, customer="nobody")
        assert (await linked.look({"token": links.token(stranger, mine)}))["state"] == "unknown"

    simulate(tmp_path, site({"acme": [{"simulated": "first"}]}), accepts, play)


def test_what_else_they_are_called_is_not_kept_once_they_have_it(tmp_path: Path) -> None:
    async def play(office: Office, side: Scripted) -> None:
        linked, asked = await scene(office)
        await linked.acknowledge(asked | {"by": "Chen"})
        assert (await linked.acknowledge(asked | {"by": "Li"}))["mine"][0]["by"] == "Chen"
        assert office.engine.vault.take() == []

    simulate(tmp_path, site({"acme": [{"simulated": "first"}]}), accepts, play)


def test_a_page_names_so_many_others_and_no_more(tmp_path: Path) -> None:
    async def play(office: Office, side: Scripted) -> None:
        linked, asked = await scene(office)
        reference = (await linked.look(asked))["reference"]
        secret = Secret("s" * 20)
        tokens = [ApiToken(name="desk", secret=secret, customer="acme", rights=("look", "acknowledge"))]
        programs = Programs(office.engine, lambda: tokens)
        mine = {"token": "s" * 20, "reference": reference}
        for number in range(PEOPLE_MAX):
            assert (await programs.acknowledge(mine | {"by": f"P{number}"}))["state"] == "made"
        known = office.engine.world.acknowledged[reference]
        full = await programs.acknowledge(mine | {"by": "One more"})
        assert (full["state"], "50 people have" in full["error"]) == ("wrong", True)
        assert (await programs.acknowledge(mine | {"by": "P7"}))["state"] == "done", "that is nothing new"
        assert (await programs.acknowledge(mine | {"by": "x" * 101}))["state"] == "wrong"
        assert office.engine.world.acknowledged[reference] == known
        assert len((await linked.look(asked))["others"]) == OTHERS_MAX

    simulate(tmp_path, site({"acme": [{"simulated": "first"}]}), accepts, play)

    simulate(tmp_path, site({"acme": [{"simulated": "first"}]}), accepts, play)

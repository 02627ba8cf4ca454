"""Contact data stay true: codes that go by one way, changes that the old way is told of, ways that fail.

A simulated clock. 2026-10-05 is a Monday, 08:00 in UTC; the office of the customer is in UTC.
"""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, Iterable
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from hostwatch.asked import Refused
from hostwatch.channels.base import Message, Receipt
from hostwatch.channels.base import Refused as ChannelRefused
from hostwatch.core import afterwards, verifying
from hostwatch.core.verification import FACTS, State, warned_of
from hostwatch.store.ledger import facts_of
from hostwatch.store.present import notices
from hostwatch.verifier import Verifier, follow_link
from tests.outbox.office import START, Office, Scripted, Site, simulate, site

NEVER = {"contacts": {"verify_every": "0s"}}


class Desk:
    """An office with somebody who keeps its contact data."""

    def __init__(self, office: Office, side: Scripted) -> None:
        self.office, self.side = office, side
        self.verifier = self._verifier()

    def _verifier(self) -> Verifier:
        office = self.office
        return Verifier(office.engine, office.writer, office.clock, lambda: office.directory)

    async def change(self, to: Site) -> None:
        """A reload."""
        before = self.office.directory
        await self.office.configure(to)
        self.office.directory.former.update(before.former)
        await self.verifier.adopt(before)

    async def die(self, then: Site) -> None:
        """Killed, and started again with what stands in the configuration by then."""
        await self.office.close()
        await self.office.open(then)
        self.verifier = self._verifier()
        await self.verifier.adopt()

    async def verify(self, **asked: str) -> Any:
        return await self.verifier.verify(self.office.engine, "noc", asked)

    async def tell(self, code: str, contact: str = "duty", by: str = "Ann Lee") -> Any:
        asked = {"customer": "acme", "contact": contact, "code": code, "by": by}
        return await self.verifier.confirm(self.office.engine, "noc", asked)

    def states(self, contact: str = "duty") -> str:
        ways = self.office.engine.world.ways.of("acme", contact)
        return " ".join(one.state.value for one in ways)

    async def sent(self, number: int) -> list[tuple[str, str]]:
        """The first messages, as soon as there are so many: to whom, and of which kind; sorted."""
        await self.office.until(lambda: len(self.side.sent) >= number)
        await self.office.until(lambda: not self.office.engine.world.pending())
        assert len(self.side.sent) == number
        return sorted((to, str(message.payload["kind"])) for _, to, message in self.side.sent)

    def last(self, to: str) -> Message:
        return next(message for _, address, message in reversed(self.side.sent) if address == to)

    def code(self, to: str) -> str:
        """What a reader finds in the last message to an address."""
        found = re.search(r"Code:? (\d{4} \d{4})", self.last(to).text)
        assert found is not None, self.last(to).text
        return found[1]

    def happened(self, *kinds: str) -> list[Any]:
        return [fact for fact in facts_of(self.office.db, FACTS) if type(fact).__name__ in kinds]


Play = Callable[[Desk], Awaitable[None]]
REFUSING: set[str] = set()


async def answer(to: str, message: Message) -> Receipt:
    if to in REFUSING:
        raise ChannelRefused("550 no such user")
    return Receipt("ok", receipt=f"{message.key}/{to}")


def acme(*addresses: str, more: Iterable[dict[str, Any]] = ()) -> Site:
    made = {**site({"acme": [{"simulated": one} for one in addresses]}), **NEVER}
    made["customers"][0]["contacts"].extend(more)
    return made


def play(folder: Path, started: Site, story: Play, refusing: Iterable[str] = ()) -> None:
    async def run(office: Office, side: Scripted) -> None:
        desk = Desk(office, side)
        await desk.verifier.adopt()
        await story(desk)

    REFUSING.clear()
    REFUSING.update(refusing)
    simulate(folder, started, answer, run)


def test_a_code_goes_by_one_way_and_verifies_it_alone(tmp_path: Path) -> None:
    """08:00   a code to the second way, by the operator; no other way is tried
    then    the person tells it on the telephone; a wrong one before counts as a try"""

    async def story(desk: Desk) -> None:
        assert desk.states() == "unverified unverified"
        told = await desk.verify(customer="acme", contact="duty")
        assert [one["channel"] for one in told["asked"]] == ["simulated", "simulated"]
        assert await desk.sent(2) == [("a", "verification"), ("b", "verification")]
        assert desk.states() == "asked asked"
        assert desk.code("a") != desk.code("b")
        record = str([*facts_of(desk.office.db)])
        assert desk.code("b").replace(" ", "") not in record, "the record has a hash of it"

        with pytest.raises(Refused, match="not the code"):
            await desk.tell("0000 0000")
        assert (await desk.tell(desk.code("b")))["verified"] == [
            {"customer": "acme", "contact": "duty", "channel": "simulated"}
        ]
        assert desk.states() == "asked verified"
        (fact,) = desk.happened("WayVerified")
        assert (fact.how, fact.actor) == ("code", "noc")
        await desk.die(acme("a", "b"))
        assert desk.states() == "asked verified", "after a crash as before"
        await desk.tell(desk.code("a"))
        assert desk.states() == "verified verified"
        assert len(desk.side.sent) == 2

    play(tmp_path, acme("a", "b"), story)


def test_after_five_wrong_codes_and_after_a_day_none_is_worth_anything(tmp_path: Path) -> None:
    async def story(desk: Desk) -> None:
        await desk.verify(customer="acme")
        await desk.sent(1)
        right = desk.code("a")
        for _ in range(5):
            with pytest.raises(Refused, match="not the code"):
                await desk.tell("00000000")
        with pytest.raises(Refused, match="waits for a code"):
            await desk.tell(right)
        assert desk.states() == "asked"

        await desk.verify(customer="acme")
        await desk.sent(2)
        assert desk.code("a") != right
        engine, (one,) = desk.office.engine, [*desk.office.engine.world.ways]
        assert one.until is not None
        assert [one.awaits(one.until - timedelta(seconds=left)) for left in (1, 0)] == [True, False]
        stored = [n for n in _notices(desk) if n.id == one.notice]
        assert await follow_link(engine, stored[0], "link")
        assert not await follow_link(engine, stored[0], "link"), "once"
        assert desk.states() == "verified"

    play(tmp_path, acme("a"), story)


def _notices(desk: Desk) -> list[Any]:
    return notices(desk.office.db, "1 = 1")


CHANGER = {"id": "boss", "name": "Boss", "channels": [{"simulated": "x"}], "rights": ["told", "contacts"]}


def test_a_change_is_told_to_the_old_way_and_confirmed_from_a_known_one(tmp_path: Path) -> None:
    """a and b are the ways of duty, a verified; boss may change contacts, and x is verified

    then    b gives way to c: a, b and boss hear of it, c is asked
    then    boss tells the code that came by x: the change is confirmed from a known way
    then    c itself tells its own: it is verified
    """
    before = acme("a", "b", more=[CHANGER])
    after = acme("a", "c", more=[CHANGER])

    async def story(desk: Desk) -> None:
        await desk.verify(customer="acme")
        await desk.sent(3)
        await desk.tell(desk.code("a"))
        await desk.tell(desk.code("x"), contact="boss")

        await desk.change(after)
        assert await desk.sent(7) == sorted(
            [
                *((to, "verification") for to in "abcx"),
                *((to, "contact-changed") for to in "abx"),
            ]
        )
        for to in ("a", "b"):  # duty has not the right to change contacts
            assert "Code" not in desk.last(to).text
            assert "Not used any more: simulated …" in desk.last(to).text
        assert desk.states() == "verified asked"
        assert (await desk.tell(desk.code("x")))["change"] is True
        (fact,) = desk.happened("ContactChangeConfirmed")
        assert (fact.contact, fact.whose) == ("duty", "boss")
        assert desk.states() == "verified asked", "that it was meant does not say that it works"
        await desk.tell(desk.code("c"))
        assert desk.states() == "verified verified"

    play(tmp_path, before, story)


def test_a_change_while_the_watch_was_dead_is_told_all_the_same(tmp_path: Path) -> None:
    """What the way was made of lies among the personal data. Where it was erased nobody is told there."""

    async def story(desk: Desk) -> None:
        await desk.die(acme("b"))
        assert await desk.sent(2) == [("a", "contact-changed"), ("b", "verification")]
        desk.office.db.execute("DELETE FROM personal")
        await desk.die(acme("c"))
        await desk.office.until(lambda: not desk.office.engine.world.pending())
        assert [to for _, to, _ in desk.side.sent][2:] == ["c"]

    play(tmp_path, acme("a"), story)


def test_another_relay_or_a_kill_is_no_change(tmp_path: Path) -> None:
    async def story(desk: Desk) -> None:
        for _ in range(2):
            await desk.die(acme("a", "b"))
        await desk.change(acme("b", "a"))
        assert desk.side.sent == []
        assert len(desk.happened("ContactWays")) == 2, "that they stand in another order is on record"
        assert desk.happened("ContactChanged") == []

    play(tmp_path, acme("a", "b"), story)


def test_who_fails_is_told_by_other_ways_and_only_then_counts_as_warned(tmp_path: Path) -> None:
    """08:00   a refuses its code: duty is told by b, and boss, who may change contacts"""

    async def story(desk: Desk) -> None:
        await desk.verify(customer="acme", contact="duty")
        assert await desk.sent(4) == [
            ("a", "verification"),
            ("b", "contact-failing"),
            ("b", "verification"),
            ("x", "contact-failing"),
        ]
        assert desk.states() == "failed asked"
        failed = desk.office.engine.world.ways.of("acme", "duty")[0]
        record = [*facts_of(desk.office.db, FACTS)]
        first, _ = desk.happened("ContactWarned")
        way, at = failed.known.way, first.at
        assert failed.warned_at is not None
        assert "simulated …" in desk.last("x").text

        def warned(when: datetime) -> Any:
            return warned_of(record, "acme", "duty", way, when)

        assert warned(at - timedelta(microseconds=1)) is None
        assert warned(at + timedelta(days=1)) == desk.happened("ContactWarned")[-1]

        REFUSING.clear()
        await desk.verify(customer="acme", contact="duty", channel="simulated")
        await desk.office.until(lambda: desk.side.times("a")[1:] != [])
        await desk.office.until(lambda: not desk.office.engine.world.pending())
        await desk.tell(desk.code("a"))
        record = [*facts_of(desk.office.db, FACTS)]
        assert warned(START + timedelta(days=1)) is None, "it works again"

    play(tmp_path, acme("a", "b", more=[CHANGER]), story, refusing=["a"])


def test_who_was_warned_by_what_comes_back_was_not_warned(tmp_path: Path) -> None:
    """boss and b take it ── both give it back ── nobody is warned"""

    async def give_back(desk: Desk) -> None:
        for name in [fact.notice for fact in desk.happened("ContactWarned")]:
            stored = next(one for one in _notices(desk) if one.id == name)
            (receipt,) = (attempt.receipt for attempt in stored.attempts)
            await desk.office.engine.do(
                lambda world, now, one=stored, by=receipt: afterwards.heard(  # type: ignore[misc]
                    world, one, by, None, said="", now=now
                )
            )

    async def story(desk: Desk) -> None:
        def failed() -> Any:
            return desk.office.engine.world.ways.of("acme", "duty")[0]

        def warned() -> Any:
            record = [*facts_of(desk.office.db, FACTS)]
            return warned_of(record, "acme", "duty", failed().known.way, START + timedelta(days=1))

        await desk.verify(customer="acme", contact="duty")
        await desk.office.until(lambda: len(desk.happened("ContactWarned")) == 2)
        assert (failed().warned_at is not None, warned() is not None) == (True, True)
        await give_back(desk)
        assert len(desk.happened("ContactWarningReturned")) == 2
        assert (failed().warned_at, warned()) == (None, None)
        await give_back(desk)
        assert len(desk.happened("ContactWarningReturned")) == 2, "said again it changes nothing"
        await desk.die(acme("a", "b", more=[CHANGER]))
        assert failed().warned_at is None, "after a crash as before"

    play(tmp_path, acme("a", "b", more=[CHANGER]), story, refusing=["a"])


def test_who_is_killed_in_between_neither_forgets_nor_repeats(tmp_path: Path) -> None:
    async def story(desk: Desk) -> None:
        some = {"customer": "acme", "contact": "duty"}
        await desk.verifier.verify(desk.office.engine, "noc", some)
        await desk.die(acme("a", "b"))
        assert [to for to, _ in await desk.sent(2)] == ["a", "b"]
        await desk.tell(desk.code("a"))
        assert desk.states() == "verified asked"
        under_way = await desk.verify(customer="acme")
        assert [one["contact"] for one in under_way["asked"]] == ["duty"]

    play(tmp_path, acme("a", "b"), story)


def test_machines_are_asked_nothing(tmp_path: Path) -> None:
    async def story(desk: Desk) -> None:
        with pytest.raises(Refused, match="no person reads"):
            await desk.verify(customer="acme", contact="duty", channel="webhook")
        assert [one.known.reads for one in desk.office.engine.world.ways] == [False, True]

    started = acme("a")
    started["customers"][0]["contacts"][0]["channels"].insert(0, {"webhook": "https://acme.example/x"})
    play(tmp_path, started, story)


def test_what_makes_no_sense_is_refused(tmp_path: Path) -> None:
    async def story(desk: Desk) -> None:
        for asked, why in (
            ({"customer": "globex"}, "no customer globex"),
            ({"customer": "acme", "contact": "dutty"}, "known: duty"),
            ({"customer": "acme", "channel": "fax"}, "no such way"),
        ):
            with pytest.raises(Refused, match=why):
                await desk.verify(**asked)
        with pytest.raises(Refused, match="eight digits"):
            await desk.tell("12345")
        with pytest.raises(Refused, match="waits for a code"):
            await desk.tell("1234 5678")

    play(tmp_path, acme("a"), story)


def test_the_states_are_counted(tmp_path: Path) -> None:
    async def story(desk: Desk) -> None:
        assert next(desk.verifier.figures()).value is None
        await desk.verify(customer="acme", contact="duty")
        await desk.verifier.look()
        (gauge,) = desk.verifier.figures()
        assert gauge.value == {State.UNVERIFIED: 0, State.ASKED: 2, State.VERIFIED: 0, State.FAILED: 0}
        assert verifying.AT_ONCE_MAX > 0

    play(tmp_path, acme("a", "b"), story)

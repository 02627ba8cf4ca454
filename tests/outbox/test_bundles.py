"""One message for many emergencies of one customer: how many leave, and what they say."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from hostwatch.channels.base import Failed, Message, Receipt
from hostwatch.core import ladder
from hostwatch.core.emergency import NoticeState
from tests.outbox.office import Office, Scripted, simulate, site
from tests.simulation.loop import SimLoop


def test_twenty_five_emergencies_of_one_customer_are_one_message(tmp_path: Path) -> None:
    async def answer(to: str, message: Message) -> Receipt:
        return Receipt("250 accepted")

    async def play(office: Office, side: Scripted) -> None:
        names = await office.owe("acme", "duty", 25)
        await office.until(lambda: not office.engine.world.pending())

        ((_, _, message),) = side.sent
        assert message.subject.startswith("25 devices have not answered our pings")
        assert len(message.payload["emergencies"]) == 25
        assert {office.notice(name).state for name in names} == {NoticeState.ACCEPTED}

    simulate(tmp_path, site({"acme": [{"simulated": "duty"}]}), answer, play)


def test_a_long_message_is_composed_beside_the_loop(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    aside: list[str] = []
    run = SimLoop.run_in_executor

    def noted(loop: SimLoop, executor: Any, func: Callable[..., Any], *args: Any) -> asyncio.Future[Any]:
        aside.append(str(getattr(func, "func", func)))
        return run(loop, executor, func, *args)

    async def answer(to: str, message: Message) -> Receipt:
        return Receipt("250 accepted")

    async def play(office: Office, side: Scripted) -> None:
        for devices, times in ((2, 0), (25, 1)):
            await office.owe("acme", "duty", devices)
            await office.until(lambda: not office.engine.world.pending())
            assert sum("Directory.message" in one for one in aside) == times
        assert len(side.sent) == 2

    monkeypatch.setattr(SimLoop, "run_in_executor", noted)
    simulate(tmp_path, site({"acme": [{"simulated": "duty"}]}), answer, play)


def test_sixty_services_of_one_customer_are_one_message_and_devices_stand_in_another(tmp_path: Path) -> None:
    async def answer(to: str, message: Message) -> Receipt:
        return Receipt("250 accepted")

    async def play(office: Office, side: Scripted) -> None:
        (first,) = await office.owe("acme", "duty", service="ftp")
        await office.until(lambda: office.notice(first).state is NoticeState.ACCEPTED)
        decisions = [office.owe("acme", "duty", 30, service=service) for service in ("www", "email")]
        await asyncio.gather(*decisions, office.owe("acme", "duty", 2))
        await office.until(lambda: not office.engine.world.pending())

        told = {len(message.payload["emergencies"]): message for _, _, message in side.sent}
        assert [*told] == [1, 60, 2]
        assert told[60].subject.startswith("60 services have not passed our checks")
        assert {one["service"] for one in told[60].payload["emergencies"]} == {"www", "email"}
        assert told[2].subject.startswith("2 devices")

    simulate(tmp_path, site({"acme": [{"simulated": "duty"}]}), answer, play)


def test_a_bundle_that_perhaps_arrived_is_repeated_under_its_key_and_what_is_new_stands_apart(
    tmp_path: Path,
) -> None:
    """0 s three, perhaps arrived ── 5 s two more ── 15 s the three again, marked, under the same key"""

    async def answer(to: str, message: Message) -> Receipt:
        if len(message.payload["emergencies"]) == 3 and not message.repeat:
            raise Failed("connection lost", perhaps_arrived=True)
        return Receipt("250 accepted")

    async def play(office: Office, side: Scripted) -> None:
        await office.owe("acme", "duty", 3)
        await asyncio.sleep(5)
        await office.owe("acme", "duty", 2)
        await office.until(lambda: not office.engine.world.pending())

        assert side.times("duty") == [0, 5, 15]
        first, new, again = (message for _, _, message in side.sent)
        assert first.key == again.key != new.key
        assert (first.repeat, new.repeat, again.repeat) == (False, False, True)
        assert again.subject.startswith("[repeat] 3 devices")

    simulate(tmp_path, site({"acme": [{"simulated": "duty"}]}), answer, play)


def test_what_was_turned_away_in_one_message_comes_again_in_one_and_other_people_at_another_time(
    tmp_path: Path,
) -> None:
    """0:00 the relay turns all away ── 0:15 to 0:16 each person has one message again, not all at once"""

    async def answer(to: str, message: Message) -> Receipt:
        if asyncio.get_running_loop().time() - began[0] < 1:
            raise Failed("421 too many")
        return Receipt("250 accepted")

    async def play(office: Office, side: Scripted) -> None:
        began.append(asyncio.get_running_loop().time())
        names = [name for who in customers for name in await office.owe(who, "duty", 25)]
        await office.until(lambda: all(office.notice(one).state is NoticeState.ACCEPTED for one in names))

        again = [(second, len(message.payload["emergencies"])) for second, _, message in side.sent][8:]
        assert [count for _, count in again] == [25] * 8
        assert all(15 <= second <= 15 * 1.1 + 0.1 for second, _ in again)
        assert len({round(second, 2) for second, _ in again}) > 4

    began: list[float] = []
    customers = [f"c{number}" for number in range(8)]
    started = site({who: [{"simulated": who}] for who in customers}, notices={"gather": "0s"})
    simulate(tmp_path, started, answer, play, jitter=ladder.JITTER)

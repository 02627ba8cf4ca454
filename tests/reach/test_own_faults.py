"""The loop is held up, the clock steps, a buffer runs over: no answer is lost, and nobody is blamed."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from datetime import timedelta
from ipaddress import ip_address
from typing import Any

import pytest

from hostwatch import reach
from hostwatch.carrier import NO_CARRIER
from hostwatch.clock import Clock, SystemClock
from hostwatch.core import instant
from hostwatch.core.reading import Outcome
from hostwatch.pinger import Ask, Look, Manner, Pinger
from hostwatch.reach import _ears, _frames, base
from hostwatch.reach.neighbour import OVERFLOWED, NeighbourPinger, _Question
from tests.icmp.conftest import HERE, Cable
from tests.icmp.test_clock_steps import WrongClock
from tests.reach.conftest import QUICK, ask
from tests.reach.liar import MAC, arp, lying

pytestmark = pytest.mark.lab

NOBODY = "10.99.0.77"
STALL_S = 1.2
STRICT = Manner(
    attempts=3,
    spacing=timedelta(milliseconds=300),
    timeout=timedelta(milliseconds=200),
    late_after=timedelta(milliseconds=700),
)
METHODS = pytest.mark.parametrize("method", ["neighbour", "tcp port=4443"])


def told(
    cable: Cable, method: str, story: Callable[[Any], Awaitable[list[Look]]], clock: Clock | None = None
) -> Look:
    """A story with one look, told beside the pinger of a method on the machine here."""

    async def beside() -> list[Look]:
        pinger = reach.room(reach.split(method)[0]).build(clock or SystemClock())
        try:
            return await story(pinger)
        finally:
            await pinger.close()

    (look,) = cable.here.inside(lambda: asyncio.run(beside()))
    return look


@METHODS
def test_an_attempt_that_leaves_too_late_says_nothing(cable: Cable, method: str) -> None:
    """The loop stands still after the first attempt for longer than the second may be late."""

    async def story(pinger: Pinger) -> list[Look]:
        asyncio.get_running_loop().call_later(0.1, time.sleep, STALL_S)
        return await ask(pinger, method, NOBODY, manner=STRICT)

    look = told(cable, method, story)

    assert (look.outcome, look.why) == (Outcome.UNKNOWN, base.LATE)


@METHODS
def test_a_cable_that_is_pulled_while_we_wait_is_our_own_failure(cable: Cable, method: str) -> None:
    once = Manner(attempts=1, timeout=timedelta(milliseconds=500))

    async def story(pinger: Pinger) -> list[Look]:
        asyncio.get_running_loop().call_later(0.05, cable.pull)
        return await ask(pinger, method, NOBODY, manner=once)

    look = told(cable, method, story)

    assert (look.outcome, look.why) == (Outcome.UNKNOWN, NO_CARRIER)


@METHODS
@pytest.mark.parametrize("behind", [timedelta(hours=1), timedelta(hours=-1)])
def test_a_miss_over_a_step_of_the_clock_says_nothing(cable: Cable, method: str, behind: timedelta) -> None:
    clock = WrongClock(timedelta(0), asleep=False)

    async def story(pinger: Pinger) -> list[Look]:
        asyncio.get_running_loop().call_later(0.1, clock.go_wrong, behind)
        return await ask(pinger, method, NOBODY)

    look = told(cable, method, story, clock)

    assert (look.outcome, look.why) == (Outcome.UNKNOWN, base.STEPPED)


def test_an_answer_that_came_while_the_loop_stood_still_counts(cable: Cable) -> None:
    """Behind more noise than one turn of the loop reads, and after the time of the look."""
    once = Manner(attempts=1, timeout=timedelta(milliseconds=200))

    async def story(pinger: Pinger) -> list[Look]:
        looking = asyncio.create_task(ask(pinger, "neighbour", NOBODY, manner=once))
        asyncio.get_running_loop().call_later(0.001, time.sleep, STALL_S)
        return await looking

    noise = 3 * _ears.READ_MAX // 2
    with lying(cable.there, NOBODY, lambda q: [*[arp(q, said=ip_address(HERE[4]).packed)] * noise, arp(q)]):
        look = told(cable, "neighbour", story)

    assert look.outcome is Outcome.ANSWERED, look.why
    assert look.rtt_us is not None
    assert look.rtt_us < STALL_S * 1_000_000, "by the kernel's stamp, not by when it was read"


def test_a_buffer_that_ran_over_is_our_own_failure(cable: Cable, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_ears, "BUFFER_BYTES", 1)

    async def story(pinger: Pinger) -> list[Look]:
        asyncio.get_running_loop().call_later(0.05, time.sleep, 0.2)
        return await ask(pinger, "neighbour", NOBODY)

    with lying(cable.there, NOBODY, lambda q: [arp(q, said=ip_address(HERE[4]).packed)] * 500):
        look = told(cable, "neighbour", story)

    assert (look.outcome, look.why) == (Outcome.UNKNOWN, OVERFLOWED)


def test_what_came_before_we_asked_is_no_answer(cable: Cable) -> None:
    """It lay in the buffer when we asked: somebody told of himself, who may be dead by now."""
    reply = _frames.Reply(ip_address(NOBODY).packed, MAC, ip_address(HERE[4]).packed)

    async def story() -> tuple[base.Answer | None, base.Answer | None]:
        pinger = NeighbourPinger(SystemClock())
        talk = pinger.talk(Ask("", NOBODY, 0, "neighbour"), QUICK)
        assert isinstance(talk, _Question)
        talk.sent.append(base.Moment(instant.EPOCH, timedelta(seconds=5)))
        talk.take(reply, 4_999_999)
        before = talk.answer
        talk.take(reply, 5_000_100)
        await pinger.close()
        return before, talk.answer

    assert cable.here.inside(lambda: asyncio.run(story())) == (None, base.Answer(0, 100))


@pytest.mark.parametrize("operation", [0, 1, 3, 8])
def test_only_replies_are_replies(operation: int) -> None:
    """Should the kernel's filter ever let others through."""
    assert _frames.arp_reply(_frames.ARP_HEAD + operation.to_bytes(2) + MAC + bytes(14)) is None
    assert _frames.arp_reply(_frames.ARP_HEAD + b"\0\2" + MAC + bytes(14)) is not None

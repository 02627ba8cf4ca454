"""The wall clock steps, or the machine sleeps, during a ping: no answer is lost, and nobody is blamed.

The clock of these tests is wrong at first and then set right, so that what the kernel stamps on the
answers, which come after that, is what it would be on a machine whose clock was set.
"""

from __future__ import annotations

import asyncio
import time
from datetime import timedelta

import pytest

from hostwatch.clock import Clock, SystemClock
from hostwatch.core import instant
from hostwatch.core.reading import Outcome
from hostwatch.icmp import STEPPED, IcmpPinger
from hostwatch.pinger import Look, Manner
from tests.icmp.conftest import THERE, Cable, ask, under_way
from tests.lab.reflector import Reflector
from tests.lab.script import LATE_S, TOO_LATE

pytestmark = pytest.mark.lab

MANNER = Manner(
    attempts=2,
    spacing=timedelta(milliseconds=400),
    timeout=timedelta(seconds=LATE_S + 0.4),
    late_after=timedelta(seconds=40),
)
AN_HOUR, A_MOMENT = timedelta(hours=1), timedelta(seconds=10)


class WrongClock(SystemClock):
    """Goes wrong by some time until it is set right."""

    def __init__(self, behind: timedelta, *, asleep: bool) -> None:
        super().__init__()
        self._behind = behind
        self._asleep = asleep

    def now_us(self) -> int:
        return super().now_us() - self._behind // instant.MICROSECOND

    def boottime(self) -> timedelta:
        return super().boottime() - (self._behind if self._asleep else timedelta(0))

    def set_right(self) -> None:
        """The clock is set, or the machine wakes up."""
        self.go_wrong(timedelta(0))

    def go_wrong(self, behind: timedelta) -> None:
        """The clock is set to what it should not be."""
        self._behind = behind


CLOCKS = {
    "set forward": (AN_HOUR, False),
    "set forward by less than may be late": (A_MOMENT, False),
    "set back": (-AN_HOUR, False),
    "asleep for an hour": (AN_HOUR, True),
}


@pytest.fixture(params=list(CLOCKS))
def clock(request: pytest.FixtureRequest) -> WrongClock:
    behind, asleep = CLOCKS[request.param]
    return WrongClock(behind, asleep=asleep)


def stepped(cable: Cable, clock: WrongClock, later_s: float = 0.0) -> tuple[Look, float]:
    """One look during which the clock is set right; how long it took."""

    async def story(pinger: IcmpPinger, own: Clock) -> list[Look]:
        asyncio.get_running_loop().call_later(0.2, clock.set_right)
        return await ask(pinger, own, MANNER, THERE[4], later_s=later_s)

    since = time.monotonic()
    (look,) = cable.pinging(story, clock)
    return look, time.monotonic() - since


def test_an_answer_in_its_time_counts_whatever_the_clock_does(cable: Cable, clock: WrongClock) -> None:
    """A packet leaves by the wrong clock, which is set at 0.2 s; its answer comes after 0.8 s."""
    with Reflector(cable.there) as reflector:
        reflector.play({THERE[4]: TOO_LATE})
        look, took_s = stepped(cable, clock)

    assert look.outcome is Outcome.ANSWERED, look.why
    assert look.rtt_us is not None
    assert LATE_S <= look.rtt_us / 1e6 <= took_s
    assert look.at_us <= (look.answered_us or look.at_us) <= look.known_us


def test_what_is_not_answered_is_unknown_after_the_whole_wait(cable: Cable, clock: WrongClock) -> None:
    cable.lose()
    look, took_s = stepped(cable, clock)

    assert (look.outcome, look.why) == (Outcome.UNKNOWN, STEPPED)
    assert took_s >= MANNER.longest.total_seconds()
    assert look.at_us <= look.known_us


def test_who_was_to_be_looked_at_later_is_unknown_at_once(cable: Cable, clock: WrongClock) -> None:
    look, took_s = stepped(cable, clock, later_s=30)

    assert (look.outcome, look.why) == (Outcome.UNKNOWN, STEPPED)
    assert took_s < 10
    assert look.at_us <= look.known_us


def test_a_clock_that_is_right_makes_nobody_unknown(cable: Cable) -> None:
    cable.lose()
    look, _ = stepped(cable, WrongClock(timedelta(0), asleep=False))

    assert (look.outcome, look.why) == (Outcome.MISSED, "no answer")


STALL_S = 0.5


def read_after_a_step(cable: Cable, behind: timedelta, manner: Manner) -> Look:
    """The loop stands still from the first packet on; when it goes on, the clock has been set meanwhile."""
    clock = WrongClock(timedelta(0), asleep=False)

    def stand_still(pinger: IcmpPinger) -> None:
        if not under_way(pinger):
            asyncio.get_running_loop().call_soon(stand_still, pinger)
            return
        time.sleep(STALL_S)
        clock.go_wrong(behind)

    async def story(pinger: IcmpPinger, own: Clock) -> list[Look]:
        asyncio.get_running_loop().call_soon(stand_still, pinger)
        return await ask(pinger, own, manner, THERE[4])

    (look,) = cable.pinging(story, clock)
    return look


STEPS = pytest.mark.parametrize("behind", [AN_HOUR, -AN_HOUR], ids=["set back", "set forward"])


@STEPS
def test_an_answer_that_is_read_after_a_step_counts_if_there_is_time_yet(
    cable: Cable, behind: timedelta
) -> None:
    """The stamp on it is an hour off, but it is here, and the ping is not over."""
    look = read_after_a_step(cable, behind, Manner(attempts=1, timeout=timedelta(seconds=3)))

    assert look.outcome is Outcome.ANSWERED, look.why
    assert look.rtt_us is not None
    assert STALL_S <= look.rtt_us / 1e6 < 3


@STEPS
def test_an_answer_that_is_read_too_late_does_not_count_by_a_wrong_stamp(
    cable: Cable, behind: timedelta
) -> None:
    """When it came cannot be known, and the ping is over: unknown."""
    look = read_after_a_step(cable, behind, Manner(attempts=1, timeout=timedelta(seconds=STALL_S / 2)))

    assert (look.outcome, look.why) == (Outcome.UNKNOWN, STEPPED)

"""The loop is held up in the middle of a ping: the packets after it are no worse for that, or say nothing."""

from __future__ import annotations

import asyncio
import select
import time
from datetime import timedelta

import pytest

from hostwatch.clock import Clock
from hostwatch.core.reading import Outcome
from hostwatch.departures import LATE
from hostwatch.icmp import IcmpPinger
from hostwatch.pinger import Look, Manner
from tests.icmp.conftest import THERE, Cable, ask
from tests.lab.reflector import Reflector
from tests.lab.script import LATE_S, TOO_LATE, losing

pytestmark = pytest.mark.lab

STALL_S = 1.5
PATIENT = Manner(
    attempts=3,
    spacing=timedelta(milliseconds=400),
    timeout=timedelta(seconds=LATE_S + 0.4),
    late_after=timedelta(seconds=5),
)
STRICT = Manner(
    attempts=3,
    spacing=timedelta(milliseconds=400),
    timeout=timedelta(milliseconds=300),
    late_after=timedelta(seconds=1),
)
ONCE = Manner(
    attempts=1,
    spacing=timedelta(milliseconds=400),
    timeout=timedelta(seconds=1),
    late_after=timedelta(seconds=5),
)


def stalled(cable: Cable, manner: Manner) -> tuple[Look, int]:
    """One look, while the loop stands still soon after the first packet; and when it went on."""
    went_on = [0]

    async def story(pinger: IcmpPinger, clock: Clock) -> list[Look]:
        def stand_still() -> None:
            time.sleep(STALL_S)
            went_on[0] = clock.now_us()

        asyncio.get_running_loop().call_later(0.2, stand_still)
        return await ask(pinger, clock, manner, THERE[4])

    (look,) = cable.pinging(story)
    return look, went_on[0]


@pytest.mark.parametrize("lost", [1, 2])
def test_packets_after_a_stall_are_spaced_and_waited_for(cable: Cable, lost: int) -> None:
    """
    0.0 s  the first packet leaves and is lost; the device takes 0.8 s for an answer
    0.2 s  the loop stands still until 1.7 s, when two more packets would have left by the plan
    then   the second leaves at once, the third 0.4 s after; each gets its whole time: an answer
    """
    with Reflector(cable.there) as reflector:
        reflector.play({THERE[4]: losing(lost, TOO_LATE)})
        look, went_on_us = stalled(cable, PATIENT)

    assert look.outcome is Outcome.ANSWERED, look.why
    assert look.answered_us is not None
    assert look.answered_us >= went_on_us + (lost - 1) * 400_000
    assert look.rtt_us is not None
    assert LATE_S <= look.rtt_us / 1e6 <= LATE_S + 0.4
    assert look.lost == lost


def test_a_device_that_is_silent_after_a_stall_is_missed(cable: Cable) -> None:
    cable.lose()
    look, went_on_us = stalled(cable, PATIENT)

    assert (look.outcome, look.why, look.lost) == (Outcome.MISSED, "no answer", 3)
    assert (look.known_us - went_on_us) / 1e6 >= 0.4 + PATIENT.timeout.total_seconds()


def test_a_packet_that_would_leave_too_late_makes_the_look_unknown(cable: Cable) -> None:
    cable.lose()
    look, _ = stalled(cable, STRICT)

    assert (look.outcome, look.why) == (Outcome.UNKNOWN, LATE)


def test_an_answer_before_the_stall_stands_however_late_it_is_read(cable: Cable) -> None:
    """
    0.0 s  the packet leaves; the answer comes in, and lies there unread
    then   the loop stands still for 1.5 s: the ping would have been over after 1.0 s
    then   what has come in is read before anybody is called silent

    Where the packet got lost, or its answer was read at once, nothing stood still: then another is sent.
    """
    stood = list[bool]()

    def stand_still(pinger: IcmpPinger) -> None:
        own = [one.sock for one in pinger._outlets.in_use()]
        if own and select.select(own, [], [], 0)[0]:
            time.sleep(STALL_S)
            stood.append(True)
        else:
            asyncio.get_running_loop().call_soon(stand_still, pinger)

    async def story(pinger: IcmpPinger, clock: Clock) -> list[Look]:
        asyncio.get_running_loop().call_soon(stand_still, pinger)
        looks = list[Look]()
        while not stood:
            looks = await ask(pinger, clock, ONCE, THERE[4])
        return looks

    (look,) = cable.pinging(story)

    assert look.outcome is Outcome.ANSWERED, look.why
    assert look.rtt_us is not None
    assert look.rtt_us < 1_000_000
    assert look.known_us - look.at_us >= STALL_S * 1_000_000


def test_a_first_packet_that_would_leave_too_late_makes_the_look_unknown(cable: Cable) -> None:
    """Asked for two seconds after its time."""
    (look,) = cable.pinging(lambda pinger, clock: ask(pinger, clock, STRICT, THERE[4], later_s=-2))
    assert (look.outcome, look.why) == (Outcome.UNKNOWN, LATE)

    (look,) = cable.pinging(lambda pinger, clock: ask(pinger, clock, STRICT, THERE[4], later_s=-0.2))
    assert look.outcome is Outcome.ANSWERED

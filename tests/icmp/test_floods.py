"""Somebody floods us with errors that the kernel lets in: the loop goes on, and nobody is blamed for it."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from contextlib import closing
from datetime import timedelta
from functools import partial
from typing import Any

import pytest

from hostwatch.clock import Clock
from hostwatch.core.reading import Outcome
from hostwatch.echo import EchoSocket
from hostwatch.icmp import DRAIN_FOR, DRAIN_MAX, OVERFLOWED, SWAMPED, IcmpPinger
from hostwatch.intake import PIECE
from hostwatch.packets import Trouble
from hostwatch.pinger import Look, Manner
from tests.icmp.conftest import HERE, THERE, Cable, ask
from tests.icmp.quotes import error, opened, quoted, request

pytestmark = pytest.mark.lab

QUICK = Manner(attempts=1, timeout=timedelta(milliseconds=200))
FLOOD = 8_000
"""Fewer than the buffer holds, more than are read in one turn."""


def flooded(cable: Cable, count: int, *, floods: int = 1) -> tuple[Look, list[int]]:
    """A look at a silent device; just before it is judged the buffer is filled while the loop waits.

    With two floods, a second packet in the place of the first is answered by the same again.

    Beside the look, how many packets were taken in each turn of the loop.
    """
    turns = [0]

    async def story(pinger: IcmpPinger, clock: Clock) -> list[Look]:
        packet = error(4, quoted(4, THERE[4], request(4, 1, pinger._mark + bytes(12))))
        loop = asyncio.get_running_loop()
        _count(pinger, turns)

        def flood() -> None:
            until = time.monotonic() + QUICK.timeout.total_seconds()  # the look is to be judged after that
            for _ in range(count):
                attacker.sendto(packet, (HERE[4], 0))
            time.sleep(max(until - time.monotonic(), 0))
            turn()

        def turn() -> None:
            turns.append(0)
            loop.call_soon(turn)

        _after_each(pinger, floods, lambda: loop.call_later(0.1, flood))
        return await ask(pinger, clock, QUICK, THERE[4])

    cable.lose()
    with closing(opened(cable.there, 4)) as attacker:
        (look,) = cable.pinging(story)
    return look, turns


def _after_each(pinger: IcmpPinger, packets: int, act: Callable[[], object]) -> None:
    """Do something after each of the first packets that leave."""
    departures = pinger._departures
    send, send_alone, left = departures._fly, departures._send_one, iter(range(packets))

    def sent(how: Callable[..., Any], *given: Any) -> Any:
        done = how(*given)
        if done != 0 and next(left, None) is not None:
            act()
        return done

    departures._fly = partial(sent, send)  # type: ignore[method-assign]
    departures._send_one = partial(sent, send_alone)  # type: ignore[method-assign]


def _count(pinger: IcmpPinger, turns: list[int]) -> None:
    take = pinger._tries.take

    def counted(sock: EchoSocket, count: int) -> None:
        turns[-1] += count
        take(sock, count)

    pinger._tries.take = counted  # type: ignore[method-assign]


def test_a_turn_of_the_loop_reads_no_more_than_it_may(cable: Cable, monkeypatch: pytest.MonkeyPatch) -> None:
    """All is read, over many turns, and then the silent device is truly missed."""
    monkeypatch.setattr("hostwatch.icmp.DRAIN_FOR", timedelta(minutes=1))
    monkeypatch.setattr("hostwatch.icmp.CATCH_UP_FOR", timedelta(minutes=1))
    look, turns = flooded(cable, FLOOD)

    assert sum(turns) == FLOOD
    assert max(turns) <= 2 * DRAIN_MAX  # the reader's own turn, and that of the look
    assert (look.outcome, look.why) == (Outcome.MISSED, "no answer")


def test_what_could_not_be_read_in_time_makes_the_look_unknown(
    cable: Cable, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("hostwatch.icmp.CATCH_UP_FOR", timedelta(0))
    look, _ = flooded(cable, FLOOD)

    assert (look.outcome, look.why) == (Outcome.UNKNOWN, SWAMPED)


def test_a_turn_of_the_loop_lasts_no_longer_than_it_may(
    cable: Cable, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each packet is made to cost a millisecond: after some pieces the turn is over."""
    slow: Callable[[Trouble], None] = lambda _: time.sleep(0.001)  # noqa: E731
    monkeypatch.setattr("hostwatch.tries.Tries.take_trouble", lambda *given: slow(given[-1]))
    monkeypatch.setattr("hostwatch.icmp.CATCH_UP_FOR", timedelta(0))
    look, turns = flooded(cable, 1_000)

    assert max(turns) <= 2 * (DRAIN_FOR / timedelta(milliseconds=1) + PIECE)
    assert (look.outcome, look.why) == (Outcome.UNKNOWN, SWAMPED)


def test_a_packet_whose_answer_may_have_been_dropped_is_followed_by_another(
    cable: Cable, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One flood beyond the buffer: the packet under way says nothing, the one in its place does."""
    monkeypatch.setattr("hostwatch.icmp.CATCH_UP_FOR", timedelta(minutes=1))
    look, _ = flooded(cable, 30_000)

    assert (look.outcome, look.why, look.lost) == (Outcome.MISSED, "no answer", 2)


def test_a_flood_that_goes_on_beyond_the_buffer_is_our_fault(
    cable: Cable, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The second packet meets another flood; there is no third."""
    monkeypatch.setattr("hostwatch.icmp.CATCH_UP_FOR", timedelta(minutes=1))
    look, _ = flooded(cable, 30_000, floods=2)

    assert (look.outcome, look.why) == (Outcome.UNKNOWN, OVERFLOWED)

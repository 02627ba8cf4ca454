"""The pinger of this process: rounds of echo requests over two shared sockets.

Each target gets packets until one is answered. Waits are measured by the monotonic clock, so that no
step of the wall clock shortens one; an answer counts if the kernel took it in before the ping was over,
however late the loop reads it. A miss is said only if every packet left in time over a living link and
whatever came in was read; otherwise the look is UNKNOWN and says why.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator, Iterable
from datetime import timedelta
from heapq import heapify, heappop, heappush
from typing import Final

from icmplib.exceptions import ICMPSocketError

from hostwatch import log, sieve
from hostwatch.carrier import Carrier
from hostwatch.clock import NAP_MAX_S, Clock, Timekeeper
from hostwatch.core import instant
from hostwatch.core.reading import Outcome
from hostwatch.echo import (
    DRAIN_MAX,
    NONCE_BYTES,
    PIECE,
    RECEIVE_BUFFER_BYTES,
    EchoSocket,
    NoPermission,
    SendFault,
    Trouble,
    Unreachable,
    new_identifier,
)
from hostwatch.pinger import Batch, Look, Pinger, family
from hostwatch.tries import Moment, Tries, Try, bare, said

DRAIN_FOR: Final = timedelta(milliseconds=10)
"""How long packets are read in one turn of the loop."""

CATCH_UP_FOR: Final = timedelta(milliseconds=250)
"""How long, over many turns, what has come in is read before it is given up as too much."""

LATE: Final = "looked too late"
STEPPED: Final = "clock stepped"
OVERFLOWED: Final = "receive buffer overflowed here"
SWAMPED: Final = "more packets than could be read here"


class IcmpPinger(Pinger):
    """Pings from this machine."""

    def __init__(self, clock: Clock) -> None:
        """Opens the sockets that may be opened. Raises `NoPermission` when there is none."""
        self._clock = clock
        self._mark = os.urandom(sieve.MARK_BYTES)
        self._tries = Tries(clock)
        self._sockets: dict[int, EchoSocket] = {}
        self._carrier = Carrier(clock)
        self._batches = 0
        refused: NoPermission | None = None
        for version in (4, 6):
            try:
                self._sockets[version] = EchoSocket(version, self._mark)
            except NoPermission as error:
                refused = error
            except ICMPSocketError as error:
                log.warning("no-socket", family=version, error=str(error))
        if not self._sockets:
            raise refused or NoPermission
        loop = asyncio.get_running_loop()
        for sock in self._sockets.values():
            loop.add_reader(sock.sock, self._read, sock)

    @property
    def mode(self) -> str:
        """`raw` or `ping socket`, for the log."""
        return "raw" if all(sock.raw for sock in self._sockets.values()) else "ping socket"

    async def close(self) -> None:
        loop = asyncio.get_running_loop()
        for sock in self._sockets.values():
            loop.remove_reader(sock.sock)
            sock.close()
        self._sockets.clear()

    def _warn_of_small_buffers(self) -> None:
        """Say once what the machine grants. One batch alone is a person's look, which tells of itself."""
        self._batches += 1
        if self._batches == 2 and (short := [sock for sock in self._sockets.values() if sock.is_short]):
            log.warning(
                "small-receive-buffer",
                holds_replies=min(sock.holds for sock in short),
                advice=f"sysctl -w net.core.rmem_max={RECEIVE_BUFFER_BYTES}",
                why="beyond that the kernel drops replies, and looks are unknown",
            )

    def _tries_of(self, batch: Batch, now: Moment) -> list[Try]:
        identifier = new_identifier(self._mark)
        return [
            Try(
                ask=ask,
                manner=batch.manner,
                nonce=self._mark + os.urandom(NONCE_BYTES - sieve.MARK_BYTES),
                identifier=identifier,
                due=now.mono + (instant.from_micros(ask.at_us) - now.wall),
                bare=bare(ask.address),
            )
            for ask in batch.asks
        ]

    async def probe(self, batch: Batch) -> AsyncIterator[tuple[Look, ...]]:
        self._warn_of_small_buffers()
        timekeeper = Timekeeper(self._clock)
        tries = self._tries_of(batch, self._tries.now())
        agenda = [(one.due, place) for place, one in enumerate(tries)]
        heapify(agenda)
        answered: list[Look] = []
        try:
            while agenda:
                await self._nap(agenda[0][0])
                swamped = not await self._drain()
                now = self._tries.now()
                if timekeeper.check():
                    agenda = _step((tries[place] for _, place in agenda), agenda, now)
                silent: list[Look] = []
                while agenda and agenda[0][0] <= now.mono:
                    _, place = heappop(agenda)
                    next_step = self._turn(tries[place], now, swamped)
                    if isinstance(next_step, timedelta):
                        heappush(agenda, (max(next_step, now.mono + instant.MICROSECOND), place))
                    else:
                        (answered if next_step.outcome is Outcome.ANSWERED else silent).append(next_step)
                if silent:
                    yield tuple(silent)
        finally:
            for one in tries:
                self._tries.forget(one)
        if answered:
            yield tuple(answered)

    async def _nap(self, until: timedelta) -> None:
        """Wait, but not long: that the clock stepped is to be noticed soon."""
        left = until - self._clock.monotonic()
        if left > timedelta(0):
            await self._clock.sleep(min(left, timedelta(seconds=NAP_MAX_S)))

    def _turn(self, one: Try, now: Moment, swamped: bool) -> Look | timedelta:
        """Send to one target, wait on, or say what became of it; when it is its turn again."""
        if one.answer is not None:
            return self._look(one, Outcome.ANSWERED, now)
        if one.stepped and not one.sent:
            return self._blamed(one, STEPPED, now)
        if not one.is_sent and not one.fault:
            if now.mono - one.planned > one.manner.late_after:
                return self._blamed(one, LATE, now)
            if not one.sent and now.wall < one.at:  # the clocks run a little apart
                return now.mono + (one.at - now.wall)
            self._send(one)
            return one.over if one.is_sent else one.sent[-1].mono + one.manner.spacing
        if now.mono < one.over:
            return one.over
        fault = one.fault or self._own_fault(one, swamped)
        return self._blamed(one, fault, now) if fault else self._look(one, Outcome.MISSED, now)

    def _own_fault(self, one: Try, swamped: bool) -> str:
        """Why we may have missed an answer, if so."""
        if one.stepped:
            return STEPPED
        if swamped:
            return SWAMPED
        if self._sockets[family(one.ask.address)].dropped() != one.dropped:
            return OVERFLOWED
        return self._carrier.fault(one.ask.address)

    def _blamed(self, one: Try, fault: str, now: Moment) -> Look:
        one.fault = fault
        return self._look(one, Outcome.UNKNOWN, now)

    def _look(self, one: Try, outcome: Outcome, now: Moment) -> Look:
        self._tries.forget(one)
        why, answered_us, rtt_us = one.fault or said(one.trouble) or "no answer", None, None
        lost = len(one.sent) if outcome is Outcome.MISSED else 0
        at = min(one.sent[0].wall if one.sent else one.at, now.wall)  # if the clock was set back
        if outcome is Outcome.ANSWERED and one.answer is not None:
            left, came = one.answer
            at = min(at, left.wall)
            why, answered_us = "", None if len(one.sent) == 1 else instant.micros(min(left.wall, now.wall))
            rtt_us, lost = (came - left.mono) // instant.MICROSECOND, one.sent.index(left)
        return Look(
            one.ask.signal,
            one.ask.address,
            instant.micros(at),
            instant.micros(now.wall),
            outcome,
            why,
            answered_us,
            rtt_us,
            lost,
        )

    def _send(self, one: Try) -> None:
        sock = self._sockets.get(family(one.ask.address))
        if not one.sent:
            one.dropped = 0 if sock is None else sock.dropped()
            self._tries.add(one)
        one.sent.append(self._tries.now())
        if sock is None:
            one.fault = f"no IPv{family(one.ask.address)} socket here"
            return
        try:
            nonce = _nobodys(one.nonce) if one.manner.decoy else one.nonce
            sock.send(one.ask.address, one.identifier, len(one.sent), nonce)
        except SendFault as error:
            one.fault = str(error)
        except Unreachable as error:
            one.trouble = Trouble(one.nonce, one.identifier, len(one.sent), one.ask.address, "", str(error))

    def _read(self, sock: EchoSocket) -> bool:
        """Read as much as one turn of the loop may; whether there may be more."""
        over = self._clock.monotonic() + DRAIN_FOR
        for _ in range(DRAIN_MAX // PIECE):
            if not sock.receive(self._tries.take):
                return False
            if self._clock.monotonic() >= over:
                break
        return True

    async def _drain(self) -> bool:
        """Read what has come in before anybody is called silent; whether that was possible."""
        over = self._clock.monotonic() + CATCH_UP_FOR
        behind = list(self._sockets.values())
        while behind := [sock for sock in behind if self._read(sock)]:
            if self._clock.monotonic() >= over:
                return False
            await self._clock.sleep(timedelta(0))
        return True


def _nobodys(nonce: bytes) -> bytes:
    """Another nonce with the same mark, so that only the matching can tell it from the right one."""
    return nonce[:-1] + bytes([nonce[-1] ^ 1])


def _step(
    left: Iterable[Try], agenda: list[tuple[timedelta, int]], now: Moment
) -> list[tuple[timedelta, int]]:
    """The clock stepped, or the machine slept. Whoever was to be looked at later has no time any more."""
    stepped: list[tuple[timedelta, int]] = []
    for one, (due, place) in zip(left, agenda, strict=True):
        one.stepped = True
        stepped.append((due if one.sent else now.mono, place))
    heapify(stepped)
    return stepped

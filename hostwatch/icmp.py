"""The pinger of this process: all pings over two shared sockets, by one wheel.

One task turns the wheel. At each turn it first reads all that has come in, then says of those whose time is
over what became of them, and sends what is due. Waits are measured by the monotonic clock, so that no step of
the wall clock shortens one; an answer counts if the kernel took it in before the ping was over, however late
it is read. A miss is said only if every packet left in time over a living link and whatever came in was read;
otherwise the look is UNKNOWN and says why.

Nothing wakes the pinger when an answer comes: the kernel has stamped it, and the next turn is near.
"""

from __future__ import annotations

import asyncio
import os
from collections import deque
from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Final

from hostwatch import sieve
from hostwatch.carrier import Carrier
from hostwatch.clock import NAP_MAX_S, Clock, Timekeeper
from hostwatch.core import instant
from hostwatch.core.reading import Outcome
from hostwatch.echo import (
    EchoSocket,
    Outlet,
    SendFault,
    Unreachable,
    new_identifier,
    scoped,
)
from hostwatch.intake import PIECE
from hostwatch.outlets import Outlets, outlets_of
from hostwatch.outward import Outward
from hostwatch.pace import HELD, Held, Limits, Pace, Queues
from hostwatch.packets import KEY_END, NONCE_BYTES, Trouble
from hostwatch.pinger import Batch, Look, Pinger
from hostwatch.tries import Lane, Round, Tries, Try, has_left, said
from hostwatch.wheel import SLOT_US, Wheel

DRAIN_MAX: Final = 2_000
"""Packets taken from one socket in one turn of the loop."""

DRAIN_FOR: Final = timedelta(milliseconds=10)
"""How long packets are read in one turn of the loop."""

CATCH_UP_FOR: Final = timedelta(milliseconds=250)
"""How long, over many turns, what has come in is read before it is given up as too much."""

BURST_MAX: Final = 256
"""Packets sent in one turn of the loop."""

BURST_EVERY_US: Final = 10_000
"""The time between two bursts when the receive buffer is small."""

GRAIN_MAX: Final = 10
"""Slots of the wheel that are taken together when nothing is urgent: a tenth of a second."""

SPARSE_PER_S: Final = 640
"""Up to that rate packets of a tenth of a second leave together; beyond it they would be a burst."""

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
        self._wheel: Wheel[Try] = Wheel()
        self._rounds: set[Round] = set()
        self._ready: deque[Try] = deque()
        """Whose packet is to leave as soon as may be."""

        self._pace = Pace(Limits())
        self._queues: Queues[Try] = Queues()
        self._outlets = Outlets(self._mark, self._tries.is_open)
        self._burst = max(min(self._outlets.holds // 2, BURST_MAX), 1)
        self._carrier = Carrier(clock)
        self._outward = Outward()
        self._timekeeper = Timekeeper(clock)
        self._batches = 0
        self._next_burst_us = 0
        self._work = asyncio.Event()
        self._turning = asyncio.create_task(self._run())
        self._turning.add_done_callback(self._ended)

    @property
    def mode(self) -> str:
        """`raw` or `ping socket`, for the log."""
        return "raw" if self._outlets.is_raw else "ping socket"

    async def close(self) -> None:
        self._turning.cancel()
        await asyncio.wait({self._turning})
        self._outlets.close()

    async def probe(self, batch: Batch) -> AsyncIterator[tuple[Look, ...]]:
        self._batches += not any(ask.hops for ask in batch.asks[:1])
        if self._batches == 2:  # one batch alone is a person's look, which tells of itself
            self._outlets.warn_of_small_buffers()
        round_, lanes = self._begin(batch)
        try:
            while round_.left or round_.silent:
                await round_.news.wait()
                round_.news.clear()
                if self._turning.done():
                    self._turning.result()
                silent, round_.silent = round_.silent, []
                if silent:
                    yield tuple(silent)
        finally:
            self._abandon(round_, lanes)
        if round_.answered:
            yield tuple(round_.answered)

    def keep_to(self, pace: Pace) -> None:
        self._pace = pace

    def _ended(self, _: asyncio.Task[None]) -> None:
        """Whoever waits for a look gets the error that ended the turning."""
        for round_ in self._rounds:
            round_.news.set()

    def _begin(self, batch: Batch) -> tuple[Round, list[Lane]]:
        """Give each ask of a batch its turn."""
        round_ = Round(batch.manner, new_identifier(self._mark), _grain(batch))
        lanes: dict[Outlet, Lane] = {}
        twins = self._outlets.twins
        outlet_of = outlets_of(batch.manner.packet)
        apart_us = self._clock.now_us() - self._clock.monotonic_us()
        size = NONCE_BYTES - sieve.MARK_BYTES
        chance = os.urandom(size * len(batch.asks))
        for place, ask in enumerate(batch.asks):
            outlet = outlet_of(ask.address)
            if twins > 1 and place % twins:
                outlet = outlet._replace(twin=place % twins)
            if outlet not in lanes:
                lanes[outlet] = self._lane(round_, outlet, batch.manner.packet.payload_bytes)
            lane = lanes[outlet]
            mark = self._mark if lane.sock is None else lane.sock.mark
            nonce = mark + chance[place * size : (place + 1) * size]
            one = Try(ask, lane, nonce, ask.at_us - apart_us)
            round_.tries.append(one)
            self._wheel.put(one, one.due_us, round_.grain)
        round_.left = len(round_.tries)
        self._rounds.add(round_)
        self._work.set()
        return round_, [*lanes.values()]

    def _lane(self, round_: Round, outlet: Outlet, payload_bytes: int) -> Lane:
        """What of a round leaves by one socket."""
        sock = self._outlets.get(outlet)
        if isinstance(sock, EchoSocket) and not self._tries.is_open(sock):
            sock.count_drops(self._clock.monotonic_us())
        if isinstance(sock, EchoSocket) and sock.family == 6 and not sock.raw:
            self._outward.count(self._clock.monotonic_us())
        lane = Lane(round_, outlet.family, sock, payload_bytes)
        self._tries.open(lane)
        return lane

    def _abandon(self, round_: Round, lanes: list[Lane]) -> None:
        """Nobody waits for it any more."""
        self._rounds.discard(round_)
        for lane in lanes:
            self._tries.close(lane)
        if round_.left:
            for one in round_.tries:
                self._tries.forget(one)

    async def _run(self) -> None:
        """Turn the wheel for ever."""
        while True:
            await self._wait()
            now_us = self._clock.monotonic_us()  # before reading, so that whatever came until then is read
            swamped = not await self._drain()
            if self._timekeeper.check():
                self._step()
            for one in self._wheel.take(now_us):
                if one.held_by is not None:
                    self._ready.append(one)
                elif not one.is_over:
                    self._decide(one, now_us, swamped)
            self._send_burst()

    async def _wait(self) -> None:
        """Until there is something to do; not long, since that the clock stepped is to be noticed soon."""
        self._work.clear()
        pause_us = self._pause_us()
        if pause_us is None:
            await self._work.wait()
        elif pause_us <= 0:
            await self._clock.sleep(timedelta(0))
        else:
            waker = asyncio.get_running_loop().call_later(pause_us / 1e6, self._work.set)
            try:
                await self._work.wait()
            finally:
                waker.cancel()

    def _pause_us(self) -> int | None:
        """How long nothing is to be done; None if nobody has asked for anything."""
        now_us = self._clock.monotonic_us()
        moments = [self._next_burst_us] if self._ready else []
        if (next_us := self._wheel.next_us) is not None:
            moments.append(next_us)
        if not moments:
            return None
        if self._tries:  # what comes in meanwhile is not to fill the buffer
            grain_us = SLOT_US * min((round_.grain for round_ in self._rounds), default=GRAIN_MAX)
            moments.append((now_us // grain_us + 1) * grain_us)
        return min(min(moments) - now_us, int(NAP_MAX_S * 1_000_000))

    def _step(self) -> None:
        """The clock stepped, or the machine slept. Whoever was to be looked at later has no time any more."""
        for round_ in self._rounds:
            for one in round_.tries:
                one.stepped = True
                if not one.sent and not one.is_over:
                    self._tries.end(one, Outcome.UNKNOWN, STEPPED)

    def _decide(self, one: Try, now_us: int, swamped: bool) -> None:
        """It is this ping's turn: send, wait on, or say that nobody answered."""
        round_ = one.lane.round
        if len(one.sent) < round_.attempts + one.unheard:
            self._ready.append(one)
        elif now_us < one.over_us:
            self._wheel.put(one, one.over_us, round_.grain)
        else:
            fault = one.fault or self._own_fault(one, now_us, swamped)
            if fault == OVERFLOWED and one.unheard <= round_.attempts:
                self._ready.append(one)
                return
            outcome = Outcome.UNKNOWN if fault else Outcome.MISSED
            self._tries.end(one, outcome, fault or said(one.trouble) or "no answer")

    def _own_fault(self, one: Try, now_us: int, swamped: bool) -> str:
        """Why we may have missed an answer, if so."""
        if one.stepped:
            return STEPPED
        if swamped:
            return SWAMPED
        sock = one.lane.sock
        one.count_unheard()
        if len(one.sent) - one.unheard < one.lane.round.attempts:
            return OVERFLOWED
        if sock is not None and sock.outlet.interface:
            fault = self._carrier.link_fault(sock.outlet.interface)
        else:
            fault = self._carrier.fault(one.ask.address)
        if fault or sock is None or sock.family == 4:
            return fault
        return "" if has_left(one) else self._outward.fault(one.sent[0], now_us, is_told=sock.raw)

    def _send_burst(self) -> None:
        """Send what is ready, no more at once than half of the replies that the receive buffer holds."""
        now_us = self._clock.monotonic_us()
        if now_us < self._next_burst_us:
            return
        self._next_burst_us = now_us + (BURST_EVERY_US if self._outlets.is_short else 0)
        apart_us = self._clock.now_us() - now_us
        ready, mono_us = self._ready, self._clock.monotonic_us
        for _ in range(self._burst):
            if not ready:
                break
            one = ready.popleft()
            if one.is_over:
                self._step_up(one)
            else:
                self._send(one, mono_us(), apart_us)

    def _send(self, one: Try, now_us: int, apart_us: int) -> None:
        """Send one packet, if it may leave, and put down when to look after it again."""
        lane, ask, sequence = one.lane, one.ask, len(one.sent) + 1
        round_ = lane.round
        if now_us - one.due_us - (sequence - 1) * round_.spacing_us > round_.late_after_us:
            self._step_up(one)
            self._tries.end(one, Outcome.UNKNOWN, HELD if one.is_held else LATE)
            return
        if sequence == 1 and now_us + apart_us < ask.at_us:  # the clocks run a little apart
            self._wheel.put(one, ask.at_us - apart_us)
            return
        if self._pace.has_limits and (held := self._pace.hold(one.address, now_us, ask.uplink)):
            self._hold_back(one, held)
            return
        self._step_up(one)
        number = ask.hops << 8 | sequence
        packet = lane.requests.packet(number, one.nonce)
        self._tries.expect(one, packet[4:KEY_END], now_us, apart_us)
        if round_.decoy:
            packet = lane.requests.packet(number, _nobodys(one.nonce))
        if lane.sock is None:
            one.fault = lane.fault
        else:
            try:
                to = (ask.address, 0) if "%" not in ask.address else scoped(ask.address)
                lane.sock.send(packet, to, ask.hops)
                if lane.sock.told_late:
                    self._forgive(lane.sock)
            except SendFault as error:
                one.fault = self._outward.refused(error, ask.address, now_us)
            except Unreachable as error:
                one.trouble = Trouble(packet[4:KEY_END], one.address, b"", str(error))
        if sequence >= round_.attempts:
            self._wheel.put(one, one.over_us, round_.grain)
            return
        next_us = one.due_us + sequence * round_.spacing_us
        if now_us + round_.spacing_us >= next_us + round_.grain * SLOT_US:  # held up
            next_us = now_us + round_.spacing_us
        self._wheel.put(one, next_us, round_.grain)

    def _hold_back(self, one: Try, held: Held) -> None:
        """A packet waits, behind the others of the limit that holds it."""
        one.is_held = True
        if one.held_by != held.by:
            self._step_up(one)
            if not self._queues.join(one, held.by):
                return
            one.held_by = held.by
        self._wheel.put(one, held.until_us)

    def _step_up(self, one: Try) -> None:
        """Whoever was the first of those who wait for a limit waits no more: the next one asks."""
        if one.held_by is None:
            return
        by, one.held_by = one.held_by, None
        if (following := self._queues.leave(by)) is not None:
            following.held_by = by
            self._ready.appendleft(following)

    def _forgive(self, sock: EchoSocket) -> None:
        """A packet left at the second call: the first only told of an earlier one, and was no discard."""
        if sock.family == 6 and not sock.raw:
            self._outward.forgive(sock.told_late)
        sock.told_late = 0

    def _read(self, sock: EchoSocket) -> bool:
        """Read as much as one turn of the loop may; whether there may be more."""
        over_us = self._clock.monotonic_us() + DRAIN_FOR // instant.MICROSECOND
        for found in [] if sock.raw else sock.errors():
            self._tries.take_trouble(sock.family, found)
        for _ in range(DRAIN_MAX // PIECE):
            try:
                count = sock.intake.fill(sock.sock)
            except OSError:
                continue  # an error that the kernel had noted for an earlier packet; the next call is clean
            self._tries.take(sock, count)
            if count < PIECE:
                sock.count_drops(self._clock.monotonic_us())
                return False
            if self._clock.monotonic_us() >= over_us:
                break
        return True

    async def _drain(self) -> bool:
        """Read what has come in before anybody is called silent; whether that was possible."""
        over = self._clock.monotonic() + CATCH_UP_FOR
        behind = self._outlets.in_use()
        while behind := [sock for sock in behind if self._read(sock)]:
            if self._clock.monotonic() >= over:
                return False
            await self._clock.sleep(timedelta(0))
        return True


def _nobodys(nonce: bytes) -> bytes:
    """Another nonce with the same mark, so that only the matching can tell it from the right one."""
    return nonce[:-1] + bytes([nonce[-1] ^ 1])


def _grain(batch: Batch) -> int:
    """How many slots of the wheel may be taken together for a batch."""
    patience = min(batch.manner.late_after, batch.manner.timeout)
    if not batch.asks or patience < timedelta(seconds=1):
        return 1
    span_us = max(batch.asks[-1].at_us - batch.asks[0].at_us, GRAIN_MAX * SLOT_US)
    return GRAIN_MAX if len(batch.asks) * 1_000_000 <= span_us * SPARSE_PER_S else 2

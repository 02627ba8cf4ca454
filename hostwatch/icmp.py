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
from bisect import bisect_left
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from datetime import timedelta
from typing import Final

from hostwatch import sieve
from hostwatch.carrier import Carrier
from hostwatch.clock import NAP_MAX_S, Clock, Timekeeper
from hostwatch.core import instant
from hostwatch.core.reading import Outcome
from hostwatch.departures import Departures, single_out
from hostwatch.echo import EchoSocket, Outlet, new_identifier
from hostwatch.intake import PIECE
from hostwatch.lanes import Lane, Round
from hostwatch.outlets import Outlets, outlets_of
from hostwatch.outward import Outward
from hostwatch.pace import Pace
from hostwatch.pinger import ADDRESS, AT_US, Ask, Batch, Look, Packet, Pinger
from hostwatch.tries import MANY_ANSWERS, Tries, Try, has_left, said
from hostwatch.volley import Salvo, Volley
from hostwatch.wheel import SLOT_US, Wheel

DRAIN_MAX: Final = 2_000
"""Packets taken from one socket in one turn of the loop."""

DRAIN_FOR: Final = timedelta(milliseconds=10)
"""How long packets are read in one turn of the loop."""

CATCH_UP_FOR: Final = timedelta(milliseconds=250)
"""How long, over many turns, what has come in is read before it is given up as too much."""

GRAINS: Final = (40, 20, 10, 5, 2)
"""Slots of the wheel that are taken together when nothing is urgent. Longer ones end where shorter do."""

FOR_FEW: Final = 10
"""The longest of them for a batch that is not large."""

MANY_ASKS: Final = 100
"""A smaller batch does without the longest grains: it is cheap anyway, and somebody may wait for it."""

TICK_PACKETS: Final = 170
"""First packets that may leave together for that. More would be a burst, and too much for small buffers."""

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
        self._wheel: Wheel[Try | Volley | Salvo] = Wheel()
        self._rounds: set[Round] = set()
        self._outlets = Outlets(self._mark, self._tries.is_open)
        self._outward = Outward()
        self._departures = Departures(clock, self._tries, self._wheel, self._outlets, self._outward)
        self._carrier = Carrier(clock)
        self._timekeeper = Timekeeper(clock)
        self._batches = 0
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
        round_ = self._begin(batch)
        try:
            while round_.left or round_.silent:
                await round_.news.wait()
                round_.news.clear()
                if self._turning.done():
                    self._turning.result()
                silent, round_.silent = round_.silent, []
                if silent:
                    yield tuple(silent)
                if len(round_.answered) >= MANY_ANSWERS:
                    answered, round_.answered = round_.answered, []
                    yield tuple(answered)
        finally:
            self._abandon(round_)
        if round_.answered:
            yield tuple(round_.answered)

    def keep_to(self, pace: Pace) -> None:
        self._departures.keep_to(pace)

    def _ended(self, _: asyncio.Task[None]) -> None:
        """Whoever waits for a look gets the error that ended the turning."""
        for round_ in self._rounds:
            round_.news.set()

    def _begin(self, batch: Batch) -> Round:
        """Give each ask of a batch its turn."""
        round_ = Round(batch.manner, new_identifier(self._mark), _grain(batch))
        lanes: dict[Outlet, list[Lane]] = {}
        for slot, asks in _by_slot(batch.asks, SLOT_US * round_.grain):
            for outlet, some in _by_outlet(asks, batch.manner.packet).items():
                if outlet not in lanes:
                    lanes[outlet] = self._lanes(round_, outlet, batch.manner.packet.payload_bytes)
                for place, lane in enumerate(lanes[outlet]):
                    lane.volley(slot).asks += some[(place - slot) % len(lanes[outlet]) :: len(lanes[outlet])]
        round_.lanes = [lane for some in lanes.values() for lane in some]
        apart_us = self._clock.now_us() - self._clock.monotonic_us()
        for lane in round_.lanes:
            for volley in lane.volleys:
                if volley.asks:
                    self._wheel.put(volley, volley.asks[-1].at_us - apart_us, round_.grain)
        round_.left = len(batch.asks)
        self._rounds.add(round_)
        self._work.set()
        return round_

    def _lanes(self, round_: Round, outlet: Outlet, payload_bytes: int) -> list[Lane]:
        """What of a round leaves by one way: a lane for each of its sockets."""
        found = []
        for twin in range(self._outlets.twins):
            sock = self._outlets.get(outlet._replace(twin=twin))
            if isinstance(sock, EchoSocket) and not self._tries.is_open(sock):
                sock.count_drops(self._clock.monotonic_us())
            if isinstance(sock, EchoSocket) and sock.family == 6 and not sock.raw:
                self._outward.count(self._clock.monotonic_us())
            found.append(Lane(round_, outlet.family, sock, payload_bytes))
            self._tries.open(found[-1])
        return found

    def _abandon(self, round_: Round) -> None:
        """Nobody waits for it any more."""
        self._rounds.discard(round_)
        for lane in round_.lanes:
            self._tries.close(lane)
        if round_.left:
            for one in round_.tries:
                self._tries.forget(one)
        round_.end()

    async def _run(self) -> None:
        """Turn the wheel for ever."""
        while True:
            await self._wait()
            now_us = self._clock.monotonic_us()  # before reading, so that whatever came until then is read
            swamped = not await self._drain()
            if self._timekeeper.check():
                self._step()
            self._take_turns(now_us, swamped)
            self._departures.send()

    def _take_turns(self, now_us: int, swamped: bool) -> None:
        """Whose turn it is sends, waits on, or is told of."""
        for turn in self._wheel.take(now_us):
            if isinstance(turn, Try) and turn.held_by is not None:
                self._departures.put(turn)
            elif isinstance(turn, Try):
                self._decide(turn, now_us, swamped)
            elif isinstance(turn, Volley):
                self._departures.put(turn)
            elif not turn.lane.round.is_over:
                for one in self._tries.unanswered(turn):
                    self._decide(one, now_us, swamped)

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
        moments = [] if (next_us := self._departures.next_us) is None else [next_us]
        if (next_us := self._wheel.next_us) is not None:
            moments.append(next_us)
        if not moments:
            return None
        if self._tries:
            grain_us = SLOT_US * self._reading_grain()
            moments.append((now_us // grain_us + 1) * grain_us)
        return min(min(moments) - now_us, int(NAP_MAX_S * 1_000_000))

    def _reading_grain(self) -> int:
        """How often what comes in is read, in slots: buffers are not to fill, nor is anybody to wait."""
        grain = min((round_.grain for round_ in self._rounds), default=GRAINS[0])
        if grain not in GRAINS:
            return grain
        if len(self._tries) > self._outlets.holds // 2:
            return GRAINS[-1]
        return max(grain, FOR_FEW)

    def _step(self) -> None:
        """The clock stepped, or the machine slept. Whoever was to be looked at later has no time any more."""
        for round_ in self._rounds:
            for lane in round_.lanes:
                for salvo in lane.salvos:
                    salvo.stepped = True
                for volley in lane.volleys:
                    single_out(volley, volley.take(volley.left), 0)
            for one in round_.tries:
                one.stepped = True
                if not one.sent and not one.is_over:
                    self._tries.end(one, Outcome.UNKNOWN, STEPPED)

    def _decide(self, one: Try, now_us: int, swamped: bool) -> None:
        """It is this ping's turn: send, wait on, or say that nobody answered."""
        if one.is_over:
            return
        round_ = one.lane.round
        if len(one.sent) < round_.attempts + one.unheard:
            self._departures.put(one)
        elif now_us < one.over_us:
            self._wheel.put(one, one.over_us, round_.grain)
        else:
            fault = one.fault or self._own_fault(one, now_us, swamped)
            if fault == OVERFLOWED and one.unheard <= round_.attempts:
                self._departures.put(one)
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


def _by_slot(asks: Sequence[Ask], slot_us: int) -> Iterator[tuple[int, Sequence[Ask]]]:
    """Asks in the order of time, by their slots of that length."""
    times, first = list(map(AT_US, asks)), 0
    while first < len(asks):
        slot = times[first] // slot_us
        end = bisect_left(times, (slot + 1) * slot_us, first)
        yield slot, asks[first:end]
        first = end


def _by_outlet(asks: Sequence[Ask], packet: Packet) -> Mapping[Outlet, Sequence[Ask]]:
    """Asks by what their packets leave by, nearly always the same for all."""
    outlets = outlets_of(packet, list(map(ADDRESS, asks)))
    if outlets.count(outlets[0]) == len(outlets):
        return {outlets[0]: asks}
    found: dict[Outlet, list[Ask]] = {}
    for outlet, ask in zip(outlets, asks, strict=True):
        found.setdefault(outlet, []).append(ask)
    return found


def _grain(batch: Batch) -> int:
    """How many slots of the wheel may be taken together for a batch."""
    patience = min(batch.manner.late_after, batch.manner.timeout)
    if not batch.asks or patience < timedelta(seconds=1):
        return 1

    def most(grain: int) -> int:
        return max(len(asks) for _, asks in _by_slot(batch.asks, grain * SLOT_US))

    least = most(GRAINS[-1])
    longest = GRAINS[0] if len(batch.asks) >= MANY_ASKS else FOR_FEW
    grains = [grain for grain in GRAINS if grain <= longest]
    return next(grain for grain in grains if most(grain) <= max(TICK_PACKETS, least))

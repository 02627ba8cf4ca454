"""What leaves: first packets in salvos, all others by themselves; in bursts, and within the limits.

In one burst no more leaves than half of the replies that the receive buffers hold. Where the machine grants
small ones, two bursts are some time apart, so that what a late loop owes is paid by and by.
"""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Sequence
from typing import Final

from hostwatch.clock import Clock
from hostwatch.core.reading import Outcome
from hostwatch.echo import EchoSocket, SendFault, Unreachable, scoped
from hostwatch.lanes import Lane, Round
from hostwatch.outlets import Outlets
from hostwatch.outward import Outward
from hostwatch.pace import HELD, Held, Limits, Pace, Queues
from hostwatch.packets import CHANCE_BYTES, KEY_END, NONCE_BYTES, Trouble, all_packed
from hostwatch.pinger import ADDRESS, HOPS, Ask
from hostwatch.tries import Tries, Try
from hostwatch.volley import Salvo, Volley
from hostwatch.wheel import SLOT_US, Wheel

BURST_MAX: Final = 512
"""Packets sent in one turn of the loop: some 2 ms."""

BURST_EVERY_US: Final = 10_000
"""The time between two bursts when the receive buffer is small."""

TOGETHER_MIN: Final = 256
"""So many packets wait that it is worth more to send them together than to know to 10 µs when each left."""

LATE: Final = "looked too late"


class Departures:
    """Whose packet is to leave as soon as may be."""

    def __init__(
        self,
        clock: Clock,
        tries: Tries,
        wheel: Wheel[Try | Volley | Salvo],
        outlets: Outlets,
        outward: Outward,
    ) -> None:
        self._clock = clock
        self._tries = tries
        self._wheel = wheel
        self._outward = outward
        self._is_short = outlets.is_short
        self._burst = max(min(outlets.holds // 2, BURST_MAX), 1)
        self._ready: deque[Try | Volley] = deque()
        self._free_us = 0
        """When the next burst may leave."""

        self._pace = Pace(Limits())
        self._queues: Queues[Try] = Queues()

    @property
    def next_us(self) -> int | None:
        """When the next burst leaves, if anything is ready."""
        return self._free_us if self._ready else None

    def keep_to(self, pace: Pace) -> None:
        """Keep to these limits from now on."""
        self._pace = pace

    def put(self, one: Try | Volley) -> None:
        """The next packet is to leave."""
        self._ready.append(one)

    def send(self) -> None:
        """Send what is ready, no more at once than half of the replies that the receive buffer holds."""
        now_us = self._clock.monotonic_us()
        if now_us < self._free_us:
            return
        self._free_us = now_us + (BURST_EVERY_US if self._is_short else 0)
        apart_us = self._clock.now_us() - now_us
        ready, mono_us, room = self._ready, self._clock.monotonic_us, self._burst
        while ready and room > 0:
            one = ready.popleft()
            if isinstance(one, Volley):
                room -= self._fly(one, room, apart_us)
                continue
            room -= 1
            if one.is_over:
                self._step_up(one)
            else:
                self._send_one(one, mono_us(), apart_us)

    def _fly(self, volley: Volley, room: int, apart_us: int) -> int:
        """Send the first packets of a volley as far as there is room; how many left.

        Those that are not as most are, or do not leave, are put before what is ready, each by itself.
        """
        lane, clock_us = volley.lane, self._clock.monotonic_us
        asks = [] if lane.round.is_over else volley.take(room)
        if not asks:
            return 0
        if volley.left:
            self._ready.appendleft(volley)
        sock, now_us = lane.sock, clock_us()
        is_in_time = asks[0].at_us + lane.round.late_after_us >= now_us + apart_us >= asks[-1].at_us
        if sock is None or not is_in_time or not _are_plain(lane, asks):
            self._ready.extendleft(reversed(single_out(volley, asks, apart_us)))
            return 0
        spelt = list(map(ADDRESS, asks))
        addresses = all_packed(lane.family, spelt)
        if self._pace.has_limits and not self._may_all_leave(asks, addresses, now_us):
            asks = self._let_go(volley, asks, addresses, now_us, apart_us)
            spelt = list(map(ADDRESS, asks))
            addresses = all_packed(lane.family, spelt)
        if not asks:
            return 0
        keys, packets = lane.requests.first_ones(sock.mark, os.urandom(CHANCE_BYTES * len(asks)))
        if sock.raw and len(asks) >= TOGETHER_MIN:
            left = sock.send_together(packets, addresses, clock_us)
        else:
            left = sock.send_apart(packets, spelt, clock_us)
            if sock.told_late:
                self._forgive(sock)
        if len(left) < len(asks):
            self._ready.extendleft(reversed(single_out(volley, asks[len(left) :], apart_us)))
        if left:
            many = len(left)
            self._put_salvo(Salvo(lane, asks[:many], addresses[:many], keys[:many], left, apart_us))
        return len(left)

    def _may_all_leave(self, asks: list[Ask], addresses: Sequence[bytes], now_us: int) -> bool:
        """Whether nobody of them is to be held back, as nearly always."""
        return self._pace.let_go(addresses, [ask.uplink for ask in asks], now_us)

    def _let_go(
        self, volley: Volley, asks: list[Ask], addresses: Sequence[bytes], now_us: int, apart_us: int
    ) -> list[Ask]:
        """Those of them that may leave now. The others wait, each by itself."""
        free: list[Ask] = []
        for ask, address in zip(asks, addresses, strict=True):
            if held := self._pace.hold(address, now_us, ask.uplink):
                self._hold_back(single_out(volley, [ask], apart_us)[0], held)
            else:
                free.append(ask)
        return free

    def _put_salvo(self, salvo: Salvo) -> None:
        """Packets have left: put down when to look after them again."""
        self._tries.expect_all(salvo)
        round_, left_us = salvo.lane.round, salvo.left[-1]
        if round_.attempts == 1:
            next_us = left_us + round_.timeout_us
        else:
            next_us = _next_us(round_, salvo.asks[-1].at_us - salvo.apart_us, 1, left_us)
        self._wheel.put(salvo, next_us, round_.grain)

    def _send_one(self, one: Try, now_us: int, apart_us: int) -> None:
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
        else:
            self._wheel.put(one, _next_us(round_, one.due_us, sequence, now_us), round_.grain)

    def _forgive(self, sock: EchoSocket) -> None:
        """A packet left at the second call: the first only told of an earlier one, and was no discard."""
        if sock.family == 6 and not sock.raw:
            self._outward.forgive(sock.told_late)
        sock.told_late = 0

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


def single_out(volley: Volley, asks: list[Ask], apart_us: int) -> list[Try]:
    """Have asks of a volley on their way, each by itself."""
    lane = volley.lane
    mark = b"" if lane.sock is None else lane.sock.mark
    size = NONCE_BYTES - len(mark)
    found = [Try(ask, lane, mark + os.urandom(size), ask.at_us - apart_us) for ask in asks]
    lane.round.tries += found
    return found


def _next_us(round_: Round, due_us: int, sent: int, left_us: int) -> int:
    """When the next packet is to leave, of a ping of which so many have left, the last at `left_us`."""
    next_us = due_us + sent * round_.spacing_us
    if left_us + round_.spacing_us >= next_us + round_.grain * SLOT_US:  # held up
        next_us = left_us + round_.spacing_us
    return next_us


def _are_plain(lane: Lane, asks: list[Ask]) -> bool:
    """Whether all that is to be known of how to ask is the address."""
    if lane.round.decoy or any(map(HOPS, asks)):
        return False
    return lane.family == 4 or not any("%" in ask.address for ask in asks)


def _nobodys(nonce: bytes) -> bytes:
    """Another nonce with the same mark, so that only the matching can tell it from the right one."""
    return nonce[:-1] + bytes([nonce[-1] ^ 1])

"""The scripted world and its network: what is up when, and a pinger that lives in it.

Everything is a function of true time, so the truth is known before a daemon looks at it.
"""

from __future__ import annotations

import zlib
from bisect import bisect_right
from collections.abc import AsyncIterator, Callable, Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from heapq import heapify, heappop, heappush

from hostwatch import canary
from hostwatch.core import instant, source
from hostwatch.core.reading import Outcome
from hostwatch.core.service import METHOD
from hostwatch.pinger import Ask, Batch, Look, Manner, Pinger
from tests.simulation.clocks import SimClock

GATEWAY = "192.0.2.1"
BEACONS = ("198.51.100.7", "203.0.113.9", "203.0.113.77")
OWN = frozenset({GATEWAY, *BEACONS, *canary.LOOPBACK.values()})
"""What is looked at for our own sight, and is no device."""

RTT_US = 800


class Times:
    """Disjoint half-open spans of true time, in microseconds."""

    def __init__(self, spans: Iterable[tuple[int, int]] = ()) -> None:
        self.spans: list[tuple[int, int]] = []
        for start, end in sorted(spans):
            if self.spans and start <= self.spans[-1][1]:
                self.spans[-1] = (self.spans[-1][0], max(end, self.spans[-1][1]))
            elif start < end:
                self.spans.append((start, end))
        self._starts = [start for start, _ in self.spans]

    def hold(self, when: int) -> bool:
        """Whether a moment lies in one of the spans."""
        place = bisect_right(self._starts, when) - 1
        return place >= 0 and when < self.spans[place][1]

    def end(self, when: int) -> int:
        """The end of the span that holds a moment."""
        return self.spans[bisect_right(self._starts, when) - 1][1]


@dataclass(kw_only=True)
class Truth:
    """What happens to the network."""

    down: dict[str, Times] = field(default_factory=dict)
    """When each address does not answer."""

    failing: dict[str, Times] = field(default_factory=dict)
    """When each service does not do what it should although its device lives, by signal."""

    mute: dict[str, Times] = field(default_factory=dict)
    """When each address answers no pings although it lives."""

    cut: Times = field(default_factory=Times)
    """When nothing gets beyond our own cable: the gateway is silent too."""

    no_route: Times = field(default_factory=Times)
    """When the kernel refuses to send at all: our fault, and known as such at once."""

    deaf: Times = field(default_factory=Times)
    """When our own sockets hear nothing, not even our own loopback."""

    forged: Times = field(default_factory=Times)
    """When somebody answers everything that is asked, decoys too."""

    full: Times = field(default_factory=Times)
    """When the disk under the store is full."""

    says: Callable[[str, int], str | None] = lambda name, at: ""
    """What each source of power says; None while it does not answer."""

    loss_permille: int = 0
    """How many of a thousand packets are lost on the way."""

    def is_down(self, address: str, at: int) -> bool:
        """Whether a device is dead."""
        spans = self.down.get(address)
        return spans is not None and spans.hold(at)

    def is_wrong(self, ask: Ask, at: int) -> bool:
        """Whether what is asked for does not answer, of itself or with its device."""
        name = source.named(ask.signal)
        if name is not None:
            return self.says(name, at) is None
        service = ask.method == METHOD
        own = self.failing.get(ask.signal) if service else self.mute.get(ask.address)
        return self.is_down(ask.address, at) or (own is not None and own.hold(at))

    def silent(self, address: str) -> Times | None:
        """When an address answers no pings, dead or not."""
        found = [times.spans for times in (self.down.get(address), self.mute.get(address)) if times]
        return Times(span for spans in found for span in spans) if found else None

    def is_lost(self, address: str, at: int) -> bool:
        """Whether a packet gets lost without anybody being down."""
        return self.loss_permille > 0 and zlib.crc32(f"{address} {at}".encode()) % 1000 < self.loss_permille


@dataclass(slots=True, kw_only=True)
class Seen:
    """A look as the world knows it, beside what the pinger said of it."""

    ask: Ask
    look: Look
    true_us: int
    """When the first packet left."""

    known_us: int
    excused: bool
    """Whether some packet was lost although neither the device was dead nor our own cable cut."""

    dead: bool
    """Whether the device was dead at any of the packets."""

    at: datetime
    """`at_us` of the look."""

    known_at: datetime
    """`known_us` of the look."""

    proven: bool = False
    """Whether a committed decision has said what came of it; for the checkers."""


@dataclass(slots=True)
class _Try:
    ask: Ask
    at: datetime
    place: int
    begun: bool = False
    sent: int = 0
    first_at: datetime | None = None
    first_us: int = 0
    fault: str = ""
    excused: bool = False
    dead: bool = False
    said: str = ""


class SimPinger(Pinger):
    """Pings in the scripted world, to the rules of the pinger that has sockets."""

    def __init__(self, clock: SimClock, truth: Truth, saw: Callable[[Seen], None]) -> None:
        """`saw` is told of each look at a device, not at those who show that we see."""
        self._clock = clock
        self._truth = truth
        self._saw = saw
        self.asked: set[str] = set()
        self.overlapping: list[tuple[str, int]] = []
        """Signals that were asked while a look at them was under way, and when."""

    async def close(self) -> None:
        """There is nothing to close."""

    async def probe(self, batch: Batch) -> AsyncIterator[tuple[Look, ...]]:
        tries = [_Try(ask, instant.from_micros(ask.at_us), place) for place, ask in enumerate(batch.asks)]
        agenda = [(one.at, one.place) for one in tries]
        heapify(agenda)
        answered: list[Look] = []
        while agenda:
            await self._clock.sleep_until(agenda[0][0])
            silent: list[Look] = []
            now = self._clock.now()
            if now < agenda[0][0]:
                agenda = self._set_back(agenda, tries, now)
            while agenda and agenda[0][0] <= now:
                one = tries[heappop(agenda)[1]]
                look = self._turn(one, batch.manner, now, agenda)
                if look is not None:
                    (answered if look.outcome is Outcome.ANSWERED else silent).append(look)
            if silent:
                yield tuple(silent)
        if answered:
            yield tuple(answered)

    def _set_back(
        self, agenda: list[tuple[datetime, int]], tries: list[_Try], now: datetime
    ) -> list[tuple[datetime, int]]:
        """The clock was set back: what is left of the batch is over now, and our own fault."""
        for one in (tries[place] for _, place in agenda):
            one.fault = "clock set back"
            one.first_at = min(one.first_at or now, now)
        return [(now, place) for _, place in agenda]

    def _turn(
        self, one: _Try, manner: Manner, now: datetime, agenda: list[tuple[datetime, int]]
    ) -> Look | None:
        if not one.begun:
            one.begun = True
            self._begin(one)
            if not one.fault and now - one.at > manner.late_after:
                one.fault = "looked too late"
                return self._look(one, Outcome.UNKNOWN, now)
        if one.fault or one.sent == manner.attempts:
            return self._look(one, Outcome.UNKNOWN if one.fault else Outcome.MISSED, now)
        if self._send(one, now, manner):
            return self._look(one, Outcome.ANSWERED, now)
        wait = manner.timeout if one.sent == manner.attempts else manner.spacing
        heappush(agenda, (now + max(wait, timedelta(microseconds=1)), one.place))
        return None

    def _begin(self, one: _Try) -> None:
        one.first_us = self._clock.true_us()
        if one.ask.address in OWN:
            return
        if one.ask.signal in self.asked:
            self.overlapping.append((one.ask.signal, one.first_us))
        self.asked.add(one.ask.signal)

    def _send(self, one: _Try, now: datetime, manner: Manner) -> bool:
        """Send a packet; whether it is answered."""
        at, truth, address = self._clock.true_us(), self._truth, one.ask.address
        one.first_at = one.first_at or now
        one.sent += 1
        if truth.forged.hold(at) or truth.deaf.hold(at):
            return truth.forged.hold(at)
        if address in canary.LOOPBACK.values():
            return not manner.decoy
        if truth.no_route.hold(at):
            one.fault = "no route here"
            return False
        dead, lost = truth.is_wrong(one.ask, at), truth.is_lost(address, at)
        one.dead |= dead
        one.excused |= lost
        name = source.named(one.ask.signal)
        one.said = "" if name is None else truth.says(name, at) or ""
        return not (dead or lost or truth.cut.hold(at))

    def _look(self, one: _Try, outcome: Outcome, now: datetime) -> Look:
        answered = outcome is Outcome.ANSWERED
        at = one.first_at or one.at
        look = Look(
            signal=one.ask.signal,
            address=one.ask.address,
            at_us=instant.micros(at),
            known_us=instant.micros(now),
            outcome=outcome,
            why="" if answered else one.fault or "no answer",
            rtt_us=RTT_US if answered else None,
            lost=one.sent - answered if outcome is not Outcome.UNKNOWN else 0,
            said=one.said if answered else "",
        )
        if one.ask.address not in OWN:
            self.asked.discard(one.ask.signal)
            known = self._clock.true_us()
            self._saw(
                Seen(
                    ask=one.ask,
                    look=look,
                    true_us=one.first_us,
                    known_us=known,
                    excused=one.excused,
                    dead=one.dead,
                    at=at,
                    known_at=now,
                )
            )
        return look

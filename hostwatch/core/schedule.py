"""Who is due when: a function of the schedule's version and the number of the slice.

Slice `n` is the time `[n · length, (n + 1) · length)` since 1970. A target is due once an interval
at its own phase, which is a hash of its name, so that restarts and other targets never move it.
No target is due twice in one slice.
"""

from __future__ import annotations

import hashlib
from bisect import bisect_left
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from hostwatch.core import canonical, instant

SLICE_MAX = timedelta(seconds=5)
TICK_MAX_US = 100_000
TICKS_MIN = 300

ICMP = "icmp"
"""How whatever says nothing else is looked at."""


@dataclass(frozen=True, slots=True, kw_only=True, order=True)
class Target:
    """One signal's place in the schedule."""

    signal: str
    address: str
    interval: timedelta
    phased_by: str = ""
    """Whose phase it has, if not its own: targets that are to be looked at together."""
    method: str = ICMP
    """How it is looked at: a line of the room `reach`."""

    @property
    def interval_us(self) -> int:
        """The interval in microseconds."""
        return self.interval // instant.MICROSECOND

    @property
    def phase_us(self) -> int:
        """The target's own offset in its interval: a whole number of ticks, from a hash of its name."""
        tick = tick_us(self.interval_us)
        hashed = int.from_bytes(hashlib.sha256((self.phased_by or self.signal).encode()).digest()[:8])
        return hashed % (self.interval_us // tick) * tick


def tick_us(interval_us: int) -> int:
    """The grain of phases: a three-hundredth of the interval, 1 µs to 100 ms."""
    return max(1, min(TICK_MAX_US, interval_us // TICKS_MIN))


@dataclass(frozen=True, slots=True, kw_only=True, order=True)
class Due:
    """A target and the instant, in microseconds since 1970, at which it is to be looked at."""

    at_us: int
    target: Target

    @property
    def at(self) -> datetime:
        """The instant."""
        return instant.from_micros(self.at_us)


class Schedule:
    """One version of the schedule. Immutable; look-ups cost the logarithm of its size."""

    def __init__(self, version: int, targets: Iterable[Target]) -> None:
        self.version = version
        self.targets = tuple(sorted(targets))
        self.slice_us = self._slice_us()
        self._rings = self._by_interval()

    def _slice_us(self) -> int:
        intervals = [target.interval_us for target in self.targets]
        return min([SLICE_MAX // instant.MICROSECOND, *intervals])

    def _by_interval(self) -> dict[int, tuple[list[int], list[Target]]]:
        rings: dict[int, list[tuple[int, Target]]] = {}
        for target in self.targets:
            rings.setdefault(target.interval_us, []).append((target.phase_us, target))
        return {
            interval: ([phase for phase, _ in ring], [target for _, target in ring])
            for interval, ring in ((key, sorted(value)) for key, value in rings.items())
        }

    @property
    def digest(self) -> str:
        """What tells this version from others: a hash over all that decides who is due."""
        return canonical.digest({"slice_us": self.slice_us, "targets": self.targets})

    def slice_at(self, when: datetime) -> int:
        """The number of the slice that holds an instant."""
        return instant.micros(when) // self.slice_us

    def begin(self, number: int) -> datetime:
        """The first instant of a slice."""
        return instant.from_micros(number * self.slice_us)

    def due(self, number: int) -> tuple[Due, ...]:
        """Who is due in a slice, in the order of time."""
        start = number * self.slice_us
        return tuple(sorted(self._between(start, start + self.slice_us)))

    def _between(self, start: int, end: int) -> Iterator[Due]:
        for interval, (phases, targets) in self._rings.items():
            lap = start - start % interval
            while lap < end:
                low = bisect_left(phases, start - lap)
                high = bisect_left(phases, end - lap)
                for index in range(low, high):
                    yield Due(at_us=lap + phases[index], target=targets[index])
                lap += interval

    def last_due(self, target: Target, when: datetime) -> datetime:
        """The latest instant, not after `when`, at which the target was due."""
        now = instant.micros(when)
        return instant.from_micros(now - (now - target.phase_us) % target.interval_us)

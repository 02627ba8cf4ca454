"""Who is due when: a function of the schedule's version and the number of the slice.

Slice `n` is the time `[n · length, (n + 1) · length)` since 1970. A target is due once an interval
at its own phase, which is a hash of its name, so that restarts and other targets never move it.
No target is due twice in one slice.

A schedule is made for a million targets: it holds columns, not an object for each, and a new version
shares with the old all that did not change.
"""

from __future__ import annotations

import hashlib
from array import array
from bisect import bisect_left
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cached_property, lru_cache, partial
from heapq import merge
from typing import Final, NamedTuple

from hostwatch.core import instant

SLICE_MAX = timedelta(seconds=5)
TICK_MAX_US = 100_000
TICKS_MIN = 300
SLOTS = 300
"""Parts that an interval is divided into; a change of one target makes its part anew."""

ICMP = "icmp"
"""How whatever says nothing else is looked at."""


@dataclass(frozen=True, slots=True, kw_only=True, order=True)
class Target:
    """One signal's place in the schedule."""

    signal: str
    address: str
    interval: timedelta
    method: str = ICMP
    """How it is looked at: a line of the room `reach`."""

    phased_by: str = ""
    """Whose phase it has, if not its own: targets that are to be looked at together."""

    @property
    def interval_us(self) -> int:
        """The interval in microseconds."""
        return self.interval // instant.MICROSECOND

    @property
    def manner(self) -> tuple[str, str]:
        """How, and by whose phase."""
        return self.method, self.phased_by

    @property
    def phase_us(self) -> int:
        """The target's own offset in its interval: a whole number of ticks, from a hash of its name."""
        if self.phased_by:
            return _phase_together_us(self.phased_by, self.interval_us)
        return _phase_us(self.signal, self.interval_us)

    def round_began(self, at: datetime) -> datetime:
        """From when on looks belong to the same round as one at `at`: its scheduled instant, less a tick.

        A packet leaves at its instant or after it; the tick allows for the grain of two clocks.
        """
        slack = tick_us(self.interval_us)
        at_us = instant.micros(at) + slack
        return instant.from_micros(at_us - (at_us - self.phase_us) % self.interval_us - slack)


def _phase_us(name: str, interval_us: int) -> int:
    tick = tick_us(interval_us)
    hashed = int.from_bytes(hashlib.sha256(name.encode()).digest()[:8])
    return hashed % (interval_us // tick) * tick


_phase_together_us = lru_cache(maxsize=64)(_phase_us)
"""That of targets that are looked at together: it is asked for whenever one of them was looked at."""


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


class Turn(NamedTuple):
    """The same as `Due`, for those who have thousands: only what is needed to look."""

    at_us: int
    signal: str
    address: str
    interval_us: int
    method: str
    phased_by: str = ""

    @property
    def interval(self) -> timedelta:
        """The target's interval."""
        return self.interval_us * instant.MICROSECOND

    @property
    def target(self) -> Target:
        """The whole target."""
        return Target(
            signal=self.signal,
            address=self.address,
            interval=self.interval,
            method=self.method,
            phased_by=self.phased_by,
        )


_turn: Final = partial(tuple.__new__, Turn)
"""A turn of all its fields, made without a call of Python's."""


class _Place(NamedTuple):
    """A target in its slot, in the order in which targets are due."""

    phase_us: int
    signal: str
    address: str
    manner: tuple[str, str]


class _Coming:
    """Those who come into one slot: columns, since there may be a million on the way at once."""

    __slots__ = ("addresses", "manners", "phases", "signals")

    def __init__(self) -> None:
        self.phases = array("q")
        self.signals: list[str] = []
        self.addresses: list[str] = []
        self.manners: list[tuple[str, str]] = []

    def add(self, phase_us: int, target: Target) -> None:
        self.phases.append(phase_us)
        self.signals.append(target.signal)
        self.addresses.append(target.address)
        self.manners.append(_MANNERS.setdefault(target.manner, target.manner))

    def __iter__(self) -> Iterator[_Place]:
        return map(_Place, self.phases, self.signals, self.addresses, self.manners)


class _Slot:
    """Those whose phases lie in one part of an interval, as columns in the order of time."""

    def __init__(self, places: Iterable[_Place]) -> None:
        columns = list(zip(*sorted(places), strict=True)) or [(), (), (), ()]
        self.phases = array("q", columns[0])
        self.signals: tuple[str, ...] = columns[1]
        self.addresses: tuple[str, ...] = columns[2]
        self.manners: tuple[tuple[str, str], ...] = columns[3]

    def __iter__(self) -> Iterator[_Place]:
        return map(_Place, self.phases, self.signals, self.addresses, self.manners)

    @cached_property
    def digest(self) -> bytes:
        lines = (f"{place.signal}\0{place.address}\0{place.manner[0]}\0{place.manner[1]}\n" for place in self)
        return hashlib.sha256("".join(lines).encode()).digest()

    def without(self, gone: set[str], come: Iterable[_Place]) -> _Slot:
        return _Slot([*(place for place in self if place.signal not in gone), *come])


_EMPTY = _Slot(())


class _Ring:
    """All targets of one interval."""

    def __init__(self, interval_us: int, slots: tuple[_Slot, ...] | None = None) -> None:
        self.interval_us = interval_us
        self.width_us = -(-interval_us // SLOTS)
        self.slots = slots or (_EMPTY,) * -(-interval_us // self.width_us)

    @property
    def count(self) -> int:
        return sum(len(slot.signals) for slot in self.slots)

    @property
    def digest(self) -> bytes:
        return hashlib.sha256(b"".join(slot.digest for slot in self.slots)).digest()

    def turns(self, start: int, end: int) -> Iterator[Turn]:
        """Whoever is due in `[start, end)`, in the order of time."""
        lap = start - start % self.interval_us
        while lap < end:
            yield from self._lap(lap, max(start - lap, 0), min(end - lap, self.interval_us))
            lap += self.interval_us

    def _lap(self, lap: int, low: int, high: int) -> Iterator[Turn]:
        for number in range(low // self.width_us, -(-high // self.width_us)):
            slot = self.slots[number]
            first, last = bisect_left(slot.phases, low), bisect_left(slot.phases, high)
            at_us = lap - 1
            for index in range(first, last):
                if slot.phases[index] != at_us - lap:
                    at_us = lap + slot.phases[index]  # one number for all of a tick: who rests keeps it
                method, phased_by = slot.manners[index]
                yield _turn(
                    (at_us, slot.signals[index], slot.addresses[index], self.interval_us, method, phased_by)
                )

    def last_turns(self, now: int) -> Iterator[Turn]:
        """Everybody, each with the last instant, not after `now`, at which it was due."""
        for slot in self.slots:
            for place in slot:
                last = now - (now - place.phase_us) % self.interval_us
                yield Turn(last, place.signal, place.address, self.interval_us, *place.manner)


_MANNERS: dict[tuple[str, str], tuple[str, str]] = {}


class _Change:
    """What becomes otherwise in one ring, gathered target by target."""

    def __init__(self, ring: _Ring) -> None:
        self._ring = ring
        self._gone: dict[int, set[str]] = defaultdict(set)
        self._come: dict[int, _Coming] = defaultdict(_Coming)

    def remove(self, target: Target) -> None:
        self._gone[target.phase_us // self._ring.width_us].add(target.signal)

    def add(self, target: Target) -> None:
        phase_us = target.phase_us
        self._come[phase_us // self._ring.width_us].add(phase_us, target)

    def made(self) -> _Ring:
        slots = list(self._ring.slots)
        for number in self._gone.keys() | self._come.keys():
            slots[number] = slots[number].without(self._gone[number], self._come.pop(number, ()))
        return _Ring(self._ring.interval_us, tuple(slots))


class Schedule:
    """One version of the schedule. Immutable."""

    def __init__(self, version: int, targets: Iterable[Target]) -> None:
        self.version = version
        self._rings = _changed({}, (), targets)

    def with_changes(self, version: int, removed: Iterable[Target], added: Iterable[Target]) -> Schedule:
        """The next version: without some targets, as they stand in this one, and with others.

        Costs as much as there are changes, and may be made beside the loop.
        """
        changed = Schedule(version, ())
        changed._rings = _changed(self._rings, removed, added)
        return changed

    def __len__(self) -> int:
        return sum(ring.count for ring in self._rings.values())

    @cached_property
    def slice_us(self) -> int:
        """The length of a slice in microseconds: the shortest interval, at most `SLICE_MAX`."""
        return min([SLICE_MAX // instant.MICROSECOND, *self._rings])

    @property
    def intervals_us(self) -> tuple[int, ...]:
        """The intervals that its targets have, in microseconds."""
        return tuple(self._rings)

    @property
    def targets(self) -> tuple[Target, ...]:
        """All targets, by name. Made when asked for."""
        return tuple(sorted(turn.target for ring in self._rings.values() for turn in ring.last_turns(0)))

    @cached_property
    def digest(self) -> str:
        """What tells this version from others: a hash over all that decides who is due (docs/audit.md)."""
        text = [f"{self.slice_us}\n"]
        text += [f"{interval} {ring.digest.hex()}\n" for interval, ring in sorted(self._rings.items())]
        return hashlib.sha256("".join(text).encode()).hexdigest()

    def slice_at(self, when: datetime) -> int:
        """The number of the slice that holds an instant."""
        return instant.micros(when) // self.slice_us

    def begin(self, number: int) -> datetime:
        """The first instant of a slice."""
        return instant.from_micros(number * self.slice_us)

    def turns(self, number: int) -> list[Turn]:
        """Who is due in a slice, in the order of time."""
        start = number * self.slice_us
        return self.between(start, start + self.slice_us)

    def between(self, start_us: int, end_us: int) -> list[Turn]:
        """Who is due in a span of time, in the order of time."""
        found = [ring.turns(start_us, end_us) for ring in self._rings.values()]
        return list(found[0] if len(found) == 1 else merge(*found))

    def due(self, number: int) -> tuple[Due, ...]:
        """The same with whole targets."""
        return tuple(Due(at_us=turn.at_us, target=turn.target) for turn in self.turns(number))

    def last_due(self, target: Target, when: datetime) -> datetime:
        """The latest instant, not after `when`, at which the target was due."""
        now = instant.micros(when)
        return instant.from_micros(now - (now - target.phase_us) % target.interval_us)

    def last_turns(self, when: datetime) -> Iterator[Turn]:
        """All targets, each with the latest instant, not after `when`, at which it was due."""
        now = instant.micros(when)
        for ring in self._rings.values():
            yield from ring.last_turns(now)


def _changed(rings: dict[int, _Ring], removed: Iterable[Target], added: Iterable[Target]) -> dict[int, _Ring]:
    changes: dict[int, _Change] = {}

    def change(target: Target) -> _Change:
        interval_us = target.interval_us
        if interval_us not in changes:
            changes[interval_us] = _Change(rings.get(interval_us) or _Ring(interval_us))
        return changes[interval_us]

    for target in removed:
        change(target).remove(target)
    for target in added:
        change(target).add(target)
    changed = dict(rings)
    for interval_us, one in changes.items():
        changed[interval_us] = one.made()
        if not changed[interval_us].count:
            del changed[interval_us]
    return changed

"""Many readings at once: which signals they change, and of which nothing need be said.

Of thousands that answer each second nearly all were well before. For those it is only noted when they
were due; whoever was silent, unknown, not proven or looked at late is observed by the rules of `core.signal`.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence
from datetime import datetime
from functools import lru_cache
from itertools import chain

from hostwatch.core import facts, hearing, instant, signal, uplink, uplinkgroup
from hostwatch.core.reading import Answer, Kind, Outcome, Reading
from hostwatch.core.service import device_in, is_service
from hostwatch.core.signal import Signal
from hostwatch.core.signals import at_rest, may_rest
from hostwatch.core.source import Source
from hostwatch.core.terms import tolerance
from hostwatch.core.world import Heard, World

SUPPLIES_AT_ONCE = 100
"""Supplies that are read without a pause."""

Pace = tuple[int, int]
"""How long an answer speaks, and how late it may be: microseconds."""


class Observing:
    """One deed's readings: what they change so far, and the facts that follow."""

    def __init__(self, world: World) -> None:
        self._world = world
        self.changed: dict[str, Signal] = {}
        self.facts: list[facts.Fact] = []
        self.settled: list[str] = []
        """Who came to rest, and was not at rest before."""

        self.again: list[tuple[str, datetime]] = []
        """Who is down already and missed once more by the schedule, and when that was known."""

        self.heard: dict[str, Heard] = {}
        """What sources say from now on, if that is other words than before."""

        self.still_down: list[Reading] = []
        """Misses of follow-up looks at services on which there is a verdict."""

        self._spoken: dict[str, Reading] = {}
        """The last reading of each source that was asked, in the order in which they came."""

        self._rested: dict[str, int] = {}
        """Who is at rest by what was observed so far, and since when."""

    @property
    def resting(self) -> Sequence[tuple[str, int]]:
        """Who is at rest by what was observed, and since when, in microseconds."""
        return tuple(self._rested.items())

    @property
    def looked(self) -> Iterable[str]:
        """All signals of which something was observed."""
        return chain(self.changed, self._rested)

    @property
    def spoke(self) -> dict[str, Heard]:
        """What the sources say that answered in this deed, be it the same as before."""
        said = (
            (name, self.said(name)) for name, one in self._spoken.items() if one.outcome is Outcome.ANSWERED
        )
        return {name: heard for name, heard in said if heard is not None}

    def __len__(self) -> int:
        """Of how many signals, at least, something was observed."""
        return max(len(self.changed), len(self._rested))

    def is_looked_at(self, signal: str) -> bool:
        """Whether something was observed of a signal."""
        return signal in self.changed or signal in self._rested

    def touched(self, devices: Collection[str]) -> set[str]:
        """Those of some devices of which, or of whose services, something was observed."""
        return {name for signal in self.looked if (name := device_in(signal)) in devices}

    def take(self, reading: Reading) -> None:
        """Observe one reading; of a signal that is not watched, nothing."""
        known, terms = self.known(reading.signal), self._world.terms_of(reading.signal)
        if known is None or terms is None:
            return
        mine = self._world.population.source_of(reading.signal)
        if mine is not None:
            reading = hearing.believed(reading, mine)
        after, happened = signal.observe(known, reading, terms)
        if after is not known:
            self.changed[reading.signal] = after
            self._rested.pop(reading.signal, None)
            if known.verdict is not None and after.misses > known.misses:
                self.again.append((after.name, reading.known_at))
            elif known.verdict is not None and _shows_it_is_down(reading):
                self.still_down.append(reading)
        self.facts.extend(happened)
        if uplink.is_reference(reading.signal):
            self._follow(reading)
        elif mine is not None:
            self._hear(mine, known, reading)

    def known(self, name: str) -> Signal | None:
        """A signal as it is by what was observed so far."""
        rested = self._rested.get(name)
        if rested is not None:
            return at_rest(name, rested, self._world.signals.speaking(name))
        return self.changed.get(name) or self._world.signals.get(name)

    def _follow(self, reading: Reading) -> None:
        """What the reading of a reference makes of its uplink (J7)."""
        people = self._world.population
        mine = people.uplink_of(reading.signal)
        found = None if mine is None else uplink.follow(mine, people.vantage, self.known, reading)
        if mine is None or found is None:
            return
        self._derived(found, reading.known_at)
        for group in uplinkgroup.joining(people.uplinks.values(), mine.id):
            of_group = uplinkgroup.follow(group, people.vantage, self.known, found[0], reading)
            if of_group is not None:
                self._derived(of_group, reading.known_at)

    def _derived(self, found: signal.Observed, known_at: datetime) -> None:
        """A signal that follows from others."""
        own, happened = found
        before = self.known(own.name)
        if before is not None and before.verdict is not None and own.misses > before.misses:
            self.again.append((own.name, known_at))
        self.changed[own.name] = own
        self.facts.extend(happened)

    def _hear(self, mine: Source, known: Signal, reading: Reading) -> None:
        """What a source says. What that makes of supplies is concluded from all who spoke."""
        last = known.last_reading
        if reading.outcome is Outcome.ANSWERED and (last is None or last < reading.at):
            before = self.said(mine.id)
            now, happened = hearing.hear(mine, before, known, reading)
            self.facts.extend(happened)
            if now != before:
                self.heard[mine.id] = now
        self._spoken.pop(mine.id, None)
        self._spoken[mine.id] = reading

    def conclude(self) -> Iterator[None]:
        """What the sources that spoke make of the supplies that they see; with pauses where they are many."""
        if not self._spoken:
            return
        found = hearing.conclude(self._world.population, self.known, self.said, self._spoken)
        for number, (own, happened) in enumerate(found, 1):
            self.changed[own.name] = own
            self.facts.extend(happened)
            if number % SUPPLIES_AT_ONCE == 0:
                yield

    def said(self, name: str) -> Heard | None:
        """What a source said last, by what was observed so far."""
        return self.heard.get(name) or self._world.heard.get(name)

    def take_all(self, answers: Iterable[Answer]) -> None:
        """Observe answers whose slice does not say so: nobody comes to rest by them."""
        for answer in answers:
            self.take(answer.reading)

    def rest(self, answers: Iterable[Answer]) -> None:
        """Observe answers whose slice is closed in the same decision, so that it tells of them for ever."""
        rested, rested_us = self._rested, self._world.signals.rested_us
        for answer in answers:
            name, due_us, interval_us, at_us, _, _, _ = answer
            speaks_us, tolerance_us = _pace(interval_us)
            prompt = at_us - due_us <= tolerance_us
            if prompt and name not in self.changed:  # all is well still if there was no silence, and no gap
                last_us = rested[name] if name in rested else rested_us(name)
                if last_us is not None and last_us < due_us <= last_us + speaks_us:
                    rested[name] = due_us
                    continue
            self.take(answer.reading)
            after = self.changed.get(name)
            if prompt and after is not None and may_rest(after):
                del self.changed[name]
                rested[name] = due_us
                self.settled.append(name)


def _shows_it_is_down(reading: Reading) -> bool:
    missed = reading.outcome is Outcome.MISSED and reading.kind is Kind.FOLLOW_UP
    return missed and is_service(reading.signal)


@lru_cache(maxsize=64)
def _pace(interval_us: int) -> Pace:
    """How long a scheduled answer speaks, and how late it may be made to do so from its own instant (J2)."""
    tolerance_us = tolerance(interval_us * instant.MICROSECOND) // instant.MICROSECOND
    return interval_us + tolerance_us, tolerance_us

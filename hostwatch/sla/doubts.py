"""The unknown time of supplies, span by span: why nobody could say, and how it was seen last.

Nothing is counted otherwise by it. It tells of unknown seconds which of them are *possibly interrupted*: when
somebody was heard last, the power was on battery, low, off or gone already (`core.lastseen`).
"""

from __future__ import annotations

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from itertools import pairwise
from typing import NamedTuple

from hostwatch.core import facts, lastseen, source, supply
from hostwatch.core.device import State
from hostwatch.core.element import Element, Kind
from hostwatch.core.hearing import NOT_KNOWN_OF, words
from hostwatch.core.lastseen import Told
from hostwatch.core.power import PowerReading
from hostwatch.core.signal import NO_READING, NOT_PROVEN, Signal
from hostwatch.core.wiring import Wiring
from hostwatch.core.witnesses import parsed
from hostwatch.sla.records import Because, DoubtRecord


class _Gap(NamedTuple):
    """For `[since, until)` no reading speaks for a signal."""

    since: datetime
    until: datetime
    why: str
    is_open: bool = False


class _Word(NamedTuple):
    """A source said another thing than before."""

    at: datetime
    reading: PowerReading


@dataclass(slots=True, kw_only=True)
class Overheard:
    """What sources said, and when nobody heard them; gathered fact by fact."""

    spoken: dict[str, list[_Word]] = field(default_factory=lambda: defaultdict(list))
    gaps: dict[str, list[_Gap]] = field(default_factory=lambda: defaultdict(list))
    """By signal, of sources and of supplies."""

    changes: list[facts.PopulationChanged] = field(default_factory=list)
    """Of elements of the power model."""

    wirings: dict[int, Wiring] = field(default_factory=dict)
    """By how many changes there had been."""

    def take(self, fact: facts.Fact) -> None:
        """Take one fact up."""
        match fact:
            case facts.PowerSeen():
                reading = words(fact.said)
                if lastseen.says_anything(reading):
                    self.spoken[fact.source].append(_Word(fact.at, reading))
            case facts.Unspoken() if fact.signal.startswith((source.PREFIX, supply.PREFIX)):
                self.gaps[fact.signal].append(_Gap(fact.since, fact.at, fact.why))
            case facts.PopulationChanged() if fact.thing == "element":
                self.changes.append(fact)
            case _:
                pass

    def present(self, signals: Mapping[str, Signal], now: datetime) -> None:
        """Add the gaps that are open; then all is in the order of time."""
        for one in signals.values():
            since = one.unspoken_since(now)
            if since is not None and one.name.startswith((source.PREFIX, supply.PREFIX)):
                self.gaps[one.name].append(_Gap(since, now, one.blind_why, is_open=True))
        for gaps in self.gaps.values():
            gaps.sort()
        for spoken in self.spoken.values():
            spoken.sort(key=lambda word: word.at)
        self.changes.sort(key=lambda change: change.at)

    def doubts(self, signal: str) -> tuple[DoubtRecord, ...]:
        """All doubts of a supply, in the order of time; cut where a source said something more."""
        found: list[DoubtRecord] = []
        for gap in self.gaps.get(signal, ()):
            before = len(found)
            for at, until in self._parts(signal, gap):
                one = self._doubt(signal, gap, at, until)
                if len(found) > before and found[-1].seen == one.seen:
                    one = found.pop().until_also(one)
                found.append(one)
        return tuple(found)

    def _parts(self, signal: str, gap: _Gap) -> Iterator[tuple[datetime, datetime]]:
        wanted = parsed(supply.named(signal) or "")
        sources = self._wiring(gap.since).sources(wanted)
        cuts = {word.at for name in sources for word in self.spoken.get(name, ())}
        edges = [gap.since, *sorted(at for at in cuts if gap.since < at < gap.until), gap.until]
        yield from pairwise(edges)

    def _doubt(self, signal: str, gap: _Gap, at: datetime, until: datetime) -> DoubtRecord:
        vantage = signal.rpartition("@")[2]
        wiring, wanted = self._wiring(at), parsed(supply.named(signal) or "")
        silent = tuple(name for name in wiring.sources(wanted) if self._silence(name, vantage, at))
        seen = lastseen.of_supply(wanted, wiring, lambda name: self._told(name, vantage, at))
        return DoubtRecord(
            since=at,
            until=until,
            is_open=gap.is_open and until == gap.until,
            why=gap.why,
            because=_because(gap.why, silent),
            silent=silent,
            seen=seen,
        )

    def _silence(self, name: str, vantage: str, at: datetime) -> _Gap | None:
        """The gap of a source that it was in at an instant."""
        gaps = self.gaps.get(source.signal_of(name, vantage), ())
        place = bisect_right(gaps, at, key=lambda gap: gap.since)
        return gaps[place - 1] if place and at < gaps[place - 1].until else None

    def _told(self, name: str, vantage: str, at: datetime) -> Told | None:
        """What a source had said last at an instant, and until when it was heard."""
        spoken: Sequence[_Word] = self.spoken.get(name, ())
        place = bisect_right(spoken, at, key=lambda word: word.at)
        if not place:
            return None
        word, silence = spoken[place - 1], self._silence(name, vantage, at)
        return Told(word.at, at if silence is None else max(silence.since, word.at), word.reading)

    def _wiring(self, at: datetime) -> Wiring:
        """The power model as it was at an instant."""
        count = bisect_right(self.changes, at, key=lambda change: change.at)
        if count not in self.wirings:
            self.wirings[count] = _wiring(self.changes[:count])
        return self.wirings[count]


def _wiring(changes: Sequence[facts.PopulationChanged]) -> Wiring:
    """Of elements; of none if they make none, as while others take their places in steps."""
    there: dict[str, Element] = {}
    for change in changes:
        there.pop(change.name, None)
        if change.state != State.REMOVED.value:
            body = change.body
            there[change.name] = Element(
                id=change.name,
                kind=Kind(body["kind"]),
                input=body.get("input", ""),
                witness=body.get("witness", ""),
            )
    try:
        return Wiring(there.values())
    except ValueError:
        return Wiring()


def _because(why: str, silent: Sequence[str]) -> Because:
    """What kind of reason a text is."""
    if why == NOT_PROVEN:
        return Because.NOT_PROVEN
    if why == NO_READING:
        return Because.NOT_LOOKED
    if not why.startswith(NOT_KNOWN_OF):
        return Because.CONTRADICTION
    return Because.SILENT if silent else Because.UNDECIDED

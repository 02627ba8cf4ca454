"""What sources say, and what follows from it for the supplies: a round of readings makes one of each supply.

All sources of power are due together. When all who see a supply have been asked in a round, what they said
comes to one reading of it: MISSED while its power is interrupted by the agreement's rule, ANSWERED while it
is not, UNKNOWN while that cannot be said. A source that did not answer is not heard, whatever it said before:
nothing is ever interrupted out of missing data (`colocation C2`).

Between rounds a source may speak by itself, or be asked because something happened. Then each supply that it
sees is read at once, by what the others said last, as a follow-up: that finds the edges of an interruption,
and never counts towards a verdict (J5).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Final

from hostwatch.core import facts, instant, portsheard, power, signal
from hostwatch.core.electricity import Electricity
from hostwatch.core.population import Population
from hostwatch.core.power import PowerReading, Utility
from hostwatch.core.reading import Kind, Outcome, Reading
from hostwatch.core.rememberedtexts import remembered
from hostwatch.core.signal import Signal
from hostwatch.core.source import Source
from hostwatch.core.supply import Supply
from hostwatch.core.witnesses import Part, parsed
from hostwatch.core.world import Heard

POWER: Final = "power"
"""The room of sources that speak of power, in a source's kind."""

SAID_NOTHING: Final = "it answered, and said nothing that can be read"

NOT_KNOWN_OF: Final = "not known of "
"""Begins why nobody can say of a supply, unless words contradict one another."""

Known = Callable[[str], Signal | None]
"""The present signal of a name."""

Said = Callable[[str], Heard | None]
"""What a source said last."""

words = remembered(power.of_text)
"""The reading that a text is. Sources mostly say again what they said before."""


def believed(reading: Reading, mine: Source) -> Reading:
    """A source's reading as it is judged: it answers with words, or nobody knows."""
    if reading.outcome is Outcome.MISSED:
        return _unknown(reading, reading.why)
    if reading.outcome is Outcome.ANSWERED and not _is_readable(reading.said, mine):
        return _unknown(reading, SAID_NOTHING)
    return reading


def _unknown(reading: Reading, why: str) -> Reading:
    return Reading(
        signal=reading.signal,
        at=reading.at,
        known_at=reading.known_at,
        outcome=Outcome.UNKNOWN,
        kind=reading.kind,
        why=why,
    )


def _is_readable(said: str, mine: Source) -> bool:
    read = words if mine.room == POWER else portsheard.words
    try:
        read(said)
    except ValueError:
        return False
    return True


def hear(
    mine: Source, before: Heard | None, known: Signal, reading: Reading
) -> tuple[Heard, tuple[facts.Fact, ...]]:
    """What a source says from now on, and the facts if that is another thing; it answered, with words.

    `known`: its signal before this reading.
    """
    if mine.room == portsheard.ROOM:
        return portsheard.hear(mine, before, known, reading)
    found: list[facts.Fact] = [*_brief(mine, before, known, reading)]
    if before is not None and matters(before.said) == matters(reading.said):
        return Heard(source=mine.id, since=before.since, said=reading.said), tuple(found)
    found.append(
        facts.PowerSeen(
            at=reading.at,
            source=mine.id,
            heard_before=None if before is None else known.last_answer,
            said=reading.said,
        )
    )
    return Heard(source=mine.id, since=reading.at, said=reading.said), tuple(found)


def matters(said: str) -> object:
    """What of a source's words is worth a fact: the state of its points, and its concerns; no figures."""
    reading = words(said)
    states = [(point.name, point.utility, point.ups, point.output) for point in reading.points]
    return sorted(states), sorted(reading.concerns)


def _brief(
    mine: Source, before: Heard | None, known: Signal, reading: Reading
) -> Iterator[facts.PowerFailedBriefly]:
    """Failures of the input that no reading saw, as the source counts them.

    One that is seen to be absent now, and was not before, is one that this reading did see.
    """
    if before is None or known.last_answer is None:
        return
    was, now = words(before.said), words(reading.said)
    times = 0
    if was.failures is not None and now.failures is not None:
        times = max(now.failures - was.failures - (_is_absent(now) and not _is_absent(was)), 0)
    if not times and _came_back_between(was, now, reading.at - known.last_answer):
        times = 1
    if times:
        yield facts.PowerFailedBriefly(
            at=reading.at, source=mine.id, heard_before=known.last_answer, times=times
        )


def _came_back_between(was: PowerReading, now: PowerReading, passed: timedelta) -> bool:
    """Whether a failure that was seen is over, and this is another, which began since."""
    if not (_is_absent(was) and _is_absent(now)) or was.absent_for_s is None or now.absent_for_s is None:
        return False
    return now.absent_for_s < was.absent_for_s and timedelta(seconds=now.absent_for_s) < passed


def _is_absent(reading: PowerReading) -> bool:
    return any(point.utility is Utility.ABSENT for point in reading.points)


def conclude(
    people: Population, known: Known, said: Said, spoken: Mapping[str, Reading]
) -> Iterator[signal.Observed]:
    """What the readings of some sources, which are observed already, make of the supplies that they see.

    One reading of each supply at most. `spoken`: the last reading of each source.
    """
    seen = people.witnesses
    ear = _Ear(people, known, said)
    done: set[str] = set()
    open_: set[tuple[str, datetime]] = set()
    """Parts of which somebody has not been asked yet in a round; each by its first supply."""

    for name, reading in spoken.items():
        if reading.kind is Kind.FOLLOW_UP:
            continue
        since = people.sources[name].target(people.vantage).round_began(reading.at)
        for part in seen.parts(name):
            first = part.supplies[0]
            if first in done or (first, since) in open_:
                continue
            asked = ear.asked(part, since)
            if asked is None:
                open_.add((first, since))
                continue
            done.update(part.supplies)
            now = seen.steady(part).at(ear.said_since(asked, since))
            last = replace(reading, at=_last_asked(asked, reading.at))
            yield from _read(part.supplies, people, known, now, last)
    for name, reading in spoken.items():
        if reading.kind is Kind.FOLLOW_UP:
            mine = [supply for supply in seen.supplies(name) if supply not in done]
            done.update(mine)
            yield from _read(mine, people, known, Electricity(seen.wiring, ear.fresh(reading.at)), reading)


Asked = Mapping[str, Signal | None]
"""The sources of a part of the house, all of which were asked in a round; None for one that nobody asks."""


class _Ear:
    """What sources say, as it is heard in a round, and between two."""

    def __init__(self, people: Population, known: Known, said: Said) -> None:
        self._people = people
        self._known = known
        self._said = said

    def asked(self, part: Part, since: datetime) -> Asked | None:
        """The sources of a part, if all were asked in this round; one that nobody asks is not waited for.

        Who was found not to have been is looked at first the next time: nobody goes through them all each
        time.
        """
        waiting = self._people.witnesses.waiting
        first = waiting.get(part.sources)
        if first is not None and not _was_asked(self._signal(first), since):
            return None
        found = {}
        for name in part.sources:
            one = found[name] = self._signal(name)
            if not _was_asked(one, since):
                waiting[part.sources] = name
                return None
        return found

    def said_since(self, asked: Asked, since: datetime) -> dict[str, PowerReading | None]:
        """What each says in a round: a look between two that failed is none of the words of this one."""
        return {name: self._words(name, one, since) for name, one in asked.items()}

    def fresh(self, at: datetime) -> Callable[[str], PowerReading | None]:
        """What each says between two rounds: the words of the last one speak until it is asked again."""

        def heard(name: str) -> PowerReading | None:
            one = self._signal(name)
            if one is None or one.last_reading is None or one.speaks_until < at:
                return None
            return self._words(name, one, one.last_reading)

        return heard

    def _signal(self, name: str) -> Signal | None:
        mine = self._people.sources.get(name)
        return None if mine is None else self._known(mine.signal(self._people.vantage))

    def _words(self, name: str, one: Signal | None, since: datetime) -> PowerReading | None:
        """What a source of power says, if it answered since then and is not unknown."""
        last = self._said(name)
        if one is None or last is None or self._people.sources[name].room != POWER:
            return None
        if one.blind_since is not None or one.last_answer is None or one.last_answer < since:
            return None
        return words(last.said)


def _last_asked(asked: Asked, at: datetime) -> datetime:
    """When the last of the sources was asked: what they said together is dated so."""
    found = (one.last_reading for one in asked.values() if one is not None)
    return max([at, *(last for last in found if last is not None)])


def _was_asked(one: Signal | None, since: datetime) -> bool:
    return one is None or (one.last_reading is not None and one.last_reading >= since)


def _read(
    names: Iterable[str], people: Population, known: Known, now: Electricity, reading: Reading
) -> Iterator[signal.Observed]:
    """One reading of each of some supplies, by what all who see them say now."""
    for each in names:
        supply = people.supplies[each]
        own = known(supply.signal(people.vantage))
        if own is not None:
            yield signal.observe(own, _derived(supply, now, own, reading), supply.terms)


def _derived(supply: Supply, now: Electricity, own: Signal, reading: Reading) -> Reading:
    """One reading of a supply, by what all who see it say now."""
    wanted = parsed(supply.id)
    interrupted = now.interrupted(wanted, supply.measured_at)
    at = reading.at
    if own.last_reading is not None:
        at = max(at, own.last_reading + instant.MICROSECOND)
    return Reading(
        signal=own.name,
        at=at,
        known_at=max(reading.known_at, at),
        outcome=OUTCOMES[interrupted],
        kind=reading.kind,
        why=_why(supply, now, interrupted),
    )


OUTCOMES: Final = {True: Outcome.MISSED, False: Outcome.ANSWERED, None: Outcome.UNKNOWN}
"""By whether it is interrupted."""


def _why(supply: Supply, now: Electricity, interrupted: bool | None) -> str:
    """In words for people; empty while all is well."""
    wanted = parsed(supply.id)
    if interrupted:
        return f"interrupted at {', '.join(now.roots(wanted, supply.measured_at))}"
    if interrupted is False:
        return ""
    contradictions = now.contradictions(wanted)
    open_ = [name for name in wanted.names if now.of(name).interrupted is None]
    return contradictions[0] if contradictions else f"{NOT_KNOWN_OF}{', '.join(open_ or wanted.names)}"

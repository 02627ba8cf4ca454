"""What power comes to where a device hangs, and whether that has been said since before an outage."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import datetime

from hostwatch.core.cause import Evidence, Slot
from hostwatch.core.electricity import Electricity
from hostwatch.core.expression import Expression
from hostwatch.core.hearing import POWER, words
from hostwatch.core.population import Population
from hostwatch.core.porting import Beginning
from hostwatch.core.power import Concern, PowerReading
from hostwatch.core.scene import Power
from hostwatch.core.together import Known
from hostwatch.core.wiring import AT_OUTLET, AT_SOURCE
from hostwatch.core.witnesses import parsed
from hostwatch.core.world import Heard

Found = tuple[Power, bool, tuple[Evidence, ...]]
"""What it comes to; whether what lost it was overloaded; and who said what."""

SAID = {
    Power.INTERRUPTED: "interrupted",
    Power.FAULT: "lost in distribution",
    Power.LOST: "not supplied",
    Power.CHANGED: "was not supplied",
    Power.SUPPLIED: "supplied",
}


class Poweredness:
    """The power model at one moment; what many devices ask for is reckoned once."""

    def __init__(
        self, people: Population, known: Known, said: Callable[[str], Heard | None], now: datetime
    ) -> None:
        self._people = people
        self._known = known
        self._said = said
        self._now = now
        self._electricity: Electricity | None = None
        self._states: dict[str, tuple[Power, bool, tuple[str, ...]]] = {}

    def of(self, feeds: str, began: Beginning, slot: Slot = Slot.POWER) -> Found:
        """What feeds, or a supply, come to; said of this thing.

        As *supplied* only by who has said so since before the last answer, and again since the first miss.
        """
        if feeds not in self._states:
            self._states[feeds] = self._reckoned(parsed(feeds))
        power, overload, sources = self._states[feeds]
        heard = [(name, told) for name in sources if self._is_heard(name) and (told := self._said(name))]
        if power is Power.SUPPLIED and any(told.since > began.last_answer for _, told in heard):
            power = Power.CHANGED
        if power is Power.SUPPLIED and not (
            len(heard) == len(sources) and all(self._has_answered(name, began.first_miss) for name in sources)
        ):
            power = Power.UNKNOWN  # who has not been heard since may have seen that it was otherwise
        if power is Power.UNKNOWN:
            return power, False, tuple(self._not_heard(sources, slot))
        evidence = [Evidence(slot, "", SAID[power], None)]
        evidence += [
            Evidence(slot, name, SAID[power], told.since, words=_shown(words(told.said)))
            for name, told in heard
        ]
        return power, overload, tuple(evidence)

    def _not_heard(self, sources: tuple[str, ...], slot: Slot) -> Iterator[Evidence]:
        """Who could have said more, and since when they are not heard."""
        for name in sources:
            mine = self._people.sources.get(name)
            own = None if mine is None else self._known(mine.signal(self._people.vantage))
            since = None if own is None or not own.proven else own.unspoken_since(self._now)
            if since is not None:
                yield Evidence(slot, name, "not heard", since)

    def above(self, feeds: str) -> tuple[str, ...]:
        """All that feeds hang on, themselves included."""
        wiring = self._people.witnesses.wiring
        return wiring.above(wiring.measured(parsed(feeds), AT_OUTLET))

    def at_source(self, feeds: str) -> str:
        """The supply that feeds come to where power is measured at the source."""
        return str(self._people.witnesses.wiring.measured(parsed(feeds), AT_SOURCE))

    def _reckoned(self, feeds: Expression) -> tuple[Power, bool, tuple[str, ...]]:
        wiring = self._people.witnesses.wiring
        now = self._electricity = self._electricity or Electricity(wiring, self._heard)
        source, outlet = wiring.measured(feeds, AT_SOURCE), wiring.measured(feeds, AT_OUTLET)
        interrupted, supplied = now.interrupted(source, AT_SOURCE), now.supplied(outlet)
        sources = tuple(dict.fromkeys(self._sources(outlet)))
        if interrupted:
            return Power.INTERRUPTED, False, sources
        if supplied is None:
            return Power.UNKNOWN, False, sources
        if supplied:
            return Power.SUPPLIED, False, sources
        if interrupted is None and not now.faults(outlet):
            return Power.LOST, False, sources
        return Power.FAULT, self._is_overload(now.faults(outlet)), sources

    def _sources(self, outlet: Expression) -> Iterator[str]:
        """Who sees what it hangs on, itself included."""
        wiring = self._people.witnesses.wiring
        for name in wiring.above(outlet):
            element = wiring.element(name)
            yield from () if element is None else (source for source, _ in element.witnesses)

    def _is_overload(self, faults: tuple[str, ...]) -> bool:
        """Whether one of those where power is lost was overloaded by its own word, and is one customer's."""
        wiring = self._people.witnesses.wiring
        for name in faults:
            element = wiring.element(name)
            readings = [] if element is None else [self._heard(source) for source, _ in element.witnesses]
            said = any(one is not None and Concern.OVERLOAD in one.concerns for one in readings)
            if said and len(self._customers(name)) == 1:
                return True
        return False

    def _customers(self, element: str) -> set[str]:
        """Whose devices hang on an element; known only where power is measured at the outlet."""
        mine = [name for name in self._people.supplies if element in parsed(name).names]
        return {customer for name in mine for customer, _ in self._people.supplied.groups(name)}

    def _has_answered(self, name: str, since: datetime) -> bool:
        mine = self._people.sources.get(name)
        own = None if mine is None else self._known(mine.signal(self._people.vantage))
        return own is not None and own.last_answer is not None and own.last_answer >= since

    def _is_heard(self, name: str) -> bool:
        mine = self._people.sources.get(name)
        own = None if mine is None else self._known(mine.signal(self._people.vantage))
        if mine is None or mine.room != POWER or own is None:
            return False
        return own.last_reading is not None and own.speaks(self._now)

    def _heard(self, name: str) -> PowerReading | None:
        told = self._said(name) if self._is_heard(name) else None
        return None if told is None else words(told.said)


def _shown(reading: PowerReading) -> str:
    """The words of a source, in short."""
    said = [f"{point.name}: {point.said}" if point.name else point.said for point in reading.points]
    return "; ".join([*(one for one in said if one), *reading.concerns])[:120]

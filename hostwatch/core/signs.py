"""What is seen in one deed that operators are to be warned of (`core.warned`)."""

from __future__ import annotations

from collections.abc import Generator, Iterable, Iterator, Mapping
from datetime import datetime, timedelta
from functools import lru_cache
from itertools import islice
from typing import Final

from hostwatch.core import doubt, expression, facts, hearing, lastseen, powertable, redundancy, signal, source
from hostwatch.core import switch as switches
from hostwatch.core.electricity import Electricity
from hostwatch.core.element import Element, Kind
from hostwatch.core.emergency import Emergency
from hostwatch.core.holds import Hold
from hostwatch.core.observing import Observing
from hostwatch.core.parents import Parents
from hostwatch.core.power import Output, Point, PowerReading, Ups
from hostwatch.core.testimony import Says, Testimony
from hostwatch.core.warned import OF_SOURCES, OURS, Following, Sign, What, follow, name_of, of_source
from hostwatch.core.wiring import AT_OUTLET
from hostwatch.core.witnesses import Witnesses, parsed
from hostwatch.core.world import World

SUPPLIES_MAX: Final = 200
"""Supplies whose redundancy is looked at in one deed, the first by name."""

SUPPLIES_AT_ONCE: Final = 25
"""Those that are looked at without a pause."""

UNHEARD_MAX: Final = 50
"""Sources of which one deed warns that they are not heard any more; others as soon as those are warned of."""

AHEAD: Final = timedelta(days=1)
"""How long before planned work operators are warned of it."""

OF_POWER: Final = (What.REDUNDANCY, What.CONTRADICTION, What.PLANNED, What.SHARED)


def warn(
    world: World,
    observed: Observing,
    changed: Iterable[Emergency],
    holds: Mapping[str, Hold | None],
    now: datetime,
) -> Generator[None, None, Following]:
    """What begins and ends by what was observed, with pauses.

    `changed` and `holds`: what the same deed decided else.
    """
    if not (world.population.sources or world.population.switches or world.warned):
        return Following()
    deed = _Deed(world, observed, changed, holds, now)
    signs = [*deed.of_sources(), *deed.of_unheard()]
    yield from deed.of_power(signs)
    yield from deed.of_distribution(signs)
    signs += deed.of_switches()
    people = world.population
    operator = people.customers.get(people.operator)
    return follow(world.warned, signs, [*deed.asked, *deed.gone()], operator, now, people.witnesses.elements)


class _Deed:
    """One deed's look at all that may be warned of."""

    def __init__(
        self,
        world: World,
        observed: Observing,
        changed: Iterable[Emergency],
        holds: Mapping[str, Hold | None],
        now: datetime,
    ) -> None:
        self._world = world
        self._people = world.population
        self._observed = observed
        self._holds = holds
        self._spoke = observed.spoke
        self._now = now
        self._changed = {
            name: one if one.ended_at is None else None for one in changed for name in one.signals
        }
        self.asked: list[str] = []
        """The warnings of which it is known now whether they are seen."""

    def _emergency_of(self, name: str) -> Emergency | None:
        return self._changed[name] if name in self._changed else self._world.emergency_of(name)

    def _hold_of(self, name: str) -> Hold | None:
        return self._holds[name] if name in self._holds else self._world.holds.get(name)

    def _ask(self, whats: Iterable[What], about: str) -> None:
        self.asked.extend(name_of(what, about) for what in whats)

    def gone(self) -> Iterator[str]:
        """The warnings about what is no longer there."""
        people = self._people
        there = (people.sources, people.elements, people.supplies, people.switches)
        racks = people.witnesses.feeds if self._world.warned else ()
        for name, one in self._world.warned.items():
            is_of_the_house = one.what not in OURS
            if is_of_the_house and one.about not in racks and not any(one.about in those for those in there):
                yield name

    # What sources say of themselves.

    def of_sources(self) -> Iterator[Sign]:
        """Concerns, of those that spoke in this deed."""
        for name, heard in self._spoke.items():
            mine = self._people.sources.get(name)
            if mine is None or mine.room != hearing.POWER:
                continue
            reading = hearing.words(heard.said)
            if lastseen.says_anything(reading):  # a driver that waits for its UPS has not seen it return
                self._ask(OF_SOURCES, name)
            yield from of_source(name, reading, self._world.planning.runtime_low)

    def of_unheard(self) -> Iterator[Sign]:
        """Sources that were asked twice in vain, and were last heard in trouble with power.

        Nothing is said of one beside which somebody else knows how it stands.
        """
        now = Electricity(self._people.witnesses.wiring, self._said)
        for name, seen in islice(self._in_trouble(), UNHEARD_MAX):
            elements = self._people.witnesses.elements(name)
            if any(now.of(element).interrupted is None for element in elements):
                yield Sign(what=What.UNHEARD, about=name, said=seen.words)

    def _in_trouble(self) -> Iterator[tuple[str, lastseen.LastSeen]]:
        """Those of which no warning tells yet, and how each was seen last."""
        for one in self._observed.changed:
            name, known = source.named(one), self._observed.known(one)
            mine = None if name is None else self._people.sources.get(name)
            if name is None or mine is None or known is None or not _is_unheard(known, mine):
                continue
            lasting = self._world.warned.get(name_of(What.UNHEARD, name))
            if lasting is None or lasting.quiet_since is not None:
                seen = doubt.by_one(self._world, name)
                if seen.is_possible:
                    yield name, seen

    # What follows for the power model.

    def of_power(self, into: list[Sign]) -> Iterator[None]:
        """Redundancy, contradictions and planned work, for those supplies of which something is new."""
        names = self._supplies()
        if not names:
            return
        now = Electricity(self._people.witnesses.wiring, self._said)
        redundancies = redundancy.Redundancies(now)
        for number, name in enumerate(names):
            if number % SUPPLIES_AT_ONCE == 0:
                yield
            into.extend(self._of_supply(name, now, redundancies))
        yield
        into.extend(self._of_racks())

    def _supplies(self) -> list[str]:
        seen = {fact.source for fact in self._observed.facts if isinstance(fact, facts.PowerSeen)}
        if self._world.planning.planned or any(one.what in OF_POWER for one in self._world.warned.values()):
            seen |= self._spoke.keys()
        found = {name for source in seen for name in self._people.witnesses.supplies(source)}
        return sorted(found)[:SUPPLIES_MAX]

    def _said(self, source: str) -> PowerReading | None:
        mine = self._people.sources.get(source)
        heard = self._spoke.get(source) or self._world.heard.get(source)
        own = None if mine is None else self._observed.known(mine.signal(self._people.vantage))
        if heard is None or mine is None or own is None or mine.room != hearing.POWER:
            return None
        return None if own.unspoken_since(self._now) is not None else hearing.words(heard.said)

    def _of_supply(
        self, name: str, now: Electricity, redundancies: redundancy.Redundancies
    ) -> Iterator[Sign]:
        """Of one that has no power at all an emergency tells, and no warning."""
        wanted = parsed(name)
        said = now.contradictions(wanted)
        self._ask([What.CONTRADICTION], name)
        if said:
            yield Sign(what=What.CONTRADICTION, about=name, said=said[0])
        left = redundancies.of(wanted)
        if left.is_left is False and not left.now:
            if name_of(What.REDUNDANCY, name) in self._world.warned:
                yield Sign(what=What.REDUNDANCY, about=name, said="nothing has power that it hangs on")
            return
        if left.is_left is not None:
            self._ask([What.REDUNDANCY], name)
        if left.is_lost:
            yield Sign(what=What.REDUNDANCY, about=name, said=f"all hangs on {', '.join(left.now)}")
        for one in self._world.planning.planned:
            if not one.since - AHEAD <= self._now < one.until:
                continue
            self._ask([What.PLANNED], one.element)
            if one.element in left.now and one.element not in left.by_design:
                yield Sign(what=What.PLANNED, about=one.element, said=f"{one.what}: {name} hangs on it alone")

    def _of_racks(self) -> Iterator[Sign]:
        for rack, shared in _shared(self._people.witnesses):
            self._ask([What.SHARED], rack)
            if shared:
                yield Sign(what=What.SHARED, about=rack, said=f"all its feeds hang on {', '.join(shared)}")

    def of_distribution(self, into: list[Sign]) -> Iterator[None]:
        """Where power comes in, and who looks says that none comes out; unless an emergency tells of it."""
        names = sorted({name for source in self._spoke for name in self._in_question(source)})
        now = Electricity(self._people.witnesses.wiring, self._said)
        for number, name in enumerate(names):
            if number % SUPPLIES_AT_ONCE == 0:
                yield
            found = now.of(name)
            if found.supplied or found.is_fault:
                self._ask([What.DISTRIBUTION], name)
            if found.is_fault and not self._is_promised(name, now):
                into.append(Sign(what=What.DISTRIBUTION, about=name))

    def _in_question(self, source: str) -> Iterator[str]:
        """The elements that a source sees without power, and those that were warned of for it."""
        mine = self._people.sources.get(source)
        if mine is None or mine.room != hearing.POWER:
            return
        reading = hearing.words(self._spoke[source].said)
        for name in self._people.witnesses.elements(source):
            element = self._people.elements[name]
            points = [reading.point(point) for who, point in element.witnesses if who == source]
            if name_of(What.DISTRIBUTION, name) in self._world.warned or any(
                _is_loss(element, one) for one in points
            ):
                yield name

    def _is_promised(self, name: str, now: Electricity) -> bool:
        """Whether somebody who was promised power at the outlet has none for it."""
        people = self._people
        sources = {source for source, _ in people.elements[name].witnesses}
        promised = {one for source in sources for one in people.witnesses.supplies(source)}
        return any(
            people.supplies[one].measured_at == AT_OUTLET and now.supplied(parsed(one)) is False
            for one in promised
        )

    # Switches.

    def of_switches(self) -> Iterator[Sign]:
        """Those that are silent, and of which no emergency tells; not those behind one of which one does."""
        names = self._switches()
        if not names:
            return
        parents = Parents(self._people, self._observed.known, self._emergency_of, self._hold_of)
        testimony = Testimony(self._people, self._observed.known, parents)
        for name in sorted(names):
            own = switches.signal_of(name, self._people.vantage)
            known = self._observed.known(own)
            if known is None or known.blind_since is not None or self._hold_of(own) is not None:
                continue
            self._ask([What.MANAGEMENT, What.SWITCH], name)
            if known.verdict is not None and known.silence is not None and not parents.is_told(name):
                yield from self._of_silent(name, known, parents, testimony)

    def _switches(self) -> set[str]:
        """Those that were looked at. Of switches and of looks, the fewer are gone through."""
        mine, vantage, observed = self._people.switches, self._people.vantage, self._observed
        if len(mine) <= len(observed):
            return {name for name in mine if observed.is_looked_at(switches.signal_of(name, vantage))}
        return mine.keys() & {switches.named(one) or "" for one in observed.looked}

    def _of_silent(
        self, name: str, known: signal.Signal, parents: Parents, testimony: Testimony
    ) -> Iterator[Sign]:
        assert known.silence is not None
        if parents.covering_switch(name, known.silence.first_miss) is not None:
            return
        if testimony.say(name, known, in_time=False) is Says.CARRIES:
            yield Sign(what=What.MANAGEMENT, about=name, said="those behind it answer")
        else:
            yield Sign(what=What.SWITCH, about=name, said="nobody is known to be cut off")


def _is_unheard(known: signal.Signal, mine: source.Source) -> bool:
    """Whether a source of power was asked in vain, and not only once."""
    if mine.room != hearing.POWER or known.blind_since is None or known.last_reading is None:
        return False
    return known.proven and known.last_reading - known.blind_since >= mine.interval / 2


def _is_loss(element: Element, point: Point) -> bool:
    """Whether a witness says that nothing comes out there. The input of a UPS is no such word."""
    if element.kind is Kind.UPS:
        return point.output is Output.UNPOWERED or point.ups is Ups.DEAD
    return element.kind is not Kind.UTILITY and powertable.at_line(point) is False


@lru_cache(maxsize=2)
def _shared(house: Witnesses) -> tuple[tuple[str, tuple[str, ...]], ...]:
    """Racks with several feeds, and the elements that all feeds of each hang on."""
    return tuple(
        (rack, redundancy.shared(expression.joined("any", [*map(expression.name, feeds)]), house.wiring))
        for rack, feeds in sorted(house.feeds.items())
        if len(feeds) > 1
    )

"""The deeds of a configuration: from one population to the next, each change a dated version.

Signals of new devices begin, those of devices that are no longer in service are withdrawn; all
others keep their counts, their silences and their clocks. The schedule gets a new version only if
what is due changes.

A small change is one deed. A large one is many small ones, so that the watch goes on looking in
between: until the last of them the configuration in force is `UNDER_WAY`, and a start that finds it
so compares what is recorded with what is wanted and does the rest.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from hostwatch.core import (
    facts,
    judge,
    signal,
    succession,
    supply,
    telling,
    uplink,
    uplinkgroup,
    versions,
)
from hostwatch.core.device import Device, State, targets
from hostwatch.core.population import FIXTURES, Changes, Customer, Fixture, Population
from hostwatch.core.schedule import Schedule, Target
from hostwatch.core.signal import Signal
from hostwatch.core.source import Source
from hostwatch.core.switch import Switch
from hostwatch.core.terms import AgreementTerms
from hostwatch.core.uplink import Uplink
from hostwatch.core.world import Decision, TargetChange, World

STEP_MAX = 200
"""Changes of customers and devices in one deed."""

UNDER_WAY = ""
"""Stands for the digest of the configuration in force while one comes into force step by step."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Opening:
    """A valid configuration as the record sees it: without secrets and personal data."""

    digest: str
    author: str
    difference: tuple[dict[str, Any], ...]
    content: dict[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Accepted(Opening):
    """The same with everybody whom it names."""

    population: Population


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One deed of several that bring a configuration into force."""

    changes: Changes = field(default_factory=Changes)
    opening: Opening | None = None
    """Recorded with the first step."""

    schedule: Schedule | None = None
    """A new version, if this step changes who is due, and what it changes."""

    targets: TargetChange = field(default_factory=TargetChange)

    closes: str | None = None
    """The digest that is in force from this step on: the last."""


def apply(world: World, accepted: Accepted, now: datetime) -> Decision:
    """Bring a configuration into force in one deed. Nothing happens when it is in force already.

    The digest leaves secrets out: a changed secret is in the difference alone.
    """
    if accepted.digest == world.configuration and not accepted.difference:
        return Decision()
    changes = between(world.population, accepted.population)
    moved = moves(world.population, changes)
    closing = Step(
        changes=changes,
        opening=accepted,
        schedule=rescheduled(world.schedule, moved),
        targets=moved,
        closes=accepted.digest,
    )
    return step(world, closing, now)


def step(world: World, part: Step, now: datetime) -> Decision:
    """Make some changes, and what follows from them for signals and people."""
    schedule = _next(world.schedule, part.schedule)
    closing: list[facts.Fact] = []
    gone, come = _signals(world, part.changes)
    taken = succession.of(world, part.changes, now)
    for name in gone:
        why = signal.NO_LONGER if supply.named(name) is None else supply.UNUSED
        closing.extend(signal.withdraw(world.signals[name], now, why))
    given = _given_away(world, part.changes)
    people = telling.enrol(world, gone, given, taken, part.changes, now)
    begun = [_begun(world, part.changes, name, now) for name in come if name not in taken.signals]
    return Decision(
        facts=(
            *(() if part.opening is None else (_applied(part.opening, now),)),
            *_versions(world.population, part.changes, now),
            *closing,
            *taken.facts,
            *people.facts,
            *(fact for _, happened in begun for fact in happened),
            *(() if schedule is None else (judge.adopted(schedule, now),)),
        ),
        signals=(
            *(own for own, _ in begun),
            *taken.signals.values(),
            *_under_old_terms(world, part.changes),
        ),
        withdrawn_signals=tuple(gone),
        emergencies=people.emergencies,
        duties=people.duties,
        customer_duties=people.customer_duties,
        notices=people.notices,
        holds=people.holds,
        causes=taken.causes,
        heard=dict.fromkeys(_unheard(world, part.changes)),
        counted=dict.fromkeys(name for name in part.changes.sources_gone if name in world.counted),
        population=part.changes if len(part.changes) or part.changes.vantage else None,
        schedule=schedule,
        targets=part.targets,
        configuration=UNDER_WAY if part.closes is None else part.closes,
    )


def _next(present: Schedule, made: Schedule | None) -> Schedule | None:
    """A schedule that was made beside the loop, under a number that is free still.

    Meanwhile the clock may have been set back, and the same schedule have got a version of its own.
    """
    if made is None or made.version > present.version:
        return made
    return made.with_changes(present.version + 1, (), ())


def between(before: Population, after: Population) -> Changes:
    """What must change in one population so that it becomes another."""
    return Changes(
        vantage=None if before.vantage == after.vantage else after.vantage,
        customers=tuple(
            after.customers[name]
            for name in sorted(after.customers)
            if before.customers.get(name) != after.customers[name]
        ),
        customers_gone=tuple(sorted(before.customers.keys() - after.customers.keys())),
        devices=tuple(
            after.devices[name]
            for name in sorted(after.devices)
            if before.devices.get(name) != after.devices[name]
        ),
        devices_gone=tuple(sorted(before.devices.keys() - after.devices.keys())),
        operator=None if before.operator == after.operator else after.operator,
        **_fixtures_between(before, after),
    )


def _fixtures_between(before: Population, after: Population) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for kind in FIXTURES:
        was, now = getattr(before, kind), getattr(after, kind)
        found[kind] = tuple(now[name] for name in sorted(now) if was.get(name) != now[name])
        found[f"{kind}_gone"] = tuple(sorted(was.keys() - now.keys()))
    return found


def in_steps(changes: Changes, most: int = STEP_MAX) -> Iterator[Changes]:
    """The same changes in parts of at most `most`, none of which takes from a device what it needs."""
    for some in _parts(changes.customers, most):
        yield Changes(customers=some)
    for kind, come, _ in changes.fixtures():
        for things in _parts(come, most):
            yield _only(kind, things)
    if changes.operator is not None:
        yield Changes(operator=changes.operator)
    for names in _parts(changes.devices_gone, most):
        yield Changes(devices_gone=names)
    for devices in _parts(changes.devices, most):
        yield Changes(devices=devices)
    for kind, _, gone in changes.fixtures():
        for names in _parts(gone, most):
            yield _only(f"{kind}_gone", names)
    for names in _parts(changes.customers_gone, most):
        yield Changes(customers_gone=names)


def _only(name: str, changed: tuple[Any, ...]) -> Changes:
    fields: dict[str, Any] = {name: changed}
    return Changes(**fields)


def _parts(things: tuple[Any, ...], most: int) -> Iterator[tuple[Any, ...]]:
    for first in range(0, len(things), most):
        yield things[first : first + most]


def moves(before: Population, changes: Changes) -> TargetChange:
    """What changes mean for the schedule. Looks at all devices only if a customer's interval changes."""
    customers = {customer.id: customer for customer in changes.customers}
    vantage = changes.vantage or before.vantage

    def places(device: Device | None, name: str, people: Iterable[Customer | None]) -> tuple[Target, ...]:
        if device is None or device.state is not State.IN_SERVICE:
            return ()
        whose = next(customer for customer in people if customer is not None)
        return targets(device, name, whose.terms)

    gone, come = [], []
    for old, new in _touched(before, changes, _moved_customers(before, customers)):
        was = places(old, before.vantage, [] if old is None else [before.customers.get(old.customer)])
        whose = [] if new is None else [customers.get(new.customer), before.customers.get(new.customer)]
        now = places(new, vantage, whose)
        if was != now:
            gone += [place for place in was if place not in now]
            come += [place for place in now if place not in was]
    for _, one, other in _touched_fixtures(before, changes):
        were, are = _places(one, before.vantage), _places(other, vantage)
        gone += [place for place in were if place not in are]
        come += [place for place in are if place not in were]
    return TargetChange(removed=gone, added=come)


def _places(thing: Fixture | None, vantage: str) -> tuple[Target, ...]:
    """The places in the schedule of something of the house."""
    return (*thing.targets(vantage),) if isinstance(thing, Uplink | Source | Switch) else ()


def _moved_customers(before: Population, customers: dict[str, Customer]) -> frozenset[str]:
    return frozenset(
        name
        for name, customer in customers.items()
        if name in before.customers and before.customers[name].terms.interval != customer.terms.interval
    )


def behind(present: Schedule, population: Population) -> TargetChange:
    """What a schedule must change so that all who are watched are in it. Looks at everybody."""
    old, new = set(present.targets), set(population.targets())
    return TargetChange(removed=sorted(old - new), added=sorted(new - old))


def rescheduled(present: Schedule, moved: TargetChange) -> Schedule | None:
    """The next version of the schedule; None if nobody moves. May be made beside the loop."""
    if present.version and not moved.removed and not moved.added:
        return None
    made = present.with_changes(present.version + 1, moved.removed, moved.added)
    assert made.digest  # made here, where it holds up nobody
    return made


def _under_old_terms(world: World, changes: Changes) -> Iterator[Signal]:
    """Signals at rest whose terms change: how long their last answer speaks stays as it was."""
    before = world.population
    customers = {customer.id: customer for customer in changes.customers}
    moved = frozenset(n for n in customers if n in before.customers and customers[n] != before.customers[n])
    for old, new in _touched(before, changes, moved):
        if old is None or new is None or new.state is not State.IN_SERVICE:
            continue
        after = customers.get(new.customer) or before.customers[new.customer]
        for name, terms in _terms(new, after.terms, changes.vantage or before.vantage):
            if world.signals.rested_us(name) is not None and before.terms_of(name, old) != terms:
                yield world.signals[name]

    for _, was, now in _touched_fixtures(before, changes):
        if isinstance(was, Switch) and isinstance(now, Switch) and was.terms != now.terms:
            name = now.signal(before.vantage)
            if world.signals.rested_us(name) is not None:
                yield world.signals[name]


def _terms(device: Device, terms: AgreementTerms, vantage: str) -> Iterator[tuple[str, AgreementTerms]]:
    """The signals of a device, each with the terms that it is judged by."""
    yield device.signal(vantage), terms
    for service in device.services:
        yield service.signal(device.id, vantage), service.terms.within(terms)


def _touched(
    before: Population, changes: Changes, customers: frozenset[str] = frozenset()
) -> Iterator[tuple[Device | None, Device | None]]:
    """Each device that changes, or whose signal or customer does, as it was and as it is to be; by name."""
    after: dict[str, Device | None] = {device.id: device for device in changes.devices}
    after |= dict.fromkeys(changes.devices_gone)
    if changes.vantage not in (None, before.vantage):
        after = {**before.devices, **after}
    elif customers:
        theirs = {name: one for name, one in before.devices.items() if one.customer in customers}
        after = {**theirs, **after}
    for name in sorted(after):
        yield before.devices.get(name), after[name]


def _touched_fixtures(
    before: Population, changes: Changes
) -> Iterator[tuple[str, Fixture | None, Fixture | None]]:
    """Whatever of the house changes, or whose signals do, as it was and as it is to be; by kind and name."""
    for kind, come, gone in changes.fixtures():
        were: dict[str, Fixture] = getattr(before, kind)
        after: dict[str, Fixture | None] = {one.id: one for one in come}
        after |= dict.fromkeys(gone)
        if changes.vantage not in (None, before.vantage):
            after = {**were, **after}
        for name in sorted(after):
            yield kind, were.get(name), after[name]


def _signals(world: World, changes: Changes) -> tuple[list[str], list[str]]:
    """The names of the signals that end and of those that begin."""
    before = world.population
    vantage = changes.vantage or before.vantage
    gone, come = [], []
    for old, new in _touched(before, changes):
        was = old.signals(before.vantage) if old and old.state is State.IN_SERVICE else ()
        now = new.signals(vantage) if new and new.state is State.IN_SERVICE else ()
        gone += [name for name in was if name not in now and name in world.signals]
        come += [name for name in now if name not in world.signals]
    for _, one, other in _touched_fixtures(before, changes):
        were = () if one is None else (*one.signals(before.vantage),)
        are = () if other is None else (*other.signals(vantage),)
        gone += [name for name in were if name not in are and name in world.signals]
        come += [name for name in are if name not in world.signals]
    return gone, come


def _begun(world: World, changes: Changes, name: str, now: datetime) -> signal.Observed:
    """A signal that begins; that of a redundancy group as its members are, so that it can be judged."""
    if uplink.named(name) is not None:
        for one in changes.uplinks:
            if one.members and one.signal(world.population.vantage) == name:
                return uplinkgroup.begin(one, world.population.vantage, world.signals.get, now)
    return signal.begin(name, now), ()


def _unheard(world: World, changes: Changes) -> Iterator[str]:
    """The sources that are asked no more, or for other things: what they said is forgotten."""
    before = world.population.sources
    again = [one.id for one in changes.sources if one.id in before and before[one.id].kind != one.kind]
    return (name for name in (*changes.sources_gone, *again) if name in world.heard)


def _given_away(world: World, changes: Changes) -> Iterator[str]:
    """The signals of devices that are another customer's from now on, who alone is to know of them."""
    vantage = changes.vantage or world.population.vantage
    for old, new in _touched(world.population, changes):
        if old is not None and new is not None and old.customer != new.customer:
            yield from (name for name in new.signals(vantage) if name in world.signals)


def _applied(opening: Opening, now: datetime) -> facts.ConfigurationApplied:
    return facts.ConfigurationApplied(
        at=now,
        digest=opening.digest,
        author=opening.author,
        difference=opening.difference,
        content=opening.content,
    )


def _versions(before: Population, changes: Changes, now: datetime) -> Iterator[facts.Fact]:
    vantage = changes.vantage or before.vantage
    for old, new in _touched(before, changes):
        known = new or old
        if known is not None:
            yield versions.of_device(known.id, old, new, vantage, now)
    after: dict[str, Customer | None] = {customer.id: customer for customer in changes.customers}
    after |= dict.fromkeys(changes.customers_gone)
    for name in sorted(after):
        one, other = before.customers.get(name), after[name]
        if one != other:
            yield versions.of_customer(name, other, now)
        yield from versions.of_contacts(name, one, other, now)
    for kind, was, now_is in _touched_fixtures(before, changes):
        thing = now_is or was
        if thing is not None:
            yield versions.of_fixture(kind, thing.id, now_is, vantage, now)
    if changes.operator is not None:
        yield from versions.of_operator(before.operator, changes.operator, now)

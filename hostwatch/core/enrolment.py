"""The deed of a configuration: from one population to the next, each change a dated version.

Signals of new devices begin, those of devices that are no longer in service are withdrawn; all
others keep their counts, their silences and their clocks. The schedule gets a new version only if
what is due changes.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from hostwatch.core import canonical, facts, judge, signal
from hostwatch.core.population import Customer, Device, Population, State
from hostwatch.core.schedule import Schedule
from hostwatch.core.world import Decision, World


@dataclass(frozen=True, slots=True, kw_only=True)
class Accepted:
    """A valid configuration as the record sees it: without secrets and personal data."""

    population: Population
    digest: str
    author: str
    difference: tuple[dict[str, Any], ...]
    content: dict[str, Any]


def apply(world: World, accepted: Accepted, now: datetime) -> Decision:
    """Bring a configuration into force. Nothing happens when it is the one in force already.

    The digest leaves secrets out: a changed secret is in the difference alone.
    """
    if accepted.digest == world.configuration and not accepted.difference:
        return Decision()
    applied = facts.ConfigurationApplied(
        at=now,
        digest=accepted.digest,
        author=accepted.author,
        difference=accepted.difference,
        content=accepted.content,
    )
    before, after = world.population, accepted.population
    wanted = dict(after.watched())
    closing: list[facts.Fact] = []
    people = judge.People()
    gone = [name for name in world.signals if name not in wanted]
    for name in gone:
        closing.extend(signal.withdraw(world.signals[name], now))
        people = judge.joined(people, judge.withdraw(world, world.signals[name], now))
    schedule = _schedule(world.schedule, after)
    return Decision(
        facts=(
            applied,
            *_changes(before, after, now),
            *closing,
            *people.facts,
            *(() if schedule is None else (judge.adopted(schedule, now),)),
        ),
        signals=tuple(signal.begin(name, now) for name in wanted if name not in world.signals),
        withdrawn_signals=tuple(gone),
        emergencies=people.emergencies,
        notices=people.notices,
        population=after,
        schedule=schedule,
        configuration=accepted.digest,
    )


def _schedule(present: Schedule, population: Population) -> Schedule | None:
    wanted = Schedule(present.version + 1, population.targets())
    return None if present.version and wanted.digest == present.digest else wanted


def _changes(before: Population, after: Population, now: datetime) -> Iterator[facts.Fact]:
    for name in sorted(before.devices.keys() | after.devices.keys()):
        old, new = before.devices.get(name), after.devices.get(name)
        if old != new or before.vantage != after.vantage:
            yield _device(name, old, new, after.vantage, now)
    for name in sorted(before.customers.keys() | after.customers.keys()):
        one, other = before.customers.get(name), after.customers.get(name)
        if one != other:
            yield _customer(name, other, now)
        yield from _contacts(name, one, other, now)


def _device(
    name: str, old: Device | None, new: Device | None, vantage: str, now: datetime
) -> facts.PopulationChanged:
    known = new or old
    assert known is not None
    state = State.REMOVED if new is None else new.state
    return facts.PopulationChanged(
        at=now,
        thing="device",
        name=name,
        customer=known.customer,
        state=state.value,
        body={"address": known.address, "waiver": known.waiver, "signal": known.signal(vantage)},
    )


def _customer(name: str, new: Customer | None, now: datetime) -> facts.PopulationChanged:
    return facts.PopulationChanged(
        at=now,
        thing="customer",
        name=name,
        customer=name,
        state="removed" if new is None else "in-service",
        body={} if new is None else {"terms": canonical.plain(new.terms), "contacts": [*new.contacts]},
    )


def _contacts(
    customer: str, old: Customer | None, new: Customer | None, now: datetime
) -> Iterator[facts.Fact]:
    before = () if old is None else old.contacts
    after = () if new is None else new.contacts
    for contact in sorted({*before, *after}):
        if (contact in before) != (contact in after):
            yield facts.PopulationChanged(
                at=now,
                thing="contact",
                name=contact,
                customer=customer,
                state="authorised" if contact in after else "removed",
                body={},
            )

"""The deeds by which a person reports an emergency, and says that it is over (J4)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from hostwatch.core import reported
from hostwatch.core.device import Device
from hostwatch.core.emergency import Emergency
from hostwatch.core.facts_by_hand import EmergencyReported, ReportEnded
from hostwatch.core.notice import Story
from hostwatch.core.owing import Owing
from hostwatch.core.signal import verdict_on
from hostwatch.core.stories import Opening
from hostwatch.core.world import Decision, World


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """What a person says."""

    devices: tuple[str, ...]
    service: str
    since: datetime
    earliest: datetime | None
    latest: datetime | None
    because: str
    """What is seen, in words."""

    fact: EmergencyReported
    """The same as it goes into the record; its reference, customers and date are filled in."""


def already(world: World, devices: Iterable[str], service: str) -> Mapping[str, str]:
    """Those of some devices of which an open emergency tells already, each with its reference."""
    found = {}
    for name in devices:
        device = world.population.devices[name]
        signals = reported.covered(device, service, world.population.vantage)[:1]
        for emergency in filter(None, map(world.emergency_of, signals)):
            found[name] = emergency.reference
    return found


def report(world: World, said: Report, now: datetime) -> Decision:
    """One emergency for all of these devices of which none tells yet; nothing, if one tells of each."""
    people, owing = world.population, Owing(world, now)
    told = already(world, said.devices, said.service)
    devices = [people.devices[name] for name in said.devices if name not in told]
    if not devices:
        return Decision()
    names = [
        name
        for device in devices
        for name in reported.covered(device, said.service, people.vantage)
        if world.emergency_of(name) is None
    ]
    for name in names:
        owing.let_go(name)
    signal = reported.signal_of(owing.next_reference)
    emergency = owing.open(lambda name: _opening(world, said, devices, name, now), signal, now, now)
    emergency = owing.put(replace(emergency, joined=tuple(names)))
    for name, _ in reported.silent(emergency, world.signals.get):
        owing.join(emergency, verdict_on(world.signals[name], now), now)
    return decided(owing)


def _opening(world: World, said: Report, devices: list[Device], reference: str, now: datetime) -> Opening:
    story = Story(
        reference=reference,
        customer="",
        device="",
        address="",
        interval=timedelta(0),
        misses=0,
        last_answer=said.earliest or said.since,
        first_miss=said.since,
        verdict=now,
        why="reported",
        service=said.service,
        reported=said.because,
        latest=said.latest,
    )
    told = tuple(reported.stories(world.population, story, devices, world.signals.get))
    fact = replace(
        said.fact,
        reference=reference,
        devices=tuple(device.id for device in devices),
        customers=tuple(customer.id for customer, _ in told),
    )
    return Opening(story=story, fact=fact, told=told)


def end(world: World, emergency: Emergency, said: ReportEnded) -> Decision:
    """It is over, as a person says: whoever was told of it is told so."""
    owing = Owing(world, said.at)
    story = replace(emergency.story, last_miss=said.until, first_answer=said.until)
    owing.end(replace(emergency, story=story, ended_at=said.at), "recovery")
    decision = decided(owing)
    return replace(decision, facts=(said, *decision.facts))


def decided(owing: Owing) -> Decision:
    """What is owed, as a decision."""
    made = owing.people()
    return Decision(
        facts=made.facts,
        emergencies=made.emergencies,
        duties=made.duties,
        customer_duties=made.customer_duties,
        notices=made.notices,
        holds=made.holds,
    )

"""Tells a story to the real core and keeps the record that it makes, as the watch would."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from hostwatch.core import canonical, enrolment, facts, judge
from hostwatch.core.device import Device, State
from hostwatch.core.enrolment import Accepted
from hostwatch.core.place import Place
from hostwatch.core.population import Customer, Fixture, Population
from hostwatch.core.power import PowerReading
from hostwatch.core.reading import Kind, Outcome, Reading
from hostwatch.core.service import Service
from hostwatch.core.terms import AgreementTerms
from hostwatch.core.uplink import Uplink
from hostwatch.core.world import Decision, World
from hostwatch.sla.history import fold
from hostwatch.sla.records import History

LETTERS = {"A": Outcome.ANSWERED, "M": Outcome.MISSED, "?": Outcome.UNKNOWN}


@dataclass
class Teller:
    """A world and its record."""

    terms: AgreementTerms = field(default_factory=AgreementTerms)
    vantage: str = "main"
    world: World = field(default_factory=World)
    decisions: list[tuple[datetime, Decision]] = field(default_factory=list)

    @property
    def record(self) -> list[facts.Fact]:
        return [fact for _, decision in self.decisions for fact in decision.facts]

    def decide(self, at: datetime, decision: Decision) -> None:
        self.decisions.append((at, decision))
        self.world.apply(decision)

    def populate(
        self,
        at: datetime,
        *devices: Device,
        uplinks: Iterable[Uplink] = (),
        contacts: tuple[str, ...] = (),
        operator: str | None = None,
        **house: Iterable[Fixture],
    ) -> None:
        """These devices and things of the house, and only these, are in the configuration from now on."""
        names = {d.customer for d in devices} | ({operator} if operator else set())
        customers = {name: Customer(id=name, contacts=contacts, terms=self.terms) for name in sorted(names)}
        fixtures: dict[str, Any] = {kind: {one.id: one for one in things} for kind, things in house.items()}
        population = Population(
            vantage=self.vantage,
            customers=customers,
            devices={d.id: d for d in devices},
            uplinks={uplink.id: uplink for uplink in uplinks},
            operator=operator or "",
            **fixtures,
        )
        accepted = Accepted(
            population=population,
            digest=canonical.digest([population, at]),
            author="test",
            difference=(),
            content={},
        )
        self.decide(at, enrolment.apply(self.world, accepted, at))

    def read(self, device: str, at: datetime, outcome: Outcome) -> None:
        """One scheduled look at a device, known at once."""
        self._bring(f"{device}/ping@{self.vantage}", at, outcome, Kind.SCHEDULED)

    def _bring(self, signal: str, at: datetime, outcome: Outcome, kind: Kind, said: str = "") -> None:
        why = "" if outcome is Outcome.ANSWERED else "no answer"
        reading = Reading(signal=signal, at=at, known_at=at, outcome=outcome, kind=kind, why=why, said=said)
        self.decide(at, judge.readings(self.world, None, [reading], closes=False, now=at))

    def round(self, uplink: str, at: datetime, outcomes: str, kind: Kind = Kind.SCHEDULED) -> None:
        """A look at each reference of an uplink: `A`, `M`, `?`, or `.` for none; a millisecond apart."""
        mine = self.world.population.uplinks[uplink]
        for place, (address, letter) in enumerate(zip(mine.references, outcomes, strict=True)):
            if letter != ".":
                when = at + timedelta(milliseconds=place)
                self._bring(mine.reference(address, self.vantage), when, LETTERS[letter], kind)

    def say(self, source: str, at: datetime, said: PowerReading | None, kind: Kind = Kind.SCHEDULED) -> None:
        """A source is asked, and says this; None: it does not answer."""
        outcome = Outcome.MISSED if said is None else Outcome.ANSWERED
        name = self.world.population.sources[source].signal(self.vantage)
        self._bring(name, at, outcome, kind, "" if said is None else said.text)

    def power(
        self,
        source: str,
        since: datetime,
        until: datetime,
        usual: PowerReading,
        *,
        said: Iterable[tuple[datetime, datetime, PowerReading | None]] = (),
    ) -> None:
        """A source is asked each interval, and says the usual; but what is told of some times."""
        at, said = since, tuple(said)
        while at < until:
            spoken = [words for start, end, words in said if start <= at < end]
            self.say(source, at, spoken[0] if spoken else usual)
            at += self.world.population.sources[source].interval

    def every(
        self,
        device: str,
        since: datetime,
        until: datetime,
        *,
        missed: Iterable[tuple[datetime, datetime]] = (),
        unknown: Iterable[tuple[datetime, datetime]] = (),
    ) -> None:
        """A look each interval; what is neither missed nor unknown answers."""
        at, missed, unknown = since, tuple(missed), tuple(unknown)
        while at < until:
            outcome = Outcome.ANSWERED
            if any(start <= at < end for start, end in missed):
                outcome = Outcome.MISSED
            if any(start <= at < end for start, end in unknown):
                outcome = Outcome.UNKNOWN
            self.read(device, at, outcome)
            at += self.terms.interval

    def beside(
        self,
        device: str,
        service: str,
        since: datetime,
        until: datetime,
        *,
        missed: Iterable[tuple[datetime, datetime]] = (),
        wrong: Iterable[tuple[datetime, datetime]] = (),
        unknown: Iterable[tuple[datetime, datetime]] = (),
    ) -> None:
        """A look at a device each interval, and a minute later one at its service."""
        at, missed, wrong, unknown = since, tuple(missed), tuple(wrong), tuple(unknown)
        while at < until:
            for when, check, bad in (
                (at, "ping", missed),
                (at + timedelta(minutes=1), service, (*missed, *wrong)),
            ):
                outcome = Outcome.ANSWERED
                if any(start <= when < end for start, end in bad):
                    outcome = Outcome.MISSED
                if any(start <= when < end for start, end in unknown):
                    outcome = Outcome.UNKNOWN
                self._bring(f"{device}/{check}@{self.vantage}", when, outcome, Kind.SCHEDULED)
            at += self.terms.interval

    def rounds(
        self,
        uplink: str,
        since: datetime,
        until: datetime,
        *,
        missed: Iterable[tuple[datetime, datetime]] = (),
        unknown: Iterable[tuple[datetime, datetime]] = (),
    ) -> None:
        """A round each interval of the uplink: all of its references answer, or miss, or are unknown."""
        mine = self.world.population.uplinks[uplink]
        at, missed, unknown = since, tuple(missed), tuple(unknown)
        while at < until:
            letter = "M" if any(start <= at < end for start, end in missed) else "A"
            letter = "?" if any(start <= at < end for start, end in unknown) else letter
            self.round(uplink, at, letter * len(mine.references))
            at += mine.terms.interval

    def step(self, before: datetime, after: datetime) -> None:
        """The wall clock jumps."""
        self.decide(after, judge.follow_clock(self.world, before, after))

    def history(self, now: datetime) -> History:
        return fold(self.record, self.world.signals, self.world.blind, now)


def device(
    name: str,
    customer: str = "acme",
    state: State = State.IN_SERVICE,
    address: str = "192.0.2.1",
    uplink: str | None = None,
    services: tuple[Service, ...] = (),
    supply: str = "",
):
    waiver = "letter of 2026-09-01" if state is State.NOT_WATCHED else None
    return Device(
        id=name,
        customer=customer,
        address=address,
        state=state,
        waiver=waiver,
        uplink=uplink,
        services=services,
        place=Place(feeds=supply, supply=supply) if supply else None,
    )


def carrier(
    name: str = "chinanet",
    *,
    references: int = 3,
    quorum: int = 2,
    interval: timedelta = timedelta(minutes=1),
) -> Uplink:
    """An uplink."""
    addresses = tuple(f"203.0.113.{number + 1}" for number in range(references))
    own = AgreementTerms(interval=interval)
    return Uplink(id=name, name=name.title(), references=addresses, quorum=quorum, terms=own)


def minutes(count: float) -> timedelta:
    return timedelta(minutes=count)

"""Tells a story to the real core and keeps the record that it makes, as the watch would."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from hostwatch.core import canonical, enrolment, facts, judge
from hostwatch.core.enrolment import Accepted
from hostwatch.core.population import Customer, Device, Population, State
from hostwatch.core.reading import Outcome, Reading
from hostwatch.core.terms import AgreementTerms
from hostwatch.core.world import Decision, World
from hostwatch.sla.history import History, fold


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

    def populate(self, at: datetime, *devices: Device) -> None:
        """These devices, and only these, are in the configuration from now on."""
        customers = {d.customer: Customer(id=d.customer, terms=self.terms) for d in devices}
        population = Population(vantage=self.vantage, customers=customers, devices={d.id: d for d in devices})
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
        reading = Reading(
            signal=f"{device}/ping@{self.vantage}",
            at=at,
            known_at=at,
            outcome=outcome,
            why="" if outcome is Outcome.ANSWERED else "no answer",
        )
        self.decide(at, judge.readings(self.world, None, [reading], closes=False, now=at))

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

    def step(self, before: datetime, after: datetime) -> None:
        """The wall clock jumps."""
        self.decide(after, judge.follow_clock(self.world, before, after))

    def history(self, now: datetime) -> History:
        return fold(self.record, self.world.signals, self.world.blind, now)


def device(name: str, customer: str = "acme", state: State = State.IN_SERVICE, address: str = "192.0.2.1"):
    waiver = "letter of 2026-09-01" if state is State.NOT_WATCHED else None
    return Device(id=name, customer=customer, address=address, state=state, waiver=waiver)


def minutes(count: float) -> timedelta:
    return timedelta(minutes=count)

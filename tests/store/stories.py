"""A world and its ledger, and the deeds that a story is made of."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from dataclasses import fields, replace
from datetime import UTC, datetime, timedelta

from hostwatch.core import acknowledging, calling, calls, delivery, enrolment, facts, judge
from hostwatch.core.acknowledgement import Acknowledgement, How
from hostwatch.core.device import Device, State
from hostwatch.core.emergency import AttemptOutcome, NoticeState
from hostwatch.core.population import Customer, Population
from hostwatch.core.proof import Proof
from hostwatch.core.reading import Answer, Kind, Outcome, Reading
from hostwatch.core.service import Service
from hostwatch.core.terms import AgreementTerms
from hostwatch.core.world import Decision, World
from hostwatch.store.ledger import Ledger

BEGINNING = datetime(2026, 1, 5, tzinfo=UTC)
TERMS = AgreementTerms(interval=timedelta(seconds=60))
KNOWN_AFTER = timedelta(seconds=1)


def population(*devices: Device, contacts: tuple[str, ...] = ("duty", "boss"), misses: int = 2) -> Population:
    """Customers as the devices name them."""
    terms = replace(TERMS, misses=misses)
    names = sorted({device.customer for device in devices} | {"acme"})
    return Population(
        customers={name: Customer(id=name, contacts=contacts, terms=terms) for name in names},
        devices={device.id: device for device in devices},
    )


def device(
    number: int,
    *,
    customer: str = "acme",
    state: State = State.IN_SERVICE,
    address: int = 1,
    method: str = "icmp",
    services: tuple[Service, ...] = (),
) -> Device:
    """A device of a story."""
    return Device(
        id=f"d{number}",
        customer=customer,
        address=f"192.0.2.{address}",
        state=state,
        method=method,
        services=services,
    )


class Story:
    """Every deed is committed and then applied; `agrees` says that the store tells the same world."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self.connection = connection
        self.now = BEGINNING
        self.configurations = 0
        self.start()

    def start(self) -> None:
        """Take the store over, as after a crash."""
        self.ledger = Ledger(self.connection, "boot")
        self.ledger.open()
        self.world = self.ledger.load()
        self.do(judge.start(self.world, self.ledger.epoch, "test", self.now))

    def do(self, decision: Decision) -> None:
        """Commit, then apply."""
        self.ledger.commit(decision, self.now)
        self.world.apply(decision)

    def agrees(self) -> None:
        """The world that the store tells is the world that we know, but for slices that are open."""
        loaded = self.ledger.load()
        for field in fields(World):
            one, other = getattr(self.world, field.name), getattr(loaded, field.name)
            if field.name == "schedule":
                assert (one.version, one.digest, one.targets) == (other.version, other.digest, other.targets)
            elif field.name != "slices":
                assert one == other, field.name

    def enrol(self, people: Population) -> None:
        """Bring a configuration into force."""
        self.configurations += 1
        accepted = enrolment.Accepted(
            population=people,
            digest=f"digest {self.configurations}",
            author="somebody",
            difference=({"key": "customers", "new": 1},),
            content={"customers": self.configurations},
        )
        self.do(enrolment.apply(self.world, accepted, self.now))

    def look(
        self, outcomes: list[tuple[str, Outcome]], kind: Kind = Kind.SCHEDULED, *, closes: bool = True
    ) -> None:
        """Look at signals, some seconds later."""
        self.now += timedelta(seconds=30)
        known_at = self.now + KNOWN_AFTER
        brought = [
            Reading(
                signal=name, at=self.now, known_at=known_at, outcome=outcome, kind=kind, why=outcome.value
            )
            for name, outcome in outcomes
        ]
        schedule = self.world.schedule
        key = (schedule.version, schedule.slice_at(self.now)) if kind is Kind.SCHEDULED else None
        due = set() if key is None else {turn.signal for turn in schedule.turns(key[1])}
        closes = closes and due <= {name for name, _ in outcomes}  # all have been looked at
        self.do(judge.readings(self.world, key, brought, closes=closes, now=known_at))

    def round(self, outcome_of: Callable[[str], Outcome]) -> None:
        """All that are due in the next slices for a minute, each slice closed when all were looked at."""
        schedule = self.world.schedule
        first = schedule.slice_at(self.now) + 1
        for number in range(first, first + 12):
            self.now = schedule.begin(number + 1)
            answers, others = [], []
            for turn in schedule.turns(number):
                outcome = outcome_of(turn.signal)
                answer = Answer(turn.signal, turn.at_us, turn.interval_us, turn.at_us + 700, turn.at_us + 900)
                reading = replace(answer.reading, outcome=outcome, why=outcome.value)
                if outcome is Outcome.ANSWERED:
                    answers.append(answer)
                else:
                    others.append(reading)
            key = (schedule.version, number)
            if others:
                self.do(judge.readings(self.world, key, others, closes=False, now=self.now))
                self.agrees()
            self.do(judge.readings(self.world, key, (), closes=True, now=self.now, plain=answers))

    def miss(self, *names: str) -> None:
        """A scheduled look that nobody answers."""
        self.look([(name, Outcome.MISSED) for name in names])

    def answer(self, *names: str) -> None:
        """A scheduled look that all answer."""
        self.look([(name, Outcome.ANSWERED) for name in names])

    def acknowledge(self, place: int, who: str, contact: str) -> None:
        """Somebody has one of the emergencies of which something is owed."""
        told = sorted({(n.emergencies[0], n.customer) for n in self.world.notices.values()})
        if told:
            reference, customer = told[place % len(told)]
            said = Acknowledgement(
                customer=customer, contact=contact, who=who, how=How.CLI, actor="me", at=self.now
            )
            self.do(acknowledging.acknowledge(self.world, reference, said, self.now))

    def has_it_no_more(self, place: int) -> None:
        """One of those who have something takes it back."""
        has = [(name, one) for name, known in sorted(self.world.acknowledged.items()) for one in known]
        if has:
            reference, one = has[place % len(has)]
            self.do(acknowledging.withdraw(self.world, reference, one, actor="me", because="b", now=self.now))

    def take_a_call(self, place: int, who: str) -> None:
        """Somebody takes one of the calls that are to be made."""
        sheet = [*calling.sheet(self.world)]
        if sheet:
            notice, attempt, _ = sheet[place % len(sheet)]
            self.do(calling.take(self.world, notice.id, attempt.number, who, "me", self.now))

    def end_a_call(self, place: int, outcome: calls.Outcome, *, has_it: bool) -> None:
        """Something came of one of them."""
        sheet = [*calling.sheet(self.world)]
        if not sheet:
            return
        notice, attempt, _ = sheet[place % len(sheet)]
        said = facts.CallEnded(
            at=self.now,
            notice=notice.id,
            number=attempt.number,
            outcome=outcome.value,
            to="t",
            acknowledged=has_it,
            by="b",
            evidence=calls.STATED,
            reference="",
            actor="me",
        )
        self.do(calling.end(self.world, notice, said))

    def attempt(self, place: int, outcome: AttemptOutcome) -> None:
        """Try a pending notice once; OPEN leaves the attempt without an outcome."""
        pending = [n for n in self.world.pending() if not _open(n.attempts)]
        if not pending:
            return
        notice = pending[place % len(pending)]
        began = delivery.begin(
            notice, rung=len(notice.attempts) % 2, channel="email", address="c", now=self.now
        )
        self.do(began)
        if outcome is AttemptOutcome.OPEN:
            return
        self.do(
            delivery.end(
                self.world,
                began.notices[0],
                outcome,
                said="s",
                now=self.now,
                perhaps_arrived=outcome is AttemptOutcome.FAILED,
                retry_after=timedelta(seconds=7) if outcome is AttemptOutcome.FAILED else None,
                proof=Proof.ATTEMPTED if outcome is AttemptOutcome.ATTEMPTED else Proof.ACCEPTED,
                receipt=f"{calls.PREFIX}key" if outcome is AttemptOutcome.ATTEMPTED else "",
            )
        )

    def settle(self, place: int, state: NoticeState) -> None:
        """Give a pending notice up."""
        pending = self.world.pending()
        if pending:
            notice = pending[place % len(pending)]
            self.do(delivery.abandon(self.world, notice, state, "because", self.now))


def _open(attempts: tuple[object, ...]) -> bool:
    return bool(attempts) and getattr(attempts[-1], "outcome", None) is AttemptOutcome.OPEN

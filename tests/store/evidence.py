"""A store filled slice by slice, and what was put into it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

from hostwatch.core import enrolment, judge, latency
from hostwatch.core.device import Device
from hostwatch.core.latency import Brought
from hostwatch.core.population import Customer, Population
from hostwatch.core.reading import Answer, Outcome, Reading
from hostwatch.core.schedule import Turn
from hostwatch.core.terms import AgreementTerms
from hostwatch.core.world import Decision
from hostwatch.store.connection import connect
from hostwatch.store.ledger import Ledger

BEGINNING = datetime(2025, 10, 1, tzinfo=UTC)
Answering = Callable[[Turn], tuple[Outcome, int]]
"""What the ping of a turn brings: the outcome, and the code of its latency and loss."""


def population(**intervals_s: Mapping[str, float]) -> Population:
    """Customers by name, each with devices and the interval of all of them: `acme={"web-1": 60}`."""
    return Population(
        customers={
            name: Customer(
                id=name,
                terms=AgreementTerms(interval=timedelta(seconds=next(iter(devices.values())))),
            )
            for name, devices in intervals_s.items()
        },
        devices={
            device: Device(id=device, customer=name, address=f"192.0.2.{place}")
            for name, devices in intervals_s.items()
            for place, device in enumerate(devices, 1)
        },
    )


class Filled:
    """A store, and what each signal brought in it."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.ledger = Ledger(connect(path), "boot")
        self.ledger.open()
        self.world = self.ledger.load()
        self.now = BEGINNING
        self.brought: dict[str, list[Brought]] = {}
        self.do(judge.start(self.world, self.ledger.epoch, "test", self.now))

    def do(self, decision: Decision) -> None:
        """Commit, then apply."""
        self.ledger.commit(decision, self.now)
        self.world.apply(decision)

    def enrol(self, people: Population) -> None:
        """Bring a population into force."""
        accepted = enrolment.Accepted(
            population=people,
            digest=f"at {self.now}",
            author="somebody",
            difference=({"key": "x"},),
            content={},
        )
        self.do(enrolment.apply(self.world, accepted, self.now))

    def reopen(self) -> None:
        """Take the store over anew, as after a crash."""
        self.ledger.close()
        self.ledger = Ledger(connect(self.path), "another boot")
        self.ledger.open()
        self.world = self.ledger.load()

    def slices(self, count: int, answering: Answering, *, closes: bool = True) -> None:
        """Fill the next slices."""
        schedule = self.world.schedule
        first = schedule.slice_at(self.now) + 1
        for number in range(first, first + count):
            self.now = schedule.begin(number + 1)
            plain: list[Answer] = []
            others: list[Reading] = []
            codes = []
            for turn in schedule.turns(number):
                outcome, code = answering(turn)
                codes.append(code)
                answer = Answer(turn.signal, turn.at_us, turn.interval_us, turn.at_us + 700, turn.at_us + 900)
                if outcome is Outcome.ANSWERED:
                    plain.append(answer)
                else:
                    others.append(replace(answer.reading, outcome=outcome, why="seen"))
                if closes:
                    self.brought.setdefault(turn.signal, []).append(Brought(turn.at_us, outcome, code))
            key = (schedule.version, number)
            stored = latency.pack(codes) if closes else b""
            self.do(
                judge.readings(
                    self.world, key, others, closes=closes, now=self.now, latencies=stored, plain=plain
                )
            )

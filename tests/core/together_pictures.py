"""Pictures of a device and its services: what happened to each, a row of tokens for each, and what was told.

The language is that of `tests.core.pictures`; the tables are read from `docs/judgement.md`. The device is due
each five minutes, `www` a minute later and `email` two minutes later.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path

from hostwatch.core import enrolment, facts, judge, telling
from hostwatch.core.device import Device
from hostwatch.core.population import Population
from hostwatch.core.reading import Kind, Outcome, Reading
from hostwatch.core.service import Service
from hostwatch.core.world import Decision, World
from hostwatch.store import ledger
from hostwatch.store.connection import connect
from tests.core.pictures import (
    KINDS,
    MISS_KNOWN_AFTER,
    OUTCOMES,
    WATCHED,
    Event,
    clock,
    events,
    instant,
    rows,
)

ROWS = ("device", "www", "email")
PHASE = {"device": 0, "www": 60, "email": 120}
SERVICES = (Service(name="email"), Service(name="www"))
DEVICE = Device(id="web", customer="acme", address="192.0.2.1", services=SERVICES)
SIGNALS = {"device": "web/ping@main", "www": "web/www@main", "email": "web/email@main"}


@dataclass(frozen=True)
class Case:
    """One row of the table."""

    name: str
    device: str
    www: str
    email: str
    told: str


def cases(page: str) -> list[Case]:
    """The rows of the tables of a device and its services on the page."""
    return [Case(*cells) for cells in rows(page, "case", "device")]


def merged(case: Case) -> Iterator[tuple[int, str, Event]]:
    """All events of all rows, in the order in which they become known: a miss does so after a while."""

    def known(one: tuple[int, str, Event]) -> timedelta:
        at, _, event = one
        missed = OUTCOMES.get(event.letter) is Outcome.MISSED
        return timedelta(seconds=at) + (MISS_KNOWN_AFTER if missed else timedelta(0))

    found = [
        (event.at + PHASE[row], row, event)
        for row in ROWS
        for event in (events(getattr(case, row)) if getattr(case, row) != "–" else ())
        if event.letter not in (".", "end")
    ]
    return iter(sorted(found, key=known))


class Stage:
    """Plays a case. After each deed the store must tell the same world."""

    def __init__(self, path: Path, services: tuple[Service, ...] = SERVICES) -> None:
        self.path = path
        self.facts: list[facts.Fact] = []
        self.device = replace(DEVICE, services=services)
        self.people = replace(WATCHED, devices={"web": self.device})
        self._open()
        self._enrol(self.people, 0)

    def _open(self) -> None:
        self.ledger = ledger.Ledger(connect(self.path), "boot")
        self.ledger.open()
        self.world: World = self.ledger.load()

    def _enrol(self, population: Population, at: int) -> None:
        accepted = enrolment.Accepted(
            population=population, digest=str(at), author="nobody", difference=(), content={}
        )
        self.do(enrolment.apply(self.world, accepted, instant(at)), at)

    def do(self, decision: Decision, at: int) -> None:
        """Commit, then apply, then compare with what the store tells."""
        self.ledger.commit(decision, instant(at))
        self.world.apply(decision)
        self.facts.extend(decision.facts)
        told = self.ledger.load()
        for name in ("emergencies", "open_by_signal", "duties", "references"):
            assert getattr(told, name) == getattr(self.world, name), name
        assert dict(told.holds) == dict(self.world.holds)
        covered = [name for one in self.world.emergencies.values() for name in one.signals]
        assert len(covered) == len(set(covered)), "no signal has two emergencies"

    def play(self, case: Case, until: int = 0) -> None:
        """Play all rows; then wait until then."""
        for at, row, event in merged(case):
            self.wait(at)
            self._event(row, event, at)
        self.wait(until)
        self.ledger.close()

    def wait(self, at: int) -> None:
        """Whatever waits and is over by then is told when it is."""
        while self.world.holds and (due := min(hold.until for hold in self.world.holds.values())) <= instant(
            at
        ):
            decision = telling.overdue(self.world, due)
            assert decision != Decision()
            self.do(decision, (due - instant(0)) // timedelta(seconds=1))

    def _event(self, row: str, event: Event, at: int) -> None:
        match event.letter:
            case "R":
                self.ledger.close()
                self._open()
                self.do(judge.start(self.world, self.ledger.epoch, "test", instant(at)), at)
            case "<" | ">":
                self.do(judge.follow_clock(self.world, instant(at), instant(at + event.step)), at)
            case "x":
                left = tuple(one for one in self.device.services if one.name != row)
                self.device = replace(self.device, services=left)
                self._enrol(replace(self.people, devices={} if row == "device" else {"web": self.device}), at)
            case "o":
                acme = self.people.customers["acme"]
                self.device = replace(self.device, customer="bolt")
                self.people = replace(self.people, customers={"acme": acme, "bolt": replace(acme, id="bolt")})
                self._enrol(replace(self.people, devices={"web": self.device}), at)
            case _:
                self.look(row, at, OUTCOMES[event.letter], KINDS.get(event.letter, Kind.SCHEDULED))

    def look(self, row: str, at: int, outcome: Outcome, kind: Kind = Kind.SCHEDULED) -> None:
        """A look at one of them."""
        known_at = instant(at) + (MISS_KNOWN_AFTER if outcome is Outcome.MISSED else timedelta(0))
        why = "" if outcome is Outcome.ANSWERED else "no answer"
        reading = Reading(
            signal=SIGNALS[row], at=instant(at), known_at=known_at, outcome=outcome, kind=kind, why=why
        )
        schedule = self.world.schedule
        key = (schedule.version, schedule.slice_at(instant(at))) if kind is Kind.SCHEDULED else None
        self.do(judge.readings(self.world, key, [reading], closes=True, now=known_at), at)

    @property
    def told(self) -> str:
        """What was decided, and when: `7:32 E1 www` opens an emergency, `E1 + web` is told under it."""
        return "; ".join(_told(self.facts)) or "–"


def _told(happened: list[facts.Fact]) -> Iterator[str]:
    def short(reference: str) -> str:
        return f"E{int(reference[2:])}"

    for fact in happened:
        match fact:
            case facts.EmergencyHeld():
                yield f"{clock(fact.at)} {_row(fact.signal)} waits"
            case facts.EmergencyOpened():
                yield f"{clock(fact.at)} {short(fact.reference)} {_row(fact.signal)}"
            case facts.EmergencyJoined():
                yield f"{short(fact.reference)} + {_row(fact.signal)}"
            case facts.NoticeOwed(kind="update"):
                yield f"{clock(fact.at)} {short(fact.emergencies[0])} updated"
            case facts.EmergencyEnded():
                how = "withdrawn" if fact.withdrawn else "over"
                yield f"{clock(fact.at)} {short(fact.reference)} {how}"
            case _:
                pass


def _row(signal: str) -> str:
    return next(row for row, name in SIGNALS.items() if name == signal)

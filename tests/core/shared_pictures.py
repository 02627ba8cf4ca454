"""Pictures of what devices hang on: looks at switches, supplies and devices, and who was told of what when.

The tables are read from `docs/judgement.md`. A token is an outcome with its time: `A` `M` `?` a scheduled
look that was answered, missed or unknown, `F` `f` a follow-up look answered or missed, `x` no longer watched,
`R` a restart. `M1:00` is a miss of a packet that left at 1:00, and is known 2 s later.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path

from hostwatch.core import enrolment, facts, judge, telling
from hostwatch.core.device import Device
from hostwatch.core.place import Place
from hostwatch.core.population import Customer, Population
from hostwatch.core.reading import Kind, Outcome, Reading
from hostwatch.core.service import Service
from hostwatch.core.supply import Supply
from hostwatch.core.switch import Switch
from hostwatch.core.world import Decision, World
from hostwatch.store import ledger
from hostwatch.store.connection import connect
from tests.core.pictures import KINDS, MISS_KNOWN_AFTER, OUTCOMES, clock, instant, seconds

TOKEN = re.compile(r"([AM?FfxR])(\d+:\d\d)")
BOTH = "any(ups-a,ups-b)"
SIGNALS = {
    "core": "switch:core/ping@main",
    "sw-1": "switch:sw-1/ping@main",
    "sw-2": "switch:sw-2/ping@main",
    "ups-a": "supply:ups-a/power@main",
    "ups-b": "supply:ups-b/power@main",
    "both": f"supply:{BOTH}/power@main",
    "web": "web/ping@main",
    "www": "web/www@main",
    "db": "db/ping@main",
    "nas": "nas/ping@main",
}


def device(name: str, customer: str, supply: str, ports: str, *services: str) -> Device:
    place = Place(rack="r1", supply=supply, ports=ports)
    named = tuple(Service(name=one) for one in services)
    return Device(id=name, customer=customer, address="192.0.2.1", place=place, services=named)


def switch(name: str, behind: str = "") -> Switch:
    return Switch(id=name, name=name.upper(), address="192.0.2.2", behind=behind)


WATCHED = Population(
    customers={
        name: Customer(id=name, contacts=("duty",)) for name in ("acme", "beta", "gamma", "noc", "delta")
    },
    devices={
        "web": device("web", "acme", "ups-a", "sw-1/1", "www"),
        "db": device("db", "beta", "ups-b", "sw-1/2"),
        "nas": device("nas", "gamma", BOTH, "any(sw-1/3,sw-2/3)"),
    },
    switches={"core": switch("core"), "sw-1": switch("sw-1", "core"), "sw-2": switch("sw-2", "core")},
    supplies={name: Supply(id=name) for name in ("ups-a", "ups-b", BOTH)},
    operator="noc",
)


@dataclass(frozen=True)
class Case:
    """One row of a table."""

    name: str
    rows: tuple[tuple[str, str], ...]
    """What is looked at, and its picture."""

    told: str


def cases(page: str) -> list[Case]:
    """The rows of the tables on the page whose columns are all known here."""
    found: list[Case] = []
    columns: list[str] = []
    for line in page.splitlines():
        cells = [cell.strip().strip("`") for cell in line.strip().strip("|").split("|")]
        if not line.startswith("|"):
            columns = []
        elif cells[0] == "case" and cells[-1] == "told" and {*cells[1:-1]} <= {*SIGNALS}:
            columns = cells[1:-1]
        elif columns and not set(line) <= set("|-: "):
            name, *pictures, told = cells
            rows = zip(columns, pictures, strict=True)
            found.append(Case(name, tuple((row, one) for row, one in rows if one != "–"), told))
    return found


@dataclass(frozen=True, order=True)
class Event:
    """One token."""

    known: int
    at: int
    row: str
    letter: str


def events(case: Case) -> list[Event]:
    """All tokens of all rows, in the order in which they become known."""
    found = []
    for row, picture in case.rows:
        for token in picture.split():
            match = TOKEN.fullmatch(token)
            assert match is not None, f"{token!r} is no token of a picture"
            letter, at = match[1], seconds(match[2])
            missed = OUTCOMES.get(letter) is Outcome.MISSED and not row.startswith(("ups", "both"))
            found.append(Event(at + 2 * missed, at, row, letter))
    return sorted(found)


class Stage:
    """Plays a case. After each deed the store must tell the same world."""

    def __init__(self, path: Path, people: Population = WATCHED) -> None:
        self.path = path
        self.people = people
        self.decisions: list[Decision] = []
        self._open()
        self.enrol(self.people, 0)

    @property
    def facts(self) -> list[facts.Fact]:
        return [fact for decision in self.decisions for fact in decision.facts]

    def _open(self) -> None:
        self.ledger = ledger.Ledger(connect(self.path), "boot")
        self.ledger.open()
        self.world: World = self.ledger.load()

    def enrol(self, population: Population, at: int) -> None:
        self.people = population
        digest = f"{at}, {len(self.decisions)}"  # two at one instant are two
        accepted = enrolment.Accepted(
            population=population, digest=digest, author="nobody", difference=(), content={}
        )
        self.do(enrolment.apply(self.world, accepted, instant(at)), at)

    def do(self, decision: Decision, at: int) -> None:
        """Commit, then apply, then compare with what the store tells."""
        self.ledger.commit(decision, instant(at))
        self.world.apply(decision)
        self.decisions.append(decision)
        told = self.ledger.load()
        for name in ("emergencies", "open_by_signal", "duties", "references"):
            assert getattr(told, name) == getattr(self.world, name), name
        assert dict(told.holds) == dict(self.world.holds)
        covered = [name for one in self.world.emergencies.values() for name in one.signals]
        assert len(covered) == len(set(covered)), "no signal has two emergencies"

    def play(self, case: Case, until: int = 0) -> None:
        """Play all rows; then wait until then."""
        for event in events(case):
            self.wait(event.known)
            self._event(event)
        self.wait(until)
        self.ledger.close()

    def wait(self, at: int) -> None:
        """Whatever waits and is over by then is told when it is."""
        while (due := self.world.holds.first_until) is not None and due <= instant(at):
            self.do(telling.overdue(self.world, due), (due - instant(0)) // timedelta(seconds=1))

    def _event(self, event: Event) -> None:
        match event.letter:
            case "R":
                self.ledger.close()
                self._open()
                self.do(judge.start(self.world, self.ledger.epoch, "test", instant(event.at)), event.at)
            case "x":
                self.enrol(_without(self.people, event.row), event.at)
            case _:
                kind = KINDS.get(event.letter, Kind.SCHEDULED)
                self.look(event.row, event.at, OUTCOMES[event.letter], kind)

    def look(self, row: str, at: int, outcome: Outcome, kind: Kind = Kind.SCHEDULED) -> None:
        """A look at one of them."""
        self.look_at_all((row,), at, outcome, kind)

    def look_at_all(
        self, rows: tuple[str, ...], at: int, outcome: Outcome, kind: Kind = Kind.SCHEDULED
    ) -> None:
        """Looks that become known in one deed."""
        late = outcome is Outcome.MISSED and not rows[0].startswith(("ups", "both"))
        known_at = instant(at) + (MISS_KNOWN_AFTER if late else timedelta(0))
        why = "" if outcome is Outcome.ANSWERED else "no answer"
        readings = [
            Reading(
                signal=SIGNALS.get(row, f"{row}/ping@main"),
                at=instant(at),
                known_at=known_at,
                outcome=outcome,
                kind=kind,
                why=why,
            )
            for row in rows
        ]
        self.do(judge.readings(self.world, None, readings, closes=False, now=known_at), at)

    @property
    def told(self) -> str:
        """What was decided, and who was told of it."""
        return "; ".join(line for decision in self.decisions for line in _told(decision)) or "–"


def _without(people: Population, row: str) -> Population:
    return replace(
        people,
        devices={name: one for name, one in people.devices.items() if name != row},
        switches={name: one for name, one in people.switches.items() if name != row},
        supplies={
            name: one for name, one in people.supplies.items() if SIGNALS.get(row) != one.signal("main")
        },
    )


def _told(decision: Decision) -> Iterator[str]:
    ended = {fact.reference for fact in decision.facts if isinstance(fact, facts.EmergencyEnded)}
    for fact in decision.facts:
        match fact:
            case facts.EmergencyHeld():
                yield f"{clock(fact.at)} {_row(fact.signal)} waits"
            case facts.EmergencyOpened():
                yield f"{clock(fact.at)} {_short(fact.reference)} {_row(fact.signal)}"
            case facts.SupplyEmergencyOpened() | facts.SwitchEmergencyOpened():
                names = fact.customers
                yield f"{clock(fact.at)} {_short(fact.reference)} {_row(fact.signal)} ({', '.join(names)})"
            case facts.EmergencyJoined():
                yield f"{_short(fact.reference)} + {_row(fact.signal)}"
            case facts.EmergencyEnded():
                how = "withdrawn" if fact.withdrawn else "over"
                yield f"{clock(fact.at)} {_short(fact.reference)} {how}"
            case facts.NoticeOwed(kind=kind, emergencies=(reference,)) if fact.customer != "noc":
                opened = _opened(decision, reference)
                if kind == "update":
                    yield f"{clock(fact.at)} {_short(reference)} updated for {fact.customer}"
                elif kind == "emergency" and not opened:
                    yield f"{_short(reference)} tells {fact.customer}"
                elif kind != "emergency" and reference not in ended:
                    yield f"{clock(fact.at)} {_short(reference)} over for {fact.customer}"
            case _:
                pass


def _opened(decision: Decision, reference: str) -> bool:
    kinds = (facts.EmergencyOpened, facts.SupplyEmergencyOpened, facts.SwitchEmergencyOpened)
    return any(isinstance(fact, kinds) and fact.reference == reference for fact in decision.facts)


def _short(reference: str) -> str:
    return f"E{int(reference[2:])}"


def _row(signal: str) -> str:
    return next((row for row, name in SIGNALS.items() if name == signal), signal.partition("/")[0])

"""Pictures: what happened to one signal, as a row of tokens, played through judge and ledger.

The language is explained in `docs/judgement.md`, and the tables there are written in it: what is
run here is read from that very page.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

from hostwatch.core import enrolment, facts, judge, signal
from hostwatch.core.device import Device
from hostwatch.core.population import Customer, Population
from hostwatch.core.reading import Kind, Outcome, Reading
from hostwatch.core.terms import AgreementTerms
from hostwatch.core.world import Decision, World
from hostwatch.store import ledger
from hostwatch.store.connection import connect

PAGE = Path(__file__).parents[2] / "docs" / "judgement.md"
BEGINNING = datetime(2026, 1, 5, tzinfo=UTC)
INTERVAL = 300
TERMS = AgreementTerms(interval=timedelta(seconds=INTERVAL))
FOLLOW_UP_EVERY = 30
MISS_KNOWN_AFTER = timedelta(seconds=2)
DEVICE = Device(id="web", customer="acme", address="192.0.2.1")
SIGNAL = DEVICE.signal("main")
WATCHED = Population(
    customers={"acme": Customer(id="acme", contacts=("duty",), terms=TERMS)}, devices={"web": DEVICE}
)
NOBODY = replace(WATCHED, devices={})

TOKEN = re.compile(r"(?P<letter>[AM?.amfFcCRxo()]|[<>](?P<step>\d+:\d\d))(@(?P<offset>\d+:\d\d))?")
SLOTS = "AM?."
OUTCOMES = {
    **dict.fromkeys("AaFC", Outcome.ANSWERED),
    **dict.fromkeys("Mmfc", Outcome.MISSED),
    "?": Outcome.UNKNOWN,
}
KINDS = {**dict.fromkeys("fF", Kind.FOLLOW_UP), **dict.fromkeys("cC", Kind.CATCH_UP)}


@dataclass(frozen=True)
class Case:
    """One row of the tables."""

    name: str
    picture: str
    silences: str
    verdicts: str
    recoveries: str
    unknown: str
    down: str
    up: str


def rows(page: str, *heading: str) -> list[list[str]]:
    """The cells of the rows of all tables on the page whose headings begin so."""
    found, inside = [], False
    for line in page.splitlines():
        cells = [cell.strip().strip("`") for cell in line.strip().strip("|").split("|")]
        if not line.startswith("|"):
            inside = False
        elif cells[: len(heading)] == [*heading]:
            inside = True
        elif inside and not set(line) <= set("|-: "):
            found.append(cells)
    return found


def cases(page: str) -> list[Case]:
    """The rows of all tables of pictures on the page."""
    return [Case(*cells) for cells in rows(page, "case", "picture")]


def seconds(text: str) -> int:
    """`5:30` as seconds."""
    minutes, rest = text.split(":")
    return int(minutes) * 60 + int(rest)


def clock(when: datetime) -> str:
    """An instant as minutes and seconds since the beginning."""
    passed = (when - BEGINNING) // timedelta(seconds=1)
    return f"{passed // 60}:{passed % 60:02d}"


@dataclass(frozen=True)
class Event:
    """One token with its place in time, in seconds since the beginning."""

    letter: str
    at: int
    step: int = 0


def events(picture: str) -> Iterator[Event]:
    """The tokens in order; the last event is `end`, at the instant of the next slot."""
    now, slot, follow_ups = -1, 0, 0
    for token in picture.split():
        found = TOKEN.fullmatch(token)
        assert found is not None, f"{token!r} is no token of a picture"
        letter, offset = found["letter"], seconds(found["offset"] or "0:00")
        if letter in SLOTS:
            slot, follow_ups = _next_slot(now), 0
        elif letter in "fF":
            follow_ups += 1
            offset = offset or follow_ups * FOLLOW_UP_EVERY
        now = slot + offset
        step = seconds(found["step"]) * (1 if letter[0] == ">" else -1) if found["step"] else 0
        yield Event(letter[0], now, step)
        now += step
        slot = now - now % INTERVAL if step else slot
    yield Event("end", _next_slot(now))


def _next_slot(now: int) -> int:
    return (now // INTERVAL + 1) * INTERVAL


class Stage:
    """Plays a picture: every decision goes through the ledger and only then into the world."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.facts: list[facts.Fact] = []
        """What was recorded, and at the end what closes the account."""

        self.recorded: tuple[facts.Fact, ...] = ()
        self.end = 0
        self._open()
        self._enrol(WATCHED, 0)

    def _open(self) -> None:
        self.ledger = ledger.Ledger(connect(self.path), "boot")
        self.ledger.open()
        self.world: World = self.ledger.load()

    def _enrol(self, population: Population, at: int) -> None:
        accepted = enrolment.Accepted(
            population=population, digest=str(at), author="nobody", difference=(), content={}
        )
        self._do(enrolment.apply(self.world, accepted, instant(at)), at)

    def _do(self, decision: Decision, at: int) -> None:
        self.ledger.commit(decision, instant(at))
        self.world.apply(decision)
        self.facts.extend(decision.facts)

    def play(self, picture: str) -> None:
        """Play all tokens; then close what is open, as if the signal were withdrawn at the end."""
        for event in events(picture):
            self._event(event)
        self.ledger.close()

    def _event(self, event: Event) -> None:
        match event.letter:
            case "end":
                self._finish(event.at)
            case "x":
                self._enrol(NOBODY, event.at)
                self.end = event.at
            case "R":
                self.ledger.close()
                self._open()
                self._do(judge.start(self.world, self.ledger.epoch, "test", instant(event.at)), event.at)
            case "(":
                self._do(judge.go_blind(self.world, "no sight", "", instant(event.at)), event.at)
            case ")":
                self._do(judge.see_again(self.world, "no sight", instant(event.at)), event.at)
            case "<" | ">":
                before, after = instant(event.at), instant(event.at + event.step)
                self._do(judge.follow_clock(self.world, before, after), event.at)
            case ".":
                pass
            case _:
                self._look(event)

    def _look(self, event: Event) -> None:
        outcome, kind = OUTCOMES[event.letter], KINDS.get(event.letter, Kind.SCHEDULED)
        at = instant(event.at)
        known_at = at + MISS_KNOWN_AFTER if outcome is Outcome.MISSED else at
        why = "" if outcome is Outcome.ANSWERED else "no answer"
        reading = Reading(signal=SIGNAL, at=at, known_at=known_at, outcome=outcome, kind=kind, why=why)
        schedule = self.world.schedule
        key = (schedule.version, schedule.slice_at(at)) if kind is Kind.SCHEDULED else None
        self._do(judge.readings(self.world, key, [reading], closes=True, now=known_at), event.at)

    def _finish(self, at: int) -> None:
        self.recorded = (*self.facts,)
        known = self.world.signals.get(SIGNAL)
        if known is not None:
            self.end = at
            closing = signal.withdraw(known, instant(at))
            self.facts.extend(
                replace(fact, why="open") if isinstance(fact, facts.SilenceCut) else fact for fact in closing
            )


def instant(at: int) -> datetime:
    """Seconds since the beginning as an instant."""
    return BEGINNING + timedelta(seconds=at)


@dataclass(frozen=True)
class Account:
    """What the facts say, by sets of seconds: slow, and hard to get wrong."""

    silences: str
    verdicts: str
    recoveries: str
    unknown: str
    down: str
    up: str


def account(happened: list[facts.Fact], end: int) -> Account:
    """Fold the facts of one signal over `[0, end)`."""
    unknown: set[int] = set()
    inner: set[int] = set()
    point: set[int] = set()
    outer: set[int] = set()
    silences, verdicts, recoveries = [], [], []
    for fact in happened:
        match fact:
            case facts.SilenceEnded() | facts.SilenceCut():
                inner |= span(fact.first_miss, fact.last_miss)
                point |= span(fact.first_miss, fact.at)
                outer |= span(fact.last_answer, fact.at)
                silences.append(four_dates(fact))
            case facts.Unspoken():
                unknown |= span(fact.since, fact.at)
            case facts.ClockStepped():
                unknown |= span(min(fact.before, fact.at), max(fact.before, fact.at))
            case facts.WentDown():
                verdicts.append(clock(fact.at))
            case facts.CameUp():
                recoveries.append(clock(fact.at))
            case facts.EmergencyEnded(withdrawn=True):
                recoveries.append(f"withdrawn {clock(fact.at)}")
            case _:
                pass
    period = set(range(end))
    unknown &= period
    down = [len((seconds_ & period) - unknown) for seconds_ in (inner, point, outer)]
    return Account(
        silences="; ".join(silences) or "–",
        verdicts="; ".join(verdicts) or "–",
        recoveries="; ".join(recoveries) or "–",
        unknown=str(len(unknown)),
        down=" / ".join(map(str, down)),
        up=str(len(period - unknown - point)),
    )


def span(start: datetime, end: datetime) -> set[int]:
    """The whole seconds from `start` to `end`."""
    one = timedelta(seconds=1)
    return set(range((start - BEGINNING) // one, (end - BEGINNING) // one))


def four_dates(fact: facts.SilenceEnded | facts.SilenceCut) -> str:
    """Last answer, first miss, last miss, first answer: or why there is none."""
    last = clock(fact.at)
    if isinstance(fact, facts.SilenceCut):
        last = "open" if fact.why == "open" else f"cut {last}"
    return " ".join((clock(fact.last_answer), clock(fact.first_miss), clock(fact.last_miss), last))

"""Years of the pure core at counting-house speed: a heap of moments at which anything may change.

Between two changes of the scripted world a device's readings are all alike. The first few of them
and the last are observed; those between are skipped by `coast`, which is checked against observing
every one of them.
"""

from __future__ import annotations

import heapq
import random
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from itertools import pairwise

from hostwatch.core import delivery, enrolment, facts, instant, judge
from hostwatch.core.device import Device
from hostwatch.core.emergency import AttemptOutcome
from hostwatch.core.population import Customer, Population
from hostwatch.core.reading import Kind, Outcome, Reading
from hostwatch.core.schedule import Target
from hostwatch.core.signal import Signal
from hostwatch.core.terms import AgreementTerms
from hostwatch.core.world import Decision, World
from tests.simulation.evidence import Proof
from tests.simulation.telling import Duties
from tests.simulation.verdicts import People, Verdicts

START = datetime(2026, 1, 1, tzinfo=UTC)
TERMS = AgreementTerms()
INTERVAL = TERMS.interval
KNOWN_AFTER = timedelta(seconds=3)
OUTCOMES = {outcome.value for outcome in Outcome}
FIRST = 4
"""Readings after a change that are observed one by one."""

Change = tuple[datetime, Outcome]


def coast(signal: Signal, at: datetime, outcome: Outcome) -> Signal:
    """The signal after a run of readings like the last one, the latest of them at `at`."""
    if outcome is Outcome.UNKNOWN or (outcome is Outcome.MISSED and signal.last_answer is None):
        return replace(signal, last_reading=at)
    moved = replace(signal, last_reading=at, speaks_until=at + INTERVAL + TERMS.tolerance)
    if outcome is Outcome.ANSWERED:
        return replace(moved, last_answer=at)
    assert signal.silence is not None
    misses = signal.misses + (at - signal.silence.last_miss) // INTERVAL
    return replace(moved, misses=misses, silence=replace(signal.silence, last_miss=at))


def life(dice: random.Random, length: timedelta, changes: int) -> list[Change]:
    """What a device does over a time: up first, then down, unknown or up by turns."""
    moments = sorted(
        START + timedelta(seconds=dice.uniform(600, length.total_seconds())) for _ in range(changes)
    )
    found: list[Change] = [(START, Outcome.ANSWERED)]
    for moment in moments:
        lasts = timedelta(seconds=dice.choice((dice.uniform(1, 900), dice.uniform(900, 40_000))))
        if moment > found[-1][0]:
            found.append((moment, dice.choice((Outcome.MISSED, Outcome.MISSED, Outcome.UNKNOWN))))
            found.append((moment + lasts, dice.choice((Outcome.ANSWERED, Outcome.ANSWERED, Outcome.MISSED))))
    return [change for change in found if change[0] < START + length]


@dataclass(kw_only=True)
class Years:
    """Some devices over some time, with every checker of the core on."""

    lives: dict[str, list[Change]]
    length: timedelta
    seed: int = 0
    every: bool = False
    """Observe each reading instead of coasting."""

    world: World = field(default_factory=World)
    record: list[facts.Fact] = field(default_factory=list)
    wrong: list[str] = field(default_factory=list)
    observed: int = 0
    stood_for: int = 0

    def __post_init__(self) -> None:
        self._heap: list[tuple[datetime, int, str, str]] = []
        self._order = 0
        self._dice = random.Random(self.seed)
        self._verdicts = Verdicts(complain=self.wrong.append)
        self._people = People(complain=self.wrong.append)
        self._duties = Duties(complain=self.wrong.append)

    def _push(self, at: datetime, what: str, which: str) -> None:
        self._order += 1
        heapq.heappush(self._heap, (at, self._order, what, which))

    def run(self) -> Years:
        """The whole time. Raises at the first complaint."""
        devices = {name: Device(id=name, customer="acme", address="192.0.2.9") for name in self.lives}
        acme = Customer(id="acme", contacts=("duty", "boss"), terms=TERMS)
        population = Population(customers={"acme": acme}, devices=devices)
        accepted = enrolment.Accepted(
            population=population, digest="0", author="t", difference=(), content={}
        )
        self._decide(START, enrolment.apply(self.world, accepted, START))
        runs = {name: self._runs(name) for name in self.lives}
        for name, run in runs.items():
            self._next(name, run)
        while self._heap:
            at, _, what, which = heapq.heappop(self._heap)
            if what in OUTCOMES:
                self._read(at, Outcome(what), which)
                self._next(which, runs[which])
            else:
                self._people_do(at, what, which)
            assert not self.wrong, self.wrong[:3]
        return self

    def phase(self, name: str) -> datetime:
        """The first slot of a device."""
        signal = f"{name}/ping@main"
        offset = Target(signal=signal, address="", interval=INTERVAL).phase_us
        first = instant.micros(START) + (offset - instant.micros(START)) % (INTERVAL // instant.MICROSECOND)
        return instant.from_micros(first)

    def _runs(self, name: str) -> Iterator[tuple[datetime, Outcome]]:
        """The slots at which something is observed; coasting happens just before each."""
        slot, changes = self.phase(name), [*self.lives[name], (START + self.length, Outcome.UNKNOWN)]
        for (_, outcome), (until, _) in pairwise(changes):
            count = max(-((slot - until) // INTERVAL), 0)
            kept = range(count) if self.every or count <= FIRST + 1 else (*range(FIRST), count - 1)
            for number in kept:
                yield slot + number * INTERVAL, outcome
            self.stood_for += count
            slot += count * INTERVAL

    def _next(self, name: str, run: Iterator[tuple[datetime, Outcome]]) -> None:
        found = next(run, None)
        if found is not None:
            self._push(found[0], found[1].value, name)

    def _read(self, at: datetime, outcome: Outcome, name: str) -> None:
        signal = f"{name}/ping@main"
        known = self.world.signals[signal]
        if known.last_reading is not None and at - known.last_reading > INTERVAL:
            self.world.signals.put(coast(known, at - INTERVAL, outcome))
        known_at = at + (KNOWN_AFTER if outcome is Outcome.MISSED else timedelta(0))
        reading = Reading(signal=signal, at=at, known_at=known_at, outcome=outcome, why="no answer")
        self.observed += 1
        decision = judge.readings(self.world, None, [reading], closes=False, now=known_at)
        self._decide(known_at, decision, Proof(signal, at, outcome, Kind.SCHEDULED, known_at))

    def _decide(self, at: datetime, decision: Decision, *proofs: Proof) -> None:
        self.world.apply(decision)
        self.record.extend(decision.facts)
        self._verdicts.check(decision, proofs)
        self._people.check(decision)
        self._duties.check(decision, at, timedelta(0))
        for fact in decision.facts:
            if isinstance(fact, facts.NoticeOwed):
                self._push(at + timedelta(seconds=self._dice.choice((0, 30, 600, 1200))), "send", fact.notice)
            elif isinstance(fact, facts.DutyArose):
                self._push(fact.due, "due", fact.duty)

    def _people_do(self, at: datetime, what: str, which: str) -> None:
        if what == "due":
            self._decide(at, delivery.breaches(self.world, at))
            return
        notice = self.world.notices[which]
        if notice.after is not None and any(
            n.id == notice.after and n.settled_at is None for n in self.world.pending()
        ):
            self._push(at + timedelta(seconds=30), "send", which)
            return
        self._decide(at, delivery.begin(notice, rung=0, channel="email", address="", now=at))
        notice = self.world.notices[which]
        outcome = self._dice.choice((AttemptOutcome.ACCEPTED, AttemptOutcome.ACCEPTED, AttemptOutcome.FAILED))
        self._decide(at, delivery.end(self.world, notice, outcome, said="", now=at))
        if outcome is AttemptOutcome.FAILED:
            self._push(at + timedelta(seconds=60), "send", which)

"""What a committed decision proves: readings, taken from the evidence and held against the world.

The checkers below never see what the prober passed on; they see what the pinger answered and what
was committed, and this module says whether the two agree.
"""

from __future__ import annotations

from collections import defaultdict, deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime

from hostwatch.core import facts, instant, source
from hostwatch.core.reading import Kind, Outcome
from hostwatch.core.schedule import Schedule
from hostwatch.core.world import Decision, Slice
from tests.simulation.world import Seen

LOOKS_KEPT = 128
STEPPED = "clock stepped"
BUSY = "still being looked at"
Complain = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Proof:
    """One committed reading."""

    signal: str
    at: datetime
    outcome: Outcome
    kind: Kind
    known_at: datetime
    said: str = ""
    """Of a source: its words."""


class Evidence:
    """Reads decisions one after another."""

    def __init__(self, complain: Complain) -> None:
        self._complain = complain
        self.excuses = {STEPPED}
        """For which an answer may become unknown."""

        self._looks: dict[str, deque[Seen]] = defaultdict(lambda: deque(maxlen=LOOKS_KEPT))
        self._open: dict[tuple[int, int], tuple[int, int, set[str]]] = {}
        self.schedules: dict[int, Schedule] = {}
        self._phases: dict[str, set[tuple[int, int]]] = defaultdict(set)
        """Of each target, by every schedule that there was: its phase and interval."""

        self.closed: set[tuple[int, int]] = set()
        self.readings = 0

    def saw(self, seen: Seen) -> None:
        """The pinger answered."""
        self._looks[seen.ask.signal].append(seen)

    def died(self) -> None:
        """The watch is gone, and with it what it had seen and not committed."""
        self._open.clear()
        self._looks.clear()

    def read(self, decision: Decision) -> list[Proof]:
        """The readings that a decision commits, each true to what the pinger said."""
        told = [self._proof(r.signal, r.at, r.outcome, r.kind, r.why) for r in decision.unscheduled]
        if decision.slice is not None:
            told.extend(self._slice(decision.slice))
        found: list[Proof] = []
        for proof in told:
            found.extend(self._held(proof.signal, before=proof.at))
            found.append(proof)
        stepped = any(isinstance(fact, facts.ClockStepped) for fact in decision.facts)
        if not stepped:  # then dates are moved, and nothing was judged
            for signal in decision.signals:
                if signal.silence is None and signal.last_reading is not None:
                    found.extend(self._held(signal.name, before=signal.last_reading + instant.MICROSECOND))
        if decision.schedule is not None:
            self.schedules[decision.schedule.version] = decision.schedule
            for target in decision.schedule.targets:
                self._phases[target.signal].add((target.phase_us, target.interval_us))
        self.readings += len(found)
        return found

    def _held(self, signal: str, before: datetime) -> Iterator[Proof]:
        """Answers that no closed slice proves yet, but that are judged before a later reading, or at once.

        Only scheduled ones wait for a slice. What came of any other look is in evidence by itself: until then
        it is not judged, and once a later reading was, it says nothing any more (J1).
        """
        for seen in self._looks[signal]:
            if seen.proven or seen.look.outcome is not Outcome.ANSWERED or seen.at >= before:
                continue
            if self._is_scheduled(signal, seen.ask.at_us):
                seen.proven = True
                yield Proof(signal, seen.at, Outcome.ANSWERED, Kind.SCHEDULED, seen.known_at, seen.look.said)

    def _is_scheduled(self, signal: str, at_us: int) -> bool:
        """Whether somebody was due at that instant, by any schedule that there was."""
        return any((at_us - phase) % interval == 0 for phase, interval in self._phases[signal])

    def _slice(self, evidence: Slice) -> Iterator[Proof]:
        missed, unknown, named = self._open.pop(evidence.key, (0, 0, set()))
        fresh = [(entry, Outcome.MISSED) for entry in evidence.missed[missed:]]
        fresh += [(entry, Outcome.UNKNOWN) for entry in evidence.unknown[unknown:]]
        due = {due.target.signal: due for due in self.schedules[evidence.version].due(evidence.number)}
        for entry, outcome in fresh:
            if entry.signal not in due or entry.signal in named:
                self._complain(
                    f"slice {evidence.key} names {entry.signal}, which was not due or stands there already"
                )
            named.add(entry.signal)
            yield self._proof(entry.signal, entry.at, outcome, Kind.SCHEDULED, entry.why)
        if evidence.closed_at is None:
            self._open[evidence.key] = (len(evidence.missed), len(evidence.unknown), named)
            return
        self.closed.add(evidence.key)
        for name, one in due.items():
            if name not in named:
                yield from self._answered(name, one.at)

    def _answered(self, signal: str, due: datetime) -> Iterator[Proof]:
        """The evidence says by its silence that a target answered: did it?"""
        for seen in reversed(self._looks[signal]):
            if instant.from_micros(seen.ask.at_us) == due and seen.look.outcome is Outcome.ANSWERED:
                if not seen.proven:
                    seen.proven = True
                    yield Proof(signal, seen.at, Outcome.ANSWERED, Kind.SCHEDULED, seen.known_at)
                return
        self._complain(f"evidence says that {signal} answered when due at {due}; it did not")

    def _disbelieved(self, signal: str, after: datetime) -> None:
        """A look from before the clock was set back is dated anew, since its own date is still to come.

        It has become unknown: it must not be taken for an answer when the clock passes that date again.
        """
        seen = next((s for s in self._looks[signal] if not s.proven and s.at > after), None)
        if seen is not None:
            seen.proven = True

    def _proof(self, signal: str, at: datetime, outcome: Outcome, kind: Kind, why: str) -> Proof:
        seen = next((s for s in reversed(self._looks[signal]) if s.at == at), None)
        if seen is None:
            if why == STEPPED:
                self._disbelieved(signal, after=at)
            elif why != BUSY:
                self._complain(f"evidence of {signal} at {at}: nobody looked then")
            return Proof(signal, at, outcome, kind, at)
        seen.proven = True
        said = seen.look.outcome
        if outcome is not said and outcome is not Outcome.UNKNOWN:
            self._complain(f"{signal} at {at}: the pinger said {said}, the evidence says {outcome}")
        if outcome is Outcome.UNKNOWN and said is Outcome.ANSWERED and why not in self.excuses:
            self._complain(f"{signal} at {at}: an answer became unknown because of {why!r}")
        if outcome is Outcome.MISSED and not (seen.dead or seen.excused) and source.named(signal) is None:
            self._complain(
                f"{signal} at {at}: counted as a miss, but the device was alive and our own cable cut"
            )
        return Proof(signal, at, outcome, kind, seen.known_at, seen.look.said)

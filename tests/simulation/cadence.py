"""V6: everybody is looked at once an interval, never twice, and every slice leaves its evidence.

What disturbs the schedule (the watch is dead, the loop stalls, the machine sleeps, the clock is set,
the configuration changes) is told to this checker by whoever does it.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import timedelta

from hostwatch.core import instant
from hostwatch.core.reading import Kind, Outcome
from hostwatch.core.schedule import Schedule
from hostwatch.core.world import Decision
from tests.simulation.clocks import SimClock
from tests.simulation.evidence import Complain, Proof
from tests.simulation.world import Seen

SLACK_US = 10_000_000
"""A slice, the longest ping and a second."""

CLOSES_US = 16_000_000
"""A slice, the longest ping, a glance under way, the glance that a miss asks for, and two seconds.

While our own link is cut each glance takes as long as the longest ping, and a slice is not closed before.
"""

BEGINS_US = 16_000_000
"""A slice, the longest ping, two glances and two seconds: a watch looks first whether it sees.

While our own link is cut, it begins so much later; and the slice in the middle of which it begins leaves no
evidence, since not all who were due in it were looked at.
"""

NO_WATCH = "no watch was running"


@dataclass(frozen=True, slots=True)
class Disturbance:
    """Something that excuses looks between two true times."""

    start: int
    end: int
    why: str


@dataclass(kw_only=True)
class Cadence:
    """Counts looks."""

    complain: Complain
    clock: SimClock
    interval: timedelta
    disturbances: list[Disturbance] = field(default_factory=list)
    adopted: list[tuple[int, Schedule]] = field(default_factory=list)
    """From which true time on which schedule was in force."""

    last: dict[str, int] = field(default_factory=dict)
    slots: dict[str, tuple[int, int]] = field(default_factory=dict)
    """The era of the clock and the interval that each signal was last looked at in, by the schedule."""

    phases: dict[str, int] = field(default_factory=dict)
    intervals: dict[str, int] = field(default_factory=dict)
    """Of each signal, in microseconds: switches and sources have their own."""

    catch_ups: dict[str, int] = field(default_factory=lambda: defaultdict(int))
    era: int = 0

    def disturbed(self, start: int, end: int, why: str) -> None:
        """Looks may be missing then."""
        self.disturbances.append(Disturbance(start, end, why))

    def saw(self, seen: Seen) -> None:
        """A target was looked at."""
        if seen.ask.signal not in self.phases:
            return  # it has just left the configuration
        self._gap(seen.ask.signal, seen.true_us)
        self.last[seen.ask.signal] = seen.true_us

    def _gap(self, signal: str, until: int) -> None:
        since = self.last.get(signal)
        interval = self.intervals.get(signal, self._interval)
        longest = interval * 21 // 20 + SLACK_US
        if since is None or until - since <= longest:
            return
        excused = [d for d in self.disturbances if d.end >= since and d.start <= until]
        allowed = longest + sum(min(d.end, until) - max(d.start, since) + interval for d in excused)
        if until - since > allowed:
            gap = f"{(until - since) / 1e6:.0f} s until {until / 1e6:.0f} s"
            self.complain(f"nobody looked at {signal} for {gap}; excuses: {excused}")

    @property
    def _interval(self) -> int:
        return self.interval // instant.MICROSECOND

    @property
    def _longest(self) -> int:
        return self._interval * 21 // 20 + SLACK_US

    def check(self, decision: Decision, proofs: Sequence[Proof], stepped: bool) -> None:
        """A decision was committed."""
        self.era += stepped
        for proof in proofs:
            if proof.kind is Kind.CATCH_UP:
                self.catch_ups[proof.signal] += 1
                if self.catch_ups[proof.signal] > len(self.disturbances) + 1:
                    self.complain(f"{proof.signal} was caught up with {self.catch_ups[proof.signal]} times")
                continue
            if proof.outcome is Outcome.UNKNOWN or proof.kind is Kind.FOLLOW_UP:
                continue
            interval = self.intervals.get(proof.signal, self._interval)
            slot = self.era, (instant.micros(proof.at) - self.phases.get(proof.signal, 0)) // interval
            if self.slots.get(proof.signal) == slot and not self._just_disturbed():
                self.complain(f"{proof.signal} was looked at twice in the interval of {proof.at}")
            self.slots[proof.signal] = slot
        if decision.schedule is not None:
            self.adopted.append((self.clock.true_us(), decision.schedule))
            self.phases = {target.signal: target.phase_us for target in decision.schedule.targets}
            self.intervals = {target.signal: target.interval_us for target in decision.schedule.targets}
            self.last = {name: when for name, when in self.last.items() if name in self.phases}

    def _just_disturbed(self) -> bool:
        """After a step of the clock, or a stall with a look under way, one more look is allowed."""
        since = self.clock.true_us() - self._longest
        return any(
            d.end >= since and d.why.startswith(("clock stepped", "stalled")) for d in self.disturbances
        )

    def finish(self, closed: set[tuple[int, int]], now: int) -> int:
        """Every due look of every undisturbed stretch lies in a closed slice; how many were checked."""
        for signal in self.last:
            self._gap(signal, now)
        checked = 0
        ends = [when for when, _ in self.adopted[1:]] + [now]
        for (start, schedule), end in zip(self.adopted, ends, strict=True):
            for calm_start, calm_end in self._calm(start, end):
                shift = self._shift(calm_start)
                for number in _numbers(schedule, calm_start + shift, calm_end + shift):
                    checked += 1
                    if (schedule.version, number) not in closed:
                        self.complain(f"slice {number} of schedule {schedule.version} left no evidence")
                        return checked
        return checked

    def _calm(self, start: int, end: int) -> list[tuple[int, int]]:
        """What is left of a stretch around the disturbances."""
        drifted = self.clock.drifted_us()
        at, left = start + SLACK_US + drifted, []
        for one in sorted(self.disturbances, key=lambda d: d.start):
            goes_on = one.end + drifted + (BEGINS_US if one.why == NO_WATCH else SLACK_US)
            if goes_on <= at:
                continue
            closes = one.start - CLOSES_US - drifted
            if closes >= end:
                break
            if closes > at:
                left.append((at, closes))
            at = goes_on
        closes = end - SLACK_US - drifted
        if closes > at:
            left.append((at, closes))
        return left

    def _shift(self, when: int) -> int:
        return next(shift for since, shift in reversed(self.clock.shifts) if since <= when)


def _numbers(schedule: Schedule, start: int, end: int) -> set[int]:
    """The slices that hold a due instant between two readings of the wall clock."""
    found = set()
    for target in schedule.targets:
        at = start + (target.phase_us - start) % target.interval_us
        while at < end:
            found.add(at // schedule.slice_us)
            at += target.interval_us
    return found

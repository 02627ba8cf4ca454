"""T1: the month adds up, agrees with sums made from the readings alone, and lies within the truth.

The sums here are made from the committed readings by rules J2 and J3 and by nothing else; they share
no code with the daemon but spans of whole seconds. They hold where the wall clock was never set.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from hostwatch.core import facts, instant
from hostwatch.core.calendar import Month
from hostwatch.core.population import Population
from hostwatch.core.reading import Kind, Outcome
from hostwatch.core.timeline import Span, Timeline
from hostwatch.core.world import Decision, World
from hostwatch.sla import backbone
from hostwatch.sla.account import Books
from hostwatch.sla.history import fold
from hostwatch.sla.month import month
from hostwatch.sla.records import DeviceHistory, History, ServiceHistory
from tests.simulation.evidence import Complain, Proof
from tests.simulation.groups import against_members
from tests.simulation.town import address_of
from tests.simulation.verdicts import signals
from tests.simulation.world import Truth

SECOND_US = 1_000_000


@dataclass(slots=True)
class _Watching:
    """One signal from the beginning of its watching to its end."""

    since: int
    until: int | None = None
    proofs: list[Proof] = field(default_factory=list)


@dataclass(kw_only=True)
class Accounts:
    """Keeps the readings of each signal."""

    complain: Complain
    interval: timedelta
    watched: dict[str, list[_Watching]] = field(default_factory=lambda: defaultdict(list))
    population: Population = field(default_factory=Population)
    stepped: bool = False
    slewed: bool = False
    """The wall clock ran wrong: the truth cannot be put on it to the second."""

    def check(self, decision: Decision, proofs: Sequence[Proof]) -> None:
        """A decision was committed."""
        self.stepped |= any(isinstance(fact, facts.ClockStepped) for fact in decision.facts)
        for proof in proofs:
            watching = self.watched[proof.signal]
            if watching and watching[-1].until is None:
                watching[-1].proofs.append(proof)
        if decision.population is None:
            return
        at = instant.micros(decision.facts[0].at)
        self.population.change(decision.population)
        wanted = signals(self.population)
        for name in wanted:
            if not self.watched[name] or self.watched[name][-1].until is not None:
                self.watched[name].append(_Watching(at))
        for name, watching in self.watched.items():
            if name not in wanted and watching and watching[-1].until is None:
                watching[-1].until = at

    def finish(
        self, record: Sequence[facts.Fact], world: World, truth: Truth, now: datetime, shift_us: int
    ) -> History:
        """Account for everything, twice. `shift_us`: how far the wall clock is ahead of true time."""
        history = fold(record, world.signals, world.blind, now)
        against_members(history, now, self.interval, self.complain)
        period = Span(0, instant.second(now))
        for device in history.devices:
            books = Books.of(period, device)
            sums = books.account()
            if sums.up_s + sums.down_s + sums.excluded_s + sums.unknown_s != sums.period_s:
                self.complain(f"the seconds of {device.device} do not add up: {sums}")
            self._backbone(period, device)
            if not self.stepped:
                self._against_readings(device, books, instant.micros(now))
                for service in device.services:
                    self._against_readings(service, Books.of(period, service), instant.micros(now))
                if not self.slewed:
                    self._against_truth(device, books, truth, shift_us)
        return history

    def _backbone(self, period: Span, device: DeviceHistory) -> None:
        """Down inside is down for the carrier where somebody looked; elsewhere nothing is said."""
        inside, outside = Books.of(period, device), backbone.books(period, device)
        looked = backbone.measured(period, device)
        sums = outside.account()
        if sums.period_s != inside.account().period_s:
            self.complain(f"the account of the backbone of {device.device} has another period: {sums}")
        if (inside.down & looked) - outside.down or (inside.period - looked) - outside.unknown:
            self.complain(f"the account of the backbone of {device.device} contradicts the one of the pings")

    def _against_readings(self, device: DeviceHistory | ServiceHistory, books: Books, now: int) -> None:
        unknown, silent = Timeline(), Timeline()
        for watching in self.watched[device.tenures[0].signal]:
            gaps, silences = self._spoken(watching, now)
            unknown, silent = unknown | gaps, silent | silences
        mine = Timeline.of(t.span for t in device.tenures if t.watched)
        wanted = (unknown & mine, (silent & mine) - unknown)
        if (books.unknown & mine, books.down) != wanted:
            self.complain(
                f"{device.tenures[0].signal}: by its readings unknown {wanted[0]}, down {wanted[1]};"
                f" by the record unknown {books.unknown}, down {books.down}"
            )

    def _spoken(self, watching: _Watching, now: int) -> tuple[Timeline, Timeline]:
        """Seconds for which no reading speaks, and seconds of silences."""
        longest = self.interval * 21 // 20 // instant.MICROSECOND
        speaks, gaps, silences = watching.since, [], []
        last, silent_since, proven = -1, None, False
        for proof in watching.proofs:
            at = instant.micros(proof.at)
            if at <= last:
                continue
            last = at
            if proof.outcome is Outcome.UNKNOWN:
                speaks = speaks if proof.kind is Kind.FOLLOW_UP else min(speaks, at)
                continue
            proven |= proof.outcome is Outcome.ANSWERED
            if not proven:
                continue
            if proof.kind is not Kind.FOLLOW_UP:
                if speaks < at:
                    gaps.append(_span(speaks, at))
                speaks = at + longest
            if proof.outcome is Outcome.MISSED:
                silent_since = at if silent_since is None else silent_since
            elif silent_since is not None:
                silences.append(_span(silent_since, at))
                silent_since = None
        until = now if watching.until is None else watching.until
        if speaks < until:
            gaps.append(_span(speaks, until))
        if silent_since is not None:
            silences.append(_span(silent_since, until))
        return Timeline.of(gaps), Timeline.of(silences)

    def _against_truth(self, device: DeviceHistory, books: Books, truth: Truth, shift_us: int) -> None:
        """Certainly down was down; what was down long enough to be seen is possibly down."""
        spans = truth.silent(address_of(device.device))
        dead = [] if spans is None else [(a + shift_us, b + shift_us) for a, b in spans.spans]
        between = self.interval * 21 // 20 // instant.MICROSECOND + 20 * SECOND_US
        hull: list[tuple[int, int]] = []
        for start, end in dead:
            if hull and start - hull[-1][1] <= between:
                hull[-1] = (hull[-1][0], end)
            else:
                hull.append((start, end))
        around = Timeline.of(_span(a - 2 * SECOND_US, b + 2 * SECOND_US) for a, b in hull)
        after = Timeline.of(_span(a - 2 * SECOND_US, b + between) for a, b in hull)
        # A miss before unknown time speaks on for one interval, and J3 takes that for certain.
        tails = Timeline.of(Span(max(u.start - between // SECOND_US, 0), u.start) for u in books.unknown)
        wrongly = books.least - around - tails
        if truth.loss_permille == 0 and wrongly:
            self.complain(f"{device.device}: certainly down {wrongly}, but it was alive")
        if truth.loss_permille == 0 and books.down - after:
            self.complain(f"{device.device}: down {books.down - after}, but it was alive")
        proven = self._proven(device)
        for start, end in (span for span in dead if span[1] - span[0] > between):
            seconds = Timeline.of([_span(start + SECOND_US, end - SECOND_US)])
            missing = (seconds & books.period & proven) - books.most
            if missing.total > between // SECOND_US:  # for so long the last answer before it still speaks
                self.complain(f"{device.device}: was dead {missing}, and that is not even possibly down")

    def _proven(self, device: DeviceHistory) -> Timeline:
        firsts = [
            (
                instant.second(
                    next((p.at for p in w.proofs if p.outcome is Outcome.ANSWERED), instant.EPOCH)
                ),
                w.until,
            )
            for w in self.watched[device.tenures[0].signal]
        ]
        far = 1 << 40
        return Timeline.of(
            Span(first, max(first, far if until is None else until // SECOND_US))
            for first, until in firsts
            if first
        )


def _span(start: int, end: int) -> Span:
    first = start // SECOND_US
    return Span(first, max(first, end // SECOND_US))


def months(history: History, zone: str, which: Sequence[str]) -> Mapping[str, int]:
    """The months' reports of a history: seconds of all devices by class, summed over the rows."""
    sums: dict[str, int] = defaultdict(int)
    for name in which:
        report = month(
            history, Month.parse(name), ZoneInfo(zone), site="Simulated 1", as_of_seq=0, as_of=history.now
        )
        for row in report.rows:
            a = row.account
            assert a.up_s + a.down_s + a.excluded_s + a.unknown_s == a.period_s, row
            assert a.period_s == sum(span.seconds for span in row.service)
            for field_name in ("period_s", "up_s", "down_s", "unknown_s"):
                sums[field_name] += getattr(a, field_name)
    return sums

"""What Prometheus reads of the watch: counters kept as decisions are committed, gauges read off when asked.

The samples of each device are not made here but by the desk (`desk.py`, `samples.py`). Each
metric is described in `docs/metrics.md`, and a test holds the two together.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import accumulate

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily
from prometheus_client.metrics_core import Metric
from prometheus_client.registry import Collector

import hostwatch
from hostwatch.core import calls, facts, instant
from hostwatch.core.calls import Call
from hostwatch.core.emergency import Duty, Notice, NoticeState
from hostwatch.core.reading import Outcome
from hostwatch.core.service import is_of_device
from hostwatch.core.signal import Signal
from hostwatch.core.signals import is_before
from hostwatch.core.terms import tolerance
from hostwatch.core.world import Decision, World
from hostwatch.gauges import Figure, Gauge, Histogram
from hostwatch.health import Health
from hostwatch.pinger import Look
from hostwatch.samples import ON_ITS_WAY, state_of

LATENCY_BUCKETS_S = (1, 5, 10, 30, 60, 120, 300, 600, 900, 1800, 3600)


class Tally:
    """What has been counted since the start. Listens to the engine and the prober."""

    def __init__(self) -> None:
        self.readings: Counter[str] = Counter()
        self.facts: Counter[str] = Counter()
        self.attempts: Counter[tuple[str, str]] = Counter()
        self.latencies: Counter[float] = Counter()
        self.latency_sum_s = 0.0

    def on_looks(self, looks: Sequence[Look]) -> None:
        """Count looks."""
        outcomes = [look.outcome for look in looks]
        for outcome in Outcome:
            self.readings[outcome.value] += outcomes.count(outcome)

    def on_decision(self, decision: Decision) -> None:
        """Count what was committed."""
        for fact in decision.facts:
            self.facts[type(fact).__name__] += 1
            if isinstance(fact, facts.AttemptEnded):
                notice = next(n for n in decision.notices if n.id == fact.notice)
                self.attempts[notice.attempts[-1].channel, fact.outcome] += 1
        for duty in decision.duties:
            if duty.met_at is not None:
                notice = next(n for n in decision.notices if n.duty == duty.id)
                self._latency((duty.met_at - notice.created_at).total_seconds())

    def _latency(self, seconds: float) -> None:
        self.latency_sum_s += seconds
        self.latencies[next((b for b in LATENCY_BUCKETS_S if seconds <= b), float("inf"))] += 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Snapshot:
    """The present, taken on the loop in one go so that it can be rendered elsewhere.

    Taking it costs next to nothing, however many devices there are and however many of them are down:
    nobody who is well is looked at, and what there is to reckon is reckoned while rendering.
    """

    now: datetime
    health: Health
    late_s: float
    restless: tuple[Signal, ...]
    fresh: int
    resting: int
    expired: int
    """How many of those at rest answered so long ago that it speaks no more."""

    blind: tuple[str, ...]
    emergencies: int
    acknowledged: int
    reported: int
    corrected: int
    calls: tuple[Call, ...]
    notices: tuple[Notice, ...]
    duties: tuple[Duty, ...]
    readings: dict[str, int]
    facts: dict[str, int]
    attempts: dict[tuple[str, str], int]
    latencies: dict[float, int]
    latency_sum_s: float
    figures: tuple[Figure, ...] = ()


def snapshot(
    world: World,
    tally: Tally,
    health: Health,
    late_s: float,
    now: datetime,
    figures: Iterable[Figure] = (),
) -> Snapshot:
    """What the metrics are rendered from."""
    signals = world.signals
    spoken_us = instant.micros(now - ON_ITS_WAY - _longest_speaking(world))
    own = [*world.population.own_signals()]
    apart = [due_us for name in own if (due_us := signals.rested_us(name)) is not None]
    return Snapshot(
        now=now,
        health=health,
        late_s=late_s,
        restless=tuple(signals.restless.values()),
        fresh=signals.fresh - sum(map(signals.is_fresh, own)),
        resting=signals.resting - len(apart),
        expired=signals.resting_since_before(spoken_us)
        - sum(is_before(due_us, spoken_us) for due_us in apart),
        blind=tuple(world.blind),
        emergencies=len(world.emergencies),
        acknowledged=sum(name in world.emergencies for name in world.acknowledged),
        reported=sum(bool(one.story.reported) for one in world.emergencies.values()),
        corrected=sum(one.story.corrected_at is not None for one in world.emergencies.values()),
        calls=tuple(call for known in world.calls.values() for call in known),
        notices=tuple(world.notices.values()),
        duties=tuple(duty for duty in world.duties.values() if duty.is_open),
        readings=dict(tally.readings),
        facts=dict(tally.facts),
        attempts=dict(tally.attempts),
        latencies=dict(tally.latencies),
        latency_sum_s=tally.latency_sum_s,
        figures=tuple(figures),
    )


def _longest_speaking(world: World) -> timedelta:
    """How long readings speak at the longest interval. Who is looked at more often is unknown sooner."""
    longest = max(world.schedule.intervals_us, default=0) * instant.MICROSECOND
    return longest + tolerance(longest)


def render(seen: Snapshot) -> bytes:
    """The text that Prometheus reads. Takes its time when many devices are down: not for the loop."""
    registry = CollectorRegistry()
    registry.register(_Collector(seen))
    return generate_latest(registry)


class _Collector(Collector):
    def __init__(self, seen: Snapshot) -> None:
        self._seen = seen

    def collect(self) -> Iterator[Metric]:
        yield from _house(self._seen)
        yield from _people(self._seen)
        yield from (_contributed(figure) for figure in self._seen.figures if figure.value is not None)
        yield _states(self._seen)


def _gauge(name: str, help_text: str, value: float | timedelta | None) -> Iterator[Metric]:
    if value is None:
        return
    number = value.total_seconds() if isinstance(value, timedelta) else float(value)
    yield GaugeMetricFamily(name, help_text, value=number)


def _labelled(
    metric: GaugeMetricFamily | CounterMetricFamily, rows: Iterable[tuple[tuple[str, ...], float]]
) -> Metric:
    for labels, value in sorted(rows):
        metric.add_metric(labels, value)
    return metric


def _house(seen: Snapshot) -> Iterator[Metric]:
    build = GaugeMetricFamily("hostwatch_build_info", "The version that runs; always 1.", labels=["version"])
    yield _labelled(build, [((hostwatch.__version__,), 1.0)])
    yield from _gauge("hostwatch_healthy", "1 while slices, commits and the outbox move on.", seen.health.ok)
    yield from _gauge(
        "hostwatch_last_slice_age_seconds",
        "Time since the schedule last moved on.",
        seen.health.last_slice_age,
    )
    yield from _gauge(
        "hostwatch_last_commit_age_seconds",
        "Time since the store was last written.",
        seen.health.last_commit_age,
    )
    yield from _gauge(
        "hostwatch_slice_lateness_seconds", "How late the last wake-up of the schedule was.", seen.late_s
    )
    blind = GaugeMetricFamily("hostwatch_blind", "1 while we cannot see, by why.", labels=["why"])
    yield _labelled(blind, [((why,), 1.0) for why in seen.blind])
    readings = CounterMetricFamily(
        "hostwatch_readings_total", "Looks at devices, by outcome.", labels=["outcome"]
    )
    outcomes = [((o.value,), float(seen.readings.get(o.value, 0))) for o in Outcome]
    yield _labelled(readings, outcomes)
    recorded = CounterMetricFamily(
        "hostwatch_facts_total", "Facts recorded since the start.", labels=["kind"]
    )
    yield _labelled(recorded, [((kind,), float(count)) for kind, count in seen.facts.items()])


def _people(seen: Snapshot) -> Iterator[Metric]:
    yield from _gauge("hostwatch_emergencies_open", "Emergencies that have not ended.", seen.emergencies)
    yield from _gauge(
        "hostwatch_emergencies_acknowledged", "Of these, those that somebody has.", seen.acknowledged
    )
    yield from _gauge("hostwatch_emergencies_reported", "Of these, those of a person's word.", seen.reported)
    yield from _gauge("hostwatch_emergencies_corrected", "Of these, those that were none.", seen.corrected)
    waiting = (one for one in seen.notices if one.state is NoticeState.PENDING)
    to_make = sum(1 for notice in waiting for _ in calls.waiting(notice))
    yield from _gauge("hostwatch_calls_to_make", "Calls that wait for a human.", to_make)
    taken = sum(call.is_taken for call in seen.calls)
    yield from _gauge("hostwatch_calls_taken", "Of these, those that somebody has taken.", taken)
    yield from _gauge("hostwatch_duties_open", "Duties to tell that are not met.", len(seen.duties))
    due = min((duty.due for duty in seen.duties), default=None)
    left = None if due is None else (due - seen.now).total_seconds()
    yield from _gauge(
        "hostwatch_duty_seconds_left", "Until the next deadline of a duty; negative when it is past.", left
    )
    pending = sum(notice.state is NoticeState.PENDING for notice in seen.notices)
    yield from _gauge("hostwatch_notices_pending", "Notices that nobody has accepted yet.", pending)
    yield from _gauge(
        "hostwatch_oldest_notice_age_seconds",
        "How long the oldest of them has waited.",
        seen.health.oldest_notice_age,
    )
    attempts = CounterMetricFamily(
        "hostwatch_attempts_total", "Attempts to hand a notice over.", labels=["channel", "outcome"]
    )
    yield _labelled(attempts, [(labels, float(count)) for labels, count in seen.attempts.items()])
    buckets, total = [], 0
    for bound in (*LATENCY_BUCKETS_S, float("inf")):
        total += seen.latencies.get(bound, 0)
        buckets.append(("+Inf" if bound == float("inf") else str(float(bound)), total))
    latency = HistogramMetricFamily(
        "hostwatch_notice_latency_seconds", "From the verdict to the acceptance of the notice."
    )
    latency.add_metric([], buckets, seen.latency_sum_s)
    yield latency


def _contributed(figure: Figure) -> Metric:
    if isinstance(figure, Histogram):
        return _histogram(figure)
    family = GaugeMetricFamily if isinstance(figure, Gauge) else CounterMetricFamily
    if not isinstance(figure.value, Mapping):
        return family(figure.name, figure.about, value=figure.value)
    names = [figure.label] if isinstance(figure.label, str) else [*figure.label]
    rows = [((key,) if isinstance(key, str) else key, float(value)) for key, value in figure.value.items()]
    return _labelled(family(figure.name, figure.about, labels=names), rows)


def _histogram(figure: Histogram) -> Metric:
    metric = HistogramMetricFamily(figure.name, figure.about, labels=[figure.label])
    names = [*(str(float(bound)) for bound in figure.bounds), "+Inf"]
    for label, (counts, total) in sorted(figure.value.items()):
        metric.add_metric([label], [*zip(names, accumulate(counts), strict=True)], total)
    return metric


def _states(seen: Snapshot) -> Metric:
    states = Counter(state_of(signal, seen.now) for signal in seen.restless if is_of_device(signal.name))
    states["up"] += seen.resting - seen.expired
    states["unknown"] += seen.expired
    states["not proven"] += seen.fresh
    signals = GaugeMetricFamily(
        "hostwatch_signals", "Signals of devices and of their services, by state.", labels=["state"]
    )
    known = ("up", "silent", "down", "unknown", "not proven")
    return _labelled(signals, [((state,), float(states[state])) for state in known])

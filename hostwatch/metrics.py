"""What Prometheus reads: counters kept as decisions are committed, gauges read off when asked.

Names follow the field (`probe_success`, `probe_icmp_duration_seconds`); our own begin `hostwatch_`.
Each is described in `docs/metrics.md`, and a test holds the two together.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily
from prometheus_client.metrics_core import Metric
from prometheus_client.registry import Collector

import hostwatch
from hostwatch.core import facts
from hostwatch.core.population import Device
from hostwatch.core.reading import Outcome
from hostwatch.core.signal import Signal
from hostwatch.core.world import Decision, World
from hostwatch.gauges import Figure, Gauge
from hostwatch.health import Health
from hostwatch.pinger import Look

ON_ITS_WAY = timedelta(seconds=10)
"""From the instant at which a target is due until its answer is recorded: a slice and a ping at most."""

LATENCY_BUCKETS_S = (1, 5, 10, 30, 60, 120, 300, 600, 900, 1800, 3600)


class Tally:
    """What has been counted since the start. Listens to the engine and the prober."""

    def __init__(self) -> None:
        self.readings: Counter[str] = Counter()
        self.facts: Counter[str] = Counter()
        self.attempts: Counter[tuple[str, str]] = Counter()
        self.latencies: Counter[float] = Counter()
        self.latency_sum_s = 0.0
        self.rtts_us: dict[str, int] = {}

    def on_looks(self, looks: Sequence[Look]) -> None:
        """Count looks."""
        for look in looks:
            self.readings[look.outcome.value] += 1
            if look.rtt_us is not None:
                self.rtts_us[look.signal] = look.rtt_us

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
        for name in decision.withdrawn_signals:
            self.rtts_us.pop(name, None)

    def _latency(self, seconds: float) -> None:
        self.latency_sum_s += seconds
        self.latencies[next((b for b in LATENCY_BUCKETS_S if seconds <= b), float("inf"))] += 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Snapshot:
    """The present, taken on the loop in one go so that it can be rendered elsewhere."""

    now: datetime
    health: Health
    late_s: float
    signals: tuple[tuple[Signal, Device], ...]
    blind: tuple[str, ...]
    emergencies: int
    pending: int
    due: tuple[datetime, ...]
    readings: dict[str, int]
    facts: dict[str, int]
    attempts: dict[tuple[str, str], int]
    latencies: dict[float, int]
    latency_sum_s: float
    rtts_us: dict[str, int]
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
    return Snapshot(
        now=now,
        health=health,
        late_s=late_s,
        signals=tuple(
            (signals[name], device) for name, device in world.population.watched() if name in signals
        ),
        blind=tuple(world.blind),
        emergencies=len(world.emergencies),
        pending=len(world.pending()),
        due=tuple(duty.due for duty in world.duties.values()),
        readings=dict(tally.readings),
        facts=dict(tally.facts),
        attempts=dict(tally.attempts),
        latencies=dict(tally.latencies),
        latency_sum_s=tally.latency_sum_s,
        rtts_us=dict(tally.rtts_us),
        figures=tuple(figures),
    )


def render(seen: Snapshot) -> bytes:
    """The text that Prometheus reads. Takes its time with many devices: not for the loop."""
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
        yield from _devices(self._seen)


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
    yield from _gauge("hostwatch_duties_open", "Duties to tell that are not met.", len(seen.due))
    left = (min(seen.due) - seen.now).total_seconds() if seen.due else None
    yield from _gauge(
        "hostwatch_duty_seconds_left", "Until the next deadline of a duty; negative when it is past.", left
    )
    yield from _gauge("hostwatch_notices_pending", "Notices that nobody has accepted yet.", seen.pending)
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
    family = GaugeMetricFamily if isinstance(figure, Gauge) else CounterMetricFamily
    if not isinstance(figure.value, Mapping):
        return family(figure.name, figure.about, value=figure.value)
    metric = family(figure.name, figure.about, labels=[figure.label])
    return _labelled(metric, [((label,), float(value)) for label, value in figure.value.items()])


def _devices(seen: Snapshot) -> Iterator[Metric]:
    labels = ["customer", "device", "instance"]
    success = GaugeMetricFamily("probe_success", "1 while the device answers, 0 in a silence.", labels=labels)
    duration = GaugeMetricFamily(
        "probe_icmp_duration_seconds", "Round-trip time of the last answer.", labels=[*labels, "phase"]
    )
    states: Counter[str] = Counter()
    for signal, device in seen.signals:
        state = state_of(signal, seen.now)
        states[state] += 1
        names = [device.customer, device.id, device.address]
        if state in ("up", "silent", "down"):
            success.add_metric(names, 1.0 if state == "up" else 0.0)
        if signal.name in seen.rtts_us:
            duration.add_metric([*names, "rtt"], seen.rtts_us[signal.name] / 1e6)
    signals = GaugeMetricFamily("hostwatch_signals", "Watched signals, by state.", labels=["state"])
    known = ("up", "silent", "down", "unknown", "not proven")
    yield _labelled(signals, [((state,), float(states[state])) for state in known])
    yield success
    yield duration


def state_of(signal: Signal, now: datetime) -> str:
    """`up`, `silent` (missed, not confirmed), `down`, `unknown` or `not proven`.

    A reading that is due may still be on its way into the record: for that long nothing is unknown.
    """
    if signal.verdict is not None:
        return "down"
    if not signal.proven:
        return "not proven"
    if signal.unspoken_since(now - ON_ITS_WAY) is not None:
        return "unknown"
    return "up" if signal.silence is None else "silent"

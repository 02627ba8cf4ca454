"""What is counted of checks, for the metrics."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import Final

from hostwatch.checkers.protocol import Alive, Seen
from hostwatch.core.reading import Outcome
from hostwatch.gauges import Count, Figure, Gauge, Histogram

BUCKETS_S: Final = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0)


class CheckCounts:
    """Counted since the start."""

    def __init__(self) -> None:
        self._found: Counter[tuple[str, ...]] = Counter()
        self._durations: dict[str, tuple[list[int], float]] = {}
        self._traps: Counter[tuple[str, ...]] = Counter()
        self._pushes: Counter[tuple[str, ...]] = Counter()
        self._lag_us = 0
        self._running = 0

    def note(self, seen: Seen) -> None:
        """A check is over."""
        self._found[seen.kind, seen.outcome.value] += 1
        if seen.outcome is Outcome.UNKNOWN:
            return  # how long we did not look tells nothing
        took_s = seen.took_us / 1e6
        counts, total_s = self._durations.get(seen.kind) or ([0] * (len(BUCKETS_S) + 1), 0.0)
        place = next((place for place, bound in enumerate(BUCKETS_S) if took_s <= bound), len(BUCKETS_S))
        counts[place] += 1
        self._durations[seen.kind] = counts, total_s + took_s

    def alive(self, alive: Alive) -> None:
        """The checkers have said how they are."""
        self._lag_us = max(self._lag_us, alive.lag_us)
        self._running = alive.running
        self._traps.update({(what,): many for what, many in alive.traps.items()})
        self._pushes.update({(what,): many for what, many in alive.pushes.items()})

    def figures(self, *, is_up: bool, restarts: int, orders: int) -> Iterator[Figure]:
        """All of it. The lag is the largest since this was asked last."""
        lag_us, self._lag_us = self._lag_us, 0
        yield Gauge("hostwatch_checkers_up", "1 while the process that checks services runs.", float(is_up))
        yield Count(
            "hostwatch_checkers_restarts_total",
            "How often the checkers ended, or had to be ended, and were started again.",
            restarts,
        )
        yield Gauge(
            "hostwatch_checkers_lag_seconds",
            "How late the loop of the checkers was at most since the last scrape.",
            lag_us / 1e6,
        )
        yield Gauge("hostwatch_checkers_running", "Checks under way.", self._running if is_up else 0)
        yield Gauge("hostwatch_checkers_orders", "Looks at services that are not answered yet.", orders)
        yield Count(
            "hostwatch_checks_total", "Checks, by kind and outcome.", dict(self._found), ("kind", "outcome")
        )
        yield Count(
            "hostwatch_traps_total",
            "Datagrams that came where traps of SNMP are heard, by what became of them.",
            dict(self._traps),
            ("what",),
        )
        yield Count(
            "hostwatch_pushes_total",
            "What came where sources push to, by what became of it.",
            dict(self._pushes),
            ("what",),
        )
        yield Histogram(
            "hostwatch_check_duration_seconds",
            "How long checks took that answered or missed.",
            {kind: (tuple(counts), total_s) for kind, (counts, total_s) in self._durations.items()},
            BUCKETS_S,
            "kind",
        )

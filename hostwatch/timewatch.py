"""Looks after the quality of the wall clock: recorded when it changes, told when it is bad for long."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Final

from hostwatch.clock import Clock
from hostwatch.core import quality
from hostwatch.core.quality import Judged, Keeping
from hostwatch.engine import Engine
from hostwatch.gauges import Gauge

CHECK_EVERY: Final = timedelta(minutes=1)


class TimeWatch:
    """Asks the kernel every minute."""

    def __init__(self, engine: Engine, clock: Clock) -> None:
        self._engine = engine
        self._clock = clock
        self._judged: Judged | None = None
        self.quality = quality.NOT_KNOWN

    async def run(self) -> None:
        """Ask for ever."""
        while True:
            self.check()
            await self._clock.sleep(CHECK_EVERY)

    def check(self) -> None:
        """Ask now, and have it recorded if it says something new."""
        found = self.quality = self._clock.quality()
        self._judged, told = quality.judge(found, self._judged, self._clock.monotonic())
        if told:
            self._engine.post(lambda _, now: quality.record(found, now))

    def warnings(self) -> Iterator[str]:
        """What people should know about the clock."""
        judged, now = self._judged, self._clock.monotonic()
        if judged is not None and judged.is_bad and now - judged.since > quality.WARNED_AFTER:
            yield (
                "nobody keeps this machine's clock: all dates in the record may be wrong; "
                "have it synchronised by NTP (chrony, systemd-timesyncd)"
            )

    def figures(self) -> Iterator[Gauge]:
        """What is said of the clock, as of the last time it was asked."""
        known = self.quality.keeping is not Keeping.NOT_KNOWN
        kept = float(self.quality.keeping is Keeping.SYNCHRONISED)
        yield Gauge(
            "hostwatch_clock_synchronised",
            "1 while the kernel says that the wall clock is kept.",
            kept if known else None,
        )
        yield Gauge(
            "hostwatch_clock_estimated_error_seconds",
            "How wrong the wall clock is, as whoever keeps it believes.",
            self.quality.estimated_us / 1e6 if known else None,
        )
        yield Gauge(
            "hostwatch_clock_maximum_error_seconds",
            "How wrong the wall clock may be.",
            self.quality.maximum_us / 1e6 if known else None,
        )

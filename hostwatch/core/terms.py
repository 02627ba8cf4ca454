"""The terms of an agreement that judgement needs (rule J9).

They are a value from the first day on; `schedule:` and `notices:` of the configuration only fill
the defaults, and an agreement file will fill the rest.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta


@dataclass(frozen=True, slots=True, kw_only=True)
class AgreementTerms:
    """What was promised about watching and telling (`colocation C5`)."""

    interval: timedelta = timedelta(minutes=5)
    """Time between two scheduled pings of a device."""

    misses: int = 2
    """Scheduled misses in a row that make an emergency."""

    notice_within: timedelta = timedelta(minutes=15)
    """From the verdict to the latest moment at which the customer must have been told."""

    @property
    def tolerance(self) -> timedelta:
        """How much longer than the interval a reading speaks (J2): 5 %, at least 50 ms."""
        return tolerance(self.interval)

    @property
    def speaking(self) -> timedelta:
        """How long a scheduled reading speaks (J2)."""
        return speaking(self.interval)


def tolerance(interval: timedelta) -> timedelta:
    """How much longer than its interval a reading speaks (J2): 5 %, at least 50 ms."""
    return max(interval / 20, timedelta(milliseconds=50))


def speaking(interval: timedelta) -> timedelta:
    """How long a scheduled reading speaks at most (J2): its interval and the tolerance."""
    return interval + tolerance(interval)

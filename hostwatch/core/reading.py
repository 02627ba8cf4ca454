"""A reading: what one look at one target brought back (rule J1)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import NamedTuple

from hostwatch.core import instant


class Outcome(StrEnum):
    """What a look can bring back. UNKNOWN is our own failure only."""

    ANSWERED = "answered"
    MISSED = "missed"
    UNKNOWN = "unknown"


class Kind(StrEnum):
    """Why we looked."""

    SCHEDULED = "scheduled"
    """At the target's own instant of the interval. Only these count as misses (J4)."""

    FOLLOW_UP = "follow-up"
    """Soon after a first miss, to find the edges of an outage (J5)."""

    CATCH_UP = "catch-up"
    """At once after a time in which we could not look, outside the schedule."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """One look at one signal."""

    signal: str
    """The signal's name, `device/check@vantage` (J6)."""

    at: datetime
    """When the first packet left, or was to leave."""

    known_at: datetime
    """When the outcome was certain: a verdict is dated so."""

    outcome: Outcome
    kind: Kind = Kind.SCHEDULED
    why: str = ""
    """A word for what was seen when the outcome is not ANSWERED, such as `no answer`."""

    answered_at: datetime | None = None
    """When the packet that was answered left, if that was not the first: bounds are drawn from it."""

    rtt_us: int | None = None
    """Round-trip time in microseconds when it answered."""

    said: str = ""
    """What a source said when it answered, in the words of its room; empty of all else."""

    @property
    def heard_at(self) -> datetime:
        """When the target was surely there, if it answered."""
        return self.answered_at or self.at


class Answer(NamedTuple):
    """A scheduled look that was answered, for those who have thousands of them. Microseconds since 1970."""

    signal: str
    due_us: int
    interval_us: int
    """The interval that it was due by."""

    at_us: int
    """When the first packet left."""

    known_us: int
    answered_us: int | None = None
    """When the packet that was answered left, if that was not the first."""

    rtt_us: int | None = None

    @property
    def reading(self) -> Reading:
        """The same as a reading."""
        return Reading(
            signal=self.signal,
            at=instant.from_micros(self.at_us),
            known_at=instant.from_micros(self.known_us),
            outcome=Outcome.ANSWERED,
            answered_at=None if self.answered_us is None else instant.from_micros(self.answered_us),
            rtt_us=self.rtt_us,
        )

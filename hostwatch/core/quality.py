"""How well the wall clock is kept, as evidence: every date in the record is only as good as that.

The kernel knows whether somebody keeps the clock, and what they believe of its error. A judgement of it is
recorded when it changes, at each start, and once a day, so that it can be shown for any month.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final

from hostwatch.core import facts
from hostwatch.core.world import Decision

GRADES_US: Final = (100_000, 1_000_000)
"""Estimated errors that make a clock worse when they are reached."""

BETTER_AT: Final = 2
"""A grade is left when the error is that many times below its bound: no swinging about it."""

REPEATED_EVERY: Final = timedelta(days=1)
"""How old the last judgement in the record may become."""

WARNED_AFTER: Final = timedelta(minutes=10)
"""People are told of a clock that nobody has kept for longer than this."""


class Keeping(StrEnum):
    """Whether somebody keeps the clock."""

    SYNCHRONISED = "synchronised"
    UNSYNCHRONISED = "unsynchronised"
    NOT_KNOWN = "not known"
    """The kernel does not tell us, as in some containers."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Quality:
    """What the kernel says of the wall clock. All are microseconds, and 0 when it says nothing."""

    keeping: Keeping
    offset_us: int = 0
    """How far the clock is still to be moved, as whoever keeps it believes."""

    estimated_us: int = 0
    """How wrong it is, as they believe."""

    maximum_us: int = 0
    """How wrong it may be; grows by itself as long as nobody says better."""


NOT_KNOWN: Final = Quality(keeping=Keeping.NOT_KNOWN)


@dataclass(frozen=True, slots=True, kw_only=True)
class Judged:
    """The latest judgement that was recorded."""

    at: timedelta
    """By the monotonic clock."""

    since: timedelta
    """Since when it is kept so, or not, by the monotonic clock."""

    keeping: Keeping
    grade: int

    @property
    def is_bad(self) -> bool:
        """Whether it is known that nobody keeps the clock."""
        return self.keeping is Keeping.UNSYNCHRONISED


def grade(quality: Quality, before: int = 0) -> int:
    """How many of `GRADES_US` the estimated error has reached; only slowly back to a better one."""
    if quality.keeping is not Keeping.SYNCHRONISED:
        return 0
    reached = sum(quality.estimated_us >= bound for bound in GRADES_US)
    held = sum(quality.estimated_us * BETTER_AT >= bound for bound in GRADES_US)
    return max(reached, min(before, held))


def judge(quality: Quality, before: Judged | None, mono: timedelta) -> tuple[Judged, bool]:
    """The judgement of now, by the monotonic clock, and whether it is to be recorded."""
    found = grade(quality, 0 if before is None else before.grade)
    if before is None:
        return Judged(at=mono, since=mono, keeping=quality.keeping, grade=found), True
    same = quality.keeping is before.keeping
    told = not same or found != before.grade or mono - before.at >= REPEATED_EVERY
    after = Judged(
        at=mono if told else before.at,
        since=before.since if same else mono,
        keeping=quality.keeping,
        grade=found,
    )
    return after, told


def record(quality: Quality, now: datetime) -> Decision:
    """Keep a judgement as evidence."""
    fact = facts.ClockQuality(
        at=now,
        keeping=quality.keeping.value,
        offset_us=quality.offset_us,
        estimated_us=quality.estimated_us,
        maximum_us=quality.maximum_us,
    )
    return Decision(facts=(fact,))

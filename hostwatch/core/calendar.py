"""Calendar periods as spans of seconds: the only module below the shell that knows a zone.

A month begins at the instant of its first local midnight and ends at that of the next month.
All arithmetic is on whole UTC seconds, so a month with a change of clocks has its true length.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta, tzinfo

from hostwatch.core import instant
from hostwatch.core.timeline import Span

HOUR_S = 3600

_MONTH = re.compile(r"([0-9]{4})-(0[1-9]|1[0-2])")


@dataclass(frozen=True, slots=True, order=True)
class Month:
    """A calendar month, such as 2026-10."""

    year: int
    month: int

    @classmethod
    def parse(cls, text: str) -> Month:
        """`2026-10` as a month. Raises `ValueError` with words for a person."""
        found = _MONTH.fullmatch(text)
        if found is None or int(found[1]) < 1970:
            raise ValueError(f"cannot read {text!r} as a month: write it like 2026-10")
        return cls(int(found[1]), int(found[2]))

    @property
    def following(self) -> Month:
        """The next month."""
        return Month(self.year + self.month // 12, self.month % 12 + 1)

    def __str__(self) -> str:
        return f"{self.year:04d}-{self.month:02d}"

    def span(self, zone: tzinfo) -> Span:
        """The month's seconds in a zone: from local midnight to local midnight."""
        return Span(_midnight(self, zone), _midnight(self.following, zone))


def day(which: date, zone: tzinfo) -> Span:
    """The seconds of a day in a zone: 23 or 25 hours where clocks change."""
    return Span(_start(which, zone), _start(which + timedelta(days=1), zone))


def days(span: Span, zone: tzinfo) -> list[Span]:
    """The days of a zone that a span touches, the first and the last cut to it."""
    first = instant.from_second(span.start).astimezone(zone).date()
    found = []
    while (whole := day(first, zone)).start < span.end:
        if whole.seconds:  # some days never were, where the date line moved
            found.append(_cut(whole, span))
        first += timedelta(days=1)
    return found


def hours(span: Span, zone: tzinfo) -> list[Span]:
    """The hours, counted from each local midnight, that a span touches, the first and the last cut to it."""
    found = []
    for whole in days(span, zone):
        midnight = day(instant.from_second(whole.start).astimezone(zone).date(), zone).start
        begin = whole.start - (whole.start - midnight) % HOUR_S
        while begin < whole.end:
            found.append(_cut(Span(begin, begin + HOUR_S), whole))
            begin += HOUR_S
    return found


def _cut(part: Span, span: Span) -> Span:
    return Span(max(part.start, span.start), min(part.end, span.end))


def _midnight(month: Month, zone: tzinfo) -> int:
    return _start(date(month.year, month.month, 1), zone)


def _start(which: date, zone: tzinfo) -> int:
    return instant.second(datetime(which.year, which.month, which.day, tzinfo=zone).astimezone(UTC))

"""Calendar periods as spans of seconds: the only module below the shell that knows a zone.

A month begins at the instant of its first local midnight and ends at that of the next month.
All arithmetic is on whole UTC seconds, so a month with a change of clocks has its true length.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime, tzinfo

from hostwatch.core import instant
from hostwatch.core.timeline import Span

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


def _midnight(month: Month, zone: tzinfo) -> int:
    return instant.second(datetime(month.year, month.month, 1, tzinfo=zone).astimezone(UTC))

"""A time zone as a value: what its clocks show, and since when. The core asks nothing of the machine.

The offsets are told to the core by whoever reads the configuration, and stand in the record: so who was on
call at a past instant can be found again, whatever a later table of zones says of it.
"""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import NamedTuple


class Offset(NamedTuple):
    """How far the clocks of a zone are ahead of UTC, from an instant on."""

    since: datetime
    ahead_s: int


class Shown(NamedTuple):
    """What a clock on the wall shows."""

    day: date
    minute: int
    """Of the day, from 0 to 1439."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Zone:
    """The clocks of a place. The first offset holds for all time before it too, the last for all after."""

    name: str = "UTC"
    offsets: tuple[Offset, ...] = ()

    def ahead(self, at: datetime) -> timedelta:
        """How far the clocks are ahead of UTC at an instant."""
        if not self.offsets:
            return timedelta(0)
        place = bisect_right(self.offsets, at, key=_since) - 1
        return timedelta(seconds=self.offsets[max(place, 0)].ahead_s)

    def shown(self, at: datetime) -> Shown:
        """What the clocks show at an instant."""
        local = at.astimezone(UTC) + self.ahead(at)
        return Shown(local.date(), local.hour * 60 + local.minute)

    def moment(self, day: date, minute: int) -> datetime:
        """The first instant at which the clocks show a minute of a day.

        Where they are set forward over it, that is the instant at which they are; where they are set back and
        show it twice, the first.
        """
        wanted = datetime.combine(day, time(minute // 60, minute % 60), tzinfo=UTC)
        if not self.offsets:
            return wanted
        first = max(bisect_right(self.offsets, wanted - _DAY, key=_since) - 1, 0)
        for place in range(first, len(self.offsets)):
            since, ahead_s = self.offsets[place]
            found = wanted - timedelta(seconds=ahead_s)
            if place > first:
                found = max(found, since)
            if place + 1 == len(self.offsets) or found < self.offsets[place + 1].since:
                return found
        raise AssertionError("the last offset holds for ever")


_DAY = timedelta(days=1)


def _since(offset: Offset) -> datetime:
    return offset.since


UTC_ZONE = Zone()
"""Where the clocks show UTC."""

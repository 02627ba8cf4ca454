"""Zones as the core knows them: what clocks show where, out of the table of zones of this machine."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Final
from zoneinfo import ZoneInfo

from hostwatch.core.zone import Offset, Zone

KNOWN_FROM: Final = datetime(2020, 1, 1, tzinfo=UTC)
KNOWN_UNTIL: Final = datetime(2060, 1, 1, tzinfo=UTC)
"""Between these all changes of clocks are known. Fixed, so that the record does not change by itself."""

_STEP: Final = timedelta(days=7)
"""No zone sets its clocks twice within it."""


@lru_cache(maxsize=64)
def zone_of(name: str) -> Zone:
    """The zone of an IANA name."""
    zone = ZoneInfo(name)
    found = [Offset(KNOWN_FROM, _ahead_s(zone, KNOWN_FROM))]
    at = KNOWN_FROM
    while at < KNOWN_UNTIL:
        after = at + _STEP
        if _ahead_s(zone, after) != found[-1].ahead_s:
            changed = _change(zone, at, after)
            found.append(Offset(changed, _ahead_s(zone, changed)))
        at = after
    return Zone(name=name, offsets=tuple(found))


def _change(zone: ZoneInfo, before: datetime, after: datetime) -> datetime:
    """The second at which the offset changes between two instants."""
    was = _ahead_s(zone, before)
    while after - before > timedelta(seconds=1):
        middle = (before + (after - before) / 2).replace(microsecond=0)
        if _ahead_s(zone, middle) == was:
            before = middle
        else:
            after = middle
    return after


def _ahead_s(zone: ZoneInfo, at: datetime) -> int:
    ahead = at.astimezone(zone).utcoffset()
    assert ahead is not None  # of a zone of the table
    return ahead // timedelta(seconds=1)

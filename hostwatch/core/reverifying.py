"""When a way to a contact is to be verified, again or for the first time: functions of how it stands."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from hostwatch.core.verification import Standing
from hostwatch.core.zone import Zone

ASKS_MAX: Final = 3
"""How often a way is asked by itself, until it counts as failed."""

REMIND_AFTER: Final = timedelta(days=2)
"""After which one that did not answer is asked again."""

FIRST_AFTER: Final = timedelta(days=1)
SPREAD_MAX: Final = timedelta(days=28)
"""Within which all new ways are asked for the first time, each at a time of its own."""

AGAIN_AFTER: Final = timedelta(days=30)
"""After which one that failed is tried again."""

OPENS, CLOSES = 9 * 60, 17 * 60
"""The minutes of a working day between which people are asked."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Term:
    """When the ways of a customer are to be verified again."""

    every: timedelta
    """Zero: never by itself."""

    zone: Zone


def is_working(zone: Zone, at: datetime) -> bool:
    """Whether people are at work: from Monday to Friday, from nine to five."""
    shown = zone.shown(at)
    return shown.day.weekday() < 5 and OPENS <= shown.minute < CLOSES


def is_due(one: Standing, every: timedelta, now: datetime) -> bool:
    """Whether a way is to be asked now, by itself."""
    if not every or not one.known.reads:
        return False
    if one.code:
        return one.asked_at is not None and one.asked_at + REMIND_AFTER <= now
    if one.failed_at is not None:
        return one.failed_at + max(AGAIN_AFTER, every) <= now
    if one.verified_at is not None:
        return one.verified_at + every <= now
    share = int(one.known.way[:8], 16) / 16**8
    return one.since + FIRST_AFTER + min(every, SPREAD_MAX) * share <= now

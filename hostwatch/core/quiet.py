"""Quiet hours: when some channels of a person rest, if the agreement allows it, and what that never costs.

They only say in which order channels are tried. Of a notice that is owed by a deadline, those that rest come
last, and no longer so when a third of the time is left: no deadline is lost by them. Of others they are left
out. Where all of a person's channels rest, they are used all the same.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from hostwatch.core.zone import UTC_ZONE, Zone


@dataclass(frozen=True, slots=True, kw_only=True)
class Quiet:
    """The quiet hours of a person: each day from when the clock shows one hour until it shows another."""

    since: int
    """The minute of the day, from 0 to 1439, at which they begin."""

    until: int
    """That at which they end; of the next day, if it is not later than `since`."""

    kinds: tuple[str, ...] = ()
    """The kinds of channels that rest; none: all."""

    zone: Zone = UTC_ZONE

    def ends_at(self, at: datetime) -> datetime | None:
        """When the quiet hours end that an instant lies in; None if it lies in none."""
        return next((end for begin, end in self._around(at) if begin <= at < end), None)

    def next_change(self, at: datetime) -> datetime:
        """When quiet hours begin or end next."""
        return min(mark for span in self._around(at) for mark in span if mark > at)

    def _around(self, at: datetime) -> list[tuple[datetime, datetime]]:
        """Those of yesterday, today and tomorrow."""
        today = self.zone.shown(at).day
        days = [today + timedelta(days=number) for number in (-1, 0, 1, 2)]
        later = timedelta(days=int(self.until <= self.since))
        return [
            (self.zone.moment(day, self.since), self.zone.moment(day + later, self.until)) for day in days
        ]


@dataclass(frozen=True, slots=True, kw_only=True)
class Owed:
    """By when a person must be told; without a deadline quiet hours hold all through."""

    due: datetime | None = None
    within: timedelta = timedelta(minutes=15)

    @property
    def wakes_at(self) -> datetime | None:
        """From when on quiet hours count no more: a third of the time is left."""
        return None if self.due is None else self.due - self.within / 3


def order(kinds: Sequence[str], quiet: Quiet | None, owed: Owed, now: datetime) -> tuple[int, ...]:
    """The places of the channels of a ladder, in the order in which they are tried now."""
    every = tuple(range(len(kinds)))
    if quiet is None or quiet.ends_at(now) is None:
        return every
    if owed.wakes_at is not None and owed.wakes_at <= now:
        return every
    resting = tuple(place for place in every if not quiet.kinds or kinds[place] in quiet.kinds)
    others = tuple(place for place in every if place not in resting)
    return (others + resting) if owed.due is not None else (others or resting)


def rests_until(kinds: Sequence[str], quiet: Quiet | None, now: datetime) -> datetime | None:
    """Until when all channels of a person rest; None if one of them does not."""
    if quiet is None or not all(not quiet.kinds or kind in quiet.kinds for kind in kinds):
        return None
    return quiet.ends_at(now)


def next_change(quiet: Quiet | None, owed: Owed, now: datetime) -> datetime | None:
    """When that order may be another; None: never."""
    if quiet is None:
        return None
    wakes_at = owed.wakes_at
    change = quiet.next_change(now)
    return change if wakes_at is None or wakes_at <= now else min(change, wakes_at)

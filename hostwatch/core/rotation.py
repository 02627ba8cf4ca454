"""Who is on call: people who take turns of whole days, handed over at an hour of the clock on the wall.

A turn has its days by the calendar and not by hours: over a change of clocks it is an hour shorter or
longer, and the next one still begins when the clock shows the hour of hand-over. Where the clocks are set
forward over that hour, hand-over is when they are; where they show it twice, the first time.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import NamedTuple

from hostwatch.core.zone import UTC_ZONE, Zone


class Turn(NamedTuple):
    """Who is on call, and from when until when."""

    who: str
    since: datetime
    until: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Instead:
    """Somebody takes over for a time, whosever turn it is."""

    who: str
    since: datetime
    until: datetime

    def holds(self, at: datetime) -> bool:
        """Whether it is so at an instant."""
        return self.since <= at < self.until


@dataclass(frozen=True, slots=True, kw_only=True)
class Rotation:
    """People who take turns."""

    id: str
    people: tuple[str, ...]
    """In the order of their turns."""

    begins: str
    """The day of the first hand-over, such as 2026-11-02. Before it nobody is on call."""

    minute: int = 0
    """The minute of the day, from 0 to 1439, at which is handed over."""

    days: int = 7
    """The length of a turn."""

    zone: Zone = UTC_ZONE
    instead: tuple[Instead, ...] = ()

    def on_call(self, at: datetime) -> str | None:
        """Who is on call at an instant; None before the first turn."""
        turn = self.turn(at)
        return None if turn is None else turn.who

    def turn(self, at: datetime) -> Turn | None:
        """The turn, or the part of one, that an instant lies in: between two hand-overs."""
        taken = next((one for one in self.instead if one.holds(at)), None)
        if taken is not None:
            return Turn(taken.who, taken.since, taken.until)
        regular = self._regular(at)
        if regular is None:
            return None
        since = max([regular.since, *(one.until for one in self.instead if one.until <= at)])
        until = min([regular.until, *(one.since for one in self.instead if one.since > at)])
        return Turn(regular.who, since, until)

    def next_change(self, at: datetime) -> datetime:
        """When is handed over next, after an instant."""
        turn = self.turn(at)
        if turn is not None:
            return turn.until
        return min([self._begins(0), *(one.since for one in self.instead if one.since > at)])

    def _regular(self, at: datetime) -> Turn | None:
        """The turn by the calendar alone."""
        number = (self.zone.shown(at).day - self._day(0)).days // self.days
        while self._begins(number) > at:
            number -= 1
        while self._begins(number + 1) <= at:
            number += 1
        if number < 0:
            return None
        who = self.people[number % len(self.people)]
        return Turn(who, self._begins(number), self._begins(number + 1))

    def _begins(self, number: int) -> datetime:
        return self.zone.moment(self._day(number), self.minute)

    def _day(self, number: int) -> date:
        return date.fromisoformat(self.begins) + timedelta(days=number * self.days)

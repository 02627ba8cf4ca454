"""What is to be done with a notice now: a plan, which holds as long as what it was made of."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from hostwatch.core import ladder, quiet
from hostwatch.core.emergency import Notice
from hostwatch.core.warned import OF_DUTIES
from hostwatch.directory import Directory, Way

NOT_DUE = timedelta(days=1)
"""A notice without a deadline stands behind those that have one, and is not forgotten."""

SOON = timedelta(seconds=1)
"""When to look again for somebody whom the record knows already and the directory does not."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What a round found out about a notice; holds as long as the notice, the directory and the clock do."""

    notice: Notice
    step: ladder.Step | None
    """None: the contact is no longer authorised."""

    way: Way | None = None
    """The channel of a `Send`."""

    rests: bool = False
    """Whether another has it, and nothing is tried further for now."""

    def holds(self, notice: Notice, now: datetime, *, rests: bool) -> bool:
        """Whether it is still what is to be done."""
        if self.notice is not notice or self.rests is not rests:
            return False
        return now < self.step.until if isinstance(self.step, ladder.Wait) else self.way is not None


def deadline(notice: Notice) -> datetime:
    """Of a notice that nobody is owed by a time. That a customer was not told yet goes before all others."""
    is_urgent = any(story.warning in OF_DUTIES for story in notice.stories)
    return notice.created_at + (timedelta(0) if is_urgent else NOT_DUE)


def planned(
    notice: Notice, directory: Directory, now: datetime, *, rests: bool, due: datetime | None
) -> Plan:
    """What to do with a notice, that is owed by `due` if there is such an instant."""
    person = directory.person(notice)
    if person is None:  # authorised, and the directory is about to be changed
        return Plan(notice=notice, step=ladder.Wait(now + SOON), rests=rests)
    owed = directory.owed(notice, due)
    ways = person.ways(owed, now)
    rungs = tuple(way.name for way in ways)
    step = ladder.next_step(notice, rungs, directory.pace(notice), now, rests=rests)
    if isinstance(step, ladder.Send):
        way = ways[step.rung]
        sent = ladder.Send(person.ladder.index(way))
        return Plan(notice=notice, step=sent, way=way, rests=rests)
    change = quiet.next_change(person.quiet, owed, now)
    if isinstance(step, ladder.Wait) and change is not None:
        step = ladder.Wait(min(step.until, change))
    return Plan(notice=notice, step=step, rests=rests)

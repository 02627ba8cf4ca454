"""What is to be done with a notice now: a plan, which holds as long as what it was made of."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from hostwatch import otherpath
from hostwatch.core import climbing, exercise, ladder, quiet
from hostwatch.core.emergency import Duty, Notice
from hostwatch.core.notice import Kind
from hostwatch.core.notices import REMINDER
from hostwatch.core.turns import Place, Tier, Wanted
from hostwatch.core.warned import URGENT
from hostwatch.core.world import World
from hostwatch.directory import Directory, Way

NOT_DUE = timedelta(days=1)
"""A notice without a deadline stands behind those that have one, and is not forgotten."""

TIERS: Mapping[Kind, Tier] = {
    "emergency": Tier.FIRST,
    "update": Tier.UPDATE,
    "recovery": Tier.END,
    "withdrawn": Tier.END,
    "correction": Tier.END,
    "warning": Tier.WARNING,
    "cleared": Tier.WARNING,
    "reminder": Tier.REMINDER,
}
"""What nobody is owed by a time; of other kinds of notices it is the last."""

SOON = timedelta(seconds=1)
"""When to look again for somebody whom the record knows already and the directory does not."""


Alone = Callable[[str], datetime | None]
"""Until when the gateway of a lane wants to be left alone; None: it does not."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What a round found out about a notice; holds as long as the notice, the directory and the clock do."""

    notice: Notice
    step: ladder.Step | None
    """None: the contact is no longer authorised."""

    ways: tuple[tuple[int, Way], ...] = ()
    """Of a `Send`: the channels that may take it, each with its place in the ladder. The first whose lane has
    room does."""

    until: datetime | None = None
    """When something else is to be done, whatever happens; None: never."""

    rests: bool = False
    """Whether another has it, and nothing is tried further for now."""

    gathers: datetime | None = None
    """Until when it waits for others that the same message may tell."""

    def waiting_for(self, others: datetime | None) -> Plan:
        """The same, if it is to wait for others until then."""
        if others is None or not isinstance(self.step, ladder.Send):
            return self
        until = _first(self.until, others)
        return replace(self, step=ladder.Wait(others), until=until, gathers=others)

    def holds(self, notice: Notice, now: datetime, *, rests: bool, gathers: datetime | None) -> bool:
        """Whether it is still what is to be done."""
        if self.gathers != gathers:
            return False
        if self.notice is not notice or self.rests is not rests or isinstance(self.step, ladder.GiveUp):
            return False
        return self.step is not None and (self.until is None or now < self.until)


def deadline(notice: Notice) -> datetime:
    """Of a notice that nobody is owed by a time. That a customer was not told yet goes before all others."""
    is_urgent = any(story.warning in URGENT for story in notice.stories)
    return notice.created_at + (timedelta(0) if is_urgent else NOT_DUE)


def tier(notice: Notice, duty: Duty | None) -> Tier:
    """What it goes before, whatever the deadlines."""
    if duty is not None and duty.met_at is None:
        return Tier.IN_TIME if duty.breached_at is None else Tier.LATE
    if any(story.warning in URGENT for story in notice.stories):
        return Tier.IN_TIME
    return TIERS.get(notice.kind, Tier.CONTACT_DATA)


def since(notice: Notice, before: Notice | None) -> datetime:
    """From when on a notice can be sent: not before the one that it waits for is settled."""
    settled_at = None if before is None else before.settled_at
    return notice.created_at if settled_at is None else max(notice.created_at, settled_at)


def wanted(plan: Plan, world: World) -> Iterator[Wanted]:
    """The attempt that a plan is about, by each of the ways that may take it."""
    notice = plan.notice
    duty = None if notice.duty is None else world.duties.get(notice.duty)
    people = world.population.customers[notice.customer].contacts
    for number, (_, way) in enumerate(plan.ways):
        channel = way.channel
        yield Wanted(
            notice=notice.id,
            place=Place(
                customer=notice.customer,
                kind=channel.lane,
                kind_max=channel.at_once,
                budget=channel.budget,
                exercise=notice.kind == exercise.KIND,
            ),
            tier=tier(notice, duty),
            retry=ladder.was_tried(notice),
            deadline=deadline(notice) if duty is None else duty.due,
            order=people.index(notice.contact),
            way=number,
        )


def failing(world: World, directory: Directory, notice: Notice) -> frozenset[str]:
    """Of a warning that customers are not told: the paths by which that failed. It goes by others first."""
    if not any(story.warning in URGENT for story in notice.stories):
        return frozenset()
    return otherpath.failing(world, directory)


def planned(
    notice: Notice,
    directory: Directory,
    now: datetime,
    *,
    rests: bool,
    due: datetime | None,
    since: datetime,
    alone: Alone,
    by: str = "",
    failing: Collection[str] = (),
) -> Plan:
    """What to do with a notice that can be sent `since`, and is owed by `due` if there is such an instant.

    `by`: the only kind of channel that is asked; empty: each. `failing`: the paths that come last.
    """
    person = directory.person(notice)
    if person is None:  # authorised, and the directory is about to be changed
        soon = now + SOON
        return Plan(notice=notice, step=ladder.Wait(soon), until=soon, rests=rests)
    owed, pace = directory.owed(notice, due), directory.pace(notice)
    kinds = [way.channel.kind for way in person.ladder]
    if notice.kind == REMINDER and (until := quiet.rests_until(kinds, person.quiet, now)) is not None:
        return Plan(notice=notice, step=ladder.Wait(until), until=until, rests=rests)
    ways = tuple(way for way in person.ways(owed, now) if by in ("", way.channel.kind))
    ways = tuple(sorted(ways, key=lambda way: way.path in failing))
    rungs = tuple(way.name for way in ways)
    step = ladder.next_step(notice, rungs, pace, now, rests=rests, since=since)
    change = quiet.next_change(person.quiet, owed, now)
    if isinstance(step, ladder.Send):
        asked = {way.name: until for way in ways if (until := alone(way.channel.lane)) is not None}
        found = climbing.open_rungs(notice, rungs, pace, now, step, since=since, alone=asked)
        open_ways = tuple((person.ladder.index(ways[rung]), ways[rung]) for rung in found.rungs)
        until = _first(found.until, change)
        return Plan(notice=notice, step=step, ways=open_ways, until=until, rests=rests)
    if isinstance(step, ladder.Wait):
        until = _first(step.until, change)
        return Plan(notice=notice, step=step, until=until, rests=rests)
    return Plan(notice=notice, step=step, rests=rests)


def _first(*moments: datetime | None) -> datetime | None:
    return min((one for one in moments if one is not None), default=None)

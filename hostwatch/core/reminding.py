"""Reminders: while an emergency lasts, whoever was told of it is told again, at the agreement's interval.

Nobody is owed one by a time. All of a person's emergencies that last are one reminder, and there is at most
one on its way to anybody. What one of the customer's people has, none of them is reminded of, until that is
withdrawn. When one is due follows from the notices that are on record: a restart neither repeats nor forgets.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from itertools import count
from typing import Final

from hostwatch.core import delivery, facts
from hostwatch.core.acknowledgement import END, Acknowledgement
from hostwatch.core.emergency import (
    Emergency,
    Notice,
    NoticeState,
    notice_id,
    number_of,
    reminder_id,
    update_id,
)
from hostwatch.core.merged import both
from hostwatch.core.notice import Story
from hostwatch.core.notices import REMINDER, Reader
from hostwatch.core.world import Decision, World

NAMED_MAX: Final = 50
"""Emergencies that one reminder names, the oldest first; the others are counted."""

OLD_AFTER: Final = timedelta(days=7)
"""From then on people are reminded of an emergency once in `OLD_EVERY` at most."""

OLD_EVERY: Final = timedelta(days=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Lasting:
    """An emergency that lasts, as a person was told of it last."""

    emergency: Emergency
    story: Story
    told_at: datetime
    had: Acknowledgement | None = None
    """Who of the customer's people has it."""


def lasting(world: World, to: Reader, references: Iterable[str]) -> Iterator[Lasting]:
    """Those of these emergencies of which a person is reminded while they last."""
    customer = world.population.customers.get(to[0])
    if customer is None or to[1] not in customer.contacts:
        return
    for name in references:
        emergency = world.emergencies.get(name)
        had = _had(world, name, to[0])
        if emergency is None or emergency.story.corrected_at is not None:
            continue
        if had is not None and not customer.telling.remind_acknowledged:
            continue
        if any(notice_id(name, kind, *to) in world.notices for kind in END):
            continue
        told = [one for one in _told(world, name, to) if one.state in delivery.MET]
        if told and told[0].kind == "emergency":
            last = told[-1]
            story = next(one for one in last.stories if one.reference == name)
            yield Lasting(
                emergency=emergency, story=story, told_at=last.settled_at or last.created_at, had=had
            )


def _told(world: World, name: str, to: Reader) -> Iterator[Notice]:
    """The notices of a beginning, and of what more there was to say, to a person."""
    first = world.notices.get(notice_id(name, "emergency", *to))
    if first is None:
        return
    yield first
    for number in count(1):
        update = world.notices.get(update_id(name, number, *to))
        if update is None:
            return
        yield update


def _had(world: World, name: str, customer: str) -> Acknowledgement | None:
    return next((one for one in world.acknowledged.get(name, ()) if one.customer == customer), None)


def due_at(world: World, to: Reader, references: Iterable[str], now: datetime) -> datetime | None:
    """When a person is to be reminded next of what lasts; None: of nothing, or a reminder is on its way."""
    customer = world.population.customers.get(to[0])
    every = timedelta(0) if customer is None else customer.telling.remind_every
    known = world.notices.reminders_to(*to)
    if not every or any(one.state is NoticeState.PENDING for one in known):
        return None
    open_ = [*lasting(world, to, references)]
    if not open_:
        return None
    if all(now - one.emergency.opened_at >= OLD_AFTER for one in open_):
        every = max(every, OLD_EVERY)
    before = [one.settled_at or now for one in known if one.state is not NoticeState.OVERTAKEN]
    return max([min(one.told_at for one in open_), *before]) + every


def remind(world: World, to: Reader, references: Iterable[str], now: datetime) -> Decision:
    """Owe a person a reminder, if it is due."""
    names = sorted(references, key=number_of)
    due = due_at(world, to, names, now)
    if due is None or due > now:
        return Decision()
    open_ = [*lasting(world, to, names)]
    stories = [_still(one, now) for one in open_[:NAMED_MAX]]
    stories[0] = replace(stories[0], further=len(open_) - len(stories))
    notice = Notice(
        id=_free_name(world, stories[0].reference, to),
        kind=REMINDER,
        customer=to[0],
        contact=to[1],
        emergencies=tuple(story.reference for story in stories),
        stories=tuple(stories),
        created_at=now,
    )
    owed = facts.NoticeOwed(
        at=now,
        notice=notice.id,
        kind=notice.kind,
        customer=notice.customer,
        contact=notice.contact,
        emergencies=notice.emergencies,
    )
    return Decision(facts=(owed,), notices=(notice,))


def _still(one: Lasting, now: datetime) -> Story:
    if one.had is None:
        return replace(one.story, still_at=now)
    return replace(one.story, still_at=now, had_by=one.had.contact, had_at=one.had.at)


def _free_name(world: World, first: str, to: Reader) -> str:
    names = (reminder_id(first, number, *to) for number in count(1))
    return next(name for name in names if name not in world.notices)


def is_overtaken(world: World, notice: Notice) -> bool:
    """Whether a reminder says what is so no more: something that it tells of is over, or somebody has it."""
    if notice.kind != REMINDER:
        return False
    to = notice.customer, notice.contact
    return len([*lasting(world, to, notice.emergencies)]) < len(notice.emergencies)


def overtaken(world: World, now: datetime) -> Decision:
    """Send those no more that say what is so no more. What is left of them is another reminder."""
    found = Decision()
    for name in sorted(world.notices.reminding):
        notice = world.notices[name]
        if not notice.has_open_attempt and is_overtaken(world, notice):
            why = "what it tells of is over, or somebody has it"
            found = both(found, delivery.settle(notice, NoticeState.OVERTAKEN, why, now))
    return found

"""How long a notice waits for others: of many devices that fall silent together one message tells.

A first notice waits only while other devices of the customer are silent without a verdict, since these may
fall at any moment; of a service, while other services are. One that is silent alone is told of at once.
What was told in one message may end together just so: an end waits while something of that message lasts.
The first message waits a short time. After it has left, those that come later wait longer, and stand in one
further message. No wait ends later than a third of the time to tell after the verdict, so it costs nobody a
deadline. All of it follows from the world.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from hostwatch.core import bundle
from hostwatch.core.acknowledgement import END
from hostwatch.core.emergency import Notice
from hostwatch.core.undecided import Whose
from hostwatch.core.world import World


@dataclass(frozen=True, slots=True, kw_only=True)
class Gather:
    """How long first notices wait for each other."""

    first: timedelta = timedelta(seconds=30)
    """0: they never do."""

    further: timedelta = timedelta(minutes=4, seconds=30)
    """Those that come when a message has left already: with the first wait, as long as an interval."""


def until(world: World, notice: Notice, gather: Gather) -> datetime | None:
    """Until when a notice waits for others; None: it does not."""
    customer = world.population.customers.get(notice.customer)
    if not gather.first or customer is None or notice.attempts or not _may_follow(world, notice):
        return None
    told_at = world.notices.told_like(notice)
    is_further = told_at is not None and told_at > notice.created_at - notice.stories[0].interval
    wait = gather.further if is_further else gather.first
    duty = None if notice.duty is None else world.duties.get(notice.duty)
    owed_from = notice.created_at if duty is None else duty.due - customer.terms.notice_within
    return min(notice.created_at + wait, owed_from + customer.terms.notice_within / 3)


def _may_follow(world: World, notice: Notice) -> bool:
    """Whether others may come at any moment that the same message would tell."""
    shape = bundle.shape(world, notice)
    if shape is not None and shape[:2] == ("emergency", False):
        return notice.duty in world.duties and bool(world.signals.undecided.of(whose(notice)))
    return shape is not None and notice.kind in END and _others_last(world, notice)


def whose(notice: Notice) -> Whose:
    """What it is about, when others like it are counted."""
    return notice.customer, bool(notice.stories[0].service)


def _others_last(world: World, notice: Notice) -> bool:
    """Whether something lasts of what the same message told that told the beginning: it may end just so."""
    first = notice
    while first.after is not None and first.after in world.notices:
        first = world.notices[first.after]
    told = world.notices.in_message(first, len(first.attempts)) if first.attempts else []
    return any(reference in world.emergencies for one in told for reference in one.emergencies)

"""How long a first notice waits for others: of many devices that fall silent together one message tells.

It waits only while other devices of the customer are silent without a verdict, since these may fall at any
moment; a device that is silent alone is told of at once. The first message waits a short time. After it has
left, those that come later wait longer, and stand in one further message. No wait ends later than a third of
the time to tell after the verdict, so it costs nobody a deadline. All of it follows from the world.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from hostwatch.core import bundle
from hostwatch.core.emergency import Notice
from hostwatch.core.world import World


@dataclass(frozen=True, slots=True, kw_only=True)
class Gather:
    """How long first notices wait for each other."""

    first: timedelta = timedelta(seconds=30)
    """0: they never do."""

    further: timedelta = timedelta(minutes=4)
    """Those that come when a message has left already."""


def until(world: World, notice: Notice, gather: Gather) -> datetime | None:
    """Until when a notice waits for others; None: it does not."""
    duty = None if notice.duty is None else world.duties.get(notice.duty)
    customer = world.population.customers.get(notice.customer)
    if not gather.first or duty is None or customer is None or notice.attempts:
        return None
    if not world.signals.undecided.of(notice.customer) or bundle.shape(world, notice) != ("emergency", False):
        return None
    told_at = world.notices.told_at(notice.customer, notice.contact)
    is_further = told_at is not None and told_at > notice.created_at - customer.terms.interval
    wait = gather.further if is_further else gather.first
    return min(notice.created_at + wait, duty.due - customer.terms.notice_within * 2 / 3)

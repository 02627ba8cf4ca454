"""The clock of the duties to customers: operators hear before the time to tell is out (`colocation C5`).

When a third of the time to tell has passed and a customer was not told, operators are warned (10 minutes
left of 15), once more after two thirds (5 minutes left), and at the deadline. Duties that are due in the same
minute are one warning: when thousands of devices die at once nobody reads thousands. It is over as soon as
none of them is open.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Final

from hostwatch.core import breachreason
from hostwatch.core.customerduty import CustomerDuty
from hostwatch.core.warned import OF_DUTIES, SAID_CHARS_MAX, Sign, What, follow
from hostwatch.core.world import Decision, World

SHARES: Final = {What.NOT_TOLD: 2, What.NOT_TOLD_SOON: 1, What.NOT_TOLD_IN_TIME: 0}
"""What is warned of when so many thirds of the time to tell are left. Later ones stand beside the earlier."""

NAMED_MAX: Final = 3
"""Customers that a warning names; the others are counted."""


def instants(world: World, duty: CustomerDuty) -> Iterator[datetime]:
    """When something is to be said of a duty that is not met by then: the last is its deadline."""
    within = _within(world, duty)
    for thirds in SHARES.values():
        yield duty.due - within * thirds / 3


def look(world: World, now: datetime) -> Decision:
    """What operators are warned of now, and what is over."""
    open_: dict[What, dict[str, list[CustomerDuty]]] = {what: defaultdict(list) for what in SHARES}
    for duty in world.customer_duties.values():
        if duty.is_settled or duty.customer == world.population.operator:
            continue
        for what, since in zip(SHARES, instants(world, duty), strict=True):
            if since <= now:
                open_[what][f"{duty.due:{MINUTE}}"].append(duty)
    signs = [
        Sign(what=what, about=about, said=_said(world, owed, now))
        for what, groups in open_.items()
        for about, owed in groups.items()
    ]
    lasting = [name for name, one in world.warned.items() if one.what in OF_DUTIES]
    people = world.population
    told = people.customers.get(people.operator)
    found = follow(world.warned, signs, lasting, told, now, quiet=timedelta(0))
    return Decision(facts=found.facts, warned=found.warned, notices=found.notices)


def lasts(world: World) -> bool:
    """Whether operators are warned of any now."""
    return any(one.what in OF_DUTIES for one in world.warned.values())


def _within(world: World, duty: CustomerDuty) -> timedelta:
    """The time to tell; of a customer who has left none is left to speak of."""
    customer = world.population.customers.get(duty.customer)
    return timedelta(0) if customer is None else customer.terms.notice_within


_WHOM: Final = re.compile(r"[^\s:;,]+ E-\d{6,12}|\d+ more")

MINUTE: Final = "%Y-%m-%d %H:%MZ"
"""What a warning is about: the minute by which customers are to be told, in UTC."""


def minute_of(about: str) -> datetime:
    """The minute that a warning is about."""
    return datetime.strptime(about, MINUTE).replace(tzinfo=UTC)


def _said(world: World, owed: list[CustomerDuty], now: datetime) -> str:
    """Which customers, and of each why, as long as there is room for that."""
    first = sorted(owed, key=lambda one: one.id)[:NAMED_MAX]
    parts = [f"{duty.customer} {duty.emergency}" for duty in first]
    more = [f"{len(owed) - NAMED_MAX} more"] if len(owed) > NAMED_MAX else []
    left = SAID_CHARS_MAX - len("; ".join([*parts, *more]))
    for place, duty in enumerate(first):
        sign = ": "
        for reason in breachreason.of_customer(world, duty, now):
            if len(said := sign + reason.words) > left:
                break
            parts[place] += said
            left, sign = left - len(said), ", "
    return "; ".join([*parts, *more])


def customers_in(said: str) -> list[str]:
    """Whom a warning names, each with the emergency, and how many more there are: without the reasons."""
    return _WHOM.findall(said)

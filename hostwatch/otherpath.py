"""Other paths for operators: what tells them that customers are not told must not go by what is broken.

A path is by what a message leaves the house: the mail relay, a gateway, a provider, another side's name.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from itertools import islice
from typing import Final

from hostwatch.configuration.mistake import Wrong
from hostwatch.configuration.model import Configuration
from hostwatch.core.emergency import AttemptOutcome
from hostwatch.core.world import World
from hostwatch.directory import Directory

DUTIES_MAX: Final = 1_000
"""Open duties that are looked at: when more are open, these tell enough."""

IN_VAIN: Final = frozenset({AttemptOutcome.FAILED, AttemptOutcome.INTERRUPTED})
"""What says nothing of the address, and so may be for the path's sake."""


def failing(world: World, directory: Directory) -> frozenset[str]:
    """The paths by which people of customers, who are owed to be told, were tried last and in vain."""
    operator = world.population.operator
    owed = (one for one in world.duties.values() if one.is_open and one.customer != operator)
    found = set[str]()
    for duty in islice(owed, DUTIES_MAX):
        notice = world.notices.get(duty.id)
        person = directory.people.get((duty.customer, duty.contact))
        if notice is None or person is None:
            continue
        latest = {attempt.way: attempt.outcome for attempt in notice.attempts}
        ways = (person.way(name) for name, outcome in latest.items() if outcome in IN_VAIN)
        found.update(way.path for way in ways if way is not None)
    return frozenset(found)


def shared(configuration: Configuration) -> Iterator[tuple[str, Wrong]]:
    """That all the operator's ways have the path by which most of the customers' people are told first."""
    sites = configuration.site_settings
    own = [
        rung.path(sites)
        for customer in configuration.customers
        if customer.id == configuration.operator
        for contact in customer.contacts
        for rung in contact.channels
    ]
    first = Counter(
        contact.channels[0].path(sites)
        for customer in configuration.customers
        if customer.id != configuration.operator
        for contact in customer.contacts
        if contact.channels
    )
    if not own or not first:
        return
    busiest, people = max(first.items(), key=lambda one: (one[1], one[0]))
    if {*own} == {busiest}:
        yield (
            f"customers[{configuration.operator}].contacts",
            Wrong(
                f"every way to the operator's own people goes by {busiest}, as the first of {people} of the"
                " customers' people does: when that is broken, nobody hears that customers are not told",
                "give one of them a channel of another path, such as sms, voice, pager or webhook",
            ),
        )

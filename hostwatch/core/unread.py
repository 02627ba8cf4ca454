"""Mailboxes of what comes back that cannot be read: meanwhile nobody knows what was not delivered.

Operators are warned. It changes nothing of what was accepted: that a relay took it is all that is known then,
and more than that nobody says.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta

from hostwatch.core.warned import Sign, What, follow
from hostwatch.core.world import Decision, World


def look(world: World, unread: Mapping[str, str], now: datetime) -> Decision:
    """What operators are warned of now, and what is over. `unread`: mailboxes, and why nobody reads them."""
    signs = [Sign(what=What.UNREAD, about=name, said=why) for name, why in unread.items()]
    lasting = [name for name, one in world.warned.items() if one.what is What.UNREAD]
    people = world.population
    told = people.customers.get(people.operator)
    found = follow(world.warned, signs, lasting, told, now, quiet=timedelta(0))
    return Decision(facts=found.facts, warned=found.warned, notices=found.notices)


def lasts(world: World) -> bool:
    """Whether operators are warned of any now."""
    return any(one.what is What.UNREAD for one in world.warned.values())

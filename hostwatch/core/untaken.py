"""Calls that nobody takes: operators, and who supervises them, hear of it while there is time.

A call on the call sheet tells nobody before somebody makes it. If the time of a duty runs and nobody takes
its call within some minutes, or it came back twice without an outcome, operators are warned: once of all such
calls together, and once more when there has been none for a while. Calls that are owed by no time may wait.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Final

from hostwatch.core import calling
from hostwatch.core.calls import Entry
from hostwatch.core.warned import Sign, What, follow
from hostwatch.core.world import Decision, World

RETURNS: Final = 2
"""How often a call may come back without an outcome before it is time to say so."""

NAMED_MAX: Final = 3
"""Calls that the warning names; the others are counted."""

ABOUT: Final = "call sheet"


def untaken(world: World, now: datetime) -> Iterator[Entry]:
    """The calls of open duties that nobody has taken for too long, or that came back too often."""
    for entry in calling.sheet(world):
        duty = world.duties.get(entry.notice.duty or "")
        if duty is not None and duty.is_open and _is_left(entry, world, now):
            yield entry


def _is_left(entry: Entry, world: World, now: datetime) -> bool:
    call = entry.call
    if call is not None and call.is_taken:
        return False
    since = entry.attempt.began_at if call is None or call.returned_at is None else call.returned_at
    is_often = call is not None and call.times >= RETURNS
    return is_often or now - since >= world.planning.untaken_after


def look(world: World, now: datetime) -> Decision:
    """What operators are warned of now, and what is over."""
    left = sorted(untaken(world, now), key=lambda entry: (entry.attempt.began_at, entry.notice.id))
    signs = [Sign(what=What.UNTAKEN, about=ABOUT, said=_said(left))] if left else []
    lasting = [name for name, one in world.warned.items() if one.what is What.UNTAKEN]
    people = world.population
    found = follow(world.warned, signs, lasting, people.customers.get(people.operator), now)
    return Decision(facts=found.facts, warned=found.warned, notices=found.notices)


def _said(left: list[Entry]) -> str:
    """Which, those that wait longest first."""
    names = [f"{one.notice.customer} {', '.join(one.notice.emergencies)}" for one in left[:NAMED_MAX]]
    more = len(left) - NAMED_MAX
    return "; ".join([*dict.fromkeys(names), *([f"{more} more"] if more > 0 else [])])

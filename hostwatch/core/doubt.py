"""The present doubt: of a supply of which nobody can say whether it is interrupted, how it was seen last."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Final

from hostwatch.core import lastseen
from hostwatch.core.hearing import POWER, words
from hostwatch.core.lastseen import LastSeen, Told
from hostwatch.core.power import Concern, Point, PowerReading, Utility
from hostwatch.core.signal import Signal
from hostwatch.core.supply import Supply
from hostwatch.core.warned import What, name_of
from hostwatch.core.witnesses import parsed
from hostwatch.core.world import World

WARNED: Final = {What.ON_BATTERY: Concern.ON_BATTERY, What.RUNTIME_LOW: Concern.LOW_BATTERY}
"""What a lasting warning says of a source that has said nothing since."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Doubt:
    """The present doubt of one supply."""

    since: datetime
    why: str
    seen: LastSeen
    heard: datetime | None
    """When whoever said so was heard last; None if nobody was."""

    silent: tuple[str, ...]
    """The sources with a word in it that are not heard."""


def of_supply(world: World, supply: Supply, now: datetime) -> Doubt | None:
    """The doubt of a supply; None if it is known how it stands, or nobody has read it yet."""
    people = world.population
    own = world.signals.get(supply.signal(people.vantage))
    since = None if own is None else own.unspoken_since(now)
    if own is None or since is None:
        return None
    wanted = parsed(supply.id)
    seen = lastseen.of_supply(wanted, people.witnesses.wiring, lambda name: told(world, name))
    asked = people.witnesses.wiring.sources(wanted)
    return Doubt(
        since=since,
        why=own.blind_why,
        seen=seen,
        heard=None if (mine := _signal(world, seen.source)) is None else mine.last_answer,
        silent=tuple(one for one in asked if not _speaks(world, one, now)),
    )


def of_element(world: World, name: str) -> LastSeen:
    """How an element was seen last."""
    return lastseen.of_element(name, world.population.witnesses.wiring, lambda one: told(world, one))


def by_one(world: World, source: str) -> LastSeen:
    """What one source alone said last of the elements that it sees: the worst of it."""
    seen = world.population.witnesses

    def alone(name: str) -> Told | None:
        return told(world, name) if name == source else None

    found = [lastseen.of_element(one, seen.wiring, alone) for one in seen.elements(source)]
    return max(found, key=lambda one: one.last, default=LastSeen())


def told(world: World, source: str) -> Told | None:
    """What a source said last, however long ago; None if it never said anything.

    Of one that answers and says nothing (its driver waits for the UPS), what operators are still warned of.
    """
    mine, heard, own = world.population.sources.get(source), world.heard.get(source), _signal(world, source)
    if mine is None or mine.room != POWER or heard is None or own is None or own.last_answer is None:
        return None
    reading = words(heard.said)
    if lastseen.says_anything(reading):
        return Told(heard.since, own.last_answer, reading)
    known = {what: world.warned.get(name_of(what, source)) for what in WARNED}
    lasting = {what: one for what, one in known.items() if one is not None and one.quiet_since is None}
    if not lasting:
        return None
    concerns = tuple(sorted(WARNED[what] for what in lasting))
    point = Point(utility=Utility.ABSENT if What.ON_BATTERY in lasting else Utility.UNKNOWN)
    since = min(one.since for one in lasting.values())
    return Told(since, own.last_answer, PowerReading(points=(point,), concerns=concerns))


def _signal(world: World, source: str) -> Signal | None:
    mine = world.population.sources.get(source)
    return None if mine is None else world.signals.get(mine.signal(world.population.vantage))


def _speaks(world: World, source: str, now: datetime) -> bool:
    own = _signal(world, source)
    return own is not None and own.speaks(now)

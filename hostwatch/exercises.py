"""Exercises as they are asked for through the control socket, and their end when the time has come."""

from __future__ import annotations

import asyncio
import difflib
from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from typing import Any, Final

from hostwatch.asked import Refused, words
from hostwatch.clock import Clock
from hostwatch.core import exercising
from hostwatch.core.exercise import Asked
from hostwatch.core.population import Customer
from hostwatch.core.world import Decision, World
from hostwatch.engine import Engine

PEOPLE_MAX: Final = 50
"""Who is told by one exercise."""

WITHIN_MAX_S: Final = 86_400
"""The longest time to tell that one may have."""

LONGEST: Final = timedelta(minutes=1)
"""How long it is slept at most: the wall clock may step meanwhile."""

GRAIN: Final = timedelta(milliseconds=200)


class Exercises:
    """Ends each exercise when its time is over, or all have said that they have it."""

    def __init__(self, engine: Engine, clock: Clock) -> None:
        self._engine = engine
        self._clock = clock
        self._changed = asyncio.Event()
        engine.listeners.append(self._on_decision)

    def _on_decision(self, decision: Decision) -> None:
        if self._engine.world.exercises.open and (
            decision.exercises or decision.acknowledged or decision.notices
        ):
            self._changed.set()

    async def run(self) -> None:
        """Watch for ever."""
        while True:
            self._changed.clear()
            world, now = self._engine.world, self._clock.now()
            ends = [exercising.over_at(world, one) or now for one in world.exercises.open.values()]
            first = min(ends, default=None)
            if first is None:
                await self._changed.wait()
            elif first <= now:
                await self._engine.do(exercising.end)
            else:
                await self._sleep(min(first - now, LONGEST))
            await self._clock.sleep(GRAIN)

    async def _sleep(self, span: timedelta) -> None:
        """Sleep so long, or until something changes."""
        waits = [
            asyncio.ensure_future(self._clock.sleep(span)),
            asyncio.ensure_future(self._changed.wait()),
        ]
        try:
            await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for one in waits:
                one.cancel()
            await asyncio.gather(*waits, return_exceptions=True)


async def begin(engine: Engine, author: str, request: Mapping[str, Any]) -> Mapping[str, Any]:
    """Begin one, to those who were named; else to the operator's own people."""
    seconds = words(request, "seconds")
    within = int(seconds) if seconds.isascii() and seconds.isdecimal() and len(seconds) < 10 else 0
    if not 1 <= within <= WITHIN_MAX_S:
        raise Refused("cannot begin an exercise: its time is to be 1 s to 1 d; say how long with --within")
    by, named = words(request, "by"), words(request, "to").split()
    refused: list[Refused] = []

    def deed(world: World, now: datetime) -> Decision:
        try:
            people = tuple(_people(world, named, now))
        except Refused as why:
            refused.append(why)
            return Decision()
        return exercising.begin(world, people, timedelta(seconds=within), now, by=by, actor=author)

    under_way = next(iter(engine.world.exercises.open.values()), None)
    if under_way is not None:
        raise Refused(f"{under_way.reference} is under way until {under_way.due:%Y-%m-%d %H:%M:%S}Z")
    done = await engine.do(deed)
    if refused:
        raise refused[0]
    if not done.exercises:
        raise Refused("another exercise has just begun")
    one = done.exercises[0]
    return {"reference": one.reference, "people": [asked.name for asked in one.people]}


DEEDS: Final = {"exercise": begin}


def _people(world: World, named: list[str], now: datetime) -> Iterator[Asked]:
    """Whom: `customer`, whose people are authorised now, or `customer/contact`."""
    if not named and world.population.operator not in world.population.customers:
        raise Refused("nobody is the operator here; say who is to be told with --to CUSTOMER[/CONTACT]")
    found: dict[str, Asked] = {}
    for name in named or [world.population.operator]:
        customer, slash, contact = name.partition("/")
        known = _customer(world, customer)
        for one in _contacts(known, contact if slash else None, now):
            asked = Asked(customer=known.id, contact=one, met_by=known.telling.met_by)
            found.setdefault(asked.name, asked)
    if len(found) > PEOPLE_MAX:
        raise Refused(f"these are {len(found)} people, more than {PEOPLE_MAX}; name fewer with --to")
    yield from found.values()


def _customer(world: World, name: str) -> Customer:
    customers = world.population.customers
    if name not in customers:
        raise Refused(f"there is no customer {name}{_near(name, [*customers])}")
    if not customers[name].telling.exercises:
        raise Refused(f"{name} wants no exercises (terms.exercises: refused)")
    return customers[name]


def _contacts(customer: Customer, contact: str | None, now: datetime) -> tuple[str, ...]:
    if contact is None:
        called = customer.authorised(now)
        if not called:
            raise Refused(f"nobody of {customer.id} is authorised now")
        return called
    if contact not in customer.contacts:
        raise Refused(f"{customer.id} has no contact {contact}{_near(contact, [*customer.contacts])}")
    return (contact,)


def _near(name: str, there: list[str]) -> str:
    near = difflib.get_close_matches(name, there, 1, 0.6)
    return f"; did you mean {near[0]}?" if near else ""

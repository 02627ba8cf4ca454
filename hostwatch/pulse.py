"""The pulse of the watch: who outside is told that it is well, as long as it is.

It beats only while all moves on by the judgement of `health`: slices are closed in time, the store is
written, the outbox is looked through and nothing in it is overdue. Otherwise it is silent, or says so where
the other side takes that. It stands in the way of nobody: a beat is a task of its own with an end, and what
goes wrong with it is counted. Since it runs on the loop of the watch, it is silent too when that hangs.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final

import hostwatch
from hostwatch import heartbeats, log
from hostwatch.channels.base import Surroundings
from hostwatch.clock import Clock
from hostwatch.configuration.heartbeat import Heartbeat
from hostwatch.configuration.model import Configuration
from hostwatch.core import heartbeats as deeds
from hostwatch.core.warned import What, name_of
from hostwatch.core.world import Decision, World
from hostwatch.engine import Engine
from hostwatch.gauges import Count, Figure, Gauge
from hostwatch.handover import fault
from hostwatch.health import Health
from hostwatch.heartbeats.base import Beat, Failed, Refused, Way

AGAIN: Final = timedelta(minutes=1)
"""After a beat that was not taken, or was left out, the next is tried by then, however seldom it beats."""

GRAIN: Final = timedelta(seconds=1)
"""Two beats are never nearer to one another."""

MISSES: Final = 3
"""Beats in a row that nobody took, after which operators are warned."""

OPENING: Final = timedelta(minutes=1)
"""A watch that starts is not well yet; for so long nothing is said of that."""

LONGEST: Final = timedelta(minutes=2)
"""No beat takes longer, whatever its kind does."""


@dataclass(slots=True)
class Ticking:
    """One way, and how it went."""

    way: Way
    every: timedelta
    missed: int = 0
    known: bool = False
    """Whether anything is known of it: it took a beat, or has missed enough of them."""

    why: str = ""
    taken_at: timedelta | None = None
    """When a beat was taken last, by the monotonic clock."""

    results: Counter[str] = field(default_factory=Counter)


class Pulse:
    """Beats in each of the ways that are configured."""

    def __init__(self, engine: Engine, clock: Clock, examine: Callable[[], Health]) -> None:
        self._engine = engine
        self._clock = clock
        self._examine = examine
        self._site = ""
        self._ways: Mapping[str, Ticking] = {}
        self._changed = asyncio.Event()
        self._has_started = self._was_well = False
        self._began = clock.monotonic()
        self._asked = False
        """Whether a look at the warnings is under way."""

    def take(self, site: str, ways: Mapping[str, Ticking]) -> None:
        """Who is told from now on, by name, and of which site."""
        self._site = site
        self._ways = ways
        self._changed.set()

    async def run(self) -> None:
        """Beat for ever."""
        while True:
            self._changed.clear()
            ticking = [
                asyncio.create_task(self._tick(name, one, not self._has_started))
                for name, one in self._ways.items()
            ]
            self._has_started = True
            try:
                self._look()
                await self._changed.wait()
            finally:
                for task in ticking:
                    task.cancel()
                await asyncio.gather(*ticking, return_exceptions=True)

    async def _tick(self, name: str, one: Ticking, is_first: bool) -> None:
        if is_first:
            await self._say(name, one, None)
        while True:
            began = self._clock.monotonic()
            try:
                every = await self._beat_of(name, one)
            except Exception as error:  # nobody watches us then, and the watch goes on all the same
                log.error("heartbeat-broke", heartbeat=name, **fault(error))
                every = AGAIN
            await self._clock.sleep(max(began + every - self._clock.monotonic(), GRAIN))

    async def _beat_of(self, name: str, one: Ticking) -> timedelta:
        """Say how the watch is, if that is to be said; after how long to look again."""
        health = self._examine()
        self._was_well = self._was_well or health.ok
        if not self._was_well and self._clock.monotonic() - self._began < OPENING:
            return GRAIN
        if health.ok or one.way.tells_trouble:
            await self._say(name, one, health)
        else:
            one.results["silent"] += 1
        self._mind(name, one)
        return one.every if health.ok and not one.missed else min(one.every, AGAIN)

    async def _say(self, name: str, one: Ticking, health: Health | None) -> None:
        """One beat, whatever comes of it; without a health the first, which tells of a start."""
        try:
            async with asyncio.timeout(LONGEST.total_seconds()):
                said = await self._said(one.way, health)
        except (Failed, Refused, TimeoutError) as error:
            why = str(error) or "no end"
        except Exception as error:  # a fault of ours in a kind must not disturb the watch
            log.error("heartbeat-broke", heartbeat=name, **fault(error))
            why = type(error).__name__
        else:
            if said or health is not None:
                one.results["taken"] += 1
                one.missed, one.known, one.taken_at = 0, True, self._clock.monotonic()
            return
        one.results["missed"] += 1
        one.missed, one.why = one.missed + 1, why
        one.known = one.known or one.missed >= MISSES
        log.warning("heartbeat-missed", heartbeat=name, missed=one.missed)

    async def _said(self, way: Way, health: Health | None) -> str:
        if health is None:
            return await way.start(self._beat("started"))
        if not health.ok:
            return await way.fail(self._beat("not well:", *health.outward))
        return await way.beat(self._beat("well", *health.outward_warnings))

    def _beat(self, *lines: str) -> Beat:
        return Beat(at=self._clock.now(), site=self._site, version=hostwatch.__version__, lines=lines)

    def _mind(self, name: str, one: Ticking) -> None:
        """Have operators warned, or the warning ended, if that is not so already."""
        if not one.known:
            return
        lasts = name_of(What.HEARTBEAT, name) in self._engine.world.warned
        if lasts != (one.missed >= MISSES):
            self._have_looked()

    def _have_looked(self) -> None:
        """The store may be what is ill: no beat waits for it."""
        if not self._asked:
            self._asked = True
            self._engine.post(self._deed)

    def _deed(self, world: World, now: datetime) -> Decision:
        self._asked = False
        return deeds.look(world, self._deaf(), self._unsure(), now)

    def _look(self) -> None:
        """Warnings about ways that are no more are over."""
        about = {one.about for one in self._engine.world.warned.values() if one.what is What.HEARTBEAT}
        if about - self._ways.keys():
            self._have_looked()

    def _deaf(self) -> dict[str, str]:
        return {name: _short(one.why) for name, one in self._ways.items() if one.missed >= MISSES}

    def _unsure(self) -> frozenset[str]:
        return frozenset(name for name, one in self._ways.items() if not one.known)

    def figures(self) -> Iterator[Figure]:
        """How often it beat, and how long ago somebody took it."""
        if not self._ways:
            return
        now = self._clock.monotonic()
        counts: dict[tuple[str, ...], float] = {
            (name, outcome): number
            for name, one in self._ways.items()
            for outcome, number in one.results.items()
        }
        yield Count(
            "hostwatch_heartbeats_total",
            "Heartbeats to somebody outside, by what came of them.",
            counts,
            ("heartbeat", "outcome"),
        )
        yield Gauge(
            "hostwatch_heartbeat_age_seconds",
            "Time since somebody outside last took a heartbeat.",
            {
                name: (now - one.taken_at).total_seconds()
                for name, one in self._ways.items()
                if one.taken_at is not None
            },
            "heartbeat",
        )


def made(configuration: Configuration, surroundings: Surroundings) -> dict[str, Ticking]:
    """The ways of a configuration, by name. Raises `channels.base.Unusable`."""
    return {one.name: Ticking(_build(one, surroundings), one.interval) for one in configuration.heartbeat}


def _build(one: Heartbeat, surroundings: Surroundings) -> Way:
    way: Way = heartbeats.room(one.kind).build(one.settings, surroundings)
    return way


def _short(why: str) -> str:
    """What the other side said, without what follows its code: an answer may be a page."""
    return why.partition(":")[0][:80]

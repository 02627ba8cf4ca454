"""Reminds people of what lasts, when the time has come: sleeps until then, and looks at nobody before."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable
from datetime import datetime, timedelta
from heapq import heappop, heappush
from typing import Any, Final

from hostwatch.clock import Clock
from hostwatch.core import facts, instant, reminding
from hostwatch.core.emergency import Notice, NoticeState
from hostwatch.core.notices import REMINDER, Reader
from hostwatch.core.quiet import rests_until
from hostwatch.core.world import Decision, World
from hostwatch.directory import Directory
from hostwatch.engine import Engine

LONGEST: Final = timedelta(minutes=1)
"""How long it is slept at most: the wall clock may step meanwhile."""

GRAIN: Final = timedelta(milliseconds=200)
"""The least between two looks: in a storm many ends are looked at together."""


class Reminders:
    """Owes each reminder when it is due, and drops what is overtaken."""

    def __init__(self, engine: Engine, clock: Clock, directory: Callable[[], Directory]) -> None:
        self._engine = engine
        self._clock = clock
        self._directory = directory
        self._changed = asyncio.Event()
        self._told: dict[Reader, set[str]] = {}
        """By person the emergencies of which they were told; of such as are over some may lie about."""

        self._looks: list[tuple[datetime, Reader]] = []
        """A heap: when somebody is to be looked at."""

        self._next: dict[Reader, datetime] = {}
        """By person, the entry of the heap that counts: no reminder of theirs is due before."""

        self._stale = True
        """Whether reminders that are on their way may be overtaken."""

        self._note(engine.world.notices.values())
        engine.listeners.append(self._on_decision)

    def _note(self, notices: Iterable[Notice]) -> None:
        """What people are told of, and when they are reminded of it at the earliest."""
        customers = self._engine.world.population.customers
        for notice in notices:
            to = notice.customer, notice.contact
            if notice.kind == "emergency":
                self._told.setdefault(to, set()).update(notice.emergencies)
            if notice.state is NoticeState.PENDING or notice.customer not in customers:
                continue
            if notice.kind == REMINDER:
                self._look_at([to], instant.EPOCH)
            elif notice.kind == "emergency" and notice.settled_at is not None:
                self._look_at([to], notice.settled_at + customers[notice.customer].telling.remind_every)

    def _look_at(self, people: Iterable[Reader], at: datetime) -> None:
        for to in people:
            if to not in self._next or at < self._next[to]:
                self._next[to] = at
                heappush(self._looks, (at, to))
                if self._looks[0] == (at, to):
                    self._changed.set()

    def _on_decision(self, decision: Decision) -> None:
        self._note(decision.notices)
        world = self._engine.world
        if decision.emergencies or decision.acknowledged or decision.population:
            self._stale = True
        for reference in decision.acknowledged:  # somebody may have taken it back
            readers = {(one.customer, one.contact) for one in world.notices.of(reference)}
            self._look_at(readers & self._told.keys(), instant.EPOCH)
        people = decision.population
        is_new = people is not None and people.customers
        if is_new or any(isinstance(fact, facts.ClockStepped) for fact in decision.facts):
            self._look_at(self._told, instant.EPOCH)
        if self._stale and world.notices.reminding:
            self._changed.set()

    async def run(self) -> None:
        """Remind for ever."""
        while True:
            self._changed.clear()
            if self._stale:
                self._stale = False
                if self._engine.world.notices.reminding:
                    await self._engine.do(reminding.overtaken)
            while (first := self._first()) is not None and first[0] <= self._clock.now():
                await self._remind(first[1])
            await self._clock.sleep(GRAIN)
            await self._sleep(None if first is None else first[0] - self._clock.now())

    def _first(self) -> tuple[datetime, Reader] | None:
        """Who is to be looked at next, and when."""
        while self._looks:
            at, to = self._looks[0]
            if self._next.get(to) == at:
                return at, to
            heappop(self._looks)
        return None

    async def _remind(self, to: Reader) -> None:
        """Look at somebody: they are reminded, or it is known when they are to be looked at next."""
        del self._next[to]
        world, now = self._engine.world, self._clock.now()
        mine = self._told[to] = {name for name in self._told.get(to, ()) if name in world.emergencies}
        person = self._directory().people.get(to)
        if not mine or person is None:
            if not mine:
                del self._told[to]
            return
        due = reminding.due_at(world, to, mine, now)
        if due is None:
            return  # when that changes, a decision tells
        quiet = rests_until([way.channel.kind for way in person.ladder], person.quiet, max(due, now))
        if quiet is not None or due > now:
            self._look_at([to], quiet or due)
            return

        def deed(world: World, at: datetime) -> Decision:
            return reminding.remind(world, to, mine, at)

        await self._engine.do(deed)

    async def _sleep(self, span: timedelta | None) -> None:
        """Sleep so long, or until something changes."""
        waits: list[asyncio.Future[Any]] = [asyncio.ensure_future(self._changed.wait())]
        if span is not None:
            short = max(min(span, LONGEST), timedelta(0))
            waits.append(asyncio.ensure_future(self._clock.sleep(short)))
        try:
            await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for one in waits:
                one.cancel()
            await asyncio.gather(*waits, return_exceptions=True)

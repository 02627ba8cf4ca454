"""The outbox: decides which owed notices are handed over now, one contact's ladder at a time.

It polls: what is owed lies in the engine's world, which the store can rebuild. An attempt is claimed
in the record before the message leaves; whatever dies in between, the notice is sent again and says
that it may be a repeat. One round looks at all that is owed, gives the free places to those whose turn
it is (`core.turns`), and says when to look again.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from hostwatch import log
from hostwatch.clock import Clock
from hostwatch.core import delivery, ladder, turns
from hostwatch.core.emergency import Notice, NoticeState
from hostwatch.directory import Directory, Way
from hostwatch.engine import Engine
from hostwatch.handover import Handover, fault

IDLE = timedelta(seconds=60)
"""The longest wait between two looks at what is owed."""

BREATH = timedelta(milliseconds=20)
"""The shortest: in a storm many ends of attempts are looked at together."""

SOON = timedelta(seconds=1)
"""When to look again for somebody whom the record knows already and the directory does not."""

GRACE = timedelta(seconds=5)
"""How long attempts may go on when the watch stops."""

NOT_DUE = timedelta(days=1)
"""A notice without a deadline stands behind those that have one, and is not forgotten."""

OVERDUE_AFTER = IDLE
"""How long after its time a notice may still stand there before it is a sign that the outbox hangs."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Flight:
    """An attempt under way."""

    task: asyncio.Task[None]
    place: turns.Place


@dataclass(frozen=True, slots=True, kw_only=True)
class _Plan:
    """What a round found out about a notice; holds as long as the notice, the directory and the clock do."""

    notice: Notice
    step: ladder.Step | None
    """None: the contact is no longer authorised."""

    way: Way | None = None
    """The channel of a `Send`."""

    def holds(self, notice: Notice, now: datetime) -> bool:
        if self.notice is not notice:
            return False
        return now < self.step.until if isinstance(self.step, ladder.Wait) else self.way is not None


class Outbox:
    """Sends what is owed to people."""

    def __init__(self, engine: Engine, clock: Clock, directory: Callable[[], Directory]) -> None:
        self._engine = engine
        self._clock = clock
        self._directory = directory
        self._handover = Handover(engine, clock, directory)
        self._in_flight: dict[str, _Flight] = {}
        self._plans: dict[str, _Plan] = {}
        self._planned_with: Directory | None = None
        self._looked_at = clock.now()
        self._wake = engine.changed
        self.last_round: timedelta | None = None
        """When the outbox was last looked through, by the monotonic clock."""

    async def run(self) -> None:
        """Send for ever."""
        try:
            while True:
                self._wake.clear()
                wake_at = await self._round()
                self.last_round = self._clock.monotonic()
                await self._clock.sleep(BREATH)
                await self._wait(wake_at)
        finally:
            await self._finish()

    def overdue(self, now: datetime) -> list[str]:
        """The pending notices that nobody works on though their time has come, for whoever watches us.

        That is no notice that waits for another one, for its turn, or for an instant to come; but one
        whose attempt does not end is.
        """
        monotonic = self._clock.monotonic()
        found = []
        for notice in self._engine.world.pending():
            if notice.id in self._in_flight:
                late = self._handover.ends_by.get(notice.id, monotonic) + OVERDUE_AFTER < monotonic
            else:
                late = not self._waits(notice) and self._looks_at(notice) + OVERDUE_AFTER < now
            if late:
                found.append(notice.id)
        return found

    def _looks_at(self, notice: Notice) -> datetime:
        """When a round must look at a notice that is not in flight."""
        match self._plans.get(notice.id):
            case _Plan(step=ladder.Wait(until), notice=planned) if planned is notice:
                return max(until, self._looked_at)
        return max(notice.created_at, self._looked_at)

    async def _round(self) -> datetime:
        """Do all that is due; when to look again."""
        await self._put_right()
        now, directory = self._clock.now(), self._directory()
        wanted = self._look_through(directory, now)
        for one in turns.chosen(wanted, [flight.place for flight in self._in_flight.values()]):
            self._launch(self._plans.pop(one.notice), one.place)
        wake_at = now + IDLE
        for plan in list(self._plans.values()):
            match plan.step:
                case ladder.Wait(until):
                    wake_at = min(wake_at, until)
                case ladder.GiveUp(why):
                    await self._settle(plan.notice, NoticeState.GIVEN_UP, why)
                case None:
                    await self._settle(
                        plan.notice, NoticeState.FORBIDDEN, "the contact is no longer authorised"
                    )
        open_duties = [d.due for d in self._engine.world.duties.values() if d.breached_at is None]
        return min([wake_at, *open_duties])

    async def _put_right(self) -> None:
        """Record what time has done: breaches, and attempts that nobody works on any more."""
        now, world = self._clock.now(), self._engine.world
        if any(duty.breached_at is None and duty.due <= now for duty in world.duties.values()):
            await self._engine.do(delivery.breaches)
        if any(n.has_open_attempt and n.id not in self._in_flight for n in world.pending()):
            under_way = frozenset(self._in_flight)
            await self._engine.do(lambda world, now: delivery.interrupted(world, now, under_way))

    def _look_through(self, directory: Directory, now: datetime) -> list[turns.Wanted]:
        """Plan for every notice that is neither in flight nor behind another; the attempts that are due."""
        stale = directory is not self._planned_with or now < self._looked_at
        before = {} if stale else self._plans
        self._plans, self._planned_with, self._looked_at = {}, directory, now
        wanted = []
        for notice in self._engine.world.pending():
            if notice.id in self._in_flight or self._waits(notice):
                continue
            known = before.get(notice.id)
            if not delivery.is_authorised(self._engine.world, notice):
                plan = _Plan(notice=notice, step=None)
            elif known is not None and known.holds(notice, now):
                plan = known
            else:
                plan = _plan(notice, directory, now)
            self._plans[notice.id] = plan
            if plan.way is not None:
                wanted.append(self._wanted(notice, plan.way))
        return wanted

    def _wanted(self, notice: Notice, way: Way) -> turns.Wanted:
        duty = None if notice.duty is None else self._engine.world.duties.get(notice.duty)
        place = turns.Place(customer=notice.customer, kind=way.channel.kind, kind_max=way.channel.at_once)
        return turns.Wanted(
            notice=notice.id,
            place=place,
            retry=bool(notice.attempts),
            deadline=notice.created_at + NOT_DUE if duty is None else duty.due,
        )

    def _waits(self, notice: Notice) -> bool:
        """Whether another notice must be settled first."""
        before = None if notice.after is None else self._engine.world.notices.get(notice.after)
        return before is not None and before.state is NoticeState.PENDING

    async def _settle(self, notice: Notice, state: NoticeState, why: str) -> None:
        log.error("notice-not-sent", notice=notice.id, state=state, why=why)
        await self._engine.do(lambda world, now: delivery.abandon(world, notice, state, why, now))

    def _launch(self, plan: _Plan, place: turns.Place) -> None:
        notice, way = plan.notice, plan.way
        if way is None or not isinstance(plan.step, ladder.Send):
            raise AssertionError("only what is to be sent has a turn")
        task = asyncio.create_task(self._handover.attempt(notice.id, way, plan.step.rung))
        self._in_flight[notice.id] = _Flight(task=task, place=place)

        def ended(done: asyncio.Task[None]) -> None:
            self._in_flight.pop(notice.id, None)
            self._wake.set()
            if not done.cancelled() and (error := done.exception()) is not None:
                log.error("attempt-broke", notice=notice.id, **fault(error))

        task.add_done_callback(ended)

    async def _wait(self, until: datetime) -> None:
        sleeping = asyncio.ensure_future(self._clock.sleep_until(until))
        waking = asyncio.ensure_future(self._wake.wait())
        try:
            await asyncio.wait({sleeping, waking}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            sleeping.cancel()
            waking.cancel()

    async def _finish(self) -> None:
        """Give attempts under way a moment; what is cut off then is repeated after the next start."""
        tasks = {flight.task for flight in self._in_flight.values()}
        if not tasks:
            return
        _, late = await asyncio.wait(tasks, timeout=GRACE.total_seconds())
        for task in late:
            task.cancel()


def _plan(notice: Notice, directory: Directory, now: datetime) -> _Plan:
    """What to do with a notice."""
    person = directory.person(notice)
    if person is None:  # authorised, and the directory is about to be changed
        return _Plan(notice=notice, step=ladder.Wait(now + SOON))
    step = ladder.next_step(notice, person.rungs, directory.pace(notice), now)
    way = person.ladder[step.rung] if isinstance(step, ladder.Send) else None
    return _Plan(notice=notice, step=step, way=way)

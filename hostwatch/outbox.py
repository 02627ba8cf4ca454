"""The outbox: decides which owed notices are handed over now, one contact's ladder at a time.

It polls: what is owed lies in the engine's world, which the store can rebuild. An attempt is claimed
in the record before the message leaves; whatever dies in between, the notice is sent again and says
that it may be a repeat. One round looks at whatever has changed or whose time has come, and once a minute
at all that is owed; it gives the free places to those whose turn it is (`core.turns`), and says when to
look again.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Iterator
from datetime import datetime, timedelta
from heapq import heapify, heappop, heappush

from hostwatch import log, whatnext
from hostwatch.clock import Clock
from hostwatch.core import (
    acknowledging,
    bundle,
    calling,
    delivery,
    dutyclock,
    gathering,
    ladder,
    turns,
)
from hostwatch.core.budget import PAUSE_MAX, Budgets
from hostwatch.core.customerduty import CustomerDuty
from hostwatch.core.emergency import Notice, NoticeState
from hostwatch.core.undecided import Whose
from hostwatch.core.world import Decision
from hostwatch.directory import Directory, Way
from hostwatch.engine import Engine
from hostwatch.handover import Handover, fault
from hostwatch.whatnext import Plan

IDLE = timedelta(seconds=60)
"""The longest wait between two looks at what is owed."""

BREATH = timedelta(milliseconds=20)
"""The shortest: in a storm many ends of attempts are looked at together."""

GRACE = timedelta(seconds=5)
"""How long attempts may go on when the watch stops."""

WITHDRAWN = "the contact is no longer authorised"

STEP = 200
"""So many notices are looked at in one go; then others have their turn on the loop."""

OVERDUE_AFTER = IDLE
"""How long after its time a notice may still stand there before it is a sign that the outbox hangs."""


class _Once:
    """Does something once, however often it is asked to."""

    def __init__(self, deed: Callable[[], bool]) -> None:
        self._deed: Callable[[], bool] | None = deed

    def __call__(self) -> bool:
        deed, self._deed = self._deed, None
        return deed is None or deed()


class Outbox:
    """Sends what is owed to people."""

    def __init__(self, engine: Engine, clock: Clock, directory: Callable[[], Directory]) -> None:
        self._engine = engine
        self._clock = clock
        self._directory = directory
        self._handover = Handover(engine, clock, directory)
        self._in_flight: dict[str, asyncio.Task[None]] = {}
        self._plans: dict[str, Plan] = {}
        """Of those that are neither in flight nor behind another."""

        self._turns = turns.Turns()
        self._budgets = Budgets(clock.monotonic)
        self._changed: dict[str, None] = {}
        """Notices of which a round must see what is to be done now."""

        self._gathering: dict[Whose, set[str]] = {}
        """By customer the notices that wait for others, of devices and of services apart."""

        self._waits_end: list[tuple[datetime, str]] = []
        """A heap: when whose wait is over."""

        self._dues: list[tuple[datetime, str]] = [
            *((duty.due, duty.id) for duty in engine.world.duties.values()),
            *self._told_of(engine.world.customer_duties.values()),
        ]
        """A heap: when which duty is due."""

        heapify(self._dues)
        self._clock_changed = True
        """Whether a duty to a customer is otherwise than when operators were warned last."""

        self._planned_with: Directory | None = None
        self._looked_at = clock.now()
        self._all_looked_at: datetime | None = None
        """When all notices were last looked at, changed or not; None if they are to be."""

        self._wake = engine.changed
        engine.listeners.append(self._on_decision)
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
        monotonic, pending = self._clock.monotonic(), self._engine.world.notices.pending
        found = [
            name
            for name in self._in_flight
            if name in pending and self._handover.ends_by.get(name, monotonic) + OVERDUE_AFTER < monotonic
        ]
        if self._looked_at + OVERDUE_AFTER < now:  # else a round has looked at all whose time had come
            found += [
                name
                for name, notice in pending.items()
                if name not in self._in_flight
                and not self._waits(notice)
                and self._looks_at(notice) + OVERDUE_AFTER < now
            ]
        return found

    def _looks_at(self, notice: Notice) -> datetime:
        """When a round must look at a notice that is not in flight."""
        match self._plans.get(notice.id):
            case Plan(step=ladder.Wait(), notice=planned, until=datetime() as until) if planned is notice:
                return max(until, self._looked_at)
        return max(notice.created_at, self._looked_at)

    def _on_decision(self, decision: Decision) -> None:
        """Something was committed: what does it change of what is to be done?"""
        notices = self._engine.world.notices
        for notice in decision.notices:
            self._changed[notice.id] = None
            if notice.state is not NoticeState.PENDING or notice.proof is not None:
                self._changed.update((behind.id, None) for behind in notices.behind(notice.id))
            if notice.after in notices.pending:  # it may have waited for this one's first try to rest
                self._changed[notice.after] = None
        for duty in decision.duties:
            self._changed.update((notice.id, None) for notice in notices.of(duty.emergency))
            heappush(self._dues, (duty.due, duty.id))
        for entry in self._told_of(decision.customer_duties):
            heappush(self._dues, entry)
            self._clock_changed = True
        for reference in (*decision.acknowledged, *(owed.emergency for owed in decision.customer_duties)):
            self._changed.update((notice.id, None) for notice in notices.of(reference))
        undecided = self._engine.world.signals.undecided
        for whose in [one for one in self._gathering if not undecided.of(one)]:  # nobody is waited for
            self._changed.update(dict.fromkeys(self._gathering.pop(whose)))
            self._wake.set()
        people = decision.population
        if people is not None and (people.customers or people.customers_gone):
            self._all_looked_at = None  # who is authorised may be others
            self._wake.set()

    def _told_of(self, duties: Iterable[CustomerDuty]) -> Iterator[tuple[datetime, str]]:
        """When operators are to hear of which duty to a customer: entries of the heap."""
        for duty in duties:
            for when in dutyclock.instants(self._engine.world, duty):
                yield when, duty.id

    async def _round(self) -> datetime:
        """Do all that is due; when to look again."""
        await self._put_right()
        now, directory = self._clock.now(), self._directory()
        if directory is not self._planned_with or now < self._looked_at:
            self._plans, self._all_looked_at = {}, None
        if self._all_looked_at is None or now - self._all_looked_at >= IDLE:  # also if we had lost one
            self._changed.update(dict.fromkeys(self._engine.world.notices.pending))
            self._all_looked_at = now
        self._planned_with, self._looked_at = directory, now
        while (until := self._first_wait()) is not None and until <= now:
            self._changed[heappop(self._waits_end)[1]] = None
        over = await self._look_through(directory, now)
        for one in self._turns.begin(self._may):
            self._launch(one)
        budget_in = self._budgets.next_in()
        for plan in over:
            why = plan.step.why if isinstance(plan.step, ladder.GiveUp) else WITHDRAWN
            state = NoticeState.FORBIDDEN if plan.step is None else NoticeState.GIVEN_UP
            await self._settle(plan.notice, state, why)
        again = None if budget_in is None else self._clock.now() + budget_in
        moments = (now + IDLE, again, self._first_wait(), self._first_due(), self._first_return())
        return min(moment for moment in moments if moment is not None)

    def _first_wait(self) -> datetime | None:
        """When the next wait is over."""
        while self._waits_end:
            until, name = self._waits_end[0]
            match self._plans.get(name):
                case Plan(until=planned) if planned == until:
                    return until
            heappop(self._waits_end)
        return None

    def _first_due(self) -> datetime | None:
        """When the next duty is due that is open and not breached."""
        while self._dues:
            due, name = self._dues[0]
            world = self._engine.world
            duty, owed = world.duties.get(name), world.customer_duties.get(name)
            if duty is not None and duty.may_be_breached and duty.due == due:
                return due
            if owed is not None and owed.may_be_breached and due in dutyclock.instants(world, owed):
                return due
            heappop(self._dues)
        return None

    def _first_return(self) -> datetime | None:
        """When the next call comes back to the call sheet."""
        return calling.first_return(self._engine.world)

    async def _put_right(self) -> None:
        """Record what time has done: breaches, and attempts and calls that nobody works on any more."""
        returns_at = self._first_return()
        if returns_at is not None and returns_at <= self._clock.now():
            await self._engine.do(calling.come_back)
        now, due = self._clock.now(), self._first_due()
        is_time = due is not None and due <= now
        if is_time:
            await self._engine.do(delivery.breaches)
        if is_time or (self._clock_changed and dutyclock.lasts(self._engine.world)):
            self._clock_changed = False
            await self._engine.do(dutyclock.look)
        while self._dues and self._dues[0][0] <= now:
            heappop(self._dues)
        notices = self._engine.world.notices
        if any(delivery.leader_of(notices[name]) not in self._in_flight for name in notices.tried):
            under_way = frozenset(self._in_flight)
            await self._engine.do(lambda world, now: delivery.interrupted(world, now, under_way))

    async def _look_through(self, directory: Directory, now: datetime) -> list[Plan]:
        """Plan for all of whom something has changed; those with whom nothing more is to be tried."""
        over = []
        for number, name in enumerate(list(self._changed)):
            if number and number % STEP == 0:
                await self._clock.sleep(timedelta(0))
            del self._changed[name]
            plan = self._look_at(name, directory, now)
            if plan is not None and plan.gathers is not None and plan.notice.duty is not None:
                self._gathering.setdefault(gathering.whose(plan.notice), set()).add(name)
            if plan is None or not plan.ways or plan.gathers is not None:
                self._turns.drop(name)
            else:
                self._turns.want(*whatnext.wanted(plan, self._engine.world))
            if plan is None:
                self._plans.pop(name, None)
                continue
            self._plans[name] = plan
            if plan.until is not None:
                heappush(self._waits_end, (plan.until, name))
            if plan.step is None or isinstance(plan.step, ladder.GiveUp):
                over.append(plan)
        return over

    def _look_at(self, name: str, directory: Directory, now: datetime) -> Plan | None:
        """What to do with a notice; None if that is for others, or for later."""
        notice = self._engine.world.notices.pending.get(name)
        if notice is None or name in self._in_flight or self._waits(notice):
            return None
        rests = acknowledging.rests(self._engine.world, notice)
        known = self._plans.get(name)
        if not delivery.is_authorised(self._engine.world, notice):
            return Plan(notice=notice, step=None)
        gathers = gathering.until(self._engine.world, notice, directory.gather(notice))
        if gathers is not None and gathers <= now:
            gathers = None
        if known is not None and known.holds(notice, now, rests=rests, gathers=gathers):
            return known
        duty = None if notice.duty is None else self._engine.world.duties.get(notice.duty)
        due = None if duty is None or duty.met_at is not None else duty.due
        before = None if notice.after is None else self._engine.world.notices.get(notice.after)
        drill = self._engine.world.exercises.of(notice.emergencies)
        return whatnext.planned(
            notice,
            directory,
            now,
            rests=rests,
            due=due if drill is None else drill.due,
            by="" if drill is None else drill.by,
            failing=whatnext.failing(self._engine.world, directory, notice),
            since=whatnext.since(notice, before),
            alone=lambda lane: self._alone_until(lane, now),
        ).waiting_for(gathers)

    def _alone_until(self, lane: str, now: datetime) -> datetime | None:
        left = self._budgets.alone_for(lane)
        return None if left is None else now + left

    def _may(self, place: turns.Place) -> bool:
        """Whether anything is left of a budget; it is spent with that."""
        return self._budgets.spend(place.kind, place.budget, is_exercise=place.exercise)

    def _waits(self, notice: Notice) -> bool:
        """Whether another notice comes first."""
        return acknowledging.waits(self._engine.world, notice)

    async def _settle(self, notice: Notice, state: NoticeState, why: str) -> None:
        log.error("notice-not-sent", notice=notice.id, state=state, why=why)
        await self._engine.do(lambda world, now: delivery.abandon(world, notice, state, why, now))

    def _launch(self, one: turns.Wanted) -> None:
        name, plan = one.notice, self._plans.pop(one.notice)
        rung, way = plan.ways[one.way]
        beside = self._beside(plan.notice, way)
        leaves = _Once(lambda: self._left(one.place))
        self._handover.leaving[name] = leaves
        task = asyncio.create_task(self._handover.attempt(name, way, rung, beside))
        together = (name, *beside)
        for other in beside:
            self._turns.drop(other)
            self._plans.pop(other)
        self._in_flight.update(dict.fromkeys(together, task))

        def ended(done: asyncio.Task[None]) -> None:
            for each in together:
                del self._in_flight[each]
                self._changed[each] = None
            self._handover.leaving.pop(name, None)
            leaves()  # if it never did, it counts all the same
            self._turns.ended(one.place)
            self._heed(name, one.place)
            self._wake.set()
            if not done.cancelled() and (error := done.exception()) is not None:
                log.error("attempt-broke", notice=name, **fault(error))

        task.add_done_callback(ended)

    def _beside(self, notice: Notice, way: Way) -> list[str]:
        """What else would be told to the same person by the same way now, and may stand in the message."""
        world, found = self._engine.world, list[str]()
        for name in world.notices.pending_to(notice.customer, notice.contact):
            plan = self._plans.get(name)
            if plan is None or name in self._in_flight or way.name not in (one.name for _, one in plan.ways):
                continue
            if bundle.stands_beside(world, notice, world.notices[name]):
                found.append(name)
                if len(found) + 1 == bundle.STORIES_MAX:
                    break
        return found

    def _left(self, place: turns.Place) -> bool:
        """Whether a message may leave now, still; from now on its gateway's time counts."""
        if place.budget is None:
            return True
        self._wake.set()
        return self._budgets.leaves(place.kind)

    def _heed(self, name: str, place: turns.Place) -> None:
        """A gateway that asks to be left alone asks that for all whom we tell by it."""
        notice = self._engine.world.notices.get(name)
        latest = notice.attempts[-1] if notice is not None and notice.attempts else None
        if place.budget is None or latest is None:
            return
        if latest.outcome in ladder.TAKEN:
            self._budgets.resume(place.kind)
        elif latest.retry_after is not None:
            self._budgets.pause(place.kind, latest.retry_after)
            if latest.retry_after > PAUSE_MAX:  # whoever waits there may have no time to wait so long
                self._planned_with = None

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
        tasks = set(self._in_flight.values())
        if not tasks:
            return
        _, late = await asyncio.wait(tasks, timeout=GRACE.total_seconds())
        for task in late:
            task.cancel()

"""The prober: slice after slice it has those looked at who are due, and hands the engine what came.

A slice's misses are handed over as soon as they are known, its answers when it is complete. What
could not be looked at in time is looked at once, at once, when we can again (a catch-up); the time
in between is nobody's.
"""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine, Iterator, Sequence
from datetime import datetime, timedelta
from itertools import islice

from hostwatch import log
from hostwatch.clock import Clock, Stepped, Suspended, Timekeeper
from hostwatch.core import instant, judge
from hostwatch.core.blindness import Why
from hostwatch.core.reading import Kind
from hostwatch.core.schedule import Schedule, Turn
from hostwatch.core.terms import tolerance
from hostwatch.core.world import Decision, SliceKey
from hostwatch.engine import Engine
from hostwatch.followups import FollowUps
from hostwatch.pinger import Pinger
from hostwatch.rounds import MannerOf, Rounds
from hostwatch.sight import Sight
from hostwatch.traces import Traces

SLICES_MAX = 720
"""Slices that may be in flight; when the store is stuck for longer, later looks are lost and unknown."""

LOOKS_MAX = 2_000_000
"""Looks that may be in hand, committed or not: with many devices this is reached before `SLICES_MAX`."""

CATCH_UP_PER_S = 2_000
"""How many targets a second are looked at in a catch-up."""

CATCH_UP_PIECE = 500
"""How many targets are looked through at a time."""

CATCH_UP_LEAD = timedelta(seconds=1)
"""How far ahead of their time those of a catch-up are chosen."""

FRESH_AT_ONCE = 1_000
"""How many new targets are looked at at once; if more come together, the rest wait for their own instant."""

STARVED_MIN = timedelta(seconds=1)
"""A wake-up later than this is recorded as blindness."""

ALIVE_EVERY = timedelta(seconds=5)
"""How often it is recorded that we are alive when there is nothing else to record."""


class Prober:
    """Runs the schedule of the engine's world."""

    def __init__(
        self, engine: Engine, pinger: Pinger, sight: Sight, clock: Clock, manner_of: MannerOf
    ) -> None:
        self._engine = engine
        self._clock = clock
        self._timekeeper = Timekeeper(clock)
        self._tasks: set[asyncio.Task[None]] = set()
        self._catching_up: asyncio.Task[None] | None = None
        self._failed: asyncio.Future[None] | None = None
        self.sight = sight
        sight.on_seen = self._tell_of_sight
        self.rounds = Rounds(engine, pinger, sight, clock, manner_of)
        self.rounds.on_clocks = self._compare_clocks
        self.follow_ups = FollowUps(engine, self.rounds, clock)
        self.traces = Traces(engine, pinger, self.rounds, clock)
        engine.listeners += [self.follow_ups.on_decision, self.traces.on_decision]
        self.last_slice: timedelta | None = None
        """When the schedule last moved on, by the monotonic clock."""

        self._starved_until = timedelta(0)
        """Up to when standstills are recorded, by the monotonic clock."""

        self.late_s = 0.0
        """How late the last wake-up was."""

    async def run(self) -> None:
        """Probe for ever. An error in a slice ends it: a prober that limps is worse than a restart."""
        self._failed = asyncio.get_running_loop().create_future()
        self.last_slice = self._clock.monotonic()
        try:
            await self.glance()
            self._hold(self._keep_sight())
            self._hold(self._keep_looking_for_lies())
            self._hold(self._keep_calling_roll())
            self._hold(self.follow_ups.run(self._hold))
            self._hold(self.traces.run(self._hold))
            await self._run_schedule()
        finally:
            for task in self._tasks:
                task.cancel()

    async def _run_schedule(self) -> None:
        schedule = self._engine.world.schedule
        number = self._begin(schedule, self._clock.now())
        while True:
            await self._wait_for(schedule.begin(number))
            self._compare_clocks()  # before anybody is looked at: a look from before a sleep would be unknown
            present = self._engine.world.schedule
            if present.version == schedule.version:
                number = self._turn(schedule, number)
            else:
                since = min(schedule.begin(number), self._clock.now())  # later, if the clock was set back
                number, schedule = self._begin(present, since), present

    async def _wait_for(self, when: datetime) -> None:
        assert self._failed is not None
        sleeping = asyncio.ensure_future(self._clock.sleep_until(when))
        try:
            await asyncio.wait({sleeping, self._failed}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            sleeping.cancel()
        if self._failed.done():
            self._failed.result()

    def _begin(self, schedule: Schedule, since: datetime) -> int:
        """Take up a schedule in the middle of a slice; the number of its next whole slice."""
        number = schedule.slice_at(since)
        if schedule.begin(number) < since:
            since_us = instant.micros(since)
            self._launch(None, [turn for turn in schedule.turns(number) if turn.at_us >= since_us])
            number += 1
        if self._catching_up is not None:
            self._catching_up.cancel()
        self._catching_up = self._hold(self._catch_up(schedule))
        return number

    def _turn(self, schedule: Schedule, number: int) -> int:
        """One slice; the number of the next."""
        now = self._clock.now()
        late = now - schedule.begin(number)
        self.late_s = max(late.total_seconds(), 0.0)
        self.last_slice = self._clock.monotonic()
        if late >= STARVED_MIN:
            mono = self._clock.monotonic()
            self.stood(mono - late, mono, f"woke up {late} late")
        if schedule.slice_at(now) != number:
            return self._begin(schedule, now)
        if len(self._tasks) < SLICES_MAX and self.rounds.in_hand < LOOKS_MAX:
            self._launch((schedule.version, number), schedule.turns(number))
        else:
            log.error("slice-dropped", number=number, in_flight=len(self._tasks))
        self._stay_alive(now)
        return number + 1

    def _stay_alive(self, now: datetime) -> None:
        alive_at = self._engine.world.alive_at
        if self._engine.is_idle and (alive_at is None or now - alive_at >= ALIVE_EVERY):
            self._engine.post(lambda _, when: Decision(alive_at=when))

    def _compare_clocks(self) -> None:
        """Notice steps of the wall clock and sleeps of the machine; looks under way are of another era."""
        for change in self._timekeeper.check():
            self._follow(change)

    def _follow(self, change: Stepped | Suspended) -> None:
        self.rounds.new_era()
        self.sight.forget()
        self._starved_until = self._clock.monotonic()  # that the wall clock is further on is explained by it
        match change:
            case Stepped(before, after):
                self._engine.post(lambda world, _: judge.follow_clock(world, before, after))
            case Suspended(since, until):
                self._blind(Why.SUSPENDED, "the machine slept", since, until)

    def stood(self, since: timedelta, until: timedelta, detail: str) -> None:
        """Nothing of us ran, by the monotonic clock. What is known of it already is not recorded again."""
        since = max(since, self._starved_until)
        if until - since < STARVED_MIN:
            return
        self._starved_until = until
        wall = self._clock.now() - self._clock.monotonic()
        self._blind(Why.STARVED, detail, wall + since, wall + until)

    def _blind(self, cause: Why, detail: str, since: datetime, until: datetime) -> None:
        self._engine.post(lambda *_: judge.was_blind(cause.value, detail, since, until))

    async def _catch_up(self, schedule: Schedule) -> None:
        """Look at once at whoever's last instant passed without a reading, at most once each, paced.

        Who has never been looked at waits for its own instant when there are many of them.
        """
        began, fresh = self._clock.now(), 0
        at_us = instant.micros(began)
        for turns in _pieces(schedule.last_turns(began - instant.MICROSECOND), CATCH_UP_PIECE):
            behind: dict[Kind, list[Turn]] = {Kind.SCHEDULED: [], Kind.CATCH_UP: []}
            now = self._clock.now()
            for turn in turns:
                kind = self._behind(turn, now, at_us)
                if kind is None or (self._is_fresh(turn) and (fresh := fresh + 1) > FRESH_AT_ONCE):
                    continue
                behind[kind].append(turn._replace(at_us=at_us))
                at_us += 1_000_000 // CATCH_UP_PER_S
            for kind, found in behind.items():
                if found:
                    self._hold(self.rounds.look(None, found, kind))
            await self._clock.sleep_until(instant.from_micros(at_us) - CATCH_UP_LEAD)
            await asyncio.sleep(0)

    def _is_fresh(self, turn: Turn) -> bool:
        return self._engine.world.signals.is_fresh(turn.signal)

    def _behind(self, turn: Turn, now: datetime, at_us: int) -> Kind | None:
        """How a target is to be looked at at `at_us` because its last instant passed unseen; None: not."""
        world = self._engine.world
        now_us = instant.micros(now) - 1
        last_due = now_us - (now_us - turn.at_us) % turn.interval_us
        rested_us = world.signals.rested_us(turn.signal)
        if rested_us is not None and rested_us >= last_due:
            return None
        signal = world.signals.get(turn.signal)
        if signal is None or self.rounds.is_in_hand(turn.signal, last_due):
            return None
        if signal.last_reading is not None and instant.micros(signal.last_reading) >= last_due:
            return None
        if last_due + turn.interval_us - at_us <= self.rounds.longest_us(turn.signal):
            return None  # due again before this look would be over
        in_time = (now_us + 1 - last_due) * instant.MICROSECOND <= tolerance(turn.interval)
        return Kind.SCHEDULED if in_time and signal.last_reading is not None else Kind.CATCH_UP

    def _launch(self, key: SliceKey | None, turns: Sequence[Turn]) -> None:
        if turns:
            self._hold(self.rounds.look(key, turns, Kind.SCHEDULED))

    def _hold(self, work: Coroutine[None, None, None]) -> asyncio.Task[None]:
        """Run something beside the schedule; its failure is ours."""
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._ended)
        return task

    def _ended(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if task.cancelled() or (error := task.exception()) is None:
            return
        if self._failed is not None and not self._failed.done():
            self._failed.set_exception(error)

    async def _keep_sight(self) -> None:
        """Look at our own gateways and loopback for ever, so that each miss finds a look before it."""
        while True:
            await self._clock.sleep(self.sight.pulse)
            await self.glance()

    async def _keep_calling_roll(self) -> None:
        """Ask all reference points now and then, so that people hear of who is silent before it matters."""
        while True:
            await self.sight.call_roll()
            await self._clock.sleep(self.sight.roll_every)

    async def _keep_looking_for_lies(self) -> None:
        while True:
            await self.sight.look_for_lies()
            await self._clock.sleep(self.sight.every)

    async def glance(self) -> None:
        """Look at our own gateways and loopback now."""
        await self.sight.glance()

    def _tell_of_sight(self) -> None:
        """Have it recorded when sight is lost and when it returns."""
        for deed in self.sight.deeds(self._engine.world.blind):
            self._engine.post(deed)


def _pieces(turns: Iterator[Turn], size: int) -> Iterator[list[Turn]]:
    while piece := list(islice(turns, size)):
        yield piece

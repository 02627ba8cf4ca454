"""The prober: slice after slice it has those looked at who are due, and hands the engine what came.

A slice's misses are handed over as soon as they are known, its answers when it is complete. What
could not be looked at in time is looked at once, at once, when we can again (a catch-up); the time
in between is nobody's.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Iterable, Sequence
from datetime import datetime, timedelta

from hostwatch import log
from hostwatch.clock import Clock, Stepped, Suspended, Timekeeper
from hostwatch.core import instant, judge
from hostwatch.core.blindness import Why
from hostwatch.core.reading import Kind, Outcome, Reading
from hostwatch.core.schedule import Due, Schedule, Target
from hostwatch.core.terms import tolerance
from hostwatch.core.world import Decision, SliceKey
from hostwatch.engine import Engine
from hostwatch.pinger import Ask, Batch, Look, Manner, Pinger
from hostwatch.sight import Sight

SLICES_MAX = 720
"""Slices that may be in flight; when the store is stuck for longer, later looks are lost and unknown."""

CATCH_UP_PER_S = 2_000
"""How many targets a second are looked at in a catch-up."""

STARVED_MIN = timedelta(seconds=1)
"""A wake-up later than this is recorded as blindness."""

ALIVE_EVERY = timedelta(seconds=5)
"""How often it is recorded that we are alive when there is nothing else to record."""

CLOCK = "clock stepped"


class Prober:
    """Runs the schedule of the engine's world."""

    def __init__(
        self,
        engine: Engine,
        pinger: Pinger,
        sight: Sight,
        clock: Clock,
        manner_of: Callable[[Target], Manner],
    ) -> None:
        self._engine = engine
        self._pinger = pinger
        self._clock = clock
        self._timekeeper = Timekeeper(clock)
        self._tasks: set[asyncio.Task[None]] = set()
        self._busy_until: dict[str, datetime] = {}
        """Until when a target is being looked at, at the latest."""

        self._awaited_until: dict[str, datetime] = {}
        """Until when what came of the latest look at a target may be known to the pinger alone."""

        self._looked: dict[str, datetime] = {}
        """When each target was last looked at, whether that is committed already or not."""

        self._held: dict[str, list[Reading]] = {}
        """Answers that wait for the end of their batch, oldest first: several while the store is stuck."""

        self._era = 0
        self._failed: asyncio.Future[None] | None = None
        self.sight = sight
        sight.on_seen = self._tell_of_sight
        self.manner_of = manner_of
        """How a target is pinged; replaced when a new configuration comes into force."""

        self.last_slice: timedelta | None = None
        """When the schedule last moved on, by the monotonic clock."""

        self.late_s = 0.0
        """How late the last wake-up was."""

        self.listeners: list[Callable[[Reading], None]] = []

    async def run(self) -> None:
        """Probe for ever. An error in a slice ends it: a prober that limps is worse than a restart."""
        self._failed = asyncio.get_running_loop().create_future()
        self.last_slice = self._clock.monotonic()
        try:
            await self.glance()
            self._hold(self._keep_sight())
            self._hold(self._keep_looking_for_lies())
            await self._run_schedule()
        finally:
            for task in self._tasks:
                task.cancel()

    async def _run_schedule(self) -> None:
        schedule = self._engine.world.schedule
        number = self._begin(schedule, self._clock.now())
        while True:
            await self._wait_for(schedule.begin(number))
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
            rest = [due for due in schedule.due(number) if due.at >= since]
            self._launch(None, rest, Kind.SCHEDULED)
            number += 1
        self._catch_up(schedule, since)
        return number

    def _turn(self, schedule: Schedule, number: int) -> int:
        """One slice; the number of the next."""
        self._compare_clocks()
        now = self._clock.now()
        late = now - schedule.begin(number)
        self.late_s = max(late.total_seconds(), 0.0)
        self.last_slice = self._clock.monotonic()
        if late >= STARVED_MIN:
            self._blind(Why.STARVED, f"woke up {late} late", schedule.begin(number), now)
        if schedule.slice_at(now) != number:
            return self._begin(schedule, now)
        if len(self._tasks) < SLICES_MAX:
            self._launch((schedule.version, number), schedule.due(number), Kind.SCHEDULED)
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
        self._era += 1
        self._busy_until.clear()
        self._looked.clear()
        self._awaited_until.clear()
        self.sight.forget()
        match change:
            case Stepped(before, after):
                self._engine.post(lambda world, _: judge.follow_clock(world, before, after))
            case Suspended(since, until):
                self._blind(Why.SUSPENDED, "the machine slept", since, until)

    def _blind(self, cause: Why, detail: str, since: datetime, until: datetime) -> None:
        self._engine.post(lambda *_: judge.was_blind(cause.value, detail, since, until))

    def _catch_up(self, schedule: Schedule, now: datetime) -> None:
        """Look at once at whoever's last instant passed without a reading, at most once each."""
        signals = self._engine.world.signals
        just_before = now - instant.MICROSECOND
        behind: dict[Kind, list[tuple[datetime, Target]]] = {Kind.SCHEDULED: [], Kind.CATCH_UP: []}
        pace = timedelta(seconds=1) / CATCH_UP_PER_S
        for target in schedule.targets:
            signal, last_due = signals.get(target.signal), schedule.last_due(target, just_before)
            if signal is None or (signal.last_reading is not None and signal.last_reading >= last_due):
                continue
            next_due = last_due + target.interval
            looked_at = self._looked.get(target.signal)
            if looked_at is not None and looked_at >= last_due:
                continue
            if self._awaited_until.get(target.signal, now) > now:
                continue
            fresh = signal.last_reading is None
            in_time = now - last_due <= tolerance(target.interval)
            kind = Kind.SCHEDULED if in_time and not fresh else Kind.CATCH_UP
            at = now + len(behind[kind]) * pace
            if next_due - at <= self.manner_of(target).longest:
                continue  # due again before this look would be over
            behind[kind].append((at, target))
        for kind, dues in behind.items():
            self._start(None, dues, kind)

    def _launch(self, key: SliceKey | None, dues: Iterable[Due], kind: Kind) -> None:
        self._start(key, [(due.at, due.target) for due in dues], kind)

    def _start(self, key: SliceKey | None, dues: Sequence[tuple[datetime, Target]], kind: Kind) -> None:
        if dues:
            self._hold(self._slice(key, dues, kind))

    def _hold(self, work: Coroutine[None, None, None]) -> None:
        """Run something beside the schedule; its failure is ours."""
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._ended)

    def _ended(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if task.cancelled() or (error := task.exception()) is None:
            return
        if self._failed is not None and not self._failed.done():
            self._failed.set_exception(error)

    async def _slice(self, key: SliceKey | None, dues: Sequence[tuple[datetime, Target]], kind: Kind) -> None:
        """Look at the targets of a slice and hand over what came."""
        era = self._era
        batches, overlapping = self._batches(dues, kind)
        if overlapping:
            await self._hand_over(key, overlapping, closes=False)
        alone = len(batches) == 1
        await asyncio.gather(*(self._probe(key, batch, kind, era, closes=alone) for batch in batches))
        if not alone:
            await self._hand_over(key, (), closes=True)

    def _batches(
        self, dues: Sequence[tuple[datetime, Target]], kind: Kind
    ) -> tuple[list[Batch], list[Reading]]:
        """One batch for each way of pinging, nearly always one; and whoever is still being looked at.

        No target is looked at twice at one time. That can happen only around a catch-up or a change of
        the interval, and what could not be looked at is UNKNOWN, so that the evidence says so.
        """
        by_manner: dict[Manner, list[Ask]] = {}
        overlapping: list[Reading] = []
        now = self._clock.now()
        for at, target in dues:
            manner = self.manner_of(target)
            if self._busy_until.get(target.signal, at) > at:
                overlapping.append(
                    Reading(
                        signal=target.signal,
                        at=at,
                        known_at=now,
                        outcome=Outcome.UNKNOWN,
                        kind=kind,
                        why="still being looked at",
                    )
                )
                continue
            self._busy_until[target.signal] = at + manner.longest
            ask = Ask(target.signal, target.address, instant.micros(at), target.method)
            by_manner.setdefault(manner, []).append(ask)
        for manner, asks in by_manner.items():
            over = instant.from_micros(max(ask.at_us for ask in asks)) + manner.longest
            self._awaited_until.update((ask.signal, over) for ask in asks)
        return [Batch(asks=tuple(asks), manner=manner) for manner, asks in by_manner.items()], overlapping

    async def _probe(self, key: SliceKey | None, batch: Batch, kind: Kind, era: int, *, closes: bool) -> None:
        """Look at a batch. What is found is judged beside it: a miss must not make the next look late.

        Answers are handed over together at the end, so that a slice is one commit; what did not answer,
        and who answers after a silence, at once.
        """
        judging: list[asyncio.Task[None]] = []
        try:
            async for group in self._pinger.probe(batch):
                task = asyncio.create_task(self._judge(key, group, kind, era))
                judging.append(task)  # at once, so that none is lost if the pinging ends by an error
            await asyncio.gather(*judging)
        finally:
            for task in judging:
                task.cancel()
        held = self._release(ask.signal for ask in batch.asks)
        if held or closes:
            await self._hand_over(key, held, closes=closes)

    async def _judge(self, key: SliceKey | None, group: Sequence[Look], kind: Kind, era: int) -> None:
        judged = await self.sight.judge(group)
        self._compare_clocks()
        urgent = []
        for reading in [self._reading(look, kind, era) for look in judged]:
            self._looked[reading.signal] = reading.at
            for listener in self.listeners:
                listener(reading)
            if reading.outcome is Outcome.ANSWERED and not self._is_silent(reading.signal):
                self._held.setdefault(reading.signal, []).append(reading)
            else:
                urgent.append(reading)
        if urgent:
            await self._hand_over(key, urgent, closes=False)

    def _release(self, signals: Iterable[str]) -> list[Reading]:
        """The answers of these signals that are still held, each signal's in the order of time."""
        return [reading for name in signals for reading in self._held.pop(name, ())]

    def _is_silent(self, name: str) -> bool:
        signal = self._engine.world.signals.get(name)
        return signal is not None and signal.silence is not None

    def _reading(self, look: Look, kind: Kind, era: int) -> Reading:
        stepped = era != self._era
        answered = look.outcome is Outcome.ANSWERED
        return Reading(
            signal=look.signal,
            at=instant.from_micros(look.at_us),
            known_at=instant.from_micros(look.known_us) if answered else self._clock.now(),
            outcome=Outcome.UNKNOWN if stepped else look.outcome,
            kind=kind,
            why=CLOCK if stepped else look.why,
            answered_at=None if look.answered_us is None else instant.from_micros(look.answered_us),
            rtt_us=look.rtt_us,
        )

    async def _hand_over(self, key: SliceKey | None, brought: Sequence[Reading], *, closes: bool) -> None:
        """Have readings judged. An answer of the same target that is still held goes before them."""
        earlier = self._release(reading.signal for reading in brought)
        await self._engine.do(
            lambda world, now: judge.readings(world, key, [*earlier, *brought], closes=closes, now=now)
        )

    async def _keep_sight(self) -> None:
        """Look at our own gateways and loopback for ever, so that each miss finds a look before it."""
        while True:
            await self._clock.sleep(self.sight.every)
            await self.glance()

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

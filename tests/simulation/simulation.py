"""One simulated site: the real watch on a simulated clock, network and disk, with all checkers on.

A *life* is one run of the watch. A life that is killed is torn down where it stands: what it had
committed stays in the store, nothing else does, and the next life begins on that.
"""

from __future__ import annotations

import asyncio
import logging
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path

from hostwatch.configuration.load import load
from hostwatch.core import facts
from hostwatch.core.world import Decision
from hostwatch.engine import Engine
from hostwatch.personal import Vault
from hostwatch.sight import FORGED
from hostwatch.sla.records import History
from hostwatch.store.connection import connect
from hostwatch.store.errors import StoreError
from hostwatch.store.ledger import facts_of
from hostwatch.watch import Watch
from tests.simulation import files, lives, record
from tests.simulation.accounts import Accounts
from tests.simulation.cadence import NO_WATCH, Cadence
from tests.simulation.clocks import SimClock
from tests.simulation.customers import Customers
from tests.simulation.evidence import Evidence
from tests.simulation.groups import Carriers
from tests.simulation.hanging import Hanging
from tests.simulation.loop import SimLoop
from tests.simulation.provider import PROVIDER, Mode, Provider, Sending
from tests.simulation.shifts import Shifts
from tests.simulation.telling import Duties, Telling
from tests.simulation.together import Together
from tests.simulation.town import Town
from tests.simulation.verdicts import People, Verdicts
from tests.simulation.world import Seen, SimPinger, Truth

RESTART_AFTER_US = 2_000_000
DRAINED_AFTER_US = 60_000_000
"""How long after the disk had been full something may still wait to be written."""

OVERLAPS_US = 15_000_000
"""How long after a disturbance a look from before it may still be under way."""

WORLD_EVERY = 500
"""Commits between two comparisons of memory and store in a small world; more in a large one."""

SCANDALS = {"deed-failed", "attempt-broke", "slice-dropped"}
"""Events that the daemon may never log."""


class Broken(AssertionError):
    """A checker went red."""


@dataclass(kw_only=True)
class Plan:
    """A world and what happens in it."""

    name: str
    start: datetime
    length: timedelta
    calm: timedelta = timedelta(0)
    """How long nothing happens after the last event, at least."""

    town: Town
    truth: Truth = field(default_factory=Truth)
    mode: Callable[[str, str, int], Mode] = lambda to, key, at: Mode.ACCEPTS
    events: list[tuple[timedelta, str, object]] = field(default_factory=list)
    """When, a method of `Simulation`, and what it is given."""


class Simulation:
    """Runs a plan. Raises `Broken` with the plan's name at the first thing that is wrong."""

    def __init__(self, plan: Plan, folder: Path) -> None:
        self.plan = plan
        self.path = folder / "hostwatch.yaml"
        self.town = plan.town.copy()
        self.loop = SimLoop()
        self.clock = SimClock(self.loop, plan.start)
        self.db = connect(None)
        self.wrong: list[str] = []
        self.faults: Counter[str] = Counter()
        self.life: lives.Life | None = None
        self.begun = 0
        self.commits = 0
        self.well_since_us = 0
        self.evidence = Evidence(self.complain)
        self.evidence.excuses.update([FORGED] if plan.truth.forged.spans else [])
        self.verdicts = Verdicts(complain=self.complain, interval=plan.town.interval)
        self.people = People(complain=self.complain)
        self.carriers = Carriers(complain=self.complain)
        self.together = Together(complain=self.complain)
        self.hanging = Hanging(complain=self.complain)
        self.telling = Telling(complain=self.complain)
        self.duties = Duties(complain=self.complain)
        self.customers = Customers(complain=self.complain)
        self.shifts = Shifts(complain=self.complain, shift=plan.town.shift)
        self.accounts = Accounts(complain=self.complain, interval=plan.town.interval)
        self.cadence = Cadence(complain=self.complain, clock=self.clock, interval=plan.town.interval)
        self.provider = Provider(self.clock.true_us, plan.mode, self._sent)
        self.provider.strike = lambda moment: self.life is None or self.life.strikes(moment)
        self.history: History | None = None
        self.kinds: Counter[str] = Counter()
        """How many facts of each kind were recorded."""

        self.slices_checked = 0
        self.pace: Counter[int] = Counter()
        """How many devices were looked at in each second of true time."""

        self.story: list[tuple[int, str]] = []
        """What was sent and decided, with its true time in seconds: for tests that read like a timeline."""

        self._checked_seq = 0
        self._waking: asyncio.Future[None] | None = None
        self.loop.on_turn = self._on_turn

    # What checkers and the world say.

    def complain(self, what: str) -> None:
        """Something is wrong."""
        at = timedelta(microseconds=self.clock.true_us())
        self.wrong.append(f"{at} (wall {self.clock.now()}): {what}")
        self._wake()

    def _wake(self) -> None:
        if self._waking is not None and not self._waking.done():
            self._waking.set_result(None)

    def _on_turn(self) -> None:
        if self.life is not None and self.life.doom is not None:
            self.life.strikes("between two turns")

    def _saw(self, seen: Seen) -> None:
        self.pace[seen.true_us // 1_000_000] += 1
        self.evidence.saw(seen)
        self.cadence.saw(seen)

    def _sent(self, sending: Sending) -> None:
        self.faults[f"channel {sending.mode}"] += sending.mode is not Mode.ACCEPTS
        self.story.append((self.clock.true_us() // 1_000_000, f"sent {sending.message.key}"))
        self.telling.sent(sending)

    def _committed(self, decision: Decision, recorded_at: datetime) -> None:
        self.commits += 1
        stepped = False
        for fact in decision.facts:
            stepped |= isinstance(fact, facts.ClockStepped)
            self.kinds[type(fact).__name__] += 1
            if isinstance(fact, facts.WentDown | facts.CameUp):
                what = "down" if isinstance(fact, facts.WentDown) else "up"
                self.story.append((self.clock.true_us() // 1_000_000, f"{what} {fact.signal}"))
        proofs = self.evidence.read(decision)
        self.accounts.check(decision, proofs)
        self.cadence.check(decision, proofs, stepped)
        self.verdicts.check(decision, proofs)
        self.people.check(decision)
        self.carriers.check(decision, self.verdicts.said)
        self.hanging.check(decision, proofs, self.verdicts.circuits.said)
        self.telling.check(decision)
        now = self.clock.true_us()
        written_since = max((end for _, end in self.plan.truth.full.spans if end <= now), default=0)
        well = timedelta(microseconds=now - max(self.well_since_us, written_since))
        self.duties.check(decision, recorded_at, well)
        self.customers.check(decision, recorded_at, well)
        self.shifts.check(decision)
        self.together.check(decision, proofs, recorded_at, well)

    def _applied(self, decision: Decision) -> None:
        """The engine has made a committed decision its present."""
        every = WORLD_EVERY * (1 + len(self.verdicts.lines) // 100)
        if self.commits % every == 0 and self.life is not None:
            record.check_world(self.db, self.life.watch.engine.world, self.complain)

    # Lives.

    async def begin(self) -> None:
        """Start the watch; when the disk is full, again and again, as systemd does."""
        while self.plan.truth.full.hold(self.clock.true_us()):
            await self._pause(5_000_000)
        self.begun += 1
        life = lives.Life(since_us=self.clock.true_us(), died=self._wake)
        ledger = lives.SimLedger(self.db, self.clock.boot_id)
        ledger.is_full = lambda: self.plan.truth.full.hold(self.clock.true_us())
        writer = lives.SimWriter(ledger, life, self._committed)
        vault = Vault((await writer.remembered()).commitments)
        engine = Engine(writer, self.clock, await writer.load(), vault)
        life.pinger = SimPinger(self.clock, self.plan.truth, self._saw)
        life.watch = Watch(
            self.path,
            load(self.path),
            clock=self.clock,
            writer=writer,
            engine=engine,
            pinger=life.pinger,
            key=b"k",
            applications=lives.NoCheckers(self.clock, self.path),
        )
        life.watch.sight.is_deaf_by_order = lambda _: False  # the machine that we run on is another one
        engine.listeners.append(self._applied)
        self.well_since_us = self.clock.true_us()
        life.task = asyncio.create_task(life.watch.run(life.stop))
        life.task.add_done_callback(lambda _: self._wake())
        self.life = life

    async def _reap(self) -> None:
        """Take a dead life's tasks away. What they do on their way out reaches nothing."""
        assert self.life is not None
        self.life.dead = True
        mine = asyncio.current_task()
        while rest := [task for task in asyncio.all_tasks() if task is not mine]:
            for task in rest:
                task.cancel()
            await asyncio.sleep(0)
        self._overlaps()
        self.evidence.died()
        self.life = None

    def _overlaps(self) -> None:
        """Two looks at one target at a time are excused only where the clocks have just been disturbed."""
        overlapping = [] if self.life is None else self.life.pinger.overlapping
        for signal, at in overlapping:
            if not any(d.start <= at <= d.end + OVERLAPS_US for d in self.cadence.disturbances):
                self.complain(f"looks at {signal} overlap at {at / 1e6:.1f} s")

    async def _again(self, dead_since: int, pause_us: int) -> None:
        await self._pause(pause_us)
        await self.begin()
        for start, end in self.plan.truth.full.spans:
            if start <= dead_since < self._drained_by(end):
                dead_since = start  # what had waited for the disk was lost as well
        self.cadence.disturbed(dead_since, self.clock.true_us(), NO_WATCH)

    def _drained_by(self, end: int) -> int:
        """When all that waited for the disk is written at the latest; while nothing of us runs nothing is."""
        for one in sorted(self.cadence.disturbances, key=lambda d: d.start):
            if one.why in ("stalled", "suspended") and one.start <= end + DRAINED_AFTER_US and one.end > end:
                end = one.end
        return end + DRAINED_AFTER_US

    # Faults. Each is a method that the plan names.

    async def kill(self, doom: tuple[str, int]) -> None:
        """Kill the watch at the n-th moment of a kind from now on, wherever that is."""
        assert self.life is not None
        self.life.doom = doom
        if doom[0] == "at once":
            self.life.dead = True

    async def restart(self, pause: timedelta) -> None:
        """Stop the watch in good order, and start it again."""
        assert self.life is not None
        since = self.clock.true_us()
        self.life.stop.set()
        await self._until(lambda: self.life is None or self.life.dead or self.life.task.done())
        if self.life.dead:
            return
        self.life.task.result()
        await self._reap()
        await self._again(since, pause // timedelta(microseconds=1))

    async def step(self, by: timedelta) -> None:
        """Set the wall clock."""
        now = self.clock.true_us()
        self.clock.step(by)
        self.cadence.disturbed(now, now, f"clock stepped by {by}")
        self.well_since_us = self.telling.stepped_us = now
        self.accounts.stepped = True

    async def slew(self, ppm: int) -> None:
        """Let the wall clock run wrong."""
        self.clock.slew(ppm)
        self.accounts.slewed = True

    async def suspend(self, pause: timedelta) -> None:
        """Let the machine sleep."""
        since = self.clock.true_us()
        self.clock.suspend(pause)
        self.cadence.disturbed(since, self.clock.true_us(), "suspended")
        self.well_since_us = self.clock.true_us()

    async def stall(self, pause: timedelta) -> None:
        """Block the loop."""
        since = self.clock.true_us()
        self.loop.stall(pause // timedelta(microseconds=1))
        self.cadence.disturbed(since, self.clock.true_us(), "stalled")
        self.well_since_us = self.clock.true_us()

    async def reload(self, change: Callable[[Town], None]) -> None:
        """Change the configuration file and have it taken."""
        assert self.life is not None
        change(self.town)
        self.town.write(self.path)
        life, since = self.life, self.clock.true_us()
        reloading = asyncio.create_task(life.watch.reload("the simulation"))
        reloading.add_done_callback(lambda _: self._wake())
        await self._until(lambda: life.dead or reloading.done())
        self.cadence.disturbed(since, self.clock.true_us(), "reloaded")
        if not life.dead and not reloading.result()["accepted"]:
            self.complain(f"a configuration was refused: {reloading.result()}")

    async def note(self, what: str) -> None:
        """Something that the truth does by itself begins now: only counted."""

    # The course of time.

    async def _pause(self, us: int) -> None:
        await self._until(lambda: False, self.clock.true_us() + us)

    async def _until(self, reached: Callable[[], bool], true_us: int = 1 << 62) -> None:
        """Wait for something, or for a true time; raises when a checker went red meanwhile."""
        while not reached() and (left := true_us - self.clock.true_us()) > 0:
            self._waking = self.loop.create_future()
            timer = self.loop.call_at(self.loop.time() + min(left, 1 << 50) / 1e6, self._wake)
            await self._waking
            timer.cancel()
            if self.wrong:
                raise Broken(self._words())

    def _words(self) -> str:
        return f"{self.plan.name}: " + "\n".join(self.wrong[:3])

    async def _live_until(self, true_us: int) -> None:
        """Let time pass; whoever is killed meanwhile is started again."""
        while self.clock.true_us() < true_us:
            await self._until(self._over, true_us)
            if not self._over():
                continue
            assert self.life is not None
            if not self.life.dead:
                self.life.task.result()
                raise Broken(f"{self.plan.name}: the watch ended of itself")
            self.faults["killed"] += 1
            since = self.clock.true_us()
            await self._reap()
            await self._again(since, RESTART_AFTER_US)

    def _over(self) -> bool:
        return self.life is not None and (self.life.dead or self.life.task.done())

    async def _run(self) -> None:
        PROVIDER.set(self.provider)
        self.town.write(self.path)
        await self.begin()
        for at, what, given in sorted(self.plan.events, key=lambda event: event[0]):
            await self._live_until(at // timedelta(microseconds=1))
            self.faults[what if what != "note" else str(given)] += 1
            await getattr(self, what)(given)
        calm = self.plan.calm // timedelta(microseconds=1)
        await self._live_until(self.plan.length // timedelta(microseconds=1) - calm)
        assert self.life is not None
        self.life.doom = None
        await self._live_until(self.clock.true_us() + calm)
        await self._finish()

    async def _finish(self) -> None:
        assert self.life is not None
        life, now = self.life, self.clock.now()
        self.slices_checked = self.cadence.finish(self.evidence.closed, self.clock.true_us())
        self._overlaps()
        record.check_world(self.db, life.watch.engine.world, self.complain)
        record.check_facts(self.db, self.complain)
        self.telling.finish()
        self.hanging.finish()
        shift = self.clock.wall_us() - self.clock.true_us()
        world = life.watch.engine.world
        self.history = self.accounts.finish(list(facts_of(self.db)), world, self.plan.truth, now, shift)
        life.stop.set()
        await self._until(life.task.done)
        life.task.result()
        if self.wrong:
            raise Broken(self._words())

    def run(self) -> Simulation:
        """The whole plan."""
        with lives.room(), lives.log(self._logged), files.read_once():
            self.loop.set_exception_handler(self._unhandled)
            asyncio.set_event_loop(self.loop)
            try:
                self.loop.run_until_complete(self._run())
            finally:
                self._end()
        return self

    def _end(self) -> None:
        rest = asyncio.all_tasks(self.loop)
        for task in rest:
            task.cancel()
        self.loop.on_turn = None
        if rest:
            self.loop.run_until_complete(asyncio.gather(*rest, return_exceptions=True))
        self.loop.run_until_complete(self.loop.shutdown_asyncgens())
        asyncio.set_event_loop(None)
        self.loop.close()
        self.db.close()

    def _unhandled(self, _: asyncio.AbstractEventLoop, context: dict[str, object]) -> None:
        error = context.get("exception")
        if self.life is not None and not self.life.dead and not isinstance(error, StoreError):
            self.complain(f"nobody handled: {context}")

    def _logged(self, entry: logging.LogRecord) -> None:
        self.faults[f"log {entry.getMessage()}"] += entry.levelno >= logging.ERROR
        if entry.getMessage() in SCANDALS and self.life is not None and not self.life.dead:
            self.complain(f"the daemon logged {entry.getMessage()}: {entry.__dict__.get('fields')}")

"""Builds a watch and keeps it running: the only file that knows everyone.

The watch is one process; checkers and desks are others, which it starts. It alone writes the store.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable, Iterable, Mapping
from datetime import timedelta
from functools import partial
from itertools import chain
from pathlib import Path
from typing import Any

import hostwatch
from hostwatch import desk, fixtures, log, metrics, pulse
from hostwatch.applications import Applications
from hostwatch.callbacks import Callbacks
from hostwatch.channels.base import Surroundings, Unusable
from hostwatch.clock import Clock
from hostwatch.configuration.load import Loaded
from hostwatch.configuration.mistake import BadConfiguration
from hostwatch.configuration.returns import is_token
from hostwatch.control import user_name
from hostwatch.core import judge
from hostwatch.directory import Directory
from hostwatch.engine import Engine
from hostwatch.enroller import Enroller
from hostwatch.exercises import Exercises
from hostwatch.flapping import Flapping
from hostwatch.frontdoor import FrontDoor
from hostwatch.gauges import Figure
from hostwatch.health import Examiner, Health
from hostwatch.links import Links
from hostwatch.outbox import Outbox
from hostwatch.patience import Patience
from hostwatch.pinger import Pinger
from hostwatch.prober import Prober
from hostwatch.pulse import Pulse
from hostwatch.reminders import Reminders
from hostwatch.returned import Returned
from hostwatch.sight import Sight
from hostwatch.stock.client import StockError, Stocktaker, Taken
from hostwatch.store.writer import Writer
from hostwatch.tallying import Tallying
from hostwatch.timewatch import TimeWatch
from hostwatch.untakencalls import UntakenCalls
from hostwatch.verifier import Verifier

MISTAKES_RECORDED_MAX = 50


class Watch:
    """One watch over one store. Everything that touches the world outside is handed in."""

    def __init__(
        self,
        path: Path,
        loaded: Loaded,
        *,
        clock: Clock,
        writer: Writer,
        engine: Engine,
        pinger: Pinger,
        key: bytes,
        stocktaker: Stocktaker | None = None,
        applications: Applications | None = None,
    ) -> None:
        """`stocktaker`: the process that has read the inventories of this configuration, if it has any."""
        self._path, self._loaded = path, loaded
        self._stocktaker = stocktaker
        self._clock, self._writer = clock, writer
        self._key = key
        self._reloading = asyncio.Lock()
        self._taken_up = asyncio.Event()
        """The configuration of the start is in force; until then another one waits."""

        self.settle: Callable[[int], None] = lambda signals: None
        """Called, with how many are watched, when all is there that stays, and nobody has been looked at."""

        self.engine = engine
        self.applications = applications or Applications(clock, loaded.store)
        self.enroller = Enroller(engine, writer, clock)
        self.pinger = pinger
        self.directory = self._directory(loaded)
        self.sight = Sight(
            loaded.configuration.sight.points,
            pinger,
            clock,
            self.directory.site_manner,
            self._sight_every(loaded),
            [str(address) for address in loaded.configuration.silent],
        )
        self.prober = Prober(engine, pinger, self.sight, clock, self.directory.manner)
        self.applications.pinger.on_spoken = self.prober.rounds.speak
        self.callbacks = Callbacks(engine, writer, clock)
        checkers = self.applications.pinger
        self.returned = Returned(engine, clock, self.callbacks, checkers.took, partial(is_token, key))
        checkers.on_said = self.returned.hear
        self.outbox = Outbox(engine, clock, lambda: self.directory)
        self.front = FrontDoor.over(engine, clock, lambda: self.directory)
        self.verifier = Verifier(engine, writer, clock, lambda: self.directory)
        self.patience, self.traffic = Patience(engine, clock), Tallying(engine, clock)
        self.time_watch, self.exercises = TimeWatch(engine, clock), Exercises(engine, clock)
        self.reminders = Reminders(engine, clock, lambda: self.directory)
        self._set_manners()
        self._set_politeness(loaded)
        self.examiner = Examiner(clock, engine, self.prober, self.outbox, self._warnings)
        self.pulse = Pulse(engine, clock, self.examiner.examine)
        self.pulse.take(loaded.configuration.site.name, self._beats(loaded))
        self.tally = metrics.Tally()
        self.examiner.parts += [self.applications.troubles, self.front.troubles]
        engine.listeners.append(self.tally.on_decision)
        self.prober.rounds.listeners.append(self.tally.on_looks)
        self.figures: list[Callable[[], Iterable[Figure]]] = [
            self.time_watch.figures,
            self.sight.figures,
            self.verifier.figures,
            self.applications.figures,
            self.pulse.figures,
            self.front.figures,
            self.returned.figures,
            lambda: fixtures.figures(engine.world, clock.now()),
        ]
        """What parts of the watch say of themselves in the metrics."""

    def _warnings(self) -> Iterable[str]:
        return chain(self.time_watch.warnings(), self.sight.warnings(), self.returned.warnings())

    def _directory(self, loaded: Loaded) -> Directory:
        links = Links.of(loaded.configuration.web, self._key)
        return Directory(loaded.configuration, self._surroundings(loaded), links)

    def _beats(self, loaded: Loaded) -> Mapping[str, pulse.Ticking]:
        return pulse.made(loaded.configuration, self._surroundings(loaded))

    def _surroundings(self, loaded: Loaded) -> Surroundings:
        return Surroundings(
            site=loaded.configuration.site_settings, webhook_key=self._key, now=self._clock.now
        )

    def _set_manners(self) -> None:
        self.prober.rounds.manner_of = self.directory.manner
        self.prober.rounds.manner_of_all = self.directory.only_manner
        services, population = self.directory.services, self.engine.world.population
        self.prober.rounds.longest_of_service = lambda signal: services.longest_us(population, signal)
        self.returned.attend(services.listened)
        self.applications.configure(
            self._loaded, lambda signal: services.of(population, signal), services.listened
        )

    def _set_politeness(self, loaded: Loaded) -> None:
        """How much is looked, and how often beside the schedule."""
        schedule = loaded.configuration.schedule
        self.pinger.limit(self.directory.limits)
        self.sight.attend(self.directory.manners)
        self.prober.follow_ups.every = schedule.follow_up
        self.prober.follow_ups.lasting = schedule.follow_up_for
        self.prober.traces.wanted = schedule.path == "on"
        self.traffic.keep(loaded.configuration)
        self.front.configure(loaded)

    def _sight_every(self, loaded: Loaded) -> timedelta:
        return min(timedelta(seconds=5), loaded.configuration.schedule.interval)

    async def run(self, stop: asyncio.Event, started: asyncio.Event | None = None) -> None:
        """Keep watch until told to stop. Raises when anything that must run has ended."""
        engine = asyncio.create_task(self.engine.run())
        try:
            await self._first(engine, self._take_up())
            self.settle(len(self.engine.world.signals))
            own = (self.patience, self.time_watch, self.traffic, self.pulse, self.verifier, self.exercises)
            heard = (self.callbacks, self.returned, self.front, self.reminders)
            summing, untaken = Flapping(self.engine, self._clock), UntakenCalls(self.engine, self._clock)
            parts = (self.applications, self.prober, self.outbox, summing, untaken, *own, *heard)
            working = [asyncio.create_task(part.run()) for part in parts]
            if started is not None:
                started.set()
            try:
                await self._supervise([engine, *working], stop)
            finally:
                for task in working:
                    task.cancel()
                await asyncio.gather(*working, return_exceptions=True)
            if not engine.done():
                await self._first(
                    engine,
                    self.engine.do(lambda world, now: judge.stop(world, self._writer.epoch, "told to", now)),
                )
        finally:
            self.enroller.close()
            engine.cancel()
            await asyncio.gather(engine, return_exceptions=True)

    async def _first(self, engine: asyncio.Task[None], work: Any) -> None:
        """Wait for some work, unless the engine ends before it."""
        doing = asyncio.ensure_future(work)
        await asyncio.wait({engine, doing}, return_when=asyncio.FIRST_COMPLETED)
        if not doing.done():
            doing.cancel()
            engine.result()
        await doing

    async def _take_up(self) -> None:
        epoch = self._writer.epoch
        await self.engine.do(lambda world, now: judge.start(world, epoch, hostwatch.__version__, now))
        uid = os.getuid()
        taken = Taken(self._loaded, self._stocktaker)
        try:
            await self.enroller.bring(taken, None, f"start by {user_name(uid)} (uid {uid})")
            await self.verifier.adopt()
        finally:
            await self.enroller.dismiss(taken)
        self._taken_up.set()

    async def _supervise(self, tasks: list[asyncio.Task[None]], stop: asyncio.Event) -> None:
        stopping = asyncio.create_task(stop.wait())
        try:
            done, _ = await asyncio.wait({*tasks, stopping}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            stopping.cancel()
        for task in done - {stopping}:
            task.result()
            raise RuntimeError("a part of the watch ended that must never end")

    async def reload(self, author: str) -> Mapping[str, Any]:
        """Take a changed configuration. A broken one leaves the old in force and says so loudly."""
        await self._taken_up.wait()
        async with self._reloading:
            try:
                taken = await self.enroller.take(self._path, soon=bool(self._loaded.inventories))
            except BadConfiguration as bad:
                mistakes = [(mistake.place, str(mistake)) for mistake in bad.mistakes]
            except StockError as error:
                mistakes = [("inventory", str(error))]
            else:
                try:
                    return await self._reloaded(taken, author)
                except StockError as error:
                    mistakes = [("inventory", str(error))]
                except Unusable as unusable:
                    mistakes = [("channels", str(unusable))]
                finally:
                    await self.enroller.dismiss(taken)
            for _, words in mistakes:
                log.error("configuration-mistake", mistake=words)
            # What is wrong may be somebody's name or address: the record keeps only where it is wrong.
            places = tuple(place for place, _ in mistakes[:MISTAKES_RECORDED_MAX])
            await self.engine.do(lambda _, now: judge.refuse(author, places, now))
            return {"accepted": False, "mistakes": [words for _, words in mistakes]}

    async def _reloaded(self, taken: Taken, author: str) -> Mapping[str, Any]:
        before, loaded = self._loaded, taken.loaded
        former = self.directory
        directory = await self.enroller.aside(self._directory, loaded)
        directory.former.update(former.former)
        beats = self._beats(loaded)

        def opened() -> None:
            self._loaded = loaded
            self.directory = directory
            self._set_manners()
            if _beats(before) != _beats(loaded):
                self.pulse.take(loaded.configuration.site.name, beats)

        changed = await self.enroller.bring(taken, before, author, opened)
        await self.verifier.adopt(former)
        self.sight.silent = tuple(str(address) for address in loaded.configuration.silent)
        self.sight.manner = directory.site_manner
        self.sight.every = self._sight_every(loaded)
        self._set_politeness(loaded)
        if self.sight.heed(loaded.configuration.sight.points):
            await self.prober.glance()
        self.engine.changed.set()
        restart = _needs_restart(before, loaded)
        if restart:
            log.warning("restart-needed", settings=restart)
        return {
            "accepted": True,
            "changed": changed,
            "digest": loaded.digest,
            "warnings": [str(warning) for warning in loaded.warnings],
            "restart_needed_for": restart,
        }

    def snapshot(self) -> metrics.Snapshot:
        """What the metrics are rendered from."""
        return metrics.snapshot(
            self.engine.world,
            self.tally,
            self.examiner.examine(),
            self.prober.late_s,
            self._clock.now(),
            chain.from_iterable(figures() for figures in self.figures),
        )

    def signals(self) -> int:
        """How many signals are watched."""
        return len(self.engine.world.signals)

    def tells_of_each_device(self) -> bool:
        """Whether `/metrics` has the samples of each device: as configured, or if they are few."""
        asked = self._loaded.configuration.metrics.devices
        return asked == "on" or (asked == "auto" and self.signals() <= desk.DEVICES_INSIDE_MAX)

    def health(self) -> Health:
        """How the watch is."""
        return self.examiner.examine()


def _beats(loaded: Loaded) -> object:
    """All that decides how the heartbeats are."""
    configuration = loaded.configuration
    return configuration.heartbeat, configuration.site.name, configuration.mail


def _needs_restart(before: Loaded, after: Loaded) -> list[str]:
    pairs = {
        "store": (before.store, after.store),
        "control": (before.control, after.control),
        "listen": (before.configuration.listen, after.configuration.listen),
        "log": (before.configuration.log, after.configuration.log),
    }
    return [name for name, (old, new) in pairs.items() if old != new]

"""The watch as systemd and people know it: signals, the control socket, pages, the watchdog."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
from collections.abc import Mapping
from datetime import timedelta
from typing import Any

import hostwatch
from hostwatch import desk, log, wishes
from hostwatch.clock import Clock
from hostwatch.configuration.load import Loaded
from hostwatch.control import ControlServer
from hostwatch.httpd import Pages, Sources
from hostwatch.lag import LoopWatcher
from hostwatch.sdnotify import Notifier
from hostwatch.watch import Watch

EXAMINE_EVERY = timedelta(seconds=5)
UNATTRIBUTED = "unattributed (SIGHUP)"


class Service:
    """One watch, and all that belongs to its process beside it."""

    def __init__(self, watch: Watch, loaded: Loaded, clock: Clock, notifier: Notifier) -> None:
        self._watch = watch
        self._loaded = loaded
        self._clock = clock
        self._notifier = notifier
        self._stop = asyncio.Event()
        self._started = asyncio.Event()
        self._reloads: set[asyncio.Task[Any]] = set()
        self._watcher = LoopWatcher(self._stood)
        watch.figures.append(self._watcher.figures)
        watch.examiner.parts.append(self._watcher.troubles)

    async def run(self) -> None:
        """Run until SIGTERM or SIGINT."""
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, self._stop.set)
        loop.add_signal_handler(signal.SIGHUP, self._hang_up)
        handlers = wishes.of(self._watch.engine, self._watch.applications, self._watch.verifier.deeds)
        handlers |= {"reload": self._reload, "status": self._status}
        control = ControlServer(
            self._loaded.control, handlers, leased=self._loaded.configuration.control is None
        )
        pages = self._pages()
        await control.start()
        examining: asyncio.Task[None] | None = None
        try:
            if pages is not None:
                port = await pages.start()
                log.info("listening", address=str(self._loaded.configuration.listen), port=port)
            examining = asyncio.create_task(self._examine())
            self._watcher.start()
            await self._watch.run(self._stop, self._started)
        finally:
            self._notifier.stopping()
            self._watcher.close()
            if examining is not None:
                examining.cancel()
                with contextlib.suppress(asyncio.CancelledError):
                    await examining
            await control.close()
            if pages is not None:
                await pages.close()

    def _stood(self, since_s: float, until_s: float) -> None:
        """The loop stood still, by the monotonic clock."""
        since, until = timedelta(seconds=since_s), timedelta(seconds=until_s)
        self._watch.prober.stood(since, until, f"nothing ran for {until_s - since_s:.1f} s")

    def _pages(self) -> Pages | None:
        listen = self._loaded.configuration.listen
        if listen is None:
            return None
        sources = Sources(
            examine=self._watch.health,
            ready=self._is_ready,
            take=self._watch.snapshot,
            desk=desk.Chosen(self._loaded.store, self._watch.signals),
            each_device=self._watch.tells_of_each_device,
        )
        return Pages(listen, sources)

    def _is_ready(self) -> bool:
        return self._started.is_set() and not self._stop.is_set() and self._watch.engine.stuck is None

    async def _examine(self) -> None:
        """Tell systemd that we are alive, as long as we make progress."""
        await self._started.wait()
        self._notifier.ready(self._words())
        every = EXAMINE_EVERY
        if self._notifier.watchdog is not None:
            every = min(every, self._notifier.watchdog / 3)
        was_ok = True
        while True:
            await self._clock.sleep(every)
            health = self._watch.health()
            if not health.hangs:
                self._notifier.alive(self._words() if health.ok else "; ".join(health.troubles))
            if was_ok and not health.ok:
                log.error("not-well", troubles=health.troubles)
            was_ok = health.ok

    def _words(self) -> str:
        world = self._watch.engine.world
        signals, emergencies, notices = len(world.signals), len(world.emergencies), len(world.notices.pending)
        return f"{signals} signals, {emergencies} emergencies, {notices} notices to send"

    def _hang_up(self) -> None:
        task = asyncio.create_task(self._reload(UNATTRIBUTED, {}))
        self._reloads.add(task)
        task.add_done_callback(self._reloads.discard)

    async def _reload(self, author: str, _: Mapping[str, Any]) -> Mapping[str, Any]:
        self._notifier.reloading(self._clock.monotonic())
        try:
            return await self._watch.reload(author)
        finally:
            self._notifier.ready(self._words())

    async def _status(self, *_: object) -> Mapping[str, Any]:
        health = self._watch.health()
        return {
            "process": os.getpid(),
            "version": hostwatch.__version__,
            "healthy": health.ok,
            "troubles": list(health.troubles),
            "warnings": list(health.warnings),
            "loop_lag_ms": round(self._watcher.recent_s() * 1000),
            "configuration": self._watch.engine.world.configuration,
            "loading": self._watch.enroller.progress,
        }

"""Keeps checkers running while they are wanted: one process after another, with pauses that grow."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from datetime import timedelta
from typing import Final

from hostwatch import log
from hostwatch.checkers.client import Gone
from hostwatch.clock import Clock

PAUSE_MIN: Final = timedelta(milliseconds=500)
PAUSE_MAX: Final = timedelta(minutes=1)
"""Before they are started again: doubled each time, until they have run for longer than that."""

TROUBLE_AFTER: Final = timedelta(seconds=30)
"""Without checkers for so long, the watch is not well."""


class Keeper:
    """Knows how often they were started again, and since when there are none."""

    def __init__(self, clock: Clock, life: Callable[[], Awaitable[None]], wanted: asyncio.Event) -> None:
        """`life`: one process, from its start to its end; returns when none is wanted, or raises `Gone`."""
        self._clock = clock
        self._life = life
        self._wanted = wanted
        self._gone_since: timedelta | None = None
        self.restarts = 0

    async def run(self) -> None:
        """One process after another, for ever."""
        pause = PAUSE_MIN
        while True:
            await self._wanted.wait()
            began = self._clock.monotonic()
            try:
                await self._life()
            except Gone as gone:
                self.restarts += 1
                self._gone_since = self._gone_since or self._clock.monotonic()
                if self._clock.monotonic() - began > PAUSE_MAX:
                    pause = PAUSE_MIN
                log.error("checkers-gone", why=str(gone), again_in_s=pause.total_seconds())
                await self._clock.sleep(pause)
                pause = min(pause * 2, PAUSE_MAX)
            else:
                pause = PAUSE_MIN

    def is_there(self) -> None:
        """A process has started."""
        self._gone_since = None

    def troubles(self) -> Iterator[str]:
        """What is wrong, if they cannot be kept running."""
        if self._gone_since is not None and self._wanted.is_set():
            gone = self._clock.monotonic() - self._gone_since
            if gone > TROUBLE_AFTER:
                yield f"the checkers have not run for {gone.total_seconds():.0f} s: services are unknown"

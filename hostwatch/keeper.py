"""Keeps a process of ours running while it is wanted: one after another, with pauses that grow."""

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
"""Before it is started again: doubled each time, until it has run for longer than that."""

TROUBLE_AFTER: Final = timedelta(seconds=30)
"""Without it for so long, the watch is not well."""


class Keeper:
    """Knows how often it was started again, and since when there is none."""

    def __init__(
        self,
        clock: Clock,
        life: Callable[[], Awaitable[None]],
        wanted: asyncio.Event,
        what: str = "checkers",
        without: str = "the checkers have not run for %.0f s: services are unknown",
    ) -> None:
        """`life`: one process, from its start to its end; returns when none is wanted, or raises `Gone`.

        `what` it is, for the log; what it means to be `without` it for so many seconds, for people.
        """
        self._clock = clock
        self._life = life
        self._wanted = wanted
        self._what = what
        self._without = without
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
                log.error(f"{self._what}-gone", why=str(gone), again_in_s=pause.total_seconds())
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
                yield self._without % gone.total_seconds()

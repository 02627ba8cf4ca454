"""Does what is due about running notices: sums them up, and ends them."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import Final

from hostwatch.clock import Clock
from hostwatch.core import flapping
from hostwatch.core.world import Decision
from hostwatch.engine import Engine

LONGEST: Final = timedelta(minutes=1)
"""How long it is slept at most: the wall clock may step meanwhile."""

GRAIN: Final = timedelta(milliseconds=200)


class Flapping:
    """Sleeps until something is due about one of them."""

    def __init__(self, engine: Engine, clock: Clock) -> None:
        self._engine = engine
        self._clock = clock
        self._changed = asyncio.Event()
        engine.listeners.append(self._on_decision)

    def _on_decision(self, decision: Decision) -> None:
        if self._engine.world.running.open:
            self._changed.set()

    async def run(self) -> None:
        """Watch for ever."""
        while True:
            self._changed.clear()
            world, now = self._engine.world, self._clock.now()
            due = [flapping.next_at(world, one) or now for one in world.running.open.values()]
            first = min(due, default=None)
            if first is None:
                await self._changed.wait()
            elif first <= now:
                await self._engine.do(flapping.look)
            else:
                await self._sleep(min(first - now, LONGEST))
            await self._clock.sleep(GRAIN)

    async def _sleep(self, span: timedelta) -> None:
        """Sleep so long, or until something changes."""
        waits = [
            asyncio.ensure_future(self._clock.sleep(span)),
            asyncio.ensure_future(self._changed.wait()),
        ]
        try:
            await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for one in waits:
                one.cancel()
            await asyncio.gather(*waits, return_exceptions=True)

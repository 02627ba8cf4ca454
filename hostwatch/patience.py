"""Ends the waiting of services for the verdict on their device (J8): nobody waits longer than it was said."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import Final

from hostwatch.clock import Clock
from hostwatch.core import telling
from hostwatch.core.world import Decision
from hostwatch.engine import Engine

GRAIN: Final = timedelta(milliseconds=200)
"""How often it is looked at most who has waited long enough: thousands may begin to wait together."""

LONGEST: Final = timedelta(minutes=1)
"""How long it is slept at most: the wall clock may step meanwhile."""


class Patience:
    """Knows when the next one has waited long enough."""

    def __init__(self, engine: Engine, clock: Clock) -> None:
        self._engine = engine
        self._clock = clock
        self._changed = asyncio.Event()
        engine.listeners.append(self._on_decision)

    def _on_decision(self, decision: Decision) -> None:
        if decision.holds:
            self._changed.set()

    async def run(self) -> None:
        """Watch for ever."""
        while True:
            self._changed.clear()
            due, now = self._engine.world.holds.first_until, self._clock.now()
            if due is None:
                await self._changed.wait()
            elif due <= now:
                await self._engine.do(telling.overdue)
            else:
                await self._sleep(min(due - now, LONGEST))
            await self._clock.sleep(GRAIN)

    async def _sleep(self, span: timedelta) -> None:
        """Sleep so long, or until somebody begins or ends to wait."""
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

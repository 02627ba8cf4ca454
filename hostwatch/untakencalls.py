"""Looks whether calls are taken, for ever, and has operators warned if not."""

from __future__ import annotations

from datetime import timedelta
from typing import Final

from hostwatch.clock import Clock
from hostwatch.core import untaken
from hostwatch.engine import Engine

LOOK_EVERY: Final = timedelta(seconds=10)


class UntakenCalls:
    """Looks every few seconds."""

    def __init__(self, engine: Engine, clock: Clock) -> None:
        self._engine = engine
        self._clock = clock

    async def run(self) -> None:
        """Look for ever. What changes nothing is not recorded."""
        while True:
            await self._engine.do(untaken.look)
            await self._clock.sleep(LOOK_EVERY)

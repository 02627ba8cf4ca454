"""Has the engine count traffic, soon after switches spoke, all together; and erase what is old."""

from __future__ import annotations

import asyncio
from datetime import datetime, timedelta
from functools import partial
from typing import Final
from zoneinfo import ZoneInfo

from hostwatch.clock import Clock
from hostwatch.configuration.model import Configuration
from hostwatch.configuration.network import MONTHS_MAX
from hostwatch.core import counting
from hostwatch.core.calendar import Month
from hostwatch.core.judge import Steps
from hostwatch.core.portsheard import PREFIX
from hostwatch.core.traffic import DAY_STEPS, STEP_S
from hostwatch.core.world import Decision, World
from hostwatch.engine import Engine

GATHERED: Final = timedelta(seconds=1)
"""So long after the first of them spoke others may: all switches are asked at once."""

ERASE_EVERY: Final = timedelta(days=1)


class Tallying:
    """Knows which switches spoke and are not counted."""

    def __init__(self, engine: Engine, clock: Clock) -> None:
        self._engine = engine
        self._clock = clock
        self._spoke: dict[str, None] = {}
        self._woken = asyncio.Event()
        self._months, self._zone = MONTHS_MAX, ZoneInfo("UTC")
        engine.listeners.append(self._on_decision)

    def keep(self, configuration: Configuration) -> None:
        """Keep figures for as many months, of the site's zone, as a configuration says."""
        self._months = configuration.network.traffic_months
        self._zone = ZoneInfo(configuration.site.timezone)

    def _on_decision(self, decision: Decision) -> None:
        spoke = [name for name, one in decision.heard.items() if name.startswith(PREFIX) and one is not None]
        if spoke:
            self._spoke.update(dict.fromkeys(spoke))
            self._woken.set()

    async def run(self) -> None:
        """Count and erase for ever; first count what was heard before we were stopped."""
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._count_for_ever())
            tasks.create_task(self._erase_for_ever())

    async def _count_for_ever(self) -> None:
        before = [name for name in self._engine.world.heard if name.startswith(PREFIX)]
        self._spoke.update(dict.fromkeys(before))
        while True:
            names, self._spoke = tuple(self._spoke), {}
            if names:
                await self._engine.do(partial(_count, names))
            await self._woken.wait()
            await self._clock.sleep(GATHERED)
            self._woken.clear()

    async def _erase_for_ever(self) -> None:
        while True:
            await self._engine.do(partial(_erase, self._months, self._zone))
            await self._clock.sleep(ERASE_EVERY)


def _count(names: tuple[str, ...], world: World, _: datetime) -> Steps:
    return counting.count(world, names)


def _erase(months: int, zone: ZoneInfo, _: World, now: datetime) -> Decision:
    """The deed: nothing of before so many months is kept."""
    return Decision(traffic_before=first_kept(now, months, zone))


def first_kept(now: datetime, months: int, zone: ZoneInfo) -> int:
    """The first day, since 1970, of the months that are kept."""
    here = now.astimezone(zone)
    count = here.year * 12 + here.month - 1 - months
    return Month(count // 12, count % 12 + 1).span(zone).start // (DAY_STEPS * STEP_S)

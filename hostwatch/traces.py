"""Traces: where the path breaks, looked at beside the schedule when somebody falls silent.

One trace serves a whole neighbourhood, a /24 or a /48, for a minute. What it finds is a fact for people and
decides nothing. It is of the engine's pings like all others, within the same limits, and few in all.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from datetime import timedelta
from ipaddress import ip_network
from typing import Any, Final

from hostwatch.clock import Clock
from hostwatch.core import facts, path
from hostwatch.core.service import is_service
from hostwatch.core.uplink import address_in
from hostwatch.core.world import Decision
from hostwatch.engine import Engine
from hostwatch.path import look_along
from hostwatch.pinger import Pinger, family, is_loopback
from hostwatch.rounds import Rounds

AT_ONCE: Final = 4
"""Traces under way."""

PER_MINUTE: Final = 30
"""Traces begun within `SHARED_FOR`, for so many neighbourhoods; others are left out."""

SHARED_FOR: Final = timedelta(minutes=1)
"""Whoever falls silent so long after another in its neighbourhood shares the other's trace."""

_PREFIX: Final = {4: 24, 6: 48}
Hold = Callable[[Coroutine[Any, Any, None]], object]


def neighbourhood(address: str) -> str:
    """The /24, or the /48, of an address."""
    bare = address.partition("%")[0]
    return str(ip_network((bare, _PREFIX[family(bare)]), strict=False))


class Traces:
    """Knows which neighbourhoods were looked at in the last minute, and which are to be."""

    def __init__(self, engine: Engine, pinger: Pinger, rounds: Rounds, clock: Clock) -> None:
        self._engine = engine
        self._pinger = pinger
        self._rounds = rounds
        self._clock = clock
        self._asked: dict[str, timedelta] = {}
        """When a trace was last asked for, by neighbourhood; by the monotonic clock."""

        self._queue: asyncio.Queue[str] = asyncio.Queue(PER_MINUTE)
        self._room = asyncio.Semaphore(AT_ONCE)
        self.wanted = False
        """Whether any are made at all."""

    def on_decision(self, decision: Decision) -> None:
        """A decision was committed: somebody fell silent."""
        if self.wanted:
            for fact in decision.facts:
                if isinstance(fact, facts.SilenceBegan):
                    self._ask(fact.signal)

    async def run(self, hold: Hold) -> None:
        """Look for ever. `hold` runs a trace beside; its failure is ours."""
        while True:
            await self._room.acquire()
            hold(self._trace(await self._queue.get()))

    def _ask(self, signal: str) -> None:
        address = self._address(signal)
        if is_service(signal) or address is None or is_loopback(address) or self._engine.world.blind:
            return
        now, network = self._clock.monotonic(), neighbourhood(address)
        self._asked = {other: at for other, at in self._asked.items() if now - at < SHARED_FOR}
        if network in self._asked or len(self._asked) >= PER_MINUTE or self._queue.full():
            return
        self._asked[network] = now
        self._queue.put_nowait(signal)

    def _address(self, signal: str) -> str | None:
        """Where a signal is asked for; None for an uplink's own, and for who is no longer watched."""
        device = self._engine.world.device(signal)
        return address_in(signal) if device is None else device.address

    async def _trace(self, signal: str) -> None:
        try:
            address = self._address(signal)
            if address is None or not self._is_silent(signal):
                return
            at = self._clock.now()
            manner = self._rounds.manner(signal)
            uplink = self._rounds.uplink(signal)
            seen = await look_along(self._pinger, self._clock, address, manner, uplink=uplink)
            if seen.ending is not path.Ending.UNKNOWN:
                self._engine.post(
                    lambda world, _: (
                        Decision() if world.blind else path.seen(seen, signal, neighbourhood(address), at)
                    )
                )
        finally:
            self._room.release()

    def _is_silent(self, signal: str) -> bool:
        """Whether it is worth looking: it may have answered, or we may have gone blind, meanwhile."""
        world = self._engine.world
        return world.signals.is_silent(signal) and not world.blind

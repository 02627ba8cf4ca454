"""Own sight: can we see at all? Our own gateways answer that, before and after each miss (J1, J7).

A miss stands only if a gateway of the same family answered the last look before it and a look after
it. Targets on loopback need no sight, since packets to them never leave the machine.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from hostwatch.clock import Clock
from hostwatch.core import instant
from hostwatch.core.reading import Outcome
from hostwatch.pinger import Ask, Batch, Look, Manner, Pinger, family, is_loopback

REMEMBERED_MAX = 64
BLIND = "own gateway silent"


@dataclass(frozen=True, slots=True, kw_only=True)
class Glance:
    """One look at our own gateways."""

    at: datetime
    good: frozenset[int]
    """The families in which a gateway answered."""

    why: str = ""


class Sight:
    """Looks at our own gateways and remembers what it saw."""

    def __init__(
        self, gateways: Sequence[str], pinger: Pinger, clock: Clock, manner: Manner, every: timedelta
    ) -> None:
        """`every` is the time between two looks; a look is too old for a miss after twice that."""
        self._pinger = pinger
        self._clock = clock
        self._glances: deque[Glance] = deque(maxlen=REMEMBERED_MAX)
        self._after = asyncio.Lock()
        self.gateways = tuple(gateways)
        self.manner = manner
        self.every = every

    def forget(self) -> None:
        """Drop what was seen by another clock, or with other gateways: it proves nothing any more."""
        self._glances.clear()

    async def glance(self) -> Glance:
        """Look at all our gateways now."""
        at = self._clock.now()
        asks = tuple(Ask(address, address, instant.micros(at)) for address in self.gateways)
        looks: list[Look] = []
        async for group in self._pinger.probe(Batch(asks=asks, manner=self.manner)):
            looks.extend(group)
        good = frozenset(family(look.address) for look in looks if look.outcome is Outcome.ANSWERED)
        why = "; ".join(f"{look.address}: {look.why}" for look in looks if look.why)
        seen = Glance(at=at, good=self._widened(good), why=why)
        self._glances.append(seen)
        return seen

    def _widened(self, good: frozenset[int]) -> frozenset[int]:
        """A family without a gateway of its own is seen through the other."""
        own = {family(address) for address in self.gateways}
        return good | ({4, 6} - own if good else set())

    def is_good(self, glance: Glance) -> bool:
        """Whether each family that has gateways saw one."""
        return all(family(address) in glance.good for address in self.gateways)

    async def judge(self, looks: Sequence[Look]) -> tuple[Look, ...]:
        """Misses that we could not have seen become UNKNOWN."""
        doubtful = [
            look for look in looks if look.outcome is Outcome.MISSED and not is_loopback(look.address)
        ]
        if not doubtful or not self.gateways:
            return tuple(looks)
        known_at = instant.from_micros(max(look.known_us for look in doubtful))
        async with self._after:
            if not self._glances or self._glances[-1].at < known_at:
                await self.glance()
        return tuple(self._judged(look) for look in looks)

    def _judged(self, look: Look) -> Look:
        if look.outcome is not Outcome.MISSED or is_loopback(look.address):
            return look
        at = instant.from_micros(look.at_us)
        oldest = at - 2 * self.every - self.manner.longest
        before = [glance for glance in self._glances if oldest <= glance.at <= at][-1:]
        since = [glance for glance in self._glances if glance.at > at]
        seen = [*before, *since]
        if before and since and all(family(look.address) in glance.good for glance in seen):
            return look
        return look._replace(outcome=Outcome.UNKNOWN, why=BLIND, lost=0)

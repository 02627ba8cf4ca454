"""One pinger in front of all methods: each ask goes to whoever knows its method, then to the witness.

Nearly all devices are pinged, and a batch of pings passes straight on. A method's own pinger is made when
the first device needs it. A device with a witness is known by its hardware address: an answer counts only
if the one who answers has it, else another machine answers, and the device itself is missed.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterable
from typing import Final

from hostwatch import reach
from hostwatch.clock import Clock
from hostwatch.core import instant, source
from hostwatch.core.reading import Outcome
from hostwatch.core.schedule import ICMP
from hostwatch.core.service import METHOD
from hostwatch.pace import Limits, Pace
from hostwatch.pinger import Ask, Batch, Look, Manner, Pinger

NEIGHBOUR: Final = "neighbour"
NOBODY: Final = "nobody makes checks of services here"
OTHERS: Final = (METHOD, source.METHOD)
"""What the checkers look at: services and sources."""

UNSEEN: Final = "who answered could not be seen"


class Switchboard(Pinger):
    """All methods behind one interface."""

    def __init__(self, clock: Clock, icmp: Pinger) -> None:
        self._clock = clock
        self._icmp = icmp
        self._pingers: dict[str, Pinger] = {ICMP: icmp}
        self._pace = Pace(Limits())
        self.services: Pinger | None = None
        """Who has services looked at; None while nobody does."""

        for kind in reach.kinds():  # now, and not while something is being looked at
            reach.room(kind)

    async def close(self) -> None:
        for pinger in self._pingers.values():
            await pinger.close()

    def probe(self, batch: Batch) -> AsyncIterator[tuple[Look, ...]]:
        for ask in batch.asks:
            if ask.method != ICMP:
                return self._sorted(batch)
        return self._icmp.probe(batch)

    async def _sorted(self, batch: Batch) -> AsyncIterator[tuple[Look, ...]]:
        """Each method's part of a batch beside the others'."""
        parts: dict[str, list[Ask]] = {}
        for ask in batch.asks:
            parts.setdefault(reach.split(ask.method)[0], []).append(ask)
        groups: asyncio.Queue[tuple[Look, ...] | None] = asyncio.Queue()

        async def ask_all(kind: str, asks: list[Ask]) -> None:
            try:
                async for group in self._witnessed(kind, Batch(asks=tuple(asks), manner=batch.manner)):
                    groups.put_nowait(group)
            finally:
                groups.put_nowait(None)

        tasks = [asyncio.create_task(ask_all(kind, asks)) for kind, asks in parts.items()]
        try:
            for _ in tasks:
                while (group := await groups.get()) is not None:
                    yield group
            for task in tasks:
                await task
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    async def _witnessed(self, kind: str, batch: Batch) -> AsyncIterator[tuple[Look, ...]]:
        """A method's looks; answers of devices with a witness once that has been heard."""
        if kind in OTHERS:
            async for group in self._looked_at_by_others(batch):
                yield group
            return
        macs = {ask.signal: mac for ask in batch.asks if (mac := reach.read(ask.method).mac)}
        if kind == NEIGHBOUR or not macs:  # who is asked for as a neighbour says itself who it is
            async for group in self._pinger(kind).probe(batch):
                yield group
            return
        hearing: list[asyncio.Task[tuple[Look, ...]]] = []
        try:
            async for group in self._pinger(kind).probe(batch):
                doubtful = [
                    look for look in group if look.outcome is Outcome.ANSWERED and look.signal in macs
                ]
                sure = tuple(look for look in group if look not in doubtful)
                if doubtful:
                    hearing.append(asyncio.create_task(self._identified(doubtful, macs, batch.manner)))
                if sure:
                    yield sure
            for task in hearing:
                yield await task
        finally:
            for task in hearing:
                task.cancel()
            await asyncio.gather(*hearing, return_exceptions=True)

    async def _looked_at_by_others(self, batch: Batch) -> AsyncIterator[tuple[Look, ...]]:
        """Services: what they are made of, and who makes their checks, is no affair of ours."""
        if self.services is not None:
            async for group in self.services.probe(batch):
                yield group
            return
        for ask in batch.asks:
            await self._clock.sleep_until(instant.from_micros(ask.at_us))
            now_us = self._clock.now_us()
            yield (Look(ask.signal, ask.address, now_us, now_us, Outcome.UNKNOWN, NOBODY),)

    async def _identified(
        self, looks: Iterable[Look], macs: dict[str, str], manner: Manner
    ) -> tuple[Look, ...]:
        """Answers, each with the word of whoever has the address now."""
        given = {look.signal: look for look in looks}
        asks = tuple(
            Ask(name, look.address, look.known_us, reach.known_by(NEIGHBOUR, macs[name]))
            for name, look in given.items()
        )
        judged = []
        async for group in self._pinger(NEIGHBOUR).probe(Batch(asks=asks, manner=manner)):
            judged += [_identified(given[word.signal], word) for word in group]
        return tuple(judged)

    def keep_to(self, pace: Pace) -> None:
        """All methods count in one account."""
        self._pace = pace
        for pinger in self._pingers.values():
            pinger.keep_to(pace)

    def _pinger(self, kind: str) -> Pinger:
        if kind not in self._pingers:
            self._pingers[kind] = reach.room(kind).build(self._clock)
            self._pingers[kind].keep_to(self._pace)
        return self._pingers[kind]


def _identified(look: Look, word: Look) -> Look:
    """An answer, as far as it was the device's own."""
    match word.outcome:
        case Outcome.ANSWERED:
            return look
        case Outcome.MISSED if word.why.startswith(reach.ANOTHER):
            return look._replace(
                known_us=word.known_us,
                outcome=Outcome.MISSED,
                why=word.why,
                answered_us=None,
                rtt_us=None,
            )
    why = f"{UNSEEN}: {word.why}"
    return look._replace(
        known_us=word.known_us, outcome=Outcome.UNKNOWN, why=why, answered_us=None, rtt_us=None
    )

"""One run of the watch in a simulation, and what surrounds it: its disk, the room of channels, its log.

A life ends when it is killed: from then on nothing that it does reaches the store or the world.
"""

from __future__ import annotations

import asyncio
import logging
import sqlite3
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from types import MappingProxyType

from hostwatch import channels
from hostwatch.applications import Applications
from hostwatch.checkers.services import Service
from hostwatch.configuration.load import Loaded
from hostwatch.core import facts
from hostwatch.core.world import Decision
from hostwatch.servicing import DefinitionOf
from hostwatch.store.ledger import Ledger, Personal
from hostwatch.store.writer import InlineWriter
from hostwatch.watch import Watch
from tests.simulation.world import SimPinger

ROOM = Path(__file__).parent / "room"


class SimLedger(Ledger):
    """A ledger on a disk that can be full."""

    is_full: Callable[[], bool] = staticmethod(lambda: False)
    refused = 0

    def _facts(self, happened: tuple[facts.Fact, ...], recorded_at: datetime) -> int:
        last = super()._facts(happened, recorded_at)
        if self.is_full():
            self.refused += 1
            error = sqlite3.OperationalError("database or disk is full")
            error.sqlite_errorcode = sqlite3.SQLITE_FULL
            raise error
        return last


class SimWriter(InlineWriter):
    """A writer that tells the checkers of each commit, and at which the watch can be killed."""

    def __init__(self, ledger: Ledger, life: Life, committed: Callable[[Decision, datetime], None]) -> None:
        super().__init__(ledger)
        self._life = life
        self._committed = committed

    async def commit(self, decision: Decision, recorded_at: datetime, personal: Iterable[Personal]) -> int:
        if self._life.strikes("before a commit"):
            await asyncio.Event().wait()
        last = await super().commit(decision, recorded_at, personal)
        self._committed(decision, recorded_at)
        if self._life.strikes("after a commit"):
            await asyncio.Event().wait()
        return last

    async def close(self) -> None:
        """The store outlives the life."""


@dataclass(kw_only=True)
class Life:
    """One run of the watch."""

    since_us: int
    died: Callable[[], None]
    stop: asyncio.Event = field(default_factory=asyncio.Event)
    dead: bool = False
    doom: tuple[str, int] | None = None
    """At which kind of moment it is to be killed, and how many of them it still survives."""

    watch: Watch = field(init=False)
    pinger: SimPinger = field(init=False)
    task: asyncio.Task[None] = field(init=False)

    def strikes(self, moment: str) -> bool:
        """Whether it is dead at this moment, or dies now."""
        if self.dead or self.doom is None or self.doom[0] != moment:
            return self.dead
        if self.doom[1] > 0:
            self.doom = (moment, self.doom[1] - 1)
            return False
        self.dead = True
        self.died()
        return True


class NoCheckers(Applications):
    """Services are looked at in the simulated network, like devices: nobody need be started for it."""

    def configure(
        self,
        loaded: Loaded,
        definition_of: DefinitionOf,
        listened: Mapping[str, Service] = MappingProxyType({}),
    ) -> None:
        pass

    async def run(self) -> None:
        await asyncio.Event().wait()


@contextmanager
def room() -> Iterator[None]:
    """The simulated channel is in the room of channels."""
    before = channels.__path__
    channels.__path__ = [*before, str(ROOM)]
    try:
        yield
    finally:
        channels.__path__ = before


class _Listener(logging.Handler):
    def __init__(self, told: Callable[[logging.LogRecord], None]) -> None:
        super().__init__()
        self._told = told

    def emit(self, record: logging.LogRecord) -> None:
        self._told(record)


@contextmanager
def log(told: Callable[[logging.LogRecord], None]) -> Iterator[None]:
    """What the daemon says at level error is heard, and nothing is printed."""
    logger = logging.getLogger("hostwatch")
    before = logger.handlers[:], logger.level, logger.propagate
    logger.handlers[:], logger.propagate = [_Listener(told)], False
    logger.setLevel(logging.ERROR)
    try:
        yield
    finally:
        logger.handlers[:], logger.propagate = before[0], before[2]
        logger.setLevel(before[1])

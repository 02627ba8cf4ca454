"""The writer: the one thread that owns the one writing connection.

aiosqlite's thread runs whole transactions, never single statements from several tasks, so nobody
else's work can slip into one, and a cancelled task cannot leave one open.
"""

from __future__ import annotations

import asyncio
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable
from datetime import datetime
from pathlib import Path
from typing import Any, TypeVar

import aiosqlite

from hostwatch.core.emergency import Notice
from hostwatch.core.world import Decision, World
from hostwatch.store.connection import connect
from hostwatch.store.duties import Owing
from hostwatch.store.ledger import Ledger, Personal, Remembered, Told

T = TypeVar("T")


class Writer(ABC):
    """What the engine asks of the store."""

    epoch: int

    @abstractmethod
    async def load(self) -> World:
        """The world as it was committed last."""

    @abstractmethod
    async def remembered(self) -> Remembered:
        """As `Ledger.remembered`."""

    @abstractmethod
    async def notices_of(self, receipt: str) -> list[Notice]:
        """As `Ledger.notices_of`."""

    @abstractmethod
    async def told_of(self, reference: str) -> Told:
        """As `Ledger.told_of`."""

    @abstractmethod
    async def owing_of(self, reference: str, customer: str) -> Owing:
        """As `Ledger.owing_of`."""

    @abstractmethod
    async def value_of(self, commitment: str) -> str | None:
        """As `Ledger.value_of`."""

    @abstractmethod
    async def commit(self, decision: Decision, recorded_at: datetime, personal: Iterable[Personal]) -> int:
        """As `Ledger.commit`. Once begun it is carried through, though the caller be cancelled."""

    @abstractmethod
    async def close(self) -> None:
        """Close the store."""


class InlineWriter(Writer):
    """The same without a thread, for simulations: the caller waits."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger
        self._ledger.open()
        self.epoch = ledger.epoch

    async def load(self) -> World:
        return self._ledger.load()

    async def remembered(self) -> Remembered:
        return self._ledger.remembered()

    async def notices_of(self, receipt: str) -> list[Notice]:
        return self._ledger.notices_of(receipt)

    async def told_of(self, reference: str) -> Told:
        return self._ledger.told_of(reference)

    async def owing_of(self, reference: str, customer: str) -> Owing:
        return self._ledger.owing_of(reference, customer)

    async def value_of(self, commitment: str) -> str | None:
        return self._ledger.value_of(commitment)

    async def commit(self, decision: Decision, recorded_at: datetime, personal: Iterable[Personal]) -> int:
        return self._ledger.commit(decision, recorded_at, personal)

    async def close(self) -> None:
        self._ledger.close()


class ThreadWriter(Writer):
    """The writer of the service."""

    def __init__(self, thread: _Thread, ledger: Ledger) -> None:
        self._thread = thread
        self._ledger = ledger
        self.epoch = ledger.epoch

    @classmethod
    async def open(cls, path: Path, boot_id: str) -> ThreadWriter:
        """Open, migrate and claim a store. Raises `StoreError` in words for an operator."""
        connection = await asyncio.to_thread(connect, path)  # aiosqlite's thread would end with a traceback
        thread = _Thread(lambda: connection, iter_chunk_size=64)
        await thread
        ledger = Ledger(connection, boot_id)
        try:
            await thread.run(ledger.open)
        except BaseException:
            await thread.close()
            raise
        return cls(thread, ledger)

    async def load(self) -> World:
        return await self._thread.run(self._ledger.load)

    async def remembered(self) -> Remembered:
        return await self._thread.run(self._ledger.remembered)

    async def notices_of(self, receipt: str) -> list[Notice]:
        return await self._thread.run(self._ledger.notices_of, receipt)

    async def told_of(self, reference: str) -> Told:
        return await self._thread.run(self._ledger.told_of, reference)

    async def owing_of(self, reference: str, customer: str) -> Owing:
        return await self._thread.run(self._ledger.owing_of, reference, customer)

    async def value_of(self, commitment: str) -> str | None:
        return await self._thread.run(self._ledger.value_of, commitment)

    async def commit(self, decision: Decision, recorded_at: datetime, personal: Iterable[Personal]) -> int:
        work = self._thread.run(self._ledger.commit, decision, recorded_at, personal)
        return await asyncio.shield(asyncio.ensure_future(work))

    async def close(self) -> None:
        await self._thread.close()


class _Thread(aiosqlite.Connection):
    """aiosqlite's thread, asked to run a function of ours on the connection that it owns."""

    async def run(self, work: Callable[..., T], *args: Any) -> T:
        result: T = await self._execute(work, *args)  # type: ignore[no-untyped-call]
        return result

"""The last findings of each check: its last answer, last miss and last unknown, with their transcripts.

They are for people, decide nothing, and may be erased at any moment; so they stand neither among the facts
nor in the store, but in a small file of their own beside it, which is bounded and written at leisure. One
that is broken is begun anew. A kill loses the findings of the last seconds.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import sqlite3
import zlib
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import Any, Final, NamedTuple, TypeVar

from hostwatch import log
from hostwatch.checkers.protocol import FINDING_CHARS_MAX, Seen
from hostwatch.clock import Clock
from hostwatch.core import instant

SUFFIX: Final = ".findings"

KEPT_BYTES_MAX: Final = 512 * 1024 * 1024
"""The file. Beyond it the oldest findings go."""

FRESH_MAX: Final = 20_000
"""Findings that wait to be written; further ones are not kept."""

WRITE_EVERY: Final = timedelta(seconds=5)

KEPT_FOR: Final = timedelta(days=35)
"""Of a signal that is looked at no more."""

KEPT_FOR_US: Final = KEPT_FOR // instant.MICROSECOND

SHOWN_MAX: Final = 200
"""Findings of one device that are shown."""

_PAGE_BYTES: Final = 4096
_SCHEMA_VERSION: Final = 1
_SCHEMA: Final = """
CREATE TABLE IF NOT EXISTS findings (
    signal TEXT NOT NULL, place INTEGER NOT NULL, outcome TEXT NOT NULL,
    kind TEXT NOT NULL, at_us INTEGER NOT NULL, finding BLOB NOT NULL,
    PRIMARY KEY (signal, place, outcome)
) STRICT, WITHOUT ROWID
"""
_UPSERT: Final = """
INSERT INTO findings VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT DO UPDATE
SET kind = excluded.kind, at_us = excluded.at_us, finding = excluded.finding
"""

T = TypeVar("T")


class _Key(NamedTuple):
    signal: str
    place: int
    outcome: str


class _Fresh(NamedTuple):
    kind: str
    at_us: int
    finding: str


def path_for(store: Path) -> Path:
    """Where the findings of a store's signals are."""
    return store.with_name(store.name + SUFFIX)


class Recall:
    """Keeps findings. Everything that touches the file happens in one thread of its own."""

    def __init__(self, path: Path, clock: Clock, bytes_max: int = KEPT_BYTES_MAX) -> None:
        self._path = path
        self._clock = clock
        self._pages_max = bytes_max // _PAGE_BYTES
        self._fresh: dict[_Key, _Fresh] = {}
        self._file: sqlite3.Connection | None = None
        self._failing = False
        self._thread = ThreadPoolExecutor(1, "recall")

    def note(self, signal: str, place: int, seen: Seen, at_us: int) -> None:
        """A check of a signal's service has found something."""
        key = _Key(signal, place, seen.outcome.value)
        if key in self._fresh or len(self._fresh) < FRESH_MAX:
            self._fresh[key] = _Fresh(seen.kind, at_us, seen.finding)

    async def run(self) -> None:
        """Write what is fresh, again and again, for ever."""
        forget_at = self._clock.monotonic()
        while True:
            await self._clock.sleep(WRITE_EVERY)
            await self._write()
            if self._file is not None and self._clock.monotonic() >= forget_at:
                await self._do(partial(_forget, before_us=self._clock.now_us() - KEPT_FOR_US))
                forget_at = self._clock.monotonic() + timedelta(days=1)

    async def of(self, device: str) -> list[dict[str, Any]]:
        """The last findings of a device's checks: by signal, place and outcome; what they hold as JSON."""
        await self._write()
        found = await self._do(lambda file: [*_of(file, device)])
        return [] if found is None else found

    async def close(self) -> None:
        """Write what is fresh, and let the file go."""
        await self._write()
        await asyncio.get_running_loop().run_in_executor(self._thread, self._shut)
        self._thread.shutdown()

    async def _write(self) -> None:
        fresh, self._fresh = self._fresh, {}
        if fresh:
            await self._do(lambda file: _put(file, fresh))

    async def _do(self, deed: Callable[[sqlite3.Connection], T]) -> T | None:
        """Do something with the file in its thread; None if it cannot be done, which only the log tells."""
        return await asyncio.get_running_loop().run_in_executor(self._thread, self._try, deed)

    def _try(self, deed: Callable[[sqlite3.Connection], T]) -> T | None:
        for attempt in range(2):
            try:
                if self._file is None:
                    self._file = self._open()
                with self._file:
                    done = deed(self._file)
                self._failing = False
                return done
            except (sqlite3.Error, OSError) as error:
                if attempt == 0 and self._mend(error):
                    continue
                if not self._failing:  # told once, and again after it has worked
                    log.warning("findings-not-kept", file=self._path, error=str(error))
                self._failing = True
                return None
        return None

    def _mend(self, error: Exception) -> bool:
        """Make room, or begin a broken file anew; whether another try is worth it."""
        if getattr(error, "sqlite_errorcode", 0) == sqlite3.SQLITE_FULL and self._file is not None:
            with contextlib.suppress(sqlite3.Error), self._file:
                return self._file.execute(_THIN).rowcount > 0
        if isinstance(error, OSError) or type(error) is sqlite3.OperationalError:
            return False  # a lock, a full disk, a folder that may not be written: the file itself may be good
        log.warning("findings-begun-anew", file=self._path, error=str(error))
        self._shut()
        self._path.unlink(missing_ok=True)
        return True

    def _open(self) -> sqlite3.Connection:
        file = sqlite3.connect(self._path, timeout=1.0)
        try:
            self._path.chmod(0o600)
            file.execute("PRAGMA journal_mode = TRUNCATE")
            file.execute("PRAGMA synchronous = NORMAL")
            file.execute(f"PRAGMA max_page_count = {self._pages_max}")
            (version,) = file.execute("PRAGMA user_version").fetchone()
            if version == 0:
                with file:
                    file.execute(_SCHEMA)
                    file.execute(f"PRAGMA user_version = {_SCHEMA_VERSION}")
            elif version != _SCHEMA_VERSION:
                raise sqlite3.DatabaseError(f"a file of version {version}")
        except BaseException:
            file.close()
            raise
        return file

    def _shut(self) -> None:
        if self._file is not None:
            self._file.close()
            self._file = None


_THIN: Final = """
DELETE FROM findings WHERE at_us <=
    (SELECT at_us FROM findings ORDER BY at_us LIMIT 1 OFFSET (SELECT count(*) / 10 FROM findings))
"""
"""The oldest tenth goes."""


def _put(file: sqlite3.Connection, fresh: dict[_Key, _Fresh]) -> None:
    rows = ((*key, one.kind, one.at_us, zlib.compress(one.finding.encode(), 6)) for key, one in fresh.items())
    file.executemany(_UPSERT, rows)


def _forget(file: sqlite3.Connection, before_us: int) -> None:
    file.execute(
        "DELETE FROM findings WHERE signal IN"
        " (SELECT signal FROM findings GROUP BY signal HAVING max(at_us) < ?)",
        (before_us,),
    )


def _of(file: sqlite3.Connection, device: str) -> Iterator[dict[str, Any]]:
    rows = file.execute(
        "SELECT signal, place, outcome, kind, at_us, finding FROM findings"
        " WHERE signal >= ? AND signal < ? ORDER BY signal, place, at_us LIMIT ?",
        (f"{device}/", f"{device}0", SHOWN_MAX),  # "0" comes after "/"
    )
    for signal, place, outcome, kind, at_us, packed in rows:
        finding = _read(packed)
        if finding is None:
            continue
        yield {
            "signal": signal,
            "check": place,
            "kind": kind,
            "outcome": outcome,
            "at": instant.rfc3339(instant.from_micros(at_us)),
            "finding": finding,
        }


def _read(packed: bytes) -> Any:
    """A finding as it was told; None if it is none. Bounded here too: a small thing may hold a large one."""
    try:
        return json.loads(zlib.decompressobj().decompress(packed, 4 * FINDING_CHARS_MAX))
    except (zlib.error, ValueError, RecursionError):
        return None

"""The reader's side of the store: looks, and leaves the record as it was, byte by byte.

While there is a write-ahead log the file is opened `mode=ro`: such a connection never checkpoints,
also after the writer was killed. Without a log nobody writes, and the file is opened `immutable`, so
that no lock and no side file is made and a user who cannot write the folder can read it; that it was
not touched meanwhile is checked after each transaction, which is else done again.
"""

from __future__ import annotations

import json
import os
import sqlite3
import time
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from itertools import chain
from pathlib import Path
from typing import Self, TypeVar
from urllib.parse import quote

from hostwatch.core import canonical, facts, instant
from hostwatch.core.emergency import Emergency, Notice
from hostwatch.core.facts import PathSeen
from hostwatch.core.latency import Brought
from hostwatch.core.population import Customer
from hostwatch.core.verification import Book
from hostwatch.core.world import SliceKey, World
from hostwatch.store import (
    duties,
    evidence,
    exercised,
    latencies,
    migrations,
    present,
    rows,
    traffic,
    versions,
)
from hostwatch.store.errors import Absent, Damaged, StoreError, WrongVersion
from hostwatch.store.evidence import Mark, News
from hostwatch.store.present import Spans

TRANSACTION_MAX_S = 5.0
"""The longest read transaction: a longer one would keep the log from being shortened."""

STEPS_BETWEEN_LOOKS = 20_000
"""How many instructions of SQLite pass between two looks at the clock: about a millisecond."""

FACTS_AT_ONCE = 20_000
"""How many entries of the record one transaction passes over."""

TRIES = 5
"""How often a read is begun again because the file changed under it."""

T = TypeVar("T")
Progress = Callable[[int, int], None]
"""Told how many entries have been read, of how many."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AsOf:
    """How far the record has come."""

    seq: int
    """The number of the last fact; 0 before the first."""

    alive_at: datetime | None
    """When the watch last said that it was alive."""


class Reader:
    """Reads one store, and leaves the database and its log as they were (not the shared index of the log)."""

    def __init__(self, path: Path, monotonic: Callable[[], float] = time.monotonic) -> None:
        """Open the store. Raises `Absent`, `WrongVersion`, `Damaged` or another `StoreError`."""
        self._path = path
        self._monotonic = monotonic
        self._deadline = 0.0
        self._db: sqlite3.Connection | None = None
        self._mark: tuple[int, ...] | None = None
        self._read(lambda db: None)

    def close(self) -> None:
        """Close the file."""
        if self._db is not None:
            self._db.close()
        self._db = self._mark = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def as_of(self) -> AsOf:
        """How far the record has come."""
        return self._read(_as_of)

    def world(self) -> World:
        """The present as it was committed last."""
        return self.moment()[1]

    def moment(self) -> tuple[AsOf, World]:
        """The present, and exactly how far the record had come when it was so.

        Devices and targets are read in short transactions, and again if they have changed meanwhile. While
        they change all the time, since a configuration comes into force, all is read in one.
        """

        def older(key: SliceKey) -> Spans:
            return self._read(lambda db: present.spans(db, key))

        for _ in range(TRIES):
            as_of, rest = self._read(lambda db: (_as_of(db), present.read_rest(db)))
            population = chain(rest.population, present.devices(self._read))
            found = rest._replace(population=population, targets=present.targets(self._read))
            world = present.world(found, older)
            if self._read(present.mark) == rest.mark:
                return as_of, world
        as_of, found = self._read(lambda db: (_as_of(db), present.read(db)))
        return as_of, present.world(found, older)

    def vantage(self) -> str:
        """The vantage point of the present population."""
        return self._read(lambda db: str(db.execute("SELECT vantage FROM watch").fetchone()[0]))

    def devices(self) -> Iterator[rows.Row]:
        """The present versions of all devices: `(name, customer, state, body)`, those that were removed too.

        They are read in short transactions, for the process in which nobody changes them meanwhile.
        """
        return (row[1:] for row in present.devices(self._read))

    def customers_at(self, at: datetime) -> dict[str, Customer]:
        """The customers as they were valid at an instant, by name; of the future as they are now."""
        found = self._read(
            lambda db: db.execute(versions.CUSTOMERS_AT, (rows.us(at), rows.us(at))).fetchall()
        )
        return versions.population("", found).customers

    def ways_at(self, at: datetime) -> Book:
        """How it stood with the ways to contacts at an instant."""
        return Book(fact for fact in self._read(lambda db: list(present.contact_facts(db))) if fact.at <= at)

    def facts(
        self,
        kinds: Collection[type[facts.Fact]] | None = None,
        *,
        until: AsOf | None = None,
        since: datetime | None = None,
        progress: Progress | None = None,
    ) -> Iterator[facts.Fact]:
        """The facts of some kinds in the order of the record, as far as it had come at `until`.

        `since` leaves out what happened before. The facts are read in short transactions: that is
        the same record, for it only grows.
        """
        last = (until or self.as_of()).seq
        for start in range(0, last, FACTS_AT_ONCE):
            end = min(start + FACTS_AT_ONCE, last)
            for kind, body in self._read(partial(_facts, kinds, (start, end), since)):
                yield canonical.decode(kind, json.loads(body))
            if progress is not None:
                progress(end, last)

    def last_paths(self, limit: int) -> list[PathSeen]:
        """The paths that were recorded last, the latest first."""
        query = "SELECT body FROM facts WHERE kind = 'PathSeen' ORDER BY seq DESC LIMIT ?"
        found = self._read(lambda db: db.execute(query, (limit,)).fetchall())
        return [canonical.restore(PathSeen, json.loads(body)) for (body,) in found]

    def notices_of(self, reference: str) -> list[Notice]:
        """Whom we told, or tried to tell, of an emergency."""
        where = "id IN (SELECT notice FROM notice_emergencies WHERE emergency = ?)"
        return self._read(lambda db: present.notices(db, where, (reference,)))

    def emergency(self, reference: str) -> Emergency | None:
        """An emergency by its reference, whether it is over or not."""
        query = "SELECT * FROM emergencies WHERE reference = ?"
        row = self._read(lambda db: db.execute(query, (reference,)).fetchone())
        return None if row is None else rows.emergency(row)

    def recent_emergencies(self, limit: int) -> list[Emergency]:
        """The emergencies that opened last, the latest first."""
        query = "SELECT * FROM emergencies ORDER BY opened_at DESC, reference DESC LIMIT ?"
        return self._read(lambda db: [rows.emergency(row) for row in db.execute(query, (limit,))])

    def duties(self, which: duties.Which) -> Iterator[duties.Kept]:
        """The duties to customers that are asked for, by their deadlines. Read in short transactions."""
        return duties.read(self._read, which)

    def exercises(self, limit: int) -> list[exercised.Filed]:
        """The last exercises, and what came of them, the latest first."""
        return self._read(lambda db: exercised.latest(db, limit))

    def personal(self, commitment: str) -> str | None:
        """What a commitment stands for; None if it was erased."""
        query = "SELECT value FROM personal WHERE commitment = ?"
        found = self._read(lambda db: db.execute(query, (commitment,)).fetchone())
        return None if found is None else str(found[0])

    def news(self, mark: Mark) -> News:
        """What changed of the devices, and which slices were closed, since `mark`. In short transactions."""
        return evidence.news(self._read, mark)

    def signals_of(self, device: str) -> list[str]:
        """The signals that a device ever had."""
        return self._read(lambda db: latencies.signals(db, device))

    def brought(self, signal: str, since: datetime, until: datetime) -> Iterator[Brought]:
        """What each scheduled ping of a signal between two instants brought. Read in short transactions."""
        return latencies.brought(self._read, signal, instant.micros(since), instant.micros(until))

    def traffic(self, since: int, until: int) -> Iterator[rows.Row]:
        """Day, port and figures of all ports from one day since 1970 to before another, by day."""
        return traffic.days(self._read, since, until)

    def _read(self, work: Callable[[sqlite3.Connection], T]) -> T:
        """Do some work in one read transaction, again if the file was changed under it."""
        for _ in range(TRIES):
            try:
                result = self._transact(work)
            except Exception as error:
                again = self._touched() or (isinstance(error, sqlite3.Error) and self._log_went())
                if not again:
                    self.close()
                    raise self._told(error) from error
            else:
                if not self._touched():
                    return result
            self.close()
        raise StoreError(f"cannot read the store {self._path}: it changed again and again; try once more")

    def _transact(self, work: Callable[[sqlite3.Connection], T]) -> T:
        db = self._db = self._db or self._connect()
        self._deadline = self._monotonic() + TRANSACTION_MAX_S
        db.execute("BEGIN")
        try:
            _check_version(db, self._path)
            return work(db)
        finally:
            if db.in_transaction:
                db.execute("ROLLBACK")

    def _connect(self) -> sqlite3.Connection:
        self._mark = None if _log(self._path).exists() else _mark(self._path)
        if self._mark is None and not self._path.exists():
            raise _absent(self._path)
        mode = "mode=ro" if self._mark is None else "mode=ro&immutable=1"
        name = quote(os.fsencode(self._path.resolve()))
        db = sqlite3.connect(f"file:{name}?{mode}", uri=True, isolation_level=None, check_same_thread=False)
        db.set_progress_handler(lambda: self._monotonic() > self._deadline, STEPS_BETWEEN_LOOKS)
        db.execute("PRAGMA trusted_schema = OFF")
        return db

    def _touched(self) -> bool:
        """Whether somebody may have written to a file that we took for immutable."""
        if self._mark is None:
            return False
        return _log(self._path).exists() or _mark(self._path) != self._mark

    def _log_went(self) -> bool:
        """Whether the log was closed between our looking for it and our opening it."""
        return self._mark is None and self._path.exists() and not _log(self._path).exists()

    def _told(self, error: Exception) -> Exception:
        if not isinstance(error, sqlite3.Error | OSError):
            return error
        if isinstance(error, OSError):
            return StoreError(f"cannot read the store {self._path}: {error.strerror}")
        match getattr(error, "sqlite_errorcode", 0) & 0xFF:
            case sqlite3.SQLITE_NOTADB | sqlite3.SQLITE_CORRUPT:
                return Damaged(f"cannot read the store {self._path}: SQLite found it damaged ({error})")
            case sqlite3.SQLITE_CANTOPEN | sqlite3.SQLITE_PERM | sqlite3.SQLITE_AUTH:
                return StoreError(
                    f"cannot open the store {self._path} as this user ({error});"
                    " read it as the user of the watch, or as a member of the file's group"
                )
            case sqlite3.SQLITE_INTERRUPT:
                return StoreError(
                    f"cannot read the store {self._path}: one look took longer than {TRANSACTION_MAX_S:g} s"
                )
        return StoreError(f"cannot read the store {self._path}: {error}")


def _log(path: Path) -> Path:
    """Where SQLite keeps the write-ahead log: beside the file itself, not beside a link to it."""
    real = path.resolve()
    return real.with_name(real.name + "-wal")


def _mark(path: Path) -> tuple[int, ...] | None:
    """What changes when a file is written or replaced; None when there is no file."""
    try:
        found = path.stat()
    except FileNotFoundError:
        return None
    return found.st_dev, found.st_ino, found.st_size, found.st_mtime_ns, found.st_ctime_ns


def _absent(path: Path) -> Absent:
    return Absent(f"there is no store yet at {path}; start `hostwatch run`")


def _check_version(db: sqlite3.Connection, path: Path) -> None:
    found, known = migrations.version(db), migrations.newest()
    if found == 0:
        raise _absent(path)
    if found != known:
        raise WrongVersion(found, known)


def _as_of(db: sqlite3.Connection) -> AsOf:
    (seq,) = db.execute("SELECT coalesce(max(seq), 0) FROM facts").fetchone()
    (alive_at,) = db.execute("SELECT alive_at FROM watch").fetchone()
    return AsOf(seq=seq, alive_at=rows.when(alive_at))


def _facts(
    kinds: Collection[type[facts.Fact]] | None,
    span: tuple[int, int],
    since: datetime | None,
    db: sqlite3.Connection,
) -> list[tuple[str, str]]:
    """Kind and body of the entries after `span[0]`, up to `span[1]`. They are found by their number."""
    query, values = "SELECT kind, body FROM facts WHERE seq > ? AND seq <= ?", [*span]
    wanted = [] if kinds is None else [kind.__name__ for kind in kinds]
    if kinds is not None:
        query += f" AND +kind IN ({', '.join('?' * len(wanted))})"
    if since is not None:
        query += f" AND happened_at >= {rows.us(since):d}"
    return db.execute(f"{query} ORDER BY seq", (*values, *wanted)).fetchall()

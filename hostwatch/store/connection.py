"""The one writing connection: how it is opened, what a transaction is, and what SQLite's failures mean."""

from __future__ import annotations

import os
import sqlite3
from pathlib import Path

from hostwatch.store.errors import Damaged, StoreError

DAMAGED = {sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB}
FULL = {sqlite3.SQLITE_FULL}
BUSY = {sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED}

PRAGMAS = ("journal_mode = WAL", "synchronous = FULL", "foreign_keys = ON", "trusted_schema = OFF")


def connect(path: Path | None) -> sqlite3.Connection:
    """The one writing connection to a store; None is a store in memory, for simulations.

    Raises `Damaged` when the file is no store.
    """
    if path is not None:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600))
    connection = sqlite3.connect(
        ":memory:" if path is None else path, isolation_level=None, check_same_thread=False, timeout=5.0
    )
    try:
        for pragma in PRAGMAS:
            connection.execute(f"PRAGMA {pragma}")
    except sqlite3.Error as error:
        connection.close()
        raise unusable(error) from error
    return connection


class transaction:  # noqa: N801 - reads like a statement
    """`BEGIN IMMEDIATE` … `COMMIT`, or `ROLLBACK` on any exception."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._db = connection

    def __enter__(self) -> None:
        self._db.execute("BEGIN IMMEDIATE")

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        if kind is None:
            try:
                self._db.execute("COMMIT")
                return
            except sqlite3.Error:
                self._undo()
                raise
        self._undo()

    def _undo(self) -> None:
        if self._db.in_transaction:
            self._db.execute("ROLLBACK")


def unusable(error: sqlite3.Error) -> StoreError:
    """What a failure on opening means."""
    if _code(error) in DAMAGED:
        return Damaged(damage(error))
    return failure(error)


def damage(found: object) -> str:
    """What is said of a file that is not what was written."""
    words = " ".join(str(found).split())  # SQLite's own words may go over several lines
    return f"cannot use the store: SQLite found it damaged ({words}); restore a backup"


def _code(error: sqlite3.Error) -> int:
    return int(getattr(error, "sqlite_errorcode", 0)) & 0xFF


def failure(error: sqlite3.Error) -> StoreError:
    """What a failure of a statement means: only what is not `Damaged` may be tried again."""
    code = _code(error)
    if code in FULL:
        return StoreError(f"cannot write to the store: the disk is full ({error})")
    if code in BUSY:
        return StoreError(f"cannot write to the store: another program holds it ({error})")
    return Damaged(f"cannot write to the store: {error}")

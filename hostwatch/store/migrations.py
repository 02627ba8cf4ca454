"""Schema migrations: numbered SQL files, applied once each, in one transaction each.

Only the watch migrates, under its lease, before anybody reads. A store of another version is
refused with words that say which side is older.
"""

from __future__ import annotations

import hashlib
import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass
from importlib import resources
from typing import Final

from hostwatch.store.errors import WrongVersion

AIDS: Final = {
    "0006_proof.sql": ("CREATE INDEX aid ON notices (duty)", "DROP INDEX aid"),
}
"""What is put up before a step and taken down after it, by the step's name.

A step that was applied anywhere is never edited. In this one each duty would look through all notices: a
store of some years would take hours to start.
"""


@dataclass(frozen=True, slots=True)
class Migration:
    """One numbered step of the schema."""

    version: int
    name: str
    sql: str

    @property
    def checksum(self) -> str:
        """What tells an edited migration from the one that was applied."""
        return hashlib.sha256(self.sql.encode()).hexdigest()


def all_migrations() -> tuple[Migration, ...]:
    """The migrations of this version of hostwatch, in order."""
    folder = resources.files("hostwatch.store") / "schema" / "sqlite"
    files = sorted((file for file in folder.iterdir() if file.name.endswith(".sql")), key=lambda f: f.name)
    return tuple(
        Migration(int(file.name.split("_")[0]), file.name, file.read_text(encoding="utf-8")) for file in files
    )


def newest() -> int:
    """The schema version that this version of hostwatch reads and writes."""
    return all_migrations()[-1].version


def version(connection: sqlite3.Connection) -> int:
    """The schema version of a store; 0 when it is empty."""
    return int(connection.execute("PRAGMA user_version").fetchone()[0])


def migrate(connection: sqlite3.Connection, steps: tuple[Migration, ...] | None = None) -> tuple[str, ...]:
    """Bring a store to the newest version; the names of the migrations applied.

    Raises `WrongVersion` when the store is newer than we are, or when a migration that it went
    through is not the one that we know. A step that fails leaves the version before it.
    """
    steps = all_migrations() if steps is None else steps
    present = version(connection)
    if present > steps[-1].version:
        raise WrongVersion(present, steps[-1].version)
    _verify(connection, steps, present)
    applied = []
    for step in steps:
        if step.version > present:
            _apply(connection, step)
            applied.append(step.name)
    return tuple(applied)


def _verify(connection: sqlite3.Connection, steps: tuple[Migration, ...], present: int) -> None:
    if present == 0:
        return
    known = dict(connection.execute("SELECT version, checksum FROM migrations"))
    for step in steps:
        if step.version <= present and known.get(step.version) != step.checksum:
            raise WrongVersion(
                present, steps[-1].version, f"its migration {step.name} is not the one we know"
            )


def _apply(connection: sqlite3.Connection, step: Migration) -> None:
    connection.execute("BEGIN IMMEDIATE")
    try:
        connection.execute(
            "CREATE TABLE IF NOT EXISTS migrations"
            " (version INTEGER PRIMARY KEY, name TEXT NOT NULL, checksum TEXT NOT NULL) STRICT"
        )
        up, down = AIDS.get(step.name, ("", ""))
        for statement in (up, *_statements(step.sql), down):
            connection.execute(statement)
        connection.execute(
            "INSERT INTO migrations VALUES (?, ?, ?)", (step.version, step.name, step.checksum)
        )
        connection.execute(f"PRAGMA user_version = {step.version:d}")
        connection.execute("COMMIT")
    except BaseException:
        if connection.in_transaction:  # SQLite has rolled back by itself when the disk was full
            connection.execute("ROLLBACK")
        raise


def _statements(sql: str) -> Iterator[str]:
    pending = ""
    for line in sql.splitlines(keepends=True):
        pending += line
        if sqlite3.complete_statement(pending):
            yield pending
            pending = ""
    if pending.strip():
        yield pending  # an unfinished statement is an error, not something to leave out

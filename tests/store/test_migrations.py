"""Migrations: interrupted at any statement, met by an older or a newer hostwatch, or edited."""

from __future__ import annotations

import os
import signal
import sqlite3
from pathlib import Path
from typing import Any

import pytest

from hostwatch.store import ledger, migrations
from hostwatch.store.connection import connect
from hostwatch.store.errors import Damaged, WrongVersion
from hostwatch.store.migrations import Migration

SECOND = Migration(
    2, "0002_second.sql", "CREATE TABLE later (x INTEGER) STRICT;\nINSERT INTO later VALUES (7);\n"
)
STEPS = (*migrations.all_migrations()[:1], SECOND)


class Interrupted(Exception):
    """Something went wrong in the middle."""


class Fragile(sqlite3.Connection):
    """Calls `hook` before each statement, with its number."""

    count = 0
    hook: Any = staticmethod(lambda number: None)

    def execute(self, *arguments: Any) -> sqlite3.Cursor:
        self.count += 1
        self.hook(self.count)
        return super().execute(*arguments)


def fragile(path: Path, hook: Any) -> Fragile:
    connection = sqlite3.connect(path, isolation_level=None, factory=Fragile)
    connection.execute("PRAGMA journal_mode = WAL")
    connection.count, connection.hook = 0, hook
    return connection


def shape(connection: sqlite3.Connection) -> list[Any]:
    """All that a schema consists of, and what was noted about it."""
    tables = connection.execute("SELECT type, name, sql FROM sqlite_schema ORDER BY 1, 2").fetchall()
    return [migrations.version(connection), tables]


def wanted(folder: Path, steps: tuple[Migration, ...]) -> list[Any]:
    connection = sqlite3.connect(folder / "whole.db", isolation_level=None)
    migrations.migrate(connection, steps)
    return shape(connection)


def statements(folder: Path) -> int:
    """How many statements the whole migration takes."""
    connection = fragile(folder / "counted.db", lambda number: None)
    migrations.migrate(connection, STEPS)
    connection.close()
    return connection.count


def test_an_empty_store_is_brought_to_the_newest_version(tmp_path: Path) -> None:
    connection = sqlite3.connect(tmp_path / "hostwatch.db", isolation_level=None)
    assert migrations.migrate(connection) == tuple(step.name for step in migrations.all_migrations())
    assert migrations.version(connection) == migrations.newest()
    assert migrations.migrate(connection) == ()


def test_the_files_are_numbered_from_one_without_a_gap() -> None:
    found = [step.version for step in migrations.all_migrations()]
    assert found == list(range(1, len(found) + 1))


def test_a_failure_at_any_statement_leaves_the_version_before(tmp_path: Path) -> None:
    between = wanted(tmp_path, STEPS[:1])
    for number in range(1, statements(tmp_path) + 1):
        path = tmp_path / f"{number}.db"
        connection = fragile(path, lambda at, wanted=number: _fail(at, wanted))
        with pytest.raises(Interrupted):
            migrations.migrate(connection, STEPS)
        assert shape(connection) in ([0, []], between), f"half a migration stands after statement {number}"
        assert migrations.migrate(connection, STEPS)[-1] == SECOND.name
        assert connection.execute("SELECT x FROM later").fetchall() == [(7,)]
        connection.close()


def _fail(at: int, number: int) -> None:
    if at == number:
        raise Interrupted


def test_a_kill_at_any_statement_is_gone_on_from(tmp_path: Path) -> None:
    between = wanted(tmp_path, STEPS[:1])
    for number in range(1, statements(tmp_path) + 1):
        path = tmp_path / f"{number}.db"
        child = os.fork()
        if child == 0:  # the child never returns: it is killed before the statement
            migrations.migrate(fragile(path, lambda at, wanted=number: _die(at, wanted)), STEPS)
            os._exit(1)
        assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == -signal.SIGKILL
        connection = sqlite3.connect(path, isolation_level=None)
        assert shape(connection) in ([0, []], between), f"half a migration stands after statement {number}"
        assert migrations.migrate(connection, STEPS)[-1] == SECOND.name
        assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        connection.close()


def _die(at: int, number: int) -> None:
    if at == number:
        os.kill(os.getpid(), signal.SIGKILL)


def test_a_newer_store_is_refused_and_left_as_it_is(tmp_path: Path) -> None:
    connection = connect(tmp_path / "hostwatch.db")
    migrations.migrate(connection, STEPS)
    before = shape(connection)
    with pytest.raises(WrongVersion, match=r"version is 2, this hostwatch knows 1 \(the store is newer\)"):
        migrations.migrate(connection, STEPS[:1])
    assert shape(connection) == before


def test_an_edited_migration_is_refused(tmp_path: Path) -> None:
    connection = connect(tmp_path / "hostwatch.db")
    migrations.migrate(connection)
    first = migrations.all_migrations()[0]
    edited = Migration(first.version, first.name, first.sql + "-- a harmless comment\n")
    with pytest.raises(WrongVersion, match=r"0001_first\.sql is not the one we know"):
        migrations.migrate(connection, (edited, *migrations.all_migrations()[1:]))


def test_an_unfinished_statement_is_an_error_not_left_out(tmp_path: Path) -> None:
    connection = connect(tmp_path / "hostwatch.db")
    unfinished = Migration(1, "0001_broken.sql", "CREATE TABLE a (x);\nCREATE TABLE b (\n")
    with pytest.raises(sqlite3.OperationalError):
        migrations.migrate(connection, (unfinished,))
    assert shape(connection) == [0, []]


def test_the_store_of_another_program_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "hostwatch.db"
    other = sqlite3.connect(path, isolation_level=None)
    other.execute("CREATE TABLE facts (something TEXT)")
    other.close()
    with pytest.raises(Damaged, match="table facts already exists"):
        ledger.Ledger(connect(path), "boot").open()


def test_a_store_of_many_notices_is_brought_on_without_looking_through_all_of_them_for_each(
    tmp_path: Path,
) -> None:
    """Counted in thousands of steps of SQLite's machine: they grow as the notices do, not as their square."""
    steps = [_thousands(tmp_path / f"{count}.db", count) for count in (200, 1_600)]

    assert steps[1] < 12 * steps[0]


def _thousands(path: Path, count: int) -> int:
    connection = sqlite3.connect(path, isolation_level=None)
    migrations.migrate(connection, migrations.all_migrations()[:5])
    names = [f"E-{number:06}.emergency.acme.duty" for number in range(count)]
    connection.execute("BEGIN")
    connection.executemany(
        "INSERT INTO duties VALUES (?, 'E-1',  'duty', 1, 1, NULL, NULL)", ((name,) for name in names)
    )
    connection.executemany(
        "INSERT INTO notices VALUES (?, 'emergency', 'acme', 'duty', 1, ?, NULL, 'accepted', 1, 0, '[]')",
        zip(names, names, strict=True),
    )
    connection.execute("COMMIT")
    done: list[int] = []
    connection.set_progress_handler(lambda: done.append(1), 1_000)
    migrations.migrate(connection)
    assert connection.execute("SELECT DISTINCT customer FROM duties").fetchall() == [("acme",)]
    return len(done)

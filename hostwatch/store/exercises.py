"""Exercises in rows, and of which of them notices tell."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable

from hostwatch.core import canonical
from hostwatch.core.emergency import Notice
from hostwatch.core.exercise import KIND, PREFIX, Asked, Exercise
from hostwatch.core.world import Decision
from hostwatch.store import rows

_OPEN = "SELECT reference FROM exercises WHERE ended_at IS NULL"
KEPT = f"id IN (SELECT notice FROM notice_exercises WHERE exercise IN ({_OPEN}))"
"""The notices of those that are under way."""


def write(db: sqlite3.Connection, decision: Decision) -> None:
    """What a decision says of them, before its notices."""
    for one in decision.exercises:
        db.execute(
            "INSERT INTO exercises VALUES (?, ?, ?, ?, ?, ?, ?) ON CONFLICT (reference) DO UPDATE SET"
            " opened_at = excluded.opened_at, due = excluded.due, ended_at = excluded.ended_at",
            (
                one.reference,
                rows.us(one.opened_at),
                rows.us(one.due),
                rows.us(one.ended_at),
                one.actor,
                rows.text(one.people),
                one.by,
            ),
        )


def write_notice(db: sqlite3.Connection, notice: Notice) -> bool:
    """Of which exercise it tells; whether it tells of one."""
    if notice.kind != KIND:
        return False
    db.executemany(
        "INSERT OR IGNORE INTO notice_exercises VALUES (?, ?)",
        [(notice.id, name) for name in notice.emergencies],
    )
    return True


def is_one(reference: str) -> bool:
    """Whether a reference is that of an exercise."""
    return reference.startswith(PREFIX)


def of_notice(db: sqlite3.Connection, notice: str) -> list[str]:
    """Of which exercises a notice tells."""
    query = "SELECT exercise FROM notice_exercises WHERE notice = ?"
    return [name for (name,) in db.execute(query, (notice,))]


def under_way(db: sqlite3.Connection) -> list[Exercise]:
    """Those that have not ended."""
    return [_exercise(row) for row in db.execute("SELECT * FROM exercises WHERE ended_at IS NULL")]


def count(db: sqlite3.Connection) -> int:
    """How many there ever were."""
    return int(db.execute("SELECT count(*) FROM exercises").fetchone()[0])


def every(db: sqlite3.Connection, limit: int) -> list[Exercise]:
    """The latest, the latest first."""
    query = "SELECT * FROM exercises ORDER BY reference DESC LIMIT ?"
    return [_exercise(row) for row in db.execute(query, (limit,))]


def _exercise(row: rows.Row) -> Exercise:
    reference, opened_at, due, ended_at, actor, people, by = row
    asked: Iterable[Asked] = (canonical.restore(Asked, one) for one in json.loads(people))
    return Exercise(
        reference=reference,
        opened_at=rows.at(opened_at),
        due=rows.at(due),
        actor=actor,
        people=tuple(asked),
        by=by,
        ended_at=rows.when(ended_at),
    )

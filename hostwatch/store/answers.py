"""What people said in rows: who has which emergency, and who took which call."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable

from hostwatch.core import canonical
from hostwatch.core.acknowledgement import Acknowledgement
from hostwatch.core.calls import Call
from hostwatch.core.emergency import Emergency, Notice
from hostwatch.core.world import Decision
from hostwatch.store import exercises, rows

Acknowledged = dict[str, tuple[Acknowledgement, ...]]
Calls = dict[str, tuple[Call, ...]]


def write(db: sqlite3.Connection, decision: Decision) -> None:
    """What a decision says of it, in the transaction of all that it says."""
    for reference, known in decision.acknowledged.items():
        table = _table(reference)
        db.execute(f"DELETE FROM {table} WHERE reference = ?", (reference,))
        if known:
            db.execute(f"INSERT INTO {table} VALUES (?, ?)", (reference, rows.text(known)))
    for notice, taken in decision.calls.items():
        db.execute("DELETE FROM calls WHERE notice = ?", (notice,))
        if taken:
            db.execute("INSERT INTO calls VALUES (?, ?)", (notice, rows.text(taken)))


def _table(reference: str) -> str:
    return "exercises_acknowledged" if exercises.is_one(reference) else "acknowledged"


def acknowledged(
    db: sqlite3.Connection, emergencies: Iterable[Emergency], notices: Iterable[Notice]
) -> Acknowledged:
    """Who has these emergencies, and those of which these notices tell."""
    wanted = {one.reference for one in emergencies}
    wanted |= {reference for notice in notices for reference in notice.emergencies}
    found: Acknowledged = {}
    for reference in sorted(wanted):
        query = f"SELECT body FROM {_table(reference)} WHERE reference = ?"
        row = db.execute(query, (reference,)).fetchone()
        if row is not None:
            found[reference] = tuple(canonical.restore(Acknowledgement, one) for one in json.loads(row[0]))
    return found


def calls(db: sqlite3.Connection, notices: Iterable[Notice]) -> Calls:
    """The calls that somebody took of these notices."""
    wanted = {notice.id for notice in notices if notice.attempts}
    return {
        notice: tuple(canonical.restore(Call, one) for one in json.loads(body))
        for notice, body in db.execute("SELECT * FROM calls ORDER BY notice")
        if notice in wanted
    }

"""The traffic of ports in the store: written figure by figure, read as whole days, erased when it is old."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from functools import partial

from hostwatch.core import instant
from hostwatch.core.traffic import BYTES, DAY_STEPS, NOTHING
from hostwatch.core.world import Decision
from hostwatch.store import rows
from hostwatch.store.present import Transact

DAYS_AT_ONCE = 2
"""Days of all ports that one transaction of a reader takes."""


def write(db: sqlite3.Connection, decision: Decision) -> None:
    """What a decision says of traffic, inside its transaction."""
    for name, one in decision.counted.items():
        db.execute("DELETE FROM counted WHERE source = ?", (name,))
        if one is not None:
            db.execute("INSERT INTO counted VALUES (?, ?, ?)", (name, instant.micros(one.at), one.text))
    by_row: dict[tuple[int, str], dict[int, bytes]] = {}
    for figure in decision.traffic:
        by_row.setdefault((figure.day, figure.port), {})[figure.place] = figure.code
    for key, codes in by_row.items():
        found = db.execute("SELECT figures FROM traffic WHERE day = ? AND port = ?", key).fetchone()
        row = bytearray(NOTHING * DAY_STEPS if found is None else found[0])
        for place, code in codes.items():
            row[place * BYTES : (place + 1) * BYTES] = code
        db.execute("INSERT OR REPLACE INTO traffic VALUES (?, ?, ?)", (*key, bytes(row)))
    if decision.traffic_before is not None:
        db.execute("DELETE FROM traffic WHERE day < ?", (decision.traffic_before,))


def days(read: Transact, since: int, until: int) -> Iterator[rows.Row]:
    """The rows of the days from `since` to before `until`: day, port and figures, in short transactions."""
    for first in range(since, until, DAYS_AT_ONCE):
        yield from read(partial(_days, first, min(first + DAYS_AT_ONCE, until)))


def _days(since: int, until: int, db: sqlite3.Connection) -> list[rows.Row]:
    query = "SELECT day, port, figures FROM traffic WHERE day >= ? AND day < ? ORDER BY day, port"
    return db.execute(query, (since, until)).fetchall()

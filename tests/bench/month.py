"""What a month of evidence takes in the store: the slices of some minutes, repeated, in a file apart."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

LAPS = 30 * 86_400 // 300
"""Of 5 minutes, in a month."""

LAPS_MIN = 12
WRITTEN_MAX_BYTES = 64 * 2**20
"""So much is written at most, but an hour at least; what a month takes is reckoned from that."""
LATENCIES = "latencies"
NOBODY = {"missed": "[]", "unknown": "[]"}


class NoSlices(Exception):
    """The store has no closed slices to repeat."""


def of(store: Path, scratch: Path, *, healthy: bool) -> int:
    """How many bytes the slices of a month take, made of those of the last 5 minutes that are in a store.

    `healthy` leaves out who missed or is unknown, and the latencies, as if every device had answered
    in every slice: what is left is what it takes to have looked.
    """
    with closing(sqlite3.connect(f"file:{store}?mode=ro", uri=True)) as db:
        columns = [str(row[1]) for row in db.execute("PRAGMA table_info(slices)")]
        (made,) = db.execute("SELECT sql FROM sqlite_master WHERE name = 'slices'").fetchone()
        closed = "closed_at IS NOT NULL ORDER BY closed_at DESC LIMIT 1"
        last = db.execute(f"SELECT closed_at FROM slices WHERE {closed}").fetchone()
        if last is None:
            raise NoSlices(f"there are no closed slices in {store}")
        recent = "SELECT * FROM slices WHERE closed_at > ? ORDER BY version, number"
        rows = [dict(zip(columns, row, strict=True)) for row in db.execute(recent, (last[0] - 300_000_000,))]
    for row in rows if healthy else ():
        row |= NOBODY | ({LATENCIES: b""} if LATENCIES in columns else {})
    return _written(made, columns, rows, scratch)


def _written(made: str, columns: list[str], rows: list[dict[str, Any]], scratch: Path) -> int:
    lap_bytes = sum(len(value) for row in rows for value in row.values() if isinstance(value, str | bytes))
    laps = max(LAPS_MIN, min(LAPS, WRITTEN_MAX_BYTES // max(1, lap_bytes)))
    apart = rows[-1]["number"] - rows[0]["number"] + 1
    scratch.unlink(missing_ok=True)
    with closing(sqlite3.connect(scratch)) as db:
        db.execute("PRAGMA synchronous = OFF")
        db.execute(made)
        marks = ", ".join("?" for _ in columns)
        db.executemany(
            f"INSERT INTO slices VALUES ({marks})",
            (
                tuple(_moved(row, lap, apart)[column] for column in columns)
                for lap in range(laps)
                for row in rows
            ),
        )
        db.commit()
    size = scratch.stat().st_size
    scratch.unlink()
    return size * LAPS // laps


def _moved(row: dict[str, Any], lap: int, apart: int) -> dict[str, Any]:
    return row | {"number": row["number"] + lap * apart, "closed_at": row["closed_at"] + lap * 300_000_000}

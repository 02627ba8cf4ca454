"""The record as a reader beside the watch sees it, and as it must be: gapless, hashed, only growing."""

from __future__ import annotations

import asyncio
import hashlib
import json
import sqlite3
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

POLL_S = 0.02
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
Row = tuple[int, str, int, int, str, str, bytes]


def look(path: Path, query: str, *values: object) -> list[Any]:
    """Read something from a store beside a writer, dead or alive; nothing when there is no store yet."""
    if not path.exists() or not path.with_name(path.name + "-wal").exists():
        return []
    db = sqlite3.connect(f"file:{path}?mode=ro", uri=True)
    try:
        return db.execute(query, values).fetchall()
    except sqlite3.OperationalError:
        return []  # it is being made or closed this very moment
    finally:
        db.close()


async def until(true: Callable[[], bool]) -> None:
    """Wait until something that another process does is true: nobody can wake us, so we look."""
    while True:
        if true():
            return
        await asyncio.sleep(POLL_S)


class Follower:
    """Reads the facts as they come, and keeps them to compare with later."""

    def __init__(self, path: Path) -> None:
        self.rows: list[Row] = []
        self._path = path

    def read(self) -> None:
        """Read what is new."""
        self.rows += look(self._path, "SELECT * FROM facts WHERE seq > ? ORDER BY seq", len(self.rows))

    async def until(self, enough: Callable[[Follower], bool]) -> None:
        """Wait until the facts are enough."""

        def read_enough() -> bool:
            self.read()
            return enough(self)

        await until(read_enough)

    def bodies(self, kind: str) -> Iterator[dict[str, Any]]:
        """The facts of one kind."""
        return (json.loads(row[5]) for row in self.rows if row[1] == kind)

    def named(self, kind: str, key: str) -> set[str]:
        """What stands in one field of the facts of one kind."""
        return {body[key] for body in self.bodies(kind)}


def leaf(row: Row) -> bytes:
    """The hash of an entry, worked out anew from the description in the documentation."""
    seq, kind, _, recorded_us, boot_id, body, _ = row
    recorded = (EPOCH + timedelta(microseconds=recorded_us)).isoformat(timespec="microseconds")
    entry = {
        "seq": seq,
        "kind": kind,
        "recorded_at": recorded.replace("+00:00", "Z"),
        "boot_id": boot_id,
        "body": json.loads(body),
    }
    text = json.dumps(entry, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return hashlib.sha256(b"\x00" + text.encode()).digest()


def faults_of(rows: list[Row], seen: list[Row]) -> Iterator[str]:
    """What is wrong with a record of which somebody has seen the beginning."""
    if [row[0] for row in rows] != [*range(1, len(rows) + 1)]:
        yield "the facts have gaps"
    if rows[: len(seen)] != seen:
        yield f"facts that were seen have changed or gone ({len(seen)} seen, {len(rows)} there)"
    for row in rows:
        if leaf(row) != row[6]:
            yield f"the leaf of fact {row[0]} is wrong"

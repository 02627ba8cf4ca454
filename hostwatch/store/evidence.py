"""Reading the evidence of the slices: what is new since a reader looked last, and what one signal brought."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from hostwatch.core import latency
from hostwatch.core.schedule import Schedule, Turn
from hostwatch.core.signal import Signal
from hostwatch.core.world import World
from hostwatch.store import present, rows

SLICES_BACK = 720
"""How many slices a reader looks back for one that closed late: no more may be in flight."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Mark:
    """How far a reader has come. A new one has seen nothing."""

    inventory: tuple[int, int] | None = None
    """The last fact about the population, and the version of the schedule."""

    schedule: Schedule = field(default_factory=lambda: Schedule(0, ()))
    seen: frozenset[int] = frozenset()
    """The closed slices of that version, as far back as any may still close."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Closed:
    """A closed slice."""

    turns: Sequence[Turn]
    codes: Sequence[int]
    """In the order of the turns; empty if there are none."""

    silent: frozenset[str]
    """Who missed, or is unknown."""


@dataclass(frozen=True, slots=True, kw_only=True)
class News:
    """What a reader did not know yet, of one moment."""

    mark: Mark
    world: World | None
    """Everything, if the population or the schedule changed."""

    closed: tuple[Closed, ...]
    """Slices, the earliest first."""

    restless: tuple[Signal, ...]
    """All signals of which there is more to say than that they answered when they were due."""


def news(db: sqlite3.Connection, mark: Mark) -> News:
    """What is new since `mark`."""
    inventory = _inventory(db)
    world = None if inventory == mark.inventory else present.load_world(db)
    if world is not None:
        mark = Mark(inventory=inventory, schedule=world.schedule)
    seen, closed = _closed(db, mark)
    restless = tuple(rows.signal(row) for row in db.execute("SELECT * FROM signals"))
    after = Mark(inventory=mark.inventory, schedule=mark.schedule, seen=seen)
    return News(mark=after, world=world, closed=tuple(closed), restless=restless)


def _inventory(db: sqlite3.Connection) -> tuple[int, int]:
    (changed,) = db.execute("SELECT max(seq) FROM facts WHERE kind = 'PopulationChanged'").fetchone()
    (version,) = db.execute("SELECT max(version) FROM schedules").fetchone()
    return changed or 0, version or 0


def _closed(db: sqlite3.Connection, mark: Mark) -> tuple[frozenset[int], Iterator[Closed]]:
    """The numbers of the slices that are closed, and those of them that were not seen."""
    schedule = mark.schedule
    query = "SELECT max(number) FROM slices WHERE version = ?"
    (newest,) = db.execute(query, (schedule.version,)).fetchone()
    first = 0 if newest is None else newest - SLICES_BACK
    found = db.execute(
        "SELECT number FROM slices WHERE version = ? AND number >= ? AND closed_at IS NOT NULL",
        (schedule.version, first),
    )
    numbers = frozenset(number for (number,) in found)
    return numbers, (_slice(db, schedule, number) for number in sorted(numbers - mark.seen))


def _slice(db: sqlite3.Connection, schedule: Schedule, number: int) -> Closed:
    missed, unknown, codes = db.execute(
        "SELECT missed, unknown, latencies FROM slices WHERE version = ? AND number = ?",
        (schedule.version, number),
    ).fetchone()
    return Closed(
        turns=schedule.turns(number),
        codes=latency.unpack(codes),
        silent=frozenset(entry[0] for text in (missed, unknown) for entry in json.loads(text)),
    )

"""Reading the evidence of the slices: what is new of all devices since a reader looked last.

Each transaction only fetches; what is fetched is understood outside, for a reader that holds a
transaction for long keeps the log of the writer from being shortened.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any

from hostwatch.core import latency
from hostwatch.core.schedule import Schedule, Target, Turn
from hostwatch.core.signal import Signal
from hostwatch.core.uplink import named
from hostwatch.store import present, rows
from hostwatch.store.present import Transact

Rows = list[tuple[Any, ...]]

SLICES_BACK = 720
"""How many slices a reader looks back: an hour, and no more may be in flight."""

SLICES_AT_ONCE = 60
"""How many slices one transaction reads."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Mark:
    """How far a reader has come. A new one has seen nothing."""

    inventory: tuple[int, ...] = ()
    """The last fact about the population, and the version of the schedule."""

    schedule: Schedule = field(default_factory=lambda: Schedule(0, ()))
    seen: frozenset[tuple[int, int]] = frozenset()
    """The closed slices, as far back as any may still close: version and number."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Watched:
    """A device that is watched."""

    customer: str
    device: str
    target: Target


@dataclass(frozen=True, slots=True, kw_only=True)
class Closed:
    """A closed slice. Who did not answer in it has more to say, and is among the restless."""

    turns: Sequence[Turn]
    codes: Sequence[int]
    """In the order of the turns; empty if that order is another version's."""


@dataclass(frozen=True, slots=True, kw_only=True)
class News:
    """What a reader did not know yet."""

    mark: Mark
    devices: tuple[Watched, ...] | None
    """All that are watched, if the population or the schedule changed."""

    closed: tuple[Closed, ...]
    """Slices, the earliest first."""

    restless: tuple[Signal, ...]
    """All signals of which there is more to say than that they answered when they were due."""


def news(read: Transact, mark: Mark) -> News:
    """What is new since `mark`."""
    (inventory,) = read(lambda db: [present.mark(db)])
    devices = None
    if inventory != mark.inventory:
        schedule, devices = _devices(read)
        mark = replace(mark, inventory=inventory, schedule=schedule)
    closed: list[Closed] = []
    while True:
        ((numbers, slices, signals),) = read(partial(_look, mark.schedule.slice_us, mark.seen))
        closed += _closed(mark.schedule, slices)
        seen = mark.seen & numbers | {(version, number) for version, number, *_ in slices}
        mark = replace(mark, seen=seen)
        if seen == numbers:
            break
    restless = tuple(rows.signal(row) for row in signals)
    return News(mark=mark, devices=devices, closed=tuple(closed), restless=restless)


def _devices(read: Transact) -> tuple[Schedule, tuple[Watched, ...]]:
    version, targets = 0, dict[str, Target]()
    for version, targets in history(read):  # noqa: B007
        pass
    customers: dict[str, str] = dict(read(_customers))
    found = (
        Watched(customer=customers[device], device=device, target=target)
        for signal, target in targets.items()
        if named(signal) is None and (device := signal.partition("/")[0]) in customers
    )
    return Schedule(version, targets.values()), tuple(found)


def _customers(db: sqlite3.Connection) -> Rows:
    query = "SELECT name, customer FROM population WHERE thing = 'device' AND valid_until IS NULL"
    return db.execute(query).fetchall()


def history(read: Transact) -> Iterator[tuple[int, dict[str, Target]]]:
    """Each version of the schedule with all its targets by signal, the earliest first."""
    targets: dict[str, Target] = {}
    for version, whole in read(lambda db: db.execute(_VERSIONS).fetchall()):
        targets = {} if whole else dict(targets)
        for added, *row in _changes(read, version):
            if added:
                targets[row[0]] = rows.target(tuple(row))
            else:
                targets.pop(row[0], None)
        yield version, targets


_VERSIONS = "SELECT version, whole FROM schedules ORDER BY version"


def _changes(read: Transact, version: int) -> Iterator[tuple[Any, ...]]:
    query = (
        "SELECT added, signal, address, interval_us, method, phased_by FROM schedule_targets"
        " WHERE version = ? AND (added, signal) > (?, ?) ORDER BY added, signal LIMIT ?"
    )
    return present.paged(read, query, [version, -1, ""], lambda row: [version, *row[:2]])


def _look(slice_us: int, seen: frozenset[tuple[int, int]], db: sqlite3.Connection) -> Rows:
    """One moment: which slices are closed, some that were not seen, and who is not at rest."""
    starts = _closed_since(slice_us, db)
    unseen = sorted((start, key) for key, start in starts.items() if key not in seen)
    query = (
        "SELECT version, number, slice_us, latencies"
        " FROM slices JOIN schedules USING (version) WHERE version = ? AND number = ?"
    )
    slices = [db.execute(query, key).fetchone() for _, key in unseen[:SLICES_AT_ONCE]]
    return [(frozenset(starts), slices, db.execute("SELECT * FROM signals").fetchall())]


def _closed_since(slice_us: int, db: sqlite3.Connection) -> dict[tuple[int, int], int]:
    """The closed slices of the last hour, and when each began."""
    lengths = db.execute("SELECT version, slice_us FROM schedules").fetchall()
    newest = "SELECT max(number) FROM slices WHERE version = ?"
    last = [(db.execute(newest, (version,)).fetchone()[0], length) for version, length in lengths]
    since = max((number * length for number, length in last if number), default=0) - SLICES_BACK * slice_us
    query = "SELECT number FROM slices WHERE version = ? AND number >= ? AND closed_at IS NOT NULL"
    return {
        (version, number): number * length
        for version, length in lengths
        for (number,) in db.execute(query, (version, since // length))
    }


def _closed(schedule: Schedule, slices: Rows) -> Iterator[Closed]:
    """Slices understood. Of another version only the outcomes are: the order of its codes is its own."""
    for version, number, length, codes in slices:
        own = version == schedule.version
        yield Closed(
            turns=schedule.turns(number) if own else schedule.between(number * length, (number + 1) * length),
            codes=latency.unpack(codes) if own else (),
        )

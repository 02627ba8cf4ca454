"""What the pings of one signal brought, read out of the evidence of the slices.

A slice keeps two bytes for each target that was due, in that order, so a ping is found by its place
among the due, which follows from the version of the schedule. The order comes again after a common
multiple of all intervals: a place need be reckoned once for each slice of that.
"""

from __future__ import annotations

import math
import sqlite3
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from itertools import islice
from typing import NamedTuple

from hostwatch.core import latency
from hostwatch.core.latency import Brought
from hostwatch.core.reading import Outcome
from hostwatch.core.schedule import Schedule, Target
from hostwatch.store import rows
from hostwatch.store.evidence import Rows, history
from hostwatch.store.present import Transact

SLICES_AT_ONCE = 500
"""How many slices one transaction reads."""


class Place(NamedTuple):
    """Where a ping stands in its slice."""

    number: int
    rank: int
    due_us: int


class Reign(NamedTuple):
    """A version of the schedule."""

    schedule: Schedule
    targets: Mapping[str, Target]


def signals(db: sqlite3.Connection, device: str) -> list[str]:
    """The signals of a device, also of one that is no longer watched."""
    query = "SELECT DISTINCT signal FROM schedule_targets WHERE substr(signal, 1, ?) = ? ORDER BY signal"
    return [name for (name,) in db.execute(query, (len(device) + 1, f"{device}/"))]


def brought(read: Transact, signal: str, since_us: int, until_us: int) -> Iterator[Brought]:
    """What each scheduled ping between two instants brought, the earliest first within a version."""
    for schedule, targets in _reigns(read, since_us, until_us):
        target = targets.get(signal)
        if target is None:
            continue
        wanted = iter(places(schedule, target, since_us, until_us))
        while some := list(islice(wanted, SLICES_AT_ONCE)):
            found = read(partial(_slices, schedule.version, some))
            yield from _pings(signal, some, found)


def _reigns(read: Transact, since_us: int, until_us: int) -> Iterator[Reign]:
    """The versions of the schedule that have slices between two instants, the earliest first."""
    wanted = {version for (version,) in read(partial(_versions, since_us, until_us))}
    before: dict[str, Target] = {}
    schedule: Schedule | None = None
    for version, targets in history(read) if wanted else ():
        if schedule is not None:
            gone = [target for name, target in before.items() if targets.get(name) != target]
            come = [target for name, target in targets.items() if before.get(name) != target]
            schedule = schedule.with_changes(version, gone, come)
        elif version in wanted:
            schedule = Schedule(version, targets.values())
        if schedule is not None and version in wanted:
            yield Reign(schedule, targets)
        if version == max(wanted):
            return
        before = targets


def _versions(since_us: int, until_us: int, db: sqlite3.Connection) -> Rows:
    query = (
        "SELECT version FROM schedules AS one WHERE EXISTS (SELECT 1 FROM slices"
        " WHERE version = one.version AND number BETWEEN ? / slice_us AND ? / slice_us)"
    )
    return db.execute(query, (since_us, until_us)).fetchall()


def places(schedule: Schedule, target: Target, since_us: int, until_us: int) -> Iterator[Place]:
    """Where the pings of a target stand that were due between two instants."""
    period = math.lcm(schedule.slice_us, *schedule.intervals_us) // schedule.slice_us
    known: dict[int, tuple[int, int]] = {}
    due_us = since_us + (target.phase_us - since_us) % target.interval_us
    while due_us < until_us:
        number = due_us // schedule.slice_us
        again = number % period
        if again not in known:
            known[again] = _found(schedule, number, target.signal)
        rank, after_us = known[again]
        yield Place(number, rank, number * schedule.slice_us + after_us)
        due_us += target.interval_us


def _found(schedule: Schedule, number: int, signal: str) -> tuple[int, int]:
    for rank, turn in enumerate(schedule.turns(number)):
        if turn.signal == signal:
            return rank, turn.at_us - number * schedule.slice_us
    raise AssertionError(f"{signal} is due in slice {number} and not among those who are")


def _slices(version: int, wanted: Sequence[Place], db: sqlite3.Connection) -> Rows:
    """Number, the code in its two bytes, both lists of each slice, and whether it is closed."""
    by_rank: dict[int, list[int]] = defaultdict(list)
    for place in wanted:
        by_rank[place.rank].append(place.number)
    found: Rows = []
    for rank, numbers in by_rank.items():
        marks = ", ".join("?" * len(numbers))
        query = (
            "SELECT number, substr(latencies, ?, ?), missed, unknown, closed_at IS NOT NULL FROM slices"
            f" WHERE version = ? AND number IN ({marks})"
        )
        values = (1 + latency.CODE_BYTES * rank, latency.CODE_BYTES, version, *numbers)
        found += db.execute(query, values)
    return found


def _pings(signal: str, wanted: Sequence[Place], found: Rows) -> Iterator[Brought]:
    by_number = {number: rest for number, *rest in found}
    for place in wanted:
        if place.number not in by_number:
            continue
        stored, missed, unknown, is_closed = by_number[place.number]
        code = int.from_bytes(stored or b"", "little")  # nothing of nothing is null
        if code:
            yield Brought(place.due_us, Outcome.ANSWERED, code)
        elif rows.names(missed, signal):
            yield Brought(place.due_us, Outcome.MISSED)
        elif rows.names(unknown, signal):
            yield Brought(place.due_us, Outcome.UNKNOWN)
        elif is_closed:  # one that a crash left open proves only its two lists
            yield Brought(place.due_us, Outcome.ANSWERED)

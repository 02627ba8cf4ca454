"""Reading the present back out of a store: the same world that was committed."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Iterator

from hostwatch.core.emergency import Attempt, Notice
from hostwatch.core.instant import EPOCH
from hostwatch.core.schedule import Schedule, Target
from hostwatch.core.world import World
from hostwatch.store import rows

OPEN = "met_at IS NULL AND released_at IS NULL"
KEPT = (
    "state = 'pending' OR id IN (SELECT notice FROM notice_emergencies JOIN emergencies"
    " ON reference = emergency WHERE ended_at IS NULL)"
)
"""The notices that the world holds: pending, or of an open emergency."""


def load_world(db: sqlite3.Connection) -> World:
    """The world as it was committed last.

    Slices that were open are not taken up again: what they had not proven is lost, and their targets
    are looked at anew.
    """
    alive_at, configuration, vantage = db.execute(
        "SELECT alive_at, configuration, vantage FROM watch"
    ).fetchone()
    (references,) = db.execute("SELECT count(*) FROM emergencies").fetchone()
    versions = db.execute(
        "SELECT thing, name, customer, state, body FROM population WHERE valid_until IS NULL"
        " ORDER BY thing, name"
    )
    population = rows.population(vantage, versions)
    schedule = load_schedule(db)
    world = World(
        population=population,
        schedule=schedule,
        configuration=configuration,
        emergencies={
            row[0]: rows.emergency(row)
            for row in db.execute("SELECT * FROM emergencies WHERE ended_at IS NULL ORDER BY reference")
        },
        duties={row[0]: rows.duty(row) for row in db.execute(f"SELECT * FROM duties WHERE {OPEN}")},
        notices={notice.id: notice for notice in _kept(db)},
        blind={why: rows.at(since) for why, since in db.execute("SELECT why, since FROM blind")},
        alive_at=rows.when(alive_at),
        references=references,
    )
    for row in db.execute("SELECT * FROM signals"):
        world.signals.put(rows.signal(row))
    for name, due_us in _at_rest(db, world):
        world.signals.rest(name, due_us)
    return world


def load_schedule(db: sqlite3.Connection) -> Schedule:
    """The newest version of the schedule: all changes, one after another."""
    targets: dict[str, Target] = {}
    last = 0
    for version, whole in db.execute("SELECT version, whole FROM schedules ORDER BY version"):
        last = version
        if whole:
            targets.clear()
        query = (
            "SELECT added, signal, address, interval_us, method, phased_by FROM schedule_targets"
            " WHERE version = ? ORDER BY added"
        )
        for added, *row in db.execute(query, (version,)):
            if added:
                targets[row[0]] = rows.target(tuple(row))
            else:
                targets.pop(row[0], None)
    return Schedule(last, targets.values())


def _at_rest(db: sqlite3.Connection, world: World) -> Iterator[tuple[str, int]]:
    """Whoever answered in the last closed slice in which it was due, and when that was.

    Of them nothing else is kept: who has more to say has a row of its own in `signals`.
    """
    schedule, told = world.schedule, set(world.signals)
    missing = len(schedule) - sum(turn.signal in told for turn in schedule.last_turns(EPOCH))
    query = (
        "SELECT number * slice_us, (number + 1) * slice_us FROM slices JOIN schedules USING (version)"
        " WHERE closed_at IS NOT NULL ORDER BY version DESC, number DESC"
    )
    for start, end in db.execute(query):
        if not missing:
            return
        for turn in schedule.between(start, end):
            if turn.signal not in told:
                told.add(turn.signal)
                missing -= 1
                yield turn.signal, turn.at_us


def _kept(db: sqlite3.Connection) -> list[Notice]:
    kept = notices(db, KEPT)
    known = {notice.id for notice in kept}
    waited_for = [n.after for n in kept if n.after is not None and n.after not in known]
    marks = ", ".join("?" * len(waited_for))
    return [*notices(db, f"id IN ({marks})", waited_for), *kept]


def notices(db: sqlite3.Connection, where: str, values: Iterable[object] = ()) -> list[Notice]:
    """The notices that meet a condition of ours, oldest first."""
    found = db.execute(f"SELECT * FROM notices WHERE {where} ORDER BY created_at, id", tuple(values))
    return [rows.notice(row, _emergencies(db, row[0]), _attempts(db, row[0])) for row in found.fetchall()]


def _emergencies(db: sqlite3.Connection, notice: str) -> list[str]:
    query = "SELECT emergency FROM notice_emergencies WHERE notice = ? ORDER BY place"
    return [name for (name,) in db.execute(query, (notice,))]


def _attempts(db: sqlite3.Connection, notice: str) -> list[Attempt]:
    query = "SELECT * FROM attempts WHERE notice = ? ORDER BY number"
    return [rows.attempt(row) for row in db.execute(query, (notice,))]

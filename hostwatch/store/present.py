"""Reading the present back out of a store: the same world that was committed."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable, Iterable, Iterator
from datetime import datetime
from functools import partial
from typing import NamedTuple

from hostwatch.core import canonical, claims, counted, instant
from hostwatch.core.bygones import SIGNALS_MAX
from hostwatch.core.cause import Statement
from hostwatch.core.claims import Claims
from hostwatch.core.counted import Counted
from hostwatch.core.customerduty import CustomerDuty
from hostwatch.core.emergency import Attempt, Duty, Emergency, Notice, NoticeState
from hostwatch.core.exercise import Exercises
from hostwatch.core.facts import Fact, SilenceEnded
from hostwatch.core.holds import Hold, Holds
from hostwatch.core.instant import EPOCH
from hostwatch.core.notices import Notices
from hostwatch.core.population import Population
from hostwatch.core.running import FACTS as RUNNING_FACTS
from hostwatch.core.running import RunningNotices
from hostwatch.core.scene import Attributed
from hostwatch.core.schedule import Schedule, Target
from hostwatch.core.terms import WITHIN_MAX
from hostwatch.core.verification import FACTS, Book
from hostwatch.core.warned import Warned
from hostwatch.core.world import Heard, SliceKey, World
from hostwatch.store import answers, causes, exercises, rows, versions

KEPT = (
    "state = 'pending' OR id IN (SELECT notice FROM notice_emergencies JOIN emergencies"
    " ON reference = emergency WHERE ended_at IS NULL)"
    " OR id IN (SELECT notice FROM attempts WHERE outcome = 'open')"
    f" OR {exercises.KEPT}"
)
"""The notices that the world holds: pending, of what is open, or with an attempt that has no outcome."""

OWED = (
    f"SELECT * FROM duties WHERE id IN (SELECT duty FROM notices WHERE {KEPT}"
    f" UNION SELECT duty FROM notices WHERE id IN (SELECT follows FROM notices WHERE {KEPT}))"
)
"""The duties of these, and of those that they waited for: met or not."""

SPANS_AT_ONCE = 5_000
"""Closed slices that are read at a time: of several hours, when a slice is 5 s long."""

NEWEST: SliceKey = (2**62, 0)
Transact = Callable[[Callable[[sqlite3.Connection], list[rows.Row]]], list[rows.Row]]
"""Does some work in a read transaction of its own."""

Spans = list[tuple[int, int, int, int]]
"""Slices: version, number, and in microseconds from when until when."""


ROWS_AT_ONCE = 20_000
"""How many devices, or targets, one transaction of a reader takes."""


class Read(NamedTuple):
    """The rows of the present, before values are made of them, which takes three times as long."""

    mark: tuple[int, int]
    """How far the inventory has come."""

    watch: rows.Row
    """`alive_at`, `configuration`, `vantage`."""

    references: int
    population: Iterable[rows.Row]
    schedule: int
    """Its version."""

    targets: Iterable[rows.Row]
    emergencies: list[Emergency]
    duties: list[Duty]
    customer_duties: list[CustomerDuty]
    notices: list[Notice]
    acknowledged: answers.Acknowledged
    calls: answers.Calls
    exercises: Exercises
    holds: list[Hold]
    heard: list[Heard]
    warned: list[Warned]
    counted: list[Counted]
    causes: list[Attributed]
    stated: list[Statement]
    ways: list[Fact]
    """What happened to contact data."""

    claims: list[Fact]

    blind: list[tuple[str, int]]
    signals: Iterable[rows.Row]
    spans: Spans


def mark(db: sqlite3.Connection) -> tuple[int, int]:
    """How far the inventory has come: its last fact, and the version of the schedule."""
    (changed,) = db.execute("SELECT max(seq) FROM facts WHERE kind = 'PopulationChanged'").fetchone()
    (version,) = db.execute("SELECT max(version) FROM schedules").fetchone()
    return changed or 0, version or 0


def load_world(db: sqlite3.Connection) -> World:
    """The world as it was committed last, for whoever has the store to itself.

    Slices that were open are not taken up again: what they had not proven is lost, and their targets
    are looked at anew.
    """
    made = world(read(db, iter), lambda key: spans(db, key))
    for ended in bygones(db):
        made.bygones.add(ended)
    made.running = RunningNotices(flapped(db, made.alive_at))
    return made


_SINCE_STEP = "seq > (SELECT coalesce(max(seq), 0) FROM facts WHERE kind = 'ClockStepped')"


def bygones(db: sqlite3.Connection) -> Iterator[SilenceEnded]:
    """The last silences that are over, since the clock was set last; in the order of the record."""
    query = f"SELECT body FROM facts WHERE kind = 'SilenceEnded' AND {_SINCE_STEP} ORDER BY seq DESC LIMIT ?"
    for (body,) in reversed(db.execute(query, (SIGNALS_MAX,)).fetchall()):
        yield canonical.restore(SilenceEnded, json.loads(body))


def flapped(db: sqlite3.Connection, alive_at: datetime | None) -> Iterator[Fact]:
    """What running notices are an account of, since before the first that goes on began."""
    kinds = ", ".join(f"'{kind.__name__}'" for kind in RUNNING_FACTS)
    begun = db.execute("SELECT body FROM facts WHERE kind = 'RunningNoticeBegan' ORDER BY seq")
    over = db.execute("SELECT body FROM facts WHERE kind = 'RunningNoticeEnded'")
    ended = {json.loads(body)["reference"] for (body,) in over}
    known = [json.loads(body) for (body,) in begun]
    since = [instant.from_rfc3339(one["at"]) for one in known if one["reference"] not in ended]
    first = min([alive_at or EPOCH, *since]) - WITHIN_MAX if since or alive_at else EPOCH
    if not since:
        kinds = "'EmergencyOpened', 'EmergencyEnded'"
    query = f"SELECT kind, body FROM facts WHERE kind IN ({kinds}) AND happened_at >= ? ORDER BY seq"
    for kind, body in db.execute(query, (instant.micros(first),)):
        yield canonical.decode(kind, json.loads(body))


_PRESENT = "SELECT thing, name, customer, state, body FROM population"
_IN_ORDER = "valid_until IS NULL ORDER BY thing, name"
_STATED = (
    "SELECT stated.* FROM stated JOIN emergencies USING (reference) WHERE ended_at IS NULL ORDER BY reference"
)
_TARGETS = (
    "SELECT added, signal, address, interval_us, method, phased_by, version FROM schedule_targets"
    " WHERE version >= (SELECT coalesce(max(version), 0) FROM schedules WHERE whole)"
)


def read(db: sqlite3.Connection, take: Callable[[sqlite3.Cursor], Iterable[rows.Row]] = list) -> Read:
    """The rows of the present: taken out as lists, or left with the connection until they are used."""
    return read_rest(db, take)._replace(
        population=take(db.execute(f"{_PRESENT} WHERE {_IN_ORDER}")),
        targets=take(db.execute(f"{_TARGETS} ORDER BY version, added, signal")),
    )


def read_rest(db: sqlite3.Connection, take: Callable[[sqlite3.Cursor], Iterable[rows.Row]] = list) -> Read:
    """The same without devices and targets, of which there may be a million."""
    (references,) = db.execute("SELECT count(*) FROM emergencies").fetchone()
    opened = db.execute("SELECT * FROM emergencies WHERE ended_at IS NULL ORDER BY reference")
    at = mark(db)
    return Read(
        mark=at,
        watch=db.execute("SELECT alive_at, configuration, vantage FROM watch").fetchone(),
        references=references,
        population=take(db.execute(f"{_PRESENT} WHERE thing <> 'device' AND {_IN_ORDER}")),
        schedule=at[1],
        targets=(),
        emergencies=(emergencies := [rows.emergency(row) for row in opened]),
        duties=(duties := [rows.duty(row) for row in db.execute(OWED)]),
        customer_duties=list(_customer_duties(db, duties)),
        notices=(kept := _kept(db)),
        acknowledged=answers.acknowledged(db, emergencies, kept),
        calls=answers.calls(db, kept),
        exercises=Exercises(exercises.under_way(db), exercises.count(db)),
        holds=[rows.hold(row) for row in db.execute("SELECT * FROM holds ORDER BY signal")],
        causes=[causes.cause(row) for row in db.execute("SELECT * FROM causes ORDER BY signal")],
        stated=[causes.stated(row) for row in db.execute(_STATED)],
        heard=[rows.heard(row) for row in db.execute("SELECT * FROM heard ORDER BY source")],
        warned=[rows.warned(row) for row in db.execute("SELECT * FROM warnings ORDER BY what, about")],
        counted=[
            counted.of_text(name, rows.at(at), body)
            for name, at, body in db.execute("SELECT * FROM counted ORDER BY source")
        ],
        ways=list(contact_facts(db)),
        claims=list(facts_of(db, claims.FACTS)),
        blind=db.execute("SELECT why, since FROM blind").fetchall(),
        signals=take(db.execute("SELECT * FROM signals")),
        spans=spans(db, NEWEST),
    )


def contact_facts(db: sqlite3.Connection) -> Iterator[Fact]:
    """What is recorded of contact data."""
    return facts_of(db, FACTS)


def facts_of(db: sqlite3.Connection, kinds: Iterable[type[Fact]]) -> Iterator[Fact]:
    """Facts of which the present is an account, and which are kept nowhere else."""
    names = [kind.__name__ for kind in kinds]
    query = f"SELECT kind, body FROM facts WHERE kind IN ({', '.join('?' * len(names))}) ORDER BY seq"
    for kind, body in db.execute(query, names):
        yield canonical.decode(kind, json.loads(body))


def devices(read: Transact) -> Iterator[rows.Row]:
    """The present versions of all devices, by name, in short transactions; those that were removed too."""
    those = "INDEXED BY population_present WHERE thing = 'device' AND name > ?"
    return paged(read, f"{_PRESENT} {those} AND {_IN_ORDER} LIMIT ?", [""], lambda row: [row[1]])


def targets(read: Transact) -> Iterator[rows.Row]:
    """All changes of the schedule since it was last told whole, the earliest first, in short transactions."""
    query = f"{_TARGETS} AND (version, added, signal) > (?, ?, ?) ORDER BY version, added, signal LIMIT ?"
    return paged(read, query, [-1, 0, ""], lambda row: [row[6], row[0], row[1]])


def paged(
    read: Transact, query: str, since: list[object], key: Callable[[rows.Row], list[object]]
) -> Iterator[rows.Row]:
    """The rows of a query that asks for those after a key, and at last for how many; page after page."""
    while page := read(partial(_page, query, (*since, ROWS_AT_ONCE))):
        yield from page
        since = key(page[-1])


def _page(query: str, values: tuple[object, ...], db: sqlite3.Connection) -> list[rows.Row]:
    return db.execute(query, values).fetchall()


def world(found: Read, older: Callable[[SliceKey], Spans]) -> World:
    """The world of these rows. `older`: the closed slices before one, if those that were read do not do."""
    alive_at, configuration, vantage = found.watch
    population = versions.population(vantage, found.population)
    made = World(
        population=population,
        schedule=Schedule(found.schedule, _targets(found.targets, population)),
        configuration=configuration,
        emergencies={emergency.reference: emergency for emergency in found.emergencies},
        duties={duty.id: duty for duty in found.duties},
        customer_duties={duty.id: duty for duty in found.customer_duties},
        notices=Notices(found.notices),
        acknowledged=found.acknowledged,
        calls=found.calls,
        exercises=found.exercises,
        holds=Holds(found.holds),
        heard={one.source: one for one in found.heard},
        warned={one.name: one for one in found.warned},
        counted={one.source: one for one in found.counted},
        causes={one.signal: one for one in found.causes},
        stated={one.reference: one for one in found.stated},
        ways=Book(found.ways),
        claims=Claims(found.claims),
        blind={why: rows.at(since) for why, since in found.blind},
        alive_at=rows.when(alive_at),
        references=found.references,
    )
    for row in found.signals:
        made.signals.put(rows.signal(row))
    for name, due_us in _at_rest(made, found.spans, older):
        made.signals.rest(name, due_us)
    return made


def _targets(changes: Iterable[rows.Row], population: Population) -> Iterable[Target]:
    """The targets of the newest version of the schedule: all changes, one after another."""
    targets: dict[str, Target] = {}
    for added, signal, address, *rest, _ in changes:
        if added:
            device = population.device_of(signal)
            if device is not None and device.address == address:
                address = device.address
            targets[signal] = rows.target((signal, address, *rest))
        else:
            targets.pop(signal, None)
    return targets.values()


def spans(db: sqlite3.Connection, before: SliceKey) -> Spans:
    """The latest closed slices before one: their keys, and in microseconds from when until when."""
    query = (
        "SELECT version, number, number * slice_us, (number + 1) * slice_us FROM slices"
        " JOIN schedules USING (version) WHERE closed_at IS NOT NULL AND (version, number) < (?, ?)"
        " ORDER BY version DESC, number DESC LIMIT ?"
    )
    return db.execute(query, (*before, SPANS_AT_ONCE)).fetchall()


def _at_rest(world: World, latest: Spans, older: Callable[[SliceKey], Spans]) -> Iterator[tuple[str, int]]:
    """Whoever answered in the last closed slice in which it was due, and when that was.

    Of them nothing else is kept: who has more to say has a row of its own in `signals`.
    """
    schedule, told = world.schedule, set(world.signals)
    missing = len(schedule) - sum(turn.signal in told for turn in schedule.last_turns(EPOCH))
    while missing and latest:
        for *_, start, end in latest:
            for turn in schedule.between(start, end):
                if turn.signal not in told:
                    told.add(turn.signal)
                    missing -= 1
                    yield turn.signal, turn.at_us
            if not missing:
                return
        version, number, *_ = latest[-1]
        latest = older((version, number))


def _customer_duties(db: sqlite3.Connection, people: Iterable[Duty]) -> Iterator[CustomerDuty]:
    """Those to the customers of these people, and those that may still be breached."""
    rest = (
        "SELECT * FROM customer_duties WHERE met_at IS NULL AND breached_at IS NULL AND released_at IS NULL"
    )
    wanted = {(duty.emergency, duty.customer) for duty in people}
    for row in db.execute(rest).fetchall():
        wanted.discard((row[0], row[1]))
        yield rows.customer_duty(row)
    for key in sorted(wanted):
        query = "SELECT * FROM customer_duties WHERE emergency = ? AND customer = ?"
        yield from map(rows.customer_duty, db.execute(query, key))


def _kept(db: sqlite3.Connection) -> list[Notice]:
    kept = notices(db, KEPT)
    known = {notice.id for notice in kept}
    waited_for = [n.after for n in kept if n.after is not None and n.after not in known]
    marks = ", ".join("?" * len(waited_for))
    kept = [*notices(db, f"id IN ({marks})", waited_for), *kept]
    return [*kept, *_behind_pending(db, kept)]


def _behind_pending(db: sqlite3.Connection, kept: Iterable[Notice]) -> Iterator[Notice]:
    """What was settled and stands behind one that is still to be sent: it is told with that."""
    known = {notice.id for notice in kept}
    front = [notice.id for notice in kept if notice.state is NoticeState.PENDING]
    while front:
        name = front.pop()
        for (behind,) in db.execute("SELECT id FROM notices WHERE follows = ?", (name,)).fetchall():
            front.append(behind)
            if behind not in known:
                known.add(behind)
                yield from notices(db, "id = ?", (behind,))


def notices(db: sqlite3.Connection, where: str, values: Iterable[object] = ()) -> list[Notice]:
    """The notices that meet a condition of ours, oldest first."""
    found = db.execute(f"SELECT * FROM notices WHERE {where} ORDER BY created_at, id", tuple(values))
    return [rows.notice(row, _emergencies(db, row[0]), _attempts(db, row[0])) for row in found.fetchall()]


def _emergencies(db: sqlite3.Connection, notice: str) -> list[str]:
    query = "SELECT emergency FROM notice_emergencies WHERE notice = ? ORDER BY place"
    return [name for (name,) in db.execute(query, (notice,))] or exercises.of_notice(db, notice)


def _attempts(db: sqlite3.Connection, notice: str) -> list[Attempt]:
    query = "SELECT * FROM attempts WHERE notice = ? ORDER BY number"
    return [rows.attempt(row) for row in db.execute(query, (notice,))]

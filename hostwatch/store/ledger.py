"""The writer's side of the store: one decision, one transaction.

Only one ledger exists for a store. Each commit checks the fencing epoch, so that a watch that lost
its lease writes nothing more.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple

from hostwatch.core import canonical, facts, instant
from hostwatch.core.emergency import Emergency, Notice
from hostwatch.core.reading import Outcome
from hostwatch.core.schedule import Schedule
from hostwatch.core.world import Decision, Seen, Slice, TargetChange, World
from hostwatch.store import answers, causes, exercises, migrations, rows, traffic
from hostwatch.store.connection import damage, failure, transaction, unusable
from hostwatch.store.duties import Owing, owing
from hostwatch.store.errors import Damaged, Fenced
from hostwatch.store.present import load_world, notices

CHECKED_MAX_BYTES = 256 * 1024 * 1024
"""A larger store is not read through at the start: looking at devices must not wait for minutes."""

REMEMBERED_MAX = 100_000
"""Commitments that a run knows of those before; the newest."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Personal:
    """What a commitment stands for."""

    commitment: str
    salt: bytes
    value: str
    again: bool = True
    """Whether the same value is to have the same commitment in later runs: a name or an address."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Remembered:
    """What was recorded by earlier runs and is compared with."""

    configuration: dict[str, Any] | None
    """The content of the configuration that was applied last."""

    commitments: dict[str, str]
    """Commitments to personal values, by value, so that the same value has the same one again."""


class Told(NamedTuple):
    """An emergency, and whom we told of it."""

    emergency: Emergency
    notices: list[Notice]


class Ledger:
    """Facts, evidence, the present and the outbox, written together."""

    def __init__(self, connection: sqlite3.Connection, boot_id: str) -> None:
        """`boot_id` names the run of the machine: wall clocks of two boots are not comparable."""
        self._db = connection
        self._boot_id = boot_id
        self.epoch = 0

    def open(self) -> tuple[str, ...]:
        """Check the file, migrate and take a new epoch; the migrations that were applied.

        Raises `Damaged`, `WrongVersion` or another `StoreError`, and then has changed nothing that
        the next start could not go on from.
        """
        try:
            if self._bytes() <= CHECKED_MAX_BYTES:
                found = self._db.execute("PRAGMA quick_check(1)").fetchone()[0]
                if found != "ok":
                    raise Damaged(damage(found))
            applied = migrations.migrate(self._db)
            with transaction(self._db):
                self._keep_open_looks()
                self._db.execute("UPDATE watch SET epoch = epoch + 1")
                self.epoch = int(self._db.execute("SELECT epoch FROM watch").fetchone()[0])
        except sqlite3.Error as error:
            raise unusable(error) from error
        return applied

    def _bytes(self) -> int:
        pages, size = (
            self._db.execute(f"PRAGMA {name}").fetchone()[0] for name in ("page_count", "page_size")
        )
        return int(pages) * int(size)

    def load(self) -> World:
        """The world as it was committed last. Raises `StoreError` when it cannot be read."""
        try:
            return load_world(self._db)
        except sqlite3.Error as error:
            raise unusable(error) from error

    def notices_of(self, receipt: str) -> list[Notice]:
        """The notices that a message told of which the other side calls so. Raises `StoreError`."""
        where = "id IN (SELECT notice FROM attempts WHERE receipt = ? AND receipt <> '')"
        try:
            return notices(self._db, where, (receipt,))
        except sqlite3.Error as error:
            raise unusable(error) from error

    def told_of(self, reference: str) -> Told:
        """An emergency that there is, and all notices about it, oldest first. Raises `StoreError`."""
        where = "id IN (SELECT notice FROM notice_emergencies WHERE emergency = ?)"
        try:
            row = self._db.execute("SELECT * FROM emergencies WHERE reference = ?", (reference,)).fetchone()
            return Told(rows.emergency(row), notices(self._db, where, (reference,)))
        except sqlite3.Error as error:
            raise unusable(error) from error

    def owing_of(self, reference: str, customer: str) -> Owing:
        """What was owed of an emergency that there is. Raises `StoreError`."""
        try:
            return owing(self._db, reference, customer)
        except sqlite3.Error as error:
            raise unusable(error) from error

    def value_of(self, commitment: str) -> str | None:
        """What a commitment stands for; None if it was erased. Raises `StoreError`."""
        try:
            found = self._db.execute(
                "SELECT value FROM personal WHERE commitment = ?", (commitment,)
            ).fetchone()
        except sqlite3.Error as error:
            raise unusable(error) from error
        return None if found is None else str(found[0])

    def remembered(self) -> Remembered:
        """What a new run must know of the one before, beside the world."""
        found = self._db.execute(
            "SELECT body FROM facts WHERE kind = 'ConfigurationApplied' ORDER BY seq DESC LIMIT 1"
        ).fetchone()
        known = self._db.execute(
            "SELECT value, commitment FROM personal WHERE again = 1 ORDER BY kept_at DESC LIMIT ?",
            (REMEMBERED_MAX,),
        ).fetchall()
        return Remembered(
            configuration=None if found is None else json.loads(found[0])["content"],
            commitments=dict(reversed(known)),
        )

    def close(self) -> None:
        """Close the file; SQLite checkpoints it."""
        self._db.close()

    def commit(self, decision: Decision, recorded_at: datetime, personal: Iterable[Personal] = ()) -> int:
        """Write all of a decision, or nothing; the number of the last fact in the record.

        Raises `Fenced` when another watch has taken over, `Damaged` when a write failed for good,
        and `StoreError` when it may be tried again (the disk is full, the file is locked).
        """
        try:
            with transaction(self._db):
                self._fence(decision)
                last = self._facts(decision.facts, recorded_at)
                self._evidence(decision, recorded_at)
                self._people(decision)
                self._db.executemany(
                    "INSERT OR IGNORE INTO personal VALUES (?, ?, ?, ?, ?)",
                    [(p.commitment, p.salt, p.value, rows.us(recorded_at), int(p.again)) for p in personal],
                )
        except sqlite3.Error as error:
            raise failure(error) from error
        return last

    def _fence(self, decision: Decision) -> None:
        alive = rows.us(decision.alive_at)
        found = self._db.execute(
            "UPDATE watch SET alive_at = coalesce(?, alive_at), configuration = coalesce(?, configuration),"
            " vantage = coalesce(?, vantage) WHERE epoch = ?",
            (
                alive,
                decision.configuration,
                None if decision.population is None else decision.population.vantage,
                self.epoch,
            ),
        )
        if found.rowcount != 1:
            raise Fenced("cannot write: another watch has taken the store over")

    def _facts(self, happened: tuple[facts.Fact, ...], recorded_at: datetime) -> int:
        last = int(self._db.execute("SELECT coalesce(max(seq), 0) FROM facts").fetchone()[0])
        self._db.executemany(
            "INSERT INTO facts VALUES (?, ?, ?, ?, ?, ?, ?)",
            (entry(seq, fact, recorded_at, self._boot_id) for seq, fact in enumerate(happened, last + 1)),
        )
        for seq, fact in enumerate(happened, last + 1):
            if isinstance(fact, facts.PopulationChanged):
                self._version(seq, fact)
        return last + len(happened)

    def _version(self, seq: int, fact: facts.PopulationChanged) -> None:
        # SQLite would take the primary key, of which a device's name alone tells nothing, and read all.
        self._db.execute(
            "UPDATE population INDEXED BY population_present SET valid_until = ?"
            " WHERE thing = ? AND name = ? AND (thing = 'device' OR customer = ?) AND valid_until IS NULL",
            (rows.us(fact.at), fact.thing, fact.name, fact.customer),
        )
        self._db.execute(
            "INSERT INTO population VALUES (?, ?, ?, ?, NULL, ?, ?, ?)",
            (
                fact.thing,
                fact.name,
                fact.customer,
                rows.us(fact.at),
                seq,
                fact.state,
                rows.text(fact.body),
            ),
        )

    def _evidence(self, decision: Decision, recorded_at: datetime) -> None:
        db = self._db
        gone = [(name,) for name in (*decision.withdrawn_signals, *decision.settled)]
        if gone:
            db.executemany("DELETE FROM signals WHERE name = ?", gone)
        if decision.signals:
            db.executemany(
                "INSERT OR REPLACE INTO signals VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
                [rows.signal_row(signal) for signal in decision.signals],
            )
        if decision.slice is not None:
            self._slice(decision.slice, decision.looks)
        db.executemany(
            "INSERT OR IGNORE INTO unscheduled VALUES (?, ?, ?, ?, ?)",
            [(r.signal, rows.us(r.at), r.kind.value, r.outcome.value, r.why) for r in decision.unscheduled],
        )
        if decision.schedule is not None:
            self._schedule(decision.schedule, decision.targets, recorded_at)
        for name, heard in decision.heard.items():
            db.execute("DELETE FROM heard WHERE source = ?", (name,))
            if heard is not None:
                db.execute("INSERT INTO heard VALUES (?, ?, ?)", rows.heard_row(heard))
        for name, warned in decision.warned.items():
            db.execute("DELETE FROM warnings WHERE what || ':' || about = ?", (name,))
            if warned is not None:
                db.execute("INSERT INTO warnings VALUES (?, ?, ?, ?, ?)", rows.warned_row(warned))
        traffic.write(db, decision)
        causes.write(db, decision)
        for why, since in decision.blind.items():
            db.execute("DELETE FROM blind WHERE why = ?", (why,))
            if since is not None:
                db.execute("INSERT INTO blind VALUES (?, ?)", (why, rows.us(since)))

    def _slice(self, evidence: Slice, looks: tuple[tuple[Outcome, Seen], ...]) -> None:
        """What is open is only added to; the whole row is written once, when all have been looked at."""
        if evidence.closed_at is None:
            first = len(evidence.missed) + len(evidence.unknown) - len(looks)
            self._db.executemany(
                "INSERT INTO open_looks VALUES (?, ?, ?, ?, ?, ?, ?)",
                [
                    (*evidence.key, place, outcome.value, entry.signal, rows.us(entry.at), entry.why)
                    for place, (outcome, entry) in enumerate(looks, first)
                ],
            )
            return
        if evidence.missed or evidence.unknown:
            self._db.execute("DELETE FROM open_looks WHERE version = ? AND number = ?", evidence.key)
        self._db.execute(
            "INSERT INTO slices VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT (version, number) DO UPDATE SET"
            " missed = excluded.missed, unknown = excluded.unknown, closed_at = excluded.closed_at,"
            " latencies = excluded.latencies",
            rows.slice_row(evidence),
        )

    def _schedule(self, new: Schedule, change: TargetChange, recorded_at: datetime) -> None:
        self._db.execute(
            "INSERT INTO schedules VALUES (?, ?, ?, ?, 0)",
            (new.version, rows.us(recorded_at), new.slice_us, new.digest),
        )
        self._db.executemany(
            "INSERT INTO schedule_targets VALUES (?, ?, ?, ?, ?, ?, ?)",
            (
                (new.version, added, target.signal, target.address, target.interval_us, *target.manner)
                for added, targets in ((0, change.removed), (1, change.added))
                for target in targets
            ),
        )

    def _keep_open_looks(self) -> None:
        """What was seen in slices that a crash left open stays as their evidence: they are never closed."""
        found = self._db.execute("SELECT DISTINCT version, number FROM open_looks").fetchall()
        for version, number in found:
            looks = self._db.execute(
                "SELECT outcome, signal, at, why FROM open_looks WHERE version = ? AND number = ?"
                " ORDER BY place",
                (version, number),
            ).fetchall()
            evidence = rows.open_slice(version, number, looks)
            self._db.execute(
                "INSERT OR REPLACE INTO slices VALUES (?, ?, ?, ?, ?, ?)", rows.slice_row(evidence)
            )
        self._db.execute("DELETE FROM open_looks")

    def _people(self, decision: Decision) -> None:
        db = self._db
        for emergency in decision.emergencies:
            db.execute(
                "INSERT INTO emergencies VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (reference) DO UPDATE"
                " SET signal = excluded.signal, ended_at = excluded.ended_at, withdrawn = excluded.withdrawn,"
                " story = excluded.story, joined = excluded.joined",
                rows.emergency_row(emergency),
            )
        for signal, hold in decision.holds.items():
            db.execute("DELETE FROM holds WHERE signal = ?", (signal,))
            if hold is not None:
                db.execute("INSERT INTO holds VALUES (?, ?, ?)", rows.hold_row(hold))
        db.executemany(
            "INSERT OR REPLACE INTO duties VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
            map(rows.duty_row, decision.duties),
        )
        db.executemany(
            "INSERT OR REPLACE INTO customer_duties VALUES (?, ?, ?, ?, ?, ?, ?)",
            map(rows.customer_duty_row, decision.customer_duties),
        )
        exercises.write(db, decision)
        for notice in decision.notices:
            db.execute(
                "INSERT INTO notices VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (id) DO UPDATE"
                " SET state = excluded.state, settled_at = excluded.settled_at, late = excluded.late",
                rows.notice_row(notice),
            )
            if not exercises.write_notice(db, notice):
                db.executemany(
                    "INSERT OR IGNORE INTO notice_emergencies VALUES (?, ?, ?)",
                    [(notice.id, name, place) for place, name in enumerate(notice.emergencies)],
                )
            db.executemany(
                "INSERT OR REPLACE INTO attempts VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
                [rows.attempt_row(notice.id, attempt) for attempt in notice.attempts],
            )
        answers.write(db, decision)


def entry(seq: int, fact: facts.Fact, recorded_at: datetime, boot_id: str) -> rows.Row:
    """A row of `facts`: the leaf is the hash of everything else in the row."""
    kind, body = type(fact).__name__, rows.text(fact)
    rest = rows.text({"seq": seq, "kind": kind, "recorded_at": recorded_at, "boot_id": boot_id})
    leaf = canonical.leaf(f'{{"body":{body},{rest[1:]}'.encode())  # "body" is the first key in order
    happened, recorded = instant.micros(fact.at), instant.micros(recorded_at)
    return seq, kind, happened, recorded, boot_id, body, leaf


def facts_of(
    connection: sqlite3.Connection, kinds: Iterable[type[facts.Fact]] | None = None
) -> Iterator[facts.Fact]:
    """The recorded facts in the order of the record, all or of some kinds."""
    query, wanted = "SELECT kind, body FROM facts", []
    if kinds is not None:
        wanted = [kind.__name__ for kind in kinds]
        query += f" WHERE kind IN ({', '.join('?' * len(wanted))})"
    for kind, body in connection.execute(query + " ORDER BY seq", wanted):
        yield canonical.decode(kind, json.loads(body))

"""What must be true of a store at any moment, and of a whole scripted run at its end.

Each oracle gives what is wrong in words; nothing wrong gives nothing.
"""

from __future__ import annotations

import json
import sqlite3
from collections import Counter
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

from tests.faults.people import MARK, Accepted, about
from tests.faults.record import Row, faults_of
from tests.faults.script import CONTACTS, LOOK_MAX_US, OUTAGES, Played

KINDS = ("emergency", "recovery")


class Kept:
    """All that a store holds."""

    def __init__(self, path: Path) -> None:
        """Read a copy of a store that nobody uses, as SQLite recovers it."""
        self.rows: list[Row] = []
        self.tables: dict[str, list[dict[str, Any]]] = {}
        db = sqlite3.connect(path)
        db.row_factory = sqlite3.Row
        try:
            (self.integrity,) = db.execute("PRAGMA integrity_check").fetchone()
            names = {name for (name,) in db.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
            for table in ("emergencies", "duties", "notices", "attempts", "slices", "unscheduled"):
                found = db.execute(f"SELECT * FROM {table}") if table in names else ()
                self.tables[table] = [dict(row) for row in found]
            if "facts" in names:
                self.rows = [(*row,) for row in db.execute("SELECT * FROM facts ORDER BY seq")]
        finally:
            db.close()

    def bodies(self, kind: str) -> list[dict[str, Any]]:
        """The facts of one kind."""
        return [self.body(row) for row in self.rows if row[1] == kind]

    def body(self, row: Row) -> dict[str, Any]:
        """What a fact says."""
        found: dict[str, Any] = json.loads(row[5])
        return found

    def last(self, *kinds: str) -> list[dict[str, Any]]:
        """Of each notice the last fact of one of these kinds."""
        found = [self.body(row) for row in self.rows if row[1] in kinds]
        return [*{body["notice"]: body for body in found}.values()]

    def misses(self) -> int:
        """How many looks that were missed stand in the evidence."""
        scheduled = sum(len(json.loads(row["missed"])) for row in self.tables["slices"])
        return scheduled + [row["outcome"] for row in self.tables["unscheduled"]].count("missed")

    def begun(self) -> Counter[str]:
        """How many attempts of each notice were recorded as begun."""
        return Counter(body["notice"] for body in self.bodies("AttemptBegan"))


def always(kept: Kept, seen: list[Row], accepted: list[Accepted], played: Played) -> Iterator[str]:
    """What holds at every moment, and so also at the moment of a kill."""
    if kept.integrity != "ok":
        yield f"integrity: {kept.integrity}"
    yield from faults_of(kept.rows, seen)
    yield from _everything_acknowledged(kept, accepted, played)
    yield from _told_twice(accepted)
    yield from _verdicts_with_duties(kept)
    yield from the_present_follows_from_the_record(kept)


def _everything_acknowledged(kept: Kept, accepted: list[Accepted], played: Played) -> Iterator[str]:
    notices, begun = {row["id"] for row in kept.tables["notices"]}, kept.begun()
    kept_attempts = Counter(row["notice"] for row in kept.tables["attempts"])
    for key, times in Counter(message.about for message in accepted).items():
        if key not in notices:
            yield f"{key} was told and is no notice"
        if begun[key] < times:
            yield f"{key} was told {times} times, {begun[key]} attempts were recorded as begun"
        if kept_attempts[key] != begun[key]:
            yield f"{key} has {kept_attempts[key]} attempts and {begun[key]} facts of them"
    in_force = {body["digest"] for body in kept.bodies("ConfigurationApplied")}
    for digest in played.acknowledged:
        if digest not in in_force:
            yield f"the reload to {digest[:8]} was acknowledged and is not recorded"


def _told_twice(accepted: list[Accepted]) -> Iterator[str]:
    told: dict[str, str] = {}
    for message in accepted:
        if message.about in told and not message.repeat:
            yield f"{message.key} was told again without being marked as a repeat"
        before = told.setdefault(message.about, message.key)
        if before != message.key:
            yield f"{before} was told again by the key {message.key}"
        if message.repeat != message.told.startswith(MARK):
            yield f"{message.key}: the mark for programs and {message.told!r} disagree"


def _verdicts_with_duties(kept: Kept) -> Iterator[str]:
    opened = kept.bodies("EmergencyOpened")
    if [body["signal"] for body in kept.bodies("WentDown")] != [body["signal"] for body in opened]:
        yield "verdicts and emergencies do not match"
    tables = {name: {about(row["id"]) for row in kept.tables[name]} for name in ("duties", "notices")}
    for body in opened:
        for contact in CONTACTS:
            name = f"{body['reference']}.emergency.acme.{contact}"
            for table, ids in tables.items():
                if name not in ids:
                    yield f"{body['reference']} is open and {contact} has no row in {table}"
    for body in kept.bodies("EmergencyEnded"):
        for contact in CONTACTS:
            if f"{body['reference']}.recovery.acme.{contact}" not in tables["notices"]:
                yield f"{body['reference']} has ended and {contact} is owed no recovery"


def the_present_follows_from_the_record(kept: Kept) -> Iterator[str]:
    """What is owed, settled and open now is what the facts say."""
    owed = {body["notice"] for body in kept.bodies("NoticeOwed")}
    settled = {row["notice"] for row in kept.last("NoticeSettled", "NoticeReopened") if "state" in row}
    if owed != {row["id"] for row in kept.tables["notices"]}:
        yield "notices and the facts that they are owed do not match"
    if settled != {row["id"] for row in kept.tables["notices"] if row["state"] != "pending"}:
        yield "settled notices and the facts of it do not match"
    opened = {body["reference"] for body in kept.bodies("EmergencyOpened")}
    if opened != {row["reference"] for row in kept.tables["emergencies"]}:
        yield "emergencies and the facts of them do not match"
    epochs = [body["epoch"] for body in kept.bodies("WatchStarted")]
    if len(set(epochs)) != len(epochs):
        yield f"two watches had one epoch: {epochs}"


def at_the_end(kept: Kept, accepted: list[Accepted], played: Played) -> Iterator[str]:
    """What holds when the script has been played: nothing lost, nothing invented."""
    emergencies = sorted(kept.tables["emergencies"], key=lambda row: row["reference"])
    if [row["device"] for row in emergencies] != list(OUTAGES):
        yield f"outages of {OUTAGES}, emergencies of {[row['device'] for row in emergencies]}"
    for row in emergencies:
        yield from _true_to_the_outage(row, played)
    told = {message.about for message in accepted}
    states = {about(row["id"]): row["state"] for row in kept.tables["notices"]}
    wanted = {
        f"E-{number:06d}.{kind}.acme.{contact}"
        for number in range(1, len(OUTAGES) + 1)
        for kind in KINDS
        for contact in CONTACTS
    }
    for key in sorted(wanted - told):
        yield f"{key} was lost: nobody accepted it"
    for key in sorted(wanted | states.keys()):
        if states.get(key) != "accepted":
            yield f"{key} is {states.get(key, 'no notice')}"
    for key in sorted(told - wanted):
        yield f"{key} was invented"
    for body in kept.bodies("DutyBreached"):
        yield f"the duty {body['duty']} was broken"
    if any(row["outcome"] == "open" for row in kept.tables["attempts"]):
        yield "an attempt was left open"


def _true_to_the_outage(row: dict[str, Any], played: Played) -> Iterator[str]:
    story, device = json.loads(row["story"]), row["device"]
    if row["ended_at"] is None or row["withdrawn"]:
        yield f"the emergency of {device} has not ended with an answer"
        return
    if device not in played.restored_us:
        yield f"the emergency of {device} is of no outage"
        return
    (cut, silent), (restored, back) = played.cut_us[device], played.restored_us[device]
    # A look is dated just before its packet leaves, and a busy machine may take its time over "just".
    if not cut - LOOK_MAX_US <= _us(story["first_miss"]) < _us(story["last_miss"]) <= back:
        yield f"the silence of {device} is not within its outage: {story}, {played}"
    if _us(story["last_answer"]) > silent or _us(story["first_answer"]) < restored - LOOK_MAX_US:
        yield f"{device} answered during its outage: {story}, {played}"
    if row["opened_at"] > back:
        yield f"the verdict over {device} came after its outage"


def _us(instant: str) -> int:
    return round(datetime.fromisoformat(instant).timestamp() * 1_000_000)

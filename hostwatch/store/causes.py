"""Causes in rows: those of outages that go on, and what people stated."""

from __future__ import annotations

import json
import sqlite3
from typing import Any

from hostwatch.core import canonical
from hostwatch.core.cause import Finding, Statement
from hostwatch.core.scene import Attributed, Scene, What
from hostwatch.core.world import Decision
from hostwatch.store import rows


def row_of(known: Attributed) -> rows.Row:
    """A row of `causes`."""
    dates = rows.us(known.first_miss), rows.us(known.last_answer)
    return known.signal, *dates, rows.text(known.scene), rows.text(known.finding)


def cause(row: rows.Row) -> Attributed:
    """What a row says of an outage that goes on."""
    name, first_miss, last_answer, scene, finding = row
    return Attributed(
        signal=name,
        first_miss=rows.at(first_miss),
        last_answer=rows.at(last_answer),
        scene=_scene(json.loads(scene)),
        finding=canonical.restore(Finding, json.loads(finding)),
    )


def _scene(told: dict[str, Any]) -> Scene:
    """A scene, also one that was written before there was a word for all that this version knows."""
    nothing = canonical.plain(Scene(of=What(told["of"])))
    found: Scene = canonical.restore(Scene, {**nothing, **told})
    return found


def stated(row: rows.Row) -> Statement:
    """What a person stated, of a row of `stated`."""
    _, body = row
    said: Statement = canonical.restore(Statement, json.loads(body))
    return said


def write(db: sqlite3.Connection, decision: Decision) -> None:
    """What a decision says of causes, in the transaction of all that it says."""
    if decision.withdrawn_signals:
        gone = [(name,) for name in decision.withdrawn_signals]
        db.executemany("DELETE FROM causes WHERE signal = ?", gone)
    for name, known in decision.causes.items():
        db.execute("DELETE FROM causes WHERE signal = ?", (name,))
        if known is not None:
            db.execute("INSERT INTO causes VALUES (?, ?, ?, ?, ?)", row_of(known))
    for name, said in decision.stated.items():
        db.execute("DELETE FROM stated WHERE reference = ?", (name,))
        if said is not None:
            db.execute("INSERT INTO stated VALUES (?, ?)", (name, rows.text(said)))

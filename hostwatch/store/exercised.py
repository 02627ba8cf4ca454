"""What came of exercises, as it was filed; of one that is under way, what has come of it so far."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from hostwatch.core import exercising
from hostwatch.core.exercise import Exercise, Exercises
from hostwatch.core.notices import Notices
from hostwatch.core.world import World
from hostwatch.store import answers, exercises, present

_FILED = "SELECT seq, body, leaf FROM facts WHERE kind = 'ExerciseEnded' AND happened_at >= ? ORDER BY seq"
_OF = "id IN (SELECT notice FROM notice_exercises WHERE exercise = ?)"


@dataclass(frozen=True, slots=True, kw_only=True)
class Filed:
    """An exercise with what came of it."""

    exercise: Exercise
    results: tuple[Mapping[str, Any], ...]
    why: str = ""
    """Why it ended; empty while it is under way."""

    seq: int | None = None
    """The number of the fact that holds it."""

    leaf: str = ""
    """The hash of that, in hexadecimal: a leaf of the record."""

    digest: str = ""


def latest(db: sqlite3.Connection, limit: int) -> list[Filed]:
    """The last exercises, the latest first."""
    known = exercises.every(db, limit)
    since = min((int(one.opened_at.timestamp() * 1_000_000) for one in known), default=0)
    facts = {}
    for seq, body, leaf in db.execute(_FILED, (since,)):
        said = json.loads(body)
        facts[said["reference"]] = (seq, said, leaf)
    return [_filed(db, one, facts.get(one.reference)) for one in known]


def _filed(db: sqlite3.Connection, one: Exercise, fact: tuple[int, Mapping[str, Any], Any] | None) -> Filed:
    if fact is None:
        return Filed(exercise=one, results=_so_far(db, one))
    seq, said, leaf = fact
    return Filed(
        exercise=one,
        results=tuple(said["results"]),
        why=said["why"],
        seq=seq,
        leaf=leaf.hex() if isinstance(leaf, bytes) else str(leaf),
        digest=said["digest"],
    )


def _so_far(db: sqlite3.Connection, one: Exercise) -> tuple[Mapping[str, Any], ...]:
    notices = present.notices(db, _OF, (one.reference,))
    world = World(
        notices=Notices(notices),
        acknowledged=answers.acknowledged(db, (), notices),
        exercises=Exercises([one]),
    )
    return tuple(exercising.result(world, one))

"""Facts about exercises: that one was begun, to whom, and what came of it. Part of `core.facts`."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from hostwatch.core.fact import Fact


@dataclass(frozen=True, slots=True, kw_only=True)
class ExerciseOpened(Fact):
    """Some people are to be told of nothing, as if it were an emergency. No duty arises by it."""

    reference: str
    due: datetime
    """By when all of them should have been told."""

    people: tuple[str, ...]
    """Who: `customer/contact`."""

    by: str
    """By which kind of channel alone; empty: by their whole ladder."""

    actor: str
    """Who began it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ExerciseEnded(Fact):
    """What came of an exercise. It is evidence that people can be told, and of nothing else."""

    reference: str
    why: str
    """`done`: all have it, or nothing more can be tried; or `time`."""

    results: tuple[dict[str, Any], ...]
    """Of each person what `core.exercising` found."""

    digest: str
    """The SHA-256 of the results in canonical form, in hexadecimal."""

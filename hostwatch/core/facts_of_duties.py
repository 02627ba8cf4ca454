"""Facts about duties to tell: why one was not met, and claims that it is excused. Part of `core.facts`."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from hostwatch.core.fact import Fact


@dataclass(frozen=True, slots=True, kw_only=True)
class BreachExplained(Fact):
    """Why a duty was not met in time, as the record showed it when the breach was recorded."""

    duty: str
    """To a person, or to a customer."""

    reasons: tuple[dict[str, Any], ...]
    """The chain, in the order in which it happened: of each `core.breachreason.Reason`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DutyClaimed(Fact):
    """A person claims that a breach is excused (`colocation C5`). It changes nothing of the duty."""

    claim: str
    duty: str
    """To a customer."""

    excuse: str
    """One of `core.claims.Excuse`."""

    contacts: tuple[str, ...]
    """Of stale data: whose they are."""

    warned: tuple[dict[str, Any], ...]
    """Of these, by which notice the customer had been warned of which way before the verdict, and when."""

    since: datetime | None
    until: datetime | None
    """Of force majeure: how long it lasted, as far as that is said."""

    because: str
    """A commitment to the reason."""

    evidence: tuple[dict[str, Any], ...]
    """Of each file its SHA-256 and size, and a commitment to its name."""

    actor: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ClaimDecided(Fact):
    """A claim was approved or rejected by a second person, or withdrawn."""

    claim: str
    word: str
    """One of `core.claims.Word`."""

    because: str
    """A commitment to the reason; empty if none was given."""

    actor: str

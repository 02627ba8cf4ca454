"""Facts about duties to tell beside their course: why one was not met. Part of `core.facts`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from hostwatch.core.fact import Fact


@dataclass(frozen=True, slots=True, kw_only=True)
class BreachExplained(Fact):
    """Why a duty was not met in time, as the record showed it when the breach was recorded."""

    duty: str
    """To a person, or to a customer."""

    reasons: tuple[dict[str, Any], ...]
    """The chain, in the order in which it happened: of each `core.breachreason.Reason`."""

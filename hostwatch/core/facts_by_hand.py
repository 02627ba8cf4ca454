"""Facts about emergencies by people's word: opened, ended and corrected by hand. Part of `core.facts`."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from hostwatch.core.fact import Fact


@dataclass(frozen=True, slots=True, kw_only=True)
class EmergencyReported(Fact):
    """A person says that devices, or a service of theirs, cannot be used: a verdict by a person (J4)."""

    reference: str
    devices: tuple[str, ...]
    service: str
    """Empty: the devices themselves."""

    customers: tuple[str, ...]
    """Whose they are."""

    since: datetime
    """Since when, as far as they know. What they are surer of are the bounds."""

    earliest: datetime | None
    latest: datetime | None
    told_by: str
    """A commitment to who told us, and how."""

    because: str
    """A commitment to what is seen, in the words that people are told."""

    evidence: tuple[dict[str, Any], ...]
    """Of each file its SHA-256 and size, and a commitment to its name."""

    actor: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportEnded(Fact):
    """A person says that what was reported is over."""

    reference: str
    until: datetime
    because: str
    """A commitment to how that is known."""

    evidence: tuple[dict[str, Any], ...]
    actor: str


@dataclass(frozen=True, slots=True, kw_only=True)
class EmergencyCorrected(Fact):
    """A person says that it was none: a false alarm. It stays on record, and what was measured does."""

    reference: str
    because: str
    """A commitment to the reason, in the words that people are told."""

    evidence: tuple[dict[str, Any], ...]
    actor: str

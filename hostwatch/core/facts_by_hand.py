"""Facts about emergencies by people's word: false alarms that are corrected. Part of `core.facts`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from hostwatch.core.fact import Fact


@dataclass(frozen=True, slots=True, kw_only=True)
class EmergencyCorrected(Fact):
    """A person says that it was none: a false alarm. It stays on record, and what was measured does."""

    reference: str
    because: str
    """A commitment to the reason, in the words that people are told."""

    evidence: tuple[dict[str, Any], ...]
    """Of each file its SHA-256 and size, and a commitment to its name."""

    actor: str

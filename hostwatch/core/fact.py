"""What all facts share. Their kinds are in `core.facts`."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Fact:
    """What all facts share."""

    at: datetime
    """When it happened; the store adds when it was recorded."""

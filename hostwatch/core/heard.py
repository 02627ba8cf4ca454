"""What a source said last, as the world holds it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Heard:
    """What a source said last. When it was asked last, and whether it answered, its own signal knows."""

    source: str
    since: datetime
    """Since when it has said so, in what matters."""

    said: str
    """All its words, with figures that change all the time."""

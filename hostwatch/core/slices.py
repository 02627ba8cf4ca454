"""The evidence of a slice of the schedule: who was looked at in it, and did not answer or could not be."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from hostwatch.core.reading import Reading

SliceKey = tuple[int, int]
"""Schedule version and slice number."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """One target in the evidence of a slice that did not answer, or that we could not look at."""

    signal: str
    at: datetime
    why: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Slice:
    """Evidence that we looked: whoever was due and is in neither list answered, once it is closed."""

    version: int
    number: int
    missed: tuple[Seen, ...] = ()
    unknown: tuple[Seen, ...] = ()
    closed_at: datetime | None = None
    """None: the slice is open, or was lost with a crash, and proves only its two lists."""

    latencies: bytes = b""
    """Two bytes for each target that was due, in that order (`core.latency`); empty while it is open."""

    @property
    def key(self) -> SliceKey:
        """What tells the slice from others."""
        return self.version, self.number


def seen(reading: Reading) -> Seen:
    """A reading as an entry of a slice's evidence."""
    return Seen(signal=reading.signal, at=reading.at, why=reading.why)

"""What every heartbeat is: one way to tell somebody outside that the watch is well.

A heartbeat's module holds three things: `Settings`, the pydantic model of what is written about it; `EVERY`,
how often it beats unless somebody says otherwise; and `build(settings, surroundings)`, which makes the `Way`
or raises `channels.base.Unusable`. A way raises `channels.base.Failed` or `Refused` if nobody took it.
What is said holds no personal data: no name, no address, no customer.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from datetime import datetime

from hostwatch.channels.base import Failed as Failed
from hostwatch.channels.base import Refused as Refused
from hostwatch.channels.base import Surroundings as Surroundings
from hostwatch.channels.base import Unusable as Unusable

WORDS_MAX_CHARS = 2_000
"""The longest text that leaves with a beat."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Beat:
    """What is said of the watch at one moment."""

    at: datetime
    site: str
    version: str
    lines: tuple[str, ...] = ()
    """How it is, a line for each thing; fixed words and numbers alone."""

    @property
    def text(self) -> str:
        """All of it, bounded."""
        first = f"hostwatch {self.version} at {self.site}, {self.at:%Y-%m-%d %H:%M:%S}Z"
        return "\n".join((first, *self.lines))[:WORDS_MAX_CHARS] + "\n"


class Way(ABC):
    """One way to somebody outside."""

    tells_trouble: bool = False
    """Whether it can say that the watch is not well; else it is silent then, and that says it."""

    @abstractmethod
    async def beat(self, beat: Beat) -> str:
        """Say that the watch is well; what the other side answered."""

    async def fail(self, beat: Beat) -> str:
        """Say that it is not, if `tells_trouble`."""
        raise NotImplementedError

    async def start(self, beat: Beat) -> str:
        """Say that the watch has started; nothing, where that is not asked for."""
        return ""

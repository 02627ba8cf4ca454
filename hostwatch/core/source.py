"""A source: something that is asked again and again what it knows, of power or of ports.

It is a signal of its own, which answers or is unknown, and never misses: that it says nothing is nobody's
outage. What it says is heard by `core.hearing` and is a fact whenever it is another than before.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from hostwatch.core.schedule import Target

PREFIX: Final = "source:"
"""Begins the names of all signals of sources; no device can be named so."""

METHOD: Final = "source"
"""How a source's target is looked at."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """One of them. How it is asked stands in the configuration."""

    id: str
    kind: str
    """The room and the kind: `power/nut`, `ports/snmp`."""

    interval: timedelta = timedelta(seconds=10)
    """Time between two readings."""

    def signal(self, vantage: str) -> str:
        """The name of its signal."""
        return f"{PREFIX}{self.id}/read@{vantage}"

    def target(self, vantage: str) -> Target:
        """Its place in the schedule: all sources have one phase, so that a round is together."""
        return Target(
            signal=self.signal(vantage), address="", interval=self.interval, method=METHOD, phased_by=PREFIX
        )


def named(name: str) -> str | None:
    """The source that a signal is of; None for any other signal."""
    return name.removeprefix(PREFIX).partition("/")[0] if name.startswith(PREFIX) else None

"""A source: something that is asked again and again what it knows, of power or of ports.

It is a signal of its own, which answers or is unknown, and never misses: that it says nothing is nobody's
outage. What it says is heard by `core.hearing` and is a fact whenever it is another than before.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from functools import lru_cache
from typing import Final

from hostwatch.core.schedule import Target
from hostwatch.core.terms import AgreementTerms

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

    @property
    def room(self) -> str:
        """What it speaks of: `power`, `ports`."""
        return self.kind.partition("/")[0]

    @property
    def terms(self) -> AgreementTerms:
        """How it is watched. It is never missed: there is nothing to count."""
        return _terms(self.interval)

    def signal(self, vantage: str) -> str:
        """The name of its signal."""
        return signal_of(self.id, vantage)

    def signals(self, vantage: str) -> tuple[str, ...]:
        """All of them: its own alone."""
        return (self.signal(vantage),)

    def target(self, vantage: str) -> Target:
        """Its place in the schedule: all sources have one phase, so that a round is together."""
        return Target(
            signal=self.signal(vantage), address="", interval=self.interval, method=METHOD, phased_by=PREFIX
        )

    def targets(self, vantage: str) -> tuple[Target, ...]:
        """All its places in the schedule."""
        return (self.target(vantage),)


@lru_cache(maxsize=64)
def _terms(interval: timedelta) -> AgreementTerms:
    return AgreementTerms(interval=interval)


def signal_of(source: str, vantage: str) -> str:
    """The name of a source's signal."""
    return f"{PREFIX}{source}/read@{vantage}"


def named(name: str) -> str | None:
    """The source that a signal is of; None for any other signal."""
    return name.removeprefix(PREFIX).partition("/")[0] if name.startswith(PREFIX) else None

"""A switch, or a gateway of a room: what devices hang on by their ports, as a signal of its own.

It is pinged like a device, and is nobody's: its silence obliges nobody by itself. When those who hang on it
fall silent with it, there is one outage for all of them, and it is that of the operator's network.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta
from typing import Final

from hostwatch.core.schedule import Target
from hostwatch.core.terms import AgreementTerms

PREFIX: Final = "switch:"
"""Begins the names of all signals of switches; no device can be named so."""

TERMS: Final = AgreementTerms(interval=timedelta(minutes=1), misses=2)


@dataclass(frozen=True, slots=True, kw_only=True)
class Switch:
    """One of them."""

    id: str
    name: str
    address: str
    behind: str = ""
    """The switches that it hangs on itself, as an expression: `any(core-1,core-2)`; empty: nobody said."""

    uplink: str | None = None
    feeds: str = ""
    """The power feeds that it hangs on, as an expression; empty: nobody said."""

    terms: AgreementTerms = field(default=TERMS)

    def signal(self, vantage: str) -> str:
        """The name of its signal."""
        return signal_of(self.id, vantage)

    def signals(self, vantage: str) -> tuple[str, ...]:
        """All of them: its own alone."""
        return (self.signal(vantage),)

    def target(self, vantage: str) -> Target:
        """Its place in the schedule."""
        return Target(signal=self.signal(vantage), address=self.address, interval=self.terms.interval)

    def targets(self, vantage: str) -> tuple[Target, ...]:
        """All its places in the schedule."""
        return (self.target(vantage),)


def signal_of(switch: str, vantage: str) -> str:
    """The name of a switch's signal."""
    return f"{PREFIX}{switch}/ping@{vantage}"


def named(name: str) -> str | None:
    """The switch that a signal is of; None for any other signal."""
    return name.removeprefix(PREFIX).partition("/")[0] if name.startswith(PREFIX) else None

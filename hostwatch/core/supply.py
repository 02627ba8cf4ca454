"""A supply: the power that some devices were promised, as a signal of its own.

Devices whose feeds come to the same at the agreement's measuring point share one supply. It is down while
the power is interrupted by the agreement's rule, and unknown while that cannot be said (`colocation C2`). Its
readings follow from those of sources, round by round.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta
from typing import Final

from hostwatch.core.terms import AgreementTerms

PREFIX: Final = "supply:"
"""Begins the names of all signals of supplies; no device can be named so."""

UNUSED: Final = "nothing hangs on it any more"
"""Why the silence of a supply is cut: there is one only as long as a device hangs on it."""

TERMS: Final = AgreementTerms(interval=timedelta(seconds=10), misses=2)
"""Two readings at 10 s, unless the agreement says otherwise."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Supply:
    """The power that some devices were promised."""

    id: str
    """What it hangs on, as an expression over elements of the power model: `any(ups-a,ups-b)`."""

    measured_at: str = "source"
    """`source`: by the words of the agreement. `outlet`: what reaches the customer."""

    terms: AgreementTerms = field(default=TERMS)

    def signal(self, vantage: str) -> str:
        """The name of its signal."""
        return signal_of(self.id, vantage)

    def signals(self, vantage: str) -> tuple[str, ...]:
        """All of them: its own alone."""
        return (self.signal(vantage),)


def signal_of(supply: str, vantage: str) -> str:
    """The name of a supply's signal."""
    return f"{PREFIX}{supply}/power@{vantage}"


def named(name: str) -> str | None:
    """The supply that a signal is of; None for any other signal."""
    return name.removeprefix(PREFIX).rpartition("/")[0] if name.startswith(PREFIX) else None

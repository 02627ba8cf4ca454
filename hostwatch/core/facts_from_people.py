"""Facts about what people said and did themselves: who has an emergency. Part of `core.facts`."""

from __future__ import annotations

from dataclasses import dataclass

from hostwatch.core.fact import Fact


@dataclass(frozen=True, slots=True, kw_only=True)
class Acknowledged(Fact):
    """A person said "I have it". The ladder to them stops; the outage goes on."""

    reference: str
    customer: str
    contact: str
    """Which of the customer's contacts; empty if it is none of them."""

    who: str
    """A commitment to the name."""

    how: str
    """By which way it came to us (`core.acknowledgement.How`)."""

    actor: str
    """Who recorded it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AcknowledgementWithdrawn(Fact):
    """They do not have it after all: the ladders of the others go on."""

    reference: str
    customer: str
    contact: str
    who: str
    actor: str
    because: str
    """A commitment to the reason."""

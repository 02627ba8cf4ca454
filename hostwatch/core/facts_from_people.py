"""Facts about what people said and did: who has an emergency, which calls were made. Part of `core.facts`."""

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


@dataclass(frozen=True, slots=True, kw_only=True)
class CallTaken(Fact):
    """A person of the operator's is about to make a call of the call sheet."""

    notice: str
    number: int
    """Of the attempt."""

    by: str
    """A commitment to their name."""

    actor: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CallReturned(Fact):
    """They took it and did not say what came of it: it is anybody's again."""

    notice: str
    number: int
    by: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CallEnded(Fact):
    """What came of a call."""

    notice: str
    number: int
    outcome: str
    """One of `core.calls.Outcome`."""

    to: str
    """A commitment to the name of whom they spoke to; empty if to nobody."""

    acknowledged: bool
    """Whether who they spoke to said that they have it."""

    by: str
    evidence: str
    """`independent`, where there is a reference that others keep, or `stated by operator`."""

    reference: str
    """A commitment to that: a record of the exchange, a recording, a report of the fax machine."""

    actor: str

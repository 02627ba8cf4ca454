"""Facts about contact data: which ways lead to whom, and whether that is proven. Part of `core.facts`."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from hostwatch.core.fact import Fact


@dataclass(frozen=True, slots=True, kw_only=True)
class ContactWays(Fact):
    """By these ways a contact is told from now on; none: they are no contact any more."""

    customer: str
    contact: str
    ways: tuple[dict[str, Any], ...]
    """Of each: `way`, what it leads to as a hash under our own key; `channel`; `address`, a commitment;
    `kept`, a commitment to what it is made of, or empty; `reads`, whether a person reads what goes there."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ContactChanged(Fact):
    """The ways of a contact were changed, and those who are known were told so."""

    customer: str
    contact: str
    lost: tuple[str, ...]
    gained: tuple[str, ...]
    asked: tuple[dict[str, Any], ...]
    """Who may confirm it: of each `notice`, `whose`, `way`, and `code`, a hash under our own key."""

    until: datetime
    """Until when a code confirms it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ContactChangeConfirmed(Fact):
    """Somebody with the right to change contacts said, from a way that was known, that it was meant so."""

    customer: str
    contact: str
    whose: str
    """The contact who said so."""

    way: str
    who: str
    """A commitment to the name."""

    actor: str


@dataclass(frozen=True, slots=True, kw_only=True)
class WayAsked(Fact):
    """A code was sent by a way, to be told back to us."""

    customer: str
    contact: str
    way: str
    notice: str
    code: str
    """A hash of it, under our own key."""

    until: datetime
    why: str
    """`asked by operator`, `due`, `changed` or `reminder`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CodeWrong(Fact):
    """Somebody told a code that none was asked for: of each that is open there is one try less."""

    customer: str
    contact: str
    actor: str


@dataclass(frozen=True, slots=True, kw_only=True)
class WayVerified(Fact):
    """A way leads to the person: they told us what went by it, or answered it."""

    customer: str
    contact: str
    way: str
    how: str
    """One of `core.verification.How`."""

    who: str
    """A commitment to the name, where one was told."""

    actor: str


@dataclass(frozen=True, slots=True, kw_only=True)
class WayFailed(Fact):
    """What was sent to verify a way came to nothing."""

    customer: str
    contact: str
    way: str
    notice: str
    why: str
    """`refused`, `returned`, `not taken` or `not answered`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ContactWarned(Fact):
    """The customer was told, by another way, that one fails. Only from then on are their data stale."""

    customer: str
    contact: str
    way: str
    notice: str
    told: str
    """The contact who was told."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ContactWarningReturned(Fact):
    """The notice by which a customer was told so was given back: by it nobody was warned."""

    customer: str
    contact: str
    way: str
    notice: str

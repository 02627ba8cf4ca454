"""Whether the ways to a contact lead there, as the record says: a pure account of facts about contact data.

A way is known by what it leads to, as a hash under our own key: so it is the same whoever relays what we
send, and another as soon as the address is. One that is not verified is used all the same, and marked.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final

from hostwatch.core.fact import Fact
from hostwatch.core.facts_of_contacts import (
    CodeWrong,
    ContactChangeConfirmed,
    ContactChanged,
    ContactWarned,
    ContactWarningReturned,
    ContactWays,
    WayAsked,
    WayFailed,
    WayVerified,
)

CODE_FOR: Final = timedelta(hours=24)
"""How long a code that verifies a way is good."""

CHANGE_FOR: Final = timedelta(days=7)
"""How long one that confirms a change is good: people are away."""

TRIES_MAX: Final = 5
"""Wrong codes for a contact until those that are open are worth nothing."""

FACTS: Final = (
    ContactWays,
    ContactChanged,
    ContactChangeConfirmed,
    WayAsked,
    CodeWrong,
    WayVerified,
    WayFailed,
    ContactWarned,
    ContactWarningReturned,
)
"""The facts of which this is an account."""


class State(StrEnum):
    """How it stands with a way."""

    UNVERIFIED = "unverified"
    ASKED = "asked"
    VERIFIED = "verified"
    FAILED = "failed"


class How(StrEnum):
    """By what a way was verified."""

    CODE = "code"
    LINK = "link"
    REPLY = "reply"
    CALL = "call"
    EMERGENCY = "emergency"
    """They acknowledged, by it, that they were told of an emergency."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """A way as it was recorded."""

    way: str
    channel: str
    address: str
    """A commitment."""

    kept: str = ""
    """A commitment to what it is made of; empty if that is a secret."""

    reads: bool = True
    """Whether a person reads what goes there: else there is nobody who could answer."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """How it stands with one way of a contact."""

    customer: str
    contact: str
    known: Known
    since: datetime
    changed: bool = False
    """Whether it was put in while others were known: then somebody may have meant no good."""

    notice: str = ""
    """By which it was asked last."""

    code: str = ""
    """The hash of what is to be told back; empty if nothing is."""

    asked_at: datetime | None = None
    until: datetime | None = None
    asks: int = 0
    """How often it was asked since it was verified, or failed."""

    wrong: int = 0
    verified_at: datetime | None = None
    how: str = ""
    failed_at: datetime | None = None
    why: str = ""
    warned: tuple[tuple[str, datetime], ...] = ()
    """The notices by which the customer was told, by other ways, that it fails, and when."""

    @property
    def state(self) -> State:
        """What is known last."""
        if self.failed_at is not None:
            return State.FAILED
        if self.code:
            return State.ASKED
        return State.UNVERIFIED if self.verified_at is None else State.VERIFIED

    @property
    def warned_at(self) -> datetime | None:
        """When the customer was told first that it fails, by what was not given back."""
        return self.warned[0][1] if self.warned else None

    @property
    def is_known(self) -> bool:
        """Whether it was verified, and has not failed since."""
        return self.verified_at is not None and self.failed_at is None

    def awaits(self, now: datetime) -> bool:
        """Whether a code may be told back."""
        is_open = self.until is not None and now < self.until and self.wrong < TRIES_MAX
        return bool(self.code) and is_open


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """The ways of a contact were changed."""

    at: datetime
    lost: tuple[str, ...]
    gained: tuple[str, ...]
    asked: tuple[dict[str, str], ...]
    until: datetime
    wrong: int = 0
    confirmed_at: datetime | None = None
    confirmed_by: str = ""

    def awaits(self, now: datetime) -> bool:
        """Whether somebody may still confirm it."""
        return self.confirmed_at is None and now < self.until and self.wrong < TRIES_MAX


Step = WayAsked | WayVerified | WayFailed | ContactWarned | ContactWarningReturned
"""What happens to one way."""

Person = tuple[str, str]
"""Customer and contact."""


class Book:
    """All ways of all contacts. It changes by facts alone: so it can be had of any past instant."""

    def __init__(self, happened: Iterable[Fact] = ()) -> None:
        self._ways: dict[Person, dict[str, Standing]] = {}
        self._changes: dict[Person, Change] = {}
        self._former: dict[Person, dict[str, Known]] = {}
        """The ways that a contact had before the last change."""

        for fact in happened:
            self.take(fact)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Book) and (self._ways, self._changes) == (other._ways, other._changes)

    __hash__ = None  # type: ignore[assignment]  # it changes

    def take(self, fact: Fact) -> None:
        """Something happened. What is not about contact data changes nothing."""
        match fact:
            case ContactWays():
                self._know(fact)
            case ContactChanged():
                self._change(fact)
            case ContactChangeConfirmed():
                self._confirm(fact)
            case CodeWrong():
                self._miss(fact)
            case WayAsked() | WayVerified() | WayFailed() | ContactWarned() | ContactWarningReturned():
                self._step(fact)
            case _:
                pass

    def _know(self, fact: ContactWays) -> None:
        person = fact.customer, fact.contact
        before = self._ways.get(person, {})
        if not fact.ways:
            self._ways.pop(person, None)
            self._changes.pop(person, None)
            self._former.pop(person, None)
            return
        still = {one["way"] for one in fact.ways}
        if lost := {way: one.known for way, one in before.items() if way not in still}:
            self._former[person] = lost
        known = [Known(**{name: one[name] for name in Known.__slots__}) for one in fact.ways]
        self._ways[person] = {
            one.way: replace(before[one.way], known=one)
            if one.way in before
            else Standing(customer=fact.customer, contact=fact.contact, known=one, since=fact.at)
            for one in known
        }

    def _change(self, fact: ContactChanged) -> None:
        person = fact.customer, fact.contact
        mine = self._ways.get(person, {})
        for way in fact.gained:
            if way in mine:
                mine[way] = replace(mine[way], changed=True)
        asked = tuple({name: str(value) for name, value in one.items()} for one in fact.asked)
        self._changes[person] = Change(
            at=fact.at, lost=fact.lost, gained=fact.gained, asked=asked, until=fact.until
        )

    def _confirm(self, fact: ContactChangeConfirmed) -> None:
        change = self._changes.get((fact.customer, fact.contact))
        if change is not None:
            done = replace(change, confirmed_at=fact.at, confirmed_by=fact.whose)
            self._changes[fact.customer, fact.contact] = done

    def _miss(self, fact: CodeWrong) -> None:
        person = fact.customer, fact.contact
        mine, change = self._ways.get(person, {}), self._changes.get(person)
        mine.update((way, replace(one, wrong=one.wrong + 1)) for way, one in mine.items() if one.code)
        if change is not None:
            self._changes[person] = replace(change, wrong=change.wrong + 1)

    def _step(self, fact: Step) -> None:
        mine = self._ways.get((fact.customer, fact.contact), {})
        if fact.way in mine:
            mine[fact.way] = _stepped(mine[fact.way], fact)

    def __iter__(self) -> Iterator[Standing]:
        for mine in self._ways.values():
            yield from mine.values()

    def people(self) -> tuple[Person, ...]:
        """All whose ways are known."""
        return tuple(self._ways)

    def of(self, customer: str, contact: str) -> tuple[Standing, ...]:
        """The ways of a contact, in their order."""
        return tuple(self._ways.get((customer, contact), {}).values())

    def one(self, customer: str, contact: str, way: str) -> Standing | None:
        """One of them."""
        return self._ways.get((customer, contact), {}).get(way)

    def former(self, customer: str, contact: str) -> tuple[Known, ...]:
        """The ways that the last change of a contact's took away."""
        return tuple(self._former.get((customer, contact), {}).values())

    def at(self, customer: str, contact: str, channel: str, address: str) -> Standing | None:
        """The one way that leads to an address; None if several may be meant."""
        found = [
            one
            for one in self.of(customer, contact)
            if (one.known.channel, one.known.address) == (channel, address)
        ]
        return found[0] if len(found) == 1 else None

    def change(self, customer: str, contact: str) -> Change | None:
        """The last change of a contact's ways."""
        return self._changes.get((customer, contact))


def _stepped(one: Standing, fact: Step) -> Standing:
    match fact:
        case WayAsked():
            return replace(
                one,
                notice=fact.notice,
                code=fact.code,
                asked_at=fact.at,
                until=fact.until,
                asks=one.asks + 1,
                wrong=0,
            )
        case WayVerified():
            return replace(
                one,
                verified_at=fact.at,
                how=fact.how,
                code="",
                asks=0,
                failed_at=None,
                why="",
                warned=(),
            )
        case WayFailed():
            return replace(one, failed_at=fact.at, why=fact.why, code="", asks=0)
        case ContactWarned():
            return replace(one, warned=(*one.warned, (fact.notice, fact.at)))
        case ContactWarningReturned():
            return replace(one, warned=tuple(told for told in one.warned if told[0] != fact.notice))


def warned_of(
    happened: Iterable[Fact], customer: str, contact: str, way: str, at: datetime
) -> ContactWarned | None:
    """The fact by which a customer had been warned, at an instant, that a way of a contact fails.

    None if they had not been, or what told them was given back; also if the way was verified since, or is
    used no more. `happened`: the record, in its order, or the facts of `FACTS` alone. Who was not warned has
    no stale data.
    """
    found: dict[str, ContactWarned] = {}
    for fact in happened:
        if fact.at > at or not isinstance(fact, FACTS):
            continue
        if (fact.customer, fact.contact) != (customer, contact):
            continue
        match fact:
            case ContactWarned() if fact.way == way:
                found[fact.notice] = fact
            case ContactWarningReturned() if fact.way == way:
                found.pop(fact.notice, None)
            case WayVerified() if fact.way == way:
                found.clear()
            case ContactWays() if way not in {one["way"] for one in fact.ways}:
                found.clear()
            case _:
                pass
    return next(reversed(found.values()), None)

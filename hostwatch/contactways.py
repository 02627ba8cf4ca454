"""The ways to contacts as people read of them: which are verified, since when, and which fail."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from datetime import datetime
from typing import Any

from hostwatch.contactdata import masked
from hostwatch.core.verification import Book, Standing, State

Personal = Callable[[str], str | None]
"""What a commitment stands for; None if it was erased."""


def of_contact(book: Book, customer: str, contact: str, personal: Personal) -> list[dict[str, Any]]:
    """The ways of one contact, in their order, as plain data; instants are aware UTC."""
    return [_way(one, personal) for one in book.of(customer, contact)]


def change_of(book: Book, customer: str, contact: str) -> dict[str, Any] | None:
    """The last change of them."""
    change = book.change(customer, contact)
    if change is None:
        return None
    return {
        "at": change.at,
        "confirmed_at": change.confirmed_at,
        "confirmed_by": change.confirmed_by or None,
    }


def _way(one: Standing, personal: Personal) -> dict[str, Any]:
    return {
        "channel": one.known.channel,
        "address": masked(personal(one.known.address) or "") if one.known.reads else None,
        "state": one.state.value if one.known.reads else None,
        "since": one.since,
        "asked_at": one.asked_at,
        "verified_at": one.verified_at,
        "how": one.how or None,
        "failed_at": one.failed_at,
        "why": one.why or None,
        "warned_at": one.warned_at,
        "changed": one.changed,
    }


def counted(book: Book) -> dict[str, Any]:
    """How many ways that people read are in which state, and which fail."""
    readable = [one for one in book if one.known.reads]
    return {
        "states": {state.value: sum(one.state is state for one in readable) for state in State},
        "failing": [
            {
                "customer": one.customer,
                "contact": one.contact,
                "channel": one.known.channel,
                "since": one.failed_at,
                "why": one.why,
                "warned_at": one.warned_at,
            }
            for one in readable
            if one.state is State.FAILED
        ],
    }


def lines(found: dict[str, Any], listed_max: int, time: Callable[[datetime | None], str]) -> Iterator[str]:
    """The same for the status, in words."""
    states, failing = found["states"], found["failing"]
    unsure = states[State.UNVERIFIED] + states[State.ASKED]
    if unsure:
        yield f"{unsure:,} ways to contacts are not verified: hostwatch contacts verify asks them"
    for one in failing[:listed_max]:
        warned = f"they were told {time(one['warned_at'])}" if one["warned_at"] else "they were not told yet"
        whom = f"{one['customer']}/{one['contact']}"
        yield f"{whom} is not reached by {one['channel']} since {time(one['since'])}: {one['why']}; {warned}"
    if len(failing) > listed_max:
        yield f"{len(failing) - listed_max:,} more ways fail; --json has all"


def marked(kinds: Iterable[str], ways: list[dict[str, Any]]) -> list[str]:
    """Kinds of channels in the order in which they are tried, each with how its way stands."""
    left = list(ways)
    found = []
    for kind in kinds:
        mine = next((one for one in left if one["channel"] == kind), None)
        if mine is not None:
            left.remove(mine)
        found.append(f"{kind} ({mine['state']})" if mine is not None and mine["state"] else kind)
    return found

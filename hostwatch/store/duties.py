"""Duties to customers as they are kept, with those to their people and with the notices of these."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Final

from hostwatch.core import instant
from hostwatch.core.customerduty import CustomerDuty
from hostwatch.core.emergency import Duty, Notice
from hostwatch.core.fact import Fact
from hostwatch.store import present, rows, versions

AT_ONCE: Final = 100
"""So many are read in one transaction."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Which:
    """Those of an emergency, to a customer, or due in a time; empty or None for all."""

    emergency: str = ""
    customer: str = ""
    since: datetime | None = None
    until: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Kept:
    """A duty to a customer with all that belongs to it."""

    duty: CustomerDuty
    opened_at: datetime
    """Of its emergency: the verdict, or the first of several."""

    people: tuple[Duty, ...]
    notices: tuple[Notice, ...]


Read = Callable[[Callable[[sqlite3.Connection], list[Kept]]], list[Kept]]
"""Does some work in a read transaction of its own."""


def read(transact: Read, which: Which) -> Iterator[Kept]:
    """Those that are asked for, by their deadlines."""
    last = (-(2**62), "", "")
    while found := transact(partial(_page, which, last)):
        yield from found
        latest = found[-1].duty
        last = (instant.micros(latest.due), latest.emergency, latest.customer)


def _page(which: Which, after: tuple[int, str, str], db: sqlite3.Connection) -> list[Kept]:
    where, values = ["(due, emergency, customer) > (?, ?, ?)"], [*after]
    asked = {
        "emergency = ?": which.emergency or None,
        "customer = ?": which.customer or None,
        "due >= ?": rows.us(which.since),
        "due < ?": rows.us(which.until),
    }
    for condition, value in asked.items():
        if value is not None:
            where.append(condition)
            values.append(value)
    query = (
        "SELECT emergency, customer, due, met_at, breached_at, released_at, body FROM customer_duties"
        f" WHERE {' AND '.join(where)} ORDER BY due, emergency, customer LIMIT {AT_ONCE}"
    )
    return [_kept(db, rows.customer_duty(row)) for row in db.execute(query, values).fetchall()]


def _kept(db: sqlite3.Connection, duty: CustomerDuty) -> Kept:
    of_people = "SELECT * FROM duties WHERE emergency = ? AND customer = ? ORDER BY id"
    key = (duty.emergency, duty.customer)
    (opened_at,) = db.execute(
        "SELECT opened_at FROM emergencies WHERE reference = ?", (duty.emergency,)
    ).fetchone()
    people = tuple(rows.duty(row) for row in db.execute(of_people, key).fetchall())
    marks = ", ".join("?" * len(people))
    return Kept(
        duty=duty,
        opened_at=rows.at(opened_at),
        people=people,
        notices=tuple(present.notices(db, f"duty IN ({marks})", [one.id for one in people])),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Owing:
    """What was owed of an emergency, and what was known of the customer's people at the verdict."""

    opened_at: datetime
    duties: tuple[CustomerDuty, ...]
    ways: tuple[Fact, ...]
    """All that is recorded of contact data."""

    needs_warning: bool
    """Whether, by the terms at the verdict, only of who was warned data can be stale."""


def owing(db: sqlite3.Connection, reference: str, customer: str) -> Owing:
    """What was owed of an emergency that there is, to one customer or, if none is named, to all."""
    (opened,) = db.execute("SELECT opened_at FROM emergencies WHERE reference = ?", (reference,)).fetchone()
    query = "SELECT * FROM customer_duties WHERE emergency = ?" + (" AND customer = ?" if customer else "")
    found = db.execute(query, (reference, customer) if customer else (reference,)).fetchall()
    known = db.execute(versions.CUSTOMERS_AT, (opened, opened)).fetchall()
    duties = tuple(map(rows.customer_duty, found))
    people = versions.population("", known).customers
    mine = [people[one.customer].telling for one in duties if one.customer in people]
    return Owing(
        opened_at=rows.at(opened),
        duties=duties,
        ways=tuple(present.contact_facts(db)),
        needs_warning=all(one.stale_needs_warning for one in mine),
    )

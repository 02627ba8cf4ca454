"""When nobody is authorised: what a roster leaves open in the time to come, with its dates."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from itertools import pairwise

from hostwatch.configuration.customer import Customer
from hostwatch.configuration.mistake import Wrong
from hostwatch.configuration.model import Configuration
from hostwatch.configuration.people import roster_of
from hostwatch.configuration.zones import zone_of
from hostwatch.core import population
from hostwatch.core.roster import About, Concern, Right
from hostwatch.core.zone import Zone

AHEAD = timedelta(days=400)
"""How far is looked."""

SHOWN_MAX = 3
"""So many dates are written; the others are counted."""

Span = tuple[datetime, datetime]
Found = tuple[str, Wrong]
"""The place, as `Mistake.key`, and what is open there."""


def gaps(configuration: Configuration, now: datetime) -> Iterator[Found]:
    """What is open from now on, of all customers of whom anything was written."""
    for customer in configuration.customers:
        roster = roster_of(configuration, customer)
        if roster.people:
            known = population.Customer(
                id=customer.id,
                contacts=tuple(one.id for one in customer.contacts),
                telling=configuration.telling_of(customer),
                roster=roster,
            )
            yield from _of_customer(customer, known, zone_of(configuration.timezone_of(customer)), now)


def _of_customer(
    written: Customer, customer: population.Customer, zone: Zone, now: datetime
) -> Iterator[Found]:
    place = f"customers[{customer.id}]"
    until = now + AHEAD
    marks = [now, *customer.roster.changes(now, until), until]

    def when(is_open: Callable[[datetime], bool]) -> list[Span]:
        return _merged((a, b) for a, b in pairwise(marks) if is_open(a))

    nobody = when(lambda at: not customer.authorised(at))
    if nobody:
        mend = "let a deputy or somebody of a rotation be there: else nobody is told"
        yield f"{place}.contacts", Wrong(f"nobody is authorised {_shown(nobody, zone)}", mend)
    for concern in Concern:
        spans = when(lambda at: not customer.authorised(at, About(concern=concern)))  # noqa: B023 - at once
        if spans != nobody:
            mend = "bind somebody to it who is there, or remove a for:"
            yield f"{place}.contacts", Wrong(f"nobody is told of {concern} {_shown(spans, zone)}", mend)
    yield from _of_devices(place, written, customer)
    for contact in customer.roster.people:
        for one in contact.away if contact.deputy else ():
            left = when(lambda at: one.holds(at) and not _is_held(customer, contact.id, at))  # noqa: B023
            if left and not contact.on_call and Right.TOLD in contact.rights:
                wrong = Wrong(f"nobody stands in {_shown(left, zone)}", "name a deputy who is there then")
                yield f"{place}.contacts[{contact.id}].deputy", wrong
    for name in customer.telling.named:
        spans = when(lambda at: not _is_held(customer, name, at))  # noqa: B023
        if spans:
            mend = "meanwhile all who are authorised count; name a rotation, or a deputy"
            wrong = Wrong(f"{name} is not authorised {_shown(spans, zone)}", mend)
            yield f"{place}.terms.told", wrong


def _of_devices(place: str, written: Customer, customer: population.Customer) -> Iterator[Found]:
    for device in written.devices:
        about = About(concern=Concern.CONNECTIVITY, device=device.id, services=tuple(device.services))
        shared = About(concern=Concern.CONNECTIVITY)
        if customer.hears_of(shared) and not customer.hears_of(about):
            wrong = Wrong("nobody is told when it falls silent", "bind somebody to it, or remove a for:")
            yield f"{place}.devices[{device.id}]", wrong


def _is_held(customer: population.Customer, name: str, at: datetime) -> bool:
    """Whether the place of a contact or a rotation is taken by somebody."""
    return any(name in (one.who, one.place.id, one.rotation) for one in customer.called(at))


def _merged(spans: Iterator[Span]) -> list[Span]:
    found: list[Span] = []
    for since, until in spans:
        if found and found[-1][1] == since:
            since = found.pop()[0]
        found.append((since, until))
    return found


def _shown(spans: list[Span], zone: Zone) -> str:
    texts = [f"from {_text(since, zone)} until {_text(until, zone)}" for since, until in spans[:SHOWN_MAX]]
    more = f", and {len(spans) - SHOWN_MAX} times more" if len(spans) > SHOWN_MAX else ""
    return ", ".join(texts) + more + f" ({zone.name})"


def _text(at: datetime, zone: Zone) -> str:
    day, minute = zone.shown(at)
    return f"{day} {minute // 60:02d}:{minute % 60:02d}"

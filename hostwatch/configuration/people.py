"""From what is written of a customer's people to the roster that the core asks."""

from __future__ import annotations

from collections.abc import Collection

from hostwatch.configuration.customer import Contact, Customer
from hostwatch.configuration.model import Configuration
from hostwatch.configuration.moment import begins, ends, minute_of
from hostwatch.configuration.roster import Absence, Bound, Rotation, Validity
from hostwatch.configuration.zones import zone_of
from hostwatch.core import roster, rotation
from hostwatch.core.quiet import Quiet
from hostwatch.core.zone import Zone


def roster_of(configuration: Configuration, customer: Customer) -> roster.Roster:
    """Who of a customer's people is authorised when; says nothing where all of them always are, to all."""
    zone = zone_of(configuration.timezone_of(customer))
    taking = {name for one in customer.rotations for name in _named_in(one)}
    people = tuple(_person(contact, zone, taking, customer) for contact in customer.contacts)
    plain = tuple(roster.Person(id=contact.id) for contact in customer.contacts)
    if people == plain and not customer.rotations:
        return roster.NOBODY_SAID
    return roster.Roster(people=people, rotations=tuple(_rotation(one, zone) for one in customer.rotations))


def _named_in(written: Rotation) -> Collection[str]:
    return {*written.people, *(one.who for one in written.instead)}


def _person(contact: Contact, zone: Zone, taking: Collection[str], customer: Customer) -> roster.Person:
    when = contact.when or ("on-call" if contact.id in taking else "always")
    return roster.Person(
        id=contact.id,
        valid=between(contact.valid, zone),
        away=tuple(between(one, zone) for one in contact.away),
        deputy=contact.deputy or "",
        on_call=when == "on-call",
        bound=roster.EVERYTHING if contact.bound is None else _bound(contact.bound, customer),
        rights=contact.rights,
    )


def between(written: Validity | Absence, zone: Zone) -> roster.Between:
    """The stretch of time that is meant."""
    since = None if written.from_ is None else begins(written.from_, zone)
    until = None if written.until is None else ends(written.until, zone)
    return roster.Between(since=since, until=until)


def quiet_of(configuration: Configuration, customer: Customer, contact: Contact) -> Quiet | None:
    """When channels of a contact rest."""
    if contact.quiet is None:
        return None
    return Quiet(
        since=minute_of(contact.quiet.from_),
        until=minute_of(contact.quiet.until),
        kinds=contact.quiet.channels,
        zone=zone_of(configuration.timezone_of(customer)),
    )


def _bound(written: Bound, customer: Customer) -> roster.Bound:
    """With the devices and patterns of its groups in their place."""
    of_groups = (one for name in written.groups for one in customer.groups.get(name, ()))
    devices = tuple(dict.fromkeys((*written.devices, *of_groups)))
    return roster.Bound(devices=devices, services=written.services, concerns=written.kinds)


def _rotation(written: Rotation, customers: Zone) -> rotation.Rotation:
    zone = customers if written.timezone is None else zone_of(written.timezone)
    return rotation.Rotation(
        id=written.id,
        people=written.people,
        begins=written.from_,
        minute=minute_of(written.at),
        days=written.days,
        zone=zone,
        instead=tuple(
            rotation.Instead(who=one.who, since=begins(one.from_, zone), until=ends(one.until, zone))
            for one in written.instead
        ),
    )

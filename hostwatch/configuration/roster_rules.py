"""Rules about who is authorised when: names that nobody has, ends before beginnings, two on call at once."""

from __future__ import annotations

import difflib
from collections.abc import Collection, Iterator, Sequence
from itertools import pairwise

from hostwatch.configuration.customer import Contact, Customer
from hostwatch.configuration.duration import shown
from hostwatch.configuration.mistake import Wrong
from hostwatch.configuration.model import Configuration
from hostwatch.configuration.moment import begins, ends
from hostwatch.configuration.place import Finding, Steps
from hostwatch.configuration.roster import Absence, Bound, Instead, Rotation, Validity
from hostwatch.configuration.zones import zone_of
from hostwatch.core.roster import Right, fits
from hostwatch.core.zone import Zone


def mistakes(number: int, customer: Customer, configuration: Configuration) -> Iterator[Finding]:
    """What cannot be meant of a customer's people."""
    zone = zone_of(configuration.timezone_of(customer))
    told = [one.id for one in customer.contacts if Right.TOLD in one.rights]
    known = [one.id for one in customer.contacts]
    yield from _of_groups(("customers", number, "groups"), customer, configuration)
    for place, contact in enumerate(customer.contacts):
        here: Steps = ("customers", number, "contacts", place)
        yield from _of_contact(here, contact, known, told, zone)
        yield from _of_ladder(here, contact, customer, configuration)
        if contact.bound is not None:
            yield from _of_bound((*here, "for"), contact.bound, customer, configuration)
    for place, rotation in enumerate(customer.rotations):
        own = zone if rotation.timezone is None else zone_of(rotation.timezone)
        yield from _of_rotation(("customers", number, "rotations", place), rotation, known, told, own)


def _of_contact(
    here: Steps, contact: Contact, known: Sequence[str], told: Collection[str], zone: Zone
) -> Iterator[Finding]:
    yield from _is_backwards((*here, "valid"), contact.valid, zone)
    for place, away in enumerate(contact.away):
        yield from _is_backwards((*here, "away", place), away, zone)
    if contact.deputy == contact.id:
        yield (*here, "deputy"), Wrong("is the contact themselves", "name somebody else, or remove it")
    elif contact.deputy is not None:
        yield from _of_name((*here, "deputy"), contact.deputy, known, told)


def _of_ladder(
    here: Steps, contact: Contact, customer: Customer, configuration: Configuration
) -> Iterator[Finding]:
    if contact.quiet is not None and customer.terms.quiet_hours != "allowed":
        mend = "write quiet_hours: allowed under terms: if the agreement does, or remove them"
        yield (*here, "quiet"), Wrong("are quiet hours that the agreement does not allow", mend)
    within = customer.terms.notice_within or configuration.notices.within
    for place, rung in enumerate(contact.channels):
        if rung.wait is not None and rung.wait >= within:
            wrong = f"is not less than the time to tell ({shown(within)})"
            yield (*here, "channels", place, "wait"), Wrong(wrong, "write less: another try must be possible")


def _is_backwards(here: Steps, stretch: Validity | Absence | Instead, zone: Zone) -> Iterator[Finding]:
    if stretch.from_ is None or stretch.until is None:
        return
    if ends(stretch.until, zone) <= begins(stretch.from_, zone):
        yield (*here, "until"), Wrong("is not after from", "write when it ends")


def _of_name(here: Steps, name: str, known: Sequence[str], told: Collection[str]) -> Iterator[Finding]:
    if name not in known:
        yield here, _unknown(name, known, "contact of the customer")
    elif name not in told:
        yield here, Wrong("has not the right to be told", "add told to their rights, or name somebody else")


def _unknown(name: str, known: Sequence[str], what: str) -> Wrong:
    near = difflib.get_close_matches(name, known, 1)
    return Wrong(f"names no {what}", f"did you mean {near[0]}?" if near else f"write the id of a {what}")


def _of_groups(here: Steps, customer: Customer, configuration: Configuration) -> Iterator[Finding]:
    """Whom a group names must be there; in inventories they may be."""
    devices = [device.id for device in customer.devices]
    for name, patterns in customer.groups.items():
        if not patterns:
            yield (*here, name), Wrong("has no devices", "write ids of devices, or patterns, or remove it")
        for place, one in enumerate(patterns):
            if configuration.inventory or any(fits(device, one) for device in devices):
                continue
            if "*" in one:
                wrong = Wrong("fits no device of the customer", "correct it, or remove it")
                yield (*here, name, place), wrong
            else:
                yield (*here, name, place), _unknown(one, devices, "device of the customer")


def _of_bound(
    here: Steps, bound: Bound, customer: Customer, configuration: Configuration
) -> Iterator[Finding]:
    devices = [device.id for device in customer.devices]
    for place, name in enumerate(bound.devices):
        if name not in devices and not configuration.inventory:
            yield (*here, "devices", place), _unknown(name, devices, "device of the customer")
    for place, name in enumerate(bound.groups):
        if name not in customer.groups:
            yield (
                (*here, "groups", place),
                _unknown(name, [*customer.groups], "group of the customer's devices"),
            )
    services = {*configuration.services_of(customer)}
    services.update(name for device in customer.devices for name in device.services)
    for place, name in enumerate(bound.services):
        if name not in services:
            yield (*here, "services", place), _unknown(name, sorted(services), "service")


def _of_rotation(
    here: Steps, rotation: Rotation, known: Sequence[str], told: Collection[str], zone: Zone
) -> Iterator[Finding]:
    for place, name in enumerate(rotation.people):
        yield from _of_name((*here, "people", place), name, known, told)
    spans = []
    for place, one in enumerate(rotation.instead):
        yield from _of_name((*here, "instead", place, "who"), one.who, known, told)
        yield from _is_backwards((*here, "instead", place), one, zone)
        spans.append((begins(one.from_, zone), ends(one.until, zone), place))
    for (_, until, _), (since, _, place) in pairwise(sorted(spans)):
        if since < until:
            wrong = Wrong("begins while another takes over", "only one is on call: write when which ends")
            yield (*here, "instead", place, "from"), wrong

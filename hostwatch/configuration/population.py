"""From the configuration to the population that the core judges: no names, no ways to reach people."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from hostwatch.configuration.customer import Device
from hostwatch.configuration.house import fixtures, house_of
from hostwatch.configuration.model import Configuration
from hostwatch.configuration.people import roster_of
from hostwatch.configuration.service import Service as Written
from hostwatch.configuration.uplink import Uplink
from hostwatch.core import device as device_
from hostwatch.core import population, uplink, uplinkgroup
from hostwatch.core.place import Place
from hostwatch.core.service import Service
from hostwatch.core.warned import Planned, Planning

NOTHING: Mapping[str, Service] = {}


def population_of(
    configuration: Configuration, supplies: Iterable[str] = (), uplinks: Iterable[str] = ()
) -> population.Population:
    """Everybody and everything that the configuration names.

    With the supplies of devices in inventories, and the uplinks, or redundancy groups, that these are behind.
    """
    customers, devices, house = {}, {}, house_of(configuration)
    for customer in configuration.customers:
        customers[customer.id] = population.Customer(
            id=customer.id,
            contacts=tuple(contact.id for contact in customer.contacts),
            terms=configuration.terms_of(customer),
            telling=configuration.telling_of(customer),
            roster=roster_of(configuration, customer),
        )
        uplink, offered = configuration.uplink_of(customer), offers(configuration.services_of(customer))
        at = configuration.measured_at(customer)
        for device in customer.devices:
            place = house.place(device.rack, device.feeds, device.ports, at)
            devices[device.id] = device_of(customer.id, device, uplink, offered, place)
    wanted = {one.place.supply for one in devices.values() if one.place and one.place.supply}
    named = {*uplinks, *(one.uplink for one in devices.values() if one.uplink is not None)}
    named.update(one.uplink for one in configuration.network.switches if one.uplink is not None)
    return population.Population(
        vantage=configuration.site.vantage,
        customers=customers,
        devices=devices,
        uplinks=_uplinks(configuration, named),
        operator=configuration.operator or "",
        **fixtures(configuration, house, wanted.union(supplies)),
    )


def planning_of(configuration: Configuration) -> Planning:
    """What the configuration says of early warnings."""
    power = configuration.power
    return Planning(
        runtime_low=power.runtime_low,
        untaken_after=configuration.notices.untaken_after,
        planned=tuple(
            Planned(element=one.element, since=one.from_, until=one.until, what=one.what)
            for one in power.planned
        ),
        sees_gateway=bool(configuration.sight.addresses),
        sees_beyond=bool(configuration.sight.beacons),
    )


def _uplinks(configuration: Configuration, named: Iterable[str]) -> dict[str, uplink.Uplink]:
    """The uplinks, and the redundancy groups that anything is behind: each expression once."""
    found = {one.id: _uplink(configuration, one) for one in configuration.uplinks}
    groups = ((name, uplink.parsed(name)) for name in sorted({*named} - found.keys()))
    return {**found, **{name: uplinkgroup.of(whole, found) for name, whole in groups if whole.parts}}


def _uplink(configuration: Configuration, written: Uplink) -> uplink.Uplink:
    return uplink.Uplink(
        id=written.id,
        name=written.name,
        references=tuple(str(address) for address in written.references),
        quorum=written.needed,
        terms=configuration.uplink_terms(written),
    )


def offers(defined: Mapping[str, Written]) -> dict[str, Service]:
    """Services that devices may name, as the core knows them."""
    return {name: one.named(name) for name, one in defined.items()}


def device_of(
    customer: str,
    device: Device,
    uplink: str | None,
    offered: Mapping[str, Service] = NOTHING,
    place: Place | None = None,
) -> device_.Device:
    """A device as the core knows it, from its settings; `uplink` is its customer's.

    `offered`: the services that it may name. Raises `KeyError` for a name that is none of them.
    """
    named = sorted(device.services.items())
    return device_.Device(
        id=device.id,
        customer=customer,
        address=str(device.address),
        state=device.state,
        waiver=device.waiver,
        uplink=device.uplink or uplink,
        method=device.looked_at,
        services=tuple(offered[name] if own is None else own.named(name) for name, own in named),
        place=place,
    )

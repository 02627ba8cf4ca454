"""Whom and what we watch at one moment: customers, their contacts and devices, and our uplinks.

Values only. Names and addresses of people are not here: a contact is an identifier, and how to
reach it stays with the configuration.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any, Final

from hostwatch.core import source as sources_
from hostwatch.core import supply as supplies_
from hostwatch.core import switch as switches_
from hostwatch.core.behind import Behind, Group
from hostwatch.core.device import Device, State, targets
from hostwatch.core.element import Element
from hostwatch.core.hanging import Hanging, ports_in, way
from hostwatch.core.roster import NOBODY_SAID, About, Called, Person, Right, Roster
from hostwatch.core.schedule import Target
from hostwatch.core.service import Service, ending
from hostwatch.core.source import Source
from hostwatch.core.supply import Supply
from hostwatch.core.switch import Switch
from hostwatch.core.terms import AgreementTerms, TellingTerms
from hostwatch.core.uplink import Uplink, named
from hostwatch.core.witnesses import Witnesses


@dataclass(frozen=True, slots=True, kw_only=True)
class Customer:
    """Who is owed what. `contacts` are all of their people, in the configured order."""

    id: str
    contacts: tuple[str, ...] = ()
    terms: AgreementTerms = field(default_factory=AgreementTerms)
    telling: TellingTerms = field(default_factory=TellingTerms)
    roster: Roster = NOBODY_SAID
    """Which of them is authorised when, and to hear of what."""

    def called(self, at: datetime, about: About | None = None) -> tuple[Called, ...]:
        """Who is authorised at an instant, to hear of something or at all, and why."""
        if self.roster.people:
            return self.roster.called(at, about)
        return tuple(Called(who=one, place=Person(id=one)) for one in self.contacts)

    def authorised(self, at: datetime, about: About | None = None) -> tuple[str, ...]:
        """The same people, each once, in the configured order."""
        called = {one.who for one in self.called(at, about)}
        return tuple(one for one in self.contacts if one in called)

    def holding(self, right: Right, at: datetime) -> tuple[str, ...]:
        """Who of them holds a right at an instant."""
        if self.roster.people:
            return self.roster.holding(right, at)
        return self.contacts if right is Right.TOLD else ()

    def counting(self, at: datetime, about: About | None = None) -> tuple[str, ...]:
        """Those of them who count, that the customer was told.

        Where the agreement names some, these, who stands in for them, and who is on call in a rotation that
        it names; where none of these is authorised at the instant, all who are.
        """
        named = {*self.telling.named}
        called = {one.who for one in self.called(at, about) if named & {one.who, one.place.id, one.rotation}}
        return tuple(one for one in self.contacts if one in called) or self.authorised(at, about)

    def hears_of(self, about: About) -> bool:
        """Whether any of their people is to hear of something at any time."""
        return self.roster.concerns(about) if self.roster.people else bool(self.contacts)


Fixture = Element | Source | Uplink | Supply | Switch
"""What belongs to the house: nobody's, and watched, if it has signals, for all who depend on it."""

FIXTURES: Final = ("elements", "sources", "uplinks", "supplies", "switches")
"""The kinds of them, as they are called in a population."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Changes:
    """What becomes otherwise in a population: a deed names these, and not everybody."""

    vantage: str | None = None
    """The new vantage point, if there is one. It renames every signal."""

    customers: tuple[Customer, ...] = ()
    """Those who are new or no longer as they were."""

    customers_gone: tuple[str, ...] = ()
    devices: tuple[Device, ...] = ()
    """Those that are new or no longer as they were. Their customers are known, or among `customers`."""

    devices_gone: tuple[str, ...] = ()
    uplinks: tuple[Uplink, ...] = ()
    uplinks_gone: tuple[str, ...] = ()
    supplies: tuple[Supply, ...] = ()
    supplies_gone: tuple[str, ...] = ()
    switches: tuple[Switch, ...] = ()
    switches_gone: tuple[str, ...] = ()
    sources: tuple[Source, ...] = ()
    sources_gone: tuple[str, ...] = ()
    elements: tuple[Element, ...] = ()
    elements_gone: tuple[str, ...] = ()
    operator: str | None = None
    """The customer who is the operator from now on; empty: nobody is."""

    def __len__(self) -> int:
        people = len(self.customers) + len(self.customers_gone) + (self.operator is not None)
        machines = len(self.devices) + len(self.devices_gone)
        return people + machines + sum(len(come) + len(gone) for _, come, gone in self.fixtures())

    def fixtures(self) -> Iterator[tuple[str, tuple[Fixture, ...], tuple[str, ...]]]:
        """What changes of the house itself: the kind, those that come, and the names of those that go."""
        for kind in FIXTURES:
            yield kind, getattr(self, kind), getattr(self, f"{kind}_gone")


@dataclass(slots=True, kw_only=True)
class Population:
    """Everybody and everything at one moment. The world's own changes by `change` only."""

    vantage: str = "main"
    customers: dict[str, Customer] = field(default_factory=dict)
    devices: dict[str, Device] = field(default_factory=dict)
    uplinks: dict[str, Uplink] = field(default_factory=dict)
    supplies: dict[str, Supply] = field(default_factory=dict)
    """What of power some devices were promised, by the names that stand in their places."""

    switches: dict[str, Switch] = field(default_factory=dict)
    sources: dict[str, Source] = field(default_factory=dict)
    elements: dict[str, Element] = field(default_factory=dict)
    """The power model: what power comes by on its way."""

    operator: str = ""
    """The customer whose contacts are the operator's own people; empty: nobody is."""

    _behind: Behind = field(default_factory=Behind, init=False, repr=False, compare=False)
    supplied: Hanging = field(default_factory=Hanging, init=False, repr=False, compare=False)
    """The devices in service on each supply."""

    ways: Hanging = field(default_factory=Hanging, init=False, repr=False, compare=False)
    """The devices in service on each way: on one switch, or on several, as `core.hanging.way` says."""

    _ports: dict[str, dict[str, int]] = field(default_factory=dict, init=False, repr=False, compare=False)
    """By switch, how many devices in service hang on each of its ports."""

    _witnesses: Witnesses | None = field(default=None, init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        for device in self.devices.values():
            self._arrive(device)

    def _arrive(self, device: Device) -> None:
        """A device is there, or is another than before; only what is in service counts."""
        if device.uplink is not None and device.state is State.IN_SERVICE:
            self._behind.add(device.uplink, device.customer, device.id)
        for hanging, what in self._hangs(device):
            hanging.add(what, device.customer, device.id)
        self._count_ports(device, 1)

    def _leave(self, name: str) -> None:
        """A device is about to be another, or gone."""
        before = self.devices.get(name)
        if before is None:
            return
        if before.uplink is not None and before.state is State.IN_SERVICE:
            self._behind.remove(before.uplink, before.customer, name)
        for hanging, what in self._hangs(before):
            hanging.remove(what, before.customer, name)
        self._count_ports(before, -1)

    def _hangs(self, device: Device) -> Iterator[tuple[Hanging, str]]:
        """What a device in service hangs on."""
        if device.place is None or device.state is not State.IN_SERVICE:
            return
        if device.place.supply:
            yield self.supplied, device.place.supply
        if device.place.ports:
            yield self.ways, way(device.place.ports)

    def _count_ports(self, device: Device, more: int) -> None:
        if device.place is None or device.state is not State.IN_SERVICE or not device.place.ports:
            return
        for port in ports_in(device.place.ports):
            switch, _, own = port.partition("/")
            mine = self._ports.setdefault(switch, {})
            mine[own] = mine.get(own, 0) + more
            if not mine[own]:
                del mine[own]

    def ports_of(self, switch: str) -> tuple[str, ...]:
        """The names of a switch's ports that devices in service hang on."""
        return tuple(sorted(self._ports.get(switch, ())))

    def behind(self, uplink: str) -> Iterator[tuple[str, Group]]:
        """By customer, in the order of their names, the devices in service behind an uplink."""
        devices = self.devices.values()
        every = ((d.customer, d.id) for d in devices if d.uplink == uplink and d.state is State.IN_SERVICE)
        return self._behind.of(uplink, every)

    def change(self, changes: Changes) -> None:
        """Make changes, at the cost of what changes."""
        self.vantage = changes.vantage or self.vantage
        self.customers.update((customer.id, customer) for customer in changes.customers)
        for device in changes.devices:
            self._leave(device.id)
            self.devices[device.id] = device
            self._arrive(device)
        for name in changes.devices_gone:
            self._leave(name)
            self.devices.pop(name, None)
        for name in changes.customers_gone:
            self.customers.pop(name, None)
        for kind, come, gone in changes.fixtures():
            mine = getattr(self, kind)
            mine.update((one.id, one) for one in come)
            for name in gone:
                mine.pop(name, None)
        if any((changes.elements, changes.elements_gone, changes.supplies, changes.supplies_gone)):
            self._witnesses = None
        self.operator = self.operator if changes.operator is None else changes.operator

    def changed(self, changes: Changes) -> Population:
        """Another population, with the changes."""
        copies: dict[str, Any] = {
            name: dict(getattr(self, name)) for name in ("customers", "devices", *FIXTURES)
        }
        after = replace(self, **copies)
        after.change(changes)
        return after

    def watched(self) -> Iterator[tuple[str, Device]]:
        """The signals to watch and their devices: those of devices themselves and of their services."""
        for device in self.in_service():
            for signal in device.signals(self.vantage):
                yield signal, device

    def in_service(self) -> Iterator[Device]:
        """The devices that are judged."""
        return (device for device in self.devices.values() if device.state is State.IN_SERVICE)

    def customer_of(self, signal: str) -> str:
        """Whose watched device a signal belongs to; empty for what is no device."""
        device = self.device_of(signal)
        return "" if device is None else device.customer

    def device_of(self, signal: str) -> Device | None:
        """The device in service that a signal is of, itself or by a service, if we watch it from here."""
        suffix = ending(self.vantage)
        if not signal.endswith(suffix):
            found = self.service_of(signal)
            return None if found is None else found[0]
        device = self.devices.get(signal.removesuffix(suffix))
        return device if device is not None and device.state is State.IN_SERVICE else None

    def service_of(self, signal: str) -> tuple[Device, Service] | None:
        """The service that a signal is of, with its device, if we watch it from here."""
        name, _, rest = signal.partition("/")
        device = self.devices.get(name)
        if device is None or not device.services or device.state is not State.IN_SERVICE:
            return None
        check, _, vantage = rest.partition("@")
        service = device.service(check)
        return None if service is None or vantage != self.vantage else (device, service)

    def terms(self, device: Device) -> AgreementTerms:
        """The terms that a device is watched under."""
        return self.customers[device.customer].terms

    def terms_of(self, signal: str, device: Device | None) -> AgreementTerms | None:
        """The terms that a signal is judged by: its device's, service's or uplink's; None if nobody's."""
        if device is None:
            owner = self.fixture_of(signal)
            return None if owner is None else owner.terms
        terms = self.terms(device)
        if not device.services:
            return terms
        found = self.service_of(signal)
        return terms if found is None else found[1].terms.within(terms)

    def uplink_of(self, signal: str) -> Uplink | None:
        """The uplink that a signal belongs to; None if it is a device's."""
        name = named(signal)
        return None if name is None else self.uplinks.get(name)

    def supply_of(self, signal: str) -> Supply | None:
        """The supply that a signal is of; None if it is of anything else."""
        name = supplies_.named(signal)
        return None if name is None else self.supplies.get(name)

    def switch_of(self, signal: str) -> Switch | None:
        """The switch that a signal is of; None if it is of anything else."""
        name = switches_.named(signal)
        return None if name is None else self.switches.get(name)

    def source_of(self, signal: str) -> Source | None:
        """The source that a signal is of; None if it is of anything else."""
        name = sources_.named(signal)
        return None if name is None else self.sources.get(name)

    def fixture_of(self, signal: str) -> Uplink | Supply | Switch | Source | None:
        """Whatever of the house a signal is of; None if it is of a device, a service, or nobody."""
        return (
            self.uplink_of(signal)
            or self.supply_of(signal)
            or self.source_of(signal)
            or self.switch_of(signal)
        )

    def own_signals(self) -> Iterator[str]:
        """The signals that are no device's: those of the house itself."""
        for kind in FIXTURES:
            for thing in getattr(self, kind).values():
                yield from thing.signals(self.vantage)

    @property
    def witnesses(self) -> Witnesses:
        """Who sees which supply. Made when it is asked for, and after each change of the power model."""
        if self._witnesses is None:
            self._witnesses = Witnesses(self.elements, self.supplies)
        return self._witnesses

    def target_of(self, signal: str) -> Target | None:
        """The place in the schedule of a device, a service or a switch that is watched; None for all else."""
        device = self.device_of(signal)
        if device is None:
            switch = self.switch_of(signal)
            return None if switch is None else switch.target(self.vantage)
        places = targets(device, self.vantage, self.terms(device))
        return next(place for place in places if place.signal == signal)

    def targets(self) -> Iterator[Target]:
        """The places in the schedule of all that is watched."""
        for uplink in self.uplinks.values():
            yield from uplink.targets(self.vantage)
        for switch in self.switches.values():
            yield switch.target(self.vantage)
        for source in self.sources.values():
            yield source.target(self.vantage)
        for device in self.in_service():
            yield from targets(device, self.vantage, self.terms(device))

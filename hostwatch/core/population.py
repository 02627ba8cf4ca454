"""Whom and what we watch at one moment: customers, their contacts and their devices.

Values only. Names and addresses of people are not here: a contact is an identifier, and how to
reach it stays with the configuration.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from enum import StrEnum

from hostwatch.core.schedule import Target
from hostwatch.core.terms import AgreementTerms

CHECK = "ping"


class State(StrEnum):
    """Where a device stands in its life. Only what is in service is judged."""

    ORDERED = "ordered"
    INSTALLED = "installed"
    IN_SERVICE = "in-service"
    SUSPENDED = "suspended"
    NOT_WATCHED = "not-watched"
    """Billed, but not watched by the customer's written waiver: all its time is unknown."""

    REMOVED = "removed"


@dataclass(frozen=True, slots=True, kw_only=True)
class Device:
    """A customer's machine."""

    id: str
    customer: str
    address: str
    state: State = State.IN_SERVICE
    waiver: str | None = None

    def signal(self, vantage: str) -> str:
        """The name of the signal that its ping gives, seen from a vantage point (J6)."""
        return f"{self.id}/{CHECK}@{vantage}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Customer:
    """Who is owed what. `contacts` are the authorised people, in the configured order."""

    id: str
    contacts: tuple[str, ...] = ()
    terms: AgreementTerms = field(default_factory=AgreementTerms)


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

    def __len__(self) -> int:
        return len(self.customers) + len(self.customers_gone) + len(self.devices) + len(self.devices_gone)


@dataclass(slots=True, kw_only=True)
class Population:
    """Everybody and everything at one moment. The world's own changes by `change` only."""

    vantage: str = "main"
    customers: dict[str, Customer] = field(default_factory=dict)
    devices: dict[str, Device] = field(default_factory=dict)

    def change(self, changes: Changes) -> None:
        """Make changes, at the cost of what changes."""
        self.vantage = changes.vantage or self.vantage
        self.customers.update((customer.id, customer) for customer in changes.customers)
        self.devices.update((device.id, device) for device in changes.devices)
        for name in changes.devices_gone:
            self.devices.pop(name, None)
        for name in changes.customers_gone:
            self.customers.pop(name, None)

    def watched(self) -> Iterator[tuple[str, Device]]:
        """The signals to watch and their devices."""
        for device in self.devices.values():
            if device.state is State.IN_SERVICE:
                yield device.signal(self.vantage), device

    def terms(self, device: Device) -> AgreementTerms:
        """The terms that a device is watched under."""
        return self.customers[device.customer].terms

    def targets(self) -> Iterator[Target]:
        """The places in the schedule of all that is watched."""
        for _, device in self.watched():
            yield target(device, self.vantage, self.terms(device))


def target(device: Device, vantage: str, terms: AgreementTerms) -> Target:
    """The place in the schedule of a device that is watched under some terms."""
    return Target(signal=device.signal(vantage), address=device.address, interval=terms.interval)

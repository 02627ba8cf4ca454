"""Whom and what we watch at one moment: customers, their contacts and their devices.

Values only. Names and addresses of people are not here: a contact is an identifier, and how to
reach it stays with the configuration.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
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
class Population:
    """Everybody and everything at one moment."""

    vantage: str = "main"
    customers: Mapping[str, Customer] = field(default_factory=dict)
    devices: Mapping[str, Device] = field(default_factory=dict)

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
        for signal, device in self.watched():
            yield Target(signal=signal, address=device.address, interval=self.terms(device).interval)

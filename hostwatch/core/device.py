"""A customer's device: where it stands in its life, how it is looked at, and the signals that it gives."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from hostwatch.core.place import Place
from hostwatch.core.schedule import ICMP, Target
from hostwatch.core.service import METHOD, Service, ending
from hostwatch.core.terms import AgreementTerms

MAC = "mac"
"""The witness in a device's method, last on the line: whose answer counts."""


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
    uplink: str | None = None
    """The uplink that its port reaches the carrier by; None: nobody knows, or measures it."""
    method: str = ICMP
    """How it is looked at, and by what it is known: a kind of the room `reach`, then its settings."""

    services: tuple[Service, ...] = ()
    """What is watched beside the device itself. Devices that are alike share one tuple."""

    place: Place | None = None
    """Where it stands and what it hangs on; None where nobody said."""

    @property
    def way(self) -> str:
        """The method without the witness, for people; empty if it is a ping."""
        bare = self.method.partition(f" {MAC}=")[0]
        return "" if bare == ICMP else bare

    def signal(self, vantage: str) -> str:
        """The name of the signal that its ping gives, seen from a vantage point (J6)."""
        return self.id + ending(vantage)

    def signals(self, vantage: str) -> tuple[str, ...]:
        """The names of its own signal and of those of its services."""
        own = self.signal(vantage)
        if not self.services:
            return (own,)
        return (own, *(service.signal(self.id, vantage) for service in self.services))

    def service(self, name: str) -> Service | None:
        """Its service of that name."""
        for service in self.services:
            if service.name == name:
                return service
        return None


def targets(device: Device, vantage: str, terms: AgreementTerms) -> tuple[Target, ...]:
    """The places in the schedule of a device and of its services, each at a phase of its own."""
    own = Target(
        signal=device.signal(vantage),
        address=device.address,
        interval=terms.interval,
        method=device.method,
    )
    if not device.services:
        return (own,)
    return (own, *(_served(device, service, vantage, terms) for service in device.services))


def _served(device: Device, service: Service, vantage: str, terms: AgreementTerms) -> Target:
    return Target(
        signal=service.signal(device.id, vantage),
        address=device.address,
        interval=service.terms.within(terms).interval,
        method=METHOD,
    )

"""A service of a device: an application that is watched beside the device, as a signal of its own (J6).

What its checks are stands in the configuration; here it is a name and the terms that it is judged by.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import lru_cache

from hostwatch.core.terms import ServiceTerms

PING = "ping"
"""The check that is about the device itself. No service can be named so."""

METHOD = "service"
"""How a service's target is looked at."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Service:
    """One application on a device, or behind it: `www`, `email`, `ftp` or another name."""

    name: str
    terms: ServiceTerms = field(default_factory=ServiceTerms)
    intrudes: bool = False
    """Whether one of its checks logs in or writes, by the customer's authorisation (`colocation C6`).

    What was permitted are the looks of the schedule: it is not looked at beside them.
    """

    def signal(self, device: str, vantage: str) -> str:
        """The name of the signal that it gives, seen from a vantage point."""
        return f"{device}/{self.name}@{vantage}"


@lru_cache(maxsize=8)
def ending(vantage: str) -> str:
    """What the names of the signals of all devices themselves end with."""
    return f"/{PING}@{vantage}"


def is_service(signal: str) -> bool:
    """Whether a signal is that of a service, by its name."""
    device, _, rest = signal.partition("/")
    return ":" not in device and not rest.startswith(f"{PING}@")


def is_of_device(signal: str) -> bool:
    """Whether a signal is that of a device or of its service, by its name; others are of the house itself."""
    return ":" not in signal.partition("/")[0]


def device_in(signal: str) -> str:
    """The device in the name of a signal, its own or one of its services'."""
    return signal.partition("/")[0]


def service_in(signal: str) -> str:
    """The service in the name of a signal; empty for a device's own, and for those of uplinks."""
    return signal.partition("/")[2].rpartition("@")[0] if is_service(signal) else ""

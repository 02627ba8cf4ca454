"""What the record says of a thing from one change of the population to the next."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from hostwatch.core import facts, supply, uplink
from hostwatch.core.device import State
from hostwatch.core.service import device_in
from hostwatch.sla.records import Tenure, spanned

BILLED = (State.IN_SERVICE, State.NOT_WATCHED)

PREFIXES = {"device": "", "uplink": uplink.PREFIX, "supply": supply.PREFIX}
"""What has an account, by what it is called in the record, and what sets its name apart from others."""


def thing_of(fact: facts.PopulationChanged) -> str | None:
    """The name among all things of what a fact is of; None if that has no account."""
    prefix = PREFIXES.get(fact.thing)
    return None if prefix is None else prefix + fact.name


def thing_in(signal: str) -> str:
    """The name among all things of what a signal is of."""
    name = supply.named(signal)
    return device_in(signal) if name is None else supply.PREFIX + name


@dataclass(slots=True, kw_only=True)
class Version:
    """A device, an uplink or a supply, as the latest fact left it."""

    customer: str
    state: State
    address: str
    signal: str
    since: datetime
    uplink: str | None = None
    supply: str | None = None
    name: str = ""
    measured_at: str = ""
    services: tuple[str, ...] = ()

    @property
    def signals(self) -> Iterator[tuple[str, str]]:
        """Its services, each with the signal that it gave."""
        for name in self.services:
            yield name, f"{device_in(self.signal)}/{name}@{self.signal.rpartition('@')[2]}"

    def tenure(self, thing: str, until: datetime) -> Tenure:
        """The stretch of time from its beginning to an instant."""
        return Tenure(
            customer=self.customer,
            device=thing,
            address=self.address,
            signal=self.signal,
            watched=self.state is State.IN_SERVICE,
            span=spanned(self.since, until),
            uplink=self.uplink,
            supply=self.supply,
        )


def version_of(fact: facts.PopulationChanged) -> Version | None:
    """What a fact leaves of a thing that has an account; None if it is not billed from now on."""
    state = State(fact.state)
    if state not in BILLED:
        return None
    body = fact.body
    return Version(
        customer=fact.customer,
        state=state,
        address=body.get("address", ""),
        signal=body["signal"],
        since=fact.at,
        uplink=body.get("uplink"),
        supply=(body.get("place") or {}).get("supply") or None,
        name=body.get("name", ""),
        measured_at=body.get("measured_at", ""),
        services=tuple(service["name"] for service in body.get("services", ())),
    )

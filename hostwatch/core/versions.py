"""What a configuration changes of the population, as facts: each change a dated version."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Any, Final

from hostwatch.core import canonical, facts
from hostwatch.core.device import Device, State
from hostwatch.core.population import Customer, Fixture
from hostwatch.core.roster import NOBODY_SAID
from hostwatch.core.terms import TellingTerms


def of_device(
    name: str, old: Device | None, new: Device | None, vantage: str, now: datetime
) -> facts.PopulationChanged:
    """A device is otherwise than it was, or no more."""
    known = new or old
    assert known is not None
    state = State.REMOVED if new is None else new.state
    return facts.PopulationChanged(
        at=now,
        thing="device",
        name=name,
        customer=known.customer,
        state=state.value,
        body=body(known, vantage),
    )


def body(device: Device, vantage: str) -> dict[str, Any]:
    """What a dated version says of a device, beside its name, customer and state."""
    found: dict[str, Any] = {
        "address": device.address,
        "waiver": device.waiver,
        "signal": device.signal(vantage),
        "uplink": device.uplink,
        "method": device.method,
    }
    if device.services:  # else it reads as those that were recorded before there were services
        found["services"] = canonical.plain(device.services)
    if device.place is not None:
        found["place"] = canonical.plain(device.place)
    return found


def of_customer(name: str, new: Customer | None, now: datetime) -> facts.PopulationChanged:
    """A customer is otherwise than they were, or no more."""
    return facts.PopulationChanged(
        at=now,
        thing="customer",
        name=name,
        customer=name,
        state="removed" if new is None else "in-service",
        body={} if new is None else _of_customer(new),
    )


def _of_customer(customer: Customer) -> dict[str, Any]:
    found: dict[str, Any] = {"terms": canonical.plain(customer.terms), "contacts": [*customer.contacts]}
    if customer.telling != TellingTerms():  # else it reads as those that were recorded before there were any
        found["telling"] = canonical.plain(customer.telling)
    if customer.roster != NOBODY_SAID:
        found["roster"] = canonical.plain(customer.roster)
    return found


def of_contacts(
    customer: str, old: Customer | None, new: Customer | None, now: datetime
) -> Iterator[facts.Fact]:
    """Who of a customer's people is authorised from now on, and who no more."""
    before = () if old is None else old.contacts
    after = () if new is None else new.contacts
    for contact in sorted({*before, *after}):
        if (contact in before) != (contact in after):
            yield facts.PopulationChanged(
                at=now,
                thing="contact",
                name=contact,
                customer=customer,
                state="authorised" if contact in after else "removed",
                body={},
            )


THINGS: Final = {
    "elements": "element",
    "sources": "source",
    "uplinks": "uplink",
    "supplies": "supply",
    "switches": "switch",
}
"""What one of a kind of fixtures is called in the record."""


def of_fixture(
    kind: str, name: str, new: Fixture | None, vantage: str, now: datetime
) -> facts.PopulationChanged:
    """Something of the house is otherwise than it was, or no more."""
    body: dict[str, Any] = {}
    if new is not None:
        body = {key: value for key, value in canonical.plain(new).items() if key != "id"}
        if signals := tuple(new.signals(vantage)):
            body["signal"] = signals[0]
    return facts.PopulationChanged(
        at=now,
        thing=THINGS[kind],
        name=name,
        customer="",
        state="removed" if new is None else State.IN_SERVICE.value,
        body=body,
    )


def of_operator(old: str, new: str, now: datetime) -> Iterator[facts.PopulationChanged]:
    """Whose contacts are the operator's own people."""
    for name, state in ((old, "removed"), (new, State.IN_SERVICE.value)):
        if old != new and name:
            yield facts.PopulationChanged(
                at=now, thing="operator", name=name, customer=name, state=state, body={}
            )

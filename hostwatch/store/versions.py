"""How the population comes back from the rows of its present versions."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from datetime import timedelta
from typing import Any, Final

from hostwatch.core import canonical
from hostwatch.core.device import Device, State
from hostwatch.core.element import Element
from hostwatch.core.place import Place
from hostwatch.core.population import FIXTURES, Customer, Population
from hostwatch.core.roster import NOBODY_SAID, Roster
from hostwatch.core.schedule import ICMP
from hostwatch.core.service import Service
from hostwatch.core.source import Source
from hostwatch.core.supply import Supply
from hostwatch.core.switch import Switch
from hostwatch.core.terms import AgreementTerms, TellingTerms
from hostwatch.core.uplink import Uplink
from hostwatch.store.rows import Row

STATES = {state.value: state for state in State}


CUSTOMERS_AT = (
    "SELECT thing, name, customer, state, body FROM population WHERE thing = 'customer'"
    " AND valid_from <= ? AND (valid_until IS NULL OR valid_until > ?)"
)
"""The versions of customers that were valid at an instant."""


def population(vantage: str, versions: Iterable[Row]) -> Population:
    """The population of the present versions: `(thing, name, customer, state, body)` rows."""
    devices: dict[str, Device] = {}
    customers: dict[str, Customer] = {}
    fixtures: dict[str, dict[str, Any]] = {kind: {} for kind in FIXTURES}
    operator = ""
    shared: dict[Any, Any] = {}
    one: Callable[[Any, Any], Any] = shared.setdefault  # a million devices need one copy of what many have
    for thing, name, customer, state, body in versions:
        if state == State.REMOVED:
            continue
        content = json.loads(body)
        if thing == "device":
            way = content.get("method", ICMP)
            uplink, waiver = content.get("uplink"), content["waiver"]
            devices[name] = Device(
                id=name,
                customer=one(customer, customer),
                address=content["address"],
                state=STATES[state],
                waiver=one(waiver, waiver),
                uplink=one(uplink, uplink),
                method=one(way, way),
                services=_services(content.get("services"), one),
                place=_place(content.get("place"), one),
            )
        elif thing == "customer":
            customers[name] = Customer(
                id=name,
                contacts=tuple(content["contacts"]),
                terms=_terms(content["terms"]),
                telling=canonical.restore(TellingTerms, {**_TELLING, **content["telling"]})
                if "telling" in content
                else TellingTerms(),
                roster=canonical.restore(Roster, content["roster"]) if "roster" in content else NOBODY_SAID,
            )
        elif thing in _FIXTURES:
            kind, shape = _FIXTURES[thing]
            fixtures[kind][name] = canonical.restore(shape, _whole(thing, {**content, "id": name}))
        elif thing == "operator":
            operator = name
    return Population(vantage=vantage, customers=customers, devices=devices, operator=operator, **fixtures)


_TELLING: Final = canonical.plain(TellingTerms())
"""What holds of telling where a version was recorded before there was a word for it."""


def _whole(thing: str, content: Mapping[str, Any]) -> dict[str, Any]:
    """A version with the words that there were not yet when it was recorded."""
    found = {**_LATER.get(thing, {}), **content}
    if "terms" in found:
        found["terms"] = {"one_event": "both", **found["terms"]}
    return found


_LATER: Final[Mapping[str, Mapping[str, Any]]] = {"switch": {"feeds": ""}}
"""What versions did not say that were recorded before there was such a word."""

_FIXTURES: Final = {
    "element": ("elements", Element),
    "source": ("sources", Source),
    "uplink": ("uplinks", Uplink),
    "supply": ("supplies", Supply),
    "switch": ("switches", Switch),
}


def _place(content: Mapping[str, Any] | None, one: Callable[[Any, Any], Any]) -> Place | None:
    if content is None:
        return None
    place = canonical.restore(Place, content)
    shared: Place = one(place, place)
    return shared


def _services(content: list[Any] | None, one: Callable[[Any, Any], Any]) -> tuple[Service, ...]:
    if not content:
        return ()
    found = tuple(canonical.restore(Service, service) for service in content)
    shared: tuple[Service, ...] = one(found, found)
    return shared


def _terms(content: Mapping[str, Any]) -> AgreementTerms:
    return AgreementTerms(
        interval=timedelta(microseconds=content["interval"]),
        misses=content["misses"],
        notice_within=timedelta(microseconds=content["notice_within"]),
        one_event=content.get("one_event", "both"),
    )

"""The house as the core knows it: elements, sources and switches, and the supplies that devices come to."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from hostwatch.configuration.model import Configuration
from hostwatch.core import expression
from hostwatch.core.element import Element, Kind
from hostwatch.core.place import Place
from hostwatch.core.portsheard import source_of
from hostwatch.core.source import Source
from hostwatch.core.supply import Supply
from hostwatch.core.switch import Switch
from hostwatch.core.terms import AgreementTerms
from hostwatch.core.wiring import AT_OUTLET, AT_SOURCE, Wiring

LINES = (Kind.FEED, Kind.PDU)
"""What devices hang on themselves, and where power is measured at the outlet."""


class House:
    """What devices hang on, and what that comes to. For a valid configuration, or for none of it."""

    def __init__(self, elements: Iterable[Element]) -> None:
        listed = [*elements]
        self._kinds = {one.id: one.kind for one in listed}
        self.wiring = _wiring(listed)
        self._racks: dict[str, list[str]] = {}
        for one in listed:
            if one.kind is Kind.FEED and one.rack:
                self._racks.setdefault(one.rack, []).append(one.id)

    @property
    def racks(self) -> Iterable[str]:
        """The racks that feeds go to."""
        return self._racks.keys()

    def place(self, rack: str | None, feeds: str | None, ports: str | None, measured_at: str) -> Place | None:
        """Where a device stands, and the supply that its feeds come to; None where nobody said."""
        if not (rack or feeds or ports):
            return None
        whole = self.feeds(rack, feeds)
        supply = str(self.wiring.measured(expression.parse(whole), measured_at)) if whole else ""
        return Place(rack=rack or "", feeds=whole, supply=supply, ports=ports or "")

    def feeds(self, rack: str | None, feeds: str | None) -> str:
        """What something hangs on: what was said, else any of all feeds of its rack; empty if none is."""
        return feeds or self._all_of(rack or "")

    def _all_of(self, rack: str) -> str:
        """Any of all feeds of a rack; empty if there is none."""
        feeds = [expression.name(name) for name in self._racks.get(rack, ())]
        return str(expression.joined("any", feeds)) if feeds else ""

    def supply(self, name: str, terms: AgreementTerms) -> Supply:
        """The supply of a name. It says itself where it is measured: at feeds and strips, or before them."""
        names = expression.parse(name).names
        at_outlet = any(self._kinds.get(one.partition("/")[0]) in LINES for one in names)
        return Supply(id=name, measured_at=AT_OUTLET if at_outlet else AT_SOURCE, terms=terms)


def _wiring(elements: list[Element]) -> Wiring:
    try:
        return Wiring(elements)
    except ValueError:  # told as a mistake: what hangs on itself is measured nowhere
        return Wiring()


def fixtures(configuration: Configuration, house: House, supplies: Iterable[str]) -> Mapping[str, Any]:
    """Elements, sources, supplies and switches, by kind and name."""
    power, terms = configuration.power, configuration.power_terms()
    return {
        "elements": {one.id: one for _, _, one in power.elements()},
        "sources": {one.id: one for one in _sources(configuration)},
        "supplies": {name: house.supply(name, terms) for name in sorted(supplies)},
        "switches": {
            one.id: Switch(
                id=one.id,
                name=one.name or one.id,
                address=str(one.address),
                behind=one.behind or "",
                uplink=one.uplink,
                feeds=house.feeds(one.rack, one.feeds),
                terms=configuration.switch_terms(one),
            )
            for one in configuration.network.switches
        },
    }


def _sources(configuration: Configuration) -> Iterator[Source]:
    power = configuration.power
    for one in power.sources:
        yield Source(id=one.id, kind=f"power/{one.kind}", interval=power.interval)
    for switch in configuration.network.switches:
        if switch.ports is not None:
            own = switch.ports
            yield Source(id=source_of(switch.id), kind=f"ports/{own.kind}", interval=own.interval)


def house_of(configuration: Configuration) -> House:
    """The house that a configuration describes."""
    return House(one for _, _, one in configuration.power.elements())

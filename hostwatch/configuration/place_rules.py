"""Rules about where devices hang: feeds that power comes by, and ports of switches; one port, one device."""

from __future__ import annotations

import difflib
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from hostwatch.configuration.customer import Device
from hostwatch.configuration.mistake import Wrong
from hostwatch.configuration.model import Configuration
from hostwatch.configuration.place import Finding, Steps
from hostwatch.configuration.power_rules import unknown
from hostwatch.core import expression
from hostwatch.core.device import State
from hostwatch.core.element import Element, Kind
from hostwatch.core.expression import Expression


class Amiss(NamedTuple):
    """Something wrong with where a device hangs."""

    key: str
    wrong: Wrong


@dataclass(slots=True)
class Hangers:
    """All that devices of a site may hang on."""

    kinds: Mapping[str, Kind] = field(default_factory=dict)
    """What the elements of the power model are."""

    racks: Collection[str] = ()
    """The racks that a feed goes to."""

    switches: Collection[str] = ()
    has_feeds: bool = False
    _lines: Mapping[str, Kind] = field(init=False)
    """The feeds and power strips."""

    def __post_init__(self) -> None:
        self._lines = {one: kind for one, kind in self.kinds.items() if kind in (Kind.FEED, Kind.PDU)}

    def amiss(self, device: Device) -> Iterator[Amiss]:
        """What is wrong with where a device hangs."""
        for key, written, judge in (
            ("feeds", device.feeds, self.feed),
            ("ports", device.ports, self.port),
        ):
            for name in () if written is None else expression.parse(written).names:
                wrong = judge(name)
                if wrong is not None:
                    yield Amiss(key, wrong)

    def feed(self, name: str) -> Wrong | None:
        """Why a device may not hang on this; None if it may: what stands before feeds has no outlets."""
        if name in self.kinds and name not in self._lines:
            return Wrong(f"names {name}, which is neither a feed nor a power strip", "write the feed")
        return unknown(name, self._lines, "feed and no power strip")

    def port(self, port: str) -> Wrong | None:
        """Why a device may not hang on this port; None if it may."""
        switch, _, number = port.partition("/")
        if not number:
            return Wrong(f"names {port} without a port", f"write the switch and its port: {port}/7")
        if switch not in self.switches:
            near = difflib.get_close_matches(switch, self.switches, 1)
            hint = f"did you mean {near[0]}/{number}?" if near else "write the id of one of network.switches"
            return Wrong(f"names {switch}, which is no switch", hint)
        return None


class Ports:
    """Who has which port: one device each, unless it is meant otherwise."""

    def __init__(self) -> None:
        self._taken: dict[str, str] = {}

    def clashes(self, device: str, ports: str) -> Iterator[Wrong]:
        """What is wrong with a device's taking its ports, which it has from then on."""
        for port in expression.parse(ports).names:
            first = self._taken.setdefault(port, device)
            if first != device:
                mend = "if that is meant, write shared: true"
                yield Wrong(f"{port} is the port of device {first} too", mend)


def hangers(configuration: Configuration) -> Hangers:
    """What the devices of a configuration may hang on."""
    elements = [one for _, _, one in configuration.power.elements()]
    return of_elements(elements, [switch.id for switch in configuration.network.switches])


def of_elements(elements: Sequence[Element], switches: Collection[str]) -> Hangers:
    """The same by the elements of the power model and the names of switches."""
    return Hangers(
        kinds={one.id: one.kind for one in elements},
        racks=frozenset(one.rack for one in elements if one.rack),
        switches=switches,
        has_feeds=any(one.kind is Kind.FEED for one in elements),
    )


def mistakes(configuration: Configuration) -> Iterator[Finding]:
    """What cannot come into force."""
    known, ports = hangers(configuration), Ports()
    for number, customer in enumerate(configuration.customers):
        for place, device in enumerate(customer.devices):
            here: Steps = ("customers", number, "devices", place)
            for key, wrong in known.amiss(device):
                yield (*here, key), wrong
            if device.ports and device.state is not State.REMOVED and not device.shared:
                for clash in ports.clashes(device.id, device.ports):
                    yield (*here, "ports"), clash
    yield from _switches(configuration, known)


def _switches(configuration: Configuration, lines: Hangers) -> Iterator[Finding]:
    """Each switch is behind others, and on feeds, that there are; and behind none that is behind it."""
    switches = configuration.network.switches
    behind = {one.id: expression.parse(one.behind) for one in switches if one.behind}
    known = [one.id for one in switches]
    for place, one in enumerate(switches):
        steps: Steps = ("network", "switches", place)
        for name in behind[one.id].names if one.id in behind else ():
            if name not in known:
                yield (*steps, "behind"), _unknown(name, known, "switch")
        for name in expression.parse(one.feeds).names if one.feeds else ():
            if (wrong_feed := lines.feed(name)) is not None:
                yield (*steps, "feeds"), wrong_feed
        if _is_behind_itself(one.id, behind):
            wrong = "is behind itself, on the way over others"
            yield (*steps, "behind"), Wrong(wrong, "write what it really hangs on")


def _is_behind_itself(switch: str, behind: Mapping[str, Expression]) -> bool:
    seen: set[str] = set()
    waiting = [switch]
    while waiting:
        way = behind.get(waiting.pop())
        for name in () if way is None else way.names:
            if name == switch:
                return True
            if name not in seen:
                seen.add(name)
                waiting.append(name)
    return False


def _unknown(name: str, known: Iterable[str], what: str) -> Wrong:
    near = difflib.get_close_matches(name, [*known], 1)
    hint = f"did you mean {near[0]}?" if near else f"write the id of one, or add the {what}"
    return Wrong(f"names {name}, which is no {what}", hint)


def warnings(configuration: Configuration) -> Iterator[Finding]:
    """A device, or a switch, in a rack to which no feed goes, where there are feeds."""
    known = hangers(configuration)
    for number, one in enumerate(configuration.network.switches):
        if one.rack and not one.feeds and known.has_feeds and one.rack not in known.racks:
            yield ("network", "switches", number, "rack"), _without_feed(one.rack)
    for number, customer in enumerate(configuration.customers):
        for place, device in enumerate(customer.devices):
            if device.rack and not device.feeds and known.has_feeds and device.rack not in known.racks:
                yield ("customers", number, "devices", place, "rack"), _without_feed(device.rack)


def _without_feed(rack: str) -> Wrong:
    wrong = f"no feed goes to rack {rack}, so its power is not watched"
    return Wrong(wrong, "write rack: at the feeds, or feeds: at the device or switch")

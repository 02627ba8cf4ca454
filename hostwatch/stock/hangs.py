"""Where the devices of inventories hang: what is written of it, as a place, and fast.

Devices of one rack share their place but for the port. What was read once of a rack, its feeds and a port is
remembered; what is wrong is left to the rules of the configuration, which say it in words.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import lru_cache

from hostwatch.configuration.customer import Device
from hostwatch.configuration.fields import ID_PATTERN
from hostwatch.configuration.house import House
from hostwatch.configuration.place_rules import Amiss, of_elements
from hostwatch.core import expression
from hostwatch.core.element import Element
from hostwatch.core.expression import Expression
from hostwatch.core.place import Place
from hostwatch.core.wiring import AT_SOURCE

KEYS = ("rack", "feeds", "ports")
"""What is written of where a device hangs."""

REMEMBERED_MAX = 65_536
"""Expressions, and places, that are remembered."""


_ID = re.compile(ID_PATTERN)


class Hangs:
    """What the devices of one site may hang on."""

    def __init__(
        self,
        elements: Sequence[Element] = (),
        switches: Sequence[str] = (),
        measured_at: Mapping[str, str] | None = None,
    ) -> None:
        self._house = House(elements)
        self._hangers = of_elements(elements, frozenset(switches))
        self._measured_at = measured_at or {}
        self._parsed = lru_cache(REMEMBERED_MAX)(expression.parse)
        self._known = lru_cache(REMEMBERED_MAX)(self._place)

    def amiss(self, device: Device) -> Iterator[Amiss]:
        """What is wrong with where a device hangs."""
        return self._hangers.amiss(device)

    def place(self, customer: str, device: Device) -> Place | None:
        """The place of a device that is all right."""
        return self._place(customer, device.rack, device.feeds, device.ports)

    def quick(self, customer: str, rack: object, feeds: object, ports: object) -> Place | None:
        """The place that is written, if it is plain and all right; None if somebody must look closer."""
        if not (rack is None or isinstance(rack, str)) or not (feeds is None or isinstance(feeds, str)):
            return None
        try:
            whole = None if feeds is None else self._parsed(feeds)
            wanted = None if ports is None else self._parsed(str(ports))
        except ValueError:
            return None
        if not self._fit(whole, self._hangers.feed) or not self._fit(wanted, self._hangers.port):
            return None
        if rack is not None and _ID.fullmatch(rack) is None:
            return None
        return self._known(customer, rack, whole and str(whole), wanted and str(wanted))

    def _fit(self, whole: Expression | None, judge: Callable[[str], object]) -> bool:
        return whole is None or all(judge(name) is None for name in whole.names)

    def _place(self, customer: str, rack: str | None, feeds: str | None, ports: str | None) -> Place | None:
        return self._house.place(rack, feeds, ports, self._measured_at.get(customer, AT_SOURCE))

"""Who lies behind each uplink, counted as devices come and go: no verdict goes through them all."""

from __future__ import annotations

from bisect import bisect_left, insort
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

NAMED_MAX = 20
"""How many devices of a customer behind an uplink are named; the others are counted."""


@dataclass(slots=True)
class Group:
    """The devices in service of one customer behind one uplink."""

    count: int = 0
    names: list[str] = field(default_factory=list)
    """The first of them in the order of names."""

    is_short: bool = False
    """Whether others are to be named in place of some that have gone."""


class Behind:
    """All groups."""

    def __init__(self) -> None:
        self._groups: dict[str, dict[str, Group]] = {}

    def add(self, uplink: str, customer: str, device: str) -> None:
        """A device lies behind an uplink from now on."""
        group = self._groups.setdefault(uplink, {}).setdefault(customer, Group())
        group.count += 1
        if len(group.names) < NAMED_MAX:
            insort(group.names, device)
        elif group.names and device < group.names[-1]:
            insort(group.names, device)
            del group.names[NAMED_MAX:]

    def remove(self, uplink: str, customer: str, device: str) -> None:
        """It does no more."""
        customers = self._groups[uplink]
        group = customers[customer]
        group.count -= 1
        place = bisect_left(group.names, device)
        if group.names[place : place + 1] == [device]:
            del group.names[place]
            group.is_short = group.count > len(group.names)
        if not group.count:
            del customers[customer]
            if not customers:
                del self._groups[uplink]

    def of(self, uplink: str, all_of: Iterable[tuple[str, str]]) -> Iterator[tuple[str, Group]]:
        """The groups behind an uplink, in the order of the customers' names.

        `all_of` are the customers and names of all devices behind it, asked for only if some that were
        named have gone.
        """
        customers = self._groups.get(uplink, {})
        short = {customer: group for customer, group in customers.items() if group.is_short}
        if short:
            names: dict[str, list[str]] = {customer: [] for customer in short}
            for customer, device in all_of:
                if customer in names:
                    names[customer].append(device)
            for customer, group in short.items():
                group.names, group.is_short = sorted(names[customer])[:NAMED_MAX], False
        yield from sorted(customers.items(), key=lambda pair: pair[0])

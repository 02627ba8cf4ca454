"""Who is concerned when supplies or switches are down: by customer, the devices on them or cut off."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from heapq import merge
from itertools import islice

from hostwatch.core import facts, parts
from hostwatch.core import supply as supplies
from hostwatch.core import switch as switches
from hostwatch.core.behind import NAMED_MAX, Group
from hostwatch.core.device import Device
from hostwatch.core.emergency import Emergency
from hostwatch.core.hanging import way
from hostwatch.core.notice import Part
from hostwatch.core.parents import Ways, is_parent
from hostwatch.core.population import Population
from hostwatch.core.stories import Fallen


class Concerned:
    """Found by the signals of supplies and switches: the roots of an emergency."""

    def __init__(self, people: Population, ways: Ways) -> None:
        self._people = people
        self._ways = ways

    def by(self, roots: Iterable[str]) -> dict[str, Group]:
        """By customer, the devices in service on these supplies, or cut off by these switches."""
        found: dict[str, Group] = {}
        lost, cut = self._lost(roots)
        for supply in lost:
            _merge(found, self._people.supplied.groups(supply))
        for one in cut:
            _merge(found, self._people.ways.groups(one))
        return dict(sorted(found.items()))

    def on(self, roots: Iterable[str]) -> list[str]:
        """What devices hang on that is lost: these supplies, and the ways that these switches cut."""
        lost, cut = self._lost(roots)
        return [*lost, *cut]

    def _lost(self, roots: Iterable[str]) -> tuple[list[str], list[str]]:
        roots = [*roots]
        dead, lost = switches_in(roots), supplies_in(roots)
        return lost, self._ways.cut(dead) if dead else []

    def device(self, roots: Sequence[str], device: Device) -> bool:
        """Whether a device is one of them."""
        place = device.place
        if place is None:
            return False
        if place.supply and supplies.signal_of(place.supply, self._people.vantage) in roots:
            return True
        dead = frozenset(switches_in(roots))
        return bool(place.ports and dead) and (
            self._ways.carries(way(place.ports), lambda one: one not in dead) is False
        )

    def fallen(self, flips: Sequence[facts.WentDown], before: Sequence[str]) -> Fallen:
        """Who is concerned, and by which verdict the first of theirs was lost."""
        found: list[Part] = []
        dead, gone = switches_in(before), {*self.on(before)}
        ordered = sorted(flips, key=lambda flip: (flip.first_miss, flip.signal))
        since = dict.fromkeys(self.by(before), ordered[0]) if ordered else {}
        for flip in ordered:
            fresh, customers = self._newly(flip.signal, dead, gone)
            found += parts.begun(fresh, flip)
            gone.update(fresh)
            for customer in customers:
                since.setdefault(customer, flip)
        roots = [*before, *(flip.signal for flip in ordered)]
        groups = self.by(roots)
        return Fallen(
            flips=tuple(ordered),
            groups=groups,
            since=since,
            theirs=self._theirs(roots, groups),
            parts=tuple(found),
        )

    def _newly(self, root: str, dead: list[str], gone: set[str]) -> tuple[list[str], list[str]]:
        """What one more root takes away, and whose devices hang on that. `dead`: the switches so far."""
        supply = supplies.named(root)
        if supply is not None:
            fresh, groups = [supply], self._people.supplied.groups
        else:
            dead += switches_in([root])
            fresh, groups = self._ways.cut(dead), self._people.ways.groups
        fresh = [one for one in fresh if one not in gone]
        return fresh, sorted({customer for one in fresh for customer, _ in groups(one)})

    def _theirs(self, roots: Iterable[str], groups: Iterable[str]) -> dict[str, frozenset[str]]:
        names = supplies_in(roots)
        on_each = {name: {customer for customer, _ in self._people.supplied.groups(name)} for name in names}
        return {one: frozenset(name for name in names if one in on_each[name]) for one in groups}


def roots_of(emergency: Emergency) -> list[str]:
    """The supplies and switches that an emergency is about."""
    return [one for one in emergency.signals if is_parent(one)]


def supplies_in(signals: Iterable[str]) -> list[str]:
    """The supplies among what some signals are of, by name."""
    return [name for one in signals if (name := supplies.named(one)) is not None]


def switches_in(signals: Iterable[str]) -> list[str]:
    """The switches among what some signals are of, by name."""
    return [name for one in signals if (name := switches.named(one)) is not None]


def _merge(found: dict[str, Group], more: Iterable[tuple[str, Group]]) -> None:
    for customer, group in more:
        mine = found.get(customer, Group())
        names = [*islice(merge(mine.names, group.names), NAMED_MAX)]
        found[customer] = Group(count=mine.count + group.count, names=names)

"""How that stands what devices hang on: their supply, and the switches on their way (J10).

A parent is down for those who hang on it while an emergency tells of it; it is in doubt while it is silent
and its verdict, or what those behind it say of that, is not known yet. A device that had fallen silent before
its parent was last seen well did not fall with it.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator
from datetime import datetime, timedelta
from functools import lru_cache
from itertools import chain, zip_longest

from hostwatch.core import expression
from hostwatch.core import supply as supplies
from hostwatch.core import switch as switches
from hostwatch.core.device import Device
from hostwatch.core.emergency import Emergency
from hostwatch.core.expression import Expression
from hostwatch.core.hanging import way
from hostwatch.core.holds import Hold
from hostwatch.core.population import Population
from hostwatch.core.terms import AgreementTerms
from hostwatch.core.together import Known, Stand, stand

ASKED_MAX = 200
"""Devices behind a switch that are asked for when it is found to be silent: some of each way, in turn."""

DEPTH_MAX = 16
"""Switches behind one another."""

State = Callable[[str], bool | None]
"""Whether a switch carries: true, false, or nobody knows (None)."""

_parse = lru_cache(maxsize=4_096)(expression.parse)


def is_parent(name: str) -> bool:
    """Whether a signal is that of a supply or of a switch."""
    return name.startswith((supplies.PREFIX, switches.PREFIX))


class Ways:
    """What the network model says of ways, by the state of switches."""

    def __init__(self, people: Population) -> None:
        self._people = people

    def carries(self, text: str, state: State) -> bool | None:
        """Whether a way carries: its switches do, and whatever those hang on."""
        return _parse(text).value(lambda switch: self.reaches(switch, state))

    def reaches(self, switch: str, state: State, depth: int = 0) -> bool | None:
        """Whether a switch carries, and what it hangs on itself does."""
        own, known = state(switch), self._people.switches.get(switch)
        if own is False or known is None or not known.behind or depth == DEPTH_MAX:
            return own
        above = _parse(known.behind).value(lambda other: self.reaches(other, state, depth + 1))
        if above is False:
            return False
        return None if None in (own, above) else True

    def is_cut(self, text: str, dead: Collection[str]) -> bool:
        """Whether a way does not carry while these switches are dead."""
        return self.carries(text, lambda name: name not in dead) is False

    def cut(self, dead: Iterable[str]) -> list[str]:
        """The ways that do not carry while these switches are dead."""
        names = frozenset(dead)
        return [one for one in self._people.ways if self.is_cut(one, names)]

    def cut_by(self, switch: str, others: Iterable[str]) -> list[str]:
        """The ways that carry no more since this switch is dead, and not only others."""
        names = frozenset(others) - {switch}
        without = frozenset(self.cut(names))
        return [one for one in self.cut(names | {switch}) if one not in without]

    def behind(self, switch: str) -> list[str]:
        """The switches that do not carry while this one is dead."""
        return [
            name
            for name in self._people.switches
            if name != switch and self.reaches(name, lambda one: one != switch) is False
        ]

    def some(self, ways: Iterable[str]) -> Iterator[str]:
        """Devices on some ways, one of each way in turn."""
        names = zip_longest(*(self._people.ways.devices(one) for one in ways))
        return (name for name in chain.from_iterable(names) if name is not None)


class Parents:
    """What one deed knows of parents."""

    def __init__(
        self,
        people: Population,
        known: Known,
        emergency_of: Callable[[str], Emergency | None],
        hold_of: Callable[[str], Hold | None],
    ) -> None:
        self._people = people
        self._known = known
        self._emergency_of = emergency_of
        self._hold_of = hold_of
        self.ways = Ways(people)

    def covering(self, device: Device, since: datetime) -> Emergency | None:
        """The open emergency of what a device hangs on, if the device fell silent with it."""
        place = device.place
        if place is None:
            return None
        own = supplies.signal_of(place.supply, self._people.vantage)
        if place.supply and self._is_down(own, since):
            return self._emergency_of(own)
        return self._cutting(way(place.ports), since) if place.ports else None

    def covering_switch(self, switch: str, since: datetime) -> Emergency | None:
        """The same of a switch, by the switches that it hangs on."""
        known = self._people.switches.get(switch)
        return self._cutting(known.behind, since) if known is not None and known.behind else None

    def _cutting(self, text: str, since: datetime) -> Emergency | None:
        """The open emergency of switches that cut a way by themselves; of the nearest ones, if several do.

        When each of several tells of a part of what is dead on the way, and none of enough of it, it is none
        of these: none was told to those who hang on the way.
        """
        found: dict[str, tuple[Emergency, set[str]]] = {}
        near = frozenset(_parse(text).names)
        for switch in sorted(self.above(text), key=lambda name: (name not in near, name)):
            own = switches.signal_of(switch, self._people.vantage)
            emergency = self._emergency_of(own)
            if emergency is not None and self._is_down(own, since):
                found.setdefault(emergency.reference, (emergency, set()))[1].add(switch)
        return next((one for one, dead in found.values() if self.ways.is_cut(text, dead)), None)

    def _is_down(self, own: str, since: datetime) -> bool:
        """Whether an emergency tells of a parent that had not been seen well after that instant."""
        signal = self._known(own)
        return (
            self._emergency_of(own) is not None
            and signal is not None
            and signal.silence is not None
            and since >= signal.silence.last_answer
        )

    def doubtful(self, device: Device, since: datetime) -> timedelta | None:
        """How long a device waits for the verdict on what it hangs on; None if it need not.

        As long as that verdict may take, by its misses and interval; at most a third of the time to tell.
        """
        place = device.place
        if place is None:
            return None
        longest = timedelta(0)
        if place.supply and self._in_doubt(supplies.signal_of(place.supply, self._people.vantage), since):
            longest = _to_verdict(self._people.supplies[place.supply].terms)
        if place.ports:
            longest = max(longest, self._longest(way(place.ports), since))
        return min(longest, self._people.terms(device).notice_within / 3) or None

    def doubtful_switch(self, switch: str, since: datetime) -> timedelta | None:
        """The same of a switch."""
        known = self._people.switches.get(switch)
        if known is None or not known.behind:
            return None
        return min(self._longest(known.behind, since), known.terms.notice_within / 3) or None

    def _longest(self, text: str, since: datetime) -> timedelta:
        """The time to the slowest verdict on a switch by which nobody knows whether a way carries."""
        doubted: list[timedelta] = []

        def state(switch: str) -> bool | None:
            own = switches.signal_of(switch, self._people.vantage)
            if self._is_down(own, since):
                return False
            if self._in_doubt(own, since):
                doubted.append(_to_verdict(self._people.switches[switch].terms))
                return None
            return True

        return max(doubted) if self.ways.carries(text, state) is None else timedelta(0)

    def _in_doubt(self, own: str, since: datetime) -> bool:
        """Whether a parent may be down, and have been so since that instant."""
        signal = self._known(own)
        if signal is None or self._people.terms_of(own, None) is None:
            return False
        if signal.verdict is not None:  # of a switch those behind are being asked, or have said that it lives
            return self._hold_of(own) is not None
        if signal.silence is not None:
            return since >= signal.silence.last_answer
        return stand(signal, since) is Stand.UNKNOWN

    def parents(self, device: Device) -> Iterator[str]:
        """The signals of all that a device hangs on directly."""
        place, vantage = device.place, self._people.vantage
        if place is not None and place.supply:
            yield supplies.signal_of(place.supply, vantage)
        if place is not None and place.ports:
            yield from (switches.signal_of(name, vantage) for name in _parse(way(place.ports)).names)

    def on(self, device: Device) -> Iterator[str]:
        """The signals of all that a device hangs on, directly or not."""
        place, vantage = device.place, self._people.vantage
        if place is not None and place.supply:
            yield supplies.signal_of(place.supply, vantage)
        if place is not None and place.ports:
            yield from (switches.signal_of(name, vantage) for name in self.above(way(place.ports)))

    def is_unsupplied(self, device: Device) -> bool:
        """Whether an emergency tells that a device has no power: its silence says nothing of a switch."""
        if device.place is None or not device.place.supply:
            return False
        return self._emergency_of(supplies.signal_of(device.place.supply, self._people.vantage)) is not None

    def is_told(self, switch: str) -> bool:
        """Whether an emergency tells of a switch."""
        return self._emergency_of(switches.signal_of(switch, self._people.vantage)) is not None

    def down_switches(self) -> list[str]:
        """The switches on which there is a verdict."""
        vantage = self._people.vantage
        signals = ((name, self._known(switches.signal_of(name, vantage))) for name in self._people.switches)
        return [name for name, signal in signals if signal is not None and signal.verdict is not None]

    def above(self, text: str) -> frozenset[str]:
        """All switches on a way, and all that those hang on."""
        found: dict[str, None] = {}
        left = [*_parse(text).names]
        while left:
            name = left.pop()
            known = self._people.switches.get(name)
            if name not in found and known is not None:
                left += _parse(known.behind).names if known.behind else ()
            found[name] = None
        return frozenset(found)

    def dead_on(self, text: str) -> list[str]:
        """The signals of switches on a way of which an emergency tells, if they cut it."""
        dead = [name for name in sorted(self.above(text)) if self.is_told(name)]
        if not self.ways.is_cut(text, dead):
            return []
        return [switches.signal_of(name, self._people.vantage) for name in dead]


def _to_verdict(terms: AgreementTerms) -> timedelta:
    """How long it takes at most from the first silent second to the verdict, but for the last look itself."""
    return terms.interval * terms.misses


def elements(supply: str) -> frozenset[str]:
    """The elements of the power model that a supply hangs on."""
    whole: Expression = _parse(supply)
    return frozenset(whole.names)

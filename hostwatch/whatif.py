"""What would happen if: who would be told of a loss that is only thought of, from a configuration alone.

Those who plan ask it (`hostwatch drill --plan`), and `check-config`. Each person of each customer is one
message, however many of their devices are lost: what falls together is told together.
"""

from __future__ import annotations

import difflib
from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property, lru_cache
from math import ceil
from typing import Final

from hostwatch.configuration.customer import Contact
from hostwatch.configuration.load import Loaded
from hostwatch.configuration.people import quiet_of
from hostwatch.configuration.population import population_of
from hostwatch.configuration.rung import Rung
from hostwatch.core import quiet
from hostwatch.core.bundle import STORIES_MAX
from hostwatch.core.capacity import Foretold, Lane, Message, Way, breached, enough, foretell
from hostwatch.core.device import Device, State
from hostwatch.core.element import Kind
from hostwatch.core.expression import parse
from hostwatch.core.hanging import way
from hostwatch.core.population import Customer
from hostwatch.core.quiet import Owed
from hostwatch.core.roster import About, Concern
from hostwatch.core.terms import Told
from hostwatch.core.wiring import Wiring
from hostwatch.stock.check import Stock

NEAR_MAX: Final = 20_000
"""Among more names than this no likely one is searched for."""

WORST_MAX: Final = 5
"""Losses of which `check-config` warns."""

EVERYTHING: Final = "everything"
ELEMENTS: Final = {kind.value: kind for kind in Kind if " " not in kind.value}
KINDS: Final = ("rack", "customer", "uplink", "switch", "supply", *ELEMENTS, "device")


HOOKS: Final[Mapping[str, Callable[[Device], str]]] = {
    "customer": lambda like: like.customer,
    "rack": lambda like: "" if like.place is None else like.place.rack,
    "uplink": lambda like: like.uplink or "",
    "way": lambda like: way(like.place.ports) if like.place is not None and like.place.ports else "",
    "supply": lambda like: "" if like.place is None else like.place.supply,
}
"""What a device hangs on, in each regard; empty where nobody said."""


class Unknown(Exception):
    """What was asked about is not there, in words for a person."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Loss:
    """Something is lost, and some devices with it."""

    what: str
    shared: bool
    """Whether it is one emergency of many; else each device is one of its own."""

    concern: Concern
    devices: Mapping[str, tuple[str, ...]]
    """The names, by customer."""

    @property
    def emergencies(self) -> int:
        """How many there would be."""
        lost = sum(map(len, self.devices.values()))
        return min(lost, 1) if self.shared else lost


@dataclass(frozen=True, slots=True, kw_only=True)
class Forecast:
    """Who would be told of a loss, when and by what."""

    loss: Loss
    lanes: Mapping[str, Lane]
    people: tuple[Foretold, ...]
    breached: tuple[str, ...]
    """The customers who would not be told in time by their own terms."""

    customers: int
    enough: Mapping[str, Lane] = field(default_factory=dict)
    """By lane, what would suffice."""

    @property
    def late(self) -> tuple[Foretold, ...]:
        """Those who cannot be told in time."""
        return tuple(one for one in self.people if not one.in_time)

    @property
    def is_well(self) -> bool:
        """Whether everybody can be told in time."""
        return not self.late and not self.breached


class Grounds:
    """A configuration with its inventories, as it would stand at an instant."""

    def __init__(self, loaded: Loaded, stock: Stock, at: datetime) -> None:
        self.configuration = loaded.configuration
        self.at = at
        self._stock = stock
        self.people = population_of(loaded.configuration, stock.supplies, stock.uplinks)
        self._wiring = Wiring(self.people.elements.values())
        self._sites = loaded.configuration.site_settings
        self.lanes: dict[str, Lane] = {}
        self._written = {one.id: one for one in self.configuration.customers}
        self._ladders = {
            (customer.id, contact.id): self._ladder(customer.id, contact)
            for customer in self.configuration.customers
            for contact in customer.contacts
        }

    def _ladder(self, customer: str, contact: Contact) -> tuple[Way, ...]:
        """The ways in the order in which they would be tried."""
        written = self._written[customer]
        settings = self.configuration.notices_of(written)
        ways = []
        for rung in self._rungs(customer, contact):
            name, lane = rung.lane(self._sites)
            self.lanes[name] = lane
            wait = settings.next_channel_after if rung.wait is None else rung.wait
            ways.append(Way(lane=name, wait=wait))
        return tuple(ways)

    def _rungs(self, customer: str, contact: Contact) -> Iterator[Rung]:
        written = self._written[customer]
        within = self.configuration.notices_of(written).within
        kinds = [rung.kind for rung in contact.channels]
        rests = quiet_of(self.configuration, written, contact)
        for place in quiet.order(kinds, rests, Owed(due=self.at + within, within=within), self.at):
            yield contact.channels[place]

    @cached_property
    def _kinds(self) -> dict[int, Device]:
        """What devices in service are like, by number."""
        numbers = {*self._stock.kinds}
        likes = {number: self._stock.likes[number].device for number in numbers}
        return {number: like for number, like in likes.items() if like.state is State.IN_SERVICE}

    @cached_property
    def _names(self) -> dict[int, list[str]]:
        """The names of devices in service, by what they are like."""
        found: dict[int, list[str]] = {number: [] for number in self._kinds}
        for name, number in zip(self._stock.index, self._stock.kinds, strict=True):
            if number in found:
                found[number].append(name)
        return found

    @cached_property
    def _hung(self) -> dict[str, dict[str, list[int]]]:
        """By what it is, and what hangs on it: the numbers of what such devices are like."""
        found: dict[str, dict[str, list[int]]] = {hook: defaultdict(list) for hook in HOOKS}
        for number, like in self._kinds.items():
            for hook, of in HOOKS.items():
                if what := of(like):
                    found[hook][what].append(number)
        return found

    def loss(self, asked: str) -> Loss:
        """What was asked about, such as `rack 7`. Raises `Unknown`."""
        asked = " ".join(asked.split())
        kind, _, name = asked.partition(" ")
        if asked == EVERYTHING:
            return self._lost(asked, "customer", self._hung["customer"])
        if kind not in KINDS or not name:
            raise Unknown(f"cannot plan for {asked!r}: write {', '.join(KINDS)} and a name, or {EVERYTHING}")
        match kind:
            case "rack":
                self._known(kind, name, self._hung["rack"])
                return self._lost(asked, "rack", [name])
            case "customer":
                self._known(kind, name, self.people.customers)
                return self._lost(asked, "customer", [name])
            case "device":
                return self._devices(asked, [one.strip() for one in name.split(",")])
            case "uplink":
                self._known(kind, name, [one.id for one in self.configuration.uplinks])
                return self._lost(asked, "uplink", self._fallen("uplink", {name}), Concern.CONNECTIVITY)
            case "switch":
                self._known(kind, name, self.people.switches)
                ways = self._fallen("way", self._dead_switches(name))
                return self._lost(asked, "way", ways, Concern.CONNECTIVITY)
            case "supply":
                self._known(kind, name, self.people.supplies)
                return self._lost(asked, "supply", [name], Concern.POWER)
        elements = [one.id for one in self.people.elements.values() if one.kind is ELEMENTS[kind]]
        self._known(kind, name, elements)
        dark = [supply for supply in self._hung["supply"] if self._is_dark(supply, name)]
        return self._lost(asked, "supply", dark, Concern.POWER)

    def _fallen(self, hook: str, dead: Collection[str]) -> Iterator[str]:
        """What does not hold any more when these are gone."""
        return (what for what in self._hung[hook] if _falls(what, dead))

    def shared(self) -> Iterator[str]:
        """All that several may hang on, as `loss` wants it."""
        yield from (f"rack {name}" for name in sorted(self._hung["rack"]))
        yield from (f"uplink {one.id}" for one in self.configuration.uplinks)
        yield from (f"switch {name}" for name in self.people.switches)
        yield from (f"supply {name}" for name in self.people.supplies)

    def _known(self, kind: str, name: str, known: Collection[str]) -> None:
        if name in known:
            return
        near = difflib.get_close_matches(name, known, 3) if len(known) <= NEAR_MAX else []
        first = near or sorted(known)[:3]
        hint = f": is it {', '.join(first)}?" if first else ", nor any other"
        raise Unknown(f"there is no {kind} {name} in service{hint}")

    def _devices(self, asked: str, names: list[str]) -> Loss:
        found: dict[str, list[str]] = {}
        for name in names:
            self._known("device", name, self._stock.index)
            like = self._kinds.get(self._stock.kinds[self._stock.index[name]])
            if like is None:
                raise Unknown(f"device {name} is not in service: nobody would be told")
            found.setdefault(like.customer, []).append(name)
        devices = {customer: tuple(mine) for customer, mine in found.items()}
        return Loss(what=asked, shared=False, concern=Concern.CONNECTIVITY, devices=devices)

    def _lost(self, asked: str, hook: str, fallen: Iterable[str], concern: Concern | None = None) -> Loss:
        """All devices in service that hang on what has fallen.

        `concern`: of the one emergency of all of them; None: each has its own.
        """
        found: dict[str, list[str]] = {}
        for what in fallen:
            for number in self._hung[hook].get(what, ()):
                found.setdefault(self._kinds[number].customer, []).extend(self._names[number])
        return Loss(
            what=asked,
            shared=concern is not None,
            concern=concern or Concern.CONNECTIVITY,
            devices={customer: tuple(mine) for customer, mine in sorted(found.items())},
        )

    def _dead_switches(self, name: str) -> set[str]:
        """A switch, and all that are cut off with it."""
        dead, before = {name}, 0
        while len(dead) > before:
            before = len(dead)
            dead |= {one.id for one in self.people.switches.values() if _falls(one.behind, dead)}
        return dead

    def _is_dark(self, supply: str, element: str) -> bool:
        """Whether a supply is lost with an element of the power model."""

        def lit(name: str) -> bool:
            above = None if name == element else self._wiring.input(name)
            return name != element and (above is None or above.value(lit) is not False)

        return _parsed(supply).value(lit) is False

    def messages(self, loss: Loss) -> tuple[list[Message], dict[str, Told]]:
        """Who is owed to be told of a loss; and how many of each customer's people must be."""
        found: list[Message] = []
        told: dict[str, Told] = {}
        operator = [self.people.operator] if loss.shared and loss.devices and self.people.operator else []
        for name in dict.fromkeys([*loss.devices, *operator]):
            customer = self.people.customers[name]
            people, counting = self._authorised(customer, loss)
            if counting is None:
                continue
            told[name] = customer.telling.told
            parts = 1 if loss.shared else ceil(len(loss.devices[name]) / STORIES_MAX)
            found += [
                Message(
                    customer=name,
                    contact=contact,
                    within=customer.terms.notice_within,
                    ways=self._ladders[name, contact],
                    order=customer.contacts.index(contact),
                    counts=contact in counting,
                    parts=parts,
                )
                for contact in people
            ]
        return found, told

    def _authorised(self, customer: Customer, loss: Loss) -> tuple[list[str], set[str] | None]:
        """Who is to be told, and who of them counts; None: nobody is ever to hear of such things."""
        abouts = self._abouts(customer, loss)
        if not any(customer.hears_of(about) for about in abouts):
            return [], None
        every = {*customer.authorised(self.at)}
        people: set[str] = set()
        counting: set[str] = set()
        for about in abouts:
            people.update(customer.authorised(self.at, about))
            counting.update(customer.counting(self.at, about))
            if people == every:
                break
        return [one for one in customer.contacts if one in people], counting

    def _abouts(self, customer: Customer, loss: Loss) -> list[About]:
        if loss.shared or not customer.roster.is_bound:
            return [About(concern=loss.concern)]
        names = loss.devices.get(customer.id, ())
        found = []
        for name in names:
            services = tuple(
                one.name for one in self._kinds[self._stock.kinds[self._stock.index[name]]].services
            )
            found.append(About(concern=loss.concern, device=name, services=services))
        return found or [About(concern=loss.concern)]

    def forecast(self, loss: Loss, *, suffices: bool = True) -> Forecast:
        """Who would be told when, and what would suffice where that is too late."""
        messages, told = self.messages(loss)
        found = foretell(messages, self.lanes)
        late = any(not one.in_time for one in found)
        return Forecast(
            loss=loss,
            lanes=self.lanes,
            people=found,
            breached=tuple(breached(found, told)),
            customers=len(told),
            enough=enough(messages, self.lanes) if late and suffices else {},
        )


def _falls(wanted: str, dead: Collection[str]) -> bool:
    """Whether an expression does not hold any more when these are gone."""
    return bool(wanted) and _parsed(wanted).value(lambda name: name not in dead) is False


_parsed = lru_cache(maxsize=8_192)(parse)


def worst(grounds: Grounds) -> Iterable[Forecast]:
    """Of all that may be lost at once those of which the most cannot be told in time, by how many that are.

    Where all can be told of everything, they can of each part of it.
    """
    everything = grounds.forecast(grounds.loss(EVERYTHING), suffices=False)
    if everything.is_well:
        return []
    found, fine = [everything], list[frozenset[str]]()
    for asked in grounds.shared():
        loss = grounds.loss(asked)
        customers = frozenset(loss.devices)
        if any(customers <= one for one in fine):
            continue
        one = grounds.forecast(loss, suffices=False)
        if one.is_well:
            fine.append(customers)
        else:
            found.append(one)
    found.sort(key=lambda one: (-len(one.late), -len(one.breached)))
    return found[:WORST_MAX]

"""What a verdict means to people: the story of its emergency, and whom it is told.

A device is its customer's. An uplink is everybody's: each customer with devices behind it is told
once, however many they are, and the operator's own people are told too.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import NamedTuple

from hostwatch.core import facts, parts
from hostwatch.core.behind import Group
from hostwatch.core.device import Device
from hostwatch.core.notice import Part, Story
from hostwatch.core.population import Customer, Population
from hostwatch.core.service import Service
from hostwatch.core.together import Stand
from hostwatch.core.uplink import Uplink


@dataclass(frozen=True, slots=True, kw_only=True)
class Opening:
    """What a verdict opens."""

    story: Story
    """The emergency's own."""

    fact: facts.Fact
    """That it opened."""

    told: tuple[tuple[Customer, Story], ...]
    """Who is owed a notice, and the story as it is told them."""


def of_device(people: Population, device: Device, flip: facts.WentDown, reference: str) -> Opening:
    """A device went down."""
    customer = people.customers[device.customer]
    story = replace(
        _story(flip, reference, customer.terms.interval),
        customer=customer.id,
        device=device.id,
        address=device.address,
        method=device.way,
    )
    return Opening(story=story, fact=_opened(story, flip), told=((customer, story),))


def told_with(opening: Opening, *, failing: tuple[str, ...], answering: tuple[str, ...] = ()) -> Opening:
    """The same with what is known of the device's services."""
    if not failing and not answering:
        return opening
    told = tuple(
        (customer, replace(story, failing=failing, answering=answering)) for customer, story in opening.told
    )
    return replace(opening, story=replace(opening.story, failing=failing, answering=answering), told=told)


def of_service(
    people: Population, device: Device, service: Service, flip: facts.WentDown, reference: str, itself: Stand
) -> Opening:
    """A service went down, and not its device with it, as far as anybody knows."""
    customer = people.customers[device.customer]
    story = replace(
        _story(flip, reference, service.terms.within(customer.terms).interval),
        customer=customer.id,
        device=device.id,
        address=device.address,
        service=service.name,
        itself=itself.value,
    )
    return Opening(story=story, fact=_opened(story, flip), told=((customer, story),))


def _opened(story: Story, flip: facts.WentDown) -> facts.EmergencyOpened:
    return facts.EmergencyOpened(
        at=flip.at,
        reference=story.reference,
        customer=story.customer,
        device=story.device,
        signal=flip.signal,
        first_miss=flip.first_miss,
        last_answer=flip.last_answer,
    )


class Spared(NamedTuple):
    """Who is behind a group that an uplink is a member of, and still reaches the carrier by the others."""

    devices: int = 0
    customers: int = 0


def of_uplink(
    people: Population, uplink: Uplink, flip: facts.WentDown, reference: str, spared: Spared
) -> Opening:
    """The reference points of an uplink fell silent, and with them every port behind it alone (J7).

    Or a redundancy group did, and with it every port behind the group.
    """
    story = replace(
        _story(flip, reference, uplink.terms.interval),
        uplink=uplink.name,
        members=tuple(people.uplinks[one].name for one in uplink.members),
        references=len(uplink.references),
        quorum=uplink.quorum,
    )
    behind = dict(people.behind(uplink.id))
    opened = facts.UplinkEmergencyOpened(
        at=flip.at,
        reference=reference,
        uplink=uplink.id,
        signal=flip.signal,
        first_miss=flip.first_miss,
        last_answer=flip.last_answer,
        customers=tuple(behind),
    )
    return Opening(story=story, fact=opened, told=tuple(_told_with(people, story, behind, spared)))


def _told_with(
    people: Population, story: Story, behind: dict[str, Group], spared: Spared
) -> Iterator[tuple[Customer, Story]]:
    """The operator's own people hear as well who is not concerned."""
    for customer, mine in _told(people, story, behind):
        if customer.id == people.operator:
            mine = replace(mine, spared=spared.devices, spared_customers=spared.customers)
        yield customer, mine


@dataclass(frozen=True, slots=True, kw_only=True)
class Fallen:
    """Supplies or switches that are told of together, with who is concerned since which of their verdicts."""

    flips: tuple[facts.WentDown, ...]
    groups: dict[str, Group]
    """By customer, the devices in service that are on them, or cut off by them."""

    since: dict[str, facts.WentDown]
    """By customer, the verdict by which the first of theirs was lost."""

    theirs: Mapping[str, frozenset[str]] = field(default_factory=dict)
    """By customer, the supplies that are theirs, of all that are down."""

    parts: tuple[Part, ...] = ()
    """What these verdicts took away, and nothing else had before."""

    @property
    def first(self) -> facts.WentDown:
        """The one that the story of all begins with."""
        return self.flips[0]

    @property
    def signals(self) -> tuple[str, ...]:
        """What they are of."""
        return tuple(flip.signal for flip in self.flips)


def of_supplies(people: Population, fallen: Fallen, names: Iterable[str], reference: str) -> Opening:
    """Power is interrupted for those on some supplies (`colocation C2`)."""
    story = replace(supplied(people, fallen.first, tuple(names), reference), parts=fallen.parts)
    opened = facts.SupplyEmergencyOpened(
        at=fallen.first.at,
        reference=reference,
        supplies=story.supplies,
        signal=fallen.first.signal,
        first_miss=fallen.first.first_miss,
        last_answer=fallen.first.last_answer,
        customers=tuple(fallen.groups),
    )
    return Opening(story=story, fact=opened, told=tuple(told_of(people, story, fallen)))


def supplied(people: Population, flip: facts.WentDown, names: tuple[str, ...], reference: str) -> Story:
    """The story of some supplies, the first of which went down so."""
    first = people.supplies[names[0]]
    story = _story(flip, reference, first.terms.interval)
    return replace(story, supplies=names, measured_at=first.measured_at)


def of_switches(people: Population, fallen: Fallen, names: Iterable[str], reference: str) -> Opening:
    """Switches are dead, and cut off those behind them (J10)."""
    ids = tuple(names)
    story = replace(switched(people, fallen.first, ids, reference), parts=fallen.parts)
    opened = facts.SwitchEmergencyOpened(
        at=fallen.first.at,
        reference=reference,
        switches=ids,
        signal=fallen.first.signal,
        first_miss=fallen.first.first_miss,
        last_answer=fallen.first.last_answer,
        customers=tuple(fallen.groups),
    )
    return Opening(story=story, fact=opened, told=tuple(told_of(people, story, fallen)))


def switched(people: Population, flip: facts.WentDown, ids: tuple[str, ...], reference: str) -> Story:
    """The story of some switches, the first of which went down so."""
    story = _story(flip, reference, people.switches[ids[0]].terms.interval)
    return replace(story, switches=tuple(people.switches[one].name or one for one in ids))


def told_of(people: Population, story: Story, fallen: Fallen) -> Iterator[tuple[Customer, Story]]:
    """To each customer whom it concerns, and to the operator, the story as it is theirs."""
    own = parts.by_reader(people, story)
    for customer, shared in _told(people, story, fallen.groups):
        mine = replace(shared, parts=own.get(customer.id, ()))
        if customer.id == people.operator:
            yield customer, mine
            continue
        supplies = tuple(one for one in mine.supplies if one in fallen.theirs.get(customer.id, ()))
        yield customer, _since(replace(mine, supplies=supplies), fallen.since.get(customer.id))


def _since(story: Story, flip: facts.WentDown | None) -> Story:
    if flip is None:
        return story
    return replace(
        story,
        misses=flip.misses,
        last_answer=flip.last_answer,
        first_miss=flip.first_miss,
        verdict=flip.at,
        why=flip.why,
    )


def _story(flip: facts.WentDown, reference: str, interval: timedelta) -> Story:
    return Story(
        reference=reference,
        customer="",
        device="",
        address="",
        interval=interval,
        misses=flip.misses,
        last_answer=flip.last_answer,
        first_miss=flip.first_miss,
        verdict=flip.at,
        why=flip.why,
    )


def _told(people: Population, story: Story, behind: dict[str, Group]) -> Iterator[tuple[Customer, Story]]:
    for name, devices in behind.items():
        if name != people.operator:
            mine = replace(story, customer=name, behind=devices.count, devices=tuple(devices.names))
            yield people.customers[name], mine
    operator = people.customers.get(people.operator)
    if operator is not None:
        count = sum(devices.count for devices in behind.values())
        yield operator, replace(story, customer=operator.id, behind=count, customers=len(behind))

"""What a verdict means to people: the story of its emergency, and whom it is told.

A device is its customer's. An uplink is everybody's: each customer with devices behind it is told
once, however many they are, and the operator's own people are told too.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import timedelta

from hostwatch.core import facts
from hostwatch.core.behind import Group
from hostwatch.core.notice import Story
from hostwatch.core.population import Customer, Device, Population
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


def of_uplink(people: Population, uplink: Uplink, flip: facts.WentDown, reference: str) -> Opening:
    """The reference points of an uplink fell silent, and with them every port behind it (J7)."""
    story = replace(
        _story(flip, reference, uplink.terms.interval),
        uplink=uplink.name,
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
    return Opening(story=story, fact=opened, told=tuple(_told(people, story, behind)))


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

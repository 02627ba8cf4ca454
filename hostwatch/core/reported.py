"""Emergencies that a person reports: what they cover, and what our own probes see beside that word (J4).

One is named after no signal of ours, so that no answer to a ping ends it: a person does. It covers the
signals of what was reported; an outage of these is told under it, as more of the same.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace
from datetime import datetime
from typing import Final

from hostwatch.core.behind import NAMED_MAX, Group
from hostwatch.core.device import Device
from hostwatch.core.emergency import Emergency
from hostwatch.core.notice import Seen, Story
from hostwatch.core.population import Customer, Population
from hostwatch.core.service import device_in
from hostwatch.core.together import Known

PREFIX: Final = "report:"


def signal_of(reference: str) -> str:
    """What stands for the signal in an emergency that a person reports."""
    return PREFIX + reference


def is_reported(emergency: Emergency) -> bool:
    """Whether a person reported it."""
    return emergency.signal.startswith(PREFIX)


def covered(device: Device, service: str, vantage: str) -> tuple[str, ...]:
    """The signals that a report is about: those of one service, or of a device and all on it."""
    found = device.service(service) if service else None
    if service:
        return () if found is None else (found.signal(device.id, vantage),)
    return device.signals(vantage)


def stories(
    people: Population, story: Story, devices: Iterable[Device], known: Known
) -> Iterator[tuple[Customer, Story]]:
    """To each customer whose devices were reported the story of theirs."""
    by_customer: dict[str, list[Device]] = {}
    for device in devices:
        by_customer.setdefault(device.customer, []).append(device)
    for customer, mine in by_customer.items():
        first = sorted(mine, key=lambda device: device.id)[:NAMED_MAX]
        alone = first[0] if len(mine) == 1 else None
        yield (
            people.customers[customer],
            replace(
                story,
                customer=customer,
                device="" if alone is None else alone.id,
                address="" if alone is None else alone.address,
                behind=len(mine),
                devices=tuple(device.id for device in first),
                seen=tuple(seen(people, device, story.service, known) for device in first),
            ),
        )


def seen(people: Population, device: Device, service: str, known: Known) -> Seen:
    """How our own probes see a device, or its service, now."""
    names = covered(device, service, people.vantage)
    signal = known(names[0]) if names else None
    if signal is None or not signal.proven:
        return Seen(device=device.id, how="unknown")
    if signal.silence is not None:
        return Seen(device=device.id, how="silent", since=signal.silence.first_miss)
    return Seen(device=device.id, how="unknown" if signal.blind_since is not None else "answering")


def seen_anew(people: Population, story: Story, known: Known) -> Story:
    """A reader's story with what our probes see of it by now."""
    devices = (people.devices.get(name) for name in story.devices)
    found = {one.id: seen(people, one, story.service, known) for one in devices if one is not None}
    return replace(story, seen=tuple(found.get(one.device, one) for one in story.seen))


def without(emergency: Emergency, signal: str) -> Emergency:
    """An emergency that covers a signal no more."""
    return replace(emergency, joined=tuple(name for name in emergency.joined if name != signal))


def silent(emergency: Emergency, known: Known) -> Iterator[tuple[str, datetime]]:
    """The signals that it covers on which there is a verdict of our own, and since when they are silent."""
    for name in emergency.joined:
        signal = known(name)
        if signal is not None and signal.verdict is not None and signal.silence is not None:
            yield name, signal.silence.first_miss


def groups(people: Population, emergency: Emergency) -> Iterator[tuple[str, Group]]:
    """By customer the devices that it covers."""
    found: dict[str, list[str]] = {}
    for name in dict.fromkeys(map(device_in, emergency.joined)):
        device = people.devices.get(name)
        if device is not None:
            found.setdefault(device.customer, []).append(name)
    return ((customer, Group(len(names), names)) for customer, names in found.items())

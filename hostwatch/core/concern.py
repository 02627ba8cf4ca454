"""What an emergency is about, for people who hear of some things alone (`core.roster`)."""

from __future__ import annotations

from hostwatch.core.device import Device
from hostwatch.core.notice import Story
from hostwatch.core.population import Population
from hostwatch.core.roster import About, Concern
from hostwatch.core.service import is_service, service_in


def about_of(story: Story, people: Population) -> About:
    """What a story is about: power, the way to a device or to many, or a service."""
    if story.supplies:
        return About(concern=Concern.POWER)
    if story.service:
        return About(concern=Concern.SERVICE, device=story.device, services=(story.service,))
    device = people.devices.get(story.device)
    return About(concern=Concern.CONNECTIVITY) if device is None else _of_device(device)


def about_of_signal(device: Device, signal: str) -> About:
    """What the signal of a device, or of a service of it, is about."""
    if is_service(signal):
        return About(concern=Concern.SERVICE, device=device.id, services=(service_in(signal),))
    return _of_device(device)


def _of_device(device: Device) -> About:
    services = tuple(service.name for service in device.services)
    return About(concern=Concern.CONNECTIVITY, device=device.id, services=services)

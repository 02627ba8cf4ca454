"""Rules between our own sight and the rest of the configuration, and what is worth a warning."""

from __future__ import annotations

from collections.abc import Iterator

from hostwatch.configuration.mistake import Wrong
from hostwatch.configuration.model import Configuration
from hostwatch.configuration.place import Finding
from hostwatch.core.device import State

BEACONS_ALONE_MIN = 3
"""With fewer beacons and no gateway, one beacon that is switched off makes us blind."""

WATCHED_BEACON = Wrong(
    "is a beacon of sight, by which we know that we see: it cannot be judged by that",
    "write another address at sight.beacons, outside, of nobody whom you watch",
)


def mistakes(configuration: Configuration) -> Iterator[Finding]:
    """Nobody who is judged by our sight speaks for it."""
    for number, customer in enumerate(configuration.customers):
        for place, device in enumerate(customer.devices):
            if device.address in configuration.sight.beacons and device.state is not State.REMOVED:
                yield ("customers", number, "devices", place, "address"), WATCHED_BEACON


def warnings(configuration: Configuration) -> Iterator[Finding]:
    """Without a gateway nobody can tell a dead carrier from our own blindness."""
    sight = configuration.sight
    if not sight.beacons or sight.gateways:
        return
    yield (
        ("sight",),
        Wrong(
            "names beacons and no gateway: an outage of the carrier cannot be told from our own blindness,"
            " and all is unknown while it lasts",
            "write the address of your own gateway at gateways:",
        ),
    )
    if len(sight.beacons) < BEACONS_ALONE_MIN:
        yield (
            ("sight", "beacons"),
            Wrong(
                f"are fewer than {BEACONS_ALONE_MIN}, and there is no gateway: one that is switched off makes"
                " us blind",
                "add others, or a gateway",
            ),
        )

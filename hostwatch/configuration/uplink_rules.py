"""Rules between uplinks and the rest of the configuration, and what is allowed but worth a warning."""

from __future__ import annotations

import difflib
from collections.abc import Iterator, Sequence

from hostwatch.configuration.duration import shown
from hostwatch.configuration.mistake import Wrong
from hostwatch.configuration.model import Configuration
from hostwatch.configuration.place import Finding, Steps
from hostwatch.core import uplink as core
from hostwatch.core.device import State
from hostwatch.core.uplink import GROUPS_MAX

NAMED_MAX = 3
"""How many of the devices without an uplink a warning names."""


def mistakes(configuration: Configuration) -> Iterator[Finding]:
    """What cannot come into force."""
    yield from _references(configuration)
    yield from _lengths(configuration)
    uplinks = [uplink.id for uplink in configuration.uplinks]
    if configuration.operator is not None:
        customers = [customer.id for customer in configuration.customers]
        yield from _known(("operator",), "customer", configuration.operator, customers)
    groups: set[str] = set()
    for steps, written in _named(configuration):
        yield from ((steps, wrong) for wrong in unknown(written, uplinks))
        if written in groups or not core.parsed(written).parts:
            continue
        groups.add(written)
        if len(groups) == GROUPS_MAX + 1:
            yield steps, too_many()


def _named(configuration: Configuration) -> Iterator[tuple[Steps, str]]:
    """Where uplinks are named, and what is written there."""
    for number, customer in enumerate(configuration.customers):
        if customer.uplink is not None:
            yield ("customers", number, "uplink"), customer.uplink
        for place, device in enumerate(customer.devices):
            if device.uplink is not None:
                yield ("customers", number, "devices", place, "uplink"), device.uplink
    for number, switch in enumerate(configuration.network.switches):
        if switch.uplink is not None:
            yield ("network", "switches", number, "uplink"), switch.uplink


def unknown(written: str, uplinks: Sequence[str]) -> Iterator[Wrong]:
    """The uplinks that an expression names and that there are not."""
    for name in core.parsed(written).names:
        if name not in uplinks:
            near = difflib.get_close_matches(name, uplinks, 1)
            hint = f"did you mean {near[0]}?" if near else "write the id of one of uplinks:, or add it"
            yield Wrong(f"names {name}, which is no uplink", hint)


def too_many() -> Wrong:
    """That there are more redundancy groups than can be watched."""
    return Wrong(
        f"makes more than {GROUPS_MAX} different redundancy groups",
        "write the same expression for devices that are alike",
    )


def _references(configuration: Configuration) -> Iterator[Finding]:
    """Each reference point is the carrier's, and speaks for one uplink."""
    first: dict[object, str] = {}
    for number, uplink in enumerate(configuration.uplinks):
        for place, address in enumerate(uplink.references):
            steps = ("uplinks", number, "references", place)
            if address in configuration.sight.gateways:
                wrong = Wrong(
                    "is our own gateway, which answers although the uplink is dead",
                    "write the address of one of the carrier's",
                )
                yield steps, wrong
            earlier = first.setdefault(address, uplink.id)
            if earlier != uplink.id:
                wrong = Wrong(
                    f"is a reference point of uplink {earlier} too",
                    "choose another: one answer cannot speak for two ways",
                )
                yield steps, wrong


def _lengths(configuration: Configuration) -> Iterator[Finding]:
    """The look at an uplink is over before the next begins."""
    ping = configuration.schedule
    need = ping.attempts * ping.spacing + ping.timeout
    for number, uplink in enumerate(configuration.uplinks):
        interval = configuration.uplink_terms(uplink).interval
        if need > interval:
            yield (
                ("uplinks", number, "interval"),
                Wrong(
                    f"is {shown(interval)}, and attempts x spacing + timeout of schedule make {shown(need)}",
                    "write a longer one, or shorten spacing or timeout",
                ),
            )


def _known(steps: tuple[object, ...], what: str, name: str | None, known: list[str]) -> Iterator[Finding]:
    if name is None or name in known:
        return
    near = difflib.get_close_matches(name, known, 1)
    hint = f"did you mean {near[0]}?" if near else f"write the id of a {what}" if known else f"add the {what}"
    yield steps, Wrong(f"names no {what}", hint)


def warnings(configuration: Configuration) -> Iterator[Finding]:
    """With several uplinks each device should say which is its own."""
    if configuration.uplinks and not configuration.sight.addresses:
        yield (
            ("uplinks",),
            Wrong(
                "without sight: a fault of our own link looks like an outage of the uplink",
                "write the address of your own gateway at sight:",
            ),
        )
    if len(configuration.uplinks) < 2:
        return
    for number, customer in enumerate(configuration.customers):
        if configuration.uplink_of(customer) is not None:
            continue
        loose = [
            device.id
            for device in customer.devices
            if device.uplink is None and device.state is not State.REMOVED
        ]
        if loose:
            more = f" and {len(loose) - NAMED_MAX} more" if len(loose) > NAMED_MAX else ""
            yield (
                ("customers", number),
                Wrong(
                    f"{', '.join(loose[:NAMED_MAX])}{more}: on no uplink, so whether the carrier can be"
                    " reached from there is unknown",
                    "write uplink: at the customer, or at each device",
                ),
            )

"""Rules between one part of the configuration and another, and what is allowed but worth a warning.

The first group looks at the values as they were written, so that it speaks even where single values
are wrong; the second needs a valid configuration.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pydantic import BaseModel

from hostwatch import channels
from hostwatch.configuration import roster_rules, telling
from hostwatch.configuration.mistake import Wrong
from hostwatch.configuration.model import Configuration
from hostwatch.configuration.of_kind import OfKind
from hostwatch.configuration.place import Finding, Steps
from hostwatch.configuration.power import KINDS
from hostwatch.configuration.rung import MAIL_KIND
from hostwatch.configuration.secret import Secret
from hostwatch.configuration.service import Check
from hostwatch.configuration.source import Node
from hostwatch.core.device import State

SOCKET_PATH_BYTES_MAX = 100
"""A Unix socket's path has 108 bytes on Linux; the rest is left to temporary names beside it."""


@dataclass(slots=True)
class _Names:
    """Identifiers seen so far within one realm, each with the place where it stood first."""

    what: str
    realm: str
    first: dict[str, Node] = field(default_factory=dict)

    def clash(self, node: Node) -> Wrong | None:
        if not isinstance(node.value, str):
            return None
        earlier = self.first.setdefault(node.value, node)
        if earlier is node:
            return None
        return Wrong(
            f"another {self.what} has this id, in {earlier.file}:{earlier.line}",
            f"choose one that is unique {self.realm}",
        )


def among_names(root: Node) -> Iterator[Finding]:
    """No two customers, devices, uplinks, or contacts of a customer have one name."""
    customers, devices = _Names("customer", "in the site"), _Names("device", "in the site")
    uplinks = _Names("uplink", "in the site")
    yield from _of_the_house(root)
    yield from _check(uplinks, ("uplinks",), _list(root, "uplinks"), numbered=True)
    for number, customer in enumerate(_list(root, "customers")):
        here: Steps = ("customers", number)
        yield from _check(customers, here, [customer])
        yield from _check(devices, (*here, "devices"), _list(customer, "devices"), numbered=True)
        contacts = _Names("contact", "for the customer")
        yield from _check(contacts, (*here, "contacts"), _list(customer, "contacts"), numbered=True)
        yield from _check(contacts, (*here, "rotations"), _list(customer, "rotations"), numbered=True)


def _of_the_house(root: Node) -> Iterator[Finding]:
    """No two sources, elements of the power model, or switches have one name."""
    power, network = root.get("power"), root.get("network")
    sources, elements, switches = (
        _Names(what, "in the site") for what in ("source", "element of the power model", "switch")
    )
    if power is not None:
        yield from _check(sources, ("power", "sources"), _list(power, "sources"), numbered=True)
        for name in KINDS:
            yield from _check(elements, ("power", name), _list(power, name), numbered=True)
    if network is not None:
        yield from _check(switches, ("network", "switches"), _list(network, "switches"), numbered=True)


def _check(names: _Names, here: Steps, nodes: Iterable[Node], *, numbered: bool = False) -> Iterator[Finding]:
    for number, node in enumerate(nodes):
        found = node.get("id")
        wrong = names.clash(found) if found is not None else None
        if wrong is not None:
            yield (*here, number, "id") if numbered else (*here, "id"), wrong


def _list(node: Node, key: str) -> list[Node]:
    found = node.get(key)
    return found.items() if found is not None else []


def among_channels(root: Node) -> Iterator[Finding]:
    """A kind that cannot work without the site's settings has them if any contact uses it."""
    for kind, steps in sorted(_first_uses(root).items()):
        place = ("mail",) if kind == MAIL_KIND else ("channels", kind)
        needed = [name for name, info in channels.room(kind).Site.model_fields.items() if info.is_required()]
        if needed and len(list(root.way(place))) < len(place):
            section = ".".join(place)
            yield (
                steps,
                Wrong(f"{kind} needs settings of the site", f"write {section}: at the top of the main file"),
            )


def _first_uses(root: Node) -> dict[str, Steps]:
    uses: dict[str, Steps] = {}
    for number, customer in enumerate(_list(root, "customers")):
        for place, contact in enumerate(_list(customer, "contacts")):
            for rung, node in enumerate(_list(contact, "channels")):
                for kind in node.value if isinstance(node.value, dict) else ():
                    if kind in channels.kinds():
                        steps = ("customers", number, "contacts", place, "channels", rung)
                        uses.setdefault(kind, steps)
    return uses


def among_terms(configuration: Configuration) -> Iterator[Finding]:
    """What one customer's agreement says otherwise fits to what the site says for all."""
    for number, customer in enumerate(configuration.customers):
        yield from telling.mistakes(number, customer)
        yield from telling.unusable(number, customer, configuration.site_settings)
        yield from roster_rules.mistakes(number, customer, configuration)
        own: tuple[tuple[str, Any, str], ...] = (
            ("interval", configuration.schedule_of, "schedule"),
            ("notice_within", configuration.notices_of, "notices"),
        )
        for term, settings_of, section in own:
            if getattr(customer.terms, term) is None:
                continue
            try:
                settings_of(customer)
            except ValueError as error:
                yield ("customers", number, "terms", term), _reason(error, section)


def _reason(error: ValueError, section: str) -> Wrong:
    found = error.errors()[0] if hasattr(error, "errors") else {}
    cause = found.get("ctx", {}).get("error", error)
    wrong = cause.wrong if isinstance(cause, Wrong) else str(cause)
    key = ".".join(str(step) for step in found.get("loc", ()))
    return Wrong(f"does not fit to {section}.{key}: {wrong}", "change one of the two")


def among_addresses(configuration: Configuration) -> Iterator[Finding]:
    """Where there is nobody, nobody is looked for."""
    watched = {device.address for customer in configuration.customers for device in customer.devices}
    references = {one for uplink in configuration.uplinks for one in uplink.references}
    asked = references.union(configuration.sight.addresses)
    for place, address in enumerate(configuration.silent):
        if address in watched or address in asked:
            yield (
                ("silent", place),
                Wrong(
                    "is watched for answers elsewhere", "write an address at which there is nobody for sure"
                ),
            )


def about_control(control: Path, *, is_set: bool) -> Iterator[Finding]:
    """The control socket's path fits into what the system takes."""
    length = len(bytes(control))
    if length > SOCKET_PATH_BYTES_MAX:
        whose = "the path" if is_set else "the path beside the store"
        wrong = f"{whose} of the control socket has {length} bytes, more than {SOCKET_PATH_BYTES_MAX}"
        yield ("control",), Wrong(wrong, "write a shorter path at control:")


def warnings(configuration: Configuration) -> Iterator[Finding]:
    """What is allowed, and yet probably not meant."""
    if not configuration.customers:
        yield ("customers",), Wrong("nobody is watched for", "add customers: or include: files with them")
    yield from telling.slow(configuration.notices)
    first: dict[Any, str] = {}
    far = False
    for number, customer in enumerate(configuration.customers):
        here = ("customers", number)
        if not customer.contacts:
            yield (*here, "contacts"), Wrong("nobody is told when a device fails", "add a contact")
        met_by = configuration.telling_of(customer).met_by
        yield from telling.warnings(number, customer, met_by, configuration.site_settings)
        yield from telling.slow_of(
            number, customer, customer.terms.notice_within or configuration.notices.within
        )
        for place, device in enumerate(customer.devices):
            if device.state is State.REMOVED:
                continue
            far = far or not device.address.is_loopback
            earlier = first.setdefault((device.address, device.method), device.id)
            if earlier != device.id and not device.shared:
                step = (*here, "devices", place, "address")
                mend = "if that is meant, write shared: true at this one"
                yield step, Wrong(f"device {earlier} has the same address", mend)
    if far and not configuration.sight.addresses:
        yield (
            ("sight",),
            Wrong(
                "without it a fault of our own link looks like a fault of every device",
                "write the address of your own gateway",
            ),
        )
    yield from _loose_secrets(configuration, ())


def _loose_secrets(value: Any, steps: Steps) -> Iterator[Finding]:
    match value:
        case Secret() if value.loose:
            yield steps, Wrong("the secret's file may be read by its group", value.loose)
        case BaseModel():
            for name, info in type(value).model_fields.items():
                step = () if type(value).__name__ == "Rung" and name == "settings" else (info.alias or name,)
                step = (value.kind,) if isinstance(value, Check | OfKind) and name == "settings" else step
                yield from _loose_secrets(getattr(value, name), (*steps, *step))
        case dict():
            for key, item in value.items():
                yield from _loose_secrets(item, (*steps, key))
        case tuple():
            for number, item in enumerate(value):
                yield from _loose_secrets(item, (*steps, number))

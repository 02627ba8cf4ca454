"""From what is written of a device to a device, by the rules of the configuration, and fast.

The configuration's own model of a device is the only rule. Most devices differ from others in their
name and address alone, though: all else is checked once and remembered, and names and plain IPv4
addresses are known by their looks. Whatever is not plain goes through the model, and so does what is wrong.
"""

from __future__ import annotations

import re
import socket
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any, NamedTuple

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from hostwatch.configuration import words
from hostwatch.configuration.customer import Device as Written
from hostwatch.configuration.fields import ID_PATTERN, TEXT_CHARS_MAX
from hostwatch.configuration.mistake import Wrong
from hostwatch.configuration.population import device_of
from hostwatch.configuration.service_rules import unknown
from hostwatch.configuration.uplink_rules import unknown as no_uplink
from hostwatch.core.device import Device
from hostwatch.core.service import Service
from hostwatch.inventory.base import Item
from hostwatch.stock.hangs import KEYS as HUNG
from hostwatch.stock.hangs import Hangs

CUSTOMER = "customer"
NO_SERVICES: Mapping[str, Mapping[str, Service]] = {}
REMEMBERED_MAX = 10_000
"""How many different devices but for name, address and description are remembered."""

OWN = ("id", "address", "description")
"""What differs from device to device."""

APART = (*OWN, *HUNG)
"""What is looked at by itself: the rest is alike for many."""

NOWHERE = (None,) * len(HUNG)

PLACE = ("customers", 0, "devices", 0)
"""Where a device stands in a configuration, for the words about it."""

_ID = re.compile(ID_PATTERN)


class Finding(NamedTuple):
    """Something wrong with a device."""

    key: str
    wrong: Wrong


class Row(NamedTuple):
    """A device that is all right, without an object of its own."""

    name: str
    address: str
    like: int
    """All else: the number of one of `Likes`."""


class Like(NamedTuple):
    """What a device is but for its name and address."""

    device: Device
    """Without both."""

    shared: bool
    """Whether it is meant that others have its address."""


class Likes:
    """All that devices are like; many share one."""

    def __init__(self) -> None:
        self._all: list[Like] = []
        self._numbers: dict[Like, int] = {}

    def number(self, device: Device, *, shared: bool) -> int:
        """The number of all that is not the name or the address of a device."""
        like = Like(replace(device, id="", address=""), shared)
        number = self._numbers.setdefault(like, len(self._all))
        if number == len(self._all):
            self._all.append(like)
        return number

    def device(self, row: Row) -> Device:
        """The device itself."""
        return replace(self._all[row.like].device, id=row.name, address=row.address)

    def __getitem__(self, number: int) -> Like:
        return self._all[number]


class Shape:
    """Makes rows of items, for one site."""

    def __init__(
        self,
        customers: Mapping[str, str | None],
        uplinks: Sequence[str] = (),
        services: Mapping[str, Mapping[str, Service]] = NO_SERVICES,
        hangs: Hangs | None = None,
    ) -> None:
        """`customers` are known by name, each with the uplink of those devices that do not name another.

        `services`: by customer, those that its devices may name. `hangs`: where they may hang.
        """
        self.likes = Likes()
        self._customers = customers
        self._uplinks = uplinks
        self._services = services
        self._hangs = hangs or Hangs()
        self._known: dict[tuple[Any, ...], int] = {}
        """What devices are like that hang nowhere."""

        self._texts = dict(_columns(Written))
        self.columns = (CUSTOMER, *self._texts)
        self._others = tuple(name for name in self.columns if name not in APART)
        self.required = (CUSTOMER, *(n for n, info in Written.model_fields.items() if info.is_required()))

    def is_name(self, text: str) -> bool:
        """Whether this may be the name of a device, so that it can be shown."""
        return _ID.fullmatch(text) is not None

    def row(self, item: Item) -> Row | list[Finding]:
        """The device, or what is wrong with it."""
        return self._quick(item) or self._slow(item)

    def _quick(self, item: Item) -> Row | None:
        """The device if it is plain and another one was like it."""
        values = item.values
        name, address, told = values.get("id"), values.get("address"), values.get("description")
        if not isinstance(name, str) or not isinstance(address, str) or not _ID.fullmatch(name):
            return None
        if not _is_plain_ipv4(address) or not (told is None or _is_plain_text(told)):
            return None
        try:
            like = self._known.get(self._rest(item))
        except TypeError:  # a list or a mapping among the values
            return None
        hung = tuple(values.get(key) for key in HUNG)
        if like is None or hung == NOWHERE:
            return None if like is None else Row(name, address, like)
        known = self.likes[like]
        place = self._hangs.quick(known.device.customer, *hung)
        if place is None:
            return None
        return Row(name, address, self.likes.number(replace(known.device, place=place), shared=known.shared))

    def _slow(self, item: Item) -> Row | list[Finding]:
        values = self._nested(item.values) if item.is_text else dict(item.values)
        customer = values.pop(CUSTOMER, None)
        wrong = [*self._stranger(customer)]
        try:
            written = Written.model_validate(values)
        except ValidationError as error:
            return [*wrong, *_findings(error.errors(include_url=False))]
        if written.uplink is not None:
            wrong += (Finding("uplink", amiss) for amiss in no_uplink(written.uplink, self._uplinks))
        offered = self._services.get(str(customer), {})
        wrong += _unfit(written.services, offered)
        wrong += (Finding(*found) for found in self._hangs.amiss(written))
        if wrong or not isinstance(customer, str):
            return wrong
        place = self._hangs.place(customer, written)
        device = device_of(customer, written, self._customers[customer], offered, place)
        row = Row(device.id, device.address, self.likes.number(device, shared=written.shared))
        bare = replace(device, place=None)
        self._remember(item, row if place is None else self._bare(bare, shared=written.shared))
        return row

    def _bare(self, device: Device, *, shared: bool) -> Row:
        """The same device, but that it hangs nowhere."""
        return Row(device.id, device.address, self.likes.number(device, shared=shared))

    def _rest(self, item: Item) -> tuple[Any, ...]:
        """All that is written of a device but what differs from device to device."""
        if item.is_text:
            return tuple(map(item.values.get, self._others))
        return tuple([(key, type(value), value) for key, value in item.values.items() if key not in APART])

    def _remember(self, item: Item, row: Row) -> None:
        if len(self._known) >= REMEMBERED_MAX or not _is_plain_ipv4(row.address):
            return
        try:
            self._known.setdefault(self._rest(item), row.like)
        except TypeError:  # a list or a mapping among the values
            return

    def _stranger(self, customer: object) -> Iterator[Finding]:
        if customer is None:
            yield Finding(CUSTOMER, Wrong("is missing", "say whose device it is"))
        elif not isinstance(customer, str):
            yield Finding(CUSTOMER, Wrong("is not the id of a customer", "write it as text"))
        elif customer not in self._customers:
            hint = "write the id of one of customers:, or include: a file with this one"
            yield Finding(CUSTOMER, Wrong("is not a customer", hint))

    def _nested(self, values: Mapping[str, Any]) -> dict[str, Any]:
        """Text as the values that are meant, and `a.b` as `b` inside `a`."""
        found: dict[str, Any] = {}
        for key, text in values.items():
            inside, steps = found, key.split(".")
            for step in steps[:-1]:
                inside = inside.setdefault(step, {})
            inside[steps[-1]] = _meant(text, self._texts.get(key))
        return found


def _unfit(named: Mapping[str, object], offered: Collection[str]) -> Iterator[Finding]:
    """A list of devices names services: what they are, and their secrets, is in the main file alone."""
    for name, own in named.items():
        if own is not None:
            wrong = Wrong(
                f"says itself what {name} is",
                "write that under services: in the main file",
            )
            yield Finding("services", wrong)
        elif name not in offered:
            yield Finding("services", unknown(name, offered))


def _is_plain_text(text: object) -> bool:
    return isinstance(text, str) and 0 < len(text.strip()) <= TEXT_CHARS_MAX and text.strip().isprintable()


def _is_plain_ipv4(text: str) -> bool:
    """Whether this is the address of one machine, as nearly all are, and written as we would write it."""
    try:
        first = socket.inet_pton(socket.AF_INET, text)[0]
    except (OSError, ValueError):
        return False
    return 0 < first < 224 and text.isascii()


def _columns(model: type[BaseModel], above: str = "") -> Iterator[tuple[str, Any]]:
    """The keys that hold one value, with its type; those inside another key with a dot between."""
    for name, info in model.model_fields.items():
        key = f"{above}{info.alias or name}"
        kind = words.bare(info.annotation)
        if isinstance(kind, type) and issubclass(kind, BaseModel):
            yield from _columns(kind, f"{key}.")
        else:
            yield key, kind


def _meant(text: Any, kind: Any) -> Any:
    """A cell as a number or a word for yes and no, where one is meant; as it is if it is none."""
    if kind is bool and isinstance(text, str):
        return {"true": True, "false": False, "yes": True, "no": False}.get(text.lower(), text)
    if kind is int and isinstance(text, str) and re.fullmatch(r"[0-9]{1,18}", text):
        return int(text)
    return text


def _findings(errors: list[ErrorDetails]) -> Iterator[Finding]:
    for error in errors:
        key = ".".join(str(step) for step in error["loc"])
        yield Finding(key, words.explain({**error, "loc": (*PLACE, *error["loc"])}))

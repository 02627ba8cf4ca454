"""All inventories of a site: read, checked and compared with each other; what is wrong is said all at once.

What was read once is kept by the digest of its file (`stock.kept`), so that a file that did not change
is not read again. Nothing here knows a store or a running watch.
"""

from __future__ import annotations

import hashlib
import os
from array import array
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import NamedTuple

from hostwatch import inventory
from hostwatch.configuration import files
from hostwatch.configuration.mistake import MISTAKES_MAX, Mistake, Wrong, in_order
from hostwatch.configuration.place_rules import Ports
from hostwatch.configuration.sight_rules import WATCHED_BEACON
from hostwatch.configuration.syntax import shown_key
from hostwatch.configuration.uplink_rules import too_many
from hostwatch.core import canonical
from hostwatch.core.device import Device, State
from hostwatch.core.element import Element
from hostwatch.core.service import Service
from hostwatch.core.uplink import GROUPS_MAX, parsed
from hostwatch.inventory.base import Enough, Item, Page
from hostwatch.stock import lines
from hostwatch.stock.hangs import Hangs
from hostwatch.stock.kept import Kept, Shelf
from hostwatch.stock.shape import Finding, Like, Likes, Row, Shape

FILE_BYTES_MAX = 128 * 1024 * 1024
"""The largest inventory that is read."""

DEVICES_MAX = 2_000_000
"""How many devices all inventories may have together."""

WARNINGS_MAX = 100
"""More warnings about devices are counted, not shown."""

CUT = Wrong("the last line does not end: the file may have been cut short", "end it with a line break")
"""What a file that is half written would do: take devices out of watching, and nobody would say so."""

Progress = Callable[[str, int, int], None]
"""Told the file, how many of its lines have been read, and how many it has."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """What is to be read, and what the rest of the configuration has said already."""

    folder: Path
    """Where relative names begin."""

    beside: Path = Path()
    """The same folder as the user named it, for the names in mistakes."""

    files: tuple[str, ...]
    customers: dict[str, str | None] = field(default_factory=dict)
    """Who may have devices; each with the uplink of those devices that do not name another."""

    uplinks: tuple[str, ...] = ()
    """The uplinks that a device may name."""

    services: dict[str, dict[str, Service]] = field(default_factory=dict)
    """By customer, the services that its devices may name."""

    elements: tuple[Element, ...] = ()
    """The power model, on whose feeds and strips devices hang."""

    switches: tuple[str, ...] = ()
    """The switches on whose ports devices hang."""

    measured_at: dict[str, str] = field(default_factory=dict)
    """By customer, where power is measured if not by the words of the agreement."""

    inline: dict[str, tuple[str, Device]] = field(default_factory=dict)
    """The devices that stand in the configuration itself, each with its place there."""

    has_sight: bool = True
    """Whether we have reference points of our own: without any, devices in a network are worth a warning."""

    beacons: tuple[str, ...] = ()
    """Addresses by which we know that we see: no device may have one of them."""

    shelf: Path | None = None
    """Where what was read is kept; None keeps nothing."""


class Summary(NamedTuple):
    """One inventory in the record."""

    file: str
    devices: int
    digest: str
    """The SHA-256 of the file, in hexadecimal."""


@dataclass(slots=True)
class Stock:
    """What came of it: all devices, also those of the configuration itself, in columns."""

    likes: Likes
    shelf: Shelf
    """Where what was read of the files is kept."""

    index: dict[str, int] = field(default_factory=dict)
    """The place of each device in the columns, by name."""

    addresses: list[str] = field(default_factory=list)
    kinds: array[int] = field(default_factory=lambda: array("L"))
    """What each is like beside its name and address: a number of `likes`."""

    files: array[int] = field(default_factory=lambda: array("l"))
    """Where each stands: the number of its file; -1 for the configuration itself."""

    lines: array[int] = field(default_factory=lambda: array("L"))
    summaries: list[Summary] = field(default_factory=list)
    mistakes: list[Mistake] = field(default_factory=list)
    warnings: tuple[Mistake, ...] = ()

    def add(self, row: Row, file: int, line: int) -> bool:
        """One more device; False if there is one of that name already."""
        place = len(self.index)
        if self.index.setdefault(row.name, place) != place:
            return False
        self.addresses.append(row.address)
        self.kinds.append(row.like)
        self.files.append(file)
        self.lines.append(line)
        return True

    def add_all(self, kept: Kept, file: int) -> bool:
        """All devices of a file; False, and nothing is added, if one's name is there already, or twice."""
        first, many = len(self.index), len(kept)
        if not self.index.keys().isdisjoint(kept.names) or len(set(kept.names)) < many:
            return False
        self.index.update(zip(kept.names, range(first, first + many), strict=True))
        self.addresses += kept.addresses
        self.kinds += kept.likes
        self.files += array("l", [file]) * many
        self.lines += kept.lines
        return True

    @property
    def supplies(self) -> tuple[str, ...]:
        """The supplies of all devices, by name."""
        places = (self.likes[number].device.place for number in set(self.kinds))
        return tuple(sorted({place.supply for place in places if place is not None and place.supply}))

    @property
    def uplinks(self) -> tuple[str, ...]:
        """The uplinks and redundancy groups of all devices, by name."""
        named = (self.likes[number].device.uplink for number in set(self.kinds))
        return tuple(sorted({one for one in named if one is not None}))

    def device(self, name: str) -> Device:
        """A device as the core knows it."""
        place = self.index[name]
        return self.likes.device(Row(name, self.addresses[place], self.kinds[place]))


def check(order: Order, progress: Progress = lambda file, line, lines: None) -> Stock:
    """Read and check all inventories. Mistakes are many or none: with any, the devices are not to be used."""
    return _Checking(order, progress).run()


class _Checking:
    """One run over all files."""

    def __init__(self, order: Order, progress: Progress) -> None:
        self.order = order
        self.progress = progress
        self.shown = [str(order.beside / name) for name in order.files]
        hangs = Hangs(order.elements, order.switches, order.measured_at)
        self.shape = Shape(order.customers, order.uplinks, order.services, hangs)
        inline = canonical.digest({name: device for name, (_, device) in order.inline.items()})
        context: list[object] = [order.customers, order.uplinks, order.services]
        context += [order.elements, order.switches, order.measured_at]
        self.shelf = Shelf(order.shelf, self.shape.likes, context, inline)
        self.stock = Stock(self.shape.likes, self.shelf)

    def run(self) -> Stock:
        for name, (_, device) in self.order.inline.items():
            number = self.shape.likes.number(device, shared=False)
            self.stock.add(Row(name, device.address, number), -1, 0)
        for number, name in enumerate(self.order.files):
            if len(self.stock.mistakes) > MISTAKES_MAX or len(self.stock.index) > DEVICES_MAX:
                break
            self._file(number, name)
        if not self.stock.mistakes:
            self._ports()
            self._beacons()
            self._groups()
        if not self.stock.mistakes:
            self.stock.warnings = in_order(self._warnings())
            self.shelf.tidy({summary.digest for summary in self.stock.summaries})
        return self.stock

    def _file(self, number: int, name: str) -> None:
        kind = inventory.suffixes().get(os.path.splitext(name)[1].lower())  # noqa: PTH122 - a name as written
        try:
            if kind is None:
                endings = ", ".join(sorted(inventory.suffixes()))
                raise Wrong("is not an inventory by the ending of its name", f"it ends in one of {endings}")
            data = files.read(self.order.folder / name, bytes_max=FILE_BYTES_MAX).data
        except Wrong as wrong:
            self._complain(self.shown[number], None, "", wrong)
            return
        digest = hashlib.sha256(data).hexdigest()
        known = self.shelf.get(digest)
        if known is None:
            by_line = inventory.is_line_by_line(kind)
            known = self._reread(kind, number, data) if by_line else None
            known = known or self._read(kind, self.shown[number], data)
            if not self.stock.mistakes:
                self.shelf.put(digest, known, data if by_line else None)
        self._take(number, known)
        self.stock.summaries.append(Summary(name, len(known), digest))

    def _reread(self, kind: str, number: int, data: bytes) -> Kept | None:
        """What is in a file, by what it was before; None if it must be read as a whole."""
        before = self.shelf.before(number, len(self.order.files))
        if before is None or not data.endswith(b"\n"):
            return None

        def read(some: bytes) -> Iterator[tuple[int, Row]] | None:
            page = Page(name="", data=some, columns=self.shape.columns, required=self.shape.required)
            found = [(item.line, self.shape.row(item)) for item in inventory.read(kind, page)]
            rows = [(line, row) for line, row in found if isinstance(row, Row)]
            return iter(rows) if len(rows) == len(found) and not page.mistakes else None

        try:
            return lines.reread(data, *before, read)
        except Enough:
            return None

    def _read(self, kind: str, name: str, data: bytes) -> Kept:
        lines = data.count(b"\n") + 1
        page = Page(
            name=name,
            data=data,
            columns=self.shape.columns,
            required=self.shape.required,
            progress=lambda line: self.progress(name, line, lines),
        )
        kept = Kept()
        try:
            for item in inventory.read(kind, page):
                found = self.shape.row(item)
                if isinstance(found, Row):
                    kept.add(found, item.line)
                else:
                    self._refuse(page, item, found)
        except Enough:
            pass
        self.progress(name, lines, lines)
        if not page.mistakes and not data.endswith((b"\n", b"\r")):
            page.say(lines, "", CUT)
        self.stock.mistakes += page.mistakes
        return kept

    def _refuse(self, page: Page, item: Item, findings: list[Finding]) -> None:
        given = item.values.get("id")
        known = isinstance(given, str) and self.shape.is_name(given)
        about = f"devices[{given}]" if known else "devices"
        for key, wrong in findings:
            first = key.partition(".")[0]
            shown = ".".join(shown_key(step) for step in key.split("."))
            page.say(item.lines.get(first, item.line), f"{about}.{shown}", wrong)

    def _take(self, number: int, kept: Kept) -> None:
        """Add the devices of one file to the others'."""
        if self.stock.add_all(kept, number):
            kept = Kept()
        for row, line in zip(kept.rows(), kept.lines, strict=True):
            if not self.stock.add(row, number, line):
                self._clash(row.name, number, line)
                if len(self.stock.mistakes) > MISTAKES_MAX:
                    return
        if len(self.stock.index) > DEVICES_MAX:
            what = f"there are more than {DEVICES_MAX:,} devices in all"
            self._complain(self.shown[number], None, "", Wrong(what, "split the site"))

    def _clash(self, name: str, number: int, line: int) -> None:
        place = self.stock.index[name]
        file = self.stock.files[place]
        where = self.order.inline[name][0] if file < 0 else f"{self.shown[file]}:{self.stock.lines[place]}"
        wrong = Wrong(f"another device has this id, in {where}", "choose one that is unique in the site")
        self._complain(self.shown[number], line, f"devices[{name}].id", wrong)

    def _ports(self) -> None:
        """Each port has one device."""
        stock, ports = self.stock, Ports()
        likes = {number: stock.likes[number] for number in set(stock.kinds)}
        hung = {number for number, like in likes.items() if _hangs_alone(like)}
        for place, name in enumerate(stock.index) if hung else ():
            like = likes[stock.kinds[place]].device.place
            if stock.kinds[place] not in hung or like is None:
                continue
            for wrong in ports.clashes(name, like.ports):
                file, key = stock.files[place], f"devices[{name}].ports"
                if file >= 0:
                    self._complain(self.shown[file], stock.lines[place], key, wrong)
                if len(stock.mistakes) > MISTAKES_MAX:
                    return

    def _beacons(self) -> None:
        """No device is one of those by whom we know that we see."""
        stock, beacons = self.stock, frozenset(self.order.beacons)
        if beacons.isdisjoint(stock.addresses):
            return
        for place, name in enumerate(stock.index):
            file, state = stock.files[place], stock.likes[stock.kinds[place]].device.state
            if file >= 0 and stock.addresses[place] in beacons and state is not State.REMOVED:
                key = f"devices[{name}].address"
                self._complain(self.shown[file], stock.lines[place], key, WATCHED_BEACON)

    def _groups(self) -> None:
        """There are not more redundancy groups of uplinks than can be watched."""
        if sum(bool(parsed(one).parts) for one in self.stock.uplinks) > GROUPS_MAX and self.shown:
            self._complain(self.shown[0], None, "uplink", too_many())

    def _complain(self, file: str, line: int | None, key: str, wrong: Wrong) -> None:
        self.stock.mistakes.append(Mistake(file=file, line=line, key=key, wrong=wrong.wrong, mend=wrong.mend))

    def _warnings(self) -> Iterator[Mistake]:
        found = self._twins()
        yield from islice(found, WARNINGS_MAX)
        more = sum(1 for _ in found)
        if more:
            yield self._about(0, None, "", f"{more} more devices have the address of another")
        for number, summary in enumerate(self.stock.summaries):
            if not summary.devices:
                yield self._about(
                    number, None, "", "has no devices", "take it out of inventory, or write them"
                )
        if self.shown and not self.order.has_sight and any(map(_is_far, self.stock.addresses)):
            what = "without it a fault of our own link looks like a fault of every device"
            yield self._about(
                0, None, "sight", what, "write the address of your own gateway in the main file"
            )
        if len(self.order.uplinks) > 1:
            yield from self._loose()

    def _about(self, file: int, line: int | None, key: str, wrong: str, mend: str = "") -> Mistake:
        return Mistake(file=self.shown[file], line=line, key=key, wrong=wrong, mend=mend)

    def _twins(self) -> Iterator[Mistake]:
        """Devices that have the address of another one, if either stands in an inventory."""
        stock = self.stock
        if len(set(stock.addresses)) == len(stock.addresses):
            return
        passed = {n for n in set(stock.kinds) if stock.likes[n].device.state is State.REMOVED}
        meant = {n for n in set(stock.kinds) if stock.likes[n].shared}
        methods = {n: stock.likes[n].device.method for n in set(stock.kinds)}
        first: dict[tuple[str, str], str] = {}
        for place, name in enumerate(stock.index):
            kind = stock.kinds[place]
            if kind in passed:
                continue
            earlier = first.setdefault((stock.addresses[place], methods[kind]), name)
            if earlier is not name and kind not in meant and stock.files[place] >= 0:
                what, key = f"device {earlier} has the same address", f"devices[{name}].address"
                mend = "if that is meant, write shared: true at this one"
                yield self._about(stock.files[place], stock.lines[place], key, what, mend)

    def _loose(self) -> Iterator[Mistake]:
        """Devices of which nobody says on which uplink they are."""
        stock, loose = self.stock, Counter[int]()
        kinds = {n for n in set(stock.kinds) if _is_loose(stock.likes[n].device)}
        for kind, file in zip(stock.kinds, stock.files, strict=True):
            if kind in kinds and file >= 0:
                loose[file] += 1
        for file, count in loose.items():
            what = f"{count} devices are on no uplink: reachability from the carrier is unknown"
            yield self._about(file, None, "uplink", what, "write uplink: at the customers, or at each device")


def _hangs_alone(like: Like) -> bool:
    """Whether devices like this have ports of their own."""
    place = like.device.place
    return bool(place and place.ports) and not like.shared and like.device.state is not State.REMOVED


def _is_loose(device: Device) -> bool:
    return device.uplink is None and device.state is not State.REMOVED


def _is_far(address: str) -> bool:
    return not address.startswith("127.") and address != "::1"

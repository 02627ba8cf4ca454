"""What must change so that the devices on record become those that are wanted.

The record has a device's version as text. Nearly all are as they should be, and are known by that text
without being read.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from hostwatch.core import canonical, versions
from hostwatch.core.device import Device, State
from hostwatch.stock.check import Stock
from hostwatch.stock.shape import Row
from hostwatch.store import rows
from hostwatch.store.versions import population

NAME, ADDRESS = "\ue000", "\ue001"
"""Stand for both in the text of a version; no setting may hold such a character."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """Names of devices, sorted."""

    new: tuple[str, ...] = ()
    changed: tuple[str, ...] = ()
    gone: tuple[str, ...] = ()


def differences(stock: Stock, vantage: str, recorded: Iterable[rows.Row]) -> Difference:
    """Compare the devices that are wanted with `(name, customer, state, body)` of those on record."""
    seen = bytearray(len(stock.index))
    versions = _Versions(stock, vantage)
    changed, gone = [], []
    for name, customer, state, body in recorded:
        place = stock.index.get(name)
        if place is None:
            if state != State.REMOVED:
                gone.append(name)
            continue
        if state == State.REMOVED and stock.likes[stock.kinds[place]].device.state is not State.REMOVED:
            continue  # it comes back: as good as new
        seen[place] = 1
        if not versions.same(place, name, customer, state, body):
            changed.append(name)
    new = [name for name, place in stock.index.items() if not seen[place]]
    return Difference(new=tuple(sorted(new)), changed=tuple(sorted(changed)), gone=tuple(sorted(gone)))


def of_files(stock: Stock, configuration: str) -> Difference | None:
    """The same without the record, by the files alone that are not as they were. None when it cannot be done.

    That needs all that was kept of the files from which the devices on record came; `configuration` is the
    digest of the one that is in force, and so recorded.
    """
    before = stock.shelf.in_force(configuration)
    if before is None:
        return None
    after = {summary.digest for summary in stock.summaries}
    was: dict[str, tuple[str, int]] = {}
    for digest in before:
        if digest not in after:
            kept = stock.shelf.get(digest)
            if kept is None:
                return None
            was.update(zip(kept.names, zip(kept.addresses, kept.likes, strict=True), strict=True))
    changed, new = [], []
    for name in _in_other_files(stock, frozenset(before)):
        place, old = stock.index[name], was.pop(name, None)
        kind = stock.kinds[place]
        if old == (stock.addresses[place], kind):
            continue
        removed = _is_removed(stock, kind)
        if old is None or (_is_removed(stock, old[1]) and not removed):
            new.append(name)
        elif _as_device(stock, old) != _as_device(stock, (stock.addresses[place], kind)):
            changed.append(name)
    gone = [name for name, (_, kind) in was.items() if not _is_removed(stock, kind)]
    return Difference(new=tuple(sorted(new)), changed=tuple(sorted(changed)), gone=tuple(sorted(gone)))


def _in_other_files(stock: Stock, known: frozenset[str]) -> Iterator[str]:
    """The devices of all files but those that are known by their digests."""
    names = list(stock.index)
    first = len(names) - sum(summary.devices for summary in stock.summaries)
    for summary in stock.summaries:
        end = first + summary.devices
        if summary.digest not in known:
            yield from names[first:end]
        first = end


def _is_removed(stock: Stock, kind: int) -> bool:
    return stock.likes[kind].device.state is State.REMOVED


def _as_device(stock: Stock, known: tuple[str, int]) -> Device:
    return stock.likes.device(Row("", *known))


class _Versions:
    """Compares versions on record with devices that are wanted."""

    def __init__(self, stock: Stock, vantage: str) -> None:
        self._stock = stock
        self._vantage = vantage
        self._texts: dict[int, str] = {}

    def same(self, place: int, name: str, customer: str, state: str, body: str) -> bool:
        kind = self._stock.kinds[place]
        like, address = self._stock.likes[kind].device, self._stock.addresses[place]
        if customer != like.customer or state != like.state:
            return False
        text = self._texts.get(kind) or self._text(kind)
        if text.replace(NAME, name).replace(ADDRESS, address) == body:
            return True
        return self._read(name, customer, state, body) == self._stock.device(name)

    def _text(self, kind: int) -> str:
        stand_in = versions.body(self._stock.likes.device(Row(NAME, ADDRESS, kind)), self._vantage)
        return self._texts.setdefault(kind, canonical.text(stand_in))

    def _read(self, name: str, customer: str, state: str, body: str) -> Device | None:
        found = population(self._vantage, [("device", name, customer, state, body)])
        return found.devices.get(name)

"""The process in which inventories are read for a running watch: `python -m hostwatch.stock.worker`.

It is asked in lines of JSON and answers so: first the order, to which the answer is how far it is, again
and again, and then what was found; then, if the watch goes on, the store, to which the answer is what
changes, in parts that the watch takes one by one; then, when all is in force, that it is. It ends with
the watch.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Iterator, Mapping
from dataclasses import fields
from pathlib import Path
from typing import Any

from hostwatch.core import canonical
from hostwatch.core.device import Device
from hostwatch.core.element import Element
from hostwatch.core.service import Service
from hostwatch.stock.check import Order, Stock, check
from hostwatch.stock.compare import Difference, differences, of_files
from hostwatch.store.errors import StoreError
from hostwatch.store.reader import Reader

PART_MAX = 1_000
"""Devices in one line of an answer."""

PROGRESS_EVERY_S = 0.2


def main() -> None:
    """Answer until nobody asks."""
    order = order_of(json.loads(sys.stdin.readline()))
    stock = check(order, _Progress().told)
    _say(
        done="checked",
        mistakes=[canonical.plain(found) for found in stock.mistakes],
        warnings=[canonical.plain(found) for found in stock.warnings],
        summaries=[list(summary) for summary in stock.summaries],
        devices=len(stock.index),
        supplies=stock.supplies,
        uplinks=stock.uplinks,
    )
    for line in sys.stdin:
        asked = json.loads(line)
        if "store" in asked:
            _compare(stock, Path(asked["store"]), asked["in_force"])
        else:
            stock.shelf.note(asked["in_force"], [summary.digest for summary in stock.summaries])
            _say(done="noted")


def _compare(stock: Stock, store: Path, in_force: str) -> None:
    try:
        found = of_files(stock, in_force) or _with_record(stock, store)
    except StoreError as error:
        _say(done="failed", error=str(error))
        return
    for line in told(stock, found):
        _say(**line)


def _with_record(stock: Stock, store: Path) -> Difference:
    with Reader(store) as reader:
        return differences(stock, reader.vantage(), reader.devices())


def told(stock: Stock, found: Difference) -> Iterator[dict[str, Any]]:
    """A difference as lines. What devices are like is told once, when the first of them is."""
    known: set[int] = set()
    for names in _parts((*found.changed, *found.new)):
        places = [stock.index[name] for name in names]
        kinds = [stock.kinds[place] for place in places]
        for kind in sorted({*kinds} - known):
            yield {"kind": kind, "like": canonical.plain(stock.likes[kind].device)}
        known.update(kinds)
        addresses = [stock.addresses[place] for place in places]
        yield {"devices": list(zip(names, addresses, kinds, strict=True))}
    for names in _parts(found.gone):
        yield {"gone": names}
    yield {"done": "compared", "changed": len(found.changed), "new": len(found.new), "gone": len(found.gone)}


def _parts(names: tuple[str, ...]) -> Iterator[tuple[str, ...]]:
    for first in range(0, len(names), PART_MAX):
        yield names[first : first + PART_MAX]


def order_of(asked: Mapping[str, Any]) -> Order:
    """The order that `plain_order` wrote."""
    return Order(
        folder=Path(asked["folder"]),
        beside=Path(asked["beside"]),
        files=tuple(asked["files"]),
        customers=asked["customers"],
        uplinks=tuple(asked["uplinks"]),
        services={
            customer: {name: canonical.restore(Service, one) for name, one in services.items()}
            for customer, services in asked["services"].items()
        },
        elements=tuple(canonical.restore(Element, one) for one in asked["elements"]),
        switches=tuple(asked["switches"]),
        measured_at=asked["measured_at"],
        inline={
            name: (place, canonical.restore(Device, device))
            for name, (place, device) in asked["inline"].items()
        },
        has_sight=asked["has_sight"],
        beacons=tuple(asked["beacons"]),
        shelf=None if asked["shelf"] is None else Path(asked["shelf"]),
    )


def plain_order(order: Order) -> dict[str, Any]:
    """An order as JSON types."""
    found: dict[str, Any] = {field.name: getattr(order, field.name) for field in fields(order)}
    return {
        **found,
        "folder": str(order.folder),
        "beside": str(order.beside),
        "services": canonical.plain(order.services),
        "elements": canonical.plain(order.elements),
        "inline": {name: (place, canonical.plain(device)) for name, (place, device) in order.inline.items()},
        "shelf": None if order.shelf is None else str(order.shelf),
    }


class _Progress:
    """Says how far it is, now and then."""

    def __init__(self) -> None:
        self._last = 0.0

    def told(self, file: str, line: int, lines: int) -> None:
        now = time.monotonic()
        if now - self._last >= PROGRESS_EVERY_S or line == lines:
            self._last = now
            _say(file=file, line=line, lines=lines)


def _say(**line: Any) -> None:
    print(json.dumps(line, separators=(",", ":")), flush=True)


if __name__ == "__main__":
    main()

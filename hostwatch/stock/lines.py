"""Of a table that changed, only the lines are read that it did not have before.

Whoever keeps an inventory of very many devices changes few of them at a time. Where a line is a device by
itself, as in a table without quotes, one that was read before under the same first line means what it meant
then. Whatever is not so plain is read as a whole, and so is a table in which anything is wrong.
"""

from __future__ import annotations

from array import array
from collections.abc import Callable, Iterator
from typing import NamedTuple

from hostwatch.inventory.base import BYTE_ORDER_MARK
from hostwatch.stock.kept import Kept
from hostwatch.stock.shape import Row


class Lines(NamedTuple):
    """A table, line by line."""

    head: str
    """With the names of the columns."""

    texts: list[str]
    """The others; the first of them is line 2."""

    def of(self, kept: Kept) -> Iterator[str]:
        """The line of each device."""
        return map(self.texts.__getitem__, [number - 2 for number in kept.lines])


Read = Callable[[bytes], Iterator[tuple[int, Row]] | None]
"""Reads a table: its devices and their lines, counted from 1; None if anything is wrong in it."""


def split(data: bytes) -> Lines | None:
    """A table whose lines are its rows; None if one may be more than a line, or it is no text."""
    if b'"' in data or data.count(b"\r") != data.count(b"\r\n") or data[:4].lower() == b"sep=":
        return None
    try:
        head, *texts = data.removeprefix(BYTE_ORDER_MARK).decode().split("\n")
    except UnicodeDecodeError:
        return None
    return Lines(head, texts)


def reread(data: bytes, before: bytes, kept: Kept, read: Read) -> Kept | None:
    """What is in a table, by what was `kept` of the one before it; None if it must be read as a whole."""
    new, old = split(data), split(before)
    if new is None or old is None or new.head != old.head:
        return None
    known = dict(zip(old.of(kept), range(len(kept)), strict=True))
    rows = [*map(known.get, new.texts)]
    others = [place for place, row in enumerate(rows) if row is None]
    text = "\n".join([new.head, *(new.texts[place] for place in others), ""])
    found = read(text.encode())
    if found is None:
        return None
    fresh = Kept()
    for line, row in found:
        rows[others[line - 2]] = len(kept) + len(fresh)
        fresh.add(row, line)
    return _taken(kept, fresh, rows)


def _taken(kept: Kept, fresh: Kept, rows: list[int | None]) -> Kept:
    """For each line from the second on a device out of two tables, one behind the other; None for none."""
    places = [row for row in rows if row is not None]
    names, addresses, likes = (
        kept.names + fresh.names,
        kept.addresses + fresh.addresses,
        kept.likes + fresh.likes,
    )
    return Kept(
        names=[*map(names.__getitem__, places)],
        addresses=[*map(addresses.__getitem__, places)],
        likes=array("L", map(likes.__getitem__, places)),
        lines=array("L", [line for line, row in enumerate(rows, 2) if row is not None]),
    )

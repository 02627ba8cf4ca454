"""The room of inventories: a file here is a form in which long lists of devices are written.

The file's name is the kind; the endings of the files that it reads are its own affair (`SUFFIXES`).
A kind knows what is text, a line and a cell; what a device may be is the configuration's to say.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache

from hostwatch.inventory.base import Item, Page
from hostwatch.room import Room

_ROOM = Room(__name__, "inventory", "inventories", ("SUFFIXES", "read"))

kinds = _ROOM.kinds


@cache
def suffixes() -> dict[str, str]:
    """The kind of each ending of a file's name."""
    return {suffix: kind for kind in kinds() for suffix in _ROOM.room(kind).SUFFIXES}


def is_line_by_line(kind: str) -> bool:
    """Whether, after the first line, a line without quotes is a device by itself, whatever the others say."""
    return bool(getattr(_ROOM.room(kind), "LINE_BY_LINE", False))


def read(kind: str, page: Page) -> Iterator[Item]:
    """The devices of a file as they are written; what is wrong goes to the page."""
    found: Iterator[Item] = _ROOM.room(kind).read(page)
    return found

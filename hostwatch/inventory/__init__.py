"""The room of inventories: a file here is a form in which long lists of devices are written.

The file's name is the kind; the endings of the files that it reads are its own affair (`SUFFIXES`).
A kind knows what is text, a line and a cell; what a device may be is the configuration's to say.
"""

from __future__ import annotations

import pkgutil
from collections.abc import Iterator
from functools import cache
from importlib import import_module
from types import ModuleType

from hostwatch.inventory.base import Item, Page


def kinds() -> tuple[str, ...]:
    """The names of all kinds, in alphabetical order; nothing is imported for it."""
    names = {found.name for found in pkgutil.iter_modules(__path__)}
    return tuple(sorted(name for name in names if name != "base" and not name.startswith("_")))


@cache
def suffixes() -> dict[str, str]:
    """The kind of each ending of a file's name."""
    return {suffix: kind for kind in kinds() for suffix in _opened(kind).SUFFIXES}


def is_line_by_line(kind: str) -> bool:
    """Whether, after the first line, a line without quotes is a device by itself, whatever the others say."""
    return bool(getattr(_opened(kind), "LINE_BY_LINE", False))


def read(kind: str, page: Page) -> Iterator[Item]:
    """The devices of a file as they are written; what is wrong goes to the page."""
    found: Iterator[Item] = _opened(kind).read(page)
    return found


@cache
def _opened(kind: str) -> ModuleType:
    return import_module(f"{__name__}.{kind}")

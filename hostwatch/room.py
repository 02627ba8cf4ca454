"""A room: a package in which each file is a kind of one thing, and the file's name is the kind's.

Nowhere is there a list of kinds: a new one is a new file. `base` and what begins with `_` is what the kinds
share. A package makes its room once, and gives away what others need of it:

    _ROOM = Room(__name__, "check", "checks", ("EXAMPLE", "Settings", "probe"))
    kinds, room = _ROOM.kinds, _ROOM.room
"""

from __future__ import annotations

import pkgutil
import sys
from importlib import import_module
from types import ModuleType

SHARED = "base"
"""The file that is no kind."""


class Room:
    """The kinds in one package."""

    def __init__(self, package: str, one: str, many: str, furniture: tuple[str, ...]) -> None:
        """`one` and `many` are the words for a kind; `furniture` is what each module has to hold."""
        self._package = package
        self._one = one
        self._many = many
        self._furniture = furniture
        self._opened: dict[str, ModuleType] = {}

    def kinds(self) -> tuple[str, ...]:
        """The names of all kinds, in alphabetical order; nothing is imported for it."""
        names = {found.name for found in pkgutil.iter_modules(sys.modules[self._package].__path__)}
        return tuple(sorted(name for name in names if name != SHARED and not name.startswith("_")))

    def room(self, kind: str) -> ModuleType:
        """The module that knows everything about a kind. It is imported once.

        Raises `LookupError` for what is no kind, and names those that there are; `TypeError` for a module
        that is not furnished, and names its file.
        """
        known = self._opened.get(kind)
        if known is not None and sys.modules.get(known.__name__) is known:
            return known
        kinds = self.kinds()
        if kind not in kinds:
            raise LookupError(
                f"cannot find the {self._one} {kind!r}: the {self._many} are {', '.join(kinds)}"
            )
        module = import_module(f"{self._package}.{kind}")
        missing = [name for name in self._furniture if not hasattr(module, name)]
        if missing:
            article = "an" if self._one[0] in "aeiou" else "a"
            raise TypeError(
                f"cannot use {module.__file__} as {article} {self._one}: it lacks {', '.join(missing)}"
            )
        self._opened[kind] = module
        return module

"""The room of channels: a file here is a way to reach a person, and its name is its kind.

There is no list of kinds. Whoever needs one asks `kinds()`, whoever needs a channel asks `room(kind)`.
"""

from __future__ import annotations

import pkgutil
from functools import cache
from importlib import import_module
from types import ModuleType


def kinds() -> tuple[str, ...]:
    """The names of all channels, in alphabetical order; nothing is imported for it."""
    names = {found.name for found in pkgutil.iter_modules(__path__)}
    return tuple(sorted(name for name in names if name != "base" and not name.startswith("_")))


def room(kind: str) -> ModuleType:
    """The module that knows everything about this kind: `Settings`, `Site`, `build`."""
    if kind not in kinds():
        raise LookupError(f"cannot find the channel {kind!r}: the channels are {', '.join(kinds())}")
    return _opened(kind)


@cache
def _opened(kind: str) -> ModuleType:
    """Import the room once, and say which file is at fault when it is not furnished."""
    module = import_module(f"{__name__}.{kind}")
    missing = [name for name in ("Settings", "Site", "build") if not hasattr(module, name)]
    if missing:
        raise TypeError(f"cannot use {module.__file__} as a channel: it lacks {', '.join(missing)}")
    return module

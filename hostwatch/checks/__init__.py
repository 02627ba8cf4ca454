"""The room of checks: a file is a way to find out whether an application runs, and its name is its kind.

There is no list of kinds: whoever needs one asks `kinds()`, whoever needs to know one asks `room(kind)`.
A kind knows its protocol, and nothing of schedules, people or the record; what it may use of the machine, it
gets by its `Visit` (`base`).
"""

from __future__ import annotations

import pkgutil
from functools import cache
from importlib import import_module
from types import ModuleType

_FURNITURE = ("EXAMPLE", "Settings", "probe")


def kinds() -> tuple[str, ...]:
    """The names of all checks, in alphabetical order; nothing is imported for it."""
    names = {found.name for found in pkgutil.iter_modules(__path__)}
    return tuple(sorted(name for name in names if name != "base" and not name.startswith("_")))


@cache
def room(kind: str) -> ModuleType:
    """The module that knows everything about this kind: `Settings`, `EXAMPLE`, `probe(settings, visit)`.

    It is imported once; one that is not furnished is named with its file.
    """
    if kind not in kinds():
        raise LookupError(f"cannot find the check {kind!r}: the checks are {', '.join(kinds())}")
    module = import_module(f"{__name__}.{kind}")
    missing = [name for name in _FURNITURE if not hasattr(module, name)]
    if missing:
        raise TypeError(f"cannot use {module.__file__} as a check: it lacks {', '.join(missing)}")
    return module

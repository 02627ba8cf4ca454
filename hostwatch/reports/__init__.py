"""The room of reports: a file here is a format, and its name is what one asks for.

A format renders a value that is finished: it computes nothing, looks at no clock and no setting of
the machine, so that the same report has the same bytes everywhere.
"""

from __future__ import annotations

import pkgutil
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from importlib import import_module
from types import ModuleType

from hostwatch.sla.month import MonthReport


@dataclass(frozen=True, slots=True, kw_only=True)
class Paper:
    """What a report for people is written on. Formats for programs do not look at it."""

    width: int = 132
    """Characters in a line."""

    colour: bool = False
    """Whether it is a terminal that shows colours and rules."""


PLAIN = Paper()
"""A file or a pipe."""

Render = Callable[[MonthReport, Paper], bytes]


def formats() -> tuple[str, ...]:
    """The names of all formats, in alphabetical order; nothing is imported for it."""
    return tuple(sorted(found.name for found in pkgutil.iter_modules(__path__)))


def about(name: str) -> str:
    """What a format is good for, in one sentence."""
    return str(_opened(name).FORMAT)


def render(name: str, report: MonthReport, paper: Paper = PLAIN) -> bytes:
    """A report in a format. Raises `LookupError` for a name that no file here has."""
    draw: Render = _opened(name).render
    return draw(report, paper)


@cache
def _opened(name: str) -> ModuleType:
    if name not in formats():
        raise LookupError(f"cannot find the format {name!r}: the formats are {', '.join(formats())}")
    return import_module(f"{__name__}.{name}")

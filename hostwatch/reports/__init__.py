"""The room of reports: a file here is a format, and its name is what one asks for.

A format renders a value that is finished: it computes nothing, looks at no clock and no setting of
the machine, so that the same report has the same bytes everywhere.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from hostwatch.room import Room
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


_ROOM = Room(__name__, "format", "formats", ("FORMAT", "render"))

formats = _ROOM.kinds
"""The names of all formats, in alphabetical order; nothing is imported for it."""


def about(name: str) -> str:
    """What a format is good for, in one sentence."""
    return str(_ROOM.room(name).FORMAT)


def render(name: str, report: MonthReport, paper: Paper = PLAIN) -> bytes:
    """A report in a format. Raises `LookupError` for a name that no file here has."""
    draw: Render = _ROOM.room(name).render
    return draw(report, paper)

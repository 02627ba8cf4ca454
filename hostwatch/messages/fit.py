"""Makes what comes from outside fit into a line: printable, and as much of it as there is room for."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from zoneinfo import ZoneInfo

NAME_MAX_CHARS = 200
"""Longer names are cut: what comes from outside never makes a message unreadable."""


def line(value: str) -> str:
    """Something from outside as part of one line: printable, without line breaks, bounded."""
    found = " ".join("".join(c if c.isprintable() else " " for c in value).split())
    return cut(found, NAME_MAX_CHARS)


def cut(value: str, room: int) -> str:
    """As much of a text as there is room for."""
    return value if len(value) <= room else value[: max(room - 1, 0)] + "…"


def listed(names: Sequence[str], room: int, hidden: int = 0) -> str:
    """As many names as there is room for, then how many more; `hidden` are not even among the names."""
    for shown in range(len(names), 0, -1):
        left = len(names) - shown + hidden
        more = f" +{left}" if left else ""
        found = ", ".join(names[:shown]) + more
        if len(found) <= room:
            return found
    left = len(names) - 1 + hidden
    more = f" +{left}" if left else ""
    return cut(names[0], max(room - len(more), 1)) + more


def local(when: datetime, zone: ZoneInfo) -> str:
    """`2026-10-03 14:05:00 +08:00`: the second it fell in, readable in every language."""
    found = when.astimezone(zone).isoformat(sep=" ", timespec="seconds")
    return f"{found[:19]} {found[19:]}"


def beside(when: datetime, other: datetime, zone: ZoneInfo) -> str:
    """`14:05:00` where another instant of the same day stands before it in the line, else the whole of it."""
    mine, day = local(when, zone), local(other, zone)
    same = (mine[:10], mine[19:]) == (day[:10], day[19:])
    return mine[11:19] if same else mine

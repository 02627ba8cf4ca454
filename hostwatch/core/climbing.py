"""Which channels may take a notice now, where the one whose turn it is may have no room for it.

Waiting for a turn counts as having had its time: a channel whose gateway is busy is no reason to keep silent.
So when a notice has waited at a channel for as long as the ladder leaves it there, the next takes it as well,
whichever has room first. Where the other side asked to be left alone for longer than that, the next may at
once. Nothing is recorded of a channel that was not tried.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from itertools import pairwise

from hostwatch.core.emergency import Notice
from hostwatch.core.ladder import Pace, Send, again_at

NOBODY_ASKED: Mapping[str, datetime] = {}


@dataclass(frozen=True, slots=True, kw_only=True)
class Open:
    """The rungs by which a notice may be sent now."""

    rungs: tuple[int, ...]
    """The first of them is the one whose turn it is; the others only if that has no room."""

    until: datetime | None = None
    """When there may be one more; None: there will not."""


def open_rungs(
    notice: Notice,
    rungs: tuple[str, ...],
    pace: Pace,
    now: datetime,
    first: Send,
    *,
    since: datetime,
    alone: Mapping[str, datetime] = NOBODY_ASKED,
) -> Open:
    """`since`: from when on the notice could be sent at all, if nothing was tried yet. `alone`: until when
    the other side of a way asked to be left alone."""
    found, waits_since = [first.rung], first.since or since
    until: list[datetime] = []
    for here, there in pairwise(_upwards(first.rung, len(rungs))):
        leaves_at = waits_since + pace.wait(rungs[here])
        asked = alone.get(rungs[here])
        if asked is not None and asked >= leaves_at:
            leaves_at = waits_since
        if now < leaves_at:
            until.append(leaves_at)
            break
        free_at = again_at(notice, rungs[there], pace, now)
        if free_at <= now:
            found.append(there)
        else:
            until.append(free_at)
        waits_since = leaves_at
    return Open(rungs=tuple(found), until=min(until, default=None))


def _upwards(first: int, count: int) -> Iterator[int]:
    """From a rung to the last one, and then from the lowest."""
    yield from range(first, count)
    yield from range(first)

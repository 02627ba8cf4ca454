"""How late our own loop is: a check that failed because we stood still says nothing of whom it looked at."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Final

from hostwatch.checks import base
from hostwatch.checks.base import Finding, Step
from hostwatch.core import instant
from hostwatch.core.reading import Outcome

EVERY_US: Final = 50_000
"""How often the loop is asked for a sign of life."""

STOOD_US: Final = 100_000
"""A sign of life that comes later than this is a standstill."""

LONG_US: Final = 1_000_000
"""After a standstill of this length even what a server said may be our fault: it may have given us up."""

SHARE: Final = 10
"""A check whose time ran out is our fault if we stood still for a tenth of it."""

REMEMBERED_MAX: Final = 10_000
"""Standstills that are remembered: more than fit into the longest check."""

WHY_CHARS_MAX: Final = 200

LATE: Final = "our own loop was late"

Span = tuple[int, int]
"""From when until when, by the monotonic clock, in microseconds."""


class Standstills:
    """Those of one loop."""

    def __init__(self, monotonic_us: Callable[[], int]) -> None:
        self._monotonic_us = monotonic_us
        self._due_us = 0
        self._stood: deque[tuple[int, int]] = deque(maxlen=REMEMBERED_MAX)
        """When each ended, and how long it was."""

        self._worst_us = 0
        self._timer: asyncio.TimerHandle | None = None

    def start(self) -> None:
        """Begin, on the running loop."""
        self._due_us = self._monotonic_us() + EVERY_US
        self._timer = asyncio.get_running_loop().call_later(EVERY_US / 1e6, self._beat)

    def close(self) -> None:
        """Measure no more."""
        if self._timer is not None:
            self._timer.cancel()

    def _beat(self) -> None:
        now_us = self._monotonic_us()
        late_us = now_us - self._due_us
        self._worst_us = max(self._worst_us, late_us)
        if late_us >= STOOD_US:
            self._stood.append((now_us, late_us))
        self._due_us = now_us + EVERY_US
        self._timer = asyncio.get_running_loop().call_later(EVERY_US / 1e6, self._beat)

    def take_worst_us(self) -> int:
        """How late it was at most since this was asked last."""
        worst, self._worst_us = max(self._worst_us, self._monotonic_us() - self._due_us, 0), 0
        return worst

    def since(self, since_us: int, waits: Sequence[Span] = ()) -> tuple[int, int]:
        """How long all standstills that ended since then were together, and the longest of them.

        What of them falls into `waits` does not count.
        """
        found = []
        for ended_us, length_us in reversed(self._stood):
            if ended_us <= since_us:
                break
            found.append(_outside(max(ended_us - length_us, since_us), ended_us, waits))
        now_us = self._monotonic_us()
        if now_us - self._due_us >= STOOD_US:
            found.append(_outside(max(self._due_us, since_us), now_us, waits))
        return sum(found), max(found, default=0)

    def judged(self, finding: Finding, began_us: int, timeout: timedelta, waits: Sequence[Span]) -> Finding:
        """A finding, and UNKNOWN instead of MISSED where it may be our own fault (J1).

        `waits` is when the check waited for what is our own bound: its time stood still then as well.
        """
        if finding.outcome is not Outcome.MISSED:
            return finding
        lost_us, longest_us = self.since(began_us, waits)
        timeout_us = timeout // instant.MICROSECOND
        ran_out = finding.took_us >= timeout_us and lost_us * SHARE >= timeout_us
        given_up = longest_us >= LONG_US and finding.step not in (Step.RESOLVE, Step.CONNECT)
        if not ran_out and not given_up:
            return finding
        why = f"{LATE} by {lost_us / 1e6:.1f} s; seen: {finding.why}"
        return replace(finding, outcome=Outcome.UNKNOWN, why=base.printable(why, WHY_CHARS_MAX))


def _outside(from_us: int, until_us: int, waits: Sequence[Span]) -> int:
    """How much of a time lies in none of these, which do not overlap."""
    inside = (min(until_us, ended_us) - max(from_us, began_us) for began_us, ended_us in waits)
    return until_us - from_us - sum(max(one, 0) for one in inside)

"""Who may begin: only so many checks run at one time, in all and for one device; one device after another.

What waits is kept by device, so that a device with much to look at never keeps others waiting. Who had its
turn, stepped back and is ready again goes before all who have not begun.
"""

from __future__ import annotations

from collections import deque
from typing import Generic, TypeVar

T = TypeVar("T")


class _Line(Generic[T]):
    """Those who wait, by device."""

    def __init__(self) -> None:
        self.waiting: dict[str, deque[T]] = {}
        self.free: dict[str, None] = {}
        """Devices of which one more may begin, the one that has waited longest first."""

    def take(self) -> tuple[str, T]:
        target = next(iter(self.free))
        del self.free[target]
        waiting = self.waiting[target]
        one = waiting.popleft()
        if not waiting:
            del self.waiting[target]
        return target, one


class Crowd(Generic[T]):
    """Things that wait for their turn, and a count of those that have it."""

    def __init__(self, in_all: int, for_one: int) -> None:
        self.in_all = in_all
        self._for_one = for_one
        self._under_way: dict[str, int] = {}
        self._new: _Line[T] = _Line()
        self._again: _Line[T] = _Line()
        self.running = 0

    def join(self, target: str, one: T, *, again: bool = False) -> None:
        """Wait for a turn. `again`: it had one, and stepped back (`leave`)."""
        line = self._again if again else self._new
        line.waiting.setdefault(target, deque()).append(one)
        self._see(target)

    def next(self) -> tuple[str, T] | None:
        """Who begins now; None if nobody may, or nobody waits. `leave` gives the turn back."""
        line = self._again if self._again.free else self._new
        if self.running >= self.in_all or not line.free:
            return None
        target, one = line.take()
        self.running += 1
        self._under_way[target] = self._under_way.get(target, 0) + 1
        self._see(target)
        return target, one

    def leave(self, target: str) -> None:
        """One that had its turn is over, or steps back."""
        self.running -= 1
        self._under_way[target] -= 1
        if not self._under_way[target]:
            del self._under_way[target]
        self._see(target)

    def _see(self, target: str) -> None:
        """One more of a device may begin, or no more."""
        may = self._under_way.get(target, 0) < self._for_one
        for line in (self._again, self._new):
            if may and target in line.waiting:
                line.free.setdefault(target)
            else:
                line.free.pop(target, None)

"""Who may begin: only so many checks run at one time, in all and for one device; one device after another.

What waits is kept by device, so that a device with much to look at never keeps others waiting.
"""

from __future__ import annotations

from collections import deque
from typing import Generic, TypeVar

T = TypeVar("T")


class Crowd(Generic[T]):
    """Things that wait for their turn, and a count of those that have it."""

    def __init__(self, in_all: int, for_one: int) -> None:
        self.in_all = in_all
        self._for_one = for_one
        self._waiting: dict[str, deque[T]] = {}
        self._under_way: dict[str, int] = {}
        self._free: dict[str, None] = {}
        """Devices of which one more may begin, the one that has waited longest first."""

        self.running = 0

    def join(self, target: str, one: T) -> None:
        """Wait for a turn."""
        self._waiting.setdefault(target, deque()).append(one)
        self._see(target)

    def next(self) -> tuple[str, T] | None:
        """Who begins now; None if nobody may, or nobody waits. `leave` gives the turn back."""
        if self.running >= self.in_all or not self._free:
            return None
        target = next(iter(self._free))
        del self._free[target]
        waiting = self._waiting[target]
        one = waiting.popleft()
        if not waiting:
            del self._waiting[target]
        self.running += 1
        self._under_way[target] = self._under_way.get(target, 0) + 1
        self._see(target)
        return target, one

    def leave(self, target: str) -> None:
        """One that had its turn is over."""
        self.running -= 1
        self._under_way[target] -= 1
        if not self._under_way[target]:
            del self._under_way[target]
        self._see(target)

    def _see(self, target: str) -> None:
        if target in self._waiting and self._under_way.get(target, 0) < self._for_one:
            self._free.setdefault(target)

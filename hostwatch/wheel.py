"""The wheel: who has a turn when. One for all pings, so that a ping costs no task and no timer of its own.

Time is cut into slots. Whoever has a turn in a slot has it when the slot is over, together with all others in
it: to wake up costs more than to send a packet.
"""

from __future__ import annotations

from collections.abc import Iterator
from heapq import heappop, heappush
from typing import Final, Generic, TypeVar

SLOT_US: Final = 10_000
"""How long a slot is: the most that a turn is late by, if nothing holds us up."""

T = TypeVar("T")


class Wheel(Generic[T]):
    """Turns by slot. Times are microseconds of the monotonic clock."""

    def __init__(self) -> None:
        self._slots: dict[int, list[T]] = {}
        self._order: list[int] = []
        self._last = 0
        self._held: list[T] = []
        """Those of the slot `_last`: most are put where the one before was put."""

    def put(self, one: T, at_us: int, grain: int = 1) -> None:
        """Give somebody a turn, not before that time and less than `grain` slots after it."""
        slot = (at_us // SLOT_US // grain + 1) * grain
        if slot != self._last or not self._held:
            if slot not in self._slots:
                self._slots[slot] = []
                heappush(self._order, slot)
            self._last, self._held = slot, self._slots[slot]
        self._held.append(one)

    def take(self, now_us: int) -> Iterator[T]:
        """All whose turn it is, in the order of time. Who is put meanwhile waits for the next time."""
        taken = []
        self._last, self._held = 0, []
        while self._order and self._order[0] * SLOT_US <= now_us:
            taken.append(self._slots.pop(heappop(self._order)))
        for held in taken:
            yield from held

    @property
    def next_us(self) -> int | None:
        """When the next turn is, if there is one."""
        return self._order[0] * SLOT_US if self._order else None

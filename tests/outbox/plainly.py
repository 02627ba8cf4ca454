"""Whose turn it is, worked out plainly: all that is wanted is put in order each time."""

from __future__ import annotations

import heapq
from collections import Counter
from collections.abc import Iterable

from hostwatch.core.turns import AT_ONCE_MAX, SHARE, Place, Wanted


def chosen(wanted: Iterable[Wanted], under_way: Iterable[Place]) -> list[Wanted]:
    """Those that begin now, in the order of their turns."""
    room = _Room(under_way)
    queues: dict[str, list[Wanted]] = {}
    for one in sorted(wanted, key=lambda one: one.urgency, reverse=True):
        queues.setdefault(one.place.customer, []).append(one)
    turns = [(room.customers[customer], queue[-1].urgency) for customer, queue in queues.items()]
    by_urgency = {queue[-1].urgency: queue for queue in queues.values()}
    heapq.heapify(turns)
    begin: list[Wanted] = []
    while turns and room.taken < AT_ONCE_MAX:
        queue = by_urgency.pop(heapq.heappop(turns)[1])
        one = queue.pop()
        if room.has(one.place):
            room.take(one.place)
            begin.append(one)
            queue[:] = [other for other in queue if other.notice != one.notice]
        if queue:
            by_urgency[queue[-1].urgency] = queue
            heapq.heappush(turns, (room.customers[one.place.customer], queue[-1].urgency))
    return begin


class _Room:
    """How much of the room is taken, and by whom."""

    def __init__(self, under_way: Iterable[Place]) -> None:
        self.taken = 0
        self.customers: Counter[str] = Counter()
        self._kinds: Counter[str] = Counter()
        for place in under_way:
            self.take(place)

    def take(self, place: Place) -> None:
        self.taken += 1
        self.customers[place.customer] += 1
        self._kinds[place.kind] += 1

    def has(self, place: Place) -> bool:
        """Whether an attempt may begin; whoever has their share must leave half of the room free."""
        part = 1 if self.customers[place.customer] < SHARE else 2
        return self.taken * part < AT_ONCE_MAX and self._kinds[place.kind] * part < place.kind_max

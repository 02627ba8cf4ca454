"""Whose turn it is: which of the attempts that are due begin now, when there is not room for all.

No customer and no kind of channel may use up the room of the others. A free place goes to the customer
with the fewest attempts under way; of one customer, first attempts go before retries and then the
oldest deadline first.
"""

from __future__ import annotations

import heapq
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

AT_ONCE_MAX = 64
"""Attempts under way at one time."""

SHARE = 4
"""Attempts of one customer that always find a place; beyond them half of the room is left to others."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """What an attempt takes room of while it is under way."""

    customer: str
    kind: str
    """The kind of channel."""

    kind_max: int
    """How many attempts by this kind of channel may be under way at one time."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """An attempt that is due."""

    notice: str
    place: Place
    retry: bool
    deadline: datetime

    @property
    def urgency(self) -> tuple[bool, datetime, str]:
        """Less is sooner."""
        return self.retry, self.deadline, self.notice


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

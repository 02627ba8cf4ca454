"""Whose turn it is, worked out plainly: of all that is wanted, the first that finds room, again and again."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

from hostwatch.core.turns import AT_ONCE_MAX, EXERCISES_AT_ONCE, SHARE, Place, Tier, Wanted


def chosen(wanted: Iterable[Wanted], under_way: Iterable[Place]) -> list[Wanted]:
    """Those that begin now, in the order of their turns."""
    room, left = _Room(under_way), [*wanted]
    begin: list[Wanted] = []
    while True:
        one = min((one for one in left if room.has(one.place)), key=room.order, default=None)
        if one is None:
            return begin
        room.take(one.place)
        begin.append(one)
        left = [other for other in left if other.notice != one.notice]


class _Room:
    """How much of the room is taken, and by whom."""

    def __init__(self, under_way: Iterable[Place]) -> None:
        self._taken: list[Place] = []
        self._customers: Counter[str] = Counter()
        self._kinds: Counter[str] = Counter()
        for place in under_way:
            self.take(place)

    def take(self, place: Place) -> None:
        self._taken.append(place)
        self._kinds[place.kind] += 1
        if not place.exercise:
            self._customers[place.customer] += 1

    def order(self, one: Wanted) -> tuple[object, ...]:
        """The tier of the notice first, then how many of the customer's are under way."""
        is_again = one.retry and one.tier != Tier.IN_TIME
        tier = max(Tier) if is_again else one.tier
        mine = self._customers[one.place.customer]
        return (
            one.place.exercise, tier, mine, one.retry, one.deadline, one.order, one.notice, one.way,
        )  # fmt: skip

    def has(self, place: Place) -> bool:
        """Whether an attempt may begin; whoever has their share must leave half of the room free."""
        if place.exercise and sum(1 for one in self._taken if one.exercise) >= EXERCISES_AT_ONCE:
            return False
        part = 2 if place.exercise or self._customers[place.customer] >= SHARE else 1
        return len(self._taken) * part < AT_ONCE_MAX and self._kinds[place.kind] * part < place.kind_max

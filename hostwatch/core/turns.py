"""Whose turn it is: which of the attempts that are due begin now, when there is not room for all.

What somebody is owed and can still have in time goes before all else, whosever it is; of what is alike the
customer with the fewest attempts under way is next, of these first attempts before retries, then the oldest
deadline. No customer and no kind of channel may use up the room of the others: whoever has their share under
way leaves half of it free, and what nobody can have in time any more is tried again when nothing waits for
its first try. A notice that several ways may take waits at each of them, and goes by the first that has room.
"""

from __future__ import annotations

import heapq
from collections import Counter
from collections.abc import Callable, Container, Iterator
from dataclasses import dataclass
from datetime import datetime
from enum import IntEnum
from itertools import count

from hostwatch.core.budget import Budget

AT_ONCE_MAX = 64
"""Attempts under way at one time."""

STALE_MAX = 64
"""So many turns that do not count any more, and as many as do, may lie about before they are cleared away."""

EXERCISES_AT_ONCE = 4
"""Attempts of exercises under way at one time: they leave the room to what is real."""

SHARE = 4
"""Attempts of one customer that always find a place; beyond them half of the room is left to others."""


class Tier(IntEnum):
    """What goes before what, whatever the deadlines."""

    IN_TIME = 0
    """Somebody is owed it, and can be told in time."""

    LATE = 1
    """The same, and its time is over: it costs nobody else theirs."""

    FIRST = 2
    """A beginning of which nobody is owed to hear, or of which the person has heard."""

    UPDATE = 3
    END = 4
    """A recovery, or that it is not watched any more, or was none."""

    WARNING = 5
    """To operators, where no customer waits to be told."""

    REMINDER = 6
    CONTACT_DATA = 7
    AGAIN = 8
    """Another try of what nobody can have in time: what fails for days holds up nothing that is new."""


Urgency = tuple[Tier, bool, datetime, int, str, int]
"""The tier, whether it is a retry, its deadline, the person's place in their customer's order, the notice,
and which of its ways: less is sooner."""

Turn = tuple[bool, Tier, int, Urgency]
"""Whether it is of an exercise (all that is real goes first), the tier of the next attempt, how many attempts
the customer has under way, and how urgent the next one is."""

Queue = tuple[str, int, bool]
"""A kind of channel, how many may be under way by it, and whether those whose turns stand in it must leave
half of the room free. So where the first of them finds none, none of them does."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """What an attempt takes room of while it is under way."""

    customer: str
    kind: str
    """The kind of channel, or the gateway of one that several people are reached by."""

    kind_max: int
    """How many attempts by this kind of channel may be under way at one time."""

    budget: Budget | None = None
    """How many messages may leave by it in a time."""

    exercise: bool = False
    """Whether it is only an exercise."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """An attempt that is due, by one of the ways that may take it."""

    notice: str
    place: Place
    retry: bool
    deadline: datetime
    tier: Tier = Tier.IN_TIME
    order: int = 0
    """The person's place in their customer's order: where not all can be told, the first of each are."""

    way: int = 0
    """Which of the ways that may take it: the first that has room does."""

    @property
    def urgency(self) -> Urgency:
        """Less is sooner."""
        again = self.retry and self.tier is not Tier.IN_TIME
        tier = Tier.AGAIN if again else self.tier
        return tier, self.retry, self.deadline, self.order, self.notice, self.way


class Turns:
    """All attempts that are due, and the room that those under way take.

    What a change costs, and a choice for each attempt that begins, does not grow with how many wait.
    """

    def __init__(self) -> None:
        self._wanted: dict[str, tuple[Wanted, ...]] = {}
        """By notice; of each way that may take it one."""

        self._queues: dict[Place, list[tuple[Urgency, int, Wanted]]] = {}
        """Heaps. What is wanted no more lies there until it comes up."""

        self._places: dict[str, set[Place]] = {}
        """Of a customer, those that have a queue."""

        self._heads: dict[Queue, list[tuple[Turn, int, Place]]] = {}
        """Heaps: whose turn is next at each kind of channel. Only what is in `_turn` counts."""

        self._turn: dict[Place, Turn] = {}
        self._room = _Room()
        self._serial = count()

    def __len__(self) -> int:
        return len(self._wanted)

    def want(self, *ways: Wanted) -> None:
        """An attempt of one notice is due, or otherwise than it was. The first way that has room makes it."""
        name = ways[0].notice
        before = self._wanted.get(name, ())
        known = {one: one for one in before}
        self._wanted[name] = tuple(known.get(one, one) for one in ways)
        for one in ways:
            if one not in known:
                queue = self._queues.setdefault(one.place, [])
                heapq.heappush(queue, (one.urgency, next(self._serial), one))
                self._places.setdefault(one.place.customer, set()).add(one.place)
                self._call(one.place)

    def drop(self, notice: str) -> None:
        """Its attempt is not due any more."""
        self._wanted.pop(notice, None)

    def ended(self, place: Place) -> None:
        """An attempt is under way no more."""
        self._room.leave(place)
        for other in list(self._places.get(place.customer, ())):
            self._call(other)

    def begin(self, may: Callable[[Place], bool] = lambda place: True) -> Iterator[Wanted]:
        """Those that begin now, in the order of their turns; from now on they are under way. `may`: whether
        there is anything left of a budget; it is spent with that.

        Where there is no room for the next in a queue, there is none for the others in it. Where there is
        none for whoever need not leave any free, there is none for anybody. Between two of them others may be
        dropped.
        """
        closed: set[Queue] = set()
        while self._room.taken < AT_ONCE_MAX:
            heads = [(head, queue) for queue in list(self._heads) if (head := self._head(queue, closed))]
            if not heads:
                break
            (_, _, place), queue = min(heads)
            if self._room.has(place) and may(place):
                yield self._take(place)
            else:
                kind, kind_max, leaves_half = queue
                closed |= {(kind, kind_max, True), (kind, kind_max, leaves_half)}

    def _take(self, place: Place) -> Wanted:
        _, _, one = heapq.heappop(self._queues[place])
        del self._wanted[one.notice]
        self._room.take(place)
        self._call(place)  # the customer's other places have a later turn than put down: `_head` sees to that
        return one

    def _call(self, place: Place) -> None:
        """Put down whose turn it is at a place, if that is another than before."""
        turn = self._turn_at(place)
        if turn is None:
            self._turn.pop(place, None)
        elif turn != self._turn.get(place):
            self._turn[place] = turn
            heap = self._heads[self._queue(place)]
            heapq.heappush(heap, (turn, next(self._serial), place))
            if len(heap) > 2 * len(self._turn) + STALE_MAX:
                self._clear(heap)

    def _queue(self, place: Place) -> Queue:
        """Where its turn stands. Who must leave nothing free stands in the one that is looked at first."""
        for leaves_half in (False, True):
            self._heads.setdefault((place.kind, place.kind_max, leaves_half), [])
        return place.kind, place.kind_max, self._room.leaves_half(place)

    def _clear(self, heap: list[tuple[Turn, int, Place]]) -> None:
        """Leave only what counts: thousands that do not would all come up at once, and hold up the loop."""
        heap[:] = {
            place: (turn, n, place) for turn, n, place in heap if self._turn.get(place) == turn
        }.values()
        heapq.heapify(heap)

    def _turn_at(self, place: Place) -> Turn | None:
        """The turn of the most urgent that is wanted at a place; None if nothing is."""
        queue = self._queues.get(place, [])
        while queue and not self._is_wanted(queue[0][2]):
            heapq.heappop(queue)
        if queue:
            urgency = queue[0][0]
            return place.exercise, urgency[0], self._room.customers[place.customer], urgency
        if place in self._queues:
            del self._queues[place]
            self._places[place.customer].remove(place)
            if not self._places[place.customer]:
                del self._places[place.customer]
        return None

    def _is_wanted(self, one: Wanted) -> bool:
        return any(one is wanted for wanted in self._wanted.get(one.notice, ()))

    def _head(self, queue: Queue, closed: Container[Queue]) -> tuple[Turn, int, Place] | None:
        """The next turn in a queue; None of one that is empty, or closed."""
        heap = self._heads[queue]
        while heap and queue not in closed:
            turn, _, place = heap[0]
            if self._turn.get(place) == turn == self._turn_at(place):
                return heap[0]
            heapq.heappop(heap)
            if self._turn.get(place) == turn:
                del self._turn[place]
                self._call(place)
        return None


class _Room:
    """How much of the room is taken, and by whom."""

    def __init__(self) -> None:
        self.taken = self.exercises = 0
        self.customers: Counter[str] = Counter()
        self._kinds: Counter[str] = Counter()

    def take(self, place: Place) -> None:
        self.taken += 1
        self._kinds[place.kind] += 1
        if place.exercise:
            self.exercises += 1
        else:
            self.customers[place.customer] += 1

    def leave(self, place: Place) -> None:
        self.taken -= 1
        self._kinds[place.kind] -= 1
        if place.exercise:
            self.exercises -= 1
            return
        self.customers[place.customer] -= 1
        if not self.customers[place.customer]:
            del self.customers[place.customer]

    def leaves_half(self, place: Place) -> bool:
        """Whether it may not fill all of the room: an exercise, or of whoever has their share."""
        return place.exercise or self.customers[place.customer] >= SHARE

    def has(self, place: Place) -> bool:
        """Whether an attempt may begin; whoever has their share must leave half of the room free."""
        if place.exercise and self.exercises >= EXERCISES_AT_ONCE:
            return False
        part = 2 if self.leaves_half(place) else 1
        return self.taken * part < AT_ONCE_MAX and self._kinds[place.kind] * part < place.kind_max

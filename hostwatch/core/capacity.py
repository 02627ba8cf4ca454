"""Can all be told in time? Messages in the order of their deadlines, and lanes that take so many in a time.

A model of what the outbox does (`core.turns`, `core.climbing`), for planning: all that is owed arises at one
instant, each message lasts as long as its lane says, and each is taken at its first try. So it foretells
what is possible at best, and never less than that.
"""

from __future__ import annotations

import heapq
from collections import Counter, deque
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from math import ceil
from typing import Final

from hostwatch.core.budget import Budget
from hostwatch.core.terms import Told
from hostwatch.core.turns import AT_ONCE_MAX

ENOUGH_MAX: Final = 10_000
"""More messages, or people, than this are not proposed."""

AT_ONCE: Final = timedelta(0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Lane:
    """What messages go by: a kind of channel, a gateway, or people who ring others."""

    at_once: int
    """How many messages may be under way; of calls, how many people ring."""

    takes: timedelta
    """How long one lasts."""

    budget: Budget | None = None
    by_people: bool = False

    def within(self, time: timedelta) -> int:
        """How many messages are over within a time, if nothing else holds them up."""
        by_room = self.at_once * (time // self.takes)
        if self.budget is None or time < self.takes:
            return by_room
        windows = ceil((time - self.takes + timedelta(microseconds=1)) / self.budget.every)
        return min(by_room, self.budget.messages * windows)


@dataclass(frozen=True, slots=True, kw_only=True)
class Way:
    """One rung of a ladder."""

    lane: str
    wait: timedelta
    """How long it has before the next is tried as well."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """One person is owed to be told of an event."""

    customer: str
    contact: str
    within: timedelta
    ways: tuple[Way, ...]
    order: int = 0
    """The person's place in their customer's order."""

    counts: bool = True
    """Whether they count, that the customer was told."""

    parts: int = 1
    """How many messages that is: one holds so many devices (`core.bundle`)."""

    @property
    def urgency(self) -> tuple[timedelta, int, str, str]:
        """Less is sooner."""
        return self.within, self.order, self.customer, self.contact


@dataclass(frozen=True, slots=True, kw_only=True)
class Foretold:
    """When somebody would be told, and by what."""

    message: Message
    lane: str = ""
    """Empty: by nothing, since they have no channel."""

    at: timedelta | None = None
    """After the verdict; None: never."""

    @property
    def in_time(self) -> bool:
        """Whether the duty to them would be met."""
        return self.at is not None and self.at <= self.message.within


def foretell(messages: Iterable[Message], lanes: Mapping[str, Lane]) -> tuple[Foretold, ...]:
    """When everybody would be told, in the order of their urgency."""
    owed = sorted(messages, key=lambda one: one.urgency)
    told: dict[tuple[str, str], Foretold] = {}
    messages = [message for message in owed for _ in range(message.parts)]
    for one in _Hall(messages, lanes).run():
        who = (one.message.customer, one.message.contact)
        before = told.get(who)
        if before is None or before.at is None or (one.at is not None and one.at > before.at):
            told[who] = one
    return tuple(told.values())


class _Hall:
    """All who wait, and the lanes at which they do."""

    def __init__(self, owed: Sequence[Message], lanes: Mapping[str, Lane]) -> None:
        self._owed = owed
        self._desks = {name: _Desk(name, lane) for name, lane in lanes.items()}
        self._found: list[Foretold | None] = [None] * len(owed)
        self._arrivals: list[tuple[timedelta, int, int]] = [
            (AT_ONCE, number, 0) for number, one in enumerate(owed) if one.ways
        ]
        """A heap: when who comes to which of their ways."""

        self._under_way: list[timedelta] = []
        """When those end that take room of ours; calls of people take none."""

    def run(self) -> tuple[Foretold, ...]:
        now, left = AT_ONCE, len(self._arrivals)
        while left:
            self._arrive(now)
            while (desk := self._next(now)) is not None:
                self._begin(desk, now)
                left -= 1
            if left:
                now = self._moves_on(now)
        return tuple(
            found or Foretold(message=one) for one, found in zip(self._owed, self._found, strict=True)
        )

    def _arrive(self, now: timedelta) -> None:
        while self._arrivals and self._arrivals[0][0] <= now:
            at, number, place = heapq.heappop(self._arrivals)
            if self._found[number] is not None:
                continue
            ways = self._owed[number].ways
            heapq.heappush(self._desks[ways[place].lane].waiting, (number, place))
            if place + 1 < len(ways):
                heapq.heappush(self._arrivals, (at + ways[place].wait, number, place + 1))

    def _next(self, now: timedelta) -> _Desk | None:
        """Where the next one begins: the most urgent of those who find room."""
        while self._under_way and self._under_way[0] <= now:
            heapq.heappop(self._under_way)
        has_room = len(self._under_way) < AT_ONCE_MAX
        heads = []
        for desk in self._desks.values():
            head = self._head(desk, now)
            if head is not None and (has_room or desk.lane.by_people) and desk.free_at(now) <= now:
                heads.append((head, desk.name))
        return self._desks[min(heads)[1]] if heads else None

    def _head(self, desk: _Desk, now: timedelta) -> tuple[bool, int, int] | None:
        """Who is next at a desk, those who are late behind the others."""
        while desk.waiting:
            number, place = desk.waiting[0]
            if self._found[number] is None:
                if self._owed[number].within > now:
                    return False, number, place
                heapq.heappush(desk.late, (number, place))
            heapq.heappop(desk.waiting)
        while desk.late and self._found[desk.late[0][0]] is not None:
            heapq.heappop(desk.late)
        return (True, *desk.late[0]) if desk.late else None

    def _begin(self, desk: _Desk, now: timedelta) -> None:
        head = self._head(desk, now)
        if head is None:
            raise AssertionError("somebody waits at a desk that is next")
        late, number, _ = head
        heapq.heappop(desk.late if late else desk.waiting)
        ends = desk.begin(now)
        if not desk.lane.by_people:
            heapq.heappush(self._under_way, ends)
        self._found[number] = Foretold(message=self._owed[number], lane=desk.name, at=ends)

    def _moves_on(self, now: timedelta) -> timedelta:
        """When something may be otherwise."""
        moments = [desk.free_at(now) for desk in self._desks.values() if desk.waiting or desk.late]
        moments += self._under_way[:1] + [at for at, _, _ in self._arrivals[:1]]
        return min(moment for moment in moments if moment > now)


class _Desk:
    """One lane while it is used."""

    def __init__(self, name: str, lane: Lane) -> None:
        self.name = name
        self.lane = lane
        self.waiting: list[tuple[int, int]] = []
        self.late: list[tuple[int, int]] = []
        self._ends: list[timedelta] = []
        self._sent: deque[timedelta] = deque()

    def free_at(self, now: timedelta) -> timedelta:
        """When the next may begin here."""
        while self._ends and self._ends[0] <= now:
            heapq.heappop(self._ends)
        at = self._ends[0] if len(self._ends) >= self.lane.at_once else now
        budget = self.lane.budget
        if budget is not None:
            while self._sent and self._sent[0] + budget.every <= now:
                self._sent.popleft()
            if len(self._sent) >= budget.messages:
                at = max(at, self._sent[-budget.messages] + budget.every)
        return at

    def begin(self, now: timedelta) -> timedelta:
        """One begins; when it is over."""
        ends = now + self.lane.takes
        heapq.heappush(self._ends, ends)
        if self.lane.budget is not None:
            self._sent.append(now)
        return ends


def breached(foretold: Iterable[Foretold], told: Mapping[str, Told]) -> Iterator[str]:
    """The customers who would not be told in time by their own terms; `told`: how many must be."""
    counted: dict[str, list[bool]] = {name: [] for name in told}
    for one in foretold:
        if one.message.counts:
            counted[one.message.customer].append(one.in_time)
    for name, in_time in counted.items():
        if not (all(in_time) and in_time if told[name] is Told.ALL else any(in_time)):
            yield name


def enough(messages: Sequence[Message], lanes: Mapping[str, Lane]) -> Mapping[str, Lane]:
    """Of each lane that some come too late by, what would suffice alone, all others being as they are.

    Without a lane of which nothing would.
    """
    late = (
        one.message.ways[0].lane for one in foretell(messages, lanes) if not one.in_time and one.message.ways
    )
    found = {}
    for name in Counter(late):
        low, high = 1, ENOUGH_MAX
        if not _suffices(messages, lanes, name, high):
            continue
        while low < high:
            middle = (low + high) // 2
            low, high = (low, middle) if _suffices(messages, lanes, name, middle) else (middle + 1, high)
        found[name] = _scaled(lanes[name], high)
    return found


def _suffices(messages: Sequence[Message], lanes: Mapping[str, Lane], name: str, many: int) -> bool:
    """Whether with so many messages, or people, nobody whose first way it is comes too late."""
    found = foretell(messages, {**lanes, name: _scaled(lanes[name], many)})
    return all(one.in_time for one in found if one.message.ways and one.message.ways[0].lane == name)


def _scaled(lane: Lane, many: int) -> Lane:
    if lane.budget is None:
        return replace(lane, at_once=many)
    return replace(lane, budget=replace(lane.budget, messages=many))

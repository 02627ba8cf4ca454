"""How many messages a gateway may be sent: at most so many in any stretch of time of one length.

Providers count in windows of their own, so no window whatever holds more. What counts is when a message
leaves, which may be long after it was allowed to. Who is told to wait waits: nothing at all goes to a gateway
that asked to be left alone, for a minute at most; then one message asks again.
"""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

PAUSE_MAX: Final = timedelta(minutes=1)
"""The longest that what one message was told holds up all others."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Budget:
    """At most `messages` within any stretch of `every`."""

    messages: int
    every: timedelta


class Budgets:
    """What was sent lately, by lane: a gateway, or a kind of channel."""

    def __init__(self, now: Callable[[], timedelta]) -> None:
        """`now`: a clock that is never set."""
        self._now = now
        self._sent: dict[str, deque[timedelta]] = {}
        self._claimed: Counter[str] = Counter()
        """By lane, what may leave and has not yet."""

        self._paused: dict[str, timedelta] = {}
        self._asked: dict[str, timedelta] = {}
        """Until when a gateway asked to be left alone, however long that is."""

        self._waiting: set[tuple[str, Budget, int]] = set()
        """Each with how many it may be that were sent."""

    def spend(self, lane: str, budget: Budget | None, *, is_exercise: bool = False) -> bool:
        """Whether one more may leave now. If so it is counted, and `leaves` is to be called when it does.

        An exercise leaves half to what is real.
        """
        if budget is None:
            return True
        now, sent = self._now(), self._sent.setdefault(lane, deque())
        while sent and sent[0] + budget.every <= now:
            sent.popleft()
        most = max(budget.messages // 2, 1) if is_exercise else budget.messages
        if len(sent) + self._claimed[lane] >= most or self._paused.get(lane, now) > now:
            self._waiting.add((lane, budget, most))
            return False
        self._claimed[lane] += 1
        return True

    def leaves(self, lane: str) -> bool:
        """One of those that might leave does so now; not if its gateway asked to be left alone meanwhile."""
        if self._claimed[lane]:
            self._claimed[lane] -= 1
        now = self._now()
        if self._paused.get(lane, now) > now:
            return False
        self._sent[lane].append(now)
        return True

    def pause(self, lane: str, lasting: timedelta) -> None:
        """A gateway asked to be left alone."""
        until, asked = self._now() + min(lasting, PAUSE_MAX), self._now() + lasting
        self._paused[lane] = max(until, self._paused.get(lane, until))
        self._asked[lane] = max(asked, self._asked.get(lane, asked))

    def resume(self, lane: str) -> None:
        """It takes messages again: what it asked for is over, though not before the pause is."""
        self._asked.pop(lane, None)

    def alone_for(self, lane: str) -> timedelta | None:
        """How long a gateway still wants to be left alone; None: it does not."""
        until = self._asked.get(lane)
        return None if until is None or until <= self._now() else until - self._now()

    def next_in(self) -> timedelta | None:
        """In how much time one that had to wait may leave; None if none had to since this was asked last."""
        waiting, self._waiting = self._waiting, set()
        now = self._now()
        return min((self._free_at(*one) - now for one in waiting), default=None)

    def _free_at(self, lane: str, budget: Budget, most: int) -> timedelta:
        sent, now, free = self._sent[lane], self._now(), most - self._claimed[lane]
        if free <= 0:  # all are about to leave: none of them is older than that
            return now + budget.every
        room_at = sent[-free] + budget.every if len(sent) >= free else now
        return max(room_at, self._paused.get(lane, now))

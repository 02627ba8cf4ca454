"""Which channel is tried when: the ladder of one contact, as a pure function of what was tried.

A channel is tried at once, then again after growing waits. It is left for the next after a
permanent refusal, or when it has had its time without accepting; at once also if its other side asks to be
left alone for longer than that. When the last channel has had its time, the ladder starts again from the
first, until the notice is settled or given up. One that
refused is left alone for 4 min, then for twice as long each time, up to an hour: so a refusal that was
not so permanent does not cost the deadline, and a permanent one not hundreds of tries. One that accepted,
where the agreement asks for more than that, is not asked again before it has had its time to prove more;
then the next is tried, and it is left alone just so: nobody is told the same every 15 seconds. A channel is
known by what it is (`Attempt.way`), not by its place: a ladder that changed meanwhile inherits nothing
but what was done the same way.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import takewhile

from hostwatch.core.calls import is_call
from hostwatch.core.emergency import Attempt, AttemptOutcome, Notice

JITTER = 0.1
"""By which part waits for a retry are longer at most."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Pace:
    """How a ladder is climbed. The defaults are those of `docs/limits.md`."""

    first_retry: timedelta = timedelta(seconds=15)
    jitter: float = 0.0
    """By which part its waits for a retry are longer (`jitter_of`)."""
    next_channel_after: timedelta = timedelta(minutes=5)
    waits: tuple[tuple[str, timedelta], ...] = ()
    """The ways of which the next is tried after another time than that."""
    give_up_after: timedelta = timedelta(hours=24)

    def wait(self, way: str) -> timedelta:
        """How long a way has before the next is tried too."""
        return dict(self.waits).get(way, self.next_channel_after)

    @property
    def round_pause(self) -> timedelta:
        """The longest wait before the ladder starts again: sixteen times the first retry (4 min)."""
        return self.first_retry * 16

    @property
    def refusal_pause(self) -> timedelta:
        """The longest that a channel which refused is left alone: 240 times the first retry (1 h)."""
        return self.first_retry * 240


def jitter_of(customer: str, contact: str) -> float:
    """By which part a person waits longer for retries: as good as drawn by lot, and always the same.

    Whoever a relay turned away together does not come again together. It is the person's, not the notice's:
    what stands in one message is tried again in one.
    """
    drawn = hashlib.sha256(f"{customer}/{contact}".encode()).digest()
    return JITTER * int.from_bytes(drawn[:4]) / 2**32


@dataclass(frozen=True, slots=True)
class Send:
    """Try the channel on this rung of the present ladder now."""

    rung: int
    since: datetime | None = field(default=None, compare=False)
    """From when on it is its turn; None: since the notice can be sent at all."""


@dataclass(frozen=True, slots=True)
class Wait:
    """Nothing to do before this instant."""

    until: datetime


@dataclass(frozen=True, slots=True)
class GiveUp:
    """Nothing more will be tried."""

    why: str


Step = Send | Wait | GiveUp

USELESS = frozenset({AttemptOutcome.REFUSED, AttemptOutcome.RETURNED})
"""The same message by the same channel would fare no better."""

TAKEN = frozenset({AttemptOutcome.ACCEPTED, AttemptOutcome.ATTEMPTED})
"""Somebody has it, or has it before them: it has its time."""

RESTING = USELESS | TAKEN
"""After these a channel is left alone for a while."""

LEFT_ALONE_MIN = timedelta(hours=1)
"""A notice that nobody tried to send for longer was left alone: that time does not count as trying."""


def next_step(
    notice: Notice,
    rungs: tuple[str, ...],
    pace: Pace,
    now: datetime,
    *,
    rests: bool = False,
    since: datetime | None = None,
) -> Step:
    """What to do for a pending notice whose contact has the channels `rungs`: their ways, each once.

    `rests`: it only waited for a person, and another has it (`core.acknowledgement`). `since`: from when on
    it could be sent; if it waited for its turn at the first channel, that was a part of that one's time.
    """
    left = pace.give_up_after - _tried_for(notice, pace, now)
    if left <= timedelta(0):
        return GiveUp(f"not {_short_of(notice)} within {pace.give_up_after}")
    if not rungs:
        return GiveUp("the contact has no channel")
    step = Wait(now + left) if rests else _climb(notice, rungs, pace, now, since)
    gives_up_at = now + left
    return Wait(min(step.until, gives_up_at)) if isinstance(step, Wait) else step


def _short_of(notice: Notice) -> str:
    """What was not reached."""
    return "accepted" if notice.proof is None else "proven to be more than accepted"


def refused_by_all(notice: Notice, rungs: tuple[str, ...]) -> bool:
    """Whether every channel of the ladder refused when it was tried last: nobody can be told by it."""
    tried = _tried(notice)
    latest = [_latest(tried, way) for way in rungs]
    return all(attempt is not None and attempt.outcome in USELESS for attempt in latest)


def _tried_for(notice: Notice, pace: Pace, now: datetime) -> timedelta:
    """How long we have tried, without the times in which we could not: stopped, or the clock was set.

    Between two tries that a running watch makes there is never more than `longest`, unless the other
    side asked for it.
    """
    longest = max(LEFT_ALONE_MIN, 2 * pace.round_pause, pace.refusal_pause + pace.round_pause)
    tried, since, allowed = timedelta(0), notice.created_at, longest
    for attempt in notice.attempts:
        tried += min(max(attempt.began_at - since, timedelta(0)), allowed)
        since, allowed = attempt.began_at, max(longest, attempt.retry_after or longest)
    return tried + min(max(now - since, timedelta(0)), allowed)


def _climb(
    notice: Notice, rungs: tuple[str, ...], pace: Pace, now: datetime, since: datetime | None
) -> Send | Wait:
    if notice.has_open_attempt:
        return Wait(notice.created_at + pace.give_up_after)
    tried = _tried(notice)
    if not tried:
        return Send(0)
    latest = tried[-1]
    place = rungs.index(latest.way) if latest.way in rungs else None
    new = _put_before(tried, rungs, len(rungs) if place is None else place)
    if new is not None:
        return Send(new)
    if place is None or latest.outcome in USELESS:
        return _next_rung(tried, rungs, pace, now, latest.ended_at or latest.began_at)
    if now < latest.began_at:  # the clock went back: how long ago that was, nobody knows any more
        return Send(place, now)
    stay = _stay(tried)
    came_at = stay[0].began_at if since is None or stay[0] is not tried[0] else min(since, stay[0].began_at)
    leaves_at = came_at + pace.wait(latest.way)
    if now >= leaves_at:
        return _next_rung(tried, rungs, pace, now, leaves_at)
    retry_at = _retry_at(stay, pace)
    if latest.outcome in TAKEN:
        return Wait(leaves_at)
    if retry_at >= leaves_at:
        ended = latest.ended_at or latest.began_at
        if latest.retry_after and ended + latest.retry_after > leaves_at and not is_call(latest.receipt):
            return _next_rung(tried, rungs, pace, now, ended)
        return Wait(leaves_at)
    return Send(place, came_at) if now >= retry_at else Wait(retry_at)


def was_tried(notice: Notice) -> bool:
    """Whether any channel was really asked."""
    return bool(_tried(notice))


def _tried(notice: Notice) -> tuple[Attempt, ...]:
    """The attempts at which a channel was really asked."""
    return tuple(attempt for attempt in notice.attempts if attempt.outcome is not AttemptOutcome.UNSENT)


def _put_before(tried: tuple[Attempt, ...], rungs: tuple[str, ...], place: int) -> int | None:
    """The first rung before a place that was never tried: the ladder was changed, and its order counts."""
    known = {attempt.way for attempt in tried}
    return next((rung for rung in range(place) if rungs[rung] not in known), None)


def _next_rung(
    tried: tuple[Attempt, ...], rungs: tuple[str, ...], pace: Pace, now: datetime, since: datetime
) -> Send | Wait:
    """The next rung that may be tried now; behind the last one, the lowest, after a growing pause.

    `since`: when the latest was left.
    """
    latest = tried[-1]
    free = [_free_at(tried, way, pace, now) for way in rungs]
    after = rungs.index(latest.way) + 1 if latest.way in rungs else len(rungs)
    for rung in range(after, len(rungs)):
        if free[rung] <= now:
            is_new = _latest(tried, rungs[rung]) is None
            return Send(rung, since if is_new else max(since, free[rung]))
    lowest = min(range(len(free)), key=lambda rung: (max(free[rung], now), rung))
    pause = _pause(tried, rungs[lowest], pace)
    began_at = latest.began_at if latest.began_at <= now else now - pause  # the clock went back
    lowest_at = max(began_at + pause, free[lowest])
    return Send(lowest, lowest_at) if now >= lowest_at else Wait(min([lowest_at, *free[after:]]))


def _pause(tried: tuple[Attempt, ...], way: str, pace: Pace) -> timedelta:
    """How long it takes until the ladder comes back to a channel: longer with each of its tries."""
    tries = sum(1 for attempt in tried if attempt.way == way)
    return min(pace.first_retry * (1 << min(max(tries - 1, 0), 20)), pace.round_pause)


def again_at(notice: Notice, way: str, pace: Pace, now: datetime) -> datetime:
    """From when on a channel may be tried out of its turn: at once, or after its pause and its rest."""
    tried = _tried(notice)
    latest = _latest(tried, way)
    if latest is None or latest.began_at > now:
        return now
    return max(latest.began_at + _pause(tried, way, pace), _free_at(tried, way, pace, now))


def _latest(tried: tuple[Attempt, ...], way: str) -> Attempt | None:
    return next((attempt for attempt in reversed(tried) if attempt.way == way), None)


def _free_at(tried: tuple[Attempt, ...], way: str, pace: Pace, now: datetime) -> datetime:
    """From when on a channel may be tried again: after the patience that it asked for, and its rest.

    An attempt that is dated in the future was before the clock went back, and binds nobody any more.
    """
    latest = _latest(tried, way)
    if latest is None or latest.began_at > now:
        return now
    rest = max(latest.retry_after or timedelta(0), _rest(tried, way, pace))
    return (latest.ended_at or latest.began_at) + rest if rest else latest.began_at


def _rest(tried: tuple[Attempt, ...], way: str, pace: Pace) -> timedelta:
    """How long a channel is left alone for what it said last, without anything else between that."""
    latest = _latest(tried, way)
    if latest is not None and latest.outcome is AttemptOutcome.ATTEMPTED:
        return pace.refusal_pause  # it is still to be done, and is not asked for twice
    same_way = (attempt for attempt in reversed(tried) if attempt.way == way)
    said = sum(1 for _ in takewhile(lambda one: one.outcome in RESTING, same_way))
    longer = pace.round_pause * (1 << min(max(said - 1, 0), 20))
    return min(longer, pace.refusal_pause) if said else timedelta(0)


def _stay(tried: tuple[Attempt, ...]) -> tuple[Attempt, ...]:
    """The attempts of the present stay with the latest attempt's channel, oldest first."""
    first = len(tried) - 1
    while first > 0 and _goes_on(tried[first - 1], tried[first]):
        first -= 1
    return tried[first:]


def _goes_on(before: Attempt, after: Attempt) -> bool:
    """Whether two attempts belong to one stay: one way, not left alone, and no clock went back between."""
    left = before.outcome in RESTING
    return before.way == after.way and not left and before.began_at <= after.began_at


def _retry_at(stay: tuple[Attempt, ...], pace: Pace) -> datetime:
    """0, 15, 45, 105, 225 … s after the first try with the default pace: each wait doubles."""
    latest = stay[-1]
    wait = pace.first_retry * (1 << min(len(stay) - 1, 20)) * (1 + pace.jitter)
    due = latest.began_at + wait
    ended = latest.ended_at or latest.began_at
    return max(due, ended + latest.retry_after) if latest.retry_after else due

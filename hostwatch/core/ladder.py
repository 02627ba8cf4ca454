"""Which channel is tried when: the ladder of one contact, as a pure function of what was tried.

A channel is tried at once, then again after growing waits. It is left for the next after a
permanent refusal, or when it has had its time without accepting. When the last channel has had its
time, the ladder starts again from the first, until the notice is accepted or given up.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from hostwatch.core.emergency import Attempt, AttemptOutcome, Notice


@dataclass(frozen=True, slots=True, kw_only=True)
class Pace:
    """How a ladder is climbed. The defaults are those of `docs/limits.md`."""

    first_retry: timedelta = timedelta(seconds=15)
    next_channel_after: timedelta = timedelta(minutes=5)
    give_up_after: timedelta = timedelta(hours=24)

    @property
    def round_pause(self) -> timedelta:
        """The longest wait before the ladder starts again: sixteen times the first retry (4 min)."""
        return self.first_retry * 16


@dataclass(frozen=True, slots=True)
class Send:
    """Try the channel on this rung now."""

    rung: int


@dataclass(frozen=True, slots=True)
class Wait:
    """Nothing to do before this instant."""

    until: datetime


@dataclass(frozen=True, slots=True)
class GiveUp:
    """Nothing more will be tried."""

    why: str


Step = Send | Wait | GiveUp

LEFT_ALONE_MIN = timedelta(hours=1)
"""A notice that nobody tried to send for longer was left alone: that time does not count as trying."""


def next_step(notice: Notice, rungs: int, pace: Pace, now: datetime) -> Step:
    """What to do for a pending notice whose contact has `rungs` channels."""
    left = pace.give_up_after - _tried_for(notice, pace, now)
    if left <= timedelta(0):
        return GiveUp(f"not accepted within {pace.give_up_after}")
    step = _climb(notice, rungs, pace, now)
    gives_up_at = now + left
    return Wait(min(step.until, gives_up_at)) if isinstance(step, Wait) else step


def _tried_for(notice: Notice, pace: Pace, now: datetime) -> timedelta:
    """How long we have tried, without the times in which we could not: stopped, or the clock was set.

    Between two tries that a running watch makes there is never more than `longest`, unless the other
    side asked for it.
    """
    longest = max(LEFT_ALONE_MIN, 2 * pace.round_pause)
    tried, since, allowed = timedelta(0), notice.created_at, longest
    for attempt in notice.attempts:
        tried += min(max(attempt.began_at - since, timedelta(0)), allowed)
        since, allowed = attempt.began_at, max(longest, attempt.retry_after or longest)
    return tried + min(max(now - since, timedelta(0)), allowed)


def _climb(notice: Notice, rungs: int, pace: Pace, now: datetime) -> Send | Wait:
    if not notice.attempts:
        return Send(0)
    latest = notice.attempts[-1]
    if latest.outcome is AttemptOutcome.OPEN:
        return Wait(notice.created_at + pace.give_up_after)
    if latest.outcome is AttemptOutcome.REFUSED:
        return _next_rung(notice, latest, rungs, pace, now)
    if now < latest.began_at:  # the clock went back: how long ago that was, nobody knows any more
        return Send(min(latest.rung, rungs - 1))
    stay = _stay(notice.attempts)
    leaves_at = stay[0].began_at + pace.next_channel_after
    retry_at = _retry_at(stay, pace)
    if now >= leaves_at:
        return _next_rung(notice, latest, rungs, pace, now)
    if retry_at >= leaves_at:
        return Wait(leaves_at)
    return Send(min(latest.rung, rungs - 1)) if now >= retry_at else Wait(retry_at)


def _next_rung(notice: Notice, latest: Attempt, rungs: int, pace: Pace, now: datetime) -> Send | Wait:
    """The next rung that may be tried now; behind the last one, the lowest, after a growing pause."""
    free = [_free_at(notice, rung, now) for rung in range(max(rungs, 1))]
    for rung in range(latest.rung + 1, rungs):
        if free[rung] <= now:
            return Send(rung)
    lowest = min(range(len(free)), key=lambda rung: (max(free[rung], now), rung))
    tries = sum(1 for attempt in notice.attempts if attempt.rung == lowest)
    pause = min(pace.first_retry * (1 << min(max(tries - 1, 0), 20)), pace.round_pause)
    began_at = latest.began_at if latest.began_at <= now else now - pause  # the clock went back
    again_at = max(began_at + pause, free[lowest])
    return Send(lowest) if now >= again_at else Wait(again_at)


def _free_at(notice: Notice, rung: int, now: datetime) -> datetime:
    """From when on the other side of a rung lets us come back: its latest Retry-After, if it gave one.

    One that is dated in the future was given before the clock went back, and binds nobody any more.
    """
    latest = next((attempt for attempt in reversed(notice.attempts) if attempt.rung == rung), None)
    if latest is None or latest.retry_after is None or latest.began_at > now:
        return min(notice.created_at, now)
    return (latest.ended_at or latest.began_at) + latest.retry_after


def _stay(attempts: tuple[Attempt, ...]) -> tuple[Attempt, ...]:
    """The attempts of the present stay on the latest attempt's rung, oldest first."""
    first = len(attempts) - 1
    while first > 0 and _goes_on(attempts[first - 1], attempts[first]):
        first -= 1
    return attempts[first:]


def _goes_on(before: Attempt, after: Attempt) -> bool:
    """Whether two attempts belong to one stay: on one rung, not refused, and no clock went back between."""
    refused = before.outcome is AttemptOutcome.REFUSED
    return before.rung == after.rung and not refused and before.began_at <= after.began_at


def _retry_at(stay: tuple[Attempt, ...], pace: Pace) -> datetime:
    """0, 15, 45, 105, 225 … s after the first try with the default pace: each wait doubles."""
    latest = stay[-1]
    wait = pace.first_retry * (1 << min(len(stay) - 1, 20))
    due = latest.began_at + wait
    ended = latest.ended_at or latest.began_at
    return max(due, ended + latest.retry_after) if latest.retry_after else due

"""The deeds of the outbox: claiming an attempt, recording what came of it, and running out of time.

An attempt is recorded before the message leaves and again when its outcome is known. One that a
crash cut off in between may have arrived: the next attempt is marked as a repeat.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

from hostwatch.core import facts
from hostwatch.core.emergency import Attempt, AttemptOutcome, Duty, Notice, NoticeState
from hostwatch.core.world import Decision, World


def begin(notice: Notice, *, rung: int, channel: str, address: str, now: datetime) -> Decision:
    """Claim the next attempt of a notice. `address` is a commitment."""
    attempt = Attempt(
        number=len(notice.attempts) + 1,
        rung=rung,
        channel=channel,
        began_at=now,
        repeat=notice.perhaps_told,
        address=address,
    )
    began = facts.AttemptBegan(
        at=now,
        notice=notice.id,
        number=attempt.number,
        channel=channel,
        rung=rung,
        address=address,
        repeat=attempt.repeat,
    )
    return Decision(facts=(began,), notices=(notice.with_attempt(attempt),))


def end(
    world: World,
    notice: Notice,
    outcome: AttemptOutcome,
    *,
    said: str,
    now: datetime,
    perhaps_arrived: bool = False,
    retry_after: timedelta | None = None,
) -> Decision:
    """Record what became of the notice's open attempt. `said` is a commitment."""
    attempt = notice.attempts[-1]
    done = replace(
        attempt,
        ended_at=now,
        outcome=outcome,
        said=said,
        perhaps_arrived=perhaps_arrived,
        retry_after=retry_after,
    )
    ended = facts.AttemptEnded(
        at=now, notice=notice.id, number=attempt.number, outcome=outcome.value, said=said
    )
    tried = notice.with_attempt(done)
    if outcome is not AttemptOutcome.ACCEPTED:
        return Decision(facts=(ended,), notices=(tried,))
    settled = settle(tried, NoticeState.ACCEPTED, f"accepted by {attempt.channel}", now)
    met = _met(world, notice, now)
    return Decision(
        facts=(ended, *settled.facts, *(fact for fact, _ in met)),
        notices=settled.notices,
        duties=tuple(duty for _, duty in met),
    )


def _met(world: World, notice: Notice, now: datetime) -> tuple[tuple[facts.DutyMet, Duty], ...]:
    duty = None if notice.duty is None else world.duties.get(notice.duty)
    if duty is None:
        return ()
    late = duty.breached_at is not None or now > duty.due
    return ((facts.DutyMet(at=now, duty=duty.id, late=late), replace(duty, met_at=now)),)


def settle(notice: Notice, state: NoticeState, why: str, now: datetime) -> Decision:
    """Nothing more will be tried for a notice."""
    fact = facts.NoticeSettled(at=now, notice=notice.id, state=state.value, why=why)
    return Decision(facts=(fact,), notices=(replace(notice, state=state, settled_at=now),))


def abandon(world: World, notice: Notice, state: NoticeState, why: str, now: datetime) -> Decision:
    """Nothing more will be tried for a notice that was not accepted, nor for the duty behind it."""
    settled = settle(notice, state, why, now)
    duty = None if notice.duty is None else world.duties.get(notice.duty)
    if duty is None:
        return settled
    released = facts.DutyReleased(at=now, duty=duty.id, why=why)
    return replace(settled, facts=(*settled.facts, released), duties=(replace(duty, released_at=now),))


def breaches(world: World, now: datetime) -> Decision:
    """The duties whose time has run out and that nobody has recorded yet."""
    late = [
        duty
        for duty in world.duties.values()
        if duty.breached_at is None and duty.is_open and duty.due <= now
    ]
    return Decision(
        facts=tuple(facts.DutyBreached(at=now, duty=duty.id, due=duty.due) for duty in late),
        duties=tuple(replace(duty, breached_at=now) for duty in late),
    )


def interrupted(world: World, now: datetime) -> Decision:
    """After a restart: attempts that never got an outcome may have arrived."""
    found: list[facts.Fact] = []
    notices: list[Notice] = []
    for notice in world.pending():
        if notice.attempts and notice.attempts[-1].outcome is AttemptOutcome.OPEN:
            ended = end(world, notice, AttemptOutcome.INTERRUPTED, said="", now=now, perhaps_arrived=True)
            found.extend(ended.facts)
            notices.extend(ended.notices)
    return Decision(facts=tuple(found), notices=tuple(notices))

"""The deeds of the outbox: claiming an attempt, recording what came of it, and running out of time.

An attempt is recorded before the message leaves and again when its outcome is known. One that a
crash cut off in between may have arrived: the next attempt is marked as a repeat.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace
from datetime import datetime, timedelta

from hostwatch.core import facts
from hostwatch.core.emergency import Attempt, AttemptOutcome, Duty, Notice, NoticeState
from hostwatch.core.world import Decision, World


def is_authorised(world: World, notice: Notice) -> bool:
    """Whether the contact of a notice may still be told, by the population that is on record."""
    customer = world.population.customers.get(notice.customer)
    return customer is not None and notice.contact in customer.contacts


def begin(notice: Notice, *, rung: int, channel: str, address: str, now: datetime, way: str = "") -> Decision:
    """Claim the next attempt of a notice. `address` is a commitment, `way` what the ladder knows it by."""
    attempt = Attempt(
        number=len(notice.attempts) + 1,
        rung=rung,
        channel=channel,
        began_at=now,
        repeat=notice.perhaps_told,
        address=address,
        way=way,
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
    duty = _duty(world, notice)
    settled = settle(tried, NoticeState.ACCEPTED, f"accepted by {attempt.channel}", now, duty)
    if duty is None:
        return replace(settled, facts=(ended, *settled.facts))
    met = facts.DutyMet(at=now, duty=duty.id, late=_is_late(duty, now))
    return replace(settled, facts=(ended, *settled.facts, met), duties=(replace(duty, met_at=now),))


def _duty(world: World, notice: Notice) -> Duty | None:
    return None if notice.duty is None else world.duties.get(notice.duty)


def _is_late(duty: Duty | None, now: datetime) -> bool:
    return duty is not None and (duty.breached_at is not None or now > duty.due)


def settle(notice: Notice, state: NoticeState, why: str, now: datetime, duty: Duty | None = None) -> Decision:
    """Nothing more will be tried for a notice. It keeps whether its open duty's deadline had passed."""
    fact = facts.NoticeSettled(at=now, notice=notice.id, state=state.value, why=why)
    settled = replace(notice, state=state, settled_at=now, late=_is_late(duty, now))
    return Decision(facts=(fact,), notices=(settled,))


def abandon(world: World, notice: Notice, state: NoticeState, why: str, now: datetime) -> Decision:
    """Nothing more will be tried for a notice that was not accepted, nor for the duty behind it."""
    duty = _duty(world, notice)
    settled = settle(notice, state, why, now, duty)
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


def interrupted(world: World, now: datetime, under_way: Collection[str] = ()) -> Decision:
    """Attempts without an outcome that nobody works on may have arrived: after a restart, or a fault of ours.

    `under_way`: the notices whose attempts somebody does work on.
    """
    found: list[facts.Fact] = []
    notices: list[Notice] = []
    for name in sorted(world.notices.tried):
        if name not in under_way:
            notice = world.notices[name]
            ended = end(world, notice, AttemptOutcome.INTERRUPTED, said="", now=now, perhaps_arrived=True)
            found.extend(ended.facts)
            notices.extend(ended.notices)
    return Decision(facts=tuple(found), notices=tuple(notices))

"""What the other side says of a message later, and what follows: once, in whatever order and however often.

A report of delivery is never undone: one of failure that comes after it is older, or about another try with
the same name. One of delivery that comes after a failure is believed, since the message is there. What is of
an emergency that is over is recorded; nobody is told again of what has passed.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime

from hostwatch.core import acknowledging, delivery, facts, verifying
from hostwatch.core.emergency import AttemptOutcome, Notice, message_of
from hostwatch.core.proof import Proof
from hostwatch.core.verification import How
from hostwatch.core.world import Decision, World


def number_of(notice: Notice, receipt: str) -> int | None:
    """The latest attempt of a notice that the other side calls so."""
    return next((one.number for one in reversed(notice.attempts) if one.receipt == receipt), None)


def in_message(notices: Iterable[Notice], receipt: str) -> list[Notice]:
    """Those told in the latest message that the other side calls so: in time it may name two the same."""
    told: list[tuple[datetime, str, Notice]] = []
    for notice in notices:
        number = number_of(notice, receipt)
        if number is not None:
            attempt = notice.attempts[number - 1]
            told.append((attempt.began_at, attempt.led_by or message_of(notice.id, number), notice))
    if not told:
        return []
    _, latest, _ = max(told, key=lambda one: one[:2])
    return [notice for _, message, notice in told if message == latest]


def _is_own(found: Decision, proof: Proof) -> bool:
    """Whether the person themself answered what went this way, and had not before."""
    return proof is Proof.ACKNOWLEDGED and bool(found.facts)


def _way(world: World, notice: Notice, number: int, now: datetime) -> Decision:
    """The way by which it went leads to them."""
    how = How.REPLY if notice.kind == "verification" else How.EMERGENCY
    attempt = notice.attempts[number - 1]
    return verifying.proves_way(world, notice, attempt, how=how, who="", actor="gateway", now=now)


def heard(
    world: World, notice: Notice, receipt: str, proof: Proof | None, *, said: str, now: datetime
) -> Decision:
    """The other side says how far a message came; without a proof: that it did not arrive.

    `notice` is as the world holds it, or as it was when the world dropped it. `said` is a commitment.
    """
    present = world.notices.get(notice.id, notice)
    number = number_of(present, receipt)
    if number is None or present.attempts[number - 1].outcome is AttemptOutcome.OPEN:
        return Decision()
    attempt = present.attempts[number - 1]
    if proof is not None:
        found = delivery.proved(world, present, number, proof, said=said, now=now)
        return (
            acknowledging.both(found, _way(world, present, number, now)) if _is_own(found, proof) else found
        )
    known = attempt.proof
    if attempt.outcome is not AttemptOutcome.ACCEPTED or (known and known.covers(Proof.DELIVERED)):
        return Decision()
    if present.id in world.notices:
        return delivery.returned(world, present, number, said=said, now=now)
    back = replace(attempt, outcome=AttemptOutcome.RETURNED, proof=None, ended_at=now)
    fact = facts.AttemptReturned(at=now, notice=present.id, number=number, said=said)
    late = Decision(facts=(fact,), notices=(present.with_attempt(back),))
    return verifying.followed(world, late, now)

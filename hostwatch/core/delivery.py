"""The deeds of the outbox: claiming an attempt, recording what came of it, and running out of time.

An attempt is recorded before the message leaves and again when its outcome is known. One that a
crash cut off in between may have arrived: the next attempt is marked as a repeat.

What the other side says can change later: a relay that took a mail may give it back, a telephone network may
report that it lies on the telephone. Then a duty is met, or open again, by the proof that there is now.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Final

from hostwatch.core import breachreason, customerduty, facts, verifying
from hostwatch.core.acknowledgement import own
from hostwatch.core.emergency import Attempt, AttemptOutcome, Duty, Notice, NoticeState, message_of
from hostwatch.core.merged import both
from hostwatch.core.proof import Proof, stronger
from hostwatch.core.world import Decision, World


def is_authorised(world: World, notice: Notice) -> bool:
    """Whether the contact of a notice may still be told, by the population that is on record."""
    customer = world.population.customers.get(notice.customer)
    return customer is not None and notice.contact in customer.contacts


def may_answer(world: World, notice: Notice, now: datetime) -> bool:
    """Whether the contact of a notice may say something of it: their time is not over.

    It may have been another's turn since: who was told may still say that they have it.
    """
    customer = world.population.customers.get(notice.customer)
    over = set() if customer is None else customer.roster.over(now)
    return is_authorised(world, notice) and notice.contact not in over


def begin(
    notice: Notice,
    *,
    rung: int,
    channel: str,
    address: str,
    now: datetime,
    way: str = "",
    others: Sequence[Notice] = (),
) -> Decision:
    """Claim the next attempt of a notice, and of others that the same message tells.

    `address` is a commitment, `way` what the ladder knows it by. Each notice has an attempt of its own.
    """
    message = message_of(notice.id, len(notice.attempts) + 1)
    found = _begun(notice, "", rung, channel, address, way, now)
    for other in others:
        found = both(found, _begun(other, message, rung, channel, address, way, now))
    if not others:
        return found
    together = facts.ToldTogether(
        at=now,
        notice=notice.id,
        number=len(notice.attempts) + 1,
        others=tuple(other.id for other in others),
    )
    return replace(found, facts=(*found.facts, together))


def _begun(
    notice: Notice, message: str, rung: int, channel: str, address: str, way: str, now: datetime
) -> Decision:
    attempt = Attempt(
        number=len(notice.attempts) + 1,
        rung=rung,
        channel=channel,
        began_at=now,
        repeat=notice.perhaps_told,
        address=address,
        way=way,
        led_by=message,
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
    proof: Proof = Proof.ACCEPTED,
    receipt: str = "",
) -> Decision:
    """Record what became of the notice's open attempt, and of those that its message told as well.

    `said` is a commitment. Of one that was accepted `proof` is what that proves. By `receipt` the other side
    may say more later, also of one that only perhaps arrived.
    """
    found = Decision()
    for one in world.notices.in_message(notice, len(notice.attempts)):
        if one.has_open_attempt:
            ended = _ended(world, one, outcome, said, now, perhaps_arrived, retry_after, proof, receipt)
            found = both(found, ended)
    return found


def _ended(
    world: World,
    notice: Notice,
    outcome: AttemptOutcome,
    said: str,
    now: datetime,
    perhaps_arrived: bool,
    retry_after: timedelta | None = None,
    proof: Proof = Proof.ACCEPTED,
    receipt: str = "",
) -> Decision:
    is_accepted = outcome in TAKEN
    done = replace(
        notice.attempts[-1],
        ended_at=now,
        outcome=outcome,
        said=said,
        perhaps_arrived=perhaps_arrived,
        retry_after=retry_after,
        proof=proof if is_accepted else None,
        receipt=receipt if is_accepted or perhaps_arrived else "",
    )
    ended = facts.AttemptEnded(at=now, notice=notice.id, number=done.number, outcome=outcome.value, said=said)
    who = _acknowledged(world, notice) if is_accepted and proof.covers(Proof.ACCEPTED) else ""
    known = replace(done, proof=Proof.ACKNOWLEDGED) if who else done
    decision = _told(world, _then(ended, _weighed(world, notice.with_attempt(known), known, now)), now)
    if notice.state is NoticeState.CORRECTED and not (is_accepted or known.may_have_arrived):
        decision = _needless(world, notice, decision, now)
    if not who:
        return verifying.followed(world, decision, now)
    better = facts.AttemptProved(
        at=now, notice=notice.id, number=done.number, proof=Proof.ACKNOWLEDGED.value, said=who
    )
    return replace(decision, facts=(ended, better, *decision.facts[1:]))


def _needless(world: World, notice: Notice, decision: Decision, now: datetime) -> Decision:
    """The last message about a false alarm did not arrive: whoever none reached is told nothing of it."""
    whom = (notice.customer, notice.contact)
    about = [one for name in notice.emergencies for one in world.notices.of(name) if one.id != notice.id]
    if any((one.customer, one.contact) == whom and one.perhaps_told for one in about):
        return decision
    for one in world.notices.behind(notice.id):
        if one.kind == "correction" and one.state is NoticeState.PENDING:
            settled = settle(one, NoticeState.CORRECTED, "nothing of it had reached them", now)
            decision = replace(
                decision,
                facts=(*decision.facts, *settled.facts),
                notices=(*decision.notices, *settled.notices),
            )
    return decision


def _acknowledged(world: World, notice: Notice) -> str:
    """Who of those to whom a notice is owed has said that they have all that it tells of; a commitment."""
    said = [own(notice, world.acknowledged.get(reference, ())) for reference in notice.emergencies]
    return "" if None in said or not said or said[0] is None else said[0].who


def proved(world: World, notice: Notice, number: int, proof: Proof, *, said: str, now: datetime) -> Decision:
    """The other side says later how far a message came. What is known already changes nothing."""
    attempt = notice.attempts[number - 1]
    if attempt.proof is not None and attempt.proof.covers(proof):
        return Decision()
    is_new = attempt.outcome in (AttemptOutcome.RETURNED, AttemptOutcome.ATTEMPTED)
    known = replace(attempt, proof=proof, outcome=AttemptOutcome.ACCEPTED if is_new else attempt.outcome)
    fact = facts.AttemptProved(at=now, notice=notice.id, number=number, proof=proof.value, said=said)
    decision = _told(world, _then(fact, _weighed(world, notice.with_attempt(known), known, now)), now)
    return verifying.followed(world, decision, now)


def returned(world: World, notice: Notice, number: int, *, said: str, now: datetime) -> Decision:
    """What was accepted is given back. If nothing else met the duty, it is open again: the ladder goes on."""
    attempt = notice.attempts[number - 1]
    if attempt.outcome is AttemptOutcome.RETURNED:
        return Decision()
    back = notice.with_attempt(replace(attempt, outcome=AttemptOutcome.RETURNED, proof=None, ended_at=now))
    fact = facts.AttemptReturned(at=now, notice=notice.id, number=number, said=said)
    needed = _needed(world, notice)
    if notice.state not in MET or (back.proof is not None and back.proof.covers(needed)):
        return verifying.followed(world, Decision(facts=(fact,), notices=(back,)), now)
    duty = _duty(world, notice)
    opened = replace(back, state=NoticeState.PENDING, settled_at=None, late=False)
    found: list[facts.Fact] = [
        fact,
        facts.NoticeReopened(at=now, notice=notice.id, why=f"{attempt.channel} gave it back"),
    ]
    if duty is None or duty.met_at is None:
        return verifying.followed(world, Decision(facts=tuple(found), notices=(opened,)), now)
    found.append(facts.DutyReopened(at=now, duty=duty.id))
    reopened = Decision(facts=tuple(found), notices=(opened,), duties=(replace(duty, met_at=None),))
    return _told(world, reopened, now)


TAKEN: Final = frozenset({AttemptOutcome.ACCEPTED, AttemptOutcome.ATTEMPTED})
"""Somebody took it, or has it before them: what they say of it later counts."""

MET: Final = {NoticeState(proof.value): proof for proof in Proof if proof is not Proof.ATTEMPTED}
"""What is proven of a notice that was settled so."""


def _weighed(world: World, notice: Notice, attempt: Attempt, now: datetime) -> Decision:
    """What follows for a notice from what an attempt proves now."""
    if attempt.proof is None:
        return Decision(notices=(notice,))
    if notice.state in MET:
        return Decision(notices=(replace(notice, state=NoticeState((notice.proof or attempt.proof).value)),))
    if notice.state is not NoticeState.PENDING or not attempt.proof.covers(_needed(world, notice)):
        return Decision(notices=(notice,))
    duty = _duty(world, notice)
    settled = settle(
        notice, NoticeState(attempt.proof.value), f"{attempt.proof} by {attempt.channel}", now, duty
    )
    if duty is None or not duty.is_open:
        return settled
    met = facts.DutyMet(at=now, duty=duty.id, late=_is_late(duty, now))
    return replace(settled, facts=(*settled.facts, met), duties=(replace(duty, met_at=now),))


def _needed(world: World, notice: Notice) -> Proof:
    """What must be proven before nothing more is tried: of a duty what the agreement says, and at least that
    somebody took it."""
    duty, exercise = _duty(world, notice), world.exercises.of(notice.emergencies)
    asked = None if duty is None else duty.met_by
    if exercise is not None:
        asked = exercise.met_by(notice.customer, notice.contact)
    return stronger(asked, Proof.ACCEPTED) or Proof.ACCEPTED


def _told(world: World, decision: Decision, now: datetime) -> Decision:
    """What follows for the customers whose people's duties are otherwise by a decision."""
    found, changed = [*decision.facts], []
    for duty in decision.duties:
        mine = world.customer_duties.get(customerduty.name_of(duty.emergency, duty.customer))
        if mine is None:
            continue
        after, follows = customerduty.after(mine, decision.facts, now)
        found.extend(follows)
        if after != mine:
            changed.append(after)
    return replace(decision, facts=tuple(found), customer_duties=tuple(changed))


def _then(fact: facts.Fact, decision: Decision) -> Decision:
    return replace(decision, facts=(fact, *decision.facts))


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
        return verifying.followed(world, settled, now)
    released = facts.DutyReleased(at=now, duty=duty.id, why=why)
    over = replace(settled, facts=(*settled.facts, released), duties=(replace(duty, released_at=now),))
    return _told(world, over, now)


def breaches(world: World, now: datetime) -> Decision:
    """The duties whose time has run out and that nobody has recorded yet: to people, and to customers.

    Why is recorded with each, as it can be seen now.
    """
    late = [duty for duty in world.duties.values() if duty.may_be_breached and duty.due <= now]
    customers = [*customerduty.breaches(world.customer_duties.values(), now)]
    found: list[facts.Fact] = []
    for duty in late:
        found.append(facts.DutyBreached(at=now, duty=duty.id, due=duty.due))
        found.append(_explained(duty.id, breachreason.of_person(world, duty, now), now))
    for owed, fact in customers:
        found += [fact, _explained(owed.id, breachreason.of_customer(world, owed, now), now)]
    return Decision(
        facts=tuple(found),
        duties=tuple(replace(duty, breached_at=now) for duty in late),
        customer_duties=tuple(duty for duty, _ in customers),
    )


def _explained(duty: str, reasons: Sequence[breachreason.Reason], now: datetime) -> facts.BreachExplained:
    return facts.BreachExplained(at=now, duty=duty, reasons=tuple(one.plain() for one in reasons))


def leader_of(notice: Notice) -> str:
    """The notice whose message the latest attempt of a notice is: its own, mostly."""
    return notice.attempts[-1].led_by.rpartition("#")[0] or notice.id


def interrupted(world: World, now: datetime, under_way: Collection[str] = ()) -> Decision:
    """Attempts without an outcome that nobody works on may have arrived: after a restart, or a fault of ours.

    `under_way`: the notices whose attempts somebody does work on, and with them of what these tell as well.
    """
    found: list[facts.Fact] = []
    notices: list[Notice] = []
    for name in sorted(world.notices.tried):
        notice = world.notices[name]
        if leader_of(notice) not in under_way:
            ended = _ended(world, notice, AttemptOutcome.INTERRUPTED, "", now, perhaps_arrived=True)
            found.extend(ended.facts)
            notices.extend(ended.notices)
    return Decision(facts=tuple(found), notices=tuple(notices))

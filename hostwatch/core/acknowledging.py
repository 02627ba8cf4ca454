"""The deeds of acknowledgement: somebody has it, or has it no more."""

from __future__ import annotations

from datetime import datetime

from hostwatch.core import acknowledgement, customerduty, delivery, reminding, verifying
from hostwatch.core.acknowledgement import Acknowledgement, How
from hostwatch.core.emergency import Attempt, Notice
from hostwatch.core.facts_from_people import Acknowledged, AcknowledgementWithdrawn
from hostwatch.core.merged import both as both
from hostwatch.core.proof import Proof
from hostwatch.core.verification import How as Verified
from hostwatch.core.world import Decision, World


def note(world: World, reference: str, said: Acknowledgement, now: datetime) -> Decision:
    """A person has an emergency: it is on record. Saying so again changes nothing."""
    before = world.acknowledged.get(reference, ())
    if any(one.key == said.key for one in before):
        return Decision()
    fact = Acknowledged(
        at=now,
        reference=reference,
        customer=said.customer,
        contact=said.contact,
        who=said.who,
        how=said.how.value,
        actor=said.actor,
    )
    return Decision(facts=(fact,), acknowledged={reference: (*before, said)})


def acknowledge(world: World, reference: str, said: Acknowledgement, now: datetime) -> Decision:
    """The same, and it proves what it can of their own notices."""
    found = note(world, reference, said, now)
    for notice in world.notices.of(reference) if found.facts else ():
        attempt = acknowledgement.proven_attempt(notice) if said.is_of(notice) else None
        if attempt is not None:
            proof = Proof.ACKNOWLEDGED
            found = both(found, delivery.proved(world, notice, attempt.number, proof, said=said.who, now=now))
            found = both(found, _way(world, notice, attempt, said, now))
    return found


def _way(world: World, notice: Notice, attempt: Attempt, said: Acknowledgement, now: datetime) -> Decision:
    """They followed the link that a message brought: its way leads to them, if it came by one alone."""
    arrived = {(one.channel, one.address) for one in notice.attempts if one.may_have_arrived}
    if said.how is not How.LINK or len(arrived) != 1:
        return Decision()
    return verifying.proves_way(
        world, notice, attempt, how=Verified.EMERGENCY, who=said.who, actor=said.actor, now=now
    )


def withdraw(
    world: World, reference: str, who: Acknowledgement, *, actor: str, because: str, now: datetime
) -> Decision:
    """They do not have it. What it proved stays: they were told all the same."""
    left = tuple(one for one in world.acknowledged.get(reference, ()) if one.key != who.key)
    fact = AcknowledgementWithdrawn(
        at=now,
        reference=reference,
        customer=who.customer,
        contact=who.contact,
        who=who.who,
        actor=actor,
        because=because,
    )
    return Decision(facts=(fact,), acknowledged={reference: left})


def rests(world: World, notice: Notice) -> bool:
    """Whether a pending notice that somebody took is left alone, and those behind it need not wait for it.

    It is over, so that the beginning is repeated no more; or it only waits for a person, and another has it.
    """
    if notice.proof is None or not notice.proof.covers(Proof.ACCEPTED):
        return False
    is_over = all(
        reference not in world.exercises.beside(world.emergencies) for reference in notice.emergencies
    )
    if is_over or any(one.kind in acknowledgement.END for one in world.notices.behind(notice.id)):
        return True
    for reference in notice.emergencies:
        known = world.acknowledged.get(reference, ())
        duty = world.customer_duties.get(customerduty.name_of(reference, notice.customer))
        if known and acknowledgement.rests(notice, known, duty):
            return True
    return False


def waits(world: World, notice: Notice) -> bool:
    """Whether a notice waits for the one before it: nobody hears of an end before the beginning.

    It waits no longer than until somebody took that, if nothing more is done for what else is to be proven.
    A reminder that is overtaken is not sent any more.
    """
    if reminding.is_overtaken(world, notice):
        return True
    before = None if notice.after is None else world.notices.get(notice.after)
    if before is None or before.has_open_attempt:
        return before is not None
    return before.id in world.notices.pending and not rests(world, before)

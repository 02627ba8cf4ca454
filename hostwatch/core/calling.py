"""The deeds of the call sheet: a call is taken, comes back, and has an outcome that moves the ladder on."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace
from datetime import datetime
from typing import Final

from hostwatch.core import acknowledging, calls, delivery, verifying
from hostwatch.core.acknowledgement import END, Acknowledgement
from hostwatch.core.acknowledgement import How as Said
from hostwatch.core.calls import Call, Entry, Outcome
from hostwatch.core.emergency import AttemptOutcome, Notice, message_of
from hostwatch.core.facts_from_people import CallEnded, CallReturned, CallTaken
from hostwatch.core.proof import Proof
from hostwatch.core.verification import How
from hostwatch.core.world import Decision, World


def sheet(world: World) -> Iterator[Entry]:
    """All calls that are to be made: not those that only wait for a person where another has it."""
    pending = world.notices.pending.values()
    waiting = (one for one in pending if calls.may_wait(one) and not acknowledging.rests(world, one))
    return _entries(world, waiting)


def open_ones(world: World) -> Iterator[Entry]:
    """The same, and those that need not be made any more: somebody may be on the telephone all the same."""
    return _entries(world, world.notices.values())


def _entries(world: World, notices: Iterable[Notice]) -> Iterator[Entry]:
    """One call for each message, by the notice that leads it if that is among them."""
    led: dict[str, Entry] = {}
    for notice in notices:
        known = world.calls.get(notice.id, ())
        for attempt in calls.waiting(notice):
            entry = Entry(notice, attempt, calls.of(known, attempt.number))
            if attempt.led_by:
                led.setdefault(attempt.led_by, entry)
            else:
                led[message_of(notice.id, attempt.number)] = entry
    yield from led.values()


def take(world: World, notice: str, number: int, by: str, actor: str, now: datetime) -> Decision:
    """Somebody is about to make a call. Who takes it again has two minutes more."""
    known = world.calls.get(notice, ())
    before = calls.of(known, number)
    mine = Call(number=number, by=by, taken_at=now, times=0 if before is None else before.times)
    fact = CallTaken(at=now, notice=notice, number=number, by=by, actor=actor)
    return Decision(facts=(fact,), calls={notice: (*_without(known, number), mine)})


def come_back(world: World, now: datetime) -> Decision:
    """Calls that somebody took, and of which nobody said what came of them, are anybody's again."""
    facts, changed = [], {}
    for notice, known in world.calls.items():
        late = [call for call in known if call.is_taken and call.returns_at <= now]
        for call in late:
            facts.append(CallReturned(at=now, notice=notice, number=call.number, by=call.by))
            known = (
                *_without(known, call.number),
                replace(call, returned_at=now, times=call.times + 1),
            )
        if late:
            changed[notice] = known
    return Decision(facts=tuple(facts), calls=changed)


def first_return(world: World) -> datetime | None:
    """When the next call comes back if nobody says what came of it."""
    taken = (call.returns_at for known in world.calls.values() for call in known if call.is_taken)
    return min(taken, default=None)


def end(world: World, notice: Notice, said: CallEnded) -> Decision:
    """What came of a call, and what follows for the notices that were told in it."""
    known = _without(world.calls.get(notice.id, ()), said.number)
    decision = Decision(facts=(said,), calls={notice.id: known})
    message = notice.attempts[said.number - 1].led_by or message_of(notice.id, said.number)
    for one in world.notices.in_message(notice, said.number):
        number = next((a.number for a in one.attempts if a.led_by == message), said.number)
        decision = acknowledging.both(decision, _came(world, one, replace(said, number=number)))
    return verifying.once(decision)


def _came(world: World, notice: Notice, said: CallEnded) -> Decision:
    """What follows for one of them; `said` names its own attempt."""
    outcome = Outcome(said.outcome)
    if outcome is Outcome.SPOKE:
        return _spoke(world, notice, said)
    if outcome is Outcome.FAX_SENT:
        proof, words = Proof.ACCEPTED, said.reference
        return delivery.proved(world, notice, said.number, proof, said=words, now=said.at)
    became, pause = CAME_TO_NOTHING[outcome]
    attempt = replace(
        notice.attempts[said.number - 1],
        outcome=became,
        proof=None,
        ended_at=said.at,
        retry_after=pause,
        perhaps_arrived=outcome is Outcome.VOICEMAIL,
    )
    return verifying.followed(world, Decision(notices=(notice.with_attempt(attempt),)), said.at)


CAME_TO_NOTHING: Final = {
    Outcome.VOICEMAIL: (AttemptOutcome.FAILED, calls.VOICEMAIL_PAUSE),
    Outcome.NO_ANSWER: (AttemptOutcome.FAILED, calls.NO_ANSWER_PAUSE),
    Outcome.WRONG_NUMBER: (AttemptOutcome.REFUSED, None),
}
"""What an attempt is then, and how long its number is left alone."""


def _spoke(world: World, notice: Notice, said: CallEnded) -> Decision:
    """They were told by a voice; perhaps they said that they have it."""
    proof = Proof.ACKNOWLEDGED if said.acknowledged else Proof.ANSWERED
    found = delivery.proved(world, notice, said.number, proof, said=said.to, now=said.at)
    for reference in notice.emergencies if said.acknowledged and notice.kind not in END else ():
        noted = acknowledging.note(world, reference, _acknowledgement(notice, said), said.at)
        found = acknowledging.both(found, noted)
    attempt, how, actor = notice.attempts[said.number - 1], How.CALL, said.actor
    led = verifying.proves_way(world, notice, attempt, how=how, who=said.to, actor=actor, now=said.at)
    return acknowledging.both(found, led)


def _acknowledgement(notice: Notice, said: CallEnded) -> Acknowledgement:
    return Acknowledgement(
        customer=notice.customer,
        contact=notice.contact,
        who=said.to,
        how=Said.ON_BEHALF,
        actor=said.actor,
        at=said.at,
    )


def _without(known: tuple[Call, ...], number: int) -> tuple[Call, ...]:
    return tuple(call for call in known if call.number != number)

"""What happened to people, in words: who was to be told, and was; who has it, and which calls were made."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import datetime
from typing import NamedTuple

from hostwatch.core import breachreason, facts
from hostwatch.core.service import device_in, service_in


class Event(NamedTuple):
    """One thing that was seen, or followed."""

    at: datetime
    who: str
    what: str


def shown(signal: str) -> str:
    """A signal as people call it: `srv-1`, `srv-1/www`, `switch sw-1`."""
    kind, colon, rest = signal.partition(":")
    if colon and kind in ("switch", "uplink", "supply", "source"):
        return f"{kind} {rest.rpartition('@')[0].rpartition('/')[0]}"
    if kind == "report":
        return "what a person reported"
    service = service_in(signal)
    return f"{device_in(signal)}/{service}" if service else device_in(signal)


def of_people(fact: facts.Fact, personal: Callable[[str], str | None]) -> Iterator[Event]:
    """Who was to be told, and was."""
    match fact:
        case facts.EmergencyHeld():
            yield Event(fact.at, shown(fact.signal), "waits for the verdict on what it hangs on")
        case facts.EmergencyJoined():
            yield Event(fact.at, shown(fact.signal), f"is told of under {fact.reference}")
        case facts.EmergencyEnded():
            yield Event(fact.at, fact.reference, "is withdrawn" if fact.withdrawn else "is over")
        case facts.NoticeOwed():
            yield Event(fact.at, f"{fact.customer}/{fact.contact}", f"is owed a notice: {fact.kind}")
        case facts.AttemptEnded():
            yield Event(fact.at, _contact(fact.notice), f"attempt {fact.number}: {fact.outcome}")
        case facts.NoticeSettled():
            yield Event(fact.at, _contact(fact.notice), f"notice: {fact.state}")
        case facts.DutyMet():
            yield Event(
                fact.at, _contact(fact.duty), "was told too late" if fact.late else "was told in time"
            )
        case facts.DutyBreached():
            yield Event(fact.at, _contact(fact.duty), "was not told in time")
        case facts.BreachExplained():
            why = ", ".join(map(breachreason.words_of, fact.reasons)) or "for no reason that is on record"
            yield Event(fact.at, _contact(fact.duty), f"why not: {why}")
        case (
            facts.EmergencyOpened()
            | facts.UplinkEmergencyOpened()
            | facts.SupplyEmergencyOpened()
            | facts.SwitchEmergencyOpened()
        ):
            yield Event(fact.at, fact.reference, "is opened")
        case _:
            yield from _of_answers(fact, personal)


def _of_answers(fact: facts.Fact, personal: Callable[[str], str | None]) -> Iterator[Event]:
    """What they said, and which calls were made."""
    match fact:
        case facts.DutyClaimed():
            why = personal(fact.because) or "a reason that was erased"
            yield Event(
                fact.at, fact.actor, f"claims {fact.claim}, {fact.excuse} for {_contact(fact.duty)}: {why}"
            )
        case facts.ClaimDecided():
            more = f": {personal(fact.because)}" if fact.because else ""
            yield Event(fact.at, fact.actor, f"{fact.claim} is {fact.word}{more}")
        case facts.EmergencyReported():
            by = personal(fact.told_by) or "somebody whose name was erased"
            why = personal(fact.because) or "words that were erased"
            what = ", ".join(f"{one}/{fact.service}" if fact.service else one for one in fact.devices)
            said = f"{what}, told by {by}: {why}"
            yield Event(fact.at, fact.actor, f"reports {fact.reference}: {said}")
        case facts.ReportEnded():
            why = personal(fact.because) or "words that were erased"
            yield Event(fact.at, fact.actor, f"says that {fact.reference} is over: {why}")
        case facts.EmergencyCorrected():
            why = personal(fact.because) or "a reason that was erased"
            yield Event(fact.at, fact.actor, f"corrects {fact.reference}, a false alarm: {why}")
        case facts.Acknowledged():
            has = f"{fact.customer}/{fact.contact or 'somebody'}"
            yield Event(fact.at, has, f"has it ({fact.how}, recorded by {fact.actor})")
        case facts.AcknowledgementWithdrawn():
            has = f"{fact.customer}/{fact.contact or 'somebody'}"
            yield Event(fact.at, has, f"does not have it after all, says {fact.actor}")
        case facts.CallTaken() | facts.CallReturned() | facts.CallEnded():
            yield Event(fact.at, _contact(fact.notice), _call(fact, personal))
        case _:
            pass


def _contact(name: str) -> str:
    """The last parts of the name of a notice or a duty: customer and contact."""
    return "/".join(name.split(".")[-2:])


def _call(
    fact: facts.CallTaken | facts.CallReturned | facts.CallEnded, personal: Callable[[str], str | None]
) -> str:
    by = personal(fact.by) or "somebody whose name was erased"
    match fact:
        case facts.CallTaken():
            return f"attempt {fact.number}: {by} takes the call"
        case facts.CallReturned():
            return f"attempt {fact.number}: {by} does not say what came of the call: it is anybody's again"
    to = f" to {personal(fact.to) or 'somebody whose name was erased'}" if fact.to else ""
    has = ", who has it" if fact.acknowledged else ""
    kept = personal(fact.reference) if fact.reference else ""
    evidence = f"{fact.evidence}: {kept}" if kept else fact.evidence
    return f"attempt {fact.number}: {by} called: {fact.outcome}{to}{has} ({evidence})"

"""The clock of the duties to tell, out of the record: from the verdict by each attempt to the proof.

Duties, notices and attempts are as they are kept; what was said later of an attempt, and why a duty was not
met, are facts. Nobody is asked, so whether the watch runs makes no difference.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any, Final

from hostwatch.core import facts
from hostwatch.core.claims import Claim, Claims, Word
from hostwatch.core.customerduty import CustomerDuty
from hostwatch.core.emergency import Attempt, Duty, Notice
from hostwatch.store.duties import Kept, Which
from hostwatch.store.reader import Reader

Personal = Callable[[str], str | None]
"""What a commitment stands for; None for what was erased."""


class Standing(StrEnum):
    """How it stands with a duty."""

    OPEN = "open"
    MET = "met"
    LATE = "late"
    BREACHED = "breached"
    RELEASED = "released"


BROKEN: Final = frozenset({Standing.LATE, Standing.BREACHED})
"""The time to tell ran out, whether or not they were told after it."""


def standing(duty: Duty | CustomerDuty, now: datetime) -> Standing:
    """How it stands: a deadline that has passed is a breach, though nobody may have recorded it yet."""
    is_late = duty.breached_at is not None or (duty.met_at or now) > duty.due
    if duty.met_at is not None:
        return Standing.LATE if is_late else Standing.MET
    if duty.breached_at is None and duty.released_at is not None:
        return Standing.RELEASED
    return Standing.BREACHED if is_late else Standing.OPEN


@dataclass(slots=True)
class _Said:
    """What facts tell of duties and notices."""

    arose: dict[str, datetime] = field(default_factory=dict)
    why: dict[str, tuple[dict[str, Any], ...]] = field(default_factory=dict)
    claims: Claims = field(default_factory=Claims)
    later: dict[tuple[str, int], list[dict[str, Any]]] = field(default_factory=lambda: defaultdict(list))


KINDS: Final[tuple[type[facts.Fact], ...]] = (
    facts.CustomerDutyArose,
    facts.BreachExplained,
    facts.DutyClaimed,
    facts.ClaimDecided,
    facts.AttemptProved,
    facts.AttemptReturned,
    facts.CallTaken,
    facts.CallReturned,
    facts.CallEnded,
)


def of_record(reader: Reader, which: Which, now: datetime) -> list[dict[str, Any]]:
    """The duties that are asked for as plain data, by their deadlines; instants are aware UTC."""
    kept = [*reader.duties(which)]
    if not kept:
        return []
    as_of = reader.as_of()
    said = _said(reader.facts(KINDS, until=as_of, since=min(one.opened_at for one in kept)), reader.personal)
    return [_described(one, said, reader.personal, now) for one in kept]


def _said(happened: Iterable[facts.Fact], personal: Personal) -> _Said:
    found = _Said()
    for fact in happened:
        match fact:
            case facts.CustomerDutyArose():
                found.arose[fact.duty] = fact.at
            case facts.BreachExplained():
                found.why[fact.duty] = fact.reasons
            case facts.DutyClaimed() | facts.ClaimDecided():
                found.claims.take(fact)
            case facts.AttemptProved():
                word = {"at": fact.at, "what": fact.proof, "said": personal(fact.said)}
                found.later[fact.notice, fact.number].append(word)
            case facts.AttemptReturned():
                word = {"at": fact.at, "what": "returned", "said": personal(fact.said)}
                found.later[fact.notice, fact.number].append(word)
            case facts.CallTaken() | facts.CallReturned() | facts.CallEnded():
                found.later[fact.notice, fact.number].append(_call(fact, personal))
            case _:
                pass
    return found


def _call(fact: facts.CallTaken | facts.CallReturned | facts.CallEnded, personal: Personal) -> dict[str, Any]:
    match fact:
        case facts.CallTaken():
            what = "call taken"
        case facts.CallReturned():
            what = "call came back"
        case _:
            what = f"call: {fact.outcome}"
    return {"at": fact.at, "what": what, "said": personal(fact.by)}


def _described(kept: Kept, said: _Said, personal: Personal, now: datetime) -> dict[str, Any]:
    duty, claims = kept.duty, said.claims.of(kept.duty.id)
    return {
        "duty": duty.id,
        "emergency": duty.emergency,
        "customer": duty.customer,
        "verdict": said.arose.get(duty.id, kept.opened_at),
        "told": duty.told.value,
        **_clock(duty, said, now),
        "excused": any(one.word is Word.APPROVED for one in claims),
        "claims": [_claim(one, personal) for one in claims],
        "people": [
            {
                "duty": one.id,
                "contact": one.contact,
                "counts": one.id in duty.people,
                "met_by": one.met_by.value,
                **_clock(one, said, now),
                "attempts": [
                    {**_attempt(attempt, personal), "later": said.later.get((notice.id, attempt.number), [])}
                    for notice in _notices(kept, one)
                    for attempt in notice.attempts
                ],
            }
            for one in kept.people
        ],
    }


def _claim(one: Claim, personal: Personal) -> dict[str, Any]:
    fact, decided = one.fact, one.decided
    return {
        "claim": fact.claim,
        "class": fact.excuse,
        "word": one.word.value,
        "at": fact.at,
        "actor": fact.actor,
        "because": personal(fact.because),
        "contacts": [*fact.contacts],
        "warned": [*fact.warned],
        "since": fact.since,
        "until": fact.until,
        "evidence": [{**each, "name": personal(each["name"])} for each in fact.evidence],
        "decided_at": None if decided is None else decided.at,
        "decided_by": None if decided is None else decided.actor,
        "decided_because": None if decided is None or not decided.because else personal(decided.because),
    }


def _notices(kept: Kept, duty: Duty) -> Iterator[Notice]:
    return (notice for notice in kept.notices if notice.duty == duty.id)


def _clock(duty: Duty | CustomerDuty, said: _Said, now: datetime) -> dict[str, Any]:
    """`left_s`: at the proof, or now; negative once it is over."""
    return {
        "standing": standing(duty, now).value,
        "due": duty.due,
        "met_at": duty.met_at,
        "breached_at": duty.breached_at,
        "released_at": duty.released_at,
        "left_s": int((duty.due - (duty.met_at or duty.released_at or now)).total_seconds()),
        "reasons": [*said.why.get(duty.id, ())],
    }


def _attempt(attempt: Attempt, personal: Personal) -> dict[str, Any]:
    return {
        "number": attempt.number,
        "channel": attempt.channel,
        "began_at": attempt.began_at,
        "ended_at": attempt.ended_at,
        "outcome": attempt.outcome.value,
        "proof": None if attempt.proof is None else attempt.proof.value,
        "said": personal(attempt.said) if attempt.said else None,
    }


def counts(told: Iterable[dict[str, Any]]) -> dict[str, int]:
    """How many there are of each standing, how many were breaches, told late or not at all, and how many of
    these are excused."""
    found = {**dict.fromkeys(map(str, Standing), 0), "breaches": 0, "excused": 0}
    for one in told:
        found[one["standing"]] += 1
        if one["standing"] in BROKEN:
            found["breaches"] += 1
            found["excused"] += one["excused"]
    return found

"""Why nobody was told in time: the chain of reasons, from what is on record alone (`colocation C5`).

It is found when a breach is recorded, and recorded with it, so that it never changes with a later version of
these rules. Operators read the same before the time is out: why a customer has not been told yet. What cannot
be seen in the record is not guessed: of a try that was never made it says only that none was.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any, Final

from hostwatch.core import calls
from hostwatch.core.calls import Call
from hostwatch.core.customerduty import CustomerDuty
from hostwatch.core.emergency import Attempt, AttemptOutcome, Duty, Notice
from hostwatch.core.proof import Proof
from hostwatch.core.world import World

REASONS_MAX: Final = 50
"""Of one duty; a customer with more people than that has the first."""

NOTED_AFTER: Final = timedelta(minutes=1)
"""A wait for the first try, or for the record of a breach, is a reason from then on."""

GAP: Final = timedelta(minutes=5)
"""So is a time without any try that is as long; a shorter one is the ladder's own."""

MINUTE: Final = timedelta(minutes=1)


class Why(StrEnum):
    """Why somebody was not told, or not by a channel."""

    NOBODY = "nobody"
    RECORDED_LATE = "recorded late"
    WAITED = "waited"
    NOT_TRIED = "not tried"
    NOT_TRIED_AGAIN = "not tried again"
    OVER = "over"
    FAILED = "failed"
    PUT_OFF = "put off"
    NO_END = "no end"
    REFUSED = "refused"
    RETURNED = "returned"
    CUT_OFF = "cut off"
    UNPROVEN = "unproven"
    UNDER_WAY = "under way"
    NOT_TAKEN = "not taken"
    NOT_ENDED = "not ended"
    IN_VAIN = "in vain"
    WRONG_NUMBER = "wrong number"


SENTENCES: Final[Mapping[Why, str]] = {
    Why.NOBODY: "nobody was authorised",
    Why.RECORDED_LATE: "recorded %(figure)s min late as the watch did not run or could not write",
    Why.WAITED: "%(contact)s waited %(figure)s min for the first try",
    Why.NOT_TRIED: "no try to tell %(contact)s in %(figure)s min",
    Why.NOT_TRIED_AGAIN: "no further try to tell %(contact)s in %(figure)s min",
    Why.OVER: "nothing more can be tried for %(contact)s",
    Why.FAILED: "%(figure)s × %(channel)s to %(contact)s not accepted",
    Why.PUT_OFF: "%(figure)s × %(channel)s to %(contact)s put off by the other side",
    Why.NO_END: "%(figure)s × %(channel)s to %(contact)s without an answer in time",
    Why.REFUSED: "%(figure)s × %(channel)s to %(contact)s refused",
    Why.RETURNED: "%(figure)s × %(channel)s to %(contact)s came back",
    Why.CUT_OFF: "%(figure)s × %(channel)s to %(contact)s cut off as the watch stopped",
    Why.UNPROVEN: "%(figure)s × %(channel)s to %(contact)s taken and not proven enough",
    Why.UNDER_WAY: "%(figure)s × %(channel)s to %(contact)s still under way",
    Why.NOT_TAKEN: "%(figure)s × call to %(contact)s not taken by anybody",
    Why.NOT_ENDED: "%(figure)s × call to %(contact)s taken and without an outcome",
    Why.IN_VAIN: "%(figure)s × call to %(contact)s in vain",
    Why.WRONG_NUMBER: "%(figure)s × call to %(contact)s to a wrong number",
}
"""As operators read them; `messages.seen` has them in other languages."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Reason:
    """One link of the chain."""

    why: Why
    contact: str = ""
    channel: str = ""
    times: int = 0
    """How many attempts fared so; of a wait, how many whole minutes it lasted."""

    def plain(self) -> dict[str, Any]:
        """As it is recorded."""
        return {"why": self.why.value, "contact": self.contact, "channel": self.channel, "times": self.times}

    @property
    def words(self) -> str:
        """In English."""
        values = {"figure": self.times, "contact": self.contact, "channel": self.channel}
        return SENTENCES[self.why] % values


def words_of(plain: Mapping[str, Any]) -> str:
    """The words of what is on record; of a kind that a later version has, its name."""
    try:
        return Reason(**{**plain, "why": Why(plain["why"])}).words
    except (TypeError, ValueError, KeyError):
        return str(plain.get("why", "unknown"))


def of_person(world: World, duty: Duty, now: datetime) -> tuple[Reason, ...]:
    """Why a person was not told until now."""
    notice = world.notices.get(duty.id)
    if duty.met_at is not None or notice is None:
        return ()
    return (*_recorded(duty.due, now, [notice]), *_of_notice(world, duty, notice, now))[:REASONS_MAX]


def of_customer(world: World, duty: CustomerDuty, now: datetime) -> tuple[Reason, ...]:
    """Why a customer was not told until now: of each who counts and was not told, in their order."""
    people = [one for name in duty.people if (one := world.duties.get(name)) is not None]
    if not duty.people:
        return (*_recorded(duty.due, now, ()), Reason(why=Why.NOBODY))
    told = [(one, notice) for one in people if (notice := world.notices.get(one.id)) is not None]
    found = [*_recorded(duty.due, now, (notice for _, notice in told))]
    for one, notice in told:
        if one.met_at is None:
            found.extend(_of_notice(world, one, notice, now))
    return tuple(found[:REASONS_MAX])


def _recorded(due: datetime, now: datetime, notices: Iterable[Notice]) -> Iterator[Reason]:
    """That nobody recorded it in time: not where something came back after the deadline."""
    if now - due < NOTED_AFTER:
        return
    last = (attempt for notice in notices for attempt in notice.attempts)
    if not any(one.outcome is AttemptOutcome.RETURNED and (one.ended_at or now) > due for one in last):
        yield Reason(why=Why.RECORDED_LATE, times=(now - due) // MINUTE)


def _of_notice(world: World, duty: Duty, notice: Notice, now: datetime) -> Iterator[Reason]:
    until = min(now, duty.due, duty.released_at or now)
    if not notice.attempts:
        waited = max(until - notice.created_at, timedelta(0))
        yield Reason(why=Why.NOT_TRIED, contact=duty.contact, times=waited // MINUTE)
    else:
        waited = notice.attempts[0].began_at - notice.created_at
        if waited >= NOTED_AFTER:
            yield Reason(why=Why.WAITED, contact=duty.contact, times=waited // MINUTE)
    yield from _of_attempts(duty, notice, world.calls.get(notice.id, ()))
    if duty.released_at is not None:
        yield Reason(why=Why.OVER, contact=duty.contact)
    elif notice.attempts and not notice.has_open_attempt:
        latest = notice.attempts[-1]
        gap = until - (latest.ended_at or latest.began_at)
        if gap >= GAP and latest.outcome not in (AttemptOutcome.ATTEMPTED, AttemptOutcome.ACCEPTED):
            yield Reason(why=Why.NOT_TRIED_AGAIN, contact=duty.contact, times=gap // MINUTE)


def _of_attempts(duty: Duty, notice: Notice, known: Iterable[Call]) -> Iterator[Reason]:
    """How the attempts fared, those alike together, in the order of the first of them."""
    counted: dict[tuple[str, str, Why], int] = {}
    by_number = {call.number: call for call in known}
    for attempt in notice.attempts:
        why = _fared(attempt, duty.met_by, by_number.get(attempt.number))
        if why is not None:
            key = (attempt.channel, attempt.way, why)
            counted[key] = counted.get(key, 0) + 1
    for (channel, _, why), times in counted.items():
        yield Reason(why=why, contact=duty.contact, channel=channel, times=times)


def _fared(attempt: Attempt, needed: Proof, call: Call | None) -> Why | None:
    """How an attempt fared; None for one that was never made."""
    if calls.is_call(attempt.receipt):
        return _of_call(attempt, call)
    match attempt.outcome:
        case AttemptOutcome.UNSENT:
            return None
        case AttemptOutcome.FAILED if attempt.perhaps_arrived:
            return Why.NO_END
        case AttemptOutcome.FAILED:
            return Why.FAILED if attempt.retry_after is None else Why.PUT_OFF
    if attempt.proof is not None and attempt.proof.covers(needed):
        return None
    return OF_OUTCOMES[attempt.outcome]


OF_OUTCOMES: Final[Mapping[AttemptOutcome, Why]] = {
    AttemptOutcome.OPEN: Why.UNDER_WAY,
    AttemptOutcome.ATTEMPTED: Why.UNPROVEN,
    AttemptOutcome.ACCEPTED: Why.UNPROVEN,
    AttemptOutcome.RETURNED: Why.RETURNED,
    AttemptOutcome.REFUSED: Why.REFUSED,
    AttemptOutcome.INTERRUPTED: Why.CUT_OFF,
}


def _of_call(attempt: Attempt, call: Call | None) -> Why | None:
    match attempt.outcome:
        case AttemptOutcome.ATTEMPTED:
            return Why.NOT_TAKEN if call is None else Why.NOT_ENDED
        case AttemptOutcome.REFUSED:
            return Why.WRONG_NUMBER
        case AttemptOutcome.FAILED:
            return Why.IN_VAIN
        case AttemptOutcome.INTERRUPTED:
            return Why.CUT_OFF
    return None

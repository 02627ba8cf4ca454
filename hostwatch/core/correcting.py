"""The deed by which a person says that an emergency was none.

It stays on record, marked, and what was measured does. Whoever a notice of it reached, or may have reached,
is told that it was a false alarm; whoever none had reached is told nothing, and the duty to them is released.
While what it is named after is still down it goes on covering that, so that the same silence makes no second
emergency; devices that were told of with what they hang on are told of by themselves, if they are still down.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace
from datetime import datetime

from hostwatch.core import customerduty, delivery, facts
from hostwatch.core.calls import PREFIX as CALL
from hostwatch.core.concerned import roots_of
from hostwatch.core.customerduty import CustomerDuty
from hostwatch.core.emergency import Attempt, AttemptOutcome, Duty, Emergency, Notice, NoticeState, notice_id
from hostwatch.core.facts_by_hand import EmergencyCorrected
from hostwatch.core.notice import Story
from hostwatch.core.reported import is_reported
from hostwatch.core.world import Decision, World

WHY = "it was corrected"
"""Of duties that are released with it."""


def correct(
    world: World, emergency: Emergency, told: Iterable[Notice], said: EmergencyCorrected, because: str
) -> Decision:
    """The emergency is corrected. `told`: all notices about it, also those that the world has dropped.

    `because`: the reason in words, as people are told it.
    """
    known = {notice.id: world.notices.get(notice.id, notice) for notice in told}
    known |= {notice.id: notice for notice in world.notices.of(emergency.reference)}
    mine = sorted(known.values(), key=lambda notice: (notice.created_at, notice.id))
    stopped = [notice for notice in mine if _is_its_own(notice) and notice.id in world.notices.pending]
    settled = _settled(world, stopped, said.at)
    owed = [*_owed(world, mine, said, because)]
    roots = roots_of(emergency)
    joined = tuple(name for name in roots if name != emergency.signal) if roots else emergency.joined
    story = replace(emergency.story, corrected_at=said.at, correction=because)
    after = replace(emergency, story=story, joined=joined)
    ends = [_ended(after, said.at)] if is_reported(after) and after.ended_at is None else []
    return replace(
        settled,
        facts=(said, *ends, *settled.facts, *(_of(notice) for notice in owed)),
        emergencies=(replace(after, ended_at=said.at) if ends else after,),
        notices=(*settled.notices, *owed),
    )


def _ended(emergency: Emergency, at: datetime) -> facts.EmergencyEnded:
    """What a person reported is over with that: no answer to a probe would end it."""
    first_miss = emergency.story.first_miss
    return facts.EmergencyEnded(
        at=at, reference=emergency.reference, withdrawn=False, last_miss=first_miss, first_answer=None
    )


def is_stale(world: World, told: Iterable[Notice]) -> bool:
    """Whether notices that were read of the store have changed since: then they are read again."""
    return any(
        notice.id not in world.notices
        for notice in told
        if notice.state is NoticeState.PENDING or notice.has_open_attempt
    )


def _is_its_own(notice: Notice) -> bool:
    return len(notice.emergencies) == 1


def _settled(world: World, notices: Iterable[Notice], now: datetime) -> Decision:
    """These are sent no more; the duties behind them are released, and those to their customers weighed."""
    found: list[facts.Fact] = []
    changed, duties = list[Notice](), list[Duty]()
    for notice in notices:
        duty = world.duties.get(notice.duty or "")
        settled = delivery.settle(notice, NoticeState.CORRECTED, WHY, now, duty)
        found.extend(settled.facts)
        changed.extend(settled.notices)
        if duty is not None and duty.is_open:
            found.append(facts.DutyReleased(at=now, duty=duty.id, why=WHY))
            duties.append(replace(duty, released_at=now))
    customers: list[CustomerDuty] = []
    for name in dict.fromkeys(customerduty.name_of(duty.emergency, duty.customer) for duty in duties):
        mine = world.customer_duties.get(name)
        if mine is not None:
            after, follows = customerduty.after(mine, found, now)
            found.extend(follows)
            customers.append(after)
    return Decision(
        facts=tuple(found), notices=tuple(changed), duties=tuple(duties), customer_duties=tuple(customers)
    )


def _owed(world: World, mine: list[Notice], said: EmergencyCorrected, because: str) -> Iterator[Notice]:
    """A correction to each person whom any notice may have reached."""
    people: dict[tuple[str, str], list[Notice]] = {}
    for notice in mine:
        people.setdefault((notice.customer, notice.contact), []).append(notice)
    for (customer, contact), about in people.items():
        if not any(may_have_reached(world, notice) for notice in about):
            continue
        last = about[-1]
        story = next(one for one in last.stories if one.reference == said.reference)
        under_way = [notice for notice in about if notice.has_open_attempt]
        yield Notice(
            id=notice_id(said.reference, "correction", customer, contact),
            kind="correction",
            customer=customer,
            contact=contact,
            emergencies=(said.reference,),
            stories=(_corrected(story, said.at, because),),
            created_at=said.at,
            after=under_way[-1].id if under_way else None,
        )


def _corrected(story: Story, at: datetime, because: str) -> Story:
    return replace(story, corrected_at=at, correction=because)


def _of(notice: Notice) -> facts.NoticeOwed:
    return facts.NoticeOwed(
        at=notice.created_at,
        notice=notice.id,
        kind=notice.kind,
        customer=notice.customer,
        contact=notice.contact,
        emergencies=notice.emergencies,
    )


def may_have_reached(world: World, notice: Notice) -> bool:
    """Whether a person may have the notice, by what is known of it; while it is handed over, they may."""
    return any(_may_have_reached(world, notice, attempt) for attempt in notice.attempts)


def _may_have_reached(world: World, notice: Notice, attempt: Attempt) -> bool:
    """A call that lies on the call sheet has reached nobody, unless somebody is about to make it."""
    if attempt.outcome is AttemptOutcome.ATTEMPTED and attempt.receipt.startswith(CALL):
        calls = world.calls.get(notice.id, ())
        return any(call.number == attempt.number and call.is_taken for call in calls)
    outcome = attempt.outcome
    return attempt.may_have_arrived or outcome in (AttemptOutcome.OPEN, AttemptOutcome.ATTEMPTED)

"""The deeds of exercises: one begins, one ends, and what came of it for each of its people."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from hostwatch.core import canonical, delivery, facts, instant
from hostwatch.core.emergency import Attempt, AttemptOutcome, Notice, NoticeState, notice_id
from hostwatch.core.exercise import KIND, Asked, Exercise
from hostwatch.core.facts_of_exercises import ExerciseEnded, ExerciseOpened
from hostwatch.core.notice import Story
from hostwatch.core.world import Decision, World


def begin(
    world: World, people: Sequence[Asked], within: timedelta, now: datetime, *, by: str = "", actor: str
) -> Decision:
    """People are to be told, by a deadline. While one is under way, another does not begin."""
    if world.exercises.open or not people:
        return Decision()
    one = Exercise(
        reference=world.exercises.next_reference,
        opened_at=now,
        due=now + within,
        actor=actor,
        people=tuple(people),
        by=by,
    )
    opened = ExerciseOpened(
        at=now,
        reference=one.reference,
        due=one.due,
        people=tuple(asked.name for asked in people),
        by=by,
        actor=actor,
    )
    notices = tuple(_notice(one, asked) for asked in people)
    owed = (
        facts.NoticeOwed(
            at=now,
            notice=notice.id,
            kind=notice.kind,
            customer=notice.customer,
            contact=notice.contact,
            emergencies=notice.emergencies,
        )
        for notice in notices
    )
    return Decision(facts=(opened, *owed), notices=notices, exercises=(one,))


def _notice(one: Exercise, asked: Asked) -> Notice:
    story = Story(
        reference=one.reference,
        customer=asked.customer,
        device="",
        address="",
        interval=timedelta(0),
        misses=0,
        last_answer=one.opened_at,
        first_miss=one.opened_at,
        verdict=one.opened_at,
        why="",
    )
    return Notice(
        id=notice_id(one.reference, KIND, asked.customer, asked.contact),
        kind=KIND,
        customer=asked.customer,
        contact=asked.contact,
        emergencies=(one.reference,),
        stories=(story,),
        created_at=one.opened_at,
    )


def over_at(world: World, one: Exercise) -> datetime | None:
    """When an exercise ends: at its deadline, or at once (None), when all have said that they have it."""
    told = {(said.customer, said.contact) for said in world.acknowledged.get(one.reference, ())}
    gone = {
        (notice.customer, notice.contact)
        for notice in world.notices.of(one.reference)
        if notice.state in (NoticeState.GIVEN_UP, NoticeState.FORBIDDEN)
    }
    is_done = all((asked.customer, asked.contact) in told | gone for asked in one.people)
    return None if is_done else one.due


def end(world: World, now: datetime) -> Decision:
    """File what came of exercises that are over. What was not told by then is told to nobody any more."""
    found: list[facts.Fact] = []
    notices: list[Notice] = []
    changed = []
    for one in world.exercises.open.values():
        ends = over_at(world, one)
        if ends is not None and ends > now:
            continue
        results = tuple(result(world, one))
        why = "done" if ends is None else "time"
        for notice in world.notices.of(one.reference):
            if notice.state is NoticeState.PENDING:
                left = delivery.settle(notice, NoticeState.GIVEN_UP, "the exercise is over", now)
                found.extend(left.facts)
                notices.extend(left.notices)
        digest = canonical.digest(list(results))
        ended = ExerciseEnded(at=now, reference=one.reference, why=why, results=results, digest=digest)
        found.append(ended)
        changed.append(replace(one, ended_at=now))
    return Decision(facts=tuple(found), notices=tuple(notices), exercises=tuple(changed))


def result(world: World, one: Exercise) -> Iterator[dict[str, Any]]:
    """What came of it so far, for each of its people; seconds run from its beginning."""
    notices = {(notice.customer, notice.contact): notice for notice in world.notices.of(one.reference)}
    said = {(known.customer, known.contact): known.at for known in world.acknowledged.get(one.reference, ())}
    for asked in one.people:
        who = (asked.customer, asked.contact)
        notice = notices.get(who)
        yield _of_person(one, asked, notice, said.get(who))


def _of_person(
    one: Exercise, asked: Asked, notice: Notice | None, acknowledged_at: datetime | None
) -> dict[str, Any]:
    attempts = () if notice is None else notice.attempts
    proven = None if notice is None or notice.proof is None else notice
    met = proven is not None and proven.proof is not None and proven.proof.covers(asked.met_by)
    told_at = notice.settled_at if met and notice is not None else None
    return {
        "customer": asked.customer,
        "contact": asked.contact,
        "channel": None if proven is None else proven.told_by,
        "attempts": [_of_attempt(one, attempt) for attempt in attempts],
        "first_attempt_s": _seconds(one, attempts[0].began_at if attempts else None),
        "told_s": _seconds(one, told_at),
        "proof": None if proven is None or proven.proof is None else proven.proof.value,
        "wanted": asked.met_by.value,
        "in_time": told_at is not None and told_at <= one.due,
        "acknowledged_s": _seconds(one, acknowledged_at),
    }


def _of_attempt(one: Exercise, attempt: Attempt) -> Mapping[str, Any]:
    is_open = attempt.outcome is AttemptOutcome.OPEN
    return {
        "channel": attempt.channel,
        "began_s": _seconds(one, attempt.began_at),
        "ended_s": None if is_open else _seconds(one, attempt.ended_at),
        "outcome": attempt.outcome.value,
        "proof": None if attempt.proof is None else attempt.proof.value,
    }


def _seconds(one: Exercise, when: datetime | None) -> int | None:
    """Whole seconds since it began."""
    if when is None:
        return None
    return max(instant.micros(when) - instant.micros(one.opened_at), 0) // 1_000_000

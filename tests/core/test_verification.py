"""When ways are asked, what a world makes of it, and what proves a way, as tables and with a timeline."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from hostwatch.core import acknowledging, afterwards, verifying
from hostwatch.core.acknowledgement import Acknowledgement
from hostwatch.core.acknowledgement import How as Said
from hostwatch.core.emergency import Attempt, AttemptOutcome, Emergency, Notice, NoticeState
from hostwatch.core.facts_of_contacts import (
    ContactWarned,
    ContactWarningReturned,
    ContactWays,
    WayAsked,
    WayFailed,
    WayVerified,
)
from hostwatch.core.judge import whole
from hostwatch.core.notice import Story
from hostwatch.core.population import Customer, Population
from hostwatch.core.proof import Proof
from hostwatch.core.reverifying import Term, is_due, is_working
from hostwatch.core.verification import Known, Standing, State, warned_of
from hostwatch.core.world import Decision, World
from hostwatch.core.zone import Zone

MONDAY = datetime(2026, 10, 5, 10, 0, tzinfo=UTC)
EVERY = timedelta(days=180)
TERMS = {"acme": Term(every=EVERY, zone=Zone())}
WAY = Known(way="0" * 32, channel="sms", address="commitment")
NEW = Standing(customer="acme", contact="duty", known=WAY, since=MONDAY)
VERIFIED = replace(NEW, verified_at=MONDAY)
ASKED = replace(NEW, code="hash", asked_at=MONDAY, asks=1)


def days(number: float) -> datetime:
    return MONDAY + timedelta(days=number)


@pytest.mark.parametrize(
    ("one", "every", "first"),
    [
        (NEW, EVERY, 1),
        (replace(NEW, known=replace(WAY, way="80000000")), EVERY, 15),
        (replace(NEW, known=replace(WAY, way="80000000")), timedelta(days=2), 2),
        (VERIFIED, EVERY, 180),
        (ASKED, EVERY, 2),
        (replace(VERIFIED, failed_at=days(3)), EVERY, 183),
        (replace(VERIFIED, failed_at=days(3)), timedelta(days=7), 33),
    ],
)
def test_when_a_way_is_asked_by_itself(one: Standing, every: timedelta, first: float) -> None:
    """`first`: days after Monday. New ones are asked over four weeks, each at a time of its own."""
    assert not is_due(one, every, days(first) - timedelta(seconds=1))
    assert is_due(one, every, days(first))
    assert not is_due(one, timedelta(0), days(10_000)), "never, if that is agreed"
    assert not is_due(replace(one, known=replace(one.known, reads=False)), every, days(10_000)), "a machine"


def test_people_are_asked_while_they_are_at_work() -> None:
    hours = [hour for hour in range(7 * 24) if is_working(Zone(), MONDAY - timedelta(hours=10 - hour))]

    assert hours == [24 * day + hour for day in range(5) for hour in range(9, 17)]


def world(*known: Known) -> World:
    made = World(population=Population(customers={"acme": Customer(id="acme", contacts=("duty", "boss"))}))
    do(made, verifying.adopt(made, {("acme", "duty"): known}, str, MONDAY))
    return made


def do(made: World, decision: Decision) -> Decision:
    made.apply(decision)
    return decision


def look(made: World, at: datetime) -> list[str]:
    """What happens, and the notices are gone at once."""
    found = do(made, whole(verifying.look(made, TERMS, str, at)))
    made.notices.pending.clear()
    names = [type(fact).__name__ for fact in found.facts if not type(fact).__name__.startswith("Notice")]
    return [*names, *(f"{one.kind} to {one.contact}" for one in found.notices)]


def test_who_does_not_answer_is_asked_three_times_and_then_others_are_told() -> None:
    """Monday the way becomes known; Tuesday it is asked, Thursday again; the weekend asks nobody."""
    made = world(WAY)
    asked = ["WayAsked", "verification to duty"]

    assert look(made, days(0.5)) == []
    assert look(made, days(1)) == asked
    assert look(made, days(2)) == []
    assert look(made, days(3)) == asked
    assert look(made, days(5)) == []  # a Saturday
    assert look(made, days(7)) == asked
    assert [one.state for one in made.ways] == [State.ASKED]
    assert look(made, days(9)) == ["WayFailed", "contact-failing to boss"]
    assert [(one.state, one.why) for one in made.ways] == [(State.FAILED, "not answered")]
    assert look(made, days(10)) == []


def test_of_many_only_some_are_asked_at_a_time() -> None:
    made = world(*(Known(way=f"{number:032x}", channel="sms", address=str(number)) for number in range(120)))

    for left in (50, 50, 20, 0):
        found = do(made, whole(verifying.look(made, TERMS, str, days(1.1))))
        assert len([fact for fact in found.facts if isinstance(fact, WayAsked)]) == left


STORY = Story(
    reference="E-000001",
    customer="acme",
    device="web",
    address="192.0.2.1",
    interval=timedelta(minutes=5),
    misses=2,
    last_answer=MONDAY,
    first_miss=MONDAY,
    verdict=MONDAY,
    why="no answer",
)
TRY = Attempt(
    number=1,
    rung=0,
    channel="sms",
    began_at=MONDAY,
    ended_at=MONDAY,
    outcome=AttemptOutcome.ACCEPTED,
    address="commitment",
    proof=Proof.ACCEPTED,
    receipt="sms/x/1",
)


def told(*attempts: Attempt) -> tuple[World, Notice]:
    made = world(WAY)
    emergency = Emergency(reference="E-000001", signal="web/ping@main", opened_at=MONDAY, story=STORY)
    notice = Notice(
        id="E-000001.emergency.acme.duty",
        kind="emergency",
        customer="acme",
        contact="duty",
        emergencies=("E-000001",),
        stories=(STORY,),
        created_at=MONDAY,
        attempts=attempts,
    )
    made.apply(Decision(emergencies=(emergency,), notices=(notice,)))
    return made, notice


def verified(decision: Decision) -> list[str]:
    return [fact.how for fact in decision.facts if isinstance(fact, WayVerified)]


def test_a_reply_to_an_emergency_verifies_the_way_that_brought_it() -> None:
    made, notice = told(TRY)

    delivered = afterwards.heard(made, notice, "sms/x/1", Proof.DELIVERED, said="", now=MONDAY)
    assert verified(delivered) == [], "that it lies on a telephone does not say whose"
    found = do(made, afterwards.heard(made, notice, "sms/x/1", Proof.ACKNOWLEDGED, said="", now=MONDAY))
    assert verified(found) == ["emergency"]
    assert [one.state for one in made.ways] == [State.VERIFIED]


@pytest.mark.parametrize(
    ("how", "attempts", "proves"),
    [
        (Said.LINK, (TRY,), True),
        (Said.LINK, (replace(TRY, channel="email", address="other"), replace(TRY, number=2)), False),
        (Said.ON_BEHALF, (TRY,), False),
        (Said.CLI, (TRY,), False),
    ],
)
def test_a_link_verifies_a_way_if_it_came_by_no_other(
    how: Said, attempts: tuple[Attempt, ...], proves: bool
) -> None:
    """What an operator notes on behalf of somebody says nothing of a way."""
    made, _ = told(*attempts)
    said = Acknowledgement(customer="acme", contact="duty", who="x", how=how, actor="link", at=MONDAY)

    found = acknowledging.acknowledge(made, "E-000001", said, MONDAY)
    assert verified(found) == (["emergency"] if proves else [])


@pytest.mark.parametrize("state", [NoticeState.PENDING, NoticeState.ACCEPTED])
def test_a_code_that_comes_back_is_a_way_that_fails(state: NoticeState) -> None:
    """The relay took it, and gives it back an hour later: by then the notice is over."""
    made = world(WAY)
    asked = do(made, verifying.ask(made, list(made.ways), "asked by operator", str, MONDAY))
    (notice,) = asked.notices
    taken = replace(notice.with_attempt(TRY), state=state)
    made.apply(Decision(notices=(taken,)))
    assert (notice.id in made.notices) is (state is NoticeState.PENDING)

    found = afterwards.heard(made, taken, "sms/x/1", None, said="", now=MONDAY)
    (fact,) = [fact for fact in found.facts if isinstance(fact, WayFailed)]
    assert fact.why == "returned"
    assert [one.kind for one in found.notices] == ["verification", "contact-failing"]


def test_who_was_warned_is_so_until_the_way_is_verified_or_used_no_more() -> None:
    """day 1   warned   day 3   another way beside it   day 5   the way is gone   day 7   it is back"""
    who = {"customer": "acme", "contact": "duty"}
    way = {"way": WAY.way, "channel": "sms", "address": "x", "kept": "", "reads": True}
    warned = ContactWarned(at=days(1), way=WAY.way, notice="C-1", told="boss", **who)
    record = [
        ContactWays(at=days(0), ways=(way,), **who),
        warned,
        ContactWays(at=days(3), ways=(way, {**way, "way": "other"}), **who),
        ContactWays(at=days(5), ways=({**way, "way": "other"},), **who),
        ContactWays(at=days(7), ways=(way,), **who),
    ]

    found = [warned_of(record, "acme", "duty", WAY.way, days(day)) for day in (0, 2, 4, 6, 8)]
    assert found == [None, warned, warned, None, None]
    assert warned_of(record, "acme", "boss", WAY.way, days(2)) is None


def test_two_notices_warn_and_what_is_given_back_warns_of_nothing() -> None:
    """day 1   boss takes one   day 2   duty another   day 3   duty's comes back   day 4   boss's too"""
    who = {"customer": "acme", "contact": "duty", "way": WAY.way}
    first = ContactWarned(at=days(1), notice="C-1", told="boss", **who)
    second = ContactWarned(at=days(2), notice="C-2", told="duty", **who)
    record = [
        first,
        second,
        ContactWarningReturned(at=days(3), notice="C-2", **who),
        ContactWarningReturned(at=days(4), notice="C-1", **who),
    ]
    found = [warned_of(record, "acme", "duty", WAY.way, days(day)) for day in (1, 2, 3, 4)]
    assert found == [first, second, first, None]

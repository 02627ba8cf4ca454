"""A busy channel is no reason to wait: which others may take a notice that has no turn."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from hostwatch.core.climbing import Open, open_rungs
from hostwatch.core.emergency import Attempt, AttemptOutcome, Notice
from hostwatch.core.ladder import Pace, Send, next_step

START = datetime(2026, 1, 5, tzinfo=UTC)
PACE = Pace()
WAYS = ("sms", "mail", "voice")
EMPTY = Notice(
    id="n",
    kind="emergency",
    customer="acme",
    contact="duty",
    emergencies=("E-000001",),
    stories=(),
    created_at=START,
)


def minute(number: float) -> datetime:
    return START + timedelta(minutes=number)


def tried(way: str, at: float, outcome: AttemptOutcome = AttemptOutcome.FAILED) -> Notice:
    """A notice that was tried once."""
    attempt = Attempt(
        number=1,
        rung=0,
        channel=way,
        way=way,
        began_at=minute(at),
        ended_at=minute(at),
        outcome=outcome,
    )
    return replace(EMPTY, attempts=(attempt,))


def opened(
    notice: Notice, at: float, ways: tuple[str, ...] = WAYS, pace: Pace = PACE, **alone: float
) -> Open:
    """By which rungs a notice may be sent in some minute. `alone`: until which a way wants to be left so."""
    step = next_step(notice, ways, pace, minute(at), since=START)
    assert isinstance(step, Send)
    until = {way: minute(left) for way, left in alone.items()}
    return open_rungs(notice, ways, pace, minute(at), step, since=START, alone=until)


@pytest.mark.parametrize(
    ("at", "rungs", "again"),
    [
        (0, (0,), 5),
        (4.9, (0,), 5),
        (5, (0, 1), 10),
        (9, (0, 1), 10),
        (10, (0, 1, 2), None),
        (60, (0, 1, 2), None),
    ],
)
def test_one_that_has_no_turn_is_offered_to_one_more_each_five_minutes(
    at: float, rungs: tuple[int, ...], again: float | None
) -> None:
    assert opened(EMPTY, at) == Open(rungs=rungs, until=None if again is None else minute(again))


def test_a_way_with_a_time_of_its_own_has_that() -> None:
    pace = Pace(waits=(("sms", timedelta(minutes=2)),))
    assert opened(EMPTY, 2, pace=pace) == Open(rungs=(0, 1), until=minute(7))


def test_there_is_nothing_above_the_only_one() -> None:
    assert opened(EMPTY, 60, ways=("sms",)) == Open(rungs=(0,))


@pytest.mark.parametrize(
    ("until", "rungs"), [(4.9, (0,)), (5, (0, 1)), (60, (0, 1))], ids=["soon", "just", "for long"]
)
def test_who_wants_to_be_left_alone_for_longer_than_it_has_is_passed_over_at_once(
    until: float, rungs: tuple[int, ...]
) -> None:
    assert opened(EMPTY, 1, sms=until).rungs == rungs


def test_nobody_is_asked_at_once_if_all_want_to_be_left_alone() -> None:
    assert opened(EMPTY, 1, sms=60, mail=60, voice=60).rungs == (0, 1, 2)


def test_a_retry_that_finds_no_turn_goes_on_at_the_next_when_its_time_is_over() -> None:
    """0:00 sms fails ── 0:15 due again, and busy ── 5:00 by mail, also busy ── 10:00 by voice"""
    assert opened(tried("sms", 0), 1) == Open(rungs=(0,), until=minute(5))
    assert opened(tried("sms", 0), 5) == Open(rungs=(1,), until=minute(10))
    assert opened(tried("sms", 0), 10) == Open(rungs=(1, 2), until=minute(15))
    assert opened(tried("sms", 0), 15).rungs == (1, 2, 0), "and then the first again"


def test_what_was_tried_out_of_its_turn_is_not_tried_again_at_once() -> None:
    """5:00 sms is busy, mail fails ── sms is still its turn ── mail has its pause first"""
    found = opened(tried("mail", 5), 5.1)
    assert found == Open(rungs=(0,), until=minute(5.25))
    assert opened(tried("mail", 5), 5.25).rungs == (0, 1)


def test_a_refusal_passes_on_and_the_wait_begins_there() -> None:
    assert opened(tried("sms", 3, AttemptOutcome.REFUSED), 4) == Open(rungs=(1,), until=minute(8))

"""What is said of a message later, in every order, and what is known then."""

from __future__ import annotations

from dataclasses import replace

import pytest

from hostwatch.core import afterwards, delivery
from hostwatch.core.emergency import AttemptOutcome, NoticeState
from hostwatch.core.proof import Proof
from hostwatch.core.world import Decision
from tests.core.test_delivery import NOTICE, Story, at, kinds

WORDS = {
    "d": Proof.DELIVERED,
    "n": Proof.ANSWERED,
    "k": Proof.ACKNOWLEDGED,
    "r": None,
}


def told(outcome: AttemptOutcome = AttemptOutcome.ACCEPTED, *, perhaps_arrived: bool = False) -> Story:
    """An emergency of which a person was told at 00:16, by a gateway that calls the message `m-1`."""
    story = Story()
    story.down()
    story.do(delivery.begin(story.world.notices[NOTICE], rung=0, channel="sms", address="c", now=at("00:16")))
    story.do(
        delivery.end(
            story.world,
            story.world.notices[NOTICE],
            outcome,
            said="s",
            now=at("00:16"),
            perhaps_arrived=perhaps_arrived,
            receipt="m-1",
        )
    )
    return story


def hear(story: Story, word: str, receipt: str = "m-1") -> Decision:
    notice = story.world.notices[NOTICE]
    decision = afterwards.heard(story.world, notice, receipt, WORDS[word], said="w", now=at("00:17"))
    story.do(decision)
    return decision


@pytest.mark.parametrize(
    ("words", "outcome", "proof", "state", "is_met"),
    [
        ("", "accepted", "accepted", "accepted", True),
        ("d", "accepted", "delivered", "delivered", True),
        ("dd", "accepted", "delivered", "delivered", True),
        ("dk", "accepted", "acknowledged", "acknowledged", True),
        ("kd", "accepted", "acknowledged", "acknowledged", True),
        ("nd", "accepted", "answered", "answered", True),
        ("r", "returned", None, "pending", False),
        ("rr", "returned", None, "pending", False),
        ("dr", "accepted", "delivered", "delivered", True),
        ("drr", "accepted", "delivered", "delivered", True),
        ("rd", "accepted", "delivered", "delivered", True),
        ("rdr", "accepted", "delivered", "delivered", True),
        ("kr", "accepted", "acknowledged", "acknowledged", True),
    ],
)
def test_words_in_any_order_and_number(
    words: str, outcome: str, proof: str | None, state: str, is_met: bool
) -> None:
    """d: delivered, n: answered, k: acknowledged, r: it did not arrive."""
    story = told()
    for word in words:
        hear(story, word)

    notice = story.world.notices[NOTICE]
    (attempt,) = notice.attempts
    assert (attempt.outcome.value, attempt.proof, notice.state.value) == (outcome, proof, state)
    assert (story.world.duties[NOTICE].met_at is not None) is is_met
    assert hear(story, words[-1]) == Decision() if words else True, "said again it changes nothing"


@pytest.mark.parametrize("receipt", ["m-2", "", "m-1 "])
def test_a_word_about_another_message_changes_nothing(receipt: str) -> None:
    assert hear(told(), "d", receipt) == Decision()
    assert hear(told(), "r", receipt) == Decision()


def test_a_report_of_delivery_settles_a_try_of_which_we_only_know_that_the_line_broke() -> None:
    story = told(AttemptOutcome.FAILED, perhaps_arrived=True)
    assert story.world.notices[NOTICE].state is NoticeState.PENDING
    assert hear(story, "r") == Decision(), "it is tried again anyway"

    assert kinds(list(hear(story, "d").facts)) == [
        "AttemptProved",
        "NoticeSettled",
        "DutyMet",
        "CustomerDutyMet",
    ]
    assert story.world.notices[NOTICE].state is NoticeState.DELIVERED


def test_what_did_not_arrive_surely_has_no_name() -> None:
    story = told(AttemptOutcome.FAILED)

    assert story.world.notices[NOTICE].attempts[0].receipt == ""


def test_of_two_messages_of_one_name_the_latest_is_meant() -> None:
    notice = told().world.notices[NOTICE]
    later = replace(notice.attempts[0], began_at=at("00:30"))
    other = replace(notice, id="E-000002.emergency.acme.duty", attempts=(later,))
    beside = replace(other, id="E-3", attempts=(replace(later, led_by=f"{other.id}#1"),))

    assert afterwards.in_message([notice, other, beside], "m-1") == [other, beside]
    assert afterwards.in_message([notice], "m-1") == [notice]
    assert afterwards.in_message([notice], "m-2") == []


def test_of_a_notice_that_the_world_has_dropped_a_word_is_recorded_and_nobody_is_told_again() -> None:
    story = told()
    notice = story.world.notices[NOTICE]
    story.world.emergencies.clear()
    story.world.notices.forget([NOTICE], ())
    proved, back = (
        afterwards.heard(story.world, notice, "m-1", proof, said="w", now=at("00:40"))
        for proof in (Proof.DELIVERED, None)
    )

    assert kinds(list(proved.facts)) == ["AttemptProved"]
    assert proved.notices[0].state is NoticeState.DELIVERED
    assert kinds(list(back.facts)) == ["AttemptReturned"]
    assert back.notices[0].attempts[0].outcome is AttemptOutcome.RETURNED
    assert back.notices[0].state is NoticeState.ACCEPTED
    story.world.apply(back)
    assert NOTICE not in story.world.notices

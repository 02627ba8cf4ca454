"""What proves that somebody was told, as timelines: the verdict falls at 00:15, the duty is due at 00:30.

`accepted`, `failed`, … is an attempt and what the other side said at once; `delivered 1`, `returned 1` is a
later word of it about the first attempt.
"""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hostwatch.core import delivery, facts
from hostwatch.core.emergency import AttemptOutcome, NoticeState
from hostwatch.core.proof import Proof, stronger
from tests.core.test_delivery import NOTICE, Story, at, kinds

LEVELS = [proof for proof in Proof if proof is not Proof.ATTEMPTED]


class Duty(Story):
    """The story of one duty whose agreement asks for a proof."""

    def __init__(self, met_by: Proof) -> None:
        super().__init__()
        self.down()
        duty = self.world.duties[NOTICE]
        self.world.duties[NOTICE] = replace(duty, met_by=met_by)

    def play(self, when: str, happens: str) -> list[facts.Fact]:
        what, _, number = happens.partition(" ")
        notice = self.world.notices[NOTICE]
        if what == "breach":
            return self.do(delivery.breaches(self.world, at(when)))
        if what == "returned":
            return self.do(delivery.returned(self.world, notice, int(number), said="s", now=at(when)))
        if number:
            decision = delivery.proved(self.world, notice, int(number), Proof(what), said="s", now=at(when))
            return self.do(decision)
        return self.attempt(when, AttemptOutcome(what))

    @property
    def stands(self) -> str:
        """Where the notice and its duty stand."""
        duty, notice = self.world.duties[NOTICE], self.world.notices[NOTICE]
        met = "open" if duty.met_at is None else f"met {duty.met_at:%H:%M}"
        return f"{notice.state}, {met}{', breached' if duty.breached_at else ''}"


TIMELINES = {
    "accepted is enough, and a better word later is taken over": (
        Proof.ACCEPTED,
        [
            ("00:16", "accepted", "accepted, met 00:16"),
            ("00:17", "delivered 1", "delivered, met 00:16"),
            ("00:18", "acknowledged 1", "acknowledged, met 00:16"),
        ],
    ),
    "accepted is not enough where the agreement wants it delivered": (
        Proof.DELIVERED,
        [
            ("00:16", "accepted", "pending, open"),
            ("00:21", "accepted", "pending, open"),
            ("00:22", "delivered 1", "delivered, met 00:22"),
        ],
    ),
    "a stronger word than was asked for meets it too": (
        Proof.DELIVERED,
        [("00:16", "accepted", "pending, open"), ("00:17", "answered 1", "answered, met 00:17")],
    ),
    "a bounce opens the duty again, and what comes after meets it": (
        Proof.ACCEPTED,
        [
            ("00:16", "accepted", "accepted, met 00:16"),
            ("00:20", "returned 1", "pending, open"),
            ("00:21", "accepted", "accepted, met 00:21"),
        ],
    ),
    "a bounce after the deadline is a breach at once": (
        Proof.ACCEPTED,
        [
            ("00:16", "accepted", "accepted, met 00:16"),
            ("00:45", "returned 1", "pending, open"),
            ("00:45", "breach", "pending, open, breached"),
            ("00:46", "accepted", "accepted, met 00:46, breached"),
        ],
    ),
    "a bounce of one of two that were accepted changes nothing": (
        Proof.ACCEPTED,
        [
            ("00:16", "failed", "pending, open"),
            ("00:17", "accepted", "accepted, met 00:17"),
            ("00:20", "returned 1", "accepted, met 00:17"),
        ],
    ),
    "what was asked for comes after the deadline: late": (
        Proof.DELIVERED,
        [
            ("00:16", "accepted", "pending, open"),
            ("00:30", "breach", "pending, open, breached"),
            ("00:31", "delivered 1", "delivered, met 00:31, breached"),
        ],
    ),
}


@pytest.mark.parametrize("name", TIMELINES)
def test_timelines(name: str) -> None:
    met_by, timeline = TIMELINES[name]
    story = Duty(met_by)
    stood = []
    for when, happens, _ in timeline:
        story.play(when, happens)
        stood.append((when, happens, story.stands))

    assert stood == timeline


def test_what_a_bounce_leaves_in_the_record() -> None:
    story = Duty(Proof.ACCEPTED)
    story.play("00:16", "accepted")

    happened = story.play("00:20", "returned 1")

    assert kinds(happened) == [
        "AttemptReturned",
        "NoticeReopened",
        "DutyReopened",
        "CustomerDutyReopened",
    ]
    assert story.play("00:21", "returned 1") == []
    (began,) = story.do(
        delivery.begin(story.world.notices[NOTICE], rung=1, channel="sms", address="c", now=at("00:21"))
    )
    assert isinstance(began, facts.AttemptBegan)
    assert not began.repeat, "what came back was not told"


def test_what_is_sent_again_after_it_was_accepted_is_marked_as_a_repeat() -> None:
    story = Duty(Proof.DELIVERED)
    story.play("00:16", "accepted")

    (began,) = story.do(
        delivery.begin(story.world.notices[NOTICE], rung=1, channel="sms", address="c", now=at("00:21"))
    )

    assert isinstance(began, facts.AttemptBegan)
    assert began.repeat


def test_a_duty_that_is_met_while_another_channel_is_tried_leaves_that_attempt_an_end() -> None:
    story = Duty(Proof.DELIVERED)
    story.play("00:16", "accepted")
    story.do(delivery.begin(story.world.notices[NOTICE], rung=1, channel="sms", address="c", now=at("00:21")))
    story.play("00:22", "delivered 1")
    assert story.world.notices.tried == {NOTICE}

    happened = story.do(
        delivery.end(
            story.world, story.world.notices[NOTICE], AttemptOutcome.ACCEPTED, said="s", now=at("00:23")
        )
    )

    assert kinds(happened) == ["AttemptEnded"]
    assert story.stands == "delivered, met 00:22"


WORDS = st.sampled_from(["failed", "accepted", "returned", *LEVELS])


@given(st.sampled_from(LEVELS), st.lists(st.tuples(WORDS, st.integers(1, 6)), max_size=8))
def test_a_duty_is_met_as_long_as_something_proves_enough_and_only_then(
    met_by: Proof, words: list[tuple[str, int]]
) -> None:
    story = Duty(met_by)
    for minute, (word, number) in enumerate(words, 16):
        attempts = story.world.notices[NOTICE].attempts
        if word in ("failed", "accepted"):
            story.play(f"00:{minute}", word)
        elif number <= len(attempts) and attempts[number - 1].outcome is AttemptOutcome.ACCEPTED:
            story.play(f"00:{minute}", f"{word} {number}")

        notice, duty = story.world.notices[NOTICE], story.world.duties[NOTICE]
        is_proven = notice.proof is not None and notice.proof.covers(met_by)
        assert (duty.met_at is not None) == is_proven
        assert (notice.state is not NoticeState.PENDING) == is_proven
        assert not is_proven or notice.state.value == str(notice.proof), "the word is as strong as the proof"


def test_each_proof_includes_the_weaker_ones() -> None:
    for place, proof in enumerate(Proof):
        assert [proof.covers(other) for other in Proof] == [rank <= place for rank in range(len(Proof))]
        assert stronger(proof, None) is stronger(None, proof) is proof
        assert all(stronger(proof, other) is proof for other in [*Proof][: place + 1])

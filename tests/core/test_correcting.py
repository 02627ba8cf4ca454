"""A false alarm is corrected: it stays on record, and exactly those are told so whom it had reached.

```
 00:15  E-000001: web-1 is silent ── to duty: accepted ── to boss: nobody takes it yet
 00:20  correct, because "our filter dropped the pings"
          duty is told that it was a false alarm; boss is told nothing, and the duty to them is released
 00:25  still silent: no second emergency of the same silence
 00:30  it answers: E-000001 is over, and nobody is told once more
```
"""

from __future__ import annotations

from dataclasses import replace

import pytest

from hostwatch.core import correcting, delivery, facts, telling
from hostwatch.core.device import Device
from hostwatch.core.emergency import AttemptOutcome, Emergency, Notice, NoticeState
from hostwatch.core.notice import Kind
from hostwatch.core.population import Customer
from hostwatch.core.reading import Outcome
from hostwatch.core.service import Service
from hostwatch.core.world import Decision
from tests.core.test_delivery import NOTICE, SIGNAL, Story, at, kinds

BOSS = "E-000001.emergency.acme.boss"
WHY = "our filter dropped the pings"


class Corrected(Story):
    """Two people, a device and its service."""

    def __init__(self) -> None:
        self.kept: dict[str, Notice] = {}
        self.last: Emergency | None = None
        super().__init__()
        device = Device(id="web-1", customer="acme", address="192.0.2.1", services=(Service(name="www"),))
        self.population = replace(
            self.population,
            customers={"acme": Customer(id="acme", contacts=("duty", "boss"))},
            devices={"web-1": device},
        )
        self.enrol("00:01")

    def correct(self, when: str, reference: str = "E-000001") -> list[facts.Fact]:
        """As the store has it: what the world has dropped is there too."""
        said = facts.EmergencyCorrected(
            at=at(when), reference=reference, because="c", evidence=(), actor="root"
        )
        emergency = self.world.emergencies.get(reference) or self.last
        assert emergency is not None
        return self.do(correcting.correct(self.world, emergency, self.kept.values(), said, WHY))

    def do(self, decision: Decision) -> list[facts.Fact]:
        """The store keeps what the world drops."""
        for notice in decision.notices:
            self.kept[notice.id] = notice
        for emergency in decision.emergencies:
            self.last = emergency
        return super().do(decision)


def told(happened: list[facts.Fact]) -> list[tuple[str, str]]:
    return [(fact.kind, fact.contact) for fact in happened if isinstance(fact, facts.NoticeOwed)]


def test_those_whom_it_reached_are_told_and_nobody_else() -> None:
    story = Corrected()
    story.down()
    story.attempt("00:16", AttemptOutcome.ACCEPTED)
    story.attempt("00:16", AttemptOutcome.FAILED, BOSS)

    happened = story.correct("00:20")

    assert kinds(happened)[0] == "EmergencyCorrected"
    assert told(happened) == [("correction", "duty")]
    assert facts.DutyReleased(at=at("00:20"), duty=BOSS, why="it was corrected") in happened
    assert story.world.notices[BOSS].state is NoticeState.CORRECTED
    owed = story.world.notices["E-000001.correction.acme.duty"]
    assert (owed.stories[0].correction, owed.stories[0].corrected_at) == (WHY, at("00:20"))
    assert story.do(delivery.breaches(story.world, at("01:00"))) == [], "nothing more is owed to anybody"


def test_of_the_same_silence_comes_no_second_emergency_and_its_end_is_told_to_nobody() -> None:
    story = Corrected()
    story.down()
    story.attempt("00:16", AttemptOutcome.ACCEPTED)
    story.correct("00:20")

    assert "EmergencyOpened" not in kinds(story.ping("00:25", Outcome.MISSED))
    happened = story.ping("00:30", Outcome.ANSWERED)
    assert "EmergencyEnded" in kinds(happened)
    assert told(happened) == []
    assert not story.world.emergencies

    story.ping("00:35", Outcome.MISSED)
    assert "EmergencyOpened" in kinds(story.ping("00:40", Outcome.MISSED)), "the next silence is another"


def test_who_may_have_the_message_is_told_when_that_is_known() -> None:
    """An attempt is under way: the correction waits for its outcome, and is not sent if that is a failure."""
    for outcome, state in [
        (AttemptOutcome.ACCEPTED, NoticeState.PENDING),
        (AttemptOutcome.REFUSED, NoticeState.CORRECTED),
    ]:
        story = Corrected()
        story.down()
        story.do(
            delivery.begin(story.world.notices[NOTICE], rung=0, channel="email", address="c", now=at("00:16"))
        )
        assert told(story.correct("00:17")) == [("correction", "duty")]
        correction = story.world.notices["E-000001.correction.acme.duty"]
        assert correction.after == NOTICE

        story.do(delivery.end(story.world, story.world.notices[NOTICE], outcome, said="s", now=at("00:18")))

        found = story.world.notices.get(correction.id)
        assert (NoticeState.CORRECTED if found is None else found.state) is state


def test_a_crash_in_the_middle_of_a_send_may_have_reached_them() -> None:
    story = Corrected()
    story.down()
    story.do(
        delivery.begin(story.world.notices[NOTICE], rung=0, channel="email", address="c", now=at("00:16"))
    )
    story.do(delivery.interrupted(story.world, at("00:17")))

    assert told(story.correct("00:20")) == [("correction", "duty")]


def test_a_mail_that_came_back_reached_nobody() -> None:
    story = Corrected()
    story.down()
    story.attempt("00:16", AttemptOutcome.ACCEPTED)
    story.do(delivery.returned(story.world, story.world.notices[NOTICE], 1, said="s", now=at("00:18")))

    assert told(story.correct("00:20")) == []


@pytest.mark.parametrize(("receipt", "reached"), [("call/x", False), ("fax/1", True)])
def test_a_call_that_nobody_has_begun_to_make_reached_nobody(receipt: str, reached: bool) -> None:
    story = Corrected()
    story.down()
    story.do(
        delivery.begin(story.world.notices[NOTICE], rung=0, channel="person", address="c", now=at("00:16"))
    )
    ended = delivery.end(
        story.world,
        story.world.notices[NOTICE],
        AttemptOutcome.ATTEMPTED,
        said="s",
        now=at("00:16"),
        receipt=receipt,
    )
    story.do(ended)

    assert bool(told(story.correct("00:20"))) is reached


def test_one_that_is_over_is_corrected_too() -> None:
    """The world has dropped its notices; its number is not given again."""
    story = Corrected()
    story.down()
    for contact in (NOTICE, BOSS):
        story.attempt("00:16", AttemptOutcome.ACCEPTED, contact)
    story.ping("00:20", Outcome.ANSWERED)
    story.attempt("00:21", AttemptOutcome.ACCEPTED, "E-000001.recovery.acme.duty")

    happened = story.correct("00:30")

    assert told(happened) == [("correction", "boss"), ("correction", "duty")]
    recovery: Kind = "recovery"
    assert not any(one.kind == recovery for one in story.world.pending()), "a correction says more"
    assert story.world.references == 1
    assert not story.world.emergencies


def test_a_service_that_fails_later_is_told_though_its_device_was_corrected() -> None:
    story = Corrected()
    story.look_at_service("00:05", Outcome.ANSWERED)
    story.down()
    story.correct("00:20")

    story.ping("00:25", Outcome.MISSED)
    story.look_at_service("00:30", Outcome.MISSED)
    held = story.look_at_service("00:35", Outcome.MISSED)
    happened = story.do(telling.overdue(story.world, at("00:50")))

    assert "EmergencyJoined" not in kinds(held)
    assert [fact.signal for fact in happened if isinstance(fact, facts.EmergencyOpened)] == ["web-1/www@main"]


def test_a_device_that_falls_silent_is_told_though_its_service_was_corrected() -> None:
    story = Corrected()
    story.ping("00:05", Outcome.ANSWERED)
    story.look_at_service("00:05", Outcome.ANSWERED)
    story.ping("00:10", Outcome.ANSWERED)
    story.look_at_service("00:10", Outcome.MISSED)
    story.look_at_service("00:15", Outcome.MISSED)
    assert [*story.world.emergencies] == ["E-000001"]
    story.correct("00:16")

    story.ping("00:20", Outcome.MISSED)
    happened = story.ping("00:25", Outcome.MISSED)

    assert [fact.signal for fact in happened if isinstance(fact, facts.EmergencyOpened)] == [SIGNAL]

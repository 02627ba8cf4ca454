"""The duty to tell, from its beginning to its end, as stories with a timeline."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from hostwatch.core import delivery, enrolment, facts, judge
from hostwatch.core.device import Device
from hostwatch.core.emergency import AttemptOutcome, NoticeState
from hostwatch.core.population import Customer, Population
from hostwatch.core.reading import Outcome, Reading
from hostwatch.core.world import Decision, World

SIGNAL = "web-1/ping@main"
NOTICE = "E-000001.emergency.acme.duty"
CUSTOMERS = "E-000001.customer.acme"


def at(text: str) -> datetime:
    """`00:10` or `00:10:03` on the first of October."""
    hours, minutes, seconds = (int(part) for part in f"{text}:00".split(":")[:3])
    return datetime(2026, 10, 1, hours, minutes, seconds, tzinfo=UTC)


class Story:
    """A world that a test plays facts to."""

    def __init__(self) -> None:
        self.world = World()
        device = Device(id="web-1", customer="acme", address="192.0.2.1")
        self.population = Population(
            customers={"acme": Customer(id="acme", contacts=("duty",))}, devices={"web-1": device}
        )
        self.enrol("00:00")

    def do(self, decision: Decision) -> list[facts.Fact]:
        self.world.apply(decision)
        return list(decision.facts)

    def enrol(self, when: str) -> list[facts.Fact]:
        accepted = enrolment.Accepted(
            population=self.population, digest=when, author="me", difference=(), content={}
        )
        return self.do(enrolment.apply(self.world, accepted, at(when)))

    def ping(self, when: str, outcome: Outcome) -> list[facts.Fact]:
        reading = Reading(signal=SIGNAL, at=at(when), known_at=at(when), outcome=outcome, why="no answer")
        return self.do(judge.readings(self.world, None, [reading], closes=True, now=at(when)))

    def look_at_service(self, when: str, outcome: Outcome, service: str = "www") -> list[facts.Fact]:
        """At a service of the device."""
        signal = f"web-1/{service}@main"
        reading = Reading(signal=signal, at=at(when), known_at=at(when), outcome=outcome, why="no answer")
        return self.do(judge.readings(self.world, None, [reading], closes=True, now=at(when)))

    def down(self) -> list[facts.Fact]:
        """The verdict falls at 00:15, so the duty is due at 00:30."""
        self.ping("00:05", Outcome.ANSWERED)
        self.ping("00:10", Outcome.MISSED)
        return self.ping("00:15", Outcome.MISSED)

    def attempt(self, when: str, outcome: AttemptOutcome, notice: str = NOTICE) -> list[facts.Fact]:
        began = delivery.begin(self.world.notices[notice], rung=0, channel="email", address="c", now=at(when))
        self.do(began)
        return self.do(delivery.end(self.world, self.world.notices[notice], outcome, said="s", now=at(when)))


def kinds(happened: list[facts.Fact]) -> list[str]:
    return [type(fact).__name__ for fact in happened]


def test_the_bounds_of_an_outage_hold_the_truth_when_a_later_packet_was_answered() -> None:
    """The look at 00:20 got its answer to the packet of 00:20:02: before that, nobody knows."""
    story = Story()
    story.down()

    reading = Reading(
        signal=SIGNAL,
        at=at("00:20"),
        known_at=at("00:20:03"),
        answered_at=at("00:20:02"),
        outcome=Outcome.ANSWERED,
    )
    happened = story.do(judge.readings(story.world, None, [reading], closes=True, now=at("00:20:03")))

    assert [fact.at for fact in happened if isinstance(fact, facts.SilenceEnded)] == [at("00:20:02")]
    assert [fact.first_answer for fact in happened if isinstance(fact, facts.CameUp)] == [at("00:20:02")]
    assert story.world.signals[SIGNAL].last_answer == at("00:20:02")
    assert story.world.signals[SIGNAL].speaks_until == at("00:25:15")


def test_a_verdict_its_emergency_its_duty_its_notice_and_its_cause_are_one_decision() -> None:
    decided = kinds(Story().down())

    assert decided == [
        "WentDown",
        "EmergencyOpened",
        "CustomerDutyArose",
        "DutyArose",
        "NoticeOwed",
        "CauseFound",
    ]


def test_a_duty_is_met_when_the_notice_is_accepted() -> None:
    story = Story()
    story.down()

    assert kinds(story.attempt("00:16", AttemptOutcome.FAILED)) == ["AttemptEnded"]
    happened = story.attempt("00:29", AttemptOutcome.ACCEPTED)

    assert kinds(happened) == ["AttemptEnded", "NoticeSettled", "DutyMet", "CustomerDutyMet"]
    assert happened[-2] == facts.DutyMet(at=at("00:29"), duty=NOTICE, late=False)
    assert story.do(delivery.breaches(story.world, at("01:00"))) == []


def test_a_breach_does_not_end_the_attempts_and_what_comes_after_is_late() -> None:
    story = Story()
    story.down()

    assert story.do(delivery.breaches(story.world, at("00:29:59"))) == []
    breach, _, of_customer, _ = story.do(delivery.breaches(story.world, at("00:30")))
    assert of_customer == facts.CustomerDutyBreached(at=at("00:30"), duty=CUSTOMERS, due=at("00:30"))
    assert breach == facts.DutyBreached(at=at("00:30"), duty=NOTICE, due=at("00:30"))
    assert story.do(delivery.breaches(story.world, at("00:31"))) == []

    assert story.attempt("00:40", AttemptOutcome.ACCEPTED)[-2:] == [
        facts.DutyMet(at=at("00:40"), duty=NOTICE, late=True),
        facts.CustomerDutyMet(at=at("00:40"), duty=CUSTOMERS, late=True),
    ]


@pytest.mark.parametrize("state", [NoticeState.GIVEN_UP, NoticeState.FORBIDDEN])
def test_a_notice_that_is_abandoned_releases_its_duty(state: NoticeState) -> None:
    """Else the deadline of somebody who left would run for ever."""
    story = Story()
    story.down()

    happened = story.do(
        delivery.abandon(story.world, story.world.notices[NOTICE], state, "because", at("00:20"))
    )

    assert kinds(happened) == ["NoticeSettled", "DutyReleased", "CustomerDutyReleased"]
    assert not any(duty.is_open for duty in story.world.duties.values())
    assert story.do(delivery.breaches(story.world, at("01:00"))) == []


def test_an_attempt_that_a_crash_cut_off_is_repeated_and_says_so() -> None:
    story = Story()
    story.down()
    story.do(
        delivery.begin(story.world.notices[NOTICE], rung=0, channel="email", address="c", now=at("00:16"))
    )

    happened = story.do(delivery.interrupted(story.world, at("00:17")))
    assert [fact.outcome for fact in happened if isinstance(fact, facts.AttemptEnded)] == ["interrupted"]
    (began,) = story.do(
        delivery.begin(story.world.notices[NOTICE], rung=0, channel="email", address="c", now=at("00:18"))
    )

    assert isinstance(began, facts.AttemptBegan)
    assert (began.number, began.repeat) == (2, True)
    assert story.do(delivery.interrupted(story.world, at("00:18")))[0].at == at("00:18")


def test_an_attempt_that_surely_did_not_arrive_makes_no_repeat() -> None:
    story = Story()
    story.down()
    story.attempt("00:16", AttemptOutcome.FAILED)

    (began,) = story.do(
        delivery.begin(story.world.notices[NOTICE], rung=0, channel="email", address="c", now=at("00:18"))
    )

    assert isinstance(began, facts.AttemptBegan)
    assert not began.repeat


def test_the_end_is_told_to_whoever_was_to_hear_of_the_beginning() -> None:
    story = Story()
    story.down()
    customer = story.population.customers["acme"]
    story.population = replace(
        story.population, customers={"acme": replace(customer, contacts=("duty", "late-comer"))}
    )
    story.enrol("00:16")

    happened = story.ping("00:20", Outcome.ANSWERED)

    owed = [fact for fact in happened if isinstance(fact, facts.NoticeOwed)]
    assert [(notice.kind, notice.contact) for notice in owed] == [("recovery", "duty")]
    recovery = story.world.notices["E-000001.recovery.acme.duty"]
    assert recovery.after == NOTICE
    assert recovery.stories[0].first_answer == at("00:20")


def test_who_is_no_longer_authorised_hears_of_no_end() -> None:
    story = Story()
    story.down()
    story.do(
        delivery.abandon(
            story.world, story.world.notices[NOTICE], NoticeState.FORBIDDEN, "removed", at("00:16")
        )
    )

    assert "NoticeOwed" not in kinds(story.ping("00:20", Outcome.ANSWERED))


def test_a_device_that_is_removed_while_down_is_withdrawn_and_said_so() -> None:
    story = Story()
    story.down()
    story.population = replace(story.population, devices={})

    happened = story.enrol("00:17")

    (ended,) = [fact for fact in happened if isinstance(fact, facts.EmergencyEnded)]
    assert (ended.withdrawn, ended.first_answer) == (True, None)
    assert [n.kind for n in story.world.pending()] == ["emergency", "withdrawn"]
    assert story.world.signals == {}


@pytest.mark.parametrize("step", [timedelta(hours=1), -timedelta(hours=1)])
def test_who_sets_the_clock_does_not_shorten_or_lengthen_a_promise(step: timedelta) -> None:
    story = Story()
    story.down()

    story.do(judge.follow_clock(story.world, at("00:20"), at("00:20") + step))

    assert story.do(delivery.breaches(story.world, at("00:29:59") + step)) == []
    assert kinds(story.do(delivery.breaches(story.world, at("00:30") + step))) == [
        "DutyBreached",
        "BreachExplained",
        "CustomerDutyBreached",
        "BreachExplained",
    ]


def test_a_notice_keeps_whether_it_was_late() -> None:
    """The duty that knew it is gone by then."""
    story = Story()
    story.down()
    story.attempt("00:30", AttemptOutcome.ACCEPTED)
    assert not story.world.notices[NOTICE].late

    late = Story()
    late.down()
    late.attempt("00:31", AttemptOutcome.ACCEPTED)
    assert late.world.notices[NOTICE].late
    assert late.world.duties[NOTICE].met_at == at("00:31")


@pytest.mark.parametrize(("when", "late"), [("00:20", False), ("00:31", True)])
def test_one_that_is_abandoned_keeps_it_too(when: str, late: bool) -> None:
    story = Story()
    story.down()
    notice = story.world.notices[NOTICE]
    story.do(delivery.abandon(story.world, notice, NoticeState.GIVEN_UP, "because", at(when)))

    assert story.world.notices[NOTICE].late is late


def test_an_attempt_that_somebody_works_on_is_not_ended_by_others() -> None:
    story = Story()
    story.down()
    story.do(
        delivery.begin(story.world.notices[NOTICE], rung=0, channel="email", address="c", now=at("00:16"))
    )

    assert story.do(delivery.interrupted(story.world, at("00:17"), {NOTICE})) == []
    assert kinds(story.do(delivery.interrupted(story.world, at("00:17")))) == ["AttemptEnded"]


def test_an_attempt_that_was_not_sent_has_surely_not_arrived() -> None:
    story = Story()
    story.down()
    story.attempt("00:16", AttemptOutcome.UNSENT)

    (began,) = story.do(
        delivery.begin(story.world.notices[NOTICE], rung=0, channel="email", address="c", now=at("00:17"))
    )
    assert isinstance(began, facts.AttemptBegan)
    assert not began.repeat


def test_who_may_be_told_stands_in_the_population() -> None:
    story = Story()
    story.down()
    notice = story.world.notices[NOTICE]
    assert delivery.is_authorised(story.world, notice)

    story.population = replace(
        story.population, customers={"acme": Customer(id="acme", contacts=("somebody",))}
    )
    story.enrol("00:17")
    assert not delivery.is_authorised(story.world, notice)
    story.population = replace(story.population, customers={}, devices={})
    story.enrol("00:18")
    assert not delivery.is_authorised(story.world, notice)

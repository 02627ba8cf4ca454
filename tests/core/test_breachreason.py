"""Why a customer was not told: the verdict falls at 00:15, they are to be told by 00:30.

Each line of a story is an attempt: when it began, by which channel, and what came of it.
"""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from hostwatch.core import breachreason, calling, delivery, facts
from hostwatch.core.breachreason import SENTENCES, Reason, Why
from hostwatch.core.emergency import AttemptOutcome, NoticeState
from hostwatch.core.population import Customer
from hostwatch.core.proof import Proof
from hostwatch.core.terms import TellingTerms, Told
from hostwatch.messages import catalogue, seen
from tests.core.test_delivery import NOTICE, Story, at

ENDS: dict[str, dict[str, Any]] = {
    "failed": {"outcome": AttemptOutcome.FAILED},
    "put off": {"outcome": AttemptOutcome.FAILED, "retry_after": timedelta(minutes=3)},
    "no end": {"outcome": AttemptOutcome.FAILED, "perhaps_arrived": True},
    "refused": {"outcome": AttemptOutcome.REFUSED},
    "accepted": {"outcome": AttemptOutcome.ACCEPTED},
    "waits": {"outcome": AttemptOutcome.ATTEMPTED, "proof": Proof.ATTEMPTED, "receipt": "call/1"},
    "cut off": {"outcome": AttemptOutcome.INTERRUPTED, "perhaps_arrived": True},
}


class Desk(Story):
    """Acme's device is down, and some channels are tried."""

    def __init__(self, *people: str, met_by: Proof = Proof.ACCEPTED) -> None:
        super().__init__()
        told = Told.ALL if len(people) > 1 else Told.ANY
        acme = Customer(
            id="acme", contacts=people or ("duty",), telling=TellingTerms(told=told, met_by=met_by)
        )
        self.population = replace(self.population, customers={"acme": acme})
        self.enrol("00:01")
        self.down()

    def tries(self, line: str, notice: str = NOTICE) -> None:
        """`00:16 email failed`."""
        when, channel, how = line.split(maxsplit=2)
        self.do(
            delivery.begin(
                self.world.notices[notice],
                rung=0,
                channel=channel,
                address="c",
                way=channel,
                now=at(when),
            )
        )
        if how != "under way":
            known = self.world.notices[notice]
            self.do(delivery.end(self.world, known, said="s", now=at(when), **ENDS[how]))

    def breached(self, when: str = "00:30") -> dict[str, list[str]]:
        """The reasons that are recorded then, by duty."""
        happened = self.do(delivery.breaches(self.world, at(when)))
        return {
            one.duty.removeprefix("E-000001."): [breachreason.words_of(reason) for reason in one.reasons]
            for one in happened
            if isinstance(one, facts.BreachExplained)
        }


STORIES: dict[str, tuple[list[str], list[str]]] = {
    "greylisted, and the next has no time left": (
        ["00:15 email failed", "00:16 email failed", "00:20 sms put off", "00:27 sms no end"],
        [
            "2 × email to duty not accepted",
            "1 × sms to duty put off by the other side",
            "1 × sms to duty without an answer in time",
        ],
    ),
    "no turn came": (
        ["00:24 email refused", "00:26 sms under way"],
        [
            "duty waited 9 min for the first try",
            "1 × email to duty refused",
            "1 × sms to duty still under way",
        ],
    ),
    "nobody tried anything": ([], ["no try to tell duty in 15 min"]),
    "nobody tried any more": (
        ["00:15 email failed", "00:18 email cut off"],
        [
            "1 × email to duty not accepted",
            "1 × email to duty cut off as the watch stopped",
            "no further try to tell duty in 12 min",
        ],
    ),
    "a call that nobody took": (["00:15 person waits"], ["1 × call to duty not taken by anybody"]),
}


@pytest.mark.parametrize("name", STORIES)
def test_stories(name: str) -> None:
    lines, reasons = STORIES[name]
    desk = Desk()
    for line in lines:
        desk.tries(line)

    assert desk.breached() == {"emergency.acme.duty": reasons, "customer.acme": reasons}


def test_a_call_that_was_taken_and_of_which_nobody_said_what_came_of_it() -> None:
    desk = Desk()
    desk.tries("00:15 person waits")
    desk.do(calling.take(desk.world, NOTICE, 1, "li", "me", at("00:29")))

    assert desk.breached()["customer.acme"] == ["1 × call to duty taken and without an outcome"]


def test_what_was_taken_does_not_do_where_the_agreement_asks_for_more() -> None:
    desk = Desk(met_by=Proof.DELIVERED)
    desk.tries("00:15 email accepted")

    assert desk.breached()["customer.acme"] == [
        "1 × email to duty taken and not proven enough",
    ]


def test_of_several_people_only_those_who_were_not_told_are_named() -> None:
    desk = Desk("ann", "bob", "cyd")
    desk.tries("00:15 email accepted", "E-000001.emergency.acme.ann")
    desk.tries("00:29 email failed", "E-000001.emergency.acme.bob")
    gone = desk.world.notices["E-000001.emergency.acme.cyd"]
    desk.do(delivery.abandon(desk.world, gone, NoticeState.GIVEN_UP, "all was tried", at("00:29")))

    assert desk.breached() == {
        "emergency.acme.bob": ["bob waited 14 min for the first try", "1 × email to bob not accepted"],
        "customer.acme": [
            "bob waited 14 min for the first try",
            "1 × email to bob not accepted",
            "no try to tell cyd in 14 min",
            "nothing more can be tried for cyd",
        ],
    }


def test_what_came_back_after_the_deadline_was_not_recorded_late() -> None:
    """00:15 accepted ── 00:30 the time is out ── 00:40 it comes back: a breach at once"""
    desk = Desk()
    desk.tries("00:15 email accepted")
    known = desk.world.notices[NOTICE]
    desk.do(delivery.returned(desk.world, known, 1, said="s", now=at("00:40")))

    assert desk.breached("00:40")["customer.acme"] == ["1 × email to duty came back"]


def test_a_watch_that_stood_still_over_the_deadline_records_the_breach_as_soon_as_it_goes_on() -> None:
    """00:16 tried ── 00:17 killed ═══ 00:30 the time is out ═══ 00:52 started: recorded, with why"""
    desk = Desk()
    desk.tries("00:16 email under way")
    desk.do(delivery.interrupted(desk.world, at("00:52")))

    assert desk.breached("00:52")["customer.acme"] == [
        "recorded 22 min late as the watch did not run or could not write",
        "duty waited 1 min for the first try",
        "1 × email to duty cut off as the watch stopped",
    ]


def test_who_is_told_in_time_has_no_reasons() -> None:
    desk = Desk()
    desk.tries("00:15 email accepted")

    assert desk.breached() == {}


@pytest.mark.parametrize("why", Why)
def test_each_is_told_in_both_languages(why: Why) -> None:
    reason = Reason(why=why, contact="chen-wei", channel="email", times=3)
    said = f"acme E-000001: {reason.words}, {reason.words}; 2 more"

    told = seen.worded(catalogue.words("zh-Hans"), said)

    assert set(re.findall(r"[A-Za-z]{2,}", told)) <= {"acme", "chen", "wei", "email"}
    assert seen.worded(catalogue.words("en"), said) == said
    assert breachreason.words_of(reason.plain()) == reason.words
    assert {*SENTENCES} == {*Why}


def test_what_a_later_version_recorded_is_named_as_it_stands() -> None:
    assert breachreason.words_of({"why": "a new one", "times": 1}) == "a new one"

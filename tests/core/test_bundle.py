"""What one message tells: a beginning with its end, and many beginnings, each with a duty of its own.

Three devices of one customer, whose people must be told by 00:30 of what is known at 00:15.
"""

from __future__ import annotations

from dataclasses import replace

import pytest

from hostwatch.core import bundle, calling, delivery, facts, judge
from hostwatch.core.device import Device
from hostwatch.core.emergency import AttemptOutcome, Notice
from hostwatch.core.facts_from_people import CallEnded
from hostwatch.core.population import Customer
from hostwatch.core.proof import Proof
from hostwatch.core.reading import Outcome, Reading
from hostwatch.core.service import Service
from hostwatch.core.terms import TellingTerms
from tests.core.test_delivery import Story, at, kinds

FIRST, END = "E-000001.emergency.acme.duty", "E-000001.recovery.acme.duty"
DEVICES = ("web-1", "web-2", "web-3")


class Storm(Story):
    """Devices that fall silent in turn, and one person."""

    def __init__(self, met_by: Proof = Proof.ACCEPTED) -> None:
        super().__init__()
        acme = Customer(id="acme", contacts=("duty",), telling=TellingTerms(met_by=met_by))
        devices = {one: Device(id=one, customer="acme", address="192.0.2.1") for one in DEVICES}
        self.population = replace(self.population, customers={"acme": acme}, devices=devices)
        self.enrol("00:01")

    def look(self, when: str, outcome: Outcome, *devices: str) -> list[facts.Fact]:
        readings = [
            Reading(
                signal=f"{one}/ping@main", at=at(when), known_at=at(when), outcome=outcome, why="no answer"
            )
            for one in devices
        ]
        return self.do(judge.readings(self.world, None, readings, closes=True, now=at(when)))

    def fall(self, *devices: str) -> None:
        self.look("00:05", Outcome.ANSWERED, *devices)
        self.look("00:10", Outcome.MISSED, *devices)
        self.look("00:15", Outcome.MISSED, *devices)

    def claim(self, when: str, notice: str = FIRST) -> bundle.Contents:
        """A message leaves, with all that may stand in it."""
        leader = self.world.notices[notice]
        beside = [*self.world.notices.pending_to("acme", "duty")]
        self.do(
            bundle.claim(
                self.world, leader, beside, rung=0, channel="email", address="c", way="mail", now=at(when)
            )
        )
        return bundle.contents(self.world, self.world.notices[notice])

    def end(self, when: str, outcome: str, notice: str = FIRST, receipt: str = "") -> list[facts.Fact]:
        return self.do(
            delivery.end(
                self.world,
                self.world.notices[notice],
                AttemptOutcome(outcome),
                said="s",
                now=at(when),
                perhaps_arrived=outcome == "interrupted",
                receipt=receipt,
            )
        )

    def stands(self) -> dict[str, str]:
        return {one.id.partition(".acme")[0]: one.state.value for one in self.world.notices.values()}


class Services(Storm):
    """Devices that answer, and on each a web service that does not."""

    def __init__(self) -> None:
        super().__init__()
        www = (Service(name="www"),)
        devices = {name: replace(one, services=www) for name, one in self.population.devices.items()}
        self.population = replace(self.population, devices=devices)
        self.enrol("00:02")

    def services(self, when: str, outcome: Outcome, *devices: str) -> None:
        names = [f"{one}/www@main" for one in devices]
        readings = [
            Reading(signal=name, at=at(when), known_at=at(when), outcome=outcome, why="http: answer")
            for name in names
        ]
        self.do(judge.readings(self.world, None, readings, closes=True, now=at(when)))

    def fail(self, *devices: str) -> None:
        self.look("00:05", Outcome.ANSWERED, *DEVICES)
        self.services("00:05", Outcome.ANSWERED, *devices)
        for when in ("00:10", "00:15"):
            self.look(when, Outcome.ANSWERED, *DEVICES)
            self.services(when, Outcome.MISSED, *devices)


def test_a_beginning_whose_end_is_known_is_told_with_it() -> None:
    """00:15 verdict ── 00:20 answers again ── 00:21 one message, taken: both are told"""
    storm = Storm()
    storm.fall("web-1")
    storm.look("00:20", Outcome.ANSWERED, "web-1")

    told = storm.claim("00:21")
    (story,) = told.stories

    assert (told.kind, told.both) == ("recovery", True)
    assert (story.last_answer, story.first_miss) == (at("00:05"), at("00:10"))
    assert (story.last_miss, story.first_answer) == (at("00:15"), at("00:20"))
    assert kinds(storm.end("00:21", "accepted")) == [
        "AttemptEnded", "NoticeSettled", "DutyMet", "CustomerDutyMet", "AttemptEnded", "NoticeSettled",
    ]  # fmt: skip
    assert not storm.world.notices


def test_what_failed_is_open_for_both_and_a_beginning_is_never_told_alone_again() -> None:
    """00:16 the beginning fails ── 00:20 it is over ── 00:21 both fail ── 00:22 both"""
    storm = Storm()
    storm.fall("web-1")
    assert storm.claim("00:16").kind == "emergency"
    storm.end("00:16", "failed")
    storm.look("00:20", Outcome.ANSWERED, "web-1")
    first = storm.claim("00:21")
    storm.end("00:21", "failed")
    assert storm.stands() == {"E-000001.emergency": "pending", "E-000001.recovery": "pending"}

    assert storm.claim("00:22") == first
    assert first.both
    assert first.mark


def test_an_end_that_was_taken_already_is_told_again_with_a_beginning_that_came_back() -> None:
    """00:16 taken ── 00:20 over, told, taken ── 00:22 the beginning comes back ── 00:23 told, with its end

    The end is settled, and is held as long as the beginning is not.
    """
    storm = Storm(met_by=Proof.DELIVERED)
    storm.fall("web-1")
    storm.claim("00:16")
    storm.end("00:16", "accepted")
    storm.look("00:20", Outcome.ANSWERED, "web-1")
    storm.claim("00:20", END)
    storm.end("00:20", "accepted", END)
    assert storm.stands() == {"E-000001.emergency": "pending", "E-000001.recovery": "accepted"}
    storm.do(delivery.returned(storm.world, storm.world.notices[FIRST], 1, said="s", now=at("00:22")))

    told = storm.claim("00:23")

    assert (told.kind, told.both, told.names) == ("recovery", True, (FIRST, END))
    assert len(storm.world.notices[END].attempts) == 1, "it was told, and is not claimed again"
    storm.end("00:23", "accepted")
    storm.do(
        delivery.proved(
            storm.world, storm.world.notices[FIRST], 2, Proof.DELIVERED, said="s", now=at("00:24")
        )
    )
    assert not storm.world.notices, "nothing is held for it any more"


def test_many_beginnings_stand_in_one_message_and_each_keeps_its_duty() -> None:
    storm = Storm()
    storm.fall(*DEVICES)

    told = storm.claim("00:16")

    assert [story.device for story in told.stories] == [*DEVICES]
    assert told.kind == "emergency"
    assert not told.both
    happened = storm.end("00:16", "accepted", receipt="m-1")
    assert kinds(happened).count("DutyMet") == kinds(happened).count("CustomerDutyMet") == 3
    attempts = [one.attempts[-1] for one in storm.world.notices.values()]
    assert [one.led_by for one in attempts] == ["", f"{FIRST}#1", f"{FIRST}#1"]
    assert {one.receipt for one in attempts} == {"m-1"}


def test_many_services_stand_in_one_message_and_their_ends_in_another_with_their_beginnings() -> None:
    storm = Services()
    storm.fail(*DEVICES)
    storm.services("00:20", Outcome.ANSWERED, "web-1", "web-3")

    still, over = storm.claim("00:21", "E-000002.emergency.acme.duty"), storm.claim("00:21")

    assert [(story.service, story.device) for story in still.stories] == [("www", "web-2")]
    assert [(story.service, story.device) for story in over.stories] == [("www", "web-1"), ("www", "web-3")]
    assert (still.kind, over.kind, over.both) == ("emergency", "recovery", True)


def test_services_and_devices_stand_apart() -> None:
    """00:15 two services fail, and a device falls ── 00:16 a message for each of both"""
    storm = Services()
    storm.look("00:05", Outcome.ANSWERED, *DEVICES)
    storm.services("00:05", Outcome.ANSWERED, *DEVICES)
    for when in ("00:10", "00:15"):
        storm.look(when, Outcome.ANSWERED, "web-1", "web-2")
        storm.look(when, Outcome.MISSED, "web-3")
        storm.services(when, Outcome.MISSED, "web-1", "web-2")

    told = []
    while left := [one.id for one in storm.world.notices.values() if not one.attempts]:
        told.append(storm.claim("00:16", left[0]))

    found = [[f"{story.service} {story.device}" for story in one.stories] for one in told]
    assert sorted(found) == [[" web-3"], ["www web-1", "www web-2"]]


def test_whoever_is_up_again_stands_apart_from_those_who_are_not() -> None:
    storm = Storm()
    storm.fall(*DEVICES)
    storm.look("00:20", Outcome.ANSWERED, "web-2")

    told = storm.claim("00:21")
    other = storm.claim("00:21", "E-000002.emergency.acme.duty")

    assert [story.device for story in told.stories] == ["web-1", "web-3"]
    assert [story.device for story in other.stories] == ["web-2"]
    assert other.both


def test_of_a_message_that_was_cut_off_each_is_repeated_and_marked_and_new_ones_stand_apart() -> None:
    """00:16 two are told, and we are killed ── 00:17 a third falls ── 00:18 the two again ── the third"""
    storm = Storm()
    storm.fall("web-1", "web-2")
    before = storm.claim("00:16")
    storm.do(delivery.interrupted(storm.world, at("00:17")))
    storm.fall("web-3")

    again, third = storm.claim("00:18"), storm.claim("00:18", "E-000003.emergency.acme.duty")

    assert again == before, "the same message has the same key"
    assert third.names == ("E-000003.emergency.acme.duty",)
    repeats = [one.attempts[-1].repeat for one in storm.world.notices.values()]
    assert repeats == [True, True, False]


def test_another_set_has_another_key_and_who_leads_does_not_matter() -> None:
    def mark(*names: str) -> str:
        return bundle.Contents(kind="emergency", stories=(), names=names, since=at("00:15")).mark

    assert mark("a") == ""
    assert mark("a", "b") == mark("b", "a")
    assert len({mark("a", "b"), mark("a", "c"), mark("a", "b", "c")}) == 3


def test_one_call_tells_of_all_and_what_came_of_it_is_true_of_all() -> None:
    storm = Storm(met_by=Proof.ANSWERED)
    storm.fall(*DEVICES)
    storm.claim("00:16")
    storm.end("00:16", "attempted", receipt="call/1")
    (entry,) = calling.sheet(storm.world)
    said = CallEnded(
        at=at("00:18"),
        notice=entry.notice.id,
        number=1,
        outcome="spoke",
        to="chen",
        acknowledged=True,
        by="me",
        evidence="stated by operator",
        reference="",
        actor="me",
    )

    storm.do(calling.end(storm.world, entry.notice, said))

    assert {*storm.stands().values()} == {"acknowledged"}
    assert [*storm.world.acknowledged] == ["E-000001", "E-000002", "E-000003"]
    assert [*calling.sheet(storm.world)] == []


def test_a_call_stands_on_the_sheet_while_any_that_it_tells_of_waits_for_it() -> None:
    storm = Storm(met_by=Proof.ANSWERED)
    storm.fall(*DEVICES)
    storm.claim("00:16")
    storm.end("00:16", "attempted", receipt="call/1")
    leader: Notice = storm.world.notices[FIRST]
    storm.do(delivery.proved(storm.world, leader, 1, Proof.ANSWERED, said="s", now=at("00:17")))

    (entry,) = calling.sheet(storm.world)

    assert entry.notice.id == "E-000002.emergency.acme.duty"


@pytest.mark.parametrize("outcome", ["refused", "failed", "unsent"])
def test_what_becomes_of_the_message_becomes_of_each(outcome: str) -> None:
    storm = Storm()
    storm.fall(*DEVICES)
    storm.claim("00:16")

    assert kinds(storm.end("00:16", outcome)) == ["AttemptEnded"] * 3
    assert [one.attempts[-1].outcome for one in storm.world.notices.values()] == [outcome] * 3


def test_more_than_fit_into_one_message_are_told_in_the_next(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bundle, "STORIES_MAX", 2)
    storm = Storm()
    storm.fall(*DEVICES)

    assert len(storm.claim("00:16").stories) == 2
    assert len(storm.claim("00:16", "E-000003.emergency.acme.duty").stories) == 1

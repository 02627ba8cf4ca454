"""Who has it: what an acknowledgement proves, what it ends, and what it never does.

Two contacts of one customer, `duty` and `boss`; the verdict falls at 00:15, the duties are due at 00:30.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from hostwatch.core import acknowledging, delivery, facts
from hostwatch.core.acknowledgement import Acknowledgement, How
from hostwatch.core.emergency import AttemptOutcome, Notice, NoticeState
from hostwatch.core.population import Customer
from hostwatch.core.proof import Proof
from hostwatch.core.reading import Outcome
from hostwatch.core.terms import TellingTerms, Told
from tests.core.test_delivery import Story, at, kinds

REFERENCE = "E-000001"
DOCUMENT = Path(__file__).parent.parent.parent / "docs" / "notices.md"


class Two(Story):
    """One emergency, and two people of one customer."""

    def __init__(self, met_by: Proof = Proof.ACCEPTED, told: Told = Told.ANY) -> None:
        super().__init__()
        acme = Customer(id="acme", contacts=("duty", "boss"), telling=TellingTerms(told=told, met_by=met_by))
        self.population = replace(self.population, customers={"acme": acme})
        self.enrol("00:01")
        self.down()

    def of(self, contact: str) -> Notice:
        return self.world.notices[f"{REFERENCE}.emergency.acme.{contact}"]

    def try_(self, when: str, contact: str, outcome: str) -> list[facts.Fact]:
        self.do(delivery.begin(self.of(contact), rung=0, channel="email", address="c", now=at(when)))
        ended = delivery.end(
            self.world,
            self.of(contact),
            AttemptOutcome(outcome),
            said="s",
            now=at(when),
            perhaps_arrived=outcome == "interrupted",
        )
        return self.do(ended)

    def ack(self, when: str, contact: str, who: str = "") -> list[facts.Fact]:
        said = Acknowledgement(
            customer="acme", contact=contact, who=who or contact, how=How.CLI, actor="me", at=at(when)
        )
        return self.do(acknowledging.acknowledge(self.world, REFERENCE, said, at(when)))

    def stands(self, contact: str) -> str:
        notice = self.of(contact)
        duty = self.world.duties[notice.id]
        told = "met" if duty.met_at else "owed"
        goes = "" if notice.state != "pending" else ", rests" if self.rests(contact) else ", goes on"
        return f"{notice.state}, {told}{goes}"

    def rests(self, contact: str) -> bool:
        return acknowledging.rests(self.world, self.of(contact))

    @property
    def customer(self) -> str:
        return "met" if self.world.customer_duties[f"{REFERENCE}.customer.acme"].met_at else "owed"


def table() -> Iterator[tuple[str, ...]]:
    """The rows of the table under "Who has it" in docs/notices.md."""
    text = DOCUMENT.read_text(encoding="utf-8")
    lines = text.split("## Who has it")[1].split("\n## ")[0].splitlines()
    rows = [line for line in lines if line.startswith("| ") and "`" in line]
    for row in rows[1:]:
        yield tuple(cell.strip().strip("`") for cell in row.strip("|").split("|"))


ROWS = [*table()]


@pytest.mark.parametrize("row", ROWS, ids=["; ".join(row[:4]) for row in ROWS])
def test_the_table_in_the_documents_holds(row: tuple[str, ...]) -> None:
    met_by, told, before, who, duty, customer = row
    story = Two(Proof(met_by), Told(told))
    for step in before.split(", ") if before != "nothing" else ():
        contact, outcome = step.split(" ")
        if outcome == "acknowledges":
            story.ack("00:17", contact)
        else:
            story.try_("00:16", contact, outcome)
    story.ack("00:18", "" if who == "somebody else" else who)
    assert (story.stands("duty"), story.customer) == (duty, customer)


def test_the_table_is_read() -> None:
    assert len(ROWS) >= 14


def test_it_is_a_fact_and_saying_it_again_is_none() -> None:
    story = Two()
    assert kinds(story.ack("00:18", "duty")) == ["Acknowledged"]
    assert kinds(story.ack("00:19", "duty")) == []
    assert kinds(story.ack("00:19", "duty", who="another")) == ["Acknowledged"]


def test_what_is_accepted_after_they_said_so_is_proven_at_once() -> None:
    """00:17 they ring us before anything was sent · 00:18 the mail is accepted"""
    story = Two(met_by=Proof.ACKNOWLEDGED)
    story.ack("00:17", "duty")
    assert story.stands("duty") == "pending, owed, goes on"

    happened = kinds(story.try_("00:18", "duty", "accepted"))

    assert happened == ["AttemptEnded", "AttemptProved", "NoticeSettled", "DutyMet", "CustomerDutyMet"]
    assert story.stands("duty") == "acknowledged, met"


def test_what_came_back_is_not_proven_by_it() -> None:
    story = Two()
    story.try_("00:16", "duty", "accepted")
    story.do(delivery.returned(story.world, story.of("duty"), 1, said="bounce", now=at("00:17")))
    story.ack("00:18", "duty")
    assert story.stands("duty") == "pending, owed, goes on"


def test_what_is_taken_back_sets_the_others_going_and_stays_proven() -> None:
    """00:18 boss has it · 00:20 not after all: duty is tried further; that boss was told stays so"""
    story = Two(met_by=Proof.ANSWERED)
    for contact in ("duty", "boss"):
        story.try_("00:16", contact, "accepted")
    story.ack("00:18", "boss")
    assert (story.stands("duty"), story.stands("boss")) == ("pending, owed, rests", "acknowledged, met")

    known = story.world.acknowledged[REFERENCE][0]
    back = acknowledging.withdraw(
        story.world, REFERENCE, known, actor="me", because="he is ill", now=at("00:20")
    )

    assert kinds(story.do(back)) == ["AcknowledgementWithdrawn"]
    assert (story.stands("duty"), story.stands("boss")) == ("pending, owed, goes on", "acknowledged, met")
    assert story.world.acknowledged == {}


def test_a_duty_that_rests_is_breached_all_the_same() -> None:
    story = Two(met_by=Proof.ANSWERED)
    for contact in ("duty", "boss"):
        story.try_("00:16", contact, "accepted")
    story.ack("00:18", "boss")
    breached = story.do(delivery.breaches(story.world, at("00:31")))
    assert [fact.duty for fact in breached if isinstance(fact, facts.DutyBreached)] == [story.of("duty").id]


def test_the_end_is_told_to_whom_the_beginning_reached_though_more_was_to_be_proven() -> None:
    """00:16 accepted, to be answered · 00:20 it is over: the end waits no more, nothing is repeated"""
    story = Two(met_by=Proof.ANSWERED)
    story.try_("00:16", "duty", "accepted")
    story.ping("00:20", Outcome.ANSWERED)
    end = {name: story.world.notices[f"{REFERENCE}.recovery.acme.{name}"] for name in ("duty", "boss")}
    assert not acknowledging.waits(story.world, end["duty"])
    assert acknowledging.waits(story.world, end["boss"]), "nobody hears of an end before the beginning"

    story.attempt("00:21", AttemptOutcome.ACCEPTED, end["duty"].id)

    assert story.stands("duty") == "pending, owed, rests"


def test_a_person_to_whom_nothing_can_have_come_is_not_told_of_the_end() -> None:
    """00:16 it is refused · 00:20 given up · 00:25 the end: `boss` alone hears of it"""
    story = Two()
    story.try_("00:16", "duty", "refused")
    story.try_("00:16", "boss", "accepted")
    notice = story.of("duty")
    story.do(delivery.abandon(story.world, notice, NoticeState.GIVEN_UP, "all was tried", at("00:20")))

    story.ping("00:25", Outcome.ANSWERED)

    assert f"{REFERENCE}.recovery.acme.boss" in story.world.notices
    assert f"{REFERENCE}.recovery.acme.duty" not in story.world.notices


def test_it_is_known_as_long_as_anything_of_it_is_owed() -> None:
    story = Two()
    for contact in ("duty", "boss"):
        story.try_("00:16", contact, "accepted")
    story.ack("00:18", "boss")
    story.ping("00:20", Outcome.ANSWERED)
    assert REFERENCE in story.world.acknowledged, "the ends are still to be told"
    for contact in ("duty", "boss"):
        story.attempt("00:21", AttemptOutcome.ACCEPTED, f"{REFERENCE}.recovery.acme.{contact}")
    assert story.world.acknowledged == {}

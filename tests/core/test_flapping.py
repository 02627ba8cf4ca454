"""What goes up and down: a running notice, only where the agreement accepts one; the record stays as it is.

The device is down for 10 minutes and up for 10, again and again. By the agreement a running notice begins
with the third emergency within 2 h, sums up each hour, and ends when it was up or down for 45 minutes.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from hostwatch.core import delivery, facts, flapping
from hostwatch.core.emergency import AttemptOutcome, NoticeState
from hostwatch.core.population import Customer
from hostwatch.core.proof import Proof
from hostwatch.core.reading import Outcome
from hostwatch.core.terms import RunningTerms, TellingTerms
from tests.core.test_delivery import Story, at

TERMS = RunningTerms(
    after=3, within=timedelta(hours=2), calm_after=timedelta(minutes=45), every=timedelta(hours=1)
)
ACCEPTED, FAILED = AttemptOutcome.ACCEPTED, AttemptOutcome.FAILED


def clock(minute: int) -> str:
    return f"{minute // 60:02}:{minute % 60:02}"


class Shaky(Story):
    """One device that flaps, with its customer's two people."""

    def __init__(self, running: RunningTerms | None = TERMS, met_by: Proof = Proof.ACCEPTED) -> None:
        super().__init__()
        telling = TellingTerms(running=running, met_by=met_by)
        acme = Customer(id="acme", contacts=("boss", "duty"), telling=telling)
        self.population = replace(self.population, customers={"acme": acme})
        self.enrol("00:01")
        self.happened: list[facts.Fact] = []

    def flap(self, begin: int, end: int, told: str = "all") -> None:
        """Every 20 minutes from a minute to another: down by a verdict after 10, answering after 15."""
        for minute in range(begin, end, 20):
            self.fall(minute, told)
            self.rise(minute + 15, told)

    def fall(self, minute: int, told: str = "all") -> None:
        self.happened += self.ping(clock(minute), Outcome.ANSWERED)
        self.happened += self.ping(clock(minute + 5), Outcome.MISSED)
        self.happened += self.ping(clock(minute + 10), Outcome.MISSED)
        self.tell(minute + 10, told)

    def rise(self, minute: int, told: str = "all") -> None:
        self.happened += self.ping(clock(minute), Outcome.ANSWERED)
        self.tell(minute, told)

    def tell(self, minute: int, told: str = "all") -> None:
        """Whatever is pending is taken; or only what is to one of them."""
        for name, notice in [*self.world.notices.pending.items()]:
            if told in ("all", notice.contact):
                self.happened += self.attempt(clock(minute), ACCEPTED, name)

    def look(self, minute: int) -> list[str]:
        """What is owed, or ends, by a look at the running notices."""
        found = self.do(flapping.look(self.world, at(clock(minute))))
        self.happened += found
        return [
            getattr(fact, "notice", "") or f"{type(fact).__name__} {getattr(fact, 'why', '')}"
            for fact in found
        ]

    def owed(self, contact: str = "duty") -> list[str]:
        """The kinds and references of all that was owed to one of them."""
        return [
            fact.notice.partition(".acme")[0]
            for fact in self.happened
            if isinstance(fact, facts.NoticeOwed) and fact.contact == contact
        ]

    def settled(self, contact: str = "duty") -> dict[str, str]:
        return {
            fact.notice.partition(".acme")[0]: fact.state
            for fact in self.happened
            if isinstance(fact, facts.NoticeSettled) and fact.notice.endswith(contact)
        }

    def count(self, kind: type[facts.Fact]) -> int:
        return sum(isinstance(fact, kind) for fact in self.happened)


def test_without_the_term_each_time_is_told() -> None:
    shaky = Shaky(running=None)

    shaky.flap(60, 160)

    assert shaky.owed() == [f"E-00000{n}.{kind}" for n in range(1, 6) for kind in ("emergency", "recovery")]
    assert shaky.count(facts.RunningNoticeBegan) == 0


def test_with_it_the_third_says_so_and_the_next_are_told_by_the_running_notice() -> None:
    """Five times down: three are told by themselves, two by the running notice; all five are on record."""
    shaky = Shaky()

    shaky.flap(60, 160)

    told = [f"E-00000{n}.{kind}" for n in range(1, 4) for kind in ("emergency", "recovery")]
    assert shaky.owed() == [*told, "E-000004.emergency", "E-000005.emergency"]
    assert shaky.settled()["E-000003.emergency"] == NoticeState.ACCEPTED
    for name in ("E-000004.emergency", "E-000005.emergency"):
        assert shaky.settled()[name] == NoticeState.RUNNING.value
    assert shaky.count(facts.EmergencyOpened) == shaky.count(facts.EmergencyEnded) == 5
    assert shaky.count(facts.DutyArose) == shaky.count(facts.DutyMet) == 10, "of two people each"
    assert shaky.count(facts.CustomerDutyArose) == shaky.count(facts.CustomerDutyMet) == 5
    (began,) = [one for one in shaky.happened if isinstance(one, facts.RunningNoticeBegan)]
    assert began.emergencies == ("E-000001", "E-000002", "E-000003")
    begun = [one for one in shaky.happened if isinstance(one, facts.AttemptBegan)]
    assert not [one for one in begun if one.notice.startswith(("E-000004", "E-000005"))]


def test_the_third_notice_says_it_and_no_other() -> None:
    shaky = Shaky()
    shaky.flap(60, 100)
    shaky.fall(100)

    (first,) = [one for one in shaky.world.notices.values() if one.contact == "duty"]
    assert first.stories[0].flaps is not None
    assert (first.stories[0].flaps.times, first.stories[0].flaps.every) == (3, timedelta(hours=1))
    assert shaky.owed().count("E-000002.emergency") == 1


def test_whom_the_word_of_it_did_not_reach_is_told_of_each() -> None:
    """The boss's relay is down from the beginning: only the other is told by the running notice."""
    shaky = Shaky()
    shaky.flap(60, 120, told="duty")
    shaky.fall(120, told="duty")

    assert shaky.settled("duty")["E-000004.emergency"] == NoticeState.RUNNING
    (pending,) = [one.id for one in shaky.world.pending() if one.emergencies == ("E-000004",)]
    assert pending == "E-000004.emergency.acme.boss"


def test_a_proof_that_is_too_weak_does_not_count() -> None:
    """The agreement asks for *delivered*, and it was only accepted: each time is told."""
    shaky = Shaky(met_by=Proof.DELIVERED)
    shaky.flap(60, 120)
    shaky.fall(120)

    assert NoticeState.RUNNING not in shaky.settled().values()


def test_a_bounce_of_the_word_of_it_ends_that() -> None:
    shaky = Shaky()
    shaky.flap(60, 100)
    shaky.fall(100)
    notice = shaky.world.notices["E-000003.emergency.acme.duty"]
    shaky.happened += shaky.do(delivery.returned(shaky.world, notice, 1, said="s", now=at("01:52")))
    shaky.rise(115, told="boss")
    shaky.fall(120, told="boss")

    assert "E-000004.emergency" not in shaky.settled("duty")
    assert shaky.settled("boss")["E-000004.emergency"] == NoticeState.RUNNING


def test_it_is_summed_up_each_hour_and_once_when_it_is_calm() -> None:
    """01:50 it begins ── 02:50 summed up ── 03:15 up ── 04:00 calm: it is over, and the next is told again"""
    shaky = Shaky()
    shaky.flap(60, 160)
    assert shaky.look(169) == []
    shaky.flap(160, 170)

    assert shaky.look(170) == ["E-000003.running-1.acme.boss", "E-000003.running-1.acme.duty"]
    assert shaky.look(171) == []
    shaky.tell(171)
    shaky.fall(180)
    shaky.rise(195)
    assert shaky.look(239) == ["E-000003.running-2.acme.boss", "E-000003.running-2.acme.duty"]
    shaky.tell(239)
    assert shaky.look(240) == [
        "E-000003.running-3.acme.boss",
        "E-000003.running-3.acme.duty",
        "RunningNoticeEnded calm",
    ]
    flaps = shaky.world.notices["E-000003.running-3.acme.duty"].stories[0].flaps
    assert flaps is not None
    assert (flaps.times, flaps.down_s, flaps.calm_since) == (7, 7 * 600, at("03:15"))
    assert shaky.world.running.open == {}

    shaky.fall(400)
    assert "E-000008.emergency" in shaky.owed()
    assert shaky.settled()["E-000008.emergency"] == NoticeState.ACCEPTED


def test_what_stays_down_is_told_as_an_emergency_and_so_is_its_end() -> None:
    """02:05 down, under the running notice ── 02:50 it is still down: told ── 03:30 up: told"""
    shaky = Shaky()
    shaky.flap(60, 120)
    shaky.fall(120)
    assert shaky.look(169) == []

    assert shaky.look(170) == [
        "RunningNoticeEnded down",
        "E-000004.emergency.acme.boss",
        "E-000004.emergency.acme.duty",
    ]
    assert shaky.world.notices["E-000004.emergency.acme.duty"].state is NoticeState.PENDING
    shaky.tell(171)
    shaky.rise(210)

    assert "E-000004.recovery" in shaky.owed()
    assert shaky.count(facts.DutyMet) == 8, "each duty is met once"


@pytest.mark.parametrize("what", ["the term", "the customer's device"])
def test_when_nobody_accepts_it_any_more_what_lasts_is_told(what: str) -> None:
    shaky = Shaky()
    shaky.flap(60, 120)
    shaky.fall(120)
    if what == "the term":
        acme = replace(shaky.population.customers["acme"], telling=TellingTerms())
        shaky.population = replace(shaky.population, customers={"acme": acme})
    else:
        shaky.population = replace(shaky.population, devices={})
    shaky.happened += shaky.enrol("02:20")

    found = shaky.look(141)

    assert found[0] == "RunningNoticeEnded withdrawn"
    assert (found[1:] == []) is (what != "the term"), "a device that is gone has no emergency any more"
    assert shaky.world.running.open == {}


def test_the_account_is_the_same_from_the_record() -> None:
    """At each fact: whoever reads all facts so far knows what the watch knows."""
    shaky = Shaky()
    shaky.flap(60, 160)
    shaky.look(170)
    shaky.tell(171)

    again = type(shaky.world.running)(shaky.happened)

    assert again == shaky.world.running
    (one,) = again.open.values()
    assert (one.reached, one.sums, len(one.times)) == (frozenset({"boss", "duty"}), 1, 5)


def test_when_something_is_to_be_done_next() -> None:
    shaky = Shaky()
    shaky.flap(60, 120)
    (one,) = shaky.world.running.open.values()

    def next_at() -> datetime | None:
        (now,) = shaky.world.running.open.values()
        return flapping.next_at(shaky.world, now)

    assert one.began_at == at("01:50")
    assert next_at() == at("02:40"), "45 minutes after 01:55"
    shaky.fall(120)
    assert next_at() == at("02:50"), "45 minutes after 02:05, and an hour after 01:50"


def test_whom_a_summary_could_not_reach_is_told_of_each_again() -> None:
    """02:50 summed up, and nobody takes the one to the duty officer ── 03:10 down: only they are told"""
    shaky = Shaky()
    shaky.flap(60, 170)
    shaky.look(170)
    shaky.tell(171, "boss")
    lost = shaky.world.notices["E-000003.running-1.acme.duty"]
    why = "not accepted within 1 day, 0:00:00"
    shaky.happened += shaky.do(delivery.abandon(shaky.world, lost, NoticeState.GIVEN_UP, why, at("02:55")))

    shaky.fall(180)

    assert shaky.settled("duty")["E-000007.emergency"] == NoticeState.ACCEPTED
    assert shaky.settled("boss")["E-000007.emergency"] == NoticeState.RUNNING


def test_where_it_reached_nobody_nothing_is_due_but_its_end() -> None:
    """Else it would be due again and again, and never done."""
    shaky = Shaky(met_by=Proof.DELIVERED)
    shaky.flap(60, 120)
    (one,) = shaky.world.running.open.values()
    assert not one.reached
    long_ago = replace(one, began_at=at("00:10"))
    assert flapping.next_at(shaky.world, long_ago) == at("02:40")
    assert flapping.next_at(shaky.world, replace(long_ago, reached=frozenset({"duty"}))) == at("01:10")
    left = replace(long_ago, reached=frozenset({"who-left"}))
    assert flapping.next_at(shaky.world, left) == at("02:40")

"""A person's word opens an emergency, and ends it; our own probes are told beside it (J4).

```
 00:07  a customer rings: the pages of web-1 and web-2 have come without pictures since 00:00
          E-000001: one emergency, each customer is told of theirs, due 00:22, though both answer our pings
 00:15  web-2 is silent to our own probes as well: told under E-000001, an update, no second emergency
 00:20  web-2 answers again: an update; E-000001 lasts
 00:30  the person says that it is over: a recovery to whoever was told of the beginning
```
"""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from hostwatch.core import correcting, delivery, facts, judge, reported, reporting, telling
from hostwatch.core.device import Device
from hostwatch.core.emergency import Emergency
from hostwatch.core.population import Customer
from hostwatch.core.reading import Outcome, Reading
from hostwatch.core.service import Service
from tests.core.test_delivery import Story, at, kinds

FIRST = "E-000001"


class Reported(Story):
    """Two customers with a device each, of which one has a service, and a third device."""

    def __init__(self) -> None:
        super().__init__()
        www = (Service(name="www"),)
        self.population = replace(
            self.population,
            customers={one: Customer(id=one, contacts=("duty",)) for one in ("acme", "bolt")},
            devices={
                "web-1": Device(id="web-1", customer="acme", address="192.0.2.1", services=www),
                "web-2": Device(id="web-2", customer="bolt", address="192.0.2.2"),
                "web-3": Device(id="web-3", customer="bolt", address="192.0.2.3"),
            },
        )
        self.enrol("00:01")
        for name in ("web-1", "web-2", "web-3"):
            self.look("00:05", name, Outcome.ANSWERED)
        self.look_at_service("00:05", Outcome.ANSWERED)

    def look(self, when: str, device: str, outcome: Outcome) -> list[facts.Fact]:
        name = f"{device}/ping@main"
        reading = Reading(signal=name, at=at(when), known_at=at(when), outcome=outcome, why="no answer")
        return self.do(judge.readings(self.world, None, [reading], closes=True, now=at(when)))

    def down(self, device: str = "web-2") -> list[facts.Fact]:
        self.look("00:10", device, Outcome.MISSED)
        return self.look("00:15", device, Outcome.MISSED)

    def report(self, when: str, *devices: str, service: str = "") -> list[facts.Fact]:
        fact = facts.EmergencyReported(
            at=at(when),
            reference="",
            devices=(),
            service=service,
            customers=(),
            since=at("00:00"),
            earliest=None,
            latest=at("00:05"),
            told_by="c",
            because="c",
            evidence=(),
            actor="root",
        )
        said = reporting.Report(
            devices=devices,
            service=service,
            since=fact.since,
            earliest=None,
            latest=fact.latest,
            because="no pictures",
            fact=fact,
        )
        return self.do(reporting.report(self.world, said, at(when)))

    def over(self, when: str) -> list[facts.Fact]:
        said = facts.ReportEnded(
            at=at(when), reference=FIRST, until=at("00:25"), because="c", evidence=(), actor="root"
        )
        return self.do(reporting.end(self.world, self.emergency, said))

    @property
    def emergency(self) -> Emergency:
        return self.world.emergencies[FIRST]


def told(happened: list[facts.Fact]) -> list[tuple[str, str]]:
    return [(fact.kind, fact.customer) for fact in happened if isinstance(fact, facts.NoticeOwed)]


def how(story: Reported, notice: str) -> dict[str, str]:
    return {one.device: one.how for one in story.world.notices[notice].stories[0].seen}


def test_each_customer_is_told_of_theirs_within_the_time_that_runs_from_the_word() -> None:
    story = Reported()

    happened = story.report("00:07", "web-1", "web-2", "web-3")

    assert kinds(happened)[0] == "EmergencyReported"
    assert told(happened) == [("emergency", "acme"), ("emergency", "bolt")]
    due = {fact.due for fact in happened if isinstance(fact, facts.DutyArose | facts.CustomerDutyArose)}
    assert due == {at("00:07") + timedelta(minutes=15)}
    assert how(story, f"{FIRST}.emergency.acme.duty") == {"web-1": "answering"}
    assert how(story, f"{FIRST}.emergency.bolt.duty") == {"web-2": "answering", "web-3": "answering"}
    (theirs,) = story.world.notices[f"{FIRST}.emergency.acme.duty"].stories
    assert (theirs.device, theirs.behind, theirs.reported) == ("web-1", 1, "no pictures")
    assert "DutyBreached" in kinds(story.do(delivery.breaches(story.world, at("00:22"))))


def test_an_answer_to_a_ping_ends_nothing_and_a_silence_of_our_own_is_more_of_the_same() -> None:
    story = Reported()
    story.report("00:07", "web-1", "web-2")
    assert told(story.look("00:08", "web-2", Outcome.ANSWERED)) == []

    happened = story.down()
    assert "EmergencyOpened" not in kinds(happened)
    assert "EmergencyJoined" in kinds(happened)
    assert told(happened) == [("update", "bolt")]
    assert how(story, f"{FIRST}.update-1.bolt.duty") == {"web-2": "silent"}
    assert [name for name, _ in reported.silent(story.emergency, story.world.signals.get)] == [
        "web-2/ping@main"
    ]

    happened = story.look("00:20", "web-2", Outcome.ANSWERED)
    assert told(happened) == [("update", "bolt")]
    assert how(story, f"{FIRST}.update-2.bolt.duty") == {"web-2": "answering"}
    assert [*story.world.emergencies] == [FIRST]


def test_a_single_miss_under_it_changes_nothing() -> None:
    story = Reported()
    story.report("00:07", "web-2")

    story.look("00:10", "web-2", Outcome.MISSED)
    story.look("00:11", "web-2", Outcome.ANSWERED)

    assert "web-2/ping@main" in story.emergency.joined


def test_a_person_ends_it_and_whoever_was_told_is_told_so() -> None:
    story = Reported()
    story.report("00:07", "web-1", "web-2")

    happened = story.over("00:30")

    assert kinds(happened)[:2] == ["ReportEnded", "EmergencyEnded"]
    assert told(happened) == [("recovery", "acme"), ("recovery", "bolt")]
    (ended,) = story.world.notices[f"{FIRST}.recovery.acme.duty"].stories
    assert (ended.first_answer, ended.devices) == (at("00:25"), ("web-1",))
    assert not story.world.emergencies
    story.look("00:35", "web-2", Outcome.MISSED)
    assert "EmergencyOpened" in kinds(story.look("00:40", "web-2", Outcome.MISSED))


def test_who_has_an_emergency_already_is_not_told_of_a_second_one() -> None:
    story = Reported()
    story.down()

    assert reporting.already(story.world, ["web-1", "web-2"], "") == {"web-2": FIRST}
    happened = story.report("00:17", "web-1", "web-2")
    assert told(happened) == [("emergency", "acme")]
    assert story.report("00:18", "web-1", "web-2") == []


def test_of_a_service_that_was_reported_a_failure_is_told_under_it_and_its_device_by_itself() -> None:
    story = Reported()
    story.report("00:07", "web-1", service="www")

    story.look_at_service("00:10", Outcome.MISSED)
    happened = story.look_at_service("00:15", Outcome.MISSED)
    assert ("EmergencyJoined" in kinds(happened), told(happened)) == (True, [("update", "acme")])

    happened = story.down("web-1")
    assert [fact.signal for fact in happened if isinstance(fact, facts.EmergencyOpened)] == [
        "web-1/ping@main"
    ]


def test_what_waited_waits_no_more_and_is_told_under_it() -> None:
    story = Reported()
    story.look("00:10", "web-1", Outcome.UNKNOWN)
    story.look_at_service("00:10", Outcome.MISSED)
    story.look_at_service("00:15", Outcome.MISSED)
    assert story.world.holds.get("web-1/www@main") is not None

    happened = story.report("00:16", "web-1")

    assert [fact.signal for fact in happened if isinstance(fact, facts.EmergencyJoined)] == ["web-1/www@main"]
    assert story.do(telling.overdue(story.world, at("01:00"))) == []


@pytest.mark.parametrize("ends", [False, True])
def test_a_device_that_is_removed_leaves_it_and_with_the_last_one_it_is_withdrawn(ends: bool) -> None:
    story = Reported()
    story.report("00:07", "web-1", "web-2")
    left = {"web-3"} if ends else {"web-1", "web-3"}
    story.population = replace(
        story.population,
        devices={name: one for name, one in story.population.devices.items() if name in left},
    )

    happened = story.enrol("00:17")

    expected = [("withdrawn", "acme"), ("withdrawn", "bolt")] if ends else [("withdrawn", "bolt")]
    assert sorted(told(happened)) == expected
    assert bool(story.world.emergencies) is not ends


def test_corrected_it_is_over_at_once() -> None:
    story = Reported()
    story.report("00:07", "web-1", "web-2")
    notice = story.world.notices[f"{FIRST}.emergency.acme.duty"]
    story.do(delivery.begin(notice, rung=0, channel="email", address="c", now=at("00:08")))
    said = facts.EmergencyCorrected(at=at("00:09"), reference=FIRST, because="c", evidence=(), actor="root")

    happened = story.do(correcting.correct(story.world, story.emergency, [], said, "another site's"))

    assert told(happened) == [("correction", "acme")]
    assert "EmergencyEnded" in kinds(happened)
    assert not story.world.emergencies
    assert "EmergencyOpened" in kinds(story.down()), "what falls silent then is another thing"

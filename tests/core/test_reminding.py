"""Reminders while it lasts: who is reminded when, of what, and when no more.

The device falls silent at 00:10; the verdict is at 00:15, and it is told at 00:16. The interval is 4 h.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from itertools import pairwise

import pytest

from hostwatch.core import acknowledging, bundle, delivery, facts, judge, reminding
from hostwatch.core.acknowledgement import Acknowledgement, How
from hostwatch.core.device import Device
from hostwatch.core.emergency import AttemptOutcome, Notice, NoticeState
from hostwatch.core.population import Customer
from hostwatch.core.reading import Outcome, Reading
from hostwatch.core.terms import TellingTerms
from tests.core.test_delivery import Story, at

TO = ("acme", "duty")
DEVICES = tuple(f"web-{number}" for number in range(1, 61))
DAY = timedelta(days=1)


class Long(Story):
    """Devices that fall silent and stay so."""

    def __init__(self, terms: TellingTerms | None = None) -> None:
        super().__init__()
        acme = Customer(id="acme", contacts=("duty", "boss"), telling=terms or TellingTerms())
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

    def fall(self, *devices: str, told: str = "00:16") -> None:
        self.look("00:05", Outcome.ANSWERED, *devices)
        self.look("00:10", Outcome.MISSED, *devices)
        self.look("00:15", Outcome.MISSED, *devices)
        self.tell(told)

    def tell(self, when: str, outcome: str = "accepted", contact: str = "duty") -> None:
        """Whatever is to be told to one of them is."""
        for name in [*self.world.notices.pending_to("acme", contact)]:
            self.attempt(when, AttemptOutcome(outcome), name)

    def due(self, when: str = "00:20", to: tuple[str, str] = TO) -> str | None:
        found = reminding.due_at(self.world, to, self.world.emergencies, at(when))
        return None if found is None else f"{found:%d %H:%M}"

    def remind(self, when: str) -> list[str]:
        """Of which emergencies they are reminded now."""
        self.do(reminding.remind(self.world, TO, {*self.world.emergencies}, at(when)))
        return [name for one in self.pending() for name in one.emergencies]

    def pending(self) -> list[Notice]:
        return [one for one in self.world.notices.pending.values() if one.kind == "reminder"]

    def has_it(self, when: str, contact: str = "boss") -> Acknowledgement:
        said = Acknowledgement(
            customer="acme", contact=contact, who="w", how=How.CLI, actor="me", at=at(when)
        )
        self.do(acknowledging.acknowledge(self.world, "E-000001", said, at(when)))
        return said


def test_they_are_reminded_four_hours_after_the_last_word_and_then_every_four_hours() -> None:
    """00:16 told ── 04:15 nothing yet ── 04:16 reminded ── 04:20 taken ── 08:20 reminded again"""
    long = Long()
    long.fall("web-1")

    assert long.due() == "01 04:16"
    assert long.remind("04:15:59") == []
    assert long.remind("04:16") == ["E-000001"]
    (notice,) = long.pending()
    assert notice.id == "E-000001.reminder-1.acme.duty"
    assert notice.duty is None, "nobody is owed it by a time"
    assert notice.stories[0].still_at == at("04:16")

    assert long.due("04:17") is None, "one is on its way: there is no second"
    long.tell("04:20")
    assert long.due("04:21") == "01 08:20"
    assert long.remind("08:20") == ["E-000001"]
    assert [one.id for one in long.pending()] == ["E-000001.reminder-2.acme.duty"]


def test_whom_no_word_of_the_beginning_reached_is_not_reminded() -> None:
    long = Long()
    long.fall("web-1")

    assert long.due(to=("acme", "boss")) is None, "the boss was not told yet"
    long.tell("01:00", "accepted", "boss")
    assert long.due(to=("acme", "boss")) == "01 05:00"


def test_a_customer_who_wants_none_gets_none() -> None:
    long = Long(TellingTerms(remind_every=timedelta(0)))
    long.fall("web-1")

    assert long.due() is None
    assert long.remind("23:59") == []


def test_all_that_last_are_one_reminder_which_names_fifty_and_counts_the_others() -> None:
    """Sixty devices are silent: one reminder, of the oldest fifty."""
    long = Long()
    long.fall(*DEVICES)

    references = long.remind("04:16")

    (notice,) = long.pending()
    assert len(references) == reminding.NAMED_MAX == 50
    assert references == sorted(references)
    assert [story.further for story in notice.stories] == [10] + [0] * 49


def test_what_one_of_them_has_nobody_of_them_is_reminded_of_until_that_is_withdrawn() -> None:
    """00:16 told ── 01:00 the boss has it ── 04:16 nothing ── 05:00 the boss has it no more ── reminded"""
    long = Long()
    long.fall("web-1")
    said = long.has_it("01:00")

    assert long.due() is None
    assert long.remind("04:16") == []

    long.do(acknowledging.withdraw(long.world, "E-000001", said, actor="me", because="b", now=at("05:00")))
    assert long.remind("05:00") == ["E-000001"]


def test_where_the_agreement_says_so_they_are_reminded_also_of_what_somebody_has() -> None:
    long = Long(TellingTerms(remind_acknowledged=True))
    long.fall("web-1")
    long.has_it("01:00")

    assert long.remind("04:16") == ["E-000001"]
    (notice,) = long.pending()
    assert (notice.stories[0].had_by, notice.stories[0].had_at) == ("boss", at("01:00"))


@pytest.mark.parametrize("what", ["over", "has it"])
def test_a_reminder_that_is_overtaken_is_not_sent(what: str) -> None:
    """04:16 owed ── 04:17 it is over, or somebody has it ── it waits, and is settled"""
    long = Long()
    long.fall("web-1", "web-2")
    assert long.remind("04:16") == ["E-000001", "E-000002"]
    (notice,) = long.pending()
    assert not acknowledging.waits(long.world, notice)
    assert long.do(reminding.overtaken(long.world, at("04:16"))) == []

    if what == "over":
        long.look("04:17", Outcome.ANSWERED, "web-1")
    else:
        long.has_it("04:17")
    assert acknowledging.waits(long.world, notice), "nothing leaves that is so no more"
    (settled,) = long.do(reminding.overtaken(long.world, at("04:17")))

    assert isinstance(settled, facts.NoticeSettled)
    assert settled.state == NoticeState.OVERTAKEN
    assert long.remind("04:17") == ["E-000002"], "of what is left they are reminded at once"


def test_the_end_does_not_wait_for_a_reminder() -> None:
    """04:16 a reminder is handed over, and nobody answers ── 04:17 it is over: that is told at once"""
    long = Long()
    long.fall("web-1")
    long.remind("04:16")
    (notice,) = long.pending()
    long.do(delivery.begin(notice, rung=0, channel="email", address="c", now=at("04:16")))

    long.look("04:17", Outcome.ANSWERED, "web-1")

    end = long.world.notices["E-000001.recovery.acme.duty"]
    assert end.after == "E-000001.emergency.acme.duty"
    assert not acknowledging.waits(long.world, end)
    assert long.do(reminding.overtaken(long.world, at("04:17"))) == [], "it is under way, and may arrive"


def test_after_a_week_they_are_reminded_once_a_day() -> None:
    long = Long()
    long.fall("web-1")
    now = at("00:16")
    reminders = []
    while now < at("00:16") + 10 * DAY:
        due = reminding.due_at(long.world, TO, long.world.emergencies, now)
        assert due is not None
        now = max(due, now)
        long.do(reminding.remind(long.world, TO, {*long.world.emergencies}, now))
        for one in long.pending():
            reminders.append(now)
            long.do(delivery.settle(one, NoticeState.ACCEPTED, "taken", now))
        now += timedelta(minutes=1)

    week = at("00:15") + 7 * DAY
    early = [when for when in reminders if when < week]
    late = [when for when in reminders if when >= week]
    assert len(early) == 7 * 6 - 1
    assert all(after - before >= DAY for before, after in pairwise(late))
    assert len(late) in (3, 4)


def test_who_is_no_contact_any_more_is_not_reminded() -> None:
    long = Long()
    long.fall("web-1")
    acme = replace(long.population.customers["acme"], contacts=("boss",))
    long.population = replace(long.population, customers={"acme": acme})
    long.enrol("02:00")

    assert long.due() is None


def test_a_reminder_stands_in_a_message_of_its_own() -> None:
    long = Long()
    long.fall("web-1", "web-2")
    long.remind("04:16")
    (notice,) = long.pending()

    found = long.do(
        bundle.claim(
            long.world,
            notice,
            [*long.world.notices],
            rung=0,
            channel="email",
            address="c",
            way="m",
            now=at("04:20"),
        )
    )

    assert [type(fact).__name__ for fact in found] == ["AttemptBegan"]
    told = bundle.contents(long.world, long.world.notices[notice.id])
    assert (told.kind, len(told.stories)) == ("reminder", 2)
    assert {story.still_at for story in told.stories} == {at("04:20")}, "it says what is so when it leaves"

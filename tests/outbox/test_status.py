"""`hostwatch status` on who was told, and whether in time, as long as it matters."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from hostwatch import uplinks
from hostwatch.commands import status
from hostwatch.core import delivery, enrolment, judge, uplinkgroup
from hostwatch.core.device import Device
from hostwatch.core.emergency import AttemptOutcome, NoticeState
from hostwatch.core.expression import parse
from hostwatch.core.population import Customer, Population
from hostwatch.core.reading import Outcome, Reading
from hostwatch.core.world import Decision, World
from hostwatch.store.connection import connect
from hostwatch.store.ledger import Ledger
from tests.outbox.office import site
from tests.sla.teller import Teller, carrier, device

BEGAN = datetime(2026, 10, 5, 8, 0, tzinfo=UTC)
SIGNAL = "web-1/ping@main"
PEOPLE = Population(
    customers={"acme": Customer(id="acme", contacts=("duty",))},
    devices={"web-1": Device(id="web-1", customer="acme", address="192.0.2.1")},
)


class Site:
    """A store that a watch left behind: the verdict fell at minute 10, the notice is due at minute 25."""

    def __init__(self, folder: Path) -> None:
        self.path = folder / "hostwatch.yaml"
        self.path.write_text(json.dumps(site({"acme": [{"webhook": "http://127.0.0.1:9/"}]})))
        self.ledger = Ledger(connect(folder / "office.db"), "a boot")
        self.ledger.open()
        self.world = self.ledger.load()
        self.now = BEGAN
        accepted = enrolment.Accepted(
            population=PEOPLE, digest="d", author="me", difference=({"path": "x"},), content={}
        )
        self.do(enrolment.apply(self.world, accepted, self.now))
        self.ping(0, Outcome.ANSWERED)
        self.ping(5, Outcome.MISSED)
        self.ping(10, Outcome.MISSED)

    def do(self, decision: Decision) -> None:
        self.ledger.commit(decision, self.now)
        self.world.apply(decision)

    def ping(self, minute: int, outcome: Outcome) -> None:
        self.now = BEGAN + timedelta(minutes=minute)
        reading = Reading(signal=SIGNAL, at=self.now, known_at=self.now, outcome=outcome, why="no answer")
        self.do(judge.readings(self.world, None, [reading], closes=False, now=self.now))

    def at(self, minute: int) -> None:
        self.now = BEGAN + timedelta(minutes=minute)
        self.do(delivery.breaches(self.world, self.now))

    def accept(self) -> None:
        """The oldest notice is accepted now."""
        notice = self.world.pending()[0]
        began = delivery.begin(notice, rung=0, channel="webhook", address="", now=self.now)
        self.do(began)
        self.do(delivery.end(self.world, began.notices[0], AttemptOutcome.ACCEPTED, said="", now=self.now))

    def shown(self, capsys: pytest.CaptureFixture[str], *words: str) -> str:
        """What the command prints."""
        import argparse

        parser = argparse.ArgumentParser()
        status.arguments(parser)
        assert status.run(parser.parse_args(["--config", str(self.path), *words])) == 2, "no watch runs"
        return " ".join(capsys.readouterr().out.split())

    def json(self, capsys: pytest.CaptureFixture[str]) -> Any:
        return json.loads(self.shown(capsys, "--json"))


@pytest.fixture
def left(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Site:
    monkeypatch.setenv("COLUMNS", "200")
    return Site(tmp_path)


def test_a_notice_that_was_accepted_in_time_is_not_late(left: Site, capsys: Any) -> None:
    left.at(24)
    left.accept()

    assert "late" not in left.shown(capsys)
    assert left.json(capsys)["emergencies"][0]["notices"][0]["breached"] is False


def test_a_notice_that_was_accepted_after_the_deadline_is_late(left: Site, capsys: Any) -> None:
    left.at(45)
    left.accept()

    assert "duty: accepted by webhook 2026-10-05 08:45:00 +0000 late" in left.shown(capsys)
    assert left.json(capsys)["emergencies"][0]["notices"][0]["breached"] is True


def test_one_that_was_given_up_after_the_deadline_is_late(left: Site, capsys: Any) -> None:
    left.at(45)
    left.do(delivery.abandon(left.world, left.world.pending()[0], NoticeState.GIVEN_UP, "because", left.now))

    assert "duty: given up, 0 attempts late" in left.shown(capsys)


def test_what_is_still_owed_when_the_emergency_is_over_is_shown(left: Site, capsys: Any) -> None:
    left.at(45)
    left.ping(50, Outcome.ANSWERED)

    owed = left.json(capsys)["owed"]
    assert [(one["kind"], one["references"], one["breached"]) for one in owed] == [
        ("emergency", ["E-000001"], True),
        ("recovery", ["E-000001"], True),
    ]
    left.accept()
    shown = left.shown(capsys)
    assert "over, recovery still owed: E-000001 acme/duty: not told yet, 0 attempts late" in shown
    assert "over, emergency" not in shown
    left.accept()
    assert "E-000001" not in left.shown(capsys)


def test_uplinks_are_shown_with_their_reference_points(tmp_path: Path) -> None:
    told = Teller()
    web = device("web", uplink="chinanet")
    told.populate(BEGAN, web, uplinks=[carrier(), carrier("other")], contacts=("duty",))
    for minute, looks in enumerate(("AAA", "AAM", "AAM")):
        told.round("chinanet", BEGAN + timedelta(minutes=minute), looks)

    shown = status.describe(told.world, {}, BEGAN + timedelta(minutes=2))
    one, other = shown["uplinks"]
    assert (one["uplink"], one["state"], one["since"]) == ("chinanet", "up", None)
    assert (one["answering"], one["quorum"]) == (2, 2)
    assert one["references"] == {"203.0.113.1": "up", "203.0.113.2": "up", "203.0.113.3": "down"}
    assert (other["state"], set(other["references"].values())) == ("not proven", {"not proven"})
    assert shown["signals"] == {"not proven": 1}, "devices only"

    for minute in (3, 4):
        told.round("chinanet", BEGAN + timedelta(minutes=minute), "MMM")
    shown = status.describe(told.world, {}, BEGAN + timedelta(minutes=4))
    assert (shown["uplinks"][0]["state"], shown["uplinks"][0]["since"]) == (
        "down",
        BEGAN + timedelta(minutes=3),
    )
    (emergency,) = shown["emergencies"]
    assert (emergency["uplink"], emergency["customer"], emergency["device"]) == ("Chinanet", "", "")
    assert [(n["customer"], n["contact"]) for n in emergency["notices"]] == [("acme", "duty")]


def test_an_uplink_is_shown_in_words(capsys: pytest.CaptureFixture[str]) -> None:
    told = Teller()
    told.populate(BEGAN, device("web", uplink="chinanet"), uplinks=[carrier()], contacts=("duty",))
    for minute, looks in enumerate(("AAA", "MMM", "MMM")):
        told.round("chinanet", BEGAN + timedelta(minutes=minute), looks)

    status._show(status.describe(told.world, {}, BEGAN + timedelta(minutes=2)), ZoneInfo("UTC"))

    words = " ".join(capsys.readouterr().out.split())
    assert (
        "uplink chinanet: down since 2026-10-05 08:01:00 +0000, 0 of 3 reference points answer, 2 must"
        in words
    )
    assert "not 203.0.113.1, 203.0.113.2, 203.0.113.3" in words


def test_the_metrics_say_how_many_reference_points_are_to_spare() -> None:
    told = Teller()
    told.populate(BEGAN, device("web", uplink="chinanet"), uplinks=[carrier(), carrier("other")])
    for minute, looks in enumerate(("AAA", "AAM", "AAM")):
        told.round("chinanet", BEGAN + timedelta(minutes=minute), looks)

    found = {
        figure.name: figure.value for figure in uplinks.figures(told.world, BEGAN + timedelta(minutes=2))
    }
    assert found == {
        "hostwatch_uplink_up": {"chinanet": 1.0},
        "hostwatch_uplink_references_spare": {"chinanet": 0.0, "other": -2.0},
    }
    assert list(uplinks.figures(World(), BEGAN)) == []


def behind_two() -> Teller:
    """main is dead, backup answers; web is behind both."""
    single = {name: carrier(name) for name in ("main", "backup")}
    group = uplinkgroup.of(parse("any(main,backup)"), single)
    told = Teller()
    told.populate(
        BEGAN, device("web", uplink=group.id), uplinks=[*single.values(), group], contacts=("duty",)
    )
    for minute, looks in enumerate(("AAA", "MMM", "MMM")):
        told.round("main", BEGAN + timedelta(minutes=minute), looks)
        told.round("backup", BEGAN + timedelta(minutes=minute, seconds=5), "AAA")
    return told


def test_a_redundancy_group_is_shown_with_its_members(capsys: pytest.CaptureFixture[str]) -> None:
    told = behind_two()

    shown = status.describe(told.world, {}, BEGAN + timedelta(minutes=2, seconds=10))
    status._show(shown, ZoneInfo("UTC"))

    group = next(one for one in shown["uplinks"] if one["members"])
    assert (group["uplink"], group["name"], group["state"]) == ("any(backup,main)", "Backup / Main", "up")
    assert (group["members"], group["spare"]) == ({"backup": "up", "main": "down"}, 0)
    words = " ".join(capsys.readouterr().out.split())
    assert "uplink any(backup,main): up, 1 of 2 uplinks of the group are up, 0 to spare; not main" in words


@pytest.mark.parametrize(
    ("whole", "up", "spare"),
    [
        ("any(a,b)", "ab", 1),
        ("any(a,b)", "b", 0),
        ("any(a,b)", "", -1),
        ("all(a,b)", "ab", 0),
        ("all(a,b)", "a", -1),
        ("any(all(a,b),c)", "abc", 1),
        ("any(all(a,b),c)", "ac", 0),
        ("all(any(a,b,c),d)", "abcd", 0),
    ],
)
def test_how_many_members_are_to_spare(whole: str, up: str, spare: int) -> None:
    states = {name: "up" if name in up else "unknown" for name in "abcd"}
    single = {name: carrier(name) for name in states}
    present = uplinks.Present(
        uplink=uplinkgroup.of(parse(whole), single), state="up", since=None, references={}, members=states
    )

    assert present.spare == spare


def test_the_metrics_say_how_many_members_are_to_spare() -> None:
    told = behind_two()

    found = {one.name: one.value for one in uplinks.figures(told.world, BEGAN + timedelta(minutes=2.1))}

    assert found["hostwatch_uplink_up"] == {"any(backup,main)": 1.0, "backup": 1.0, "main": 0.0}
    assert found["hostwatch_uplink_members_spare"] == {"any(backup,main)": 0.0}
    assert found["hostwatch_uplink_references_spare"] == {"backup": 1.0, "main": -2.0}


def test_of_a_long_list_the_first_are_shown_and_the_rest_is_counted(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    left = Site(tmp_path)
    more = {
        f"d{number}": Device(id=f"d{number}", customer="acme", address="192.0.2.2") for number in range(80)
    }
    accepted = enrolment.Accepted(
        population=Population(customers=PEOPLE.customers, devices={**PEOPLE.devices, **more}),
        digest="e",
        author="me",
        difference=({"path": "y"},),
        content={},
    )
    left.do(enrolment.apply(left.world, accepted, left.now))
    left.ledger.close()

    text = left.shown(capsys)

    assert "80 devices that never answered, of which 50 are listed; --json has all" in text
    assert text.count("has never answered: check its address") == status.LISTED_MAX
    assert len(left.json(capsys)["not_proven"]) == 80

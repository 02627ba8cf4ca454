"""Whether the carrier could be reached: from looks, through the real core, to the month (J7)."""

from __future__ import annotations

import csv
import io
import json
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

from hostwatch import reports
from hostwatch.core.calendar import Month
from hostwatch.core.device import State
from hostwatch.core.expression import parse
from hostwatch.core.reading import Outcome
from hostwatch.core.uplinkgroup import of
from hostwatch.sla.month import MonthReport, Row, month
from tests.sla.teller import Teller, carrier, device, minutes

START = datetime(2026, 10, 1, tzinfo=UTC)
ONE = carrier(interval=minutes(5))
OTHER = carrier("unicom", interval=minutes(5))


def at(minute: float) -> datetime:
    return START + minutes(minute)


def report(told: Teller, until: float, **wishes) -> MonthReport:
    return month(
        told.history(at(until)),
        Month(2026, 10),
        ZoneInfo("UTC"),
        site="s",
        as_of_seq=0,
        as_of=None,
        **wishes,
    )


def row(told: Teller, until: float, name: str = "web") -> Row:
    (found,) = [row for row in report(told, until).rows if row.device == name]
    return found


def figures(account) -> tuple[float, ...]:
    """Up, down and unknown, and down at least and at most, in minutes."""
    seconds = (account.up_s, account.down_s, account.unknown_s, account.down_s_least, account.down_s_most)
    return tuple(count / 60 for count in seconds)


def story(device_looks: str, uplink_looks: str, *, on: str | None = "chinanet") -> Teller:
    """Looks at a device and rounds at an uplink, both five minutes apart; `.` is none."""
    told = Teller()
    told.populate(START, device("web", uplink=on), uplinks=[ONE])
    letters = {"A": Outcome.ANSWERED, "M": Outcome.MISSED, "?": Outcome.UNKNOWN}
    for place, (look, around) in enumerate(zip(device_looks, uplink_looks, strict=True)):
        if look != ".":
            told.read("web", at(5 * place), letters[look])
        if around != ".":
            told.round("chinanet", at(5 * place), around * 3)
    return told


PICTURES = """
looks      rounds     inside              backbone            name
AAAAAA     AAAAAA     30  0  0  0  0      30  0  0  0  0      both answer
AAAAAA     AMMMAA     30  0  0  0  0      15 15  0 10 20      the carrier alone is gone
AMMMAA     AAAAAA     15 15  0 10 20      15 15  0 10 20      the device is silent and the carrier is there
AMMAAA     AAMMAA     20 10  0  5 15      15 15  0 10 20      both, and each second counts once
AMMAAA     AMMAAA     20 10  0  5 15      20 10  0  5 15      both at one time
AAAAAA     A???AA     30  0  0  0  0      15  0 15  0 15      nobody knows of the carrier
A????A     AAAAAA     10  0 20  0 20      10  0 20  0 20      nobody knows of the device
A????A     A????A     10  0 20  0 20      10  0 20  0 20      we are blind
AMMMAA     A????A     15 15  0 10 20      10 15  5 10 25      the same, and a silent device
A????A     AMMMAA     10  0 20  0 20      10 15  5 10 25      a dead uplink, and nobody knows of the device
AAAAAA     ......     30  0  0  0  0       0  0 30  0 30      the reference points have never answered
AAAMAA     ......     25  5  0  0 10       0  5 25  0 30      the same, and a lost ping
AAMAAA     AMAAAA     25  5  0  0 10      20 10  0  0 15      one lost look of each
"""


@pytest.mark.parametrize("line", PICTURES.strip().splitlines()[1:], ids=lambda line: line[61:])
def test_picture(line: str) -> None:
    looks, rounds, *numbers = line[:61].split()
    told = story(looks, rounds)
    mine = row(told, 30)
    # A round is known a millisecond after its first look: bounds are floored to the second all the same.
    assert figures(mine.account) == tuple(float(number) for number in numbers[:5])
    assert figures(mine.backbone) == tuple(float(number) for number in numbers[5:])
    assert (mine.backbone_measured, mine.uplinks) == ("all", ("chinanet",))


def test_without_an_uplink_nobody_measured() -> None:
    mine = row(story("AMMMAA", "AMMMAA", on=None), 30)

    assert figures(mine.account) == (15, 15, 0, 10, 20)
    assert figures(mine.backbone) == (0, 0, 30, 0, 30)
    assert (mine.backbone_measured, mine.backbone_measured_s, mine.uplinks) == ("none", 0, ())
    assert mine.backbone.availability is None
    assert mine.backbone.availability_lower is None
    assert mine.backbone.availability_upper is None


def test_reference_points_that_come_in_the_middle_of_a_month() -> None:
    told = Teller()
    told.populate(START, device("web"))
    told.every("web", at(0), at(30), missed=[(at(5), at(10))])
    told.populate(at(30), device("web", uplink="chinanet"), uplinks=[ONE])
    told.every("web", at(30), at(60))
    told.rounds("chinanet", at(30), at(60), missed=[(at(40), at(45))])

    mine = row(told, 60)

    assert figures(mine.account)[:3] == (55, 5, 0)
    assert figures(mine.backbone)[:3] == (25, 5, 30), "a silence before anybody looked proves nothing"
    assert (mine.backbone_measured, mine.backbone_measured_s) == ("part", 1800)


def test_a_device_that_moves_to_another_uplink_leaves_the_outage_behind() -> None:
    told = Teller()
    told.populate(START, device("web", uplink="chinanet"), uplinks=[ONE, OTHER])
    told.every("web", at(0), at(60))
    told.rounds("chinanet", at(0), at(60), missed=[(at(20), at(60))])
    told.rounds("unicom", at(0), at(60), missed=[(at(0), at(10))])
    told.populate(at(30), device("web", uplink="unicom"), uplinks=[ONE, OTHER])

    mine = row(told, 60)

    assert figures(mine.backbone)[:3] == (50, 10, 0)
    assert mine.uplinks == ("chinanet", "unicom")


def test_an_uplink_that_is_taken_out_leaves_unknown_time() -> None:
    told = story("AAAA", "AAMM")
    told.populate(at(20), device("web"))
    told.every("web", at(20), at(40))

    assert figures(row(told, 40).backbone)[:3] == (10, 10, 20)


def test_seconds_that_the_clock_passed_over_are_nobodys() -> None:
    told = story("AAA", "AAA")
    told.step(at(12), at(72))
    told.read("web", at(75), Outcome.ANSWERED)
    told.round("chinanet", at(75), "AAA")

    mine = row(told, 80)

    assert figures(mine.backbone)[:3] == (20, 0, 60)


def test_a_waived_device_has_no_figure_although_its_uplink_is_known() -> None:
    told = Teller()
    told.populate(START, device("web", state=State.NOT_WATCHED, uplink="chinanet"), uplinks=[ONE])
    told.rounds("chinanet", at(0), at(30), missed=[(at(10), at(20))])

    mine = row(told, 30)

    assert figures(mine.account)[:3] == (0, 0, 30)
    assert figures(mine.backbone)[:3] == (0, 10, 20), "whoever watches the device"


def test_the_report_shows_the_uplinks_of_its_devices() -> None:
    told = Teller()
    devices = (device("a", "acme", uplink="chinanet"), device("b", "beta", uplink="unicom"))
    told.populate(START, *devices, uplinks=[ONE, OTHER])
    for name in ("a", "b"):
        told.every(name, at(0), at(30))
    told.rounds("chinanet", at(0), at(30), missed=[(at(5), at(20))])
    told.rounds("unicom", at(0), at(30))

    whole, only = report(told, 30), report(told, 30, customer="acme")

    assert [uplink.uplink for uplink in whole.uplinks] == ["chinanet", "unicom"]
    (mine,) = only.uplinks
    assert (mine.uplink, mine.name) == ("chinanet", "Chinanet")
    assert figures(mine.account) == (15, 15, 0, 10, 20)
    assert [line.down_s for line in mine.silences] == [900]
    assert [(e.reference, e.uplink, e.customer, e.device) for e in mine.emergencies] == [
        ("E-000001", "chinanet", "", "")
    ]
    assert [total.backbone.down_s for total in whole.totals] == [900, 0]
    assert whole.rows[0].emergencies == ()


def test_customers_of_the_record_are_people_and_not_uplinks() -> None:
    assert story("A", "A").history(at(5)).customers == {"acme"}


def test_a_device_may_have_the_name_of_an_uplink() -> None:
    told = Teller()
    told.populate(START, device("chinanet", uplink="chinanet"), uplinks=[ONE])
    told.every("chinanet", at(0), at(30), missed=[(at(5), at(10))])
    told.rounds("chinanet", at(0), at(30))

    mine = row(told, 30, "chinanet")

    assert figures(mine.account)[:3] == (25, 5, 0)
    assert figures(mine.backbone)[:3] == (25, 5, 0)


def behind_both() -> MonthReport:
    """
    web is behind any(chinanet,unicom): chinanet is silent from 0:10 to 0:40, unicom from 0:26 to 0:51
    """
    single = {one.id: one for one in (ONE, OTHER)}
    group = of(parse("any(chinanet,unicom)"), single)
    told = Teller()
    told.populate(START, device("web", uplink=group.id), uplinks=[*single.values(), group], operator="noc")
    told.every("web", at(0), at(60))
    for minute in range(0, 60, 5):
        told.round("chinanet", at(minute), "MMM" if 10 <= minute < 40 else "AAA")
        told.round("unicom", at(minute + 1), "MMM" if 25 <= minute < 50 else "AAA")
    return report(told, 60)


def test_a_port_behind_several_uplinks_is_down_while_all_of_them_are() -> None:
    told = behind_both()

    (web,) = told.rows
    assert web.uplinks == ("any(chinanet,unicom)",)
    assert web.backbone.down_s == 14 * 60
    assert web.backbone_measured == "all"
    assert [(one.uplink, one.members, one.account.down_s // 60) for one in told.uplinks] == [
        ("any(chinanet,unicom)", ("chinanet", "unicom"), 14),
        ("chinanet", (), 30),
        ("unicom", (), 25),
    ]
    assert [[one.reference for one in each.emergencies] for each in told.uplinks] == [
        ["E-000002"],
        ["E-000001"],
        ["E-000002", "E-000003"],
    ]


def test_each_format_tells_of_a_group_and_of_its_members() -> None:
    told = behind_both()

    text = reports.render("text", told).decode()
    assert "Redundancy group any(chinanet,unicom): Chinanet / Unicom" in text
    assert "Silences of redundancy group any(chinanet,unicom) (emergencies E-000002)" in text
    assert "Silences of uplink unicom (emergencies E-000002, E-000003)" in text
    (line,) = csv.DictReader(io.StringIO(reports.render("csv", told).decode()))
    assert (line["uplinks"], line["uplink_silences"]) == ("any(chinanet,unicom)", "1")
    assert (line["uplink_members"], line["uplink_members_silences"]) == ("chinanet;unicom", "1;1")
    assert line["uplink_members_silences_first_miss"].count(";") == 1
    found = json.loads(reports.render("json", told))["uplinks"]
    assert [(one["uplink"], one["members"]) for one in found] == [
        ("any(chinanet,unicom)", ["chinanet", "unicom"]),
        ("chinanet", []),
        ("unicom", []),
    ]

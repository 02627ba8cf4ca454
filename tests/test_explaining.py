"""What `hostwatch explain` says of lengths: what the dates on its page and the account come to."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from hostwatch import explaining
from hostwatch.commands import explain as page
from hostwatch.core import facts
from hostwatch.core.device import Device
from hostwatch.core.emergency import Emergency
from hostwatch.core.notice import Part
from hostwatch.core.place import Place
from hostwatch.core.population import Population
from hostwatch.core.world import Decision, World
from hostwatch.explaining import bounds_of
from hostwatch.messages import spans
from hostwatch.store.connection import connect
from hostwatch.store.reader import Reader
from tests.messages.examples import NO_POWER
from tests.store.stories import Story

START = datetime(2026, 11, 22, 19, 28, tzinfo=UTC)


def at(seconds: float) -> datetime:
    return START + timedelta(seconds=seconds)


EARLY = Part(on="ups-a", last_answer=at(56.9), first_miss=at(57.9), last_miss=at(72.2), first_answer=at(73.1))
LATE = Part(on="ups-b", last_answer=at(65.9), first_miss=at(66.9), last_miss=at(72.2), first_answer=at(73.1))


def emergency(*parts: Part, ended: bool = True) -> Emergency:
    story: dict[str, Any] = {
        "last_answer": at(56.9),
        "first_miss": at(57.9),
        "verdict": at(58.9),
        "parts": parts,
    }
    if ended:
        story |= {"last_miss": at(72.2), "first_answer": at(73.1)}
    return Emergency(
        reference="E-000001",
        signal="supply:ups-a/power@main",
        opened_at=at(58.9),
        story=replace(NO_POWER, **story),
        ended_at=at(73.1) if ended else None,
    )


def figures(told: dict[str, int]) -> tuple[int, int, int]:
    return told["counted_s"], told["at_least_s"], told["at_most_s"]


def test_lengths_are_what_the_dates_come_to_when_they_are_shown_to_the_second() -> None:
    """15.2 s between the instants are 16 s between 03:28:57 and 03:29:13, as notices and the account say."""
    whole = emergency(EARLY)
    told = bounds_of(whole, None, at(80))
    length = spans.length(whole.story)

    assert figures(told) == (16, 15, 17)
    assert length is not None
    assert figures(told) == (length.point_s, length.least_s, length.most_s)


def test_each_part_has_its_own() -> None:
    told = bounds_of(emergency(EARLY, LATE), None, at(80))

    assert [(one["on"], *figures(one)) for one in told["parts"]] == [
        ("ups-a", 16, 15, 17),
        ("ups-b", 7, 6, 8),
    ]


def test_one_that_lasts_is_as_long_as_until_now() -> None:
    told = bounds_of(emergency(ended=False), at(64.2), at(65.1))

    assert (figures(told), told["lasts"]) == ((8, 7, 9), True)


@pytest.mark.parametrize(
    ("source", "port", "is_told"),
    [
        ("ports:sw-1", "7", True),
        ("ports:sw-3", "1", True),
        ("ports:sw-1", "8", False),
        ("ports:sw-2", "1", False),
    ],
)
def test_what_switches_say_of_its_own_ports_is_told(source: str, port: str, is_told: bool) -> None:
    """The device hangs on one port, or on two others together."""
    place = Place(ports="any(sw-1/7,all(sw-2/7,sw-3/1))")
    device = Device(id="srv-1", customer="c1", address="192.0.2.1", place=place)
    world = World(population=Population(devices={"srv-1": device}))
    mine = explaining._Mine(emergency(), world, frozenset({"srv-1/ping@main"}), at(80))

    seen = facts.PortSeen(
        at=at(60),
        source=source,
        port=port,
        heard_before=at(50),
        oper="down",
        admin="up",
        said="down",
        changed_at=None,
    )
    assert mine.concerns(seen) is is_told


def test_all_that_it_was_opened_for_is_told_also_when_it_is_named_after_another(tmp_path: Path) -> None:
    """
    any(ups-a,ups-b)  ───╲_____________╱───   it is opened by this one
    ups-b             ───╲_____________╱───   which joined it, and came back last
    """
    both, alone = "supply:any(ups-a,ups-b)/power@main", "supply:ups-b/power@main"
    dates = {"first_miss": at(57.9), "last_answer": at(56.9)}
    opened = facts.SupplyEmergencyOpened(
        at=at(58.9),
        reference="E-000001",
        supplies=("any(ups-a,ups-b)", "ups-b"),
        signal=both,
        customers=("acme",),
        **dates,
    )
    joined = facts.EmergencyJoined(at=at(58.9), reference="E-000001", signal=alone, **dates)
    down = [
        facts.WentDown(at=at(58.9), signal=name, last_miss=at(58.9), misses=2, why="", **dates)
        for name in (both, alone)
    ]
    last = replace(emergency(), signal=alone)
    last = replace(last, story=replace(last.story, supplies=("any(ups-a,ups-b)", "ups-b")))
    story = Story(connect(tmp_path / "store.db"))
    story.do(Decision(facts=(*down, opened, joined), emergencies=(last,)))
    story.ledger.close()

    with Reader(tmp_path / "store.db") as reader:
        found = explaining.explain(reader, "E-000001")

    assert found is not None
    told = [event.who for event in found.events if event.what.startswith("is down")]
    assert told == ["supply any(ups-a,ups-b)", "supply ups-b"]
    assert page._about(found) == "supply any(ups-a,ups-b), supply ups-b"

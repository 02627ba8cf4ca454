"""Devices that hang on other switches from now on, in the middle of an emergency (J10)."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from hostwatch.core.place import Place
from hostwatch.core.population import Population
from hostwatch.core.reading import Outcome
from tests.core.shared_pictures import WATCHED, Case, Stage, events


def rewired(people: Population, name: str, ports: str) -> Population:
    device = people.devices[name]
    return replace(
        people, devices={**people.devices, name: replace(device, place=Place(rack="r1", ports=ports))}
    )


def house() -> Population:
    """`web` and `db` on sw-1, `nas` on sw-2; nobody on any supply."""
    people = replace(WATCHED, supplies={})
    for name, ports in (("web", "sw-1/1"), ("db", "sw-1/2"), ("nas", "sw-2/3")):
        people = rewired(people, name, ports)
    return replace(people, devices={name: replace(one, services=()) for name, one in people.devices.items()})


DEAD = Case(
    "a dead switch",
    (
        ("core", "A0:00 A1:00 A2:00 A3:00 A5:00"),
        ("sw-1", "A0:00 M1:00 M2:00 M3:00"),
        ("sw-2", "A0:00 A1:00 A2:00 A3:00 A5:00"),
        ("web", "A0:30 f2:03 M5:30"),
        ("db", "A0:40 f2:03 M5:40"),
    ),
    "",
)


@pytest.mark.parametrize(
    ("ports", "told"),
    [
        ("sw-2/1", "; 15:32 E2 web"),
        ("sw-1/9", ""),
        ("any(sw-1/1,sw-2/1)", "; 15:32 E2 web"),
        ("all(sw-1/1,sw-2/1)", ""),
    ],
)
def test_who_is_cut_off_no_more_and_is_silent_is_told_of_that(ports: str, told: str, tmp_path: Path) -> None:
    stage = Stage(tmp_path / "h.db", house())
    for event in events(DEAD):
        stage.wait(event.known)
        stage._event(event)
    for name in ("web", "db"):
        stage.look(name, 630, Outcome.MISSED)
    before = stage.told
    assert "E1 + web" in before
    stage.enrol(rewired(stage.people, "web", ports), 700)
    for at in (760, 820, 880):
        stage.look("sw-1", at, Outcome.MISSED)
        stage.look("sw-2", at, Outcome.ANSWERED)
    stage.look("web", 930, Outcome.MISSED)

    assert stage.told == before + told

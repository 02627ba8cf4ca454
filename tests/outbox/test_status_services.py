"""`hostwatch status` on services: what is down, with what, and what waits for its device."""

from __future__ import annotations

import re
from datetime import timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from hostwatch.commands import status
from hostwatch.core.reading import Kind, Outcome
from hostwatch.core.service import Service
from hostwatch.core.terms import ServiceTerms
from tests.core.pictures import instant
from tests.core.together_pictures import SERVICES, Stage

A, M = Outcome.ANSWERED, Outcome.MISSED


def seen(stage: Stage, at: int) -> dict[str, Any]:
    return status.describe(stage.world, {"healthy": True}, instant(at))


def shown(stage: Stage, at: int, capsys: pytest.CaptureFixture[str]) -> str:
    told = {**seen(stage, at), "watch": {"healthy": True, "process": 1, "version": "x"}}
    status._show(told, ZoneInfo("UTC"))
    return capsys.readouterr().out


def test_a_service_that_waits_is_shown_as_waiting(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    stage = Stage(tmp_path / "h.db")
    for at, row, what in ((0, "device", A), (60, "www", A), (120, "email", A), (360, "www", M)):
        stage.look(row, at, what)
    stage.look("device", 363, M, Kind.FOLLOW_UP)
    stage.look("www", 660, M)

    told = seen(stage, 700)
    (waiting,) = told["waiting"]
    assert (waiting["device"], waiting["service"]) == ("web", "www")
    assert waiting["until"] - waiting["since"] == timedelta(minutes=5)
    assert [(one["device"], one["service"]) for one in told["silent"]] == [("web", None)]
    assert told["emergencies"] == []
    assert "web/www is down; waits for the verdict on its device" in shown(stage, 700, capsys)


def test_an_emergency_names_the_service_and_what_was_found(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    stage = Stage(tmp_path / "h.db")
    for at, row, what in ((0, "device", A), (60, "www", A), (300, "device", A), (360, "www", M)):
        stage.look(row, at, what)
    stage.look("device", 363, A, Kind.FOLLOW_UP)
    stage.look("www", 660, M)

    (one,) = seen(stage, 700)["emergencies"]
    assert (one["device"], one["service"], one["found"]) == ("web", "www", "no answer")
    assert "www on web" in shown(stage, 700, capsys)


def test_an_emergency_of_a_device_names_what_is_down_with_it(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    stage = Stage(tmp_path / "h.db")
    for at, row, what in ((0, "device", A), (60, "www", A), (300, "device", M), (360, "www", M)):
        stage.look(row, at, what)
    for at, row in ((600, "device"), (660, "www")):
        stage.look(row, at, M)

    (one,) = seen(stage, 700)["emergencies"]
    assert (one["device"], one["service"], one["services_failing"]) == ("web", None, ["www"])
    assert re.search(r"│ with it: +│.*\n.*│ www +│", shown(stage, 700, capsys))


def test_a_service_that_does_not_oblige_is_shown_though_nobody_is_told(tmp_path: Path) -> None:
    stage = Stage(tmp_path / "h.db", (Service(name="www", terms=ServiceTerms(obliges=False)), *SERVICES[:1]))
    for at, row, what in ((0, "device", A), (60, "www", A), (300, "device", A), (360, "www", M)):
        stage.look(row, at, what)
    stage.look("www", 660, M)

    told = seen(stage, 700)
    assert [(one["service"], one["down"]) for one in told["silent"]] == [("www", True)]
    assert told["not_proven"] == ["web/email"]
    assert told["emergencies"] == []

"""What people said of emergencies, in the account of a month: shown beside it, and counted in nothing."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from hostwatch.core import facts
from hostwatch.sla.history import fold
from hostwatch.sla.records import DeviceHistory
from tests.sla.test_causes import BEGAN, PING

MINUTE = timedelta(minutes=1)
WWW = "web-1/www@main"

WATCHED = facts.PopulationChanged(
    at=datetime(2026, 10, 1, tzinfo=UTC),
    thing="device",
    name="web-1",
    customer="acme",
    state="in-service",
    body={"address": "192.0.2.1", "signal": PING, "services": [{"name": "www", "signal": WWW}]},
)
REPORTED = facts.EmergencyReported(
    at=BEGAN + 7 * MINUTE,
    reference="E-000001",
    devices=("web-1", "web-2"),
    service="",
    customers=("acme",),
    since=BEGAN,
    earliest=None,
    latest=BEGAN + MINUTE,
    told_by="c",
    because="c",
    evidence=({"sha256": "ab", "bytes": 1, "name": "c"},),
    actor="root",
)
OVER = [
    facts.ReportEnded(
        at=BEGAN + 40 * MINUTE,
        reference="E-000001",
        until=BEGAN + 30 * MINUTE,
        because="c",
        evidence=(),
        actor="root",
    ),
    facts.EmergencyEnded(
        at=BEGAN + 40 * MINUTE,
        reference="E-000001",
        withdrawn=False,
        last_miss=BEGAN + 30 * MINUTE,
        first_answer=BEGAN + 30 * MINUTE,
    ),
]


def device(*happened: facts.Fact) -> DeviceHistory:
    (found,) = fold([WATCHED, *happened], {}, {}, BEGAN + timedelta(hours=1)).devices
    return found


def test_what_was_reported_stands_with_its_device_and_is_no_silence() -> None:
    found = device(REPORTED, *OVER)

    (emergency,) = found.emergencies
    assert emergency.report is not None
    assert (emergency.report.since, emergency.report.until) == (BEGAN, BEGAN + 30 * MINUTE)
    assert (emergency.report.by, emergency.report.evidence) == ("root", ("ab",))
    assert found.silences == ()
    assert found.unknown == device().unknown


def test_what_was_reported_of_a_service_stands_with_that() -> None:
    found = device(replace(REPORTED, service="www"))

    assert found.emergencies == ()
    (service,) = found.services
    assert [one.reference for one in service.emergencies] == ["E-000001"]


def test_what_is_silent_to_us_too_joins_it() -> None:
    joined = facts.EmergencyJoined(
        at=BEGAN + 9 * MINUTE, reference="E-000001", signal=PING, first_miss=BEGAN, last_answer=BEGAN
    )

    (emergency,) = device(REPORTED, joined).emergencies
    assert emergency.joined == (PING,)


def test_a_correction_takes_no_second_away() -> None:
    opened = facts.EmergencyOpened(
        at=BEGAN + MINUTE,
        reference="E-000001",
        customer="acme",
        device="web-1",
        signal=PING,
        first_miss=BEGAN,
        last_answer=BEGAN - MINUTE,
    )
    silence = facts.SilenceEnded(
        at=BEGAN + 5 * MINUTE,
        signal=PING,
        last_answer=BEGAN - MINUTE,
        first_miss=BEGAN,
        last_miss=BEGAN + 4 * MINUTE,
        confirmed=True,
    )
    corrected = facts.EmergencyCorrected(
        at=BEGAN + 9 * MINUTE, reference="E-000001", because="c", evidence=(), actor="root"
    )

    before, after = device(opened, silence), device(opened, silence, corrected)

    assert (after.emergencies[0].corrected_at, after.emergencies[0].corrected_by) == (corrected.at, "root")
    assert (after.silences, after.unknown) == (before.silences, before.unknown)

"""Causes in the account of a month: what the rules found last, and what a person states beside it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from hostwatch.core import facts
from hostwatch.sla.history import fold

BEGAN = datetime(2026, 10, 5, 10, tzinfo=UTC)
PING = "web-1/ping@main"


def found(at: datetime, cause: str, confidence: str) -> facts.CauseFound:
    return facts.CauseFound(
        at=at,
        signal=PING,
        first_miss=BEGAN,
        cause=cause,
        confidence=confidence,
        rule="",
        evidence=(),
        wanting=(),
    )


def stated(at: datetime, cause: str) -> facts.CauseStated:
    return facts.CauseStated(
        at=at,
        reference="E-000001",
        cause=cause,
        actor="root",
        because="c",
        ordered_by="",
        since=None,
        until=None,
    )


def test_the_last_word_of_each_counts_and_what_was_taken_back_does_not() -> None:
    minute = timedelta(minutes=1)
    body = {"address": "192.0.2.1", "signal": PING, "services": []}
    happened = [
        facts.PopulationChanged(
            at=BEGAN - minute, thing="device", name="web-1", customer="acme", state="in-service", body=body
        ),
        facts.EmergencyOpened(
            at=BEGAN + minute,
            reference="E-000001",
            customer="acme",
            device="web-1",
            signal=PING,
            first_miss=BEGAN,
            last_answer=BEGAN - minute,
        ),
        found(BEGAN + minute, "undetermined", "none"),
        found(BEGAN + 2 * minute, "customer's equipment", "likely"),
        stated(BEGAN + 3 * minute, "third party"),
        facts.SilenceEnded(
            at=BEGAN + 5 * minute,
            signal=PING,
            last_answer=BEGAN - minute,
            first_miss=BEGAN,
            last_miss=BEGAN + 4 * minute,
            confirmed=True,
        ),
    ]

    (device,) = fold(happened, {}, {}, BEGAN + timedelta(hours=1)).devices
    (silence,), (emergency,) = device.silences, device.emergencies
    assert (silence.cause, silence.confidence, emergency.stated) == (
        "customer's equipment",
        "likely",
        "third party",
    )
    after = [*happened, stated(BEGAN + 9 * minute, "")]
    (device,) = fold(after, {}, {}, BEGAN + timedelta(hours=1)).devices
    assert device.emergencies[0].stated == ""

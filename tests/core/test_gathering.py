"""How long first notices wait for each other. Three devices of one customer, pinged every five minutes."""

from __future__ import annotations

from datetime import timedelta

import pytest

from hostwatch.core import gathering
from hostwatch.core.gathering import Gather
from hostwatch.core.reading import Outcome
from tests.core.test_bundle import FIRST, Services, Storm

SECOND = "E-000002.emergency.acme.duty"


def falling() -> Storm:
    """00:15 a verdict on web-1; the others have missed once, at 00:11 and 00:12."""
    storm = Storm()
    storm.look("00:05", Outcome.ANSWERED, "web-1", "web-2", "web-3")
    storm.look("00:10", Outcome.MISSED, "web-1")
    storm.look("00:11", Outcome.MISSED, "web-2")
    storm.look("00:12", Outcome.MISSED, "web-3")
    storm.look("00:15", Outcome.MISSED, "web-1")
    return storm


def until(storm: Storm, notice: str = FIRST, gather: Gather = Gather()) -> str | None:  # noqa: B008
    found = gathering.until(storm.world, storm.world.notices[notice], gather)
    return None if found is None else f"{found:%H:%M:%S}"


def test_who_falls_alone_is_told_of_at_once() -> None:
    storm = Storm()
    storm.look("00:05", Outcome.ANSWERED, "web-2")
    storm.fall("web-1")
    assert until(storm) is None


def test_the_first_waits_half_a_minute_while_others_may_fall() -> None:
    assert until(falling()) == "00:15:30"


def test_services_wait_for_services_and_devices_for_devices() -> None:
    """00:15 a verdict on a service of web-1; that of web-2 has missed once, and web-3 itself"""
    storm = Services()
    everybody = ("web-1", "web-2", "web-3")
    storm.look("00:05", Outcome.ANSWERED, *everybody)
    storm.services("00:05", Outcome.ANSWERED, *everybody)
    storm.look("00:10", Outcome.ANSWERED, *everybody)
    storm.services("00:10", Outcome.MISSED, "web-1")
    storm.services("00:12", Outcome.MISSED, "web-2")
    storm.look("00:13", Outcome.MISSED, "web-3")
    storm.look("00:15", Outcome.ANSWERED, "web-1", "web-2")
    storm.services("00:15", Outcome.MISSED, "web-1")
    assert until(storm) == "00:15:30"

    storm.services("00:16", Outcome.ANSWERED, "web-2")
    assert until(storm) is None, "the silent device is not waited for"


def test_what_was_told_of_devices_does_not_make_a_service_wait_longer() -> None:
    """00:15:30 a device is told of ── 00:17 a verdict on a service; another has missed"""
    storm = Services()
    everybody = ("web-1", "web-2", "web-3")
    storm.look("00:05", Outcome.ANSWERED, *everybody)
    storm.services("00:07", Outcome.ANSWERED, *everybody)
    for when in ("00:10", "00:15"):
        storm.look(when, Outcome.MISSED, "web-1")
        storm.look(when, Outcome.ANSWERED, "web-2", "web-3")
    storm.claim("00:15:30")
    storm.end("00:15:30", "accepted")
    storm.services("00:12", Outcome.MISSED, "web-2")
    storm.services("00:16", Outcome.MISSED, "web-3")
    storm.services("00:17", Outcome.MISSED, "web-2")
    assert until(storm, SECOND) == "00:17:30"


def test_as_soon_as_nobody_is_silent_without_a_verdict_it_goes() -> None:
    storm = falling()
    storm.look("00:16", Outcome.MISSED, "web-2")
    assert until(storm) == "00:15:30"
    storm.look("00:16", Outcome.ANSWERED, "web-3")
    assert until(storm) is None


def test_later_ones_wait_longer_once_a_message_has_left() -> None:
    storm = falling()
    storm.claim("00:15:30")
    storm.end("00:15:30", "accepted")
    storm.look("00:16", Outcome.MISSED, "web-2")

    assert until(storm, SECOND) == "00:20:30"
    storm.look("00:17", Outcome.MISSED, "web-3")
    assert until(storm, SECOND) is None


@pytest.mark.parametrize(
    ("gather", "ends"),
    [
        (Gather(first=timedelta(0)), None),
        (Gather(first=timedelta(minutes=1)), "00:16:00"),
        (Gather(first=timedelta(minutes=14)), "00:20:00"),
    ],
)
def test_it_is_as_long_as_said_and_never_longer_than_a_third_of_the_time_to_tell(
    gather: Gather, ends: str | None
) -> None:
    assert until(falling(), gather=gather) == ends


def test_what_was_tried_or_is_over_waits_no_more() -> None:
    storm = falling()
    storm.claim("00:15:30")
    storm.end("00:15:31", "failed")
    assert until(storm) is None

    over = falling()
    over.look("00:15:10", Outcome.ANSWERED, "web-1")
    assert until(over) is None


def told_together() -> Storm:
    """00:15 all three devices fall, and one message tells of them; 00:40 the first is back."""
    storm = Storm()
    storm.fall("web-1", "web-2", "web-3")
    storm.claim("00:15")
    storm.end("00:15", "accepted")
    storm.look("00:40", Outcome.ANSWERED, "web-1")
    return storm


def test_an_end_waits_for_those_that_were_told_with_it_and_the_last_takes_them_along() -> None:
    storm = told_together()
    assert until(storm, "E-000001.recovery.acme.duty") == "00:40:30"
    storm.look("00:40:10", Outcome.ANSWERED, "web-2")
    assert until(storm, "E-000002.recovery.acme.duty") == "00:40:40"
    storm.look("00:40:20", Outcome.ANSWERED, "web-3")
    assert until(storm, "E-000003.recovery.acme.duty") is None
    told = storm.claim("00:40:20", "E-000003.recovery.acme.duty")
    assert [story.device for story in told.stories] == ["web-1", "web-2", "web-3"]


def test_ends_that_come_once_one_was_told_wait_longer() -> None:
    storm = told_together()
    end = "E-000001.recovery.acme.duty"
    storm.claim("00:40:30", end)
    storm.end("00:40:30", "accepted", end)
    storm.look("00:41", Outcome.ANSWERED, "web-2")
    assert until(storm, "E-000002.recovery.acme.duty") == "00:45:30"


def test_the_end_of_what_was_told_alone_waits_for_nobody() -> None:
    storm = Storm()
    storm.fall("web-1")
    storm.claim("00:15")
    storm.end("00:15", "accepted")
    storm.look("00:20", Outcome.ANSWERED, "web-2")
    storm.look("00:25", Outcome.MISSED, "web-2")
    storm.look("00:30", Outcome.MISSED, "web-2")
    storm.claim("00:30", SECOND)
    storm.end("00:30", "accepted", SECOND)
    storm.look("00:40", Outcome.ANSWERED, "web-1")
    assert until(storm, "E-000001.recovery.acme.duty") is None


def test_who_is_silent_is_counted_as_readings_come_and_as_a_start_finds_them() -> None:
    storm = falling()
    undecided = storm.world.signals.undecided
    assert (undecided.of(("acme", False)), undecided.of(("beta", False))) == (2, 0)

    again = type(storm.world.signals)(storm.world.speaking, storm.world.signals.restless)
    again.attach(storm.world.speaking, storm.world.population.customer_of)
    assert again.undecided.of(("acme", False)) == 2

    storm.population = type(storm.population)(customers=storm.population.customers, devices={})
    storm.enrol("00:16")
    assert undecided.of(("acme", False)) == 0

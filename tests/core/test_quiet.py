"""Quiet hours: pictures of which channel is tried when. The person has a voice channel, then email.

v voice, e email; what stands first is tried first
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from hostwatch.configuration.zones import zone_of
from hostwatch.core.emergency import AttemptOutcome
from hostwatch.core.ladder import Pace
from hostwatch.core.quiet import Owed, Quiet, next_change, order
from tests.core.test_ladder import told

BERLIN = zone_of("Europe/Berlin")
NIGHT = Quiet(since=22 * 60, until=7 * 60, kinds=("voice",))
FREE = Owed()


def utc(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def shown(quiet: Quiet | None, owed: Owed, at: str, kinds: tuple[str, ...] = ("voice", "email")) -> str:
    return "".join(kinds[place][0] for place in order(kinds, quiet, owed, utc(at)))


@pytest.mark.parametrize(
    ("at", "due", "picture"),
    [
        ("2026-11-22 21:59", None, "ve"),
        ("2026-11-22 22:00", None, "e"),
        ("2026-11-23 06:59", None, "e"),
        ("2026-11-23 07:00", None, "ve"),
        ("2026-11-23 03:00", "2026-11-23 03:15", "ev"),  # owed: voice comes last
        ("2026-11-23 03:09", "2026-11-23 03:15", "ev"),
        ("2026-11-23 03:10", "2026-11-23 03:15", "ve"),  # a third of the time is left
        ("2026-11-23 04:00", "2026-11-23 03:15", "ve"),  # late
    ],
)
def test_which_channel_is_tried_first(at: str, due: str | None, picture: str) -> None:
    assert shown(NIGHT, Owed(due=None if due is None else utc(due)), at) == picture


def test_where_all_channels_rest_they_are_used_all_the_same() -> None:
    everything = Quiet(since=22 * 60, until=7 * 60)

    assert shown(everything, FREE, "2026-11-23 03:00") == "ve"
    assert shown(NIGHT, FREE, "2026-11-23 03:00", ("voice",)) == "v"
    assert shown(None, FREE, "2026-11-23 03:00") == "ve"


@pytest.mark.parametrize(
    ("quiet", "spans"),
    [
        # 22:00 to 07:00 in Berlin: eight hours in the night in which the clocks are set forward
        (
            (22 * 60, 7 * 60),
            [("2026-03-28 21:00", "2026-03-29 05:00"), ("2026-03-29 20:00", "2026-03-30 05:00")],
        ),
        # 00:00 to 02:30, which does not come: until the clocks are set
        ((0, 150), [("2026-03-28 23:00", "2026-03-29 01:00"), ("2026-03-29 22:00", "2026-03-30 00:30")]),
        # the afternoon
        (
            (13 * 60, 15 * 60),
            [("2026-03-29 11:00", "2026-03-29 13:00"), ("2026-03-30 11:00", "2026-03-30 13:00")],
        ),
    ],
)
def test_quiet_hours_in_a_night_in_which_clocks_change(
    quiet: tuple[int, int], spans: list[tuple[str, str]]
) -> None:
    hours = Quiet(since=quiet[0], until=quiet[1], zone=BERLIN)
    moment = timedelta(microseconds=1)

    for begin, end in spans:
        assert hours.ends_at(utc(begin) - moment) is None
        assert hours.next_change(utc(begin) - moment) == utc(begin)
        assert hours.ends_at(utc(begin)) == hours.ends_at(utc(end) - moment) == utc(end)
        assert hours.next_change(utc(begin)) == utc(end)
        assert hours.ends_at(utc(end)) is None


def test_when_clocks_show_an_hour_twice_it_is_quiet_once() -> None:
    """02:30 comes at 00:30 and at 01:30 in UTC: quiet ends the first time, and does not begin again."""
    hours = Quiet(since=0, until=150, zone=BERLIN)

    assert hours.ends_at(utc("2026-10-25 00:29")) == utc("2026-10-25 00:30")
    assert hours.ends_at(utc("2026-10-25 01:15")) is None
    assert hours.next_change(utc("2026-10-25 00:30")) == utc("2026-10-25 23:00")


def test_the_order_changes_when_quiet_hours_end_or_the_deadline_is_near() -> None:
    owed = Owed(due=utc("2026-11-23 03:15"))

    assert next_change(None, owed, utc("2026-11-23 03:00")) is None
    assert next_change(NIGHT, owed, utc("2026-11-23 03:00")) == utc("2026-11-23 03:10")
    assert next_change(NIGHT, owed, utc("2026-11-23 03:10")) == utc("2026-11-23 07:00")
    assert next_change(NIGHT, FREE, utc("2026-11-23 03:00")) == utc("2026-11-23 07:00")


def test_a_rung_may_wait_for_another_time_than_the_site_says() -> None:
    """Mail fails all the time. The site gives a channel 5 minutes, this one has 3, that of the hook 1."""
    waits = (("mail", timedelta(minutes=3)), ("hook", timedelta(minutes=1)))
    tries = told(lambda _, __: (AttemptOutcome.FAILED, None), 3, 270, Pace(waits=waits))

    assert tries == [(0, 0), (15, 0), (45, 0), (105, 0), (180, 1), (195, 1), (225, 1), (240, 2), (255, 2)]

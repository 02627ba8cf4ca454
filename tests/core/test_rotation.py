"""Who is on call, on ordinary days and in the nights in which clocks change.

Europe/Berlin   2026-03-29 01:59:59 is followed by 03:00:00; 2026-10-25 02:59:59 by 02:00:00
"""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hostwatch.configuration.moment import begins, ends
from hostwatch.configuration.zones import zone_of
from hostwatch.core.rotation import Instead, Rotation
from hostwatch.core.zone import UTC_ZONE, Zone

BERLIN = zone_of("Europe/Berlin")
SHANGHAI = zone_of("Asia/Shanghai")


def utc(text: str) -> datetime:
    """`2026-03-29 01:00` in UTC."""
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


@pytest.mark.parametrize(
    ("day", "clock", "when"),
    [
        ("2026-03-28", "02:30", "2026-03-28 01:30"),
        ("2026-03-29", "01:30", "2026-03-29 00:30"),
        ("2026-03-29", "02:00", "2026-03-29 01:00"),  # the clocks jump over it, and stand at 03:00 at once
        ("2026-03-29", "02:30", "2026-03-29 01:00"),
        ("2026-03-29", "03:00", "2026-03-29 01:00"),
        ("2026-03-29", "03:30", "2026-03-29 01:30"),
        ("2026-10-25", "01:30", "2026-10-24 23:30"),
        ("2026-10-25", "02:30", "2026-10-25 00:30"),  # the first of two
        ("2026-10-25", "03:00", "2026-10-25 02:00"),
    ],
)
def test_the_instant_at_which_a_clock_shows_something(day: str, clock: str, when: str) -> None:
    hours, minutes = clock.split(":")

    assert BERLIN.moment(date.fromisoformat(day), int(hours) * 60 + int(minutes)) == utc(when)


ZONES = (
    "UTC",
    "Asia/Shanghai",
    "Europe/Berlin",
    "America/St_Johns",
    "Australia/Lord_Howe",
    "Africa/Casablanca",
)


@given(st.sampled_from(ZONES), st.integers(0, 40 * 365 * 24 * 60))
def test_a_zone_shows_what_the_table_of_zones_says(name: str, minutes: int) -> None:
    at = utc("2020-01-02 00:00") + timedelta(minutes=minutes)
    local = at.astimezone(ZoneInfo(name))
    zone = zone_of(name)

    assert zone.shown(at) == (local.date(), local.hour * 60 + local.minute)
    found = zone.moment(*zone.shown(at))
    assert found <= at
    assert zone.shown(found) == zone.shown(at)
    assert zone.shown(found - timedelta(microseconds=1)) != zone.shown(at)


def test_days_and_instants_are_of_the_zone_unless_they_say_otherwise() -> None:
    assert begins("2026-03-29", BERLIN) == utc("2026-03-28 23:00")
    assert ends("2026-03-29", BERLIN) == utc("2026-03-29 22:00")  # a day of 23 hours
    assert begins("2026-03-29T12:00", BERLIN) == ends("2026-03-29T12:00", BERLIN) == utc("2026-03-29 10:00")
    assert begins("2026-03-29T12:00+08:00", BERLIN) == utc("2026-03-29 04:00")


WEEKLY = Rotation(
    id="nights",
    people=("li", "wang", "zhao"),
    begins="2026-11-02",
    minute=9 * 60,
    zone=SHANGHAI,
    instead=(Instead(who="zhao", since=utc("2026-11-12 16:00"), until=utc("2026-11-13 16:00")),),
)


@pytest.mark.parametrize(
    ("at", "who", "since", "until"),
    [
        ("2026-11-02 01:00", "li", "2026-11-02 01:00", "2026-11-09 01:00"),
        ("2026-11-09 00:59", "li", "2026-11-02 01:00", "2026-11-09 01:00"),
        ("2026-11-09 01:00", "wang", "2026-11-09 01:00", "2026-11-12 16:00"),
        ("2026-11-12 16:00", "zhao", "2026-11-12 16:00", "2026-11-13 16:00"),  # a holiday of wang's
        ("2026-11-13 16:00", "wang", "2026-11-13 16:00", "2026-11-16 01:00"),
        ("2026-11-16 01:00", "zhao", "2026-11-16 01:00", "2026-11-23 01:00"),
        ("2026-11-23 01:00", "li", "2026-11-23 01:00", "2026-11-30 01:00"),
    ],
)
def test_a_week_each_handed_over_at_nine(at: str, who: str, since: str, until: str) -> None:
    assert WEEKLY.turn(utc(at)) == (who, utc(since), utc(until))
    assert WEEKLY.on_call(utc(at)) == who
    assert WEEKLY.next_change(utc(at)) == utc(until)


def test_before_the_first_hand_over_nobody_is_on_call() -> None:
    before = utc("2026-11-02 00:59")

    assert (WEEKLY.turn(before), WEEKLY.on_call(before)) == (None, None)
    assert WEEKLY.next_change(before) == utc("2026-11-02 01:00")


@pytest.mark.parametrize(
    ("clock", "hand_overs"),
    [
        # The clocks jump from 02:00 to 03:00: two nights of 24 hours, and between them one of 23.
        (
            "2026-03-28 00:00",
            ["2026-03-27 23:00", "2026-03-28 23:00", "2026-03-29 22:00", "2026-03-30 22:00"],
        ),
        # Hand-over at 02:30, which does not come: it is when the clocks are set, half an hour early.
        (
            "2026-03-28 02:30",
            ["2026-03-28 01:30", "2026-03-29 01:00", "2026-03-30 00:30", "2026-03-31 00:30"],
        ),
        # Hand-over at 02:30, which comes twice: the first time; the turn after it has 25 hours.
        (
            "2026-10-24 02:30",
            ["2026-10-24 00:30", "2026-10-25 00:30", "2026-10-26 01:30", "2026-10-27 01:30"],
        ),
    ],
)
def test_turns_of_a_day_in_a_night_in_which_clocks_change(clock: str, hand_overs: list[str]) -> None:
    day, hour = clock.split()
    minute = int(hour[:2]) * 60 + int(hour[3:])
    daily = Rotation(id="r", people=("a", "b"), begins=day, minute=minute, days=1, zone=BERLIN)

    found, at = [], utc(hand_overs[0])
    for _ in hand_overs:
        found.append(at)
        assert daily.on_call(at) != daily.on_call(at - timedelta(microseconds=1))
        at = daily.next_change(at)
    assert found == [utc(one) for one in hand_overs]


@given(
    st.sampled_from([BERLIN, SHANGHAI, UTC_ZONE]),
    st.integers(1, 10),
    st.integers(0, 1439),
    st.integers(0, 400 * 24 * 60),
)
def test_turns_follow_each_other_without_a_gap(zone: Zone, days: int, minute: int, after: int) -> None:
    rotation = Rotation(
        id="r",
        people=("a", "b", "c"),
        begins="2026-03-01",
        minute=minute,
        days=days,
        zone=zone,
    )
    turn = rotation.turn(utc("2026-03-02 12:00") + timedelta(minutes=after))

    assert turn is not None
    following = rotation.turn(turn.until)
    assert following is not None
    assert following.since == turn.until
    assert "abc".index(following.who) == ("abc".index(turn.who) + 1) % 3

"""Months in every zone: their true seconds, against clocks that are read second by second.

The reference never asks for the offset of a local time. It only turns UTC into local time, which has
one answer, and searches there for the first second that shows the first day of the month.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo, available_timezones

import pytest

from hostwatch.core import calendar
from hostwatch.core.calendar import Month
from hostwatch.core.timeline import Span, Timeline

STRANGE = ("Europe/Berlin", "Australia/Lord_Howe", "Pacific/Apia", "Asia/Shanghai", "Asia/Kathmandu")
STRANGER = ("America/Santiago", "America/Havana", "Asia/Damascus", "America/St_Johns", "UTC")
YEARS = range(2000, 2038)
QUARTER = 900


def shown(zone: ZoneInfo, second: int) -> date:
    """The date that a clock on the wall shows."""
    return datetime.fromtimestamp(second, zone).date()


def begins(zone: ZoneInfo, day: date) -> int:
    """The first second at which the clock shows the day, or a later one if the day never was."""
    low = int(datetime(day.year, day.month, day.day, tzinfo=UTC).timestamp()) - 30 * 3600
    found = next(low + n * QUARTER for n in range(240) if shown(zone, low + n * QUARTER) >= day)
    return found - QUARTER + bisect_left(range(QUARTER), True, key=lambda n: _there(zone, found, n, day))


def _there(zone: ZoneInfo, found: int, n: int, day: date) -> bool:
    return shown(zone, found - QUARTER + n) >= day


def days(month: Month) -> Iterator[date]:
    """The days of the month by the calendar on paper."""
    day = date(month.year, month.month, 1)
    while day.month == month.month:
        yield day
        day += timedelta(days=1)


def check(zone: ZoneInfo, month: Month) -> None:
    first, last = date(month.year, month.month, 1), date(month.following.year, month.following.month, 1)
    found = month.span(zone)
    assert (found.start, found.end) == (begins(zone, first), begins(zone, last)), f"{zone.key} {month}"


def changing(zone: ZoneInfo) -> Iterator[Month]:
    """The months of which the offset at the beginning is not the one at the end, or changes inside."""
    for year in YEARS:
        for number in range(1, 13):
            month = Month(year, number)
            start = datetime(year, number, 1, tzinfo=UTC)
            looks = [start + timedelta(days=n) for n in range(-2, 34)]
            if len({look.astimezone(zone).utcoffset() for look in looks}) > 1:
                yield month


@pytest.mark.parametrize("name", STRANGE + STRANGER)
def test_months_with_a_change_of_clocks(name: str) -> None:
    zone = ZoneInfo(name)
    for month in changing(zone):
        if month.year in (2000, 2004, 2009, 2011, 2012, 2015, 2020, 2026, 2037):
            check(zone, month)


@pytest.mark.parametrize(
    ("zone", "month", "seconds"),
    [
        ("Europe/Berlin", "2026-03", 31 * 86400 - 3600),
        ("Europe/Berlin", "2026-10", 31 * 86400 + 3600),
        ("Australia/Lord_Howe", "2026-04", 30 * 86400 + 1800),
        ("Australia/Lord_Howe", "2026-10", 31 * 86400 - 1800),
        ("Pacific/Apia", "2011-12", 30 * 86400),
        ("Asia/Shanghai", "2026-10", 31 * 86400),
        ("Asia/Kathmandu", "2024-02", 29 * 86400),
        ("America/Havana", "2024-11", 30 * 86400 + 3600),
        ("America/Santiago", "2024-09", 30 * 86400 - 3600),
        ("Asia/Damascus", "2005-04", 30 * 86400 - 3600),
        ("UTC", "2100-02", 28 * 86400),
    ],
)
def test_known_months(zone: str, month: str, seconds: int) -> None:
    assert Month.parse(month).span(ZoneInfo(zone)).seconds == seconds


@pytest.mark.parametrize("name", ["Europe/Berlin", "Pacific/Apia", "America/Havana", "Asia/Kathmandu"])
def test_the_days_add_up_to_the_month(name: str) -> None:
    zone = ZoneInfo(name)
    for month in (Month(2011, 12), Month(2026, 3), Month(2026, 10), Month(2026, 11)):
        lengths = {}
        for day in days(month):
            lengths[day] = begins(zone, day + timedelta(days=1)) - begins(zone, day)
        assert sum(lengths.values()) == month.span(zone).seconds
        quarters = range(month.span(zone).start, month.span(zone).end, QUARTER)
        assert {shown(zone, second) for second in quarters} == {d for d, n in lengths.items() if n}


@pytest.mark.parametrize("name", STRANGE)
def test_months_follow_each_other_without_a_gap(name: str) -> None:
    zone = ZoneInfo(name)
    month, total = Month(2000, 1), 0
    for _ in range(12 * 38):
        assert month.span(zone).end == month.following.span(zone).start
        total += month.span(zone).seconds
        month = month.following
    assert total == Month(2038, 1).span(zone).start - Month(2000, 1).span(zone).start


@pytest.mark.parametrize(
    "text", ["2026-13", "2026-00", "2026-1", "26-10", "2026-10-01", "1969-12", "２０26-10", ""]
)
def test_what_is_no_month_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="write it like 2026-10"):
        Month.parse(text)


@pytest.mark.long
@pytest.mark.timeout(3600)
def test_every_zone_and_every_month_with_a_change_of_clocks() -> None:
    months = 0
    for name in sorted(available_timezones()):
        zone = ZoneInfo(name)
        for month in changing(zone):
            check(zone, month)
            months += 1
    assert months > 10_000


@pytest.mark.parametrize("name", [*STRANGE, *STRANGER])
def test_the_days_of_a_zone_begin_when_its_clocks_say_so(name: str) -> None:
    zone = ZoneInfo(name)
    for year, month in ((2011, 12), (2024, 3), (2024, 4), (2024, 9), (2024, 10), (2024, 11)):
        whole = Month(year, month)
        found = calendar.days(whole.span(zone), zone)

        assert [span.start for span in found] == sorted({begins(zone, date) for date in days(whole)})
        assert Timeline.of(found).spans == (whole.span(zone),)


@pytest.mark.parametrize("name", [*STRANGE, *STRANGER])
def test_hours_are_hours_and_cut_at_each_midnight(name: str) -> None:
    zone = ZoneInfo(name)
    whole = Month(2024, 10).span(zone)

    found = calendar.hours(whole, zone)

    assert Timeline.of(found).spans == (whole,)
    assert {span.start for span in calendar.days(whole, zone)} <= {span.start for span in found}
    assert all(span.seconds in (calendar.HOUR_S, calendar.HOUR_S // 2) for span in found)
    assert sum(span.seconds != calendar.HOUR_S for span in found) <= 1


def test_the_first_and_the_last_hour_and_day_are_cut_to_the_span() -> None:
    zone = ZoneInfo("Europe/Berlin")
    noon = int(datetime(2026, 10, 1, 10, 30, tzinfo=UTC).timestamp())
    span = Span(noon, noon + 3600)

    assert calendar.days(span, zone) == [span]
    assert calendar.hours(span, zone) == [Span(noon, noon + 1800), Span(noon + 1800, noon + 3600)]

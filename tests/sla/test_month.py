"""Months: their true length, their edges, and who is in them (T1, T3)."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest

from hostwatch.core.calendar import Month
from hostwatch.core.device import State
from hostwatch.core.instant import second
from hostwatch.core.timeline import Span
from hostwatch.sla.account import SECONDS, account
from hostwatch.sla.month import month
from tests.sla.teller import Teller, device, minutes

HOUR = timedelta(hours=1)
OCTOBER = Month(2026, 10)


def at(day: int, hour: int = 0, minute: int = 0) -> datetime:
    """That day of October 2026 and later, UTC."""
    return datetime(2026, 10, 1, hour, minute, tzinfo=UTC) + timedelta(days=day - 1)


def report(told: Teller, now: datetime, which: Month = OCTOBER, zone: str = "UTC", **wishes):
    seq = len(told.record)
    history = told.history(now)
    return month(history, which, ZoneInfo(zone), site="s", as_of_seq=seq, as_of=told.world.alive_at, **wishes)


@pytest.mark.parametrize(
    ("zone", "which", "hours"),
    [
        ("UTC", Month(2026, 10), 744),
        ("UTC", Month(2028, 2), 696),
        ("Asia/Shanghai", Month(2026, 10), 744),
        ("Europe/Berlin", Month(2026, 3), 743),
        ("Europe/Berlin", Month(2026, 10), 745),
        ("Australia/Lord_Howe", Month(2026, 4), 720.5),
        ("Australia/Lord_Howe", Month(2026, 10), 743.5),
        ("Pacific/Apia", Month(2011, 12), 720),
    ],
)
def test_a_month_has_its_true_length(zone, which, hours):
    told = Teller()
    told.populate(datetime(2011, 1, 1, tzinfo=UTC), device("web"))

    made = report(told, datetime(2030, 1, 1, tzinfo=UTC), which, zone)

    assert made.rows[0].account.period_s == hours * 3600
    assert made.end - made.start == hours * HOUR
    assert not made.so_far


def test_the_days_of_a_month_add_up_to_it():
    zone = ZoneInfo("Europe/Berlin")
    told = Teller()
    told.populate(at(1), device("web"))
    told.every("web", at(1), at(33), missed=[(at(3, 22), at(4, 2)), (at(25, 0), at(25, 3))])
    history = told.history(at(40))
    midnights = [
        second(datetime(2026, 10, 1, tzinfo=zone) + timedelta(days=count)) for count in range(31)
    ] + [second(datetime(2026, 11, 1, tzinfo=zone))]

    (row,) = report(told, at(40), zone="Europe/Berlin").rows
    days = [account(Span(start, end), history.devices[0]) for start, end in pairwise(midnights)]

    for name in SECONDS:
        assert sum(getattr(day, name) for day in days) == getattr(row.account, name), name
    assert row.account.down_s == 7 * 3600


def test_two_months_share_a_silence_without_loss():
    told = Teller()
    told.populate(at(1), device("web"))
    told.every("web", at(1), at(34), missed=[(at(31, 22), at(32, 1))])

    october, november = (report(told, at(40), Month(2026, number)).rows[0] for number in (10, 11))

    assert (october.account.down_s, november.account.down_s) == (2 * 3600, 3600)
    assert [line.down_s for line in october.silences + november.silences] == [2 * 3600, 3600]
    assert [e.reference for e in october.emergencies + november.emergencies] == ["E-000001"] * 2


def test_a_running_month_is_cut_at_the_last_complete_second():
    told = Teller()
    told.populate(at(1), device("web"))
    told.every("web", at(1), at(2))

    made = report(told, at(2) + timedelta(milliseconds=1999))

    assert made.so_far
    assert made.until == at(2) + timedelta(seconds=1)
    assert made.rows[0].account.period_s == 86_401
    assert made.rows[0].account.up_s == 86_401


def test_a_month_that_has_not_begun_is_refused():
    told = Teller()
    told.populate(at(1), device("web"))

    with pytest.raises(ValueError, match="cannot report 2026-11: it has not begun"):
        report(told, at(31, 23, 59), Month(2026, 11))
    with pytest.raises(ValueError, match="has not begun"):
        report(told, at(32), Month(2026, 11))
    assert report(told, at(32) + timedelta(seconds=1), Month(2026, 11)).rows[0].account.period_s == 1


def test_the_month_is_over_at_the_midnight_of_the_site():
    told = Teller()
    told.populate(at(1), device("web"))

    assert report(told, at(31, 16), zone="Asia/Shanghai").so_far is False
    assert report(told, at(31, 15, 59), zone="Asia/Shanghai").so_far is True


def test_who_is_in_the_month():
    told = Teller()
    gone, web, renamed = device("gone"), device("web"), device("web-new")
    later, beta = device("later"), device("aaa", "beta")
    told.populate(at(1) - timedelta(days=9), gone, web)
    told.populate(at(1) - timedelta(days=1), web)
    told.populate(at(11), renamed, beta)
    told.populate(at(21), renamed, device("aaa", "beta", State.SUSPENDED))
    told.populate(at(32), renamed, later)

    made = report(told, at(50))

    days = [(row.customer, row.device, row.account.period_s / 86400) for row in made.rows]
    assert days == [("acme", "web", 10), ("acme", "web-new", 21), ("beta", "aaa", 10)]
    web = made.rows[0]
    assert (web.service_from, web.service_until) == (at(1), at(11))
    assert [(t.customer, t.devices, t.account.period_s / 86400) for t in made.totals] == [
        ("acme", 2, 31),
        ("beta", 1, 10),
    ]
    assert [row.device for row in report(told, at(50), customer="beta").rows] == ["aaa"]
    assert report(told, at(50), customer="nobody").rows == ()


def test_a_device_keeps_all_its_addresses_of_the_period():
    told = Teller()
    told.populate(at(1), device("web", address="192.0.2.1"))
    told.populate(at(40), device("web", address="192.0.2.9"))
    told.populate(at(5), device("web", address="192.0.2.2"))

    assert report(told, at(50)).rows[0].addresses == ("192.0.2.1", "192.0.2.2")


def test_a_silence_is_listed_where_its_doubt_reaches():
    told = Teller()
    told.populate(at(1), device("web"))
    told.every("web", at(1) + minutes(3), at(34), missed=[(at(32), at(32, 0, 5))])

    october, november = (report(told, at(40), Month(2026, number)).rows[0] for number in (10, 11))

    assert [line.down_s for line in october.silences] == [0]
    assert october.account.down_s_most - october.account.unknown_s == 120
    assert [line.down_s for line in november.silences] == [300]

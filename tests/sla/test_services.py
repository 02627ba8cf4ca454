"""Services in the month: each has an account of its own, for the time that it was there."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from hostwatch.core.calendar import Month
from hostwatch.core.device import State
from hostwatch.core.service import Service
from hostwatch.sla.account import Account
from hostwatch.sla.month import MonthReport, Row, month
from tests.sla.teller import Teller, device

START = datetime(2026, 10, 1, tzinfo=UTC)
HOUR = timedelta(hours=1)
WWW, EMAIL = Service(name="www"), Service(name="email")
WEB = device("web", services=(WWW,))


def report(told: Teller, now: datetime) -> MonthReport:
    return month(told.history(now), Month(2026, 10), UTC, site="Here", as_of_seq=0, as_of=now)


def of(told: Teller, now: datetime) -> Row:
    (row,) = report(told, now).rows
    return row


def account(row: Row, name: str) -> Account:
    return next(service.account for service in row.services if service.name == name)


def test_a_service_alone_is_down_and_its_device_is_not() -> None:
    """`www` fails at 1:00 for half an hour; all looks at its device are answered."""
    told = Teller()
    told.populate(START, WEB)
    told.beside("web", "www", START, START + 3 * HOUR, wrong=[(START + HOUR, START + 1.5 * HOUR)])
    row = of(told, START + 3 * HOUR)

    assert row.account.down_s == 0
    assert account(row, "www").down_s == 1800
    assert (account(row, "www").unknown_s, row.account.unknown_s) == (60, 0), "before its first look"
    (one,) = row.services
    assert [e.reference for e in one.emergencies] == ["E-000001"]
    assert row.emergencies == ()
    assert one.signals == ("web/www@main",)


def test_an_outage_of_both_is_in_both_accounts_and_its_emergency_with_both() -> None:
    told = Teller()
    told.populate(START, WEB)
    told.beside("web", "www", START, START + 3 * HOUR, missed=[(START + HOUR, START + 1.5 * HOUR)])
    row = of(told, START + 3 * HOUR)

    assert (row.account.down_s, account(row, "www").down_s) == (1800, 1800)
    (emergency,) = row.emergencies
    assert emergency.joined == ("web/www@main",)
    assert row.services[0].emergencies == (emergency,)


def test_a_service_that_came_and_went_has_a_period_of_its_own() -> None:
    told = Teller()
    told.populate(START, replace(WEB, services=(EMAIL,)))
    told.populate(START + HOUR, replace(WEB, services=(EMAIL, WWW)))
    told.populate(START + 2 * HOUR, replace(WEB, services=(EMAIL,)))
    row = of(told, START + 4 * HOUR)

    assert {one.name: one.account.period_s for one in row.services} == {"email": 14400, "www": 3600}
    assert row.account.period_s == 14400


def test_services_of_a_device_that_is_not_watched_are_unknown() -> None:
    told = Teller()
    told.populate(START, device("web", state=State.NOT_WATCHED, services=(WWW,)))
    row = of(told, START + HOUR)

    assert account(row, "www") == Account(period_s=3600, unknown_s=3600, down_s_most=3600)


def test_a_device_that_changes_customers_takes_its_services_along() -> None:
    told = Teller()
    told.populate(START, WEB)
    told.populate(START + HOUR, replace(WEB, customer="globex"))
    found = report(told, START + 3 * HOUR).rows

    assert [row.customer for row in found] == ["acme", "globex"]
    assert [account(row, "www").period_s for row in found] == [3600, 7200]


def test_services_are_in_no_sum() -> None:
    told = Teller()
    told.populate(START, WEB)
    told.beside("web", "www", START, START + 2 * HOUR, wrong=[(START + HOUR, START + 2 * HOUR)])
    (total,) = report(told, START + 2 * HOUR).totals

    assert (total.devices, total.account.down_s) == (1, 0)

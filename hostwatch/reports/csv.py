"""The month as CSV (RFC 4180), one line for each device: for spreadsheets and for other programs.

The columns are described in `docs/reports.md`. New ones are only ever added at the end.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Iterator
from datetime import datetime
from decimal import Decimal

from hostwatch.core.instant import rfc3339
from hostwatch.reports import PLAIN, Paper
from hostwatch.sla.account import SECONDS
from hostwatch.sla.month import MonthReport, Row

FORMAT = "one line for each device, for spreadsheets: UTF-8, commas, CRLF (RFC 4180)"

COLUMNS = (
    "site",
    "month",
    "zone",
    "so_far",
    "as_of_seq",
    "customer",
    "device",
    "addresses",
    "signals",
    "vantages",
    "service_from",
    "service_until",
    *SECONDS,
    "availability_percent",
    "availability_lower_percent",
    "availability_upper_percent",
    "coverage_percent",
    "silences",
    "silences_first_miss",
    "emergencies",
    "emergency_references",
    "uplinks",
    "backbone_measured",
    "backbone_measured_s",
    *(f"backbone_{name}" for name in SECONDS[1:]),
    "backbone_availability_percent",
    "backbone_availability_lower_percent",
    "backbone_availability_upper_percent",
    "backbone_coverage_percent",
    "uplink_silences",
    "uplink_silences_first_miss",
    "uplink_emergency_references",
    "services",
    *(f"services_{name}" for name in SECONDS),
    "services_availability_percent",
    "services_availability_lower_percent",
    "services_availability_upper_percent",
    "services_coverage_percent",
    "services_silences",
    "services_emergency_references",
    "supplies",
    "supplies_measured_at",
    "power_measured",
    "power_measured_s",
    *(f"power_{name}" for name in SECONDS[1:]),
    "power_availability_percent",
    "power_availability_lower_percent",
    "power_availability_upper_percent",
    "power_coverage_percent",
    "power_silences",
    "power_silences_first_miss",
    "power_emergency_references",
    "silences_cause",
    "silences_cause_confidence",
    "emergencies_cause_stated",
    "power_possibly_s",
    "uplink_members",
    "uplink_members_silences",
    "uplink_members_silences_first_miss",
    "one_event",
    "both_down_s",
    *(f"contractual_{name}" for name in SECONDS[1:]),
    "contractual_availability_percent",
    "contractual_availability_lower_percent",
    "contractual_availability_upper_percent",
    *(f"contractual_backbone_{name}" for name in SECONDS[1:]),
    "contractual_backbone_availability_percent",
    "contractual_backbone_availability_lower_percent",
    "contractual_backbone_availability_upper_percent",
    "emergencies_reported_since",
    "emergencies_reported_until",
    "emergencies_corrected_at",
)

FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r", "\n")
"""A spreadsheet takes a cell that begins so for a formula, and would run what a customer wrote."""


def render(report: MonthReport, paper: Paper = PLAIN) -> bytes:
    """The report as UTF-8 bytes, with a header line."""
    page = io.StringIO(newline="")
    writer = csv.writer(page, lineterminator="\r\n")
    writer.writerow(COLUMNS)
    for row in report.rows:
        writer.writerow(_cells(report, row))
    return page.getvalue().encode()


def _cells(report: MonthReport, row: Row) -> list[str | int]:
    sums = row.account
    return [
        _text(report.site),
        _text(str(report.month)),
        _text(str(report.zone)),
        "yes" if report.so_far else "no",
        report.as_of_seq,
        _text(row.customer),
        _text(row.device),
        _listed(row.addresses),
        _listed(row.signals),
        _listed(row.vantages),
        rfc3339(row.service_from),
        rfc3339(row.service_until),
        *(getattr(sums, name) for name in SECONDS),
        _number(sums.availability),
        _number(sums.availability_lower),
        _number(sums.availability_upper),
        _number(sums.coverage),
        len(row.silences),
        _dates(line.silence.first_miss for line in row.silences),
        len(row.emergencies),
        _listed(emergency.reference for emergency in row.emergencies),
        *_backbone(report, row),
        *_services(row),
        *_power(report, row),
        _listed(line.silence.cause for line in row.silences),
        _listed(line.silence.confidence for line in row.silences),
        _listed(emergency.stated for emergency in row.emergencies),
        row.power.possibly_s,
        *_members(report, row),
        *_once(row),
        *_by_hand(row),
    ]


def _by_hand(row: Row) -> Iterator[str]:
    """For each of the emergencies what people said of it; empty where nobody did."""
    reports = [emergency.report for emergency in row.emergencies]
    yield _listed("" if one is None else rfc3339(one.since) for one in reports)
    yield _listed("" if one is None or one.until is None else rfc3339(one.until) for one in reports)
    yield _listed("" if (at := one.corrected_at) is None else rfc3339(at) for one in row.emergencies)


def _once(row: Row) -> Iterator[str | int]:
    """The network's contractual figures: what of one event counts in power alone is excluded."""
    yield row.once.term
    yield row.once.both_down_s
    for sums in (row.once.account, row.once.backbone):
        yield from (getattr(sums, name) for name in SECONDS[1:])
        yield _number(sums.availability)
        yield _number(sums.availability_lower)
        yield _number(sums.availability_upper)


def _services(row: Row) -> Iterator[str]:
    """The device's services, and for each of them, in the same order, its figures; of references, all."""
    mine = row.services
    yield _listed(service.name for service in mine)
    for name in SECONDS:
        yield _listed(str(getattr(service.account, name)) for service in mine)
    yield _listed(_number(service.account.availability) for service in mine)
    yield _listed(_number(service.account.availability_lower) for service in mine)
    yield _listed(_number(service.account.availability_upper) for service in mine)
    yield _listed(_number(service.account.coverage) for service in mine)
    yield _listed(str(len(service.silences)) for service in mine)
    told = (one.reference for service in mine for one in service.emergencies)
    yield _listed(dict.fromkeys(told))


def _backbone(report: MonthReport, row: Row) -> Iterator[str | int]:
    """Whether the carrier could be reached. Silences and emergencies are all of its uplinks in the month."""
    sums = row.backbone
    ways = [uplink for uplink in report.uplinks if uplink.uplink in row.uplinks]
    silences = [line.silence.first_miss for uplink in ways for line in uplink.silences]
    yield _listed(row.uplinks)
    yield row.backbone_measured
    yield row.backbone_measured_s
    yield from (getattr(sums, name) for name in SECONDS[1:])
    yield _number(sums.availability)
    yield _number(sums.availability_lower)
    yield _number(sums.availability_upper)
    yield _number(sums.coverage)
    yield len(silences)
    yield _dates(silences)
    yield _listed(emergency.reference for uplink in ways for emergency in uplink.emergencies)


def _members(report: MonthReport, row: Row) -> Iterator[str]:
    """The uplinks that its redundancy groups join, and of each, in the same order, how often it was silent.

    Then when these silences began, those of all members one after another.
    """
    joined = {name for uplink in report.uplinks if uplink.uplink in row.uplinks for name in uplink.members}
    mine = [uplink for uplink in report.uplinks if uplink.uplink in joined]
    yield _listed(uplink.uplink for uplink in mine)
    yield _listed(str(len(uplink.silences)) for uplink in mine)
    yield _dates(line.silence.first_miss for uplink in mine for line in uplink.silences)


def _power(report: MonthReport, row: Row) -> Iterator[str | int]:
    """Whether it had the power that was promised. Silences and emergencies are those that touch it."""
    mine, sums = row.power, row.power.account
    points = {supply.supply: supply.measured_at for supply in report.supplies}
    yield _listed(mine.supplies)
    yield _listed(points[name] for name in mine.supplies)
    yield mine.measured
    yield mine.measured_s
    yield from (getattr(sums, name) for name in SECONDS[1:])
    yield _number(sums.availability)
    yield _number(sums.availability_lower)
    yield _number(sums.availability_upper)
    yield _number(sums.coverage)
    yield len(mine.silences)
    yield _dates(line.silence.first_miss for line in mine.silences)
    yield _listed(emergency.reference for emergency in mine.emergencies)


def _text(value: str) -> str:
    """Text that no spreadsheet takes for a formula."""
    return f"'{value}" if value.startswith(FORMULA_STARTS) else value


def _listed(values: Iterable[str]) -> str:
    return _text(";".join(values))


def _dates(values: Iterable[datetime]) -> str:
    return _listed(rfc3339(value) for value in values)


def _number(value: Decimal | None) -> str:
    return "" if value is None else f"{value:f}"

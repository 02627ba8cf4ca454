"""The month as JSON, with every date of every silence: for programs, and for keeping.

Canonical (`core.canonical`): sorted keys, no spaces, no floating-point numbers, so that one report
has one hash. The members are described in `docs/reports.md`.
"""

from __future__ import annotations

from typing import Any

from hostwatch.core import canonical
from hostwatch.core.instant import from_second
from hostwatch.reports import PLAIN, Paper
from hostwatch.sla.account import SECONDS, Account
from hostwatch.sla.lines import DoubtLine, SilenceLine
from hostwatch.sla.month import MonthReport, Power, Row, ServiceRow, SupplyRow, Total, UplinkRow
from hostwatch.sla.once import Once
from hostwatch.sla.records import BlindRecord, EmergencyRecord, ReportRecord
from hostwatch.sla.timing import ClockRecord

FORMAT = "everything, with all dates, for programs: canonical JSON on one line"

VERSION = 1
"""Grows when a member changes its meaning or goes away; not when one is added."""


def render(report: MonthReport, paper: Paper = PLAIN) -> bytes:
    """The report as one line of UTF-8 bytes."""
    return canonical.encode(document(report)) + b"\n"


def document(report: MonthReport) -> dict[str, Any]:
    """The report as plain data."""
    return {
        "format": "hostwatch.month",
        "version": VERSION,
        "site": report.site,
        "month": str(report.month),
        "zone": str(report.zone),
        "start": report.start,
        "end": report.end,
        "until": report.until,
        "start_local": report.local(report.start),
        "end_local": report.local(report.end),
        "until_local": report.local(report.until),
        "so_far": report.so_far,
        "as_of": {"seq": report.as_of_seq, "alive_at": report.as_of},
        "customer": report.customer,
        "downtime": {
            "words": report.rule.words,
            "confirmed_only": report.rule.confirmed_only,
            "longer_than_s": report.rule.longer_than_s,
        },
        "devices": [_row(row) for row in report.rows],
        "totals": [_total(total) for total in report.totals],
        "uplinks": [_uplink(uplink) for uplink in report.uplinks],
        "supplies": [_supply(supply) for supply in report.supplies],
        "blind": [_blind(record) for record in report.blind],
        "clock": [_clock(record) for record in report.clock],
    }


def _row(row: Row) -> dict[str, Any]:
    return {
        "customer": row.customer,
        "device": row.device,
        "addresses": row.addresses,
        "signals": row.signals,
        "vantages": row.vantages,
        "service": [{"from": from_second(s.start), "until": from_second(s.end)} for s in row.service],
        **_seconds(row.account),
        **_percentages(row.account),
        "backbone": {
            "measured": row.backbone_measured,
            "measured_s": row.backbone_measured_s,
            **_seconds(row.backbone),
            **_percentages(row.backbone),
        },
        "uplinks": row.uplinks,
        "silences": [_silence(line) for line in row.silences],
        "emergencies": [_emergency(emergency) for emergency in row.emergencies],
        "services": [_service(service) for service in row.services],
        "power": _power(row.power),
        "one_event": _once(row.once),
    }


def _once(once: Once) -> dict[str, Any]:
    """The network's contractual accounts, and what of its silences were losses of power."""
    return {
        "term": once.term,
        "both_down_s": once.both_down_s,
        "contractual": {**_seconds(once.account), **_percentages(once.account)},
        "contractual_backbone": {**_seconds(once.backbone), **_percentages(once.backbone)},
        "together": [
            {
                "signal": one.silence.signal,
                "first_miss": one.silence.first_miss,
                "supply": one.supply,
                "spans": [{"from": from_second(s.start), "until": from_second(s.end)} for s in one.seconds],
                "seconds": one.seconds.total,
                "not_counted_s": one.once_s,
                "emergency_references": one.references,
            }
            for one in once.together
        ],
    }


def _power(power: Power) -> dict[str, Any]:
    """A device's power. All dates of its interruptions stand once, with their supply."""
    return {
        "measured": power.measured,
        "measured_s": power.measured_s,
        **_seconds(power.account),
        **_percentages(power.account),
        "supplies": power.supplies,
        "silences": [
            {
                "signal": line.silence.signal,
                "first_miss": line.silence.first_miss,
                "counts": line.counts,
                "down_s": line.down_s,
            }
            for line in power.silences
        ],
        "emergency_references": [emergency.reference for emergency in power.emergencies],
        "possibly_s": power.possibly_s,
        "doubts": [
            {
                "supply": line.supply,
                "since": line.doubt.since,
                "unknown_s": line.unknown_s,
                "possibly_interrupted": line.doubt.seen.is_possible,
            }
            for line in power.doubts
        ],
    }


def _service(row: ServiceRow) -> dict[str, Any]:
    return {
        "name": row.name,
        "signals": row.signals,
        "service": [{"from": from_second(s.start), "until": from_second(s.end)} for s in row.service],
        **_seconds(row.account),
        **_percentages(row.account),
        "silences": [_silence(line) for line in row.silences],
        "emergencies": [_emergency(emergency) for emergency in row.emergencies],
    }


def _seconds(account: Account) -> dict[str, int]:
    return {name: getattr(account, name) for name in SECONDS}


def _percentages(account: Account) -> dict[str, str | None]:
    shown = {
        "availability_percent": account.availability,
        "availability_lower_percent": account.availability_lower,
        "availability_upper_percent": account.availability_upper,
        "coverage_percent": account.coverage,
    }
    return {name: None if value is None else f"{value:f}" for name, value in shown.items()}


def _silence(line: SilenceLine) -> dict[str, Any]:
    silence = line.silence
    return {
        "signal": silence.signal,
        "last_answer": silence.last_answer,
        "first_miss": silence.first_miss,
        "last_miss": silence.last_miss,
        "first_answer": silence.first_answer,
        "until": silence.until,
        "ending": silence.ending,
        "confirmed": silence.confirmed,
        "cause": silence.cause or None,
        "cause_confidence": silence.confidence or None,
        "counts": line.counts,
        "down_s": line.down_s,
    }


def _emergency(emergency: EmergencyRecord) -> dict[str, Any]:
    return {
        "reference": emergency.reference,
        "signal": emergency.signal or None,
        "last_answer": emergency.last_answer,
        "first_miss": emergency.first_miss,
        "opened_at": emergency.opened_at,
        "ended_at": emergency.ended_at,
        "first_answer": emergency.first_answer,
        "withdrawn": emergency.withdrawn,
        "joined": emergency.joined,
        "cause_stated": emergency.stated or None,
        "reported": None if emergency.report is None else _reported(emergency.report),
        "corrected_at": emergency.corrected_at,
        "corrected_by": emergency.corrected_by or None,
    }


def _reported(report: ReportRecord) -> dict[str, Any]:
    return {
        "since": report.since,
        "earliest": report.earliest,
        "latest": report.latest,
        "until": report.until,
        "by": report.by,
        "evidence": report.evidence,
    }


def _total(total: Total) -> dict[str, Any]:
    return {
        "customer": total.customer,
        "devices": total.devices,
        **_seconds(total.account),
        "backbone": {"measured_s": total.backbone_measured_s, **_seconds(total.backbone)},
        "power": {
            "measured_s": total.power_measured_s,
            **_seconds(total.power),
            "possibly_s": total.power_possibly_s,
        },
    }


def _uplink(row: UplinkRow) -> dict[str, Any]:
    return {
        "uplink": row.uplink,
        "name": row.name,
        "members": row.members,
        "service": [{"from": from_second(s.start), "until": from_second(s.end)} for s in row.service],
        **_seconds(row.account),
        **_percentages(row.account),
        "silences": [_silence(line) for line in row.silences],
        "emergencies": [_emergency(emergency) for emergency in row.emergencies],
    }


def _supply(row: SupplyRow) -> dict[str, Any]:
    return {
        "supply": row.supply,
        "measured_at": row.measured_at,
        "service": [{"from": from_second(s.start), "until": from_second(s.end)} for s in row.service],
        **_seconds(row.account),
        **_percentages(row.account),
        "silences": [_silence(line) for line in row.silences],
        "emergencies": [_emergency(emergency) for emergency in row.emergencies],
        "possibly_s": row.possibly_s,
        "doubts": [_doubt(line) for line in row.doubts],
    }


def _doubt(line: DoubtLine) -> dict[str, Any]:
    doubt, seen = line.doubt, line.doubt.seen
    return {
        "since": doubt.since,
        "until": doubt.until,
        "lasts": doubt.is_open,
        "unknown_s": line.unknown_s,
        "because": doubt.because,
        "why": doubt.why,
        "silent_sources": doubt.silent,
        "last_seen": seen.last.words,
        "last_seen_by": seen.source or None,
        "last_seen_since": seen.since,
        "runtime_s": seen.runtime_s,
        "possibly_interrupted": seen.is_possible,
    }


def _blind(record: BlindRecord) -> dict[str, Any]:
    return {"why": record.why, "since": record.since, "until": record.until}


def _clock(record: ClockRecord) -> dict[str, Any]:
    return {
        "keeping": record.keeping,
        "since": record.since,
        "until": record.until,
        "estimated_us": record.estimated_us,
    }

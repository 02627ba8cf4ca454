"""One calendar month of all devices: the value that every rendering of a report is made from.

The month is the site's: it begins and ends at local midnight in the site's time zone, whatever
zone a customer is told times in, so that all reports of a site are cut at the same instants.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, tzinfo
from itertools import groupby

from hostwatch.core.calendar import Month
from hostwatch.core.instant import from_second, second
from hostwatch.core.timeline import Span, Timeline
from hostwatch.sla import backbone
from hostwatch.sla.account import EVERY_SILENCE, Account, Books, Downtime, Judged
from hostwatch.sla.records import (
    BlindRecord,
    DeviceHistory,
    EmergencyRecord,
    History,
    SilenceRecord,
    UplinkHistory,
)
from hostwatch.sla.timing import ClockRecord, within


@dataclass(frozen=True, slots=True, kw_only=True)
class SilenceLine:
    """A silence that touches a device's period, and what it weighs there."""

    silence: SilenceRecord
    counts: bool
    """Whether the rule makes it downtime."""

    down_s: int
    """Seconds of it in this period that count as down."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ServiceRow:
    """One service of a device in the month. It has no part in the device's account, nor in any sum."""

    name: str
    signals: tuple[str, ...]
    service: tuple[Span, ...]
    """The stretches of the month in which the device had it: together, its period."""

    account: Account
    silences: tuple[SilenceLine, ...]
    emergencies: tuple[EmergencyRecord, ...]
    """Its own, and those of its device that told of it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One device of one customer in the month."""

    customer: str
    device: str
    addresses: tuple[str, ...]
    """All that the device had in the period, in the order of time."""

    signals: tuple[str, ...]
    """The signals that judged it, `device/check@vantage`."""

    service: tuple[Span, ...]
    """The stretches of the month in which the device was in service: together, its period."""

    account: Account
    """By pings of the device, from inside."""

    backbone: Account
    """Whether its port could reach the carrier: pings of the device and looks at its uplink together."""

    backbone_measured_s: int
    """Seconds of its period in which its port was on an uplink with reference points."""

    uplinks: tuple[str, ...]
    """The uplinks that it was on."""

    silences: tuple[SilenceLine, ...]
    emergencies: tuple[EmergencyRecord, ...]
    services: tuple[ServiceRow, ...] = ()

    @property
    def backbone_measured(self) -> str:
        """Whether anybody looked, all of its period, at the carrier: `all`, `part` or `none`."""
        if not self.backbone_measured_s:
            return "none"
        return "all" if self.backbone_measured_s == self.backbone.period_s else "part"

    @property
    def vantages(self) -> tuple[str, ...]:
        """From where it was looked at."""
        return tuple(dict.fromkeys(signal.rpartition("@")[2] for signal in self.signals))

    @property
    def service_from(self) -> datetime:
        """The first second of the device's period."""
        return from_second(self.service[0].start)

    @property
    def service_until(self) -> datetime:
        """The end of the last second of the device's period."""
        return from_second(self.service[-1].end)


@dataclass(frozen=True, slots=True, kw_only=True)
class UplinkRow:
    """One uplink in the month."""

    uplink: str
    name: str
    service: tuple[Span, ...]
    """The stretches of the month in which its reference points were to be looked at: its period."""

    account: Account
    silences: tuple[SilenceLine, ...]
    emergencies: tuple[EmergencyRecord, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Total:
    """The sums of one customer's rows. Seconds of devices, not of the month."""

    customer: str
    devices: int
    account: Account
    backbone: Account
    backbone_measured_s: int


@dataclass(frozen=True, slots=True, kw_only=True)
class MonthReport:
    """A month, accounted for."""

    site: str
    month: Month
    zone: tzinfo
    start: datetime
    end: datetime
    """The end of the calendar month."""

    until: datetime
    """The end of what is accounted: `end`, or the last complete second while the month still runs."""

    as_of_seq: int
    """How far the record had come: the number of its last fact."""

    as_of: datetime | None
    """When the watch last said that it was alive; None if it never did."""

    rule: Downtime
    customer: str | None
    """The only customer in the report; None: all of them."""

    rows: tuple[Row, ...]
    totals: tuple[Total, ...]
    uplinks: tuple[UplinkRow, ...]
    """The uplinks that the devices of the report were on."""

    blind: tuple[BlindRecord, ...]
    """When the watch could not look. It explains unknown seconds, and is not added to them."""

    clock: tuple[ClockRecord, ...] = ()
    """When the wall clock was not known to be right."""

    @property
    def so_far(self) -> bool:
        """Whether the month still runs."""
        return self.until < self.end

    def local(self, when: datetime) -> str:
        """An instant as the site's clocks show it, to the second, with its distance from UTC."""
        return when.astimezone(self.zone).replace(microsecond=0).isoformat(sep=" ")


def month(
    history: History,
    which: Month,
    zone: tzinfo,
    *,
    site: str,
    as_of_seq: int,
    as_of: datetime | None,
    customer: str | None = None,
    rule: Downtime = EVERY_SILENCE,
    clock: Iterable[ClockRecord] = (),
) -> MonthReport:
    """The report of a month. Raises `ValueError` for a month that has not begun at `history.now`."""
    whole, now = which.span(zone), second(history.now)
    if now <= whole.start:
        raise ValueError(f"cannot report {which}: it has not begun")
    period = Span(whole.start, min(whole.end, now))
    wanted = (device for device in history.devices if customer is None or device.customer == customer)
    rows = tuple(_rows(period, wanted, rule))
    return MonthReport(
        site=site,
        month=which,
        zone=zone,
        start=from_second(whole.start),
        end=from_second(whole.end),
        until=from_second(period.end),
        as_of_seq=as_of_seq,
        as_of=as_of,
        rule=rule,
        customer=customer,
        rows=rows,
        totals=tuple(_totals(rows)),
        uplinks=tuple(_uplinks(period, history.uplinks, rows, rule)),
        blind=tuple(record for record in history.blind if _touches(record.since, record.until, period)),
        clock=tuple(within(clock, period)),
    )


def _rows(period: Span, devices: Iterable[DeviceHistory], rule: Downtime) -> Iterator[Row]:
    for device in devices:
        books = Books.of(period, device, rule)
        if books.period:
            yield _row(period, books, device, rule)


def _uplinks(
    period: Span, uplinks: Iterable[UplinkHistory], rows: Iterable[Row], rule: Downtime
) -> Iterator[UplinkRow]:
    wanted = {name for row in rows for name in row.uplinks}
    for uplink in uplinks:
        books = Books.of(period, uplink, rule)
        if books.period and uplink.uplink in wanted:
            yield UplinkRow(
                uplink=uplink.uplink,
                name=uplink.name,
                service=books.period.spans,
                account=books.account(),
                silences=tuple(_lines(books, uplink, rule)),
                emergencies=tuple(_emergencies(books, uplink)),
            )


def _row(period: Span, books: Books, device: DeviceHistory, rule: Downtime) -> Row:
    mine = books.period
    tenures = [tenure for tenure in device.tenures if Timeline.of([tenure.span]) & mine]
    return Row(
        customer=device.customer,
        device=device.device,
        addresses=tuple(dict.fromkeys(tenure.address for tenure in tenures)),
        signals=tuple(dict.fromkeys(tenure.signal for tenure in tenures)),
        service=mine.spans,
        account=books.account(),
        backbone=backbone.books(period, device, rule).account(),
        backbone_measured_s=backbone.measured(period, device).total,
        uplinks=tuple(reach.uplink.uplink for reach in device.reaches if reach.span & mine),
        silences=tuple(_lines(books, device, rule)),
        emergencies=tuple(_emergencies(books, device)),
        services=tuple(_services(period, device, rule)),
    )


def _services(period: Span, device: DeviceHistory, rule: Downtime) -> Iterator[ServiceRow]:
    for service in device.services:
        books = Books.of(period, service, rule)
        if books.period:
            tenures = (one for one in service.tenures if Timeline.of([one.span]) & books.period)
            yield ServiceRow(
                name=service.name,
                signals=tuple(dict.fromkeys(tenure.signal for tenure in tenures)),
                service=books.period.spans,
                account=books.account(),
                silences=tuple(_lines(books, service, rule)),
                emergencies=tuple(_emergencies(books, service)),
            )


def _lines(books: Books, judged: Judged, rule: Downtime) -> Iterator[SilenceLine]:
    """The silences that touch a period."""
    for silence in judged.silences:
        if any(_touches(silence.last_answer, silence.until, span) for span in books.period):
            yield _line(books, silence, rule)


def _emergencies(books: Books, judged: Judged) -> Iterator[EmergencyRecord]:
    """The emergencies that touch a period."""
    for emergency in judged.emergencies:
        if any(_touches(emergency.first_miss, _over(emergency), span) for span in books.period):
            yield emergency


def _line(books: Books, silence: SilenceRecord, rule: Downtime) -> SilenceLine:
    counts = rule.counts(silence, silence.point)
    down = (Timeline.of([silence.point]) & books.known).total if counts else 0
    return SilenceLine(silence=silence, counts=counts, down_s=down)


def _over(emergency: EmergencyRecord) -> datetime | None:
    return emergency.first_answer or emergency.ended_at


def _touches(since: datetime, until: datetime | None, span: Span) -> bool:
    """Whether something that may have lasted no second at all has to do with a span."""
    begins = second(since) < span.end
    return begins and (until is None or second(until) > span.start or second(since) >= span.start)


def _totals(rows: Iterable[Row]) -> Iterator[Total]:
    for customer, group in groupby(rows, key=lambda row: row.customer):
        mine = list(group)
        yield Total(
            customer=customer,
            devices=len(mine),
            account=sum((row.account for row in mine), Account()),
            backbone=sum((row.backbone for row in mine), Account()),
            backbone_measured_s=sum(row.backbone_measured_s for row in mine),
        )

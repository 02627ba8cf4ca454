"""One calendar month of all devices: the value that every rendering of a report is made from.

The month is the site's: it begins and ends at local midnight in the site's time zone, whatever
zone a customer is told times in, so that all reports of a site are cut at the same instants.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime, tzinfo
from itertools import groupby

from hostwatch.core.calendar import Month
from hostwatch.core.instant import from_second, second
from hostwatch.core.timeline import Span, Timeline
from hostwatch.sla import backbone, power
from hostwatch.sla.account import EVERY_SILENCE, Account, Books, Downtime
from hostwatch.sla.lines import DoubtLine, SilenceLine, doubts, emergencies, lines, possibly, touches
from hostwatch.sla.once import Once, once
from hostwatch.sla.records import (
    BlindRecord,
    DeviceHistory,
    EmergencyRecord,
    History,
    SupplyHistory,
    UplinkHistory,
)
from hostwatch.sla.timing import ClockRecord, within


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
class Power:
    """Whether one device had the power that was promised. It has no part in any account of the network."""

    account: Account
    measured_s: int
    """Seconds of its period in which it hung on a supply of the power model."""

    supplies: tuple[str, ...]
    """The supplies that it hung on."""

    silences: tuple[SilenceLine, ...]
    """The interruptions of these while it hung on them, and what each weighs for it."""

    emergencies: tuple[EmergencyRecord, ...]
    doubts: tuple[DoubtLine, ...] = ()
    """Why nobody could say while it hung on them, and how each was seen last."""

    @property
    def possibly_s(self) -> int:
        """Of the unknown seconds those in which its power is possibly interrupted."""
        return possibly(self.doubts)

    @property
    def measured(self) -> str:
        """Whether anybody looked, all of its period, at its power: `all`, `part` or `none`."""
        return _share(self.measured_s, self.account)


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
    power: Power
    once: Once
    services: tuple[ServiceRow, ...] = ()

    @property
    def backbone_measured(self) -> str:
        """Whether anybody looked, all of its period, at the carrier: `all`, `part` or `none`."""
        return _share(self.backbone_measured_s, self.backbone)

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
    """One uplink, or redundancy group of uplinks, in the month."""

    uplink: str
    name: str
    members: tuple[str, ...]
    """Of a group: the uplinks that it joins, each of which has a row of its own."""

    service: tuple[Span, ...]
    """The stretches of the month in which its reference points were to be looked at: its period."""

    account: Account
    silences: tuple[SilenceLine, ...]
    emergencies: tuple[EmergencyRecord, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class SupplyRow:
    """One supply of power in the month."""

    supply: str
    measured_at: str
    service: tuple[Span, ...]
    """The stretches of the month in which it was to be read: its period."""

    account: Account
    silences: tuple[SilenceLine, ...]
    emergencies: tuple[EmergencyRecord, ...]
    doubts: tuple[DoubtLine, ...] = ()

    @property
    def possibly_s(self) -> int:
        """Of the unknown seconds those in which it is possibly interrupted."""
        return possibly(self.doubts)


@dataclass(frozen=True, slots=True, kw_only=True)
class Total:
    """The sums of one customer's rows. Seconds of devices, not of the month."""

    customer: str
    devices: int
    account: Account
    backbone: Account
    backbone_measured_s: int
    power: Account
    power_measured_s: int
    power_possibly_s: int


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
    """The uplinks and groups that the devices of the report were on, and the members of these groups."""

    supplies: tuple[SupplyRow, ...]
    """The supplies of power that they hung on."""

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
        supplies=tuple(_supplies(period, history.supplies, rows, rule)),
        blind=tuple(record for record in history.blind if touches(record.since, record.until, period)),
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
    every = [*uplinks]
    wanted = {name for row in rows for name in row.uplinks}
    wanted |= {member for uplink in every if uplink.uplink in wanted for member in uplink.members}
    for uplink in every:
        books = Books.of(period, uplink, rule)
        if books.period and uplink.uplink in wanted:
            yield UplinkRow(
                uplink=uplink.uplink,
                name=uplink.name,
                members=uplink.members,
                service=books.period.spans,
                account=books.account(),
                silences=tuple(lines(books, uplink, rule)),
                emergencies=tuple(emergencies(books, uplink)),
            )


def _supplies(
    period: Span, supplies: Iterable[SupplyHistory], rows: Iterable[Row], rule: Downtime
) -> Iterator[SupplyRow]:
    wanted = {name for row in rows for name in row.power.supplies}
    for supply in supplies:
        books = Books.of(period, supply, rule)
        if books.period and supply.supply in wanted:
            yield SupplyRow(
                supply=supply.supply,
                measured_at=supply.measured_at,
                service=books.period.spans,
                account=books.account(),
                silences=tuple(lines(books, supply, rule)),
                emergencies=tuple(emergencies(books, supply)),
                doubts=tuple(doubts(books, supply)),
            )


def _power(period: Span, device: DeviceHistory, rule: Downtime) -> Power:
    """A device's power: interruptions and emergencies of its supplies, as far as it hung on them then."""
    books = power.books(period, device, rule)
    parts = [(replace(books, period=each.span & books.period), each.supply) for each in device.hanging]
    parts = [(part, supply) for part, supply in parts if part.period]
    found = [line for part, supply in parts for line in lines(part, supply, rule)]
    told = {one.reference: one for part, supply in parts for one in emergencies(part, supply)}
    return Power(
        account=books.account(),
        measured_s=power.measured(period, device).total,
        supplies=tuple(supply.supply for _, supply in parts),
        silences=tuple(sorted(found, key=lambda line: (line.silence.first_miss, line.silence.until))),
        emergencies=tuple(sorted(told.values(), key=lambda one: (one.opened_at, one.reference))),
        doubts=tuple(line for part, supply in parts for line in doubts(part, supply)),
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
        silences=tuple(lines(books, device, rule)),
        emergencies=tuple(emergencies(books, device)),
        power=_power(period, device, rule),
        once=once(period, device, rule),
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
                silences=tuple(lines(books, service, rule)),
                emergencies=tuple(emergencies(books, service)),
            )


def _share(measured_s: int, account: Account) -> str:
    """How much of a period was measured: `all`, `part` or `none`."""
    if not measured_s:
        return "none"
    return "all" if measured_s == account.period_s else "part"


def _totals(rows: Iterable[Row]) -> Iterator[Total]:
    for customer, group in groupby(rows, key=lambda row: row.customer):
        mine = list(group)
        yield Total(
            customer=customer,
            devices=len(mine),
            account=sum((row.account for row in mine), Account()),
            backbone=sum((row.backbone for row in mine), Account()),
            backbone_measured_s=sum(row.backbone_measured_s for row in mine),
            power=sum((row.power.account for row in mine), Account()),
            power_measured_s=sum(row.power.measured_s for row in mine),
            power_possibly_s=sum(row.power.possibly_s for row in mine),
        )

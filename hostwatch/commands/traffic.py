"""`hostwatch traffic [WHAT] --month 2026-11`: what passed through ports in a month, and what is billed by.

It reads the store and asks nobody. WHAT is a customer, a device, a switch or one port; nothing: everybody.
"""

from __future__ import annotations

import argparse
import csv
import json
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from rich import box
from rich.console import Console
from rich.table import Table

from hostwatch.clock import SystemClock
from hostwatch.commands import Refused, add_config, says_why, typed_month
from hostwatch.configuration.load import load
from hostwatch.core import facts, instant
from hostwatch.core.calendar import Month
from hostwatch.core.timeline import Span
from hostwatch.core.traffic import STEP_S, Passed
from hostwatch.sla.holding import Holding, carried, holdings
from hostwatch.sla.traffic import Series, Traffic, Way, days, figure, series, steps
from hostwatch.store.reader import Reader

HELP = "show the traffic of ports in a month: average, maximum and 95th percentile"

SETTLED = timedelta(minutes=6)
"""So long after five minutes are over their figures are there, if they ever are."""

WIDTH_MIN = 128
SHARE = ("average", "p95", "maximum")


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """What is told of one port, device or customer."""

    kind: str
    name: str
    known: Series
    traffic: Traffic


def arguments(parser: argparse.ArgumentParser) -> None:
    """What the command takes."""
    add_config(parser)
    parser.add_argument(
        "what", nargs="?", metavar="WHAT", help="a customer, a device, a switch, or a port as sw-1/7"
    )
    parser.add_argument(
        "--month", type=typed_month, metavar="YYYY-MM", help="a month of the site's time zone; else this one"
    )
    parser.add_argument("--series", action="store_true", help="each five minutes; with --csv or --json")
    form = parser.add_mutually_exclusive_group()
    form.add_argument("--json", action="store_true", help="print JSON, for programs")
    form.add_argument("--csv", action="store_true", help="print CSV, for spreadsheets")


@says_why(1)
def run(options: argparse.Namespace) -> int:
    """0 if there is something to show, 1 if the store cannot be read, 2 if what was asked makes no sense."""
    loaded = load(options.config, read_secrets=False)
    zone = ZoneInfo(loaded.configuration.site.timezone)
    if options.series and not (options.csv or options.json):
        raise Refused("cannot show each five minutes as a table: add --csv or --json")
    span = _span(options.month, zone, SystemClock().now())
    with Reader(loaded.store) as reader:
        lines = _lines(reader, options.what, span)
    if options.json:
        print(json.dumps(_plain(lines, span, zone, series=options.series), ensure_ascii=False))
    elif options.csv:
        _write_csv(_series(lines, zone) if options.series else (_figures(line, zone) for line in lines))
    else:
        _show(lines, span, zone)
    return 0


def _span(month: Month | None, zone: ZoneInfo, now: datetime) -> Span:
    """The month, as far as its figures can be there."""
    here = now.astimezone(zone)
    whole = (month or Month(here.year, here.month)).span(zone)
    settled = instant.second(now - SETTLED) // STEP_S * STEP_S
    if month is not None and settled <= whole.start:
        raise Refused(f"cannot show {month}: it has not begun, or only just")
    return Span(whole.start, max(min(whole.end, settled), whole.start))


def _lines(reader: Reader, what: str | None, span: Span) -> list[Line]:
    held = [one for one in holdings(reader.facts([facts.PopulationChanged])) if one.steps(span)]
    by_port = series(reader.traffic(*days(span)), span)
    known = {port for one in held for port in one.ports} | by_port.keys()
    mine = held if what is None else [one for one in held if what in (one.customer, one.device)]
    ports = _ports(what, known, mine)
    if what is not None and not mine and not ports:
        raise Refused(
            f"cannot show {what}: in that month nothing of that name hung on a port for five whole minutes"
            " of the clock, and no switch was asked about such a port"
        )
    found = [*_together("customer", mine, by_port, span)] if what not in {one.device for one in mine} else []
    if what is not None:
        found += _together("device", mine, by_port, span)
    return found + [_port(port, by_port.get(port, {}), span) for port in ports]


def _ports(what: str | None, known: set[str], mine: Sequence[Holding]) -> list[str]:
    if what is None:
        return sorted(known)
    own = {port for one in mine for port in one.ports}
    return sorted(own | {port for port in known if what in (port, port.partition("/")[0])})


def _together(
    kind: str, mine: Sequence[Holding], by_port: Mapping[str, Series], span: Span
) -> Iterator[Line]:
    """A line for each customer, or device."""
    groups: dict[str, list[Holding]] = {}
    for one in mine:
        groups.setdefault(getattr(one, kind), []).append(one)
    for name, own in sorted(groups.items()):
        known, expected = carried(own, by_port, span)
        yield Line(kind=kind, name=name, known=known, traffic=figure(known, span, expected))


def _port(name: str, known: Series, span: Span) -> Line:
    return Line(kind="port", name=name, known=known, traffic=figure(known, span))


def _figures(line: Line, zone: ZoneInfo) -> dict[str, Any]:
    """One line as plain data: bits a second, octets, and how many five minutes are known and lack."""
    told = line.traffic
    return {
        "kind": line.kind,
        "name": line.name,
        "from": _iso(told.span.start, zone),
        "until": _iso(told.span.end, zone),
        "known": told.known,
        "missing": told.missing,
        **_way("received", told.received),
        **_way("sent", told.sent),
        "octets_received": told.octets_received,
        "octets_sent": told.octets_sent,
        "billed_bps": told.billed,
    }


def _way(name: str, way: Way | None) -> dict[str, int | None]:
    return {f"{name}_{which}_bps": getattr(way, which) if way else None for which in SHARE}


def _series(lines: Sequence[Line], zone: ZoneInfo) -> Iterator[dict[str, Any]]:
    """Each five minutes of each line; empty where there is no figure."""
    for line in lines:
        for number in steps(line.traffic.span):
            passed = line.known.get(number)
            yield {
                "kind": line.kind,
                "name": line.name,
                "from": _iso(number * STEP_S, zone),
                "octets_received": None if passed is None else passed.received,
                "octets_sent": None if passed is None else passed.sent,
            }


def _iso(second: int, zone: ZoneInfo) -> str:
    return instant.from_second(second).astimezone(zone).isoformat()


def _plain(lines: Sequence[Line], span: Span, zone: ZoneInfo, *, series: bool) -> dict[str, Any]:
    found: dict[str, Any] = {
        "from": _iso(span.start, zone),
        "until": _iso(span.end, zone),
        "step_s": STEP_S,
        "lines": [_figures(line, zone) for line in lines],
    }
    if series:
        for plain, line in zip(found["lines"], lines, strict=True):
            plain["octets"] = [_pair(line.known.get(number)) for number in steps(span)]
    return found


def _pair(passed: Passed | None) -> list[int] | None:
    return None if passed is None else [*passed]


def _write_csv(rows: Iterator[dict[str, Any]]) -> None:
    first = next(rows, None)
    if first is None:
        return
    table = csv.DictWriter(sys.stdout, first.keys(), lineterminator="\n")
    table.writeheader()
    table.writerow(first)
    table.writerows(rows)


def _show(lines: Sequence[Line], span: Span, zone: ZoneInfo) -> None:
    console = Console()
    if console.width < WIDTH_MIN:
        console = Console(width=WIDTH_MIN)  # figures that are cut are wrong; a line that is broken is not
    if not lines:
        console.print(
            "No device hung on a port for five whole minutes of the clock, and no switch was asked about one."
        )
        return
    until = instant.from_second(span.end).astimezone(zone)
    since = instant.from_second(span.start).astimezone(zone)
    table = Table(
        title=f"{since:%Y-%m-%d} to {until:%Y-%m-%d %H:%M} ({zone.key}), Mbit/s, in and out of the switch",
        title_justify="left",
        box=box.SIMPLE,
        padding=(0, 1),
    )
    for column in ("", "", *(f"{way} {one}" for way in ("in", "out") for one in SHARE), "bills", "known"):
        table.add_column(column, justify="right" if column else "left", no_wrap=True)
    kinds = dict.fromkeys(line.kind for line in lines)
    for kind in kinds:
        for line in lines:
            if line.kind == kind:
                table.add_row(*_cells(line))
        table.add_section()
    console.print(table)


def _cells(line: Line) -> Iterator[str]:
    told = line.traffic
    yield line.kind
    yield line.name
    for way in (told.received, told.sent):
        yield from (_mbps(getattr(way, which) if way else None) for which in SHARE)
    yield _mbps(told.billed)
    yield f"{told.known} of {told.steps}"


def _mbps(bps: int | None) -> str:
    """Cut to three digits; empty where there is no figure."""
    return "" if bps is None else f"{bps // 1_000_000:,}.{bps // 1_000 % 1_000:03d}"

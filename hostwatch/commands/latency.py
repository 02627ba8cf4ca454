"""`hostwatch latency DEVICE`: round-trip times and loss of a device, hour by hour or day by day.

It reads the store and asks nobody. The figures come from the evidence of the slices; they decide
nothing, and are in no account.
"""

from __future__ import annotations

import argparse
import csv
import json
import math
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import dropwhile
from typing import Any
from zoneinfo import ZoneInfo

from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

from hostwatch.clock import SystemClock
from hostwatch.commands import Refused, add_config, says_why, typed_month
from hostwatch.configuration.load import load
from hostwatch.core import calendar, instant, latency
from hostwatch.core.latency import Histogram
from hostwatch.core.timeline import Span
from hostwatch.store.reader import Reader

HELP = "show round-trip times and loss of a device, by hours, days or a whole span"


BY_HOUR_MAX = timedelta(days=2)
"""Longer spans are shown by days, unless asked otherwise."""

QUANTILES = {"min": 0, "p50": 500, "p95": 950, "p99": 990, "max": 1000}
STRIP = 24
"""How many characters wide the picture of the times is."""

WIDTH_MIN = 104
DRAWN_MIN = 118
"""It is drawn where a line has so many characters."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """The pings of one signal in one span."""

    signal: str
    span: Span
    seen: Histogram


def arguments(parser: argparse.ArgumentParser) -> None:
    """What the command takes."""
    add_config(parser)
    parser.add_argument("device", metavar="DEVICE", help="a device's identifier")
    parser.add_argument(
        "--month", type=typed_month, metavar="YYYY-MM", help="a month of the site's time zone"
    )
    parser.add_argument(
        "--from",
        dest="since",
        type=_local,
        metavar="WHEN",
        help="2026-10-01, or 2026-10-01T12:00, of the site",
    )
    parser.add_argument(
        "--to", dest="until", type=_local, metavar="WHEN", help="the end; now, if it is not given"
    )
    parser.add_argument("--by", choices=("hour", "day", "span"), help="hour up to two days, else day")
    form = parser.add_mutually_exclusive_group()
    form.add_argument("--json", action="store_true", help="print JSON, for programs")
    form.add_argument("--csv", action="store_true", help="print CSV, for spreadsheets")


def _local(text: str) -> datetime:
    try:
        return datetime.fromisoformat(text)
    except ValueError:
        raise argparse.ArgumentTypeError(
            f"cannot read {text!r} as a time: write it like 2026-10-01T12:00"
        ) from None


@says_why(1)
def run(options: argparse.Namespace) -> int:
    """0 if there is something to show, 1 if the store cannot be read, 2 if what was asked makes no sense."""
    loaded = load(options.config, read_secrets=False)
    zone = ZoneInfo(loaded.configuration.site.timezone)
    span = _span(options, zone, SystemClock().now())
    with Reader(loaded.store) as reader:
        lines = _lines(reader, options.device, span, _cut(options.by, span, zone))
    if options.json:
        print(json.dumps(_plain(options.device, lines, zone), ensure_ascii=False))
    elif options.csv:
        _write_csv(lines, zone)
    else:
        _show(options.device, lines, zone)
    return 0


def _span(options: argparse.Namespace, zone: ZoneInfo, now: datetime) -> Span:
    """What is asked for, cut at now; the last 24 hours if nothing is."""
    end = instant.second(now)
    if options.month is not None:
        if options.since or options.until:
            raise Refused("cannot show a month and from … to at once: leave one of them out")
        whole = options.month.span(zone)
        return _sound(whole.start, min(whole.end, end))
    until = end if options.until is None else min(_second(options.until, zone), end)
    since = until - 24 * calendar.HOUR_S if options.since is None else _second(options.since, zone)
    return _sound(since, until)


def _sound(since: int, until: int) -> Span:
    if until <= since:
        raise Refused("cannot show that span: it has not begun, or ends before it begins")
    return Span(since, until)


def _second(when: datetime, zone: ZoneInfo) -> int:
    return instant.second(when if when.tzinfo is not None else when.replace(tzinfo=zone))


def _cut(by: str | None, span: Span, zone: ZoneInfo) -> list[Span]:
    short = span.seconds <= BY_HOUR_MAX.total_seconds()
    match by or ("hour" if short else "day"):
        case "hour":
            return calendar.hours(span, zone)
        case "day":
            return calendar.days(span, zone)
    return [span]


def _lines(reader: Reader, device: str, span: Span, parts: Sequence[Span]) -> list[Line]:
    names = reader.signals_of(device)
    if not names:
        raise Refused(f"cannot show {device}: no schedule in this store ever had a device of that name")
    since, until = instant.from_second(span.start), instant.from_second(span.end)
    return [
        Line(signal=name, span=part, seen=seen)
        for name in names
        for part, seen in zip(parts, latency.by_span(reader.brought(name, since, until), parts), strict=True)
    ]


def _loss(seen: Histogram) -> str:
    """The share of lost first packets in per cent, cut to three digits; empty if nobody was pinged."""
    if seen.loss is None:
        return ""
    milli = seen.loss.numerator * 100_000 // seen.loss.denominator
    return f"{milli // 1000}.{milli % 1000:03d}"


def _figures(line: Line, zone: ZoneInfo) -> dict[str, Any]:
    """One line as plain data: times in µs, loss in per cent."""
    seen = line.seen
    return {
        "signal": line.signal,
        "from": _iso(line.span.start, zone),
        "until": _iso(line.span.end, zone),
        "answered": seen.answered,
        "missed": seen.missed,
        "unknown": seen.unknown,
        "first_lost": seen.first_lost,
        "loss_percent": _loss(seen) or None,
        **{f"{name}_us": seen.quantile(permille) for name, permille in QUANTILES.items()},
    }


def _iso(second: int, zone: ZoneInfo) -> str:
    return instant.from_second(second).astimezone(zone).isoformat()


def _plain(device: str, lines: Sequence[Line], zone: ZoneInfo) -> dict[str, Any]:
    """All lines, each with its histogram, so that a program can add them up."""
    return {
        "device": device,
        "lines": [
            {**_figures(line, zone), "times_us": [list(pair) for pair in line.seen.times()]} for line in lines
        ],
    }


def _write_csv(lines: Sequence[Line], zone: ZoneInfo) -> None:
    rows = [_figures(line, zone) for line in lines]
    table = csv.DictWriter(sys.stdout, rows[0].keys(), lineterminator="\n")
    table.writeheader()
    table.writerows(rows)


def _show(device: str, lines: Sequence[Line], zone: ZoneInfo) -> None:
    console = Console()
    if console.width < WIDTH_MIN:
        console = Console(width=WIDTH_MIN)  # figures that are cut are wrong; a line that is broken is not
    for name in dict.fromkeys(line.signal for line in lines):
        mine = [line for line in lines if line.signal == name]
        whole = Line(
            signal=name,
            span=Span(mine[0].span.start, mine[-1].span.end),
            seen=latency.total(line.seen for line in mine),
        )
        console.print(_table(name, mine, whole, zone, drawn=console.width >= DRAWN_MIN))
    if console.width >= DRAWN_MIN:
        console.print("[dim]● the median, ━ up to p99, between the shortest and the longest time of all")


def _table(name: str, mine: Sequence[Line], whole: Line, zone: ZoneInfo, *, drawn: bool) -> Table:
    table = Table(
        title=f"{name} ({zone.key}), times in ms", title_justify="left", box=box.SIMPLE, padding=(0, 1)
    )
    for column in ("from", "answered", "missed", "unknown", "loss %", *QUANTILES):
        table.add_column(column, justify="left" if column == "from" else "right", no_wrap=True)
    low, high = whole.seen.least_us or 1, whole.seen.most_us or 1
    for line in dropwhile(lambda line: line.seen == Histogram(), mine):  # before anybody looked
        table.add_row(*_cells(line, zone), *([_strip(line.seen, low, high)] if drawn else []))
    table.add_section()
    cells = list(_cells(whole, zone))
    table.add_row("in all", *cells[1:], *([_strip(whole.seen, low, high)] if drawn else []))
    return table


def _cells(line: Line, zone: ZoneInfo) -> Iterator[str]:
    seen = line.seen
    yield f"{instant.from_second(line.span.start).astimezone(zone):%y-%m-%d %H:%M}"
    yield from (str(count) if count else "" for count in (seen.answered, seen.missed, seen.unknown))
    yield _loss(seen) if seen.first_lost else ""
    for permille in QUANTILES.values():
        time = seen.quantile(permille)
        yield "" if time is None else f"{time / 1000:.3f}"


def _strip(seen: Histogram, low: int, high: int) -> Text:
    """Where the times of a line lie between the shortest and the longest of all, by their logarithm."""
    median, late = seen.quantile(500), seen.quantile(990)
    if median is None or late is None:
        return Text("")
    first, last = _column(median, low, high), _column(late, low, high)
    return Text(" " * first + "●" + "━" * (last - first), style="red" if seen.missed else "")


def _column(time: int, low: int, high: int) -> int:
    if high <= low:
        return 0
    return round((STRIP - 1) * math.log(time / low) / math.log(high / low))

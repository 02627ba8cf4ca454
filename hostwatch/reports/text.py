"""The month for people: a table for each customer, and below it every silence.

On a terminal with rules and colours, elsewhere plain. Where the table does not fit, each device is
written below the other: a figure is never cut off. Times are those of the site's clocks.
"""

from __future__ import annotations

import io
from collections.abc import Iterator
from decimal import Decimal
from itertools import groupby

from rich import box
from rich.console import Console, Group, RenderableType
from rich.measure import Measurement
from rich.table import Table
from rich.text import Text

from hostwatch.reports import PLAIN, Paper
from hostwatch.sla.account import PLACES, Account
from hostwatch.sla.history import BlindRecord, Ending
from hostwatch.sla.month import MonthReport, Row, SilenceLine, Total

FORMAT = "tables for people, as wide as the terminal"

LINES_MAX = 50
"""How many silences of one device are written out; the other formats have them all."""

BOUNDLESS = 100_000
"""A width in characters that no table has."""

NOTE = (
    "Seconds are exact and add up: up + down + unknown + excluded = period. Percentages are of the period, "
    f"rounded down to {PLACES} decimals, and decide nothing. "
    "Lower: all that is unknown, and the time from the last to the first answer, taken as down. "
    "Upper: only the time from the first to the last miss. No figure where we could not look at all."
)

FIGURES = ("period s", "up s", "down s", "unknown s", "excl. s", "avail. %", "lower %", "upper %", "cover. %")
SILENCE = ("last answer", "first miss", "last miss", "first answer", "confirmed", "down s")


def render(report: MonthReport, paper: Paper = PLAIN) -> bytes:
    """The report as UTF-8 text."""
    page = io.StringIO()
    console = Console(
        file=page,
        width=paper.width,
        height=1000,
        force_terminal=paper.colour,
        color_system="standard" if paper.colour else None,
        legacy_windows=False,
        highlight=False,
        emoji=False,
        markup=False,
        _environ={},
    )
    for part in _parts(report, console, paper):
        console.print(part)
    lines = page.getvalue().split("\n")
    return "\n".join(line.rstrip(" ") for line in lines).encode()


def _parts(report: MonthReport, console: Console, paper: Paper) -> Iterator[RenderableType]:
    yield from _heading(report)
    totals = {total.customer: total for total in report.totals}
    for customer, rows in groupby(report.rows, key=lambda row: row.customer):
        mine = list(rows)
        yield Text(f"\n{customer}", style="bold")
        table = _table(mine, totals[customer], paper)
        yield table if _fits(console, table) else Group(*(_block(row.device, row.account) for row in mine))
        for row in mine:
            if row.silences:
                yield from _silences(report, row, console, paper)
    if not report.rows:
        yield Text("\nNo device was in service.")
    if report.blind:
        yield Text("\nWhen we could not look")
        yield from (Text(f"  {_blindness(report, record)}") for record in report.blind[:LINES_MAX])
        yield from _more(len(report.blind))
    yield Text(f"\n{NOTE}", style="dim")


def _heading(report: MonthReport) -> Iterator[Text]:
    so_far = ", so far" if report.so_far else ""
    yield Text(f"{report.site}: {report.month}{so_far}", style="bold")
    yield Text(f"{report.local(report.start)} to {report.local(report.until)} ({report.zone})")
    seen = "the watch never ran" if report.as_of is None else f"seen until {report.local(report.as_of)}"
    yield Text(f"record up to entry {report.as_of_seq}, {seen}; downtime: {report.rule.words}")


def _table(rows: list[Row], total: Total, paper: Paper) -> Table:
    table = _ruled(paper)
    table.add_column("device", no_wrap=True)
    for name in FIGURES:
        table.add_column(name, justify="right", no_wrap=True)
    for row in rows:
        table.add_row(row.device, *_figures(row.account), style=_style(row.account))
    if len(rows) > 1:
        table.add_row(f"{total.devices} devices", *_sums(total.account), style="bold")
    return table


def _style(account: Account) -> str:
    return "red" if account.down_s else "yellow" if account.unknown_s else ""


def _sums(account: Account) -> tuple[str, ...]:
    seconds = (account.period_s, account.up_s, account.down_s, account.unknown_s, account.excluded_s)
    return tuple(str(count) for count in seconds)


def _figures(account: Account) -> tuple[str, ...]:
    shown = (account.availability, account.availability_lower, account.availability_upper, account.coverage)
    return (*_sums(account), *(_percent(value) for value in shown))


def _percent(value: Decimal | None) -> str:
    return "-" if value is None else f"{value:f}"


def _block(device: str, account: Account) -> Text:
    lines = (f"  {name:<10} {value:>10}" for name, value in zip(FIGURES, _figures(account), strict=True))
    return Text("\n".join((f"\n{device}", *lines)), style=_style(account))


def _silences(report: MonthReport, row: Row, console: Console, paper: Paper) -> Iterator[RenderableType]:
    references = ", ".join(emergency.reference for emergency in row.emergencies)
    yield Text(f"\nSilences of {row.device}" + (f" (emergencies {references})" if references else ""))
    shown = [_dates(report, line) for line in row.silences[:LINES_MAX]]
    table = _ruled(paper)
    for name in SILENCE:
        table.add_column(name, no_wrap=True, justify="right" if name == "down s" else "left")
    for cells in shown:
        table.add_row(*cells)
    if _fits(console, table):
        yield table
    else:
        for cells in shown:
            pairs = zip(SILENCE, cells, strict=True)
            yield Text("\n".join(f"  {name:<12} {value}" for name, value in pairs) + "\n")
    yield from _more(len(row.silences))


def _dates(report: MonthReport, line: SilenceLine) -> tuple[str, ...]:
    silence = line.silence
    end = {
        Ending.ANSWERED: report.local(silence.until),
        Ending.CUT: f"cut {report.local(silence.until)}",
        Ending.OPEN: "still silent",
    }[silence.ending]
    return (
        report.local(silence.last_answer),
        report.local(silence.first_miss),
        report.local(silence.last_miss),
        end,
        "yes" if silence.confirmed else "no",
        str(line.down_s) if line.counts else "-",
    )


def _blindness(report: MonthReport, record: BlindRecord) -> str:
    until = "now" if record.until is None else report.local(record.until)
    return f"{report.local(record.since)} to {until}: {record.why}"


def _more(count: int) -> Iterator[Text]:
    if count > LINES_MAX:
        yield Text(f"  and {count - LINES_MAX} more: see the other formats")


def _ruled(paper: Paper) -> Table:
    return Table(box=box.SIMPLE_HEAD if paper.colour else None, pad_edge=False, show_edge=False)


def _fits(console: Console, table: Table) -> bool:
    """Whether a table can stand on the page without cutting anything off."""
    boundless = console.options.update(max_width=BOUNDLESS)
    return Measurement.get(console, boundless, table).maximum <= console.width

"""The month for people: a table for each customer, and below it every silence.

On a terminal with rules and colours, elsewhere plain. Where the table does not fit, each device is
written below the other: a figure is never cut off. Times are those of the site's clocks.
"""

from __future__ import annotations

import io
from collections.abc import Iterator
from itertools import groupby

from rich.console import Console
from rich.table import Table
from rich.text import Text

from hostwatch.core.instant import from_second
from hostwatch.reports import PLAIN, Paper
from hostwatch.reports._grid import Grid
from hostwatch.sla.account import PLACES, Account
from hostwatch.sla.lines import DoubtLine, SilenceLine
from hostwatch.sla.month import MonthReport, Row, ServiceRow, SupplyRow, Total, UplinkRow
from hostwatch.sla.records import BlindRecord, EmergencyRecord, Ending
from hostwatch.sla.timing import ClockRecord

FORMAT = "tables for people, as wide as the terminal"

LINES_MAX = 50
"""How many silences of one device are written out; the other formats have them all."""

SILENT_MAX = 5
"""Sources that are named as not heard; JSON has them all."""

NOTE = (
    "Seconds are exact and add up: up + down + unknown + excluded = period. Percentages are of the period, "
    f"rounded down to {PLACES} decimals, and decide nothing. "
    "Lower: all that is unknown, and the time from the last to the first answer, taken as down. "
    "Upper: only the time from the first to the last miss. No figure where we could not look at all."
)

NOT_MEASURED = (
    "Reachability of the carrier was not measured: no reference points, so backbone time is unknown. "
    "The figures above are of pings from inside."
)

BACKBONE_NOTE = (
    "Reach of the carrier: down where the device or its uplink was silent, up where both answered, "
    "unknown elsewhere. A ping from inside proves neither; time without reference points is unknown."
)

POWER_NOT_MEASURED = (
    "Power was not measured: these devices hang on no supply of the power model, so all its time is unknown."
)

POWER_NOTE = (
    "Power: down where the supply that a device hung on was interrupted by the agreement's rule, at its "
    "measuring point; unknown where nobody could say. It is no part of the network's figures, nor they of it."
    " Possibly interrupted: unknown, and seen last on battery, with a low battery, with its output off or"
    " without power. Such seconds are in the lower figure only, as all that is unknown."
)

FIGURES = ("period s", "up s", "down s", "unknown s", "excl. s", "avail. %", "lower %", "upper %", "cover. %")
DOUBT = (
    "not known since",
    "until",
    "unknown s",
    "because",
    "silent",
    "seen last",
    "so since",
    "by",
    "left",
    "possibly",
)
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
    for part in _parts(report, paper):
        if isinstance(part, str):
            page.write(part + "\n")
        else:
            console.print(part)
    lines = page.getvalue().split("\n")
    return "\n".join(line.rstrip(" ") for line in lines).encode()


def _parts(report: MonthReport, paper: Paper) -> Iterator[str | Text | Table]:
    """What is printed: finished lines, or what is still to be wrapped and coloured."""
    yield from _heading(report)
    totals = {total.customer: total for total in report.totals}
    for customer, rows in groupby(report.rows, key=lambda row: row.customer):
        mine = list(rows)
        yield Text(f"\n{customer}", style="bold")
        yield _accounts(mine, totals[customer]).on(paper)
        yield from _reach(mine, totals[customer], paper)
        yield from _services(mine, customer, paper)
        yield from _power(mine, totals[customer], paper)
        yield from _contractual(mine, paper)
        yield from _by_hand(report, mine)
        for row in mine:
            if row.silences:
                yield from _silences(report, f"Silences of {row.device}", row, paper)
                yield from _together(report, row)
            for service in row.services:
                if service.silences:
                    yield from _silences(
                        report, f"Silences of {service.name} on {row.device}", service, paper
                    )
    for uplink in report.uplinks:
        yield from _uplink(report, uplink, paper)
    for supply in report.supplies:
        yield from _supply(report, supply, paper)
    if not report.rows:
        yield "\nNo device was in service."
    yield from _doubts(report)
    yield Text(f"\n{NOTE}", style="dim")
    if report.uplinks:
        yield Text(BACKBONE_NOTE, style="dim")
    if report.supplies:
        yield Text(POWER_NOTE, style="dim")


def _doubts(report: MonthReport) -> Iterator[str | Text]:
    if report.blind:
        yield "\nWhen we could not look"
        yield from (Text(f"  {_blindness(report, record)}") for record in report.blind[:LINES_MAX])
        yield from _more(len(report.blind))
    if report.clock:
        yield "\nWhen the clock was not known to be right"
        yield from (Text(f"  {_doubt(report, record)}") for record in report.clock[:LINES_MAX])
        yield from _more(len(report.clock))


def _heading(report: MonthReport) -> Iterator[Text]:
    so_far = ", so far" if report.so_far else ""
    yield Text(f"{report.site}: {report.month}{so_far}", style="bold")
    yield Text(f"{report.local(report.start)} to {report.local(report.until)} ({report.zone})")
    seen = "the watch never ran" if report.as_of is None else f"seen until {report.local(report.as_of)}"
    yield Text(f"record up to entry {report.as_of_seq}, {seen}; downtime: {report.rule.words}")


def _accounts(rows: list[Row], total: Total) -> Grid:
    cells = [(row.device, *_figures(row.account)) for row in rows]
    styles = [_style(row.account) for row in rows]
    if len(rows) > 1:
        blank = [""] * (len(FIGURES) - len(_sums(total.account)))
        cells.append((f"{total.devices} devices", *_sums(total.account), *blank))
        styles.append("bold")
    return Grid(header=("device", *FIGURES), rows=cells, styles=styles)


def _reach(rows: list[Row], total: Total, paper: Paper) -> Iterator[str | Text | Table]:
    """Whether the carrier could be reached from each port; apart, since pings from inside cannot say it."""
    if not total.backbone_measured_s:
        yield Text(f"\n{NOT_MEASURED}", style="yellow")
        return
    yield Text(f"\nReach of the carrier from the ports of {total.customer}")
    cells = [(row.device, ", ".join(row.uplinks) or "not measured", *_figures(row.backbone)) for row in rows]
    styles = [_style(row.backbone) for row in rows]
    if len(rows) > 1:
        blank = [""] * (len(FIGURES) - len(_sums(total.backbone)))
        cells.append((f"{total.devices} devices", "", *_sums(total.backbone), *blank))
        styles.append("bold")
    yield Grid(header=("device", "uplink", *FIGURES), rows=cells, styles=styles, left=2).on(paper)


def _services(rows: list[Row], customer: str, paper: Paper) -> Iterator[str | Text | Table]:
    """The services of a customer's devices, each with an account of its own."""
    found = [(row.device, service) for row in rows for service in row.services]
    if found:
        yield Text(f"\nServices of {customer}")
        cells = [(device, service.name, *_figures(service.account)) for device, service in found]
        styles = [_style(service.account) for _, service in found]
        yield Grid(header=("device", "service", *FIGURES), rows=cells, styles=styles, left=2).on(paper)


def _power(rows: list[Row], total: Total, paper: Paper) -> Iterator[str | Text | Table]:
    """Whether each device had the power that was promised; apart, since it is another guarantee."""
    if not total.power_measured_s:
        yield Text(f"\n{POWER_NOT_MEASURED}", style="yellow")
        return
    yield Text(f"\nPower of the devices of {total.customer}")
    cells = [
        (row.device, "; ".join(row.power.supplies) or "not measured", *_figures(row.power.account))
        for row in rows
    ]
    styles = [_style(row.power.account) for row in rows]
    if len(rows) > 1:
        blank = [""] * (len(FIGURES) - len(_sums(total.power)))
        cells.append((f"{total.devices} devices", "", *_sums(total.power), *blank))
        styles.append("bold")
    yield Grid(header=("device", "supply", *FIGURES), rows=cells, styles=styles, left=2).on(paper)
    for row in rows:
        if row.power.possibly_s:
            told = f"of {row.power.account.unknown_s} unknown seconds, {row.power.possibly_s} possibly"
            yield Text(f"  {row.device}: {told} interrupted", style="yellow")


def _contractual(rows: list[Row], paper: Paper) -> Iterator[str | Text | Table]:
    """The network's figures by the term on one event, beside the raw ones, where they are others."""
    found = [row for row in rows if row.once.account != row.account or row.once.backbone != row.backbone]
    if not found:
        return
    yield Text("\nNetwork without what counts in power alone, as the agreement says")
    cells = []
    for row in found:
        cells.append((row.device, "pings", *_figures(row.once.account)))
        if row.backbone_measured_s:
            cells.append((row.device, "carrier", *_figures(row.once.backbone)))
    yield Grid(header=("device", "by", *FIGURES), rows=cells, styles=[""] * len(cells), left=2).on(paper)


def _by_hand(report: MonthReport, rows: list[Row]) -> Iterator[str | Text]:
    """What people said of emergencies: those that they reported, and false alarms. No figure has it."""
    found = {
        one.reference: one
        for row in rows
        for one in (*row.emergencies, *(one for service in row.services for one in service.emergencies))
        if one.report is not None or one.corrected_at is not None
    }
    told = [line for one in found.values() for line in _said(report, one)]
    if told:
        yield "\nWhat people said, which is counted in no figure"
        yield from (Text(f"  {line}") for line in told[:LINES_MAX])
        yield from _more(len(told))


def _said(report: MonthReport, one: EmergencyRecord) -> Iterator[str]:
    said = one.report
    if said is not None:
        until = "now" if said.until is None else report.local(said.until)
        what = f" ({said.service})" if said.service else ""
        evidence = f"; evidence {', '.join(said.evidence)}" if said.evidence else ""
        since = report.local(said.since)
        yield f"{one.reference}{what} reported, {since} to {until}, recorded by {said.by}{evidence}"
    if one.corrected_at is not None:
        when = report.local(one.corrected_at)
        yield f"{one.reference} corrected as a false alarm at {when} by {one.corrected_by}"


def _together(report: MonthReport, row: Row) -> Iterator[Text]:
    """Which seconds of the silences were losses of power."""
    for one in row.once.together[:LINES_MAX]:
        told = f", {', '.join(one.references)}" if one.references else ""
        count = f"; not counted: {one.once_s} s" if one.once_s else ""
        since, until = (
            report.local(from_second(at)) for at in (one.seconds.spans[0].start, one.seconds.spans[-1].end)
        )
        yield Text(
            f"  power of {one.supply} interrupted, {since} to {until}: {one.seconds.total} s{told}{count}"
        )
    yield from (Text(line) for line in _more(len(row.once.together)))


def _uplink(report: MonthReport, row: UplinkRow, paper: Paper) -> Iterator[str | Text | Table]:
    kind = "Redundancy group" if row.members else "Uplink"
    yield Text(f"\n{kind} {row.uplink}: {row.name}", style="bold")
    cells = [(row.uplink, *_figures(row.account))]
    yield Grid(header=("uplink", *FIGURES), rows=cells, styles=[_style(row.account)]).on(paper)
    if row.silences:
        yield from _silences(report, f"Silences of {kind.lower()} {row.uplink}", row, paper)


def _supply(report: MonthReport, row: SupplyRow, paper: Paper) -> Iterator[str | Text | Table]:
    yield Text(f"\nSupply {row.supply}, measured at the {row.measured_at}", style="bold")
    cells = [(row.supply, *_figures(row.account))]
    yield Grid(header=("supply", *FIGURES), rows=cells, styles=[_style(row.account)]).on(paper)
    if row.silences:
        yield from _silences(report, f"Interruptions of supply {row.supply}", row, paper)
    if row.doubts:
        told = f", of which {row.possibly_s} possibly interrupted" if row.possibly_s else ""
        yield Text(f"\nNot known of supply {row.supply}: {row.account.unknown_s} s{told}")
        cells = [_doubted(report, line) for line in row.doubts[:LINES_MAX]]
        yield Grid(header=DOUBT, rows=cells, styles=[""] * len(cells), left=len(DOUBT)).on(paper)
        yield from _more(len(row.doubts))


def _doubted(report: MonthReport, line: DoubtLine) -> tuple[str, ...]:
    doubt, seen = line.doubt, line.doubt.seen
    runtime_s = seen.runtime_s if seen.is_possible else None
    return (
        report.local(doubt.since),
        "now" if doubt.is_open else report.local(doubt.until),
        str(line.unknown_s),
        doubt.because,
        ", ".join(doubt.silent[:SILENT_MAX]),
        seen.last.words,
        "" if seen.since is None else report.local(seen.since),
        seen.source,
        "" if runtime_s is None else f"{runtime_s // 60} min",
        "interrupted" if seen.is_possible else "-",
    )


def _style(account: Account) -> str:
    return "red" if account.down_s else "yellow" if account.unknown_s else ""


def _sums(account: Account) -> tuple[str, ...]:
    seconds = (account.period_s, account.up_s, account.down_s, account.unknown_s, account.excluded_s)
    return tuple(str(count) for count in seconds)


def _figures(account: Account) -> tuple[str, ...]:
    shown = (account.availability, account.availability_lower, account.availability_upper, account.coverage)
    return (*_sums(account), *("-" if value is None else f"{value:f}" for value in shown))


def _silences(
    report: MonthReport, title: str, row: Row | ServiceRow | UplinkRow | SupplyRow, paper: Paper
) -> Iterator[str | Text | Table]:
    references = ", ".join(emergency.reference for emergency in row.emergencies[:LINES_MAX])
    yield Text(f"\n{title}" + (f" (emergencies {references})" if references else ""))
    cells = [_dates(report, line) for line in row.silences[:LINES_MAX]]
    yield Grid(header=SILENCE, rows=cells, styles=[""] * len(cells), left=len(SILENCE) - 1).on(paper)
    yield from _more(len(row.silences))
    for line in row.silences[:LINES_MAX]:
        if line.silence.cause:
            sure = f", {line.silence.confidence}" if line.silence.confidence != "none" else ""
            yield Text(f"  cause, {report.local(line.silence.first_miss)}: {line.silence.cause}{sure}")
    for emergency in row.emergencies[:LINES_MAX]:
        if emergency.stated:
            yield Text(f"  cause of {emergency.reference}, as a person states: {emergency.stated}")


def _dates(report: MonthReport, line: SilenceLine) -> tuple[str, ...]:
    silence = line.silence
    until = report.local(silence.until)
    end = {Ending.ANSWERED: until, Ending.CUT: f"cut {until}", Ending.OPEN: "still silent"}[silence.ending]
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


def _doubt(report: MonthReport, record: ClockRecord) -> str:
    until = "now" if record.until is None else report.local(record.until)
    return f"{report.local(record.since)} to {until}: {record.words}"


def _more(count: int) -> Iterator[str]:
    if count > LINES_MAX:
        yield f"  and {count - LINES_MAX} more: see the other formats"

"""`hostwatch report --month 2026-10`: the month, as the record tells it.

It reads the store and asks nobody: whether the watch runs makes no difference.
"""

from __future__ import annotations

import argparse
import difflib
import os
import sys
from collections.abc import Iterator
from datetime import datetime
from itertools import chain
from pathlib import Path
from zoneinfo import ZoneInfo

from rich.console import Console
from rich.progress import Progress

from hostwatch import reports
from hostwatch.clock import SystemClock
from hostwatch.commands import Refused, add_config, says_why, typed_month
from hostwatch.configuration import load
from hostwatch.core import facts
from hostwatch.core.instant import from_second
from hostwatch.sla.history import ENDING, LASTING, fold
from hostwatch.sla.month import MonthReport, month
from hostwatch.sla.records import History
from hostwatch.sla.timing import doubts
from hostwatch.store.reader import AsOf, Reader

HELP = "account for a month: seconds up, down and unknown, silences and emergencies"


def arguments(parser: argparse.ArgumentParser) -> None:
    """What the command takes."""
    add_config(parser)
    parser.add_argument(
        "--month", type=typed_month, required=True, metavar="YYYY-MM", help="a month of the site's time zone"
    )
    parser.add_argument("--customer", metavar="ID", help="only this customer's devices")
    parser.add_argument(
        "--format",
        choices=reports.formats(),
        default="text",
        help="; ".join(f"{name}: {reports.about(name)}" for name in reports.formats()),
    )
    parser.add_argument("--output", type=Path, metavar="FILE", help="write to this file, whole or not at all")


@says_why(1)
def run(options: argparse.Namespace) -> int:
    """0 if there is a report, 1 if it cannot be made, 2 if what was asked for makes no sense."""
    report = _report(options)
    page = reports.render(options.format, report, _paper(options))
    if options.output is None:
        sys.stdout.flush()
        sys.stdout.buffer.write(page)
        sys.stdout.buffer.flush()
    else:
        _write(options.output, page)
    return 0


def _report(options: argparse.Namespace) -> MonthReport:
    loaded = load.load(options.config, read_secrets=False)
    site = loaded.configuration.site
    zone = ZoneInfo(site.timezone)
    with Reader(loaded.store) as reader:
        judged: list[facts.Fact] = []
        as_of, history = _history(reader, from_second(options.month.span(zone).start), judged)
    if options.customer is not None and options.customer not in history.customers:
        raise Refused(_unknown_customer(options.customer, sorted(history.customers)))
    try:
        return month(
            history,
            options.month,
            zone,
            site=site.name,
            as_of_seq=as_of.seq,
            as_of=as_of.alive_at,
            customer=options.customer,
            clock=doubts(judged),
        )
    except ValueError as error:
        raise Refused(str(error)) from None


def _history(reader: Reader, since: datetime, judged: list[facts.Fact]) -> tuple[AsOf, History]:
    """The present is read first and the time after it, so that nothing read is later than now.

    What was judged of the clock is added to `judged`.
    """
    as_of, world = reader.moment()
    now = SystemClock().now()
    with Progress(console=Console(stderr=True), transient=True, disable=not sys.stderr.isatty()) as progress:
        task = progress.add_task("reading the record", total=None)

        def passed(done: int, of: int) -> None:
            progress.update(task, completed=done, total=of)

        lasting = _set_aside(reader.facts((*LASTING, facts.ClockQuality), until=as_of), judged)
        ending = reader.facts(ENDING, until=as_of, since=since, progress=passed)
        happened: Iterator[facts.Fact] = chain(lasting, ending)
        return as_of, fold(happened, world.signals, world.blind, now)


def _set_aside(happened: Iterator[facts.Fact], judged: list[facts.Fact]) -> Iterator[facts.Fact]:
    for fact in happened:
        if isinstance(fact, facts.ClockQuality):
            judged.append(fact)
        else:
            yield fact


def _unknown_customer(name: str, known: list[str]) -> str:
    near = difflib.get_close_matches(name, known, 1)
    hint = f"did you mean {near[0]}?" if near else f"the record knows {len(known)} customers"
    return f"cannot report customer {name}: the record knows no such customer; {hint}"


def _paper(options: argparse.Namespace) -> reports.Paper:
    if options.output is not None or not sys.stdout.isatty():
        return reports.PLAIN
    plain = bool(os.environ.get("NO_COLOR")) or getattr(options, "no_color", False)
    return reports.Paper(width=os.get_terminal_size(sys.stdout.fileno()).columns or 80, colour=not plain)


def _write(path: Path, page: bytes) -> None:
    """Put the page in its place in one step: nobody ever sees half of a report."""
    try:
        if path.exists() and not path.is_file():
            path.write_bytes(page)  # a device or a pipe: it must not be replaced by a file
            return
        draft = path.with_name(f".{path.name}.{os.getpid()}")
        try:
            with draft.open("xb") as file:
                file.write(page)
                file.flush()
                os.fsync(file.fileno())
            draft.replace(path)
        finally:
            draft.unlink(missing_ok=True)
    except OSError as error:
        raise Refused(f"cannot write {path}: {error.strerror}") from error

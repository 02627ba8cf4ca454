"""`hostwatch duties`: the clock of each duty to tell: verdict, attempts, proof, time left or over, and why.

Reads the record and asks nobody. Exit code 0; 1 if one of those that are shown was not met in time, or is
open and over; 2 if the record cannot be read, or what was asked for makes no sense.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from rich.console import Console
from rich.markup import escape
from rich.table import Column, Table

from hostwatch import duties
from hostwatch.asked import REFERENCE
from hostwatch.clock import SystemClock
from hostwatch.commands import Refused, add_config, says_why, typed_month
from hostwatch.configuration.load import load
from hostwatch.core import canonical
from hostwatch.core.breachreason import words_of
from hostwatch.core.claims import Word
from hostwatch.core.instant import from_second
from hostwatch.duties import BROKEN, Standing
from hostwatch.messages import catalogue, seen, spans
from hostwatch.store.duties import Which
from hostwatch.store.reader import Reader

HELP = "show the clock of each duty to tell: verdict, attempts, proof, minutes left or over, and why"

LISTED_MAX = 50
"""Duties that are shown with their attempts; all are in the JSON."""

STYLES = {
    Standing.MET: "green",
    Standing.OPEN: "yellow",
    Standing.RELEASED: "yellow",
    Standing.LATE: "red",
    Standing.BREACHED: "bold red",
}


def arguments(parser: argparse.ArgumentParser) -> None:
    """What the command takes."""
    add_config(parser)
    parser.add_argument(
        "which", nargs="?", metavar="EMERGENCY|CUSTOMER", default="", help="only of this one; else of all"
    )
    some = parser.add_mutually_exclusive_group()
    some.add_argument("--open", action="store_true", help="only those that are to be met yet")
    some.add_argument("--breached", action="store_true", help="only those that were not met in time")
    parser.add_argument(
        "--month",
        type=typed_month,
        metavar="YYYY-MM",
        help="only those due in a month of the site's time zone",
    )
    parser.add_argument("--language", default="en", help="of the words about reasons (en, zh)")
    parser.add_argument("--json", action="store_true", help="print JSON, for programs")


@says_why(2)
def run(options: argparse.Namespace) -> int:
    """0: all are met in time or may be, 1: one is not, 2: it cannot be said."""
    loaded = load(options.config, read_secrets=False)
    zone = ZoneInfo(loaded.configuration.site.timezone)
    with Reader(loaded.store) as reader:
        found = duties.of_record(reader, _which(options, zone), SystemClock().now())
        if not found and options.which:
            _known(reader, options.which)
    shown = [one for one in found if _is_asked_for(one, options)]
    if options.json:
        told = {"counts": duties.counts(shown), "duties": shown}
        print(json.dumps(canonical.plain(told), ensure_ascii=False))
    else:
        _Page(zone, options.language).show(shown)
    return int(any(one["standing"] in BROKEN for one in shown))


def _which(options: argparse.Namespace, zone: ZoneInfo) -> Which:
    is_reference = REFERENCE.fullmatch(options.which) is not None
    span = None if options.month is None else options.month.span(zone)
    return Which(
        emergency=options.which if is_reference else "",
        customer="" if is_reference else options.which,
        since=None if span is None else from_second(span.start),
        until=None if span is None else from_second(span.end),
    )


def _known(reader: Reader, which: str) -> None:
    """Raises `Refused` if the record has neither such an emergency nor such a customer."""
    if REFERENCE.fullmatch(which) is not None:
        if reader.emergency(which) is None:
            raise Refused(f"the record knows no emergency {which}")
    elif which not in reader.customers_at(SystemClock().now()):
        raise Refused(
            f"the record knows no customer {which}; write a reference such as E-000042, or a customer"
        )


def _is_asked_for(one: Mapping[str, Any], options: argparse.Namespace) -> bool:
    if options.open:  # one that is over and was not met is still to be met
        return one["met_at"] is None and one["released_at"] is None
    return not options.breached or one["standing"] in BROKEN


class _Page:
    """A page for eyes."""

    def __init__(self, zone: ZoneInfo, language: str) -> None:
        self._zone = zone
        self._t = catalogue.words(catalogue.resolve(language))
        self._console = Console(highlight=False)

    def _time(self, when: datetime) -> str:
        return when.astimezone(self._zone).strftime("%Y-%m-%d %H:%M:%S %z")

    def show(self, shown: Sequence[dict[str, Any]]) -> None:
        """All of it."""
        for one in shown[:LISTED_MAX]:
            self._show(one)
        if len(shown) > LISTED_MAX:
            rest = len(shown) - LISTED_MAX
            self._console.print(f"[yellow]{rest:,} more; --json has all, --open or --breached some")
        counts = duties.counts(shown)
        parts = [f"{counts[name]:,} {name}" for name in Standing if counts[name]]
        self._console.print(
            f"{len(shown):,} duties to customers" + (f": {', '.join(parts)}" if parts else "")
        )
        self._console.print(f"{counts['breaches']:,} breaches, of them {counts['excused']:,} excused")

    def _show(self, one: Mapping[str, Any]) -> None:
        title = f"{one['emergency']} to {one['customer']} ({one['told']}): {one['standing']}, {_left(one)}"
        title += ", excused" if one["excused"] else ""
        table = Table(
            "when",
            Column("who", overflow="fold"),
            Column("what", overflow="fold"),
            Column("said", overflow="fold"),
            title=title,
            title_style=STYLES[Standing(one["standing"])],
            title_justify="left",
        )
        for at, who, what, said in sorted(_lines(one), key=lambda line: line[0]):
            table.add_row(self._time(at), who, what, escape(said))
        self._console.print(table)
        for reason in one["reasons"]:
            self._console.print(f"  because: {escape(seen.worded(self._t, words_of(reason)))}")
        for claim in one["claims"]:
            self._claim(claim)

    def _claim(self, claim: Mapping[str, Any]) -> None:
        made = f"{claim['claim']}: {claim['class']}, claimed on {self._time(claim['at'])} by {claim['actor']}"
        self._console.print(f"  {escape(made)}: {escape(claim['because'] or 'a reason that was erased')}")
        for one in claim["warned"]:
            self._console.print(
                f"    {one['contact']}: the customer was warned of {one['channel']} on {one['at']}"
            )
        if claim["decided_at"] is not None:
            by = f"{claim['word']} by {claim['decided_by']} on {self._time(claim['decided_at'])}"
            why = f": {claim['decided_because']}" if claim["decided_because"] else ""
            self._console.print(
                f"    {'excused, ' if claim['word'] == Word.APPROVED else ''}{escape(by + why)}"
            )


def _left(one: Mapping[str, Any]) -> str:
    """How much time was, or is, left."""
    seconds = abs(one["left_s"])
    return f"{spans.words(seconds)} {'left' if one['left_s'] >= 0 else 'over'}"


Line = tuple[datetime, str, str, str]


def _lines(one: Mapping[str, Any]) -> Iterator[Line]:
    """What happened when: with the customer, and with each person."""
    yield one["verdict"], one["customer"], "verdict: the time to tell begins", ""
    yield from _ends(one, one["customer"])
    for person in one["people"]:
        who = person["contact"] + ("" if person["counts"] else " (does not count)")
        yield from _ends(person, who)
        for attempt in person["attempts"]:
            what = f"{attempt['channel']} {attempt['number']}: {attempt['outcome']}"
            yield attempt["ended_at"] or attempt["began_at"], who, what, attempt["said"] or ""
            for later in attempt["later"]:
                what = f"{attempt['channel']} {attempt['number']}: {later['what']}"
                yield later["at"], who, what, later["said"] or ""


def _ends(one: Mapping[str, Any], who: str) -> Iterator[Line]:
    if one["met_at"] is not None:
        yield one["met_at"], who, "told in time" if one["standing"] == Standing.MET else "told late", ""
    if one["breached_at"] is not None:
        yield one["breached_at"], who, "breach: the time to tell is out", ""
    elif one["standing"] == Standing.BREACHED:
        yield one["due"], who, "the time to tell is out, and no breach is recorded", ""
    if one["released_at"] is not None:
        yield one["released_at"], who, "released: nobody is left who could be told", ""

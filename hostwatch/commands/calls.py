"""`hostwatch calls`: which calls a human must make now, what to say, and how many minutes are left.

`hostwatch calls take CALL --by NAME` makes one yours for two minutes, `hostwatch calls end CALL --outcome …`
says what came of it. Both go through the control socket to the running watch, and are facts.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Mapping
from typing import Any
from zoneinfo import ZoneInfo

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from hostwatch.callsheet import sheet
from hostwatch.clock import SystemClock
from hostwatch.commands import USAGE, Refused, add_config, says_why
from hostwatch.configuration.load import load
from hostwatch.control import ask
from hostwatch.core import canonical
from hostwatch.core.calls import Outcome
from hostwatch.messages import spans
from hostwatch.store.reader import Reader

HELP = "show the calls that a human must make, take one, or say what came of it"

LATE_S, SOON_S = 300, 600
"""Red with five minutes left, yellow with ten."""


def arguments(parser: argparse.ArgumentParser) -> None:
    """What the command takes."""
    add_config(parser)
    parser.add_argument("action", nargs="?", choices=("take", "end"), help="without it the sheet is shown")
    parser.add_argument("call", nargs="?", metavar="CALL", default="", help="such as E-000042/duty")
    parser.add_argument("--by", metavar="NAME", default="", help="who takes it, or made it")
    known = ", ".join(one.value.replace(" ", "-") for one in Outcome)
    parser.add_argument("--outcome", metavar="WHAT", default="", help=f"what came of it: {known}")
    parser.add_argument("--to", metavar="NAME", default="", help="whom you spoke to")
    parser.add_argument("--has-it", action="store_true", help='they said "I have it"')
    parser.add_argument(
        "--reference",
        metavar="WHERE",
        default="",
        help="a record that others keep: of the exchange, a recording, the report of the fax machine",
    )
    parser.add_argument("--supervisor", action="store_true", help="only those that came back")
    parser.add_argument("--json", action="store_true", help="print JSON, for programs")


@says_why(1)
def run(options: argparse.Namespace) -> int:
    """0: shown or noted; 1 if it cannot be; 2 if what was asked for makes no sense."""
    loaded = load(options.config, read_secrets=False)
    if options.action is None:
        with Reader(loaded.store) as reader:
            found = sheet(reader.world(), loaded.configuration, reader.personal, SystemClock().now())
        found = [one for one in found if one["supervisor"] or not options.supervisor]
        if options.json:
            print(json.dumps(canonical.plain(found), ensure_ascii=False))
        else:
            _show(found, ZoneInfo(loaded.configuration.site.timezone))
        return 0
    if not options.call:
        raise Refused("which call? hostwatch calls shows them")
    return _tell(options, ask(loaded.control, f"{options.action}-call", within_s=30, **_asked(options)))


def _asked(options: argparse.Namespace) -> dict[str, Any]:
    if options.action == "take":
        return {"call": options.call, "by": options.by}
    return {
        "call": options.call,
        "by": options.by,
        "outcome": options.outcome,
        "to": options.to,
        "acknowledged": "yes" if options.has_it else "",
        "reference": options.reference,
    }


def _tell(options: argparse.Namespace, answer: Mapping[str, Any]) -> int:
    if not answer.get("ok"):
        print(answer.get("error", "the watch refused"), file=sys.stderr)
        return USAGE
    if options.action == "take":
        print(f"{answer['call']} is yours for {spans.words(answer['within_s'])}; then say what came of it")
    else:
        print(f"{answer['call']}: {answer['outcome']}")
    return 0


def _show(found: list[dict[str, Any]], zone: ZoneInfo) -> None:
    """The sheet: who, their number and what to say; the most urgent first."""
    console = Console()
    if not found:
        console.print("[green]no call is to be made")
        return
    table = Table("left", "call", "whom", "number", "say", "taken", title="Calls to be made", show_lines=True)
    table.columns[1].overflow = table.columns[3].overflow = "fold"
    for one in found:
        number = one["number"] or "erased: ask for it"
        table.add_row(
            _left(one["left_s"]),
            one["call"],
            f"{one['customer']}\n{one['contact']}",
            f"fax {number}" if one["by_fax"] else number,
            escape("\n".join(one["say"][1:2] if one["by_fax"] else one["say"])),
            _taken(one, zone),
        )
    console.print(table)


def _left(seconds: int | None) -> str:
    if seconds is None:
        return "–"
    if seconds < 0:
        return f"[bold red]late by\n{spans.words(-seconds)}[/]"
    style = "red" if seconds <= LATE_S else "yellow" if seconds <= SOON_S else "green"
    return f"[{style}]{spans.words(seconds)}[/]"


def _taken(one: Mapping[str, Any], zone: ZoneInfo) -> str:
    if one["taken_at"] is not None:
        who = one["taken_by"] or "somebody"
        return f"[cyan]{escape(who)} since {one['taken_at'].astimezone(zone):%H:%M:%S}[/]"
    if one["supervisor"]:
        return f"[red]came back {one['came_back']} times: supervisor[/]"
    return "nobody"

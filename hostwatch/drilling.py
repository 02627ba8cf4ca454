"""The command `drill` without `--plan`: people are told of nothing, through the whole chain.

It is marked EXERCISE in each form, goes behind everything real, opens no emergency and counts in no month.
What came of it is filed in the record. `hostwatch drill list`, `hostwatch drill show X-000001`.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from hostwatch import channels
from hostwatch.commands import USAGE, WRONG, Refused, says_why
from hostwatch.configuration import duration
from hostwatch.configuration.load import Loaded, load
from hostwatch.configuration.mistake import Wrong
from hostwatch.control import ask
from hostwatch.core import canonical
from hostwatch.store.exercised import Filed
from hostwatch.store.reader import Reader

LISTED_MAX = 100
"""Exercises that are shown; older ones are in the record."""

LOOK_EVERY_S = 1.0
"""How often `--wait` looks whether an exercise is over."""


def arguments(parser: argparse.ArgumentParser) -> None:
    """What an exercise takes."""
    parser.add_argument("action", nargs="?", choices=("show", "list"), help="without it an exercise is begun")
    parser.add_argument("reference", nargs="?", metavar="EXERCISE", default="", help="such as X-000001")
    parser.add_argument(
        "--to",
        metavar="CUSTOMER[/CONTACT]",
        action="append",
        default=[],
        help="who is told, may be given more than once; if not given, the operator's people on duty",
    )
    parser.add_argument("--by", metavar="KIND", default="", help="by this kind of channel alone")
    parser.add_argument("--within", metavar="TIME", default="15m", help="by when; if not given, 15m")
    parser.add_argument("--wait", action="store_true", help="wait for its end, and show what came of it")


@says_why(1)
def run(options: argparse.Namespace) -> int:
    """0 if it has begun, or everybody was told in time; 1 if somebody was not; 2 if it makes no sense."""
    loaded = load(options.config, read_secrets=False)
    if options.action is not None:
        return _shown(loaded, options)
    within = _within(options.within)
    _check_kind(loaded, options.by)
    answer = ask(
        loaded.control,
        "exercise",
        within_s=30,
        to=" ".join(options.to),
        by=options.by,
        seconds=str(within // timedelta(seconds=1)),
    )
    if not answer.get("ok"):
        print(answer.get("error", "the watch refused"), file=sys.stderr)
        return USAGE
    reference = str(answer["reference"])
    if not options.wait:
        print(json.dumps(answer) if options.json else f"{reference}: told to {', '.join(answer['people'])}")
        return 0
    return _show([_ended(loaded.store, reference)], loaded, as_json=options.json)


def _within(text: str) -> timedelta:
    try:
        return duration.parse(text)
    except Wrong as wrong:
        raise Refused(f"--within {wrong.wrong}: {wrong.mend}") from None


def _check_kind(loaded: Loaded, kind: str) -> None:
    if kind and kind not in channels.kinds():
        raise Refused(f"{kind} is no kind of channel; known: {', '.join(channels.kinds())}")
    people = (one for customer in loaded.configuration.customers for one in customer.contacts)
    if kind and not any(rung.kind == kind for one in people for rung in one.channels):
        raise Refused(f"nobody is told by {kind}")


def _ended(store: Path, reference: str) -> Filed:
    """The exercise, once it is over."""
    while True:
        with Reader(store) as reader:
            found = next(one for one in reader.exercises(LISTED_MAX) if one.exercise.reference == reference)
        if found.why:
            return found
        time.sleep(LOOK_EVERY_S)


def _shown(loaded: Loaded, options: argparse.Namespace) -> int:
    if (options.action == "show") != bool(options.reference):
        raise Refused("write hostwatch drill show EXERCISE, or hostwatch drill list")
    with Reader(loaded.store) as reader:
        known = reader.exercises(LISTED_MAX)
    if options.action == "show":
        known = [one for one in known if one.exercise.reference == options.reference]
        if not known:
            print(f"the record knows no exercise {options.reference}", file=sys.stderr)
            return WRONG
        return _show(known, loaded, as_json=options.json)
    if options.json:
        print(json.dumps([_plain(one) for one in known], ensure_ascii=False))
        return 0
    zone = ZoneInfo(loaded.configuration.site.timezone)
    for one in known:
        print(_line(one, zone))
    if not known:
        print("there was no exercise yet")
    return 0


def _show(found: Iterable[Filed], loaded: Loaded, *, as_json: bool) -> int:
    one = next(iter(found))
    if as_json:
        print(json.dumps(_plain(one), ensure_ascii=False))
    else:
        print(_line(one, ZoneInfo(loaded.configuration.site.timezone)))
        Console(highlight=False, soft_wrap=True).print(_table(one.results))
        if one.seq is not None:
            print(f"filed as fact {one.seq}, leaf {one.leaf}")
    return 0 if not one.why or all(person["in_time"] for person in one.results) else WRONG


def _plain(one: Filed) -> dict[str, Any]:
    exercise = one.exercise
    plain: dict[str, Any] = canonical.plain(
        {
            "reference": exercise.reference,
            "opened_at": exercise.opened_at,
            "due": exercise.due,
            "ended_at": exercise.ended_at,
            "by": exercise.by or None,
            "begun_by": exercise.actor,
        }
    )
    filed = {"why": one.why or None, "fact": one.seq, "leaf": one.leaf or None, "digest": one.digest or None}
    return {**plain, **filed, "results": [*one.results]}


def _line(one: Filed, zone: ZoneInfo) -> str:
    exercise, told = one.exercise, sum(1 for person in one.results if person["in_time"])
    acknowledged = sum(1 for person in one.results if person["acknowledged_s"] is not None)
    state = "under way until" if not one.why else "ended"
    until = exercise.due if exercise.ended_at is None else exercise.ended_at
    return (
        f"{exercise.reference}  {_time(exercise.opened_at, zone)}, {state} {_time(until, zone)}:"
        f" {told} of {len(one.results)} told in time, {acknowledged} acknowledged"
    )


def _time(when: datetime, zone: ZoneInfo) -> str:
    return when.astimezone(zone).strftime("%Y-%m-%d %H:%M:%S")


def _table(results: Iterable[Mapping[str, Any]]) -> Table:
    table = Table(box=None, pad_edge=False)
    for title in ("who", "by", "first try", "told after", "proof", "wanted", "acknowledged after", "tries"):
        table.add_column(title)
    for one in results:
        table.add_row(
            escape(f"{one['customer']}/{one['contact']}"),
            one["channel"] or "-",
            _seconds(one["first_attempt_s"]),
            _seconds(one["told_s"]) if one["in_time"] else "[red]not in time[/]",
            one["proof"] or "-",
            one["wanted"],
            _seconds(one["acknowledged_s"]),
            escape(
                ", ".join(f"{tried['channel']} {tried['outcome']}" for tried in one["attempts"]) or "none"
            ),
        )
    return table


def _seconds(count: int | None) -> str:
    return "-" if count is None else f"{count} s"

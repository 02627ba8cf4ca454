"""`hostwatch drill`: an exercise (`hostwatch.drilling`); with `--plan WHAT`: could everybody be told in time?

A plan reads the configuration and its inventories alone: no watch need run, nothing is sent. WHAT is one of
rack, customer, uplink, switch, supply, utility, ups, panel, feed, pdu or device, and a name (devices with
commas between), or everything. Exit code 0 if all can be told in time, 1 if somebody cannot, 2 if that is
unknown.
"""

from __future__ import annotations

import argparse
import json
from collections import Counter
from datetime import datetime, timedelta
from typing import Any, Final
from zoneinfo import ZoneInfo

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from hostwatch import drilling
from hostwatch.clock import SystemClock
from hostwatch.commands import USAGE, WRONG, Refused, add_config, says_why
from hostwatch.configuration.load import load
from hostwatch.configuration.mistake import BadConfiguration, Wrong
from hostwatch.configuration.moment import begins, checked
from hostwatch.configuration.zones import zone_of
from hostwatch.core.capacity import Foretold, Lane
from hostwatch.messages import spans
from hostwatch.stock.check import check
from hostwatch.stock.order import order_of
from hostwatch.whatif import Forecast, Grounds, Unknown

HELP = "send an exercise to people, or say beforehand whether all could be told in time"

MINUTE: Final = timedelta(minutes=1)

SHOWN_MAX: Final = 20
"""So many people are listed on a terminal; JSON has all."""


def arguments(parser: argparse.ArgumentParser) -> None:
    """What the command takes."""
    parser.add_argument(
        "--plan", nargs="+", metavar="WHAT", help='send nothing: what if this were lost? "rack 7", everything'
    )
    add_config(parser)
    drilling.arguments(parser)
    parser.add_argument(
        "--at",
        type=_typed,
        metavar="WHEN",
        help="a day or an instant, of the site's zone: 2026-11-01, 2026-11-01T09:00; now, if not given",
    )
    parser.add_argument("--json", action="store_true", help="print JSON, for programs")


def _typed(text: str) -> str:
    try:
        return checked(text)
    except Wrong as wrong:
        raise argparse.ArgumentTypeError(f"{text!r} {wrong}") from None


def run(options: argparse.Namespace) -> int:
    """What was asked for."""
    if options.plan is None:
        return drilling.run(options)
    return _planned(options)


@says_why(USAGE)
def _planned(options: argparse.Namespace) -> int:
    """0: all can be told in time, 1: somebody cannot, 2: the configuration cannot be used."""
    loaded = load(options.config, read_secrets=False)
    stock = check(order_of(loaded, kept=False))
    if stock.mistakes:
        raise BadConfiguration(stock.mistakes)
    site = loaded.configuration.site.timezone
    at = SystemClock().now() if options.at is None else begins(options.at, zone_of(site))
    grounds = Grounds(loaded, stock, at)
    try:
        found = grounds.forecast(grounds.loss(" ".join(options.plan)))
    except Unknown as unknown:
        raise Refused(str(unknown)) from None
    if options.json:
        print(json.dumps(describe(found, at), ensure_ascii=False))
    else:
        _show(found, at, ZoneInfo(site))
    return 0 if found.is_well else WRONG


def describe(found: Forecast, at: datetime) -> dict[str, Any]:
    """A forecast as data, times in seconds after the verdict."""
    return {
        "what": found.loss.what,
        "at": at.isoformat(),
        "emergencies": found.loss.emergencies,
        "shared": found.loss.shared,
        "devices": sum(map(len, found.loss.devices.values())),
        "customers": found.customers,
        "lanes": [_lane(found, name) for name in _used(found)],
        "people": [_person(one) for one in found.people],
        "late": len(found.late),
        "breached": [*found.breached],
        "enough": {name: _limits(lane) for name, lane in found.enough.items()},
    }


def _used(found: Forecast) -> list[str]:
    """The lanes by which somebody is told, or is to be told first."""
    first = {one.message.ways[0].lane for one in found.people if one.message.ways}
    return sorted(first | {one.lane for one in found.people if one.lane})


def _lane(found: Forecast, name: str) -> dict[str, Any]:
    told = [one for one in found.people if one.lane == name]
    first = sum(1 for one in found.people if one.message.ways and one.message.ways[0].lane == name)
    last = max((one.at for one in told if one.at is not None), default=None)
    return {
        "lane": name,
        **_limits(found.lanes[name]),
        "first": first,
        "told": len(told),
        "in_time": sum(one.in_time for one in told),
        "last_s": None if last is None else last.total_seconds(),
    }


def _limits(lane: Lane) -> dict[str, Any]:
    budget = lane.budget
    return {
        "people" if lane.by_people else "at_once": lane.at_once,
        "takes_s": lane.takes.total_seconds(),
        **({} if budget is None else {"messages": budget.messages, "every_s": budget.every.total_seconds()}),
    }


def _person(one: Foretold) -> dict[str, Any]:
    return {
        "customer": one.message.customer,
        "contact": one.message.contact,
        "ways": [way.lane for way in one.message.ways],
        "by": one.lane or None,
        "after_s": None if one.at is None else one.at.total_seconds(),
        "within_s": one.message.within.total_seconds(),
        "in_time": one.in_time,
        "counts": one.message.counts,
    }


def _show(found: Forecast, at: datetime, zone: ZoneInfo) -> None:
    console, loss = Console(), found.loss
    many = sum(map(len, loss.devices.values()))
    kind = "one emergency that they share" if loss.shared else f"{loss.emergencies:,} emergencies"
    kind = kind if many else "nobody is on it"
    when = f"{at.astimezone(zone):%Y-%m-%d %H:%M}"
    console.print(
        f"[bold]{escape(loss.what)}[/] lost at {when}: {many:,} devices, {kind}, "
        f"{found.customers:,} customers, {len(found.people):,} people to tell"
    )
    if found.people:
        console.print(_lanes(found))
        console.print(_people(found))
    if found.is_well:
        console.print("[green]everybody can be told in time[/]")
        return
    console.print(
        f"[red]{len(found.late):,} people cannot be told in time; "
        f"the duty to {len(found.breached):,} customers would be breached[/]"
    )
    for why, count in Counter(map(_why(found), found.late)).items():
        console.print(f"  {count:,} {escape(why)}")
    for name, lane in found.enough.items():
        console.print(f"  it would suffice: {escape(name)} with {_shown(lane)}")


def _lanes(found: Forecast) -> Table:
    table = Table("lane", "takes", "first", "told", "in time", "last after", title="By which they are told")
    for name in _used(found):
        one = _lane(found, name)
        last = "–" if one["last_s"] is None else spans.words(round(one["last_s"]))
        cells = (f"{one['first']:,}", f"{one['told']:,}", f"{one['in_time']:,}", last)
        table.add_row(name, _shown(found.lanes[name]), *cells)
    return table


def _people(found: Forecast) -> Table:
    """Those who cannot be told in time first, then those who are told last."""
    people = sorted(found.people, key=lambda one: (one.in_time, -(one.at or timedelta.max)))
    title = "Who is told when"
    if len(people) > SHOWN_MAX:
        title += f" (the last {SHOWN_MAX} of {len(people):,})"
    table = Table("customer", "contact", "first by", "told by", "after", "within", title=title)
    for one in people[:SHOWN_MAX]:
        after = "never" if one.at is None else _words(one.at)
        table.add_row(
            escape(one.message.customer),
            escape(one.message.contact),
            one.message.ways[0].lane if one.message.ways else "–",
            one.lane or "–",
            after if one.in_time else f"[red]{after}[/]",
            _words(one.message.within),
        )
    return table


def _why(found: Forecast) -> Any:
    """Why somebody cannot be told in time."""

    def why(one: Foretold) -> str:
        if not one.message.ways:
            return "have no channel"
        lane = one.message.ways[0].lane
        most, within = found.lanes[lane].within(one.message.within), _words(one.message.within)
        told = f"{lane} takes {_shown(found.lanes[lane])}: {most:,} in {within}"
        return told if len(one.message.ways) == 1 else f"{told}, and the next ways are no quicker"

    return why


def _shown(lane: Lane) -> str:
    """What a lane takes, in words."""
    takes = _words(lane.takes)
    if lane.by_people:
        return f"{lane.at_once} {'person' if lane.at_once == 1 else 'people'}, {takes} a call"
    if lane.budget is None:
        return f"{lane.at_once} at once"
    return f"{lane.budget.messages:,} in {_words(lane.budget.every)}"


def _words(time: timedelta) -> str:
    return spans.words(round(time.total_seconds())) if time >= MINUTE else f"{time.total_seconds():g} s"

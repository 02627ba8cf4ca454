"""`hostwatch status`: what is down, since when, who was told, and how many minutes are left.

Reads the store, with or without a running watch, and says whether one runs. Exit code 0 when all is
well, 1 when something is down, 2 when the watch does not run or is not well.
"""

from __future__ import annotations

import argparse
import json
from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import datetime
from types import MappingProxyType
from typing import Any
from zoneinfo import ZoneInfo

from rich.console import Console
from rich.markup import escape
from rich.table import Column, Table

from hostwatch import acknowledgements, contactways, fixtures, ongoing, uplinks
from hostwatch.acknowledgements import Names
from hostwatch.clock import SystemClock
from hostwatch.commands import add_config, how_far, says_why
from hostwatch.configuration.load import load
from hostwatch.control import ControlError, ask
from hostwatch.core import canonical
from hostwatch.core.delivery import MET
from hostwatch.core.facts import PathSeen
from hostwatch.core.service import device_in, is_of_device, service_in
from hostwatch.core.signal import Signal
from hostwatch.core.world import World
from hostwatch.messages import spans
from hostwatch.samples import state_of
from hostwatch.store.reader import Reader

PATHS_MAX = 1_000
"""Paths seen last that are looked through."""

LISTED_MAX = 50
"""Of each list that people read: nobody reads more, and a terminal takes long for it."""

HELP = "show what is down, since when, who was told, and how many minutes are left"


def arguments(parser: argparse.ArgumentParser) -> None:
    """What the command takes."""
    add_config(parser)
    parser.add_argument("--json", action="store_true", help="print JSON, for programs")


@says_why(2)
def run(options: argparse.Namespace) -> int:
    """0: all is well, 1: something is down, 2: the watch is not well or the store cannot be read."""
    loaded = load(options.config, read_secrets=False)
    with Reader(loaded.store) as reader:
        world = reader.world()
        paths = reader.last_paths(PATHS_MAX)
        names = {one.who: reader.personal(one.who) for has in world.acknowledged.values() for one in has}
    try:
        watch: Mapping[str, Any] = ask(loaded.control, "status", within_s=5)
    except ControlError as error:
        watch = {"ok": False, "healthy": False, "troubles": [str(error)]}
    status = describe(world, watch, SystemClock().now(), paths, names)
    if options.json:
        print(json.dumps(canonical.plain(status), ensure_ascii=False))
    else:
        _show(status, ZoneInfo(loaded.configuration.site.timezone))
    if not watch.get("healthy"):
        return 2
    return int(bool(status["emergencies"]))


def describe(
    world: World,
    watch: Mapping[str, Any],
    now: datetime,
    paths: Sequence[PathSeen] = (),
    names: Names = MappingProxyType({}),
) -> dict[str, Any]:
    """The status as plain data; instants are aware UTC. `paths`: the latest first."""
    states = Counter(state_of(signal, now) for name, signal in world.signals.items() if is_of_device(name))
    restless = [
        (device, signal)
        for name, signal in world.signals.restless.items()
        if (device := world.device(name)) is not None
    ]
    return {
        "now": now,
        "watch": dict(watch),
        "signals": dict(states),
        "uplinks": [uplinks.described(one) for one in uplinks.present(world, now)],
        **fixtures.describe(world, now),
        "contacts": contactways.counted(world.ways),
        "blind": [{"why": why, "since": since} for why, since in world.blind.items()],
        "emergencies": [
            ongoing.described(world, one, now, paths, names) for one in world.emergencies.values()
        ],
        "silent": [
            {
                "device": device.id,
                "service": service_in(signal.name) or None,
                "down": signal.verdict is not None,
                "since": signal.silence.first_miss,
                "path": ongoing.path_of(paths, device.address, signal.silence.first_miss),
            }
            for device, signal in restless
            if signal.silence is not None and not _is_told(world, signal)
        ],
        "not_proven": sorted(
            [_shown(device.id, signal.name) for device, signal in restless if not signal.proven]
            + [
                _shown(device.id, name)
                for name in world.signals.never_looked_at()
                if (device := world.device(name)) is not None
            ]
        ),
        "waiting": [
            {
                "device": device_in(hold.signal),
                "service": service_in(hold.signal),
                "since": hold.since,
                "until": hold.until,
            }
            for hold in world.holds.values()
        ],
        "owed": [
            {
                "references": list(notice.emergencies),
                "kind": notice.kind,
                **ongoing.notice_of(world, notice, now),
            }
            for notice in world.pending()
            if not any(reference in world.emergencies for reference in notice.emergencies)
        ],
    }


def _is_told(world: World, signal: Signal) -> bool:
    """Whether a signal on which there is a verdict stands elsewhere: in an emergency, or among who wait."""
    if signal.verdict is None:
        return False
    return world.emergency_of(signal.name) is not None or signal.name in world.holds


def _shown(device: str, signal: str) -> str:
    """A device, or `device/service`."""
    service = service_in(signal)
    return f"{device}/{service}" if service else device


def _show(status: Mapping[str, Any], zone: ZoneInfo) -> None:
    console = Console()
    watch = status["watch"]
    if watch.get("healthy"):
        console.print(f"[green]watch running[/] (process {watch['process']}, version {watch['version']})")
    if watch.get("loading"):
        console.print(f"[yellow]a configuration comes into force: {escape(how_far(watch['loading']))}")
    for trouble in watch.get("troubles", []):
        console.print(f"[bold red]{escape(trouble)}", highlight=False)
    for warning in watch.get("warnings", []):
        console.print(f"[yellow]{escape(warning)}", highlight=False)
    counts = status["signals"]
    console.print(" · ".join(f"{counts[name]} {name}" for name in sorted(counts)) or "no device is watched")
    for blind in status["blind"]:
        console.print(f"[yellow]blind since {_time(blind['since'], zone)}: {blind['why']}")
    _show_house(console, status, zone)
    for line in contactways.lines(status["contacts"], LISTED_MAX, lambda when: _time(when, zone)):
        console.print(f"[yellow]{escape(line)}", highlight=False)
    for silent in _first(console, status["silent"], "silences"):
        _show_silent(console, silent, zone)
    for device in _first(console, status["not_proven"], "devices that never answered"):
        why = "its checks, or whether it runs" if "/" in device else "its address, or whether it drops pings"
        console.print(f"[yellow]{device} has never answered: check {why}")
    for waiting in _first(console, status["waiting"], "services that wait for their devices"):
        until = _time(waiting["until"], zone)
        what = f"{waiting['device']}/{waiting['service']}"
        console.print(f"[yellow]{what} is down; waits for the verdict on its device until {until} at most")
    emergencies = _first(console, status["emergencies"], "emergencies")
    if emergencies:
        _show_emergencies(console, emergencies, zone)
    for owed in _first(console, status["owed"], "notices that are still owed"):
        console.print(f"over, {owed['kind']} still owed: {', '.join(owed['references'])} {_told(owed, zone)}")


def _show_house(console: Console, status: Mapping[str, Any], zone: ZoneInfo) -> None:
    """Uplinks, sources, supplies, switches and early warnings."""
    for uplink in status["uplinks"]:
        _show_uplink(console, uplink, zone)
    for style, text in fixtures.lines(status):
        console.print(text, style=style, markup=False, highlight=False)
    for one in fixtures.tables(status, lambda when: _time(when, zone)):
        table = Table(*(Column(name, overflow="fold") for name in one.columns), title=one.title)
        for row in one.rows:
            table.add_row(*map(escape, row.cells), style=row.style)
        console.print(table)
        if one.more:
            console.print(f"[yellow]{one.more:,} {one.title.lower()} more; --json has all")


def _show_silent(console: Console, silent: Mapping[str, Any], zone: ZoneInfo) -> None:
    since, service = _time(silent["since"], zone), silent["service"]
    what = f"{silent['device']}/{service}" if service else silent["device"]
    said = "confirmed, nobody is owed a notice of it" if silent["down"] else "not confirmed yet"
    console.print(f"[yellow]{what} missed, since {since}: {said}")
    if silent["path"]:
        console.print(f"[yellow]  {escape(silent['path'])}", highlight=False)


def _show_emergencies(console: Console, emergencies: Sequence[Mapping[str, Any]], zone: ZoneInfo) -> None:
    """The table, and below it where paths break."""
    console.print(_table(emergencies, zone))
    for one in emergencies:
        if one["path"]:
            console.print(f"{one['reference']}: {escape(one['path'])}", highlight=False)


def _first(console: Console, things: list[Any], what: str) -> list[Any]:
    """The first of a list; how many more there are is said."""
    if len(things) > LISTED_MAX:
        console.print(f"[yellow]{len(things):,} {what}, of which {LISTED_MAX} are listed; --json has all")
    return things[:LISTED_MAX]


def _show_uplink(console: Console, uplink: Mapping[str, Any], zone: ZoneInfo) -> None:
    """Its state, and whether it hangs on the last reference points, or members, that must answer."""
    parts = uplink["members"] or uplink["references"]
    silent = [name for name, state in parts.items() if state != "up"]
    needs = f"{uplink['answering']} of {len(parts)} reference points answer, {uplink['quorum']} must"
    if uplink["members"]:
        spare = f"{uplink['spare']} to spare" if uplink["spare"] >= 0 else "too few"
        needs = f"{len(parts) - len(silent)} of {len(parts)} uplinks of the group are up, {spare}"
    said = (
        f"uplink {uplink['uplink']}: {uplink['state']}"
        + (f" since {_time(uplink['since'], zone)}" if uplink["since"] else "")
        + f", {needs}"
        + (f"; not {', '.join(silent)}" if silent else "")
    )
    style = "green" if not silent else "yellow" if uplink["state"] == "up" else "bold red"
    console.print(said, style=style, markup=False, highlight=False)


def _table(emergencies: Sequence[Mapping[str, Any]], zone: ZoneInfo) -> Table:
    table = Table("emergency", "customer", "what", "down since", "for", "told", title="Emergencies")
    table.columns[2].overflow = "fold"  # a name that is cut names nothing
    for one in emergencies:
        told = [_told(notice, zone, one["customer"]) for notice in one["notices"]] or ["[red]nobody to tell"]
        has_it = [acknowledgements.line(has, _time(has["at"], zone)) for has in one["acknowledged"]]
        told += [f"[cyan]{escape(line)}[/]" for line in has_it]
        table.add_row(
            one["reference"] + ("\ncorrected" if one["corrected_at"] else ""),
            one["customer"] or _counted(one),
            _what(one),
            _time(one["first_miss"], zone),
            spans.words(one["down_s"]),
            "\n".join(told),
        )
    return table


def _what(one: Mapping[str, Any]) -> str:
    """What an emergency is about, and what is told under it."""
    if one["reported"] is not None:
        return "\n".join(_reported(one))
    if one["customers"] is not None:
        shared = [escape(name) for name in _shared(one)]
        left = len(shared) - LISTED_MAX
        return "\n".join([*shared[:LISTED_MAX], *([f"{left} more"] if left > 0 else [])])
    lines = [f"{one['service']} on {one['device']}" if one["service"] else one["device"], one["address"]]
    if one["found"]:
        lines.append(escape(one["found"]))
    if one["services_failing"]:
        lines.append(f"with it: {', '.join(one['services_failing'])}")
    return "\n".join(lines)


def _reported(one: Mapping[str, Any]) -> list[str]:
    """What a person reported."""
    names = [f"{one['service']} on {name}" if one["service"] else name for name in one["devices"]]
    left = len(names) - LISTED_MAX
    return [
        *names[:LISTED_MAX],
        *([f"{left} more"] if left > 0 else []),
        f"reported: {escape(one['reported'])}",
    ]


def _shared(one: Mapping[str, Any]) -> list[str]:
    """What an emergency that many share is of."""
    uplinks = [f"uplink {one['uplink']}"] if one["uplink"] else []
    supplies = [f"supply {name}" for name in one["supplies"]]
    return [*uplinks, *supplies, *(f"switch {name}" for name in one["switches"])]


def _counted(one: Mapping[str, Any]) -> str:
    """Whom an emergency of many concerns."""
    customers, devices = one["customers"], one["behind"]
    return (
        f"{customers} customer{'' if customers == 1 else 's'},\n{devices} device{'' if devices == 1 else 's'}"
    )


def _told(notice: Mapping[str, Any], zone: ZoneInfo, customer: str = "") -> str:
    """How it stands with one who is told. `customer`: whose it is, where that is said already."""
    who = notice["contact"] if customer else f"{notice['customer']}/{notice['contact']}"
    tries = f"{notice['attempts']} attempts"
    late = " [bold red]late[/]" if notice["breached"] else ""
    if notice["state"] in MET:
        when = _time(notice["settled_at"], zone)
        return f"[green]{who}: {notice['state']} by {notice['told_by']} {when}[/]{late}"
    if notice["state"] != "pending":
        return f"[red]{who}: {notice['state']}, {tries}[/]{late}"
    if notice["left_s"] is None:
        return f"[yellow]{who}: not told yet, {tries}[/]{late}"
    if notice["left_s"] < 0:
        return f"[bold red]{who}: not told, overdue by {spans.words(-notice['left_s'])}, {tries}[/]"
    return f"[yellow]{who}: not told yet, {spans.words(notice['left_s'])} left, {tries}[/]"


def _time(when: datetime | None, zone: ZoneInfo) -> str:
    return "" if when is None else when.astimezone(zone).strftime("%Y-%m-%d %H:%M:%S %z")

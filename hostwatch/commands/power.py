"""`hostwatch power`: how it stands with power: what each source said last, and what follows from it.

Reads the record, with or without a running watch. Exit code 0 when no power is interrupted or lost, 1 when
some is, 2 when that cannot be said of something that devices hang on, or the record cannot be read.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from typing import Any

from rich.console import Console
from rich.markup import escape
from rich.tree import Tree

from hostwatch.clock import SystemClock
from hostwatch.commands import add_config
from hostwatch.configuration.load import load
from hostwatch.configuration.mistake import BadConfiguration
from hostwatch.core import canonical
from hostwatch.core.electricity import Electricity
from hostwatch.core.hearing import POWER, words
from hostwatch.core.power import PowerReading
from hostwatch.core.situation import Situation
from hostwatch.core.wiring import Wiring
from hostwatch.core.witnesses import parsed
from hostwatch.core.world import World
from hostwatch.store.errors import StoreError
from hostwatch.store.reader import Reader

LISTED_MAX = 20
"""Supplies, and customers of one, that are told to people; all are in the JSON."""

HELP = "show how it stands with power: sources, elements, supplies and who hangs on them"

VALUES = {True: "yes", False: "no", None: "unknown"}
DEPTH_MAX = 40


def arguments(parser: argparse.ArgumentParser) -> None:
    """What the command takes."""
    add_config(parser)
    parser.add_argument("--json", action="store_true", help="print JSON, for programs")


def run(options: argparse.Namespace) -> int:
    """0: all have power, 1: some have not, 2: of some that is not known, or the record cannot be read."""
    try:
        loaded = load(options.config, read_secrets=False)
        with Reader(loaded.store) as reader:
            world = reader.world()
    except (BadConfiguration, StoreError) as error:
        print(error, file=sys.stderr)
        return 2
    told = describe(world, SystemClock().now())
    if options.json:
        print(json.dumps(canonical.plain(told), ensure_ascii=False))
    else:
        _show(world.population.witnesses.wiring, told)
    states = {supply["interrupted"] for supply in told["supplies"]} | {
        None if supply["supplied"] is None else not supply["supplied"] for supply in told["supplies"]
    }
    return 1 if True in states else 2 if None in states else 0


def describe(world: World, now: datetime) -> dict[str, Any]:
    """All of it as plain data; instants are aware UTC."""
    people, vantage = world.population, world.population.vantage

    def heard(name: str) -> PowerReading | None:
        source, said = people.sources.get(name), world.heard.get(name)
        signal = None if source is None else world.signals.get(source.signal(vantage))
        if source is None or source.room != POWER or said is None or signal is None:
            return None
        is_fresh = signal.blind_since is None and signal.speaks_until >= now
        return words(said.said) if is_fresh else None

    electricity = Electricity(people.witnesses.wiring, heard)
    return {
        "now": now,
        "sources": [*_sources(world, now)],
        "elements": [_element(world, electricity.of(name)) for name in people.elements],
        "supplies": [*_supplies(world, electricity)],
        "warnings": [
            {"what": one.what, "about": one.about, "said": one.said, "since": one.since}
            for one in world.warned.values()
        ],
    }


def _sources(world: World, now: datetime) -> Iterator[dict[str, Any]]:
    people = world.population
    for name, source in people.sources.items():
        if source.room != POWER:
            continue
        signal, said = world.signals.get(source.signal(people.vantage)), world.heard.get(name)
        is_heard = signal is not None and signal.blind_since is None and signal.speaks_until >= now
        last = None if signal is None else signal.last_answer
        yield {
            "source": name,
            "kind": source.kind,
            "heard": is_heard and said is not None,
            "last_answer": last,
            "ago_s": None if last is None else max(int((now - last).total_seconds()), 0),
            "said": None if said is None else json.loads(said.said),
            "since": None if said is None else said.since,
            "why": "" if signal is None or is_heard else signal.blind_why,
        }


def _element(world: World, situation: Situation) -> dict[str, Any]:
    element = world.population.elements[situation.element]
    return {
        "element": situation.element,
        "kind": element.kind.value,
        "input": element.input,
        "rack": element.rack,
        "supplied": situation.supplied,
        "interrupted": situation.interrupted,
        "fault": situation.is_fault,
        "contradiction": situation.contradiction,
        "said": [str(one) for one in situation.testimonies],
        "why": situation.why,
    }


def _supplies(world: World, electricity: Electricity) -> Iterator[dict[str, Any]]:
    people = world.population
    for name, supply in people.supplies.items():
        wanted = parsed(name)
        signal = world.signals.get(supply.signal(people.vantage))
        yield {
            "supply": name,
            "measured_at": supply.measured_at,
            "supplied": electricity.supplied(wanted),
            "interrupted": electricity.interrupted(wanted, supply.measured_at),
            "down_since": None if signal is None or signal.silence is None else signal.silence.first_miss,
            "verdict": None if signal is None else signal.verdict,
            "roots": list(electricity.roots(wanted, supply.measured_at)),
            "customers": {customer: group.count for customer, group in people.supplied.groups(name)},
        }


def _show(wiring: Wiring, told: Mapping[str, Any]) -> None:
    """For people: sources, the tree, supplies, warnings."""
    console = Console(highlight=False)
    if not told["elements"] and not told["sources"]:
        console.print("nothing of power is configured")
        return
    for source in told["sources"]:
        _show_source(console, source)
    elements = {one["element"]: one for one in told["elements"]}
    whole = Tree("power")
    for name in elements:
        inputs = wiring.input(name)
        if inputs is None:
            _grow(whole, wiring, elements, name, 0)
    console.print(whole)
    for supply in told["supplies"][:LISTED_MAX]:
        _show_supply(console, supply)
    if len(told["supplies"]) > LISTED_MAX:
        console.print(f"[yellow]{len(told['supplies']):,} supplies, of which {LISTED_MAX} are listed")
    for warning in told["warnings"]:
        told_of = f"warning: {warning['what']}, {warning['about']}: {warning['said']}"
        console.print(told_of, style="yellow", markup=False)


def _show_source(console: Console, source: Mapping[str, Any]) -> None:
    ago = "never" if source["ago_s"] is None else f"{timedelta(seconds=source['ago_s'])} ago"
    if source["heard"]:
        console.print(f"source {source['source']} ({source['kind']}): heard {ago}", markup=False)
        return
    why = f": {source['why']}" if source["why"] else ""
    text = f"source {source['source']} ({source['kind']}): not heard{why}; last heard {ago}"
    console.print(text, style="yellow", markup=False)


def _grow(
    tree: Tree, wiring: Wiring, elements: Mapping[str, Mapping[str, Any]], name: str, depth: int
) -> None:
    """An element and all that hangs on it; whoever hangs on several stands under each."""
    branch = tree.add(_words(elements[name]))
    if depth < DEPTH_MAX:
        for below in wiring.below(name):
            _grow(branch, wiring, elements, below, depth + 1)


def _words(one: Mapping[str, Any]) -> str:
    style = {True: "green", False: "bold red", None: "yellow"}[one["supplied"]]
    state = {True: "has power", False: "has no power", None: "not known"}[one["supplied"]]
    more = [
        word for key, word in (("interrupted", "interrupted"), ("fault", "distribution fault")) if one[key]
    ]
    said = escape("; ".join([*one["said"], *([one["contradiction"]] if one["contradiction"] else [])]))
    rack = f", rack {one['rack']}" if one["rack"] else ""
    tail = f" [dim]{said}[/]" if said else ""
    return f"{escape(one['element'])} ({one['kind']}{rack}): [{style}]{', '.join([state, *more])}[/]{tail}"


def _show_supply(console: Console, supply: Mapping[str, Any]) -> None:
    customers = [*supply["customers"].items()]
    names = ", ".join(f"{name}: {count}" for name, count in customers[:LISTED_MAX])
    more = f" and {len(customers) - LISTED_MAX} customers more" if len(customers) > LISTED_MAX else ""
    style = {True: "bold red", False: "green", None: "yellow"}[supply["interrupted"]]
    text = (
        f"supply {supply['supply']}: supplied {VALUES[supply['supplied']]},"
        f" interrupted {VALUES[supply['interrupted']]} (at the {supply['measured_at']});"
        f" devices by customer: {names or 'none'}{more}"
    )
    console.print(text, style=style, markup=False)

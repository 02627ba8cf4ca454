"""`hostwatch power`: how it stands with power: what each source said last, and what follows from it.

Reads the record, with or without a running watch. Exit code 0 when no power is interrupted or lost, 1 when
some is, 2 when that cannot be said of something that devices hang on, or the record cannot be read.
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
from rich.tree import Tree

from hostwatch import fixtures
from hostwatch.clock import SystemClock
from hostwatch.commands import add_config, says_why
from hostwatch.configuration.load import load
from hostwatch.core import canonical, doubt
from hostwatch.core.electricity import Electricity
from hostwatch.core.element import witnessed
from hostwatch.core.hearing import POWER, words
from hostwatch.core.power import PowerReading
from hostwatch.core.situation import Situation
from hostwatch.core.wiring import AT_OUTLET, Wiring
from hostwatch.core.witnesses import parsed
from hostwatch.core.world import World
from hostwatch.messages import spans
from hostwatch.messages import warning as words_of_warning
from hostwatch.store.reader import Reader

LISTED_MAX = 20
"""Supplies, and customers of one, that are told to people; all are in the JSON."""

HELP = "show how it stands with power: sources, elements, supplies and who hangs on them"

VALUES = {True: "yes", False: "no", None: "unknown"}
DEPTH_MAX = 40

OUTSIDE = "outside the wording of the promise: the utility or the UPS is there"


def arguments(parser: argparse.ArgumentParser) -> None:
    """What the command takes."""
    add_config(parser)
    parser.add_argument("--json", action="store_true", help="print JSON, for programs")


@says_why(2)
def run(options: argparse.Namespace) -> int:
    """0: all have power, 1: some have not, 2: of some that is not known, or the record cannot be read."""
    loaded = load(options.config, read_secrets=False)
    with Reader(loaded.store) as reader:
        world = reader.world()
    told = describe(world, SystemClock().now())
    if options.json:
        print(json.dumps(canonical.plain(told), ensure_ascii=False))
    else:
        _show(world.population.witnesses.wiring, told, ZoneInfo(loaded.configuration.site.timezone))
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
        return words(said.said) if signal.speaks(now) else None

    electricity = Electricity(people.witnesses.wiring, heard)
    sources = [*_sources(world, now)]
    ago = {one["source"]: one["ago_s"] for one in sources}
    promised = _at_outlet(world)
    return {
        "now": now,
        "sources": sources,
        "elements": [_element(world, electricity.of(name), ago, promised) for name in people.elements],
        "supplies": [*_supplies(world, electricity, now)],
        "warnings": fixtures.warnings(world),
    }


def _sources(world: World, now: datetime) -> Iterator[dict[str, Any]]:
    people = world.population
    for name, source in people.sources.items():
        if source.room != POWER:
            continue
        signal, said = world.signals.get(source.signal(people.vantage)), world.heard.get(name)
        is_heard = signal is not None and signal.speaks(now)
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


def _at_outlet(world: World) -> frozenset[str]:
    """The elements that a supply hangs on which is measured at the outlet: a loss there is in the promise."""
    people = world.population
    mine = [parsed(name) for name, one in people.supplies.items() if one.measured_at == AT_OUTLET]
    return frozenset(name for one in mine for name in people.witnesses.wiring.above(one))


def _element(
    world: World, situation: Situation, ago: Mapping[str, int | None], promised: frozenset[str]
) -> dict[str, Any]:
    is_outside = situation.is_fault and not situation.interrupted and situation.element not in promised
    element = world.population.elements[situation.element]
    seen = doubt.of_element(world, situation.element) if situation.supplied is None else None
    return {
        "element": situation.element,
        "kind": element.kind.value,
        "input": element.input,
        "rack": element.rack,
        "supplied": situation.supplied,
        "interrupted": situation.interrupted,
        "fault": situation.is_fault,
        "outside_promise": is_outside,
        "contradiction": situation.contradiction,
        "said": [str(one) for one in situation.testimonies],
        "ago_s": [ago.get(witnessed(one.witness)[0]) for one in situation.testimonies],
        "why": situation.why,
        "last_seen": "" if seen is None or not seen.source else seen.words,
        "possibly_interrupted": seen is not None and seen.is_possible,
    }


def _supplies(world: World, electricity: Electricity, now: datetime) -> Iterator[dict[str, Any]]:
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
            **fixtures.doubted(doubt.of_supply(world, supply, now)),
        }


def _show(wiring: Wiring, told: Mapping[str, Any], zone: ZoneInfo) -> None:
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
    if told["supplies"]:
        console.print(_supplies_table(told["supplies"][:LISTED_MAX]))
    if len(told["supplies"]) > LISTED_MAX:
        console.print(f"[yellow]{len(told['supplies']):,} supplies, of which {LISTED_MAX} are listed")
    for one in told["supplies"][:LISTED_MAX]:
        if said := fixtures.doubt_told(one, lambda when: f"{when.astimezone(zone):%Y-%m-%d %H:%M:%S %z}"):
            console.print(f"supply {one['supply']}: {said}", style="yellow", markup=False)
    for warning in told["warnings"]:
        about = words_of_warning.about(warning["about"], warning["elements"])
        seen = fixtures.latest(warning, lambda when: f"{when.astimezone(zone):%Y-%m-%d %H:%M:%S %z}")
        text = f"warning: {about}: {warning['what']}" + (f" · {seen}" if seen else "")
        console.print(text, style="yellow", markup=False)


def _show_source(console: Console, source: Mapping[str, Any]) -> None:
    ago = _ago(source["ago_s"])
    if source["heard"]:
        console.print(f"source {source['source']} ({source['kind']}): heard {ago}", markup=False)
        return
    why = f": {source['why']}" if source["why"] else ""
    text = f"source {source['source']} ({source['kind']}): not heard{why}; last heard {ago}"
    console.print(text, style="yellow", markup=False)


def _ago(seconds: int | None) -> str:
    return "never" if seconds is None else "just now" if not seconds else f"{spans.words(seconds)} ago"


def _grow(
    tree: Tree, wiring: Wiring, elements: Mapping[str, Mapping[str, Any]], name: str, depth: int
) -> None:
    """An element and all that hangs on it; whoever hangs on several stands under each."""
    branch = tree.add(_words(elements[name]))
    if depth < DEPTH_MAX:
        for below in wiring.below(name):
            _grow(branch, wiring, elements, below, depth + 1)


def _words(one: Mapping[str, Any]) -> str:
    """The element and its state; then, each on its line, what witnesses say and how long ago that was."""
    style = {True: "green", False: "bold red", None: "yellow"}[one["supplied"]]
    state = {True: "has power", False: "has no power", None: "not known"}[one["supplied"]]
    more = [
        word for key, word in (("interrupted", "interrupted"), ("fault", "distribution fault")) if one[key]
    ]
    rack = f", rack {one['rack']}" if one["rack"] else ""
    seen = f"; {one['last_seen']}" if one["last_seen"] and one["said"] else ""
    first = f"{escape(one['element'])} ({one['kind']}{rack}): [{style}]{', '.join([state, *more])}{seen}[/]"
    said = [_witness(said, ago) for said, ago in zip(one["said"], one["ago_s"], strict=True)]
    below = [*said, *([one["contradiction"]] if one["contradiction"] else [])]
    below += [OUTSIDE] if one["outside_promise"] else []
    return "\n".join([first, *(f"[dim]{escape(line)}[/]" for line in below)])


def _witness(said: str, ago: int | None) -> str:
    """What a witness says: `card-a (3 s ago): utility present, UPS able`."""
    who, says, words = said.partition(" says ")
    return f"{who} ({_ago(ago)}): {words}" if says else f"{said}, last {_ago(ago)}"


def _supplies_table(supplies: Sequence[Mapping[str, Any]]) -> Table:
    table = Table(
        Column("supply", overflow="fold"),
        "supplied",
        "interrupted",
        "measured at",
        "devices",
        title="Supplies",
    )
    for one in supplies:
        customers = [*one["customers"].items()]
        names = ", ".join(f"{name}: {count}" for name, count in customers[:LISTED_MAX])
        more = f" and {len(customers) - LISTED_MAX} customers more" if len(customers) > LISTED_MAX else ""
        table.add_row(
            escape(one["supply"]),
            VALUES[one["supplied"]],
            VALUES[one["interrupted"]],
            one["measured_at"],
            escape(names + more) or "none",
            style={True: "bold red", False: "green", None: "yellow"}[one["interrupted"]],
        )
    return table

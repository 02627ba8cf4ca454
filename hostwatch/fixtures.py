"""How what belongs to the house is: sources, supplies, switches and early warnings, for those who ask."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from datetime import datetime
from typing import Any, Final, NamedTuple

from hostwatch import uplinks
from hostwatch.core import doubt, portsheard
from hostwatch.core.doubt import Doubt
from hostwatch.core.ports import State
from hostwatch.core.signal import NOT_PROVEN
from hostwatch.core.warned import What, seen_by
from hostwatch.core.world import World
from hostwatch.gauges import Figure, Gauge
from hostwatch.messages import warning as words
from hostwatch.samples import state_of

LISTED_MAX: Final = 50
"""Lines for people of each kind; all are in the JSON."""

SILENT_MAX: Final = 5
"""Sources that are named as not heard; all are in the JSON."""

WELL: Final = "up"
STYLES: Final = {"down": "bold red", "silent": "yellow", "unknown": "yellow", NOT_PROVEN: "yellow"}


def describe(world: World, now: datetime) -> dict[str, list[dict[str, Any]]]:
    """All of them as plain data, by kind; instants are aware UTC."""
    return {
        "sources": [
            {"source": name, "kind": source.kind, **_state(world, source.signal(_vantage(world)), now)}
            for name, source in sorted(world.population.sources.items())
        ],
        "supplies": [
            {
                "supply": name,
                "measured_at": supply.measured_at,
                "devices": len(world.population.supplied.devices(name)),
                **_state(world, supply.signal(_vantage(world)), now),
                **doubted(doubt.of_supply(world, supply, now)),
            }
            for name, supply in sorted(world.population.supplies.items())
        ],
        "switches": [
            {"switch": name, "name": switch.name, **_state(world, switch.signal(_vantage(world)), now)}
            for name, switch in sorted(world.population.switches.items())
        ],
        "warnings": warnings(world),
    }


def doubted(found: Doubt | None) -> dict[str, Any]:
    """What is not known of a supply as plain data: since when, why, and how it was seen last."""
    if found is None:
        return {"not_known": None}
    seen = found.seen
    return {
        "not_known": {
            "since": found.since,
            "why": found.why,
            "silent_sources": list(found.silent),
            "last_seen": seen.last.words,
            "last_seen_by": seen.source or None,
            "last_seen_since": seen.since,
            "last_seen_until": found.heard,
            "runtime_s": seen.runtime_s,
            "possibly_interrupted": seen.is_possible,
            "words": seen.words,
        }
    }


def doubt_told(supply: Mapping[str, Any], time: Callable[[datetime], str]) -> str:
    """The same in words; empty while it is known how it stands, and while it is not proven."""
    found = supply["not_known"]
    if found is None or found["why"] == NOT_PROVEN:
        return ""
    silent = ", ".join(found["silent_sources"][:SILENT_MAX])
    why = f"{silent} not heard" if silent else found["why"]
    parts = [f"not known since {time(found['since'])} ({why})", found["words"]]
    if found["last_seen_by"]:
        when = f"from {time(found['last_seen_since'])} to {time(found['last_seen_until'])}"
        parts.append(f"so said {found['last_seen_by']} {when}")
    if found["possibly_interrupted"]:
        parts.append("nothing is certain of the time since")
    return "; ".join(parts)


def warnings(world: World) -> list[dict[str, Any]]:
    """What operators are warned of now."""
    return [
        {
            "what": one.what.value,
            "about": one.about,
            "elements": list(seen_by(one, world.population.witnesses.elements)),
            "said": one.said,
            "since": one.since,
            "quiet_since": one.quiet_since,
        }
        for _, one in sorted(world.warned.items())
    ]


def _vantage(world: World) -> str:
    return world.population.vantage


def _state(world: World, name: str, now: datetime) -> dict[str, Any]:
    """The state, since when that is not well, and why."""
    signal = world.signals.get(name)
    if signal is None:  # the record does not know it yet
        return {"state": NOT_PROVEN, "since": None, "why": ""}
    since: datetime | None
    if signal.silence is not None:
        since, why = signal.silence.first_miss, signal.silence.why
    else:
        since, why = signal.blind_since, "" if signal.blind_since is None else signal.blind_why
    return {"state": state_of(signal, now), "since": since, "why": why}


def lines(status: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """What a terminal shows first: a line that counts each kind, with its style."""
    for kind in ("sources", "supplies", "switches"):
        if status[kind]:
            counts = Counter(each["state"] for each in status[kind])
            said = " · ".join(f"{counts[state]} {state}" for state in sorted(counts))
            yield "green" if set(counts) == {WELL} else "yellow", f"{kind}: {said}"


class Row(NamedTuple):
    """One line of a table, with its style."""

    cells: tuple[str, ...]
    style: str


class Rows(NamedTuple):
    """A table for people."""

    title: str
    columns: tuple[str, ...]
    rows: tuple[Row, ...]
    more: int
    """How many lines were left out; all are in the JSON."""


def tables(status: Mapping[str, Any], time: Callable[[datetime], str]) -> Iterator[Rows]:
    """Then a table of each kind: whoever is not well, and what operators are warned of."""
    for kind, one in (("sources", "source"), ("supplies", "supply"), ("switches", "switch")):
        rows = [
            Row(
                (
                    each[one],
                    each["state"],
                    time(each["since"]) if each["since"] else "",
                    *((f"{each['devices']}",) if one == "supply" else ()),
                    (one == "supply" and _doubt(each)) or each["why"],
                ),
                STYLES.get(each["state"], "yellow"),
            )
            for each in status[kind]
            if each["state"] != WELL
        ]
        devices = ("devices",) if one == "supply" else ()
        yield from _table(kind.capitalize(), (one, "state", "since", *devices, "why"), rows)
    rows = [
        Row(
            (one["what"], words.about(one["about"], one["elements"]), time(one["since"]), latest(one, time)),
            "yellow",
        )
        for one in status["warnings"]
    ]
    yield from _table("Warnings", ("warning", "about", "since", "seen"), rows)


def _doubt(supply: Mapping[str, Any]) -> str:
    """How a supply was seen last, beside why it is not known."""
    found = supply["not_known"]
    if found is None or found["why"] == NOT_PROVEN:
        return ""
    return f"{found['why']}; {found['words']}"


def latest(warning: Mapping[str, Any], time: Callable[[datetime], str]) -> str:
    """What was seen last of a warning, and since when it is no longer."""
    said, quiet = warning["said"], warning["quiet_since"]
    if quiet is None:
        return str(said)
    return f"no longer seen since {time(quiet)}" + (f" (last: {said})" if said else "")


def _table(title: str, columns: tuple[str, ...], rows: list[Row]) -> Iterator[Rows]:
    if rows:
        yield Rows(title, columns, tuple(rows[:LISTED_MAX]), max(len(rows) - LISTED_MAX, 0))


def figures(world: World, now: datetime) -> Iterator[Figure]:
    """What the metrics say of them, and of uplinks."""
    yield from uplinks.figures(world, now)
    found = describe(world, now)
    told: tuple[tuple[str, str, str, tuple[str, ...], str], ...] = (
        (
            "sources",
            "source",
            "hostwatch_source_answering",
            ("up", "silent", "down", "unknown", NOT_PROVEN),
            "1 while the source answers when it is asked, 0 while it does not.",
        ),
        (
            "supplies",
            "supply",
            "hostwatch_supply_up",
            ("up", "silent", "down"),
            "1 while the power of the supply is not interrupted, 0 while it is.",
        ),
        (
            "switches",
            "switch",
            "hostwatch_switch_up",
            ("up", "silent", "down"),
            "1 while the switch answers pings, 0 in a silence.",
        ),
    )
    for kind, one, name, seen, about in told:
        if found[kind]:
            told_of = [each for each in found[kind] if each["state"] in seen]
            yield Gauge(name, about, {each[one]: float(each["state"] == WELL) for each in told_of}, one)
    if found["sources"] or found["switches"]:
        counts = Counter(one["what"] for one in found["warnings"])
        what = {one.value: float(counts[one.value]) for one in What}
        yield Gauge("hostwatch_warnings", "Early warnings to operators that last.", what, "what")
    yield from _ports(world, now)


def _ports(world: World, now: datetime) -> Iterator[Figure]:
    """Ports of switches that are heard now."""
    heard = {
        name: float(port.oper is State.UP)
        for name, port in portsheard.states(world, now)
        if port.oper is not State.UNKNOWN
    }
    if heard:
        about = "1 while the port is up, as its switch says, 0 while it is down."
        yield Gauge("hostwatch_port_up", about, heard, "port")

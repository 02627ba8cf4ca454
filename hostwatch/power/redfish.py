"""A server's management controller, or a power strip, that speaks Redfish: which inputs have power.

Its points are `supply N`, each power supply of a server, which sees the feed that it hangs on; `outlet N` of
a strip; and `system`, whether the server runs. Where these stand is found by following links from the root,
and remembered; every hour it is looked whether anything was added. Nothing is ever set. All that is made is a
session there, where sessions are what is written.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any, Final, NamedTuple

from hostwatch.power import base
from hostwatch.power._bmc import Access, Bmc, Session, is_path, link
from hostwatch.power.base import Concern, Missed, Output, Point, PowerReading

EXAMPLE = """
redfish:
  address: 192.0.2.30
  user: hostwatch
  password: {file: secrets/bmc}
  fingerprint: 6f1c9d0f0a3be4f1f0c7d2a96b25c33c0a2f9e1d7b8a4c5e6f708192a3b4c5d6
"""

ROOT: Final = "/redfish/v1/"

STEPS_MAX: Final = 200
"""Links that are followed to find what there is."""

THINGS_MAX: Final = 100
"""Supplies, outlets and systems of one source."""

STEPS_BESIDE: Final = 3
"""Links that are followed in one reading to see whether anything was added."""

LOOK_AGAIN_US: Final = 3_600 * 10**6

PRESENT_V: Final = 80.0
"""From here on there is power at an input."""

ABSENT_V: Final = 20.0
"""Up to here there is none: meters show some volts of nothing. Between the two nobody can say."""

NAME_CHARS_MAX: Final = 50
SAID_CHARS_MAX: Final = 200
REMEMBERED: Final = 10_000
"""Sources of which is remembered where things stand."""

_NUMBER = re.compile(r"0*([0-9]{1,6})$")


class Settings(Access):
    """Where the controller is, and who asks."""


class Place(NamedTuple):
    """A thing that is read, or a page on the way to one."""

    what: str
    path: str
    owner: str = ""
    """The last part of the path of what it belongs to: of the chassis, or the strip."""

    other: str = ""
    """Where the same would stand by the older way."""


FOUND: Final = frozenset({"supply", "power", "outlet", "system"})


@dataclass(slots=True)
class Memory:
    """What is remembered of a source between its readings."""

    session: Session = field(default_factory=Session)
    things: tuple[Place, ...] = ()
    todo: list[Place] = field(default_factory=list)
    found: list[Place] = field(default_factory=list)
    steps: int = 0
    whole_at_us: int = 0
    """When the last walk was complete, by our monotonic clock."""


@lru_cache(REMEMBERED)
def memory(_settings: Settings) -> Memory:
    """That of a source; other settings begin anew."""
    return Memory()


async def read(settings: Settings, visit: base.Visit) -> PowerReading:
    """Read each thing once; find them first, if nobody did."""
    known = memory(settings)
    bmc = Bmc(settings, visit, known.session)
    if not known.things:
        await _walk(bmc, visit, known, STEPS_MAX)
    pages = []
    for thing in known.things:
        page = await bmc.get(thing.path)
        if page is None:
            known.things = ()
            raise Missed("what was read before is gone; the next reading looks for it anew", came=thing.path)
        pages.append((thing, page))
    found = reading(pages)
    if visit.surroundings.monotonic_us() - known.whole_at_us > LOOK_AGAIN_US:
        try:
            await _walk(bmc, visit, known, STEPS_BESIDE)
        except Missed:
            _begin(known, visit.surroundings.monotonic_us())
    return found


async def _walk(bmc: Bmc, visit: base.Visit, known: Memory, most: int) -> None:
    """Follow links, as many at most; what was followed is not lost if the time ends."""
    if not known.todo:
        _begin(known, 0)
    while known.todo and most:
        most -= 1
        known.steps += 1
        place = known.todo[0]
        page = await bmc.get(place.path)
        new = [*_onward(place, page or {})]
        known.todo.pop(0)
        for one in new:
            seen = {other.path for other in (*known.todo, *known.found)}
            if one.path in seen or one.path == place.path:
                continue
            (known.found if one.what in FOUND else known.todo).append(one)
        if known.steps >= STEPS_MAX or len(known.found) > THINGS_MAX:
            visit.note(f"not all was followed: at most {STEPS_MAX} links and {THINGS_MAX} things")
            known.todo.clear()
    if not known.todo:
        if not known.found:
            raise Missed("the server shows no power supplies, no outlets and no systems")
        known.things = tuple(known.found[:THINGS_MAX])
        _begin(known, visit.surroundings.monotonic_us())


def _begin(known: Memory, at_us: int) -> None:
    """The next walk begins at the root."""
    known.todo, known.found, known.steps, known.whole_at_us = [], [], 0, at_us or known.whole_at_us
    if not at_us:
        known.todo.append(Place("root", ROOT))


def _onward(place: Place, page: Mapping[str, Any]) -> Iterator[Place]:
    """Where a page leads."""
    owner = place.owner or place.path.rstrip("/").rpartition("/")[2]
    match place.what:
        case "root":
            yield from _links(
                page, ("Chassis", "chassis*"), ("Systems", "system*"), ("PowerEquipment", "equipment")
            )
        case "equipment":
            yield from _links(page, ("RackPDUs", "strip*"))
        case "strip":
            yield from _links(page, ("Outlets", "outlet*"), owner=owner)
        case "chassis":
            older, newer = link(page, "Power"), link(page, "PowerSubsystem")
            if newer:
                yield Place("subsystem", newer, owner, older)
            elif older:
                yield Place("power", older, owner)
        case "subsystem":
            path = link(page, "PowerSupplies")
            if path:
                yield Place("supply*", path, owner, place.other)
            elif place.other:
                yield Place("power", place.other, owner)
        case _:
            yield from _members(place, page)


def _links(page: Mapping[str, Any], *named: tuple[str, str], owner: str = "") -> Iterator[Place]:
    for name, what in named:
        if path := link(page, name):
            yield Place(what, path, owner)


def _members(place: Place, page: Mapping[str, Any]) -> Iterator[Place]:
    """Those of a collection; what a chassis has by the older way, if by the newer one it has none."""
    members = page.get("Members")
    paths = [link({"one": one}, "one") for one in members if one] if isinstance(members, list) else []
    for path in filter(None, paths):
        yield Place(place.what.removesuffix("*"), path, place.owner)
    more = page.get("Members@odata.nextLink")
    if isinstance(more, str) and is_path(more):
        yield Place(place.what, more, place.owner)
    if not any(paths) and place.other:
        yield Place("power", place.other, place.owner)


class _Seen(NamedTuple):
    """One thing, as it is read."""

    what: str
    owner: str
    id: str
    output: Output
    said: str
    concern: Concern | None = None


def reading(pages: Iterable[tuple[Place, Mapping[str, Any]]]) -> PowerReading:
    """What the pages of all things come to."""
    seen = [one for place, page in pages for one in _seen(place, page)]
    names = _names(seen)
    twice = {name for name, many in Counter(names).items() if many > 1}
    points = {
        name: Point(
            name=name,
            output=Output.UNKNOWN if name in twice else one.output,
            said=base.printable("several of this name" if name in twice else one.said, SAID_CHARS_MAX),
        )
        for name, one in zip(names, seen, strict=True)
    }
    concerns = dict.fromkeys(one.concern for one in seen if one.concern is not None)
    return PowerReading(points=tuple(points.values())[:THINGS_MAX], concerns=tuple(concerns))


def _seen(place: Place, page: Mapping[str, Any]) -> Iterator[_Seen]:
    if place.what == "power":
        supplies = page.get("PowerSupplies")
        for one in supplies if isinstance(supplies, list) else ():
            if isinstance(one, dict):
                yield _supply(place, one, _text(one, "MemberId") or _last(_text(one, "@odata.id")))
    elif place.what == "supply":
        yield _supply(place, page, _text(page, "Id") or _last(place.path))
    else:
        yield _switched(place, page, _text(page, "Id") or _last(place.path))


def _supply(place: Place, page: Mapping[str, Any], own: str) -> _Seen:
    """A power supply: whether there is power at its input."""
    state, health = (_text(page.get("Status"), name) for name in ("State", "Health"))
    line, volts = _text(page, "LineInputStatus"), page.get("LineInputVoltage")
    if isinstance(volts, bool) or not isinstance(volts, int | float):
        volts = None
    said = ", ".join(filter(None, (line, None if volts is None else f"{volts:.4g} V", state, health)))
    by_line = {"Normal": Output.POWERED, "LossOfInput": Output.UNPOWERED}.get(line)
    by_volts = None if volts is None else _at(volts)
    ways = {way for way in (by_line, by_volts) if way not in (None, Output.UNKNOWN)}
    is_there = state != "Absent"
    output = ways.pop() if is_there and len(ways) == 1 and line in ("", "Normal", "LossOfInput") else None
    concern = None
    if is_there and line == "OutOfRange":
        concern = Concern.VOLTAGE
    elif is_there and health == "Critical":
        concern = Concern.ALARM
    return _Seen("supply", place.owner, own, output or Output.UNKNOWN, said or "says nothing", concern)


def _at(volts: float) -> Output:
    if volts >= PRESENT_V:
        return Output.POWERED
    return Output.UNPOWERED if volts <= ABSENT_V else Output.UNKNOWN


def _switched(place: Place, page: Mapping[str, Any], own: str) -> _Seen:
    """An outlet, or a system: one that is off was switched off, which says nothing of its feeds."""
    word = _text(page, "PowerState")
    off = Output.UNPOWERED if place.what == "outlet" else Output.UNKNOWN
    output = {"On": Output.POWERED, "Off": off}.get(word, Output.UNKNOWN)
    return _Seen(place.what, place.owner, own, output, word or "says nothing")


def _names(seen: Iterable[_Seen]) -> list[str]:
    """By their own numbers: the digits that an id ends with, if these differ, else the id itself; with the
    owner's before it if several have such things."""
    seen = [*seen]
    owners: dict[str, set[str]] = {}
    numbers: dict[tuple[str, str], list[str]] = {}
    for one in seen:
        owners.setdefault(one.what, set()).add(one.owner)
        found = _NUMBER.search(one.id)
        numbers.setdefault((one.what, one.owner), []).append(found[1] if found else "")
    names = []
    for one in seen:
        if one.what == "system":
            own = one.id if sum(other.what == "system" for other in seen) > 1 else ""
        else:
            here, found = numbers[one.what, one.owner], _NUMBER.search(one.id)
            differ = one.what == "supply" and all(here) and len({*here}) == len(here)
            own = found[1] if differ and found else one.id
            own = f"{one.owner}.{own}" if len(owners[one.what]) > 1 else own
        names.append(base.printable(f"{one.what} {own}".strip(), NAME_CHARS_MAX))
    return names


def _text(page: object, name: str) -> str:
    """A text of an object; empty if it has none."""
    found = page.get(name) if isinstance(page, Mapping) else None
    return found[:NAME_CHARS_MAX] if isinstance(found, str) else ""


def _last(path: str) -> str:
    return path.rstrip("/").rpartition("/")[2]

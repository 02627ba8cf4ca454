"""Power in pictures: elements in a line each, and what sources say in a few signs.

ups ups-a < grid-1 [card-a]     a UPS on grid-1, seen by card-a
card-a + able -                 utility present, UPS able, output without power; ? is unknown
strip-1/outlet 7 ? ? +          a point of a source
"""

from __future__ import annotations

import re

from hostwatch.core import expression
from hostwatch.core.electricity import Electricity
from hostwatch.core.element import Element, Kind
from hostwatch.core.expression import Expression
from hostwatch.core.power import Output, Point, PowerReading, Ups, Utility
from hostwatch.core.wiring import Wiring

KINDS = {"switch": Kind.TRANSFER_SWITCH} | {kind.value: kind for kind in Kind}
UTILITY = {"+": Utility.PRESENT, "-": Utility.ABSENT, "?": Utility.UNKNOWN}
UPS = {"?": Ups.UNKNOWN} | {ups.value: ups for ups in Ups}
OUTPUT = {"+": Output.POWERED, "-": Output.UNPOWERED, "?": Output.UNKNOWN}
SIGNS = {True: "+", False: "-", None: "?"}

ELEMENT = re.compile(r"(\w+) (\S+)(?: < ([^[]+?))?(?: \[(.+)\])?")


def element(line: str) -> Element:
    """One element."""
    found = ELEMENT.fullmatch(line.strip())
    assert found is not None, line
    return Element(id=found[2], kind=KINDS[found[1]], input=(found[3] or "").strip(), witness=found[4] or "")


def wiring(picture: str) -> Wiring:
    """All elements of a picture."""
    return Wiring(element(line) for line in picture.strip().splitlines())


def point(name: str, words: str) -> Point:
    """Three signs."""
    utility, ups, output = words.split()
    return Point(name=name, utility=UTILITY[utility], ups=UPS[ups], output=OUTPUT[output])


def readings(said: str) -> dict[str, PowerReading]:
    """What sources say, with commas between."""
    found: dict[str, list[Point]] = {}
    for one in filter(None, map(str.strip, said.split(","))):
        name, *words = one.rsplit(" ", 3)
        source, _, inside = name.partition("/")
        found.setdefault(source, []).append(point(inside, " ".join(words)))
    return {source: PowerReading(points=tuple(points)) for source, points in found.items()}


def moment(wires: Wiring | str, said: str) -> Electricity:
    """All of it when that is said."""
    made = wiring(wires) if isinstance(wires, str) else wires
    return Electricity(made, readings(said).get)


def wanted(text: str) -> Expression:
    """An expression."""
    return expression.parse(text)


def both(now: Electricity, name: str) -> str:
    """Supplied and interrupted, a sign each."""
    situation = now.of(name)
    return SIGNS[situation.supplied] + SIGNS[situation.interrupted]

"""The simulated house: two lines of power with a UPS and a strip each, and switches behind another one.

    grid-a ── ups-a ── panel-a ── r1-a ── pdu-a        core ─┬─ sw-1
    grid-b ── ups-b ── panel-b ── r1-b ── pdu-b              └─ sw-2

Everything is known before a daemon looks: what is lost when, who is silent, and who says what is not so.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from tests.simulation.world import Times

SIDES = ("a", "b")
SWITCHES = {"core": "198.19.1.1", "sw-1": "198.19.1.2", "sw-2": "198.19.1.3"}
BEHIND = {"sw-1": "core", "sw-2": "core"}
FEEDS = ("", "r1-a", "r1-b", "any(r1-a, r1-b)", "any(r1-a, r1-b)")
PORTS = ("", "sw-1/{}", "sw-2/{}", "any(sw-1/{}, sw-2/{})")
HERE = '{"points":[["","present","able","powered","OL"]]}'
ON_BATTERY = '{"points":[["","absent","able","powered","OB"]],"concerns":["on battery"]}'
EMPTY = '{"points":[["","absent","dead","unpowered","OFF"]],"concerns":["off"]}'
POWERED = '{"points":[["","unknown","unknown","powered",""]]}'
UNPOWERED = '{"points":[["","unknown","unknown","unpowered",""]]}'
NOTHING = '{"points":[["","unknown","unknown","unknown",""]]}'
NONSENSE = "?!"
SOURCES = tuple(f"{what}-{side}" for what in ("card", "strip") for side in SIDES)


@dataclass(frozen=True, slots=True)
class Place:
    """What a device hangs on, as it is written; empty where nothing is."""

    feeds: str = ""
    ports: str = ""

    @property
    def sides(self) -> tuple[str, ...]:
        """The lines of power of which one is enough."""
        return tuple(side for side in SIDES if f"r1-{side}" in self.feeds)

    @property
    def switches(self) -> tuple[str, ...]:
        """The switches of which one is enough."""
        return tuple(name for name in SWITCHES if f"{name}/" in self.ports)


@dataclass(kw_only=True)
class House:
    """What happens to it."""

    absent: Mapping[str, Times] = field(default_factory=dict)
    """When the utility of each side is lost."""

    empty: Mapping[str, Times] = field(default_factory=dict)
    """When the battery of each side is empty: then its line is dead, if the utility is lost too."""

    quiet: Mapping[str, Times] = field(default_factory=dict)
    """When each source does not answer."""

    odd: Mapping[str, Times] = field(default_factory=dict)
    """When each source says what is not so: a strip the contrary, a card nothing or nonsense."""

    def is_dead(self, side: str, at: int) -> bool:
        """Whether a line gives nothing."""
        return _held(self.absent, side, at) and _held(self.empty, side, at)

    def said(self, source: str, at: int) -> str | None:
        """What a source says; None where it does not answer."""
        what, _, side = source.partition("-")
        if _held(self.quiet, source, at):
            return None
        odd, dead = _held(self.odd, source, at), self.is_dead(side, at)
        if what == "strip":
            return UNPOWERED if dead != odd else POWERED
        if odd:
            return NONSENSE if at // 60_000_000 % 2 else NOTHING
        return EMPTY if dead else ON_BATTERY if _held(self.absent, side, at) else HERE

    def unpowered(self, place: Place, boot_us: int) -> Times:
        """When a device has no power, or is still starting after it."""
        return _all(tuple(self._lost(side) for side in place.sides), boot_us)

    def _lost(self, side: str) -> Times:
        """When a line gives nothing."""
        return _common(self.absent.get(side, Times()), self.empty.get(side, Times()))


def cut_off(place: Place, dead: Mapping[str, Times]) -> Times:
    """When a device cannot be reached for its switches. `dead`: when each forwards nothing."""
    own = [_either((dead.get(name, Times()), dead.get("core", Times()))) for name in place.switches]
    return _all(tuple(own), 0)


def _held(what: Mapping[str, Times], name: str, at: int) -> bool:
    return name in what and what[name].hold(at)


def _either(several: Iterable[Times]) -> Times:
    return Times(span for times in several for span in times.spans)


def _common(one: Times, other: Times) -> Times:
    return Times(
        (max(a, c), min(b, d)) for a, b in one.spans for c, d in other.spans if max(a, c) < min(b, d)
    )


def _all(several: tuple[Times, ...], later: int) -> Times:
    """When all hold, and so long after."""
    if not several:
        return Times()
    whole = several[0]
    for one in several[1:]:
        whole = _common(whole, one)
    return Times((start, end + later) for start, end in whole.spans)

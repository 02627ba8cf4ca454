"""What the words of all sources come to for a supply: whether its power is interrupted, and why."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import NamedTuple

from hostwatch.core import expression
from hostwatch.core.element import Element, Kind, witnessed
from hostwatch.core.power import Output, Point, PowerReading, Ups, Utility


class Found(NamedTuple):
    """What is known of a supply. None where it cannot be said."""

    interrupted: bool | None
    why: str


class Model:
    """The power model at one moment, by what each source says; None of one that is not heard."""

    def __init__(self, elements: Mapping[str, Element], heard: Callable[[str], PowerReading | None]) -> None:
        self._elements = elements
        self._heard = heard

    def supply(self, text: str, measured_at: str) -> Found:
        """A supply: interrupted when all that it could come by is."""
        whole = expression.parse(text)
        at = self._is_interrupted if measured_at == "source" else self._is_dead
        known = {name: at(name) for name in whole.names}
        alive = whole.value(lambda name: None if known[name] is None else not known[name])
        found = None if alive is None else not alive
        why = ", ".join(name for name in whole.names if known[name] is found)
        return Found(found, "" if found is False else f"{'interrupted' if found else 'not known'}: {why}")

    def _point(self, witness: str) -> Point:
        source, point = witnessed(witness)
        reading = self._heard(source) if source else None
        return Point(name=point) if reading is None else reading.point(point)

    def _is_interrupted(self, name: str) -> bool | None:
        element = self._elements.get(name)
        if element is None:
            return None
        point = self._point(element.witness)
        if element.kind is not Kind.UPS:
            return None if point.utility is Utility.UNKNOWN else point.utility is Utility.ABSENT
        if point.utility is Utility.PRESENT or (point.utility, point.ups) == (Utility.ABSENT, Ups.ABLE):
            return False
        if point.utility is Utility.ABSENT and point.ups in (Ups.DEAD, Ups.BYPASS):
            return True
        return None

    def _is_dead(self, name: str) -> bool | None:
        owner, _, outlet = name.partition("/")
        element = self._elements.get(owner)
        if element is None:
            return None
        point = self._point(f"{element.witness}/{outlet}" if outlet and element.witness else element.witness)
        if point.output is not Output.UNKNOWN:
            return point.output is Output.UNPOWERED
        if not element.input:
            return None
        alive = expression.parse(element.input).value(self._is_alive)
        return None if alive is None else not alive

    def _is_alive(self, name: str) -> bool | None:
        dead = self._is_dead(name)
        return None if dead is None else not dead

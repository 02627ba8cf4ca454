"""The wiring: all elements of the power model, and what hangs on what.

    grid-1 ── ups-a ── panel-a ── r1-a ── pdu-r1a ── pdu-r1a/outlet 7
    utility   UPS      panel      feed    PDU        a point of it

An outlet is no element of its own: whoever hangs on one names it, and it hangs on its PDU.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from hostwatch.core import expression
from hostwatch.core.element import Element, Kind
from hostwatch.core.expression import Expression

DEPTH_MAX: Final = 32
"""Elements in a row, from a utility to an outlet."""

AT_SOURCE: Final = "source"
AT_OUTLET: Final = "outlet"
"""Where power is measured: by the words of the agreement, or where it reaches the customer."""


class Wiring:
    """All elements. Never changed. Raises `ValueError` if one hangs on itself, or for a bad expression."""

    def __init__(self, elements: Iterable[Element] = ()) -> None:
        self._elements = {element.id: element for element in sorted(elements, key=lambda one: one.id)}
        self._inputs = {
            name: expression.parse(element.input) for name, element in self._elements.items() if element.input
        }
        self._below: dict[str, dict[str, None]] = {}
        for name, inputs in self._inputs.items():
            for above in inputs.names:
                self._below.setdefault(above, {})[name] = None
                if above not in self._elements:  # an outlet, which hangs on its PDU
                    self._below.setdefault(above.partition("/")[0], {})[above] = None
        self._sources_of: dict[str, Expression] = {}
        self._check_depth()

    def __repr__(self) -> str:
        return f"Wiring({[*self._elements.values()]})"

    def element(self, name: str) -> Element | None:
        """The one of a name, or an outlet of one; None if there is none."""
        if name in self._elements:
            return self._elements[name]
        above, _, point = name.partition("/")
        pdu = self._elements.get(above)
        if not point or pdu is None or pdu.kind is not Kind.PDU:
            return None
        seen = ",".join(f"{source}/{point}" for source, own in pdu.witnesses if not own)
        return Element(id=name, kind=Kind.PDU, input=above, witness=seen)

    def input(self, name: str) -> Expression | None:
        """What an element or an outlet hangs on; None if nobody said."""
        if name in self._elements:
            return self._inputs.get(name)
        return None if self.element(name) is None else expression.name(name.partition("/")[0])

    def below(self, name: str) -> tuple[str, ...]:
        """What hangs on an element directly: elements, and outlets of it on which others hang."""
        return tuple(self._below.get(name, ()))

    def above(self, wanted: Expression) -> tuple[str, ...]:
        """All that an expression hangs on, each before whatever hangs on it, and its own names last."""
        found: dict[str, None] = {}
        for name in wanted.names:
            self._climb(name, found)
        return tuple(found)

    def _climb(self, name: str, found: dict[str, None]) -> None:
        if name not in found:
            inputs = self.input(name)
            for other in () if inputs is None else inputs.names:
                self._climb(other, found)
            found[name] = None

    def sources(self, wanted: Expression) -> tuple[str, ...]:
        """The sources with a word in an expression: they see what it hangs on, or what hangs on that."""
        names = set(self.above(wanted))
        waiting = [*names]
        while waiting:
            fresh = set(self.below(waiting.pop())) - names
            names |= fresh
            waiting += fresh
        elements = (self.element(name) for name in names)
        return tuple(sorted({source for one in elements if one for source, _ in one.witnesses}))

    def measured(self, feeds: Expression, at: str) -> Expression:
        """What the feeds of a device come to at the point where its power is measured.

        At the source: the UPSes and utilities that they hang on. At the outlet: they themselves; a feed to
        which there is one PDU that somebody sees is measured at that one.
        """
        return feeds.changed(self._at_source if at == AT_SOURCE else self._at_outlet)

    def _at_source(self, name: str) -> Expression:
        """Each is asked for once: by two ways on each level there are thousands of ways to one UPS."""
        if name not in self._sources_of:
            element, inputs = self.element(name), self.input(name)
            if element is None or inputs is None or element.kind in (Kind.UTILITY, Kind.UPS):
                self._sources_of[name] = expression.name(name)
            else:
                self._sources_of[name] = inputs.changed(self._at_source)
        return self._sources_of[name]

    def _at_outlet(self, name: str) -> Expression:
        found = [self._elements[below] for below in self.below(name) if below in self._elements]
        pdus = [one.id for one in found if one.kind is Kind.PDU and one.witness]
        element = self.element(name)
        is_feed = element is not None and element.kind is Kind.FEED
        return expression.name(pdus[0] if is_feed and len(pdus) == 1 else name)

    def _check_depth(self) -> None:
        """Raises `ValueError` if an element hangs on itself, or is too far from the utility."""
        depths: dict[str, int] = {}
        for first in self._elements:
            self._measure(first, depths, ())

    def _measure(self, name: str, depths: dict[str, int], way: tuple[str, ...]) -> int:
        if name in way:
            raise ValueError(f"hangs on itself: {' → '.join((*way[way.index(name) :], name))}")
        if len(way) >= DEPTH_MAX:
            raise ValueError(f"is more than {DEPTH_MAX} elements from {way[0]}")
        if name not in depths:
            inputs = self.input(name)
            above = () if inputs is None else inputs.names
            depths[name] = 1 + max((self._measure(one, depths, (*way, name)) for one in above), default=0)
        if depths[name] + len(way) > DEPTH_MAX:
            raise ValueError(f"has more than {DEPTH_MAX} elements in a row below it")
        return depths[name]

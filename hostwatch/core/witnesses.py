"""Who sees which supply, found once for each power model: whose words are a round together.

What hangs together is judged together: whoever has power proves that what it hangs on has it, so a supply is
read when all sources of its part of the house have been asked.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache
from typing import NamedTuple

from hostwatch.core import expression
from hostwatch.core.element import Element, Kind
from hostwatch.core.expression import Expression
from hostwatch.core.steady import Steady
from hostwatch.core.supply import Supply
from hostwatch.core.wiring import AT_OUTLET, Wiring

parsed = lru_cache(maxsize=8_192)(expression.parse)
"""The expression that a supply is. There are few, and each is asked for in every round."""


class Part(NamedTuple):
    """A part of the house that hangs together."""

    sources: tuple[str, ...]
    supplies: tuple[str, ...]


class Witnesses:
    """All parts of the house."""

    def __init__(self, elements: Mapping[str, Element], supplies: Mapping[str, Supply]) -> None:
        self.wiring = _wiring(elements.values())
        self._root: dict[str, str] = {}
        for element in elements.values():
            inputs = self.wiring.input(element.id)
            self._join([element.id, *(() if inputs is None else inputs.names)])
        wanted = {name: self._names(name) for name in supplies}
        for names in wanted.values():
            self._join(names)
        self._parts = self._found(elements.values(), wanted)
        self.feeds: dict[str, list[str]] = {}
        """The feeds of each rack, by name."""

        for element in elements.values():
            if element.kind is Kind.FEED and element.rack:
                self.feeds.setdefault(element.rack, []).append(element.id)
        self._of_source: dict[str, list[Part]] = {}
        for part in self._parts:
            for source in part.sources:
                self._of_source.setdefault(source, []).append(part)
        self._direct = self._seen(wanted)
        self._elements: dict[str, list[str]] = {}
        for element in elements.values():
            for source in dict.fromkeys(source for source, _ in element.witnesses):
                self._elements.setdefault(source, []).append(element.id)
        self.waiting: dict[tuple[str, ...], str] = {}
        """By the sources of a part, one that was last found not to have been asked. It decides nothing."""

        self._steady: dict[tuple[str, ...], Steady] = {}

    def steady(self, part: Part) -> Steady:
        """The power model of a part of the house, as it is kept from round to round."""
        found = self._steady.get(part.sources)
        if found is None:
            found = self._steady[part.sources] = Steady(self.wiring)
        return found

    def parts(self, source: str) -> Sequence[Part]:
        """The parts of the house that a source has a word in, each with a supply."""
        return self._of_source.get(source, ())

    def supplies(self, source: str) -> Sequence[str]:
        """The supplies that a source speaks for directly: it sees what they hang on."""
        return self._direct.get(source, ())

    def elements(self, source: str) -> Sequence[str]:
        """The elements that a source witnesses."""
        return self._elements.get(source, ())

    def seen_by(self, feeds: str) -> frozenset[str]:
        """The sources that see what feeds hang on."""
        return self._above(self.wiring.measured(parsed(feeds), AT_OUTLET), {})

    def _names(self, supply: str) -> list[str]:
        """The elements, and outlets with what they belong to, of a supply."""
        names = parsed(supply).names
        return [*names, *(name.partition("/")[0] for name in names if "/" in name)]

    def _join(self, names: Sequence[str]) -> None:
        first = self._of(names[0])
        for name in names[1:]:
            self._root[self._of(name)] = first

    def _of(self, name: str) -> str:
        """What stands for the part that an element is in."""
        root = name
        while (above := self._root.setdefault(root, root)) != root:
            root = above
        while name != root:
            self._root[name], name = root, self._root[name]
        return root

    def _found(self, elements: Iterable[Element], wanted: Mapping[str, Sequence[str]]) -> tuple[Part, ...]:
        sources: dict[str, set[str]] = {}
        supplies: dict[str, list[str]] = {}
        for supply in sorted(wanted):
            supplies.setdefault(self._of(wanted[supply][0]), []).append(supply)
        for element in elements:
            sources.setdefault(self._of(element.id), set()).update(source for source, _ in element.witnesses)
        return tuple(
            Part(tuple(sorted(sources.get(root, ()))), tuple(names)) for root, names in supplies.items()
        )

    def _seen(self, wanted: Mapping[str, Sequence[str]]) -> dict[str, list[str]]:
        found: dict[str, list[str]] = {}
        known: dict[str, frozenset[str]] = {}
        for supply in sorted(wanted):
            for source in sorted(self._above(parsed(supply), known)):
                found.setdefault(source, []).append(supply)
        return found

    def _above(self, names: Expression, known: dict[str, frozenset[str]]) -> frozenset[str]:
        """The sources that see what an expression hangs on."""
        found: set[str] = set()
        for name in names.names:
            if name not in known:
                element, inputs = self.wiring.element(name), self.wiring.input(name)
                own = () if element is None else (source for source, _ in element.witnesses)
                above = frozenset() if inputs is None else self._above(inputs, known)
                known[name] = above.union(own)
            found |= known[name]
        return frozenset(found)


def _wiring(elements: Iterable[Element]) -> Wiring:
    """The wiring of some elements; of none if they make none, as while others take their places in steps."""
    try:
        return Wiring(elements)
    except ValueError:
        return Wiring()

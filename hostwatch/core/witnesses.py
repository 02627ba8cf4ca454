"""Who sees which supply: the sources whose words decide it, found by going down the power model once."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from hostwatch.core import expression
from hostwatch.core.element import Element, Kind, witnessed
from hostwatch.core.supply import Supply


class Witnesses:
    """Sources by supply, and supplies by source."""

    def __init__(self, elements: Mapping[str, Element], supplies: Mapping[str, Supply]) -> None:
        self._elements = elements
        self._under: dict[str, frozenset[str]] = {}
        self._of_supply = {name: frozenset(self._sources(name)) for name in supplies}
        self._of_source: dict[str, list[str]] = {}
        for name, sources in sorted(self._of_supply.items()):
            for source in sources:
                self._of_source.setdefault(source, []).append(name)

    def sources(self, supply: str) -> frozenset[str]:
        """The sources whose words decide a supply; none if nobody sees it."""
        return self._of_supply.get(supply, frozenset())

    def supplies(self, source: str) -> Sequence[str]:
        """The supplies that a source has a word in, by name."""
        return self._of_source.get(source, ())

    def _sources(self, text: str) -> Iterator[str]:
        for name in expression.parse(text).names:
            yield from self._behind(name)

    def _behind(self, name: str) -> frozenset[str]:
        """The sources of one element, or of one point of it, and of all that it hangs on."""
        if name not in self._under:
            self._under[name] = frozenset()  # whoever hangs on itself, which the configuration forbids
            element = self._elements.get(name.partition("/")[0])
            found: set[str] = set()
            if element is not None:
                found |= {witnessed(element.witness)[0]} if element.witness else set()
                found |= set(self._sources(element.input)) if element.input else set()
                found |= self._on_it(element.id) if element.kind is Kind.UTILITY else set()
            self._under[name] = frozenset(found)
        return self._under[name]

    def _on_it(self, utility: str) -> set[str]:
        """The witnesses of what hangs on a utility directly: they see it at their inputs."""
        return {
            witnessed(one.witness)[0]
            for one in self._elements.values()
            if one.witness and one.input and utility in expression.parse(one.input).names
        }

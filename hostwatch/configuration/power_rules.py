"""Rules of the power model: what hangs on what, who sees it, and what of that is worth a warning."""

from __future__ import annotations

import difflib
from collections import Counter
from collections.abc import Collection, Hashable, Iterable, Iterator, Mapping

from hostwatch.configuration.mistake import Wrong
from hostwatch.configuration.model import Configuration
from hostwatch.configuration.place import Finding, Steps
from hostwatch.configuration.power import input_of
from hostwatch.core import expression
from hostwatch.core.element import Element, Kind
from hostwatch.core.expression import NAMES_MAX
from hostwatch.core.wiring import Wiring

NAMED_MAX = 3
"""How many elements a warning names."""

Elements = list[tuple[Steps, Element]]


def mistakes(configuration: Configuration) -> Iterator[Finding]:
    """What cannot come into force."""
    elements = _elements(configuration)
    known = {one.id: one.kind for _, one in elements}
    sources = [source.id for source in configuration.power.sources]
    wrong = [
        *_inputs(elements, known),
        *_witnesses(elements, sources),
        *_planned(configuration, known),
        *_pushed_alike(configuration),
        *_crowded(elements),
    ]
    yield from wrong
    if not wrong:
        yield from _loops(elements)


def _crowded(elements: Elements) -> Iterator[Finding]:
    """Racks with more feeds than one expression has names: who stands there hangs on any of them."""
    counted: Counter[str] = Counter()
    for steps, one in elements:
        if one.kind is Kind.FEED and one.rack:
            counted[one.rack] += 1
            if counted[one.rack] == NAMES_MAX + 1:
                wrong = f"is the rack of more than {NAMES_MAX} feeds"
                yield (*steps, "rack"), Wrong(wrong, "write which rack each feed really goes to")


def _pushed_alike(configuration: Configuration) -> Iterator[Finding]:
    """Sources whose pushes nobody can tell apart: said at each of them."""
    alike: dict[Hashable, list[int]] = {}
    for number, source in enumerate(configuration.power.sources):
        known_by = source.settings.known_by()
        if known_by is not None:
            alike.setdefault(known_by, []).append(number)
    for numbers in alike.values():
        for number in numbers if len(numbers) > 1 else ():
            others = [configuration.power.sources[one].id for one in numbers if one != number]
            wrong = f"pushes to the same path with the same key as {', '.join(others[:NAMED_MAX])}"
            yield ("power", "sources", number), Wrong(wrong, "give each a path or a key of its own")


def _elements(configuration: Configuration) -> Elements:
    return [(("power", name, place), element) for name, place, element in configuration.power.elements()]


def _inputs(elements: Elements, known: dict[str, Kind]) -> Iterator[Finding]:
    for steps, one in elements:
        if one.input:
            for name in expression.parse(one.input).names:
                wrong = unknown(name, known, "element of the power model")
                if wrong is not None:
                    yield (*steps, input_of(one.kind)), wrong


def _witnesses(elements: Elements, sources: Collection[str]) -> Iterator[Finding]:
    for steps, one in elements:
        for source, _ in one.witnesses:
            if source not in sources:
                yield (*steps, "source"), _unknown(source, sources, "source")


def _planned(configuration: Configuration, known: Collection[str]) -> Iterator[Finding]:
    for place, planned in enumerate(configuration.power.planned):
        if planned.element not in known:
            yield (
                ("power", "planned", place, "element"),
                _unknown(planned.element, known, "element of the power model"),
            )


def _loops(elements: Elements) -> Iterator[Finding]:
    """Nothing hangs on itself."""
    try:
        Wiring(one for _, one in elements)
    except ValueError as error:
        names = [name.strip() for name in str(error).rpartition(":")[2].split("→")]
        steps, one = next(((s, e) for s, e in elements if e.id in names), elements[0])
        yield (*steps, input_of(one.kind)), Wrong(str(error), "write what it really hangs on")


def unknown(name: str, known: Mapping[str, Kind], what: str) -> Wrong | None:
    """Why an expression may not name this; None if it may: an element, or a point of a power strip."""
    if name in known:
        return None
    above, _, point = name.partition("/")
    if point and known.get(above) is Kind.PDU:
        return None
    if point and above in known:
        return Wrong(f"names a point of {above}, which is no power strip", f"write {above}")
    return _unknown(name, known, what)


def _unknown(name: str, known: Collection[str], what: str) -> Wrong:
    near = difflib.get_close_matches(name, known, 1)
    hint = f"did you mean {near[0]}?" if near else f"write the id of one, or add the {what}"
    return Wrong(f"names {name}, which is no {what}", hint)


def warnings(configuration: Configuration) -> Iterator[Finding]:
    """What is allowed, and yet says less than one may think."""
    elements = _elements(configuration)
    if not elements and not configuration.power.sources:
        return
    seen = _seen([one for _, one in elements])
    for steps, one in elements:
        if one.id not in seen:
            wrong = "nobody sees whether there is power: neither here, nor on the way"
            yield (*steps, "source"), Wrong(wrong, "name the source of something that it hangs on")
    used = {source for _, one in elements for source, _ in one.witnesses}
    for place, source in enumerate(configuration.power.sources):
        if source.id not in used:
            wrong = "no element names this source, so what it says decides nothing"
            yield ("power", "sources", place), Wrong(wrong, "write source: at what it sees")


def _seen(elements: Iterable[Element]) -> set[str]:
    """The elements that somebody sees: themselves, or on the way to them, or from them on."""
    above = {one.id: expression.parse(one.input).names for one in elements if one.input}
    below: dict[str, list[str]] = {}
    for name, inputs in above.items():
        for one in inputs:
            below.setdefault(one.partition("/")[0], []).append(name)
    witnessed = {one.id for one in elements if one.witness}
    ways: tuple[Mapping[str, Iterable[str]], ...] = (above, below)
    return witnessed.union(*(_reached(witnessed, way) for way in ways))


def _reached(first: Iterable[str], way: Mapping[str, Iterable[str]]) -> set[str]:
    found, waiting = set(first), [*first]
    while waiting:
        for name in way.get(waiting.pop(), ()):
            if name.partition("/")[0] not in found:
                found.add(name.partition("/")[0])
                waiting.append(name.partition("/")[0])
    return found

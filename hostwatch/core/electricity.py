"""What reaches whom: the power model at one moment, out of what the sources say.

For each element two values, each true, false or unknown (None). *Supplied* is physical. *Interrupted* is the
agreement's: utility and UPS are both without power, or the utility alone where no UPS stands in the way
(`colocation C2`). How they are found:

- An element's own witness decides. Where nobody looks, or who looks says nothing of it, its input does.
- A witness that is not heard leaves it open: who is silent may be without power. Only if nothing comes in is
  it known that nothing comes out.
- Whoever has power proves that what it hangs on has power: an outlet proves its PDU, feed and UPS.
- Who says otherwise contradicts that, and then nobody knows. A contradiction is always told of.

So what is missing never makes a loss or an interruption; and where words are taken away, only a contradiction
can become one.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Final, NamedTuple

from hostwatch.core import powertable
from hostwatch.core.element import Element, Kind
from hostwatch.core.expression import Expression
from hostwatch.core.power import Point, PowerReading
from hostwatch.core.situation import Case, Situation, Testimony, negated, value_of
from hostwatch.core.wiring import AT_SOURCE, Wiring

Heard = Callable[[str], PowerReading | None]
"""What a source said last; None if it was not heard, or too long ago."""

OUTLET: Final = "outlet "
"""Begins the names of the points of a source that are outlets."""


class _Value(NamedTuple):
    """Something that is reckoned once, and of which others are reckoned."""

    what: str
    """How it stands with an element, that by what is above it alone, or who proves that it has power."""

    name: str


STANDING, ALONE, PROOF = "standing", "alone", "proof"


class Electricity:
    """All of it at one moment. What it is asked is reckoned once."""

    def __init__(self, wiring: Wiring, heard: Heard) -> None:
        self.wiring = wiring
        self._heard = heard
        self._known: dict[_Value, Situation] = {}
        self._proofs: dict[_Value, str] = {}
        self._users: dict[_Value | str, set[_Value]] = {}
        """What was reckoned of each value, and of the words of each source."""

        self._under_way: list[_Value] = []
        """What is being reckoned, the last of it for all before it."""

    def forget(self, sources: Iterable[str]) -> None:
        """Some sources say something else now: what came of their words is to be reckoned anew."""
        waiting: list[_Value | str] = [*sources]
        while waiting:
            for value in self._users.pop(waiting.pop(), ()):
                self._known.pop(value, None)
                self._proofs.pop(value, None)
                waiting.append(value)

    def of(self, name: str) -> Situation:
        """How it stands with an element, or with an outlet of one."""
        return self._of(name, proven=True)

    def supplied(self, wanted: Expression) -> bool | None:
        """Whether there is power where an expression says."""
        return wanted.value(lambda name: self.of(name).supplied)

    def interrupted(self, supply: Expression, at: str = AT_SOURCE) -> bool | None:
        """Whether a supply is interrupted, measured at the source or at the outlet (`Wiring.measured`)."""
        if at == AT_SOURCE:
            return negated(supply.value(lambda name: negated(self.of(name).interrupted)))
        return negated(self.supplied(supply))

    def situations(self, wanted: Expression) -> tuple[Situation, ...]:
        """All that an expression hangs on, from the utility on downwards."""
        return tuple(self.of(name) for name in self.wiring.above(wanted))

    def explain(self, supply: Expression, at: str = AT_SOURCE) -> tuple[str, ...]:
        """What each witness said and what followed, a line for each element; last the supply itself."""
        value = value_of(self.supplied(supply), self.interrupted(supply, at))
        whole = f"{supply}, measured at the {at}: {value}"
        return (*map(str, self.situations(supply)), whole)

    def contradictions(self, wanted: Expression) -> tuple[str, ...]:
        """What contradicts what in all that an expression hangs on."""
        return tuple(
            f"{one.element}: {one.contradiction}" for one in self.situations(wanted) if one.contradiction
        )

    def faults(self, wanted: Expression) -> tuple[str, ...]:
        """The elements at which power is lost in the operator's own distribution."""
        return tuple(one.element for one in self.situations(wanted) if one.is_fault)

    def roots(self, supply: Expression, at: str = AT_SOURCE) -> tuple[str, ...]:
        """The elements at which an interruption begins, by name; none if there is none."""
        if self.interrupted(supply, at) is not True:
            return ()
        found: set[str] = set()
        for name in supply.names:
            lost = self.of(name).interrupted if at == AT_SOURCE else negated(self.of(name).supplied)
            found |= self._roots(name) if lost else set()
        return tuple(sorted(found))

    def _roots(self, name: str) -> set[str]:
        """Where an element lost its power; a UPS is one of the places, as its utility is another."""
        inputs, element = self.wiring.input(name), self.wiring.element(name)
        lost = [one for one in inputs.names if self.of(one).supplied is False] if inputs else []
        comes_in = None if inputs is None else self.supplied(inputs)
        found = {name} if comes_in is not False or (element and element.kind is Kind.UPS) else set()
        return found.union(*map(self._roots, lost)) if comes_in is False else found

    def _of(self, name: str, *, proven: bool) -> Situation:
        """`proven`: with what is below as a proof."""
        value = _Value(STANDING if proven else ALONE, name)
        self._use(value)
        found = self._known.get(value)
        if found is None:
            self._under_way.append(value)
            try:
                found = self._known[value] = self._reckoned(name, proven)
            finally:
                self._under_way.pop()
        return found

    def _use(self, used: _Value | str) -> None:
        """Note of what is being reckoned that it comes of a value, or of the words of a source."""
        if self._under_way:
            self._users.setdefault(used, set()).add(self._under_way[-1])

    def _reading(self, source: str) -> PowerReading | None:
        self._use(source)
        return self._heard(source)

    def _reckoned(self, name: str, proven: bool) -> Situation:
        element = self.wiring.element(name)
        if element is None:
            return Situation(
                element=name, kind=None, supplied=None, interrupted=None, why="there is no such element"
            )
        case = Case(
            element=element,
            testimonies=self._testimonies(element),
            proof=self._proof(name) if proven else "",
            comes_in=self._comes_in(name, proven),
            interrupted_above=self._interrupted_above(name, proven),
        )
        match element.kind:
            case Kind.UTILITY:
                return case.of_utility()
            case Kind.UPS:
                return case.of_ups()
        return case.of_line()

    def _comes_in(self, name: str, proven: bool) -> bool | None:
        inputs = self.wiring.input(name)
        return None if inputs is None else inputs.value(lambda one: self._of(one, proven=proven).supplied)

    def _interrupted_above(self, name: str, proven: bool) -> bool | None:
        """Whether the input is interrupted by the agreement's rule."""
        inputs = self.wiring.input(name)
        if inputs is None:
            return None
        return negated(inputs.value(lambda one: negated(self._of(one, proven=proven).interrupted)))

    def _testimonies(self, element: Element) -> tuple[Testimony, ...]:
        return tuple(self._testimony(*witness) for witness in element.witnesses)

    def _testimony(self, source: str, point: str) -> Testimony:
        reading = self._reading(source)
        name = f"{source}/{point}" if point else source
        return Testimony(name, None if reading is None else reading.point(point))

    def _proof(self, name: str) -> str:
        """Who below an element has power, which can only have come through it: the first by name."""
        value = _Value(PROOF, name)
        self._use(value)
        found = self._proofs.get(value)
        if found is None:
            self._under_way.append(value)
            try:
                found = self._proofs[value] = self._outlet(name) or self._below(name)
            finally:
                self._under_way.pop()
        return found

    def _below(self, name: str) -> str:
        for below in self.wiring.below(name):
            inputs = self.wiring.input(below)
            if inputs is not None and self._needs(inputs, name) and (found := self._powered(below)):
                return found
        return ""

    def _outlet(self, name: str) -> str:
        """An outlet of a PDU that has power, by what its witness says."""
        element = self.wiring.element(name)
        if element is None or element.kind is not Kind.PDU:
            return ""
        for source, own in element.witnesses:
            reading = None if own else self._reading(source)
            for point in () if reading is None else reading.points:
                if point.name.startswith(OUTLET) and powertable.at_line(point):
                    return f"{source}/{point.name} has power"
        return ""

    def _powered(self, name: str) -> str:
        """Who says that power comes in at an element: its own witness, or who is below it."""
        element = self.wiring.element(name)
        if element is None:
            return ""
        said = self._testimonies(element)
        if element.kind is Kind.UPS:  # what comes out of it may come from its battery
            return _unanimous(said, powertable.of_utility)
        return _unanimous(said, powertable.at_line) or self._proof(name)

    def _needs(self, inputs: Expression, name: str) -> bool:
        """Whether power by an expression must have come by one of its names: the others have none."""
        if not inputs.parts:
            return inputs.needs == name
        mine = [part for part in inputs.parts if self._needs(part, name)]
        if inputs.needs == "all" or not mine:
            return bool(mine)
        return all(part in mine or self._is_dead(part) for part in inputs.parts)

    def _is_dead(self, wanted: Expression) -> bool:
        return wanted.value(lambda name: self._of(name, proven=False).supplied) is False


def _unanimous(said: tuple[Testimony, ...], rule: Callable[[Point], bool | None]) -> str:
    """A witness who says that there is power, if none says otherwise."""
    values = {one.witness: rule(one.point) for one in said if one.point is not None}
    if False in values.values():
        return ""
    return next((f"{witness} has power" for witness, value in values.items() if value), "")

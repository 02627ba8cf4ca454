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

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, NamedTuple

from hostwatch.core import powertable
from hostwatch.core.element import Element, Kind
from hostwatch.core.expression import Expression
from hostwatch.core.power import Output, Point, PowerReading, Ups, Utility
from hostwatch.core.powertable import Words
from hostwatch.core.wiring import AT_SOURCE, Wiring

Heard = Callable[[str], PowerReading | None]
"""What a source said last; None if it was not heard, or too long ago."""

PROOF_MAX: Final = 3
"""Of many who prove the same, so many are named."""


class Testimony(NamedTuple):
    """What one witness said of one element."""

    witness: str
    """The source, or `source/point`."""

    point: Point | None
    """None: it was not heard."""

    def __str__(self) -> str:
        if self.point is None:
            return f"{self.witness} was not heard"
        said = f" ({self.point.said})" if self.point.said else ""
        known = {"utility": self.point.utility, "UPS": self.point.ups, "output": self.point.output}
        words = [f"{what} {word}" for what, word in known.items() if word != "unknown"]
        return f"{self.witness} says {', '.join(words) or 'nothing of it'}{said}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Situation:
    """How it stands with one element."""

    element: str
    kind: Kind | None
    """None: there is no such element."""

    supplied: bool | None
    interrupted: bool | None
    is_fault: bool = False
    """Whether power comes in and its own witness says that none comes out: the operator's distribution."""

    contradiction: str = ""
    """What contradicts what, in words for people."""

    testimonies: tuple[Testimony, ...] = ()
    why: str = ""
    """What followed from what: a few words for people."""

    def __str__(self) -> str:
        said = "; ".join(map(str, self.testimonies)) or "nobody looks at it"
        parts = [said, self.contradiction, self.why, value_of(self.supplied, self.interrupted)]
        return f"{self.element}: {'; '.join(part for part in parts if part)}"


def value_of(supplied: bool | None, interrupted: bool | None) -> str:
    """Both values in words."""
    first = {True: "supplied", False: "not supplied", None: "whether it is supplied is unknown"}
    second = {True: "interrupted", False: "not interrupted", None: "whether it is interrupted is unknown"}
    return f"{first[supplied]}, {second[interrupted]}"


class Electricity:
    """All of it at one moment. What it is asked is reckoned once."""

    def __init__(self, wiring: Wiring, heard: Heard) -> None:
        self.wiring = wiring
        self._heard = heard
        self._known: dict[tuple[str, bool], Situation] = {}
        self._proofs: dict[str, tuple[str, ...]] = {}

    def of(self, name: str) -> Situation:
        """How it stands with an element, or with an outlet of one."""
        return self._of(name, proven=True)

    def supplied(self, wanted: Expression) -> bool | None:
        """Whether there is power where an expression says."""
        return wanted.value(lambda name: self.of(name).supplied)

    def interrupted(self, supply: Expression, at: str = AT_SOURCE) -> bool | None:
        """Whether a supply is interrupted, measured at the source or at the outlet (`Wiring.measured`)."""
        if at == AT_SOURCE:
            return _not(supply.value(lambda name: _not(self.of(name).interrupted)))
        return _not(self.supplied(supply))

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
            lost = self.of(name).interrupted if at == AT_SOURCE else _not(self.of(name).supplied)
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
        key = (name, proven)
        if key not in self._known:
            self._known[key] = self._reckoned(name, proven)
        return self._known[key]

    def _reckoned(self, name: str, proven: bool) -> Situation:
        element = self.wiring.element(name)
        if element is None:
            return Situation(
                element=name, kind=None, supplied=None, interrupted=None, why="there is no such element"
            )
        case = _Case(
            element=element,
            testimonies=self._testimonies(element),
            proof=self._proof(name) if proven else (),
            comes_in=self._comes_in(name, proven),
            upstream=self._upstream(name, proven),
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

    def _upstream(self, name: str, proven: bool) -> bool | None:
        """Whether the input is interrupted by the agreement's rule."""
        inputs = self.wiring.input(name)
        if inputs is None:
            return None
        return _not(inputs.value(lambda one: _not(self._of(one, proven=proven).interrupted)))

    def _testimonies(self, element: Element) -> tuple[Testimony, ...]:
        return tuple(self._testimony(*witness) for witness in element.witnesses)

    def _testimony(self, source: str, point: str) -> Testimony:
        reading = self._heard(source)
        name = f"{source}/{point}" if point else source
        return Testimony(name, None if reading is None else _point(reading, point))

    def _proof(self, name: str) -> tuple[str, ...]:
        """Who below an element has power, which can only have come through it."""
        if name not in self._proofs:
            found: dict[str, None] = {}
            for below in self.wiring.below(name):
                inputs = self.wiring.input(below)
                if inputs is not None and self._needs(inputs, name):
                    found.update(dict.fromkeys(self._powered(below)))
            self._proofs[name] = tuple(found)[:PROOF_MAX]
        return self._proofs[name]

    def _powered(self, name: str) -> tuple[str, ...]:
        """Who says that power comes in at an element: its own witness, or who is below it."""
        element = self.wiring.element(name)
        if element is None:
            return ()
        said = self._testimonies(element)
        if element.kind is Kind.UPS:  # what comes out of it may come from its battery
            return _unanimous(said, powertable.of_utility)
        return _unanimous(said, powertable.at_line) + self._proof(name)

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


def _unanimous(said: tuple[Testimony, ...], rule: Callable[[Point], bool | None]) -> tuple[str, ...]:
    """The witnesses who say that there is power, if none says otherwise."""
    values = {one.witness: rule(one.point) for one in said if one.point is not None}
    if False in values.values():
        return ()
    return tuple(f"{witness} has power" for witness, value in values.items() if value)


def _point(reading: PowerReading, name: str) -> Point:
    """A point of a reading. A strip of which an outlet has power has power itself."""
    point = reading.point(name)
    if name or point.output is not Output.UNKNOWN or point.utility is not Utility.UNKNOWN:
        return point
    outlets = [one for one in reading.points if one.name.startswith("outlet ")]
    live = next((one for one in outlets if one.output is Output.POWERED), None)
    return point if live is None else Point(output=Output.POWERED, said=f"{live.name} has power")


def _not(value: bool | None) -> bool | None:
    return None if value is None else not value


@dataclass(frozen=True, slots=True, kw_only=True)
class _Case:
    """All that speaks for or against power at one element."""

    element: Element
    testimonies: tuple[Testimony, ...]
    proof: tuple[str, ...]
    comes_in: bool | None
    upstream: bool | None

    @property
    def heard(self) -> tuple[Point, ...]:
        return tuple(one.point for one in self.testimonies if one.point is not None)

    @property
    def is_silent(self) -> bool:
        """Whether somebody looks, and nobody is heard."""
        return bool(self.testimonies) and not self.heard

    def of_utility(self) -> Situation:
        values = {powertable.of_utility(point) for point in self.heard}
        contradiction = self._contradiction(values)
        present = None if contradiction else _one(values | ({True} if self.proof else set()))
        return self._situation(
            present, _not(present), contradiction=contradiction, why=self._proof_told(values)
        )

    def of_line(self) -> Situation:
        """A panel, a feed, a transfer switch, a PDU, an outlet."""
        values = {powertable.at_line(point) for point in self.heard}
        contradiction = self._contradiction(values)
        if any(map(powertable.is_odd_line, self.heard)):
            contradiction = "a line has power without a utility"
        if not contradiction and self.comes_in is False and (True in values or self.proof):
            contradiction = "there is power, and none comes in"
        supplied, why = self._line(values) if not contradiction else (None, "")
        return self._situation(
            supplied,
            self.upstream,
            is_fault=supplied is False and self.comes_in is True,
            contradiction=contradiction,
            why=why,
        )

    def _line(self, values: set[bool | None]) -> tuple[bool | None, str]:
        if False in values:
            return False, "power comes in, and none comes out" if self.comes_in else ""
        if True in values or self.proof:
            return True, self._proof_told(values)
        if self.is_silent and self.comes_in is not False:
            return None, "who is silent may be without power"
        told = {True: "power comes in", False: "no power comes in", None: "whether power comes in is unknown"}
        return self.comes_in, told[self.comes_in]

    def of_ups(self) -> Situation:
        utility, at_input = self._utility()
        ups, between = self._ups()
        output, at_output = self._output()
        if at_output:  # nobody knows what comes out, nor then what the UPS does
            ups = Ups.UNKNOWN
        words = self._assumed(Words(utility, ups, output), is_open=not at_output)
        own = words.meaning if words.is_contradiction else ""
        return self._situation(
            words.supplied,
            words.interrupted,
            is_fault=words.is_fault,
            contradiction="; ".join(part for part in (at_input, between, at_output, own) if part),
            why="" if own else words.meaning,
        )

    def _utility(self) -> tuple[Utility, str]:
        """Whether the utility is there at its input, and what contradicts that."""
        values = {powertable.of_utility(point) for point in self.heard} - {None}
        if len(values) == 2:
            return Utility.UNKNOWN, "some say that the utility is there, others that it is not"
        if values == {True}:
            if self.comes_in is False:
                return Utility.UNKNOWN, "the utility is said to be there, and no power comes in"
            return Utility.PRESENT, ""
        if values == {False} or self.comes_in is False:
            return Utility.ABSENT, ""
        is_told = self.comes_in is True and not self.is_silent
        return Utility.PRESENT if is_told else Utility.UNKNOWN, ""

    def _ups(self) -> tuple[Ups, str]:
        said = sorted({point.ups for point in self.heard} - {Ups.UNKNOWN})
        if len(said) > 1:
            return Ups.UNKNOWN, f"some say that the UPS is {said[0]}, others {said[1]}"
        return said[0] if said else Ups.UNKNOWN, ""

    def _output(self) -> tuple[Output, str]:
        said = {point.output for point in self.heard} - {Output.UNKNOWN}
        if Output.UNPOWERED in said and (Output.POWERED in said or self.proof):
            told = self.proof[0] if self.proof else "others say that it does"
            return Output.UNKNOWN, f"some say that nothing comes out, and {told}"
        if self.proof:
            return Output.POWERED, ""
        return said.pop() if said else Output.UNKNOWN, ""

    def _assumed(self, words: Words, *, is_open: bool) -> Words:
        """Where the utility is there and nobody says anything of the output, it is taken to come through."""
        is_plain = is_open and words.output is Output.UNKNOWN and words.ups is not Ups.DEAD
        if is_plain and words.utility is Utility.PRESENT and not self.is_silent:
            return words._replace(output=Output.POWERED)
        return words

    def _contradiction(self, values: set[bool | None]) -> str:
        if values >= {True, False}:
            return "some say that there is power, others that there is none"
        if False in values and self.proof:
            return f"it is said to have no power, and {self.proof[0]}"
        return ""

    def _proof_told(self, values: set[bool | None]) -> str:
        return self.proof[0] if self.proof and True not in values else ""

    def _situation(
        self,
        supplied: bool | None,
        interrupted: bool | None,
        *,
        is_fault: bool = False,
        contradiction: str = "",
        why: str = "",
    ) -> Situation:
        return Situation(
            element=self.element.id,
            kind=self.element.kind,
            supplied=supplied,
            interrupted=interrupted,
            is_fault=is_fault,
            contradiction=contradiction,
            testimonies=self.testimonies,
            why=why,
        )


def _one(values: set[bool | None]) -> bool | None:
    known = values - {None}
    return known.pop() if len(known) == 1 else None

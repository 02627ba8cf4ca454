"""How it stands with one element of the power model: what speaks for power there, what against, what follows.

The rules are those of `core.electricity`, for one element at a time.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

from hostwatch.core import powertable
from hostwatch.core.element import Element, Kind
from hostwatch.core.power import Output, Point, Ups, Utility
from hostwatch.core.powertable import Words


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
    """Whether there is power; None: unknown."""

    interrupted: bool | None
    """Whether it is interrupted by the agreement's rule; None: unknown."""

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


def negated(value: bool | None) -> bool | None:
    """The other way round; unknown stays unknown."""
    return None if value is None else not value


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """All that speaks for or against power at one element."""

    element: Element
    testimonies: tuple[Testimony, ...]
    proof: str
    """Who has power below it; empty: nobody who proves anything."""

    comes_in: bool | None
    """Whether there is power at its input; None if that is unknown, or it has none."""

    interrupted_above: bool | None
    """Whether its input is interrupted by the agreement's rule; None likewise."""

    @property
    def heard(self) -> tuple[Point, ...]:
        """What those who were heard said."""
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
            present, negated(present), contradiction=contradiction, why=self._proof_told(values)
        )

    def of_line(self) -> Situation:
        """A panel, a feed, a transfer switch, a PDU, an outlet."""
        values = {powertable.at_line(point) for point in self.heard}
        contradiction = self._contradiction(values)
        if any(map(powertable.is_odd_line, self.heard)):
            contradiction = "a line has power without a utility"
        supplied, why = self._line(values) if not contradiction else (None, "")
        return self._situation(
            supplied,
            self.interrupted_above,
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
            told = self.proof or "others say that it does"
            return Output.UNKNOWN, f"some say that nothing comes out, and {told}"
        if self.proof:
            return Output.POWERED, ""
        return said.pop() if said else Output.UNKNOWN, ""

    def _assumed(self, words: Words, *, is_open: bool) -> Words:
        """Where the utility is there and nobody says anything of the output, it is taken to come through."""
        is_plain = is_open and words.output is Output.UNKNOWN and words.ups is not Ups.DEAD
        if is_plain and words.utility is Utility.PRESENT:
            return words._replace(output=Output.POWERED)
        return words

    def _contradiction(self, values: set[bool | None]) -> str:
        if values >= {True, False}:
            return "some say that there is power, others that there is none"
        if False in values and self.proof:
            return f"it is said to have no power, and {self.proof}"
        return ""

    def _proof_told(self, values: set[bool | None]) -> str:
        return self.proof if self.proof and True not in values else ""

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

"""How it stood with power when it was heard last, for the time in which nobody can say how it stands.

Lost communication is unknown, and never a verdict. But it is not the same to lose sight of a UPS on the
utility and of one on its battery: of the latter the power is *possibly interrupted* from then on, and whoever
reads a figure is told so (`colocation C2`). Nothing is decided by it: not one second becomes another class.

What was said last of an element is said of what hangs on it, unless that was heard itself. Of several of
which any is enough, all must have been in trouble; of several that are all needed, one is enough for it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import IntEnum
from typing import Final, NamedTuple

from hostwatch.core import powertable
from hostwatch.core.element import Element, Kind
from hostwatch.core.expression import Expression
from hostwatch.core.power import Concern, Output, Point, PowerReading, Utility
from hostwatch.core.wiring import Wiring


class Last(IntEnum):
    """How it stood when it was heard last, from the best to the worst."""

    POWERED = 0
    NOTHING = 1
    BATTERY = 2
    LOW = 3
    OFF = 4
    INTERRUPTED = 5

    @property
    def words(self) -> str:
        """For people, and for programs."""
        return WORDS[self]

    @property
    def is_possible(self) -> bool:
        """Whether the power is possibly interrupted since: it was in trouble when it was heard last."""
        return self >= Last.BATTERY


WORDS: Final = {
    Last.POWERED: "with power",
    Last.NOTHING: "not known",
    Last.BATTERY: "on battery",
    Last.LOW: "with a low battery",
    Last.OFF: "with its output off",
    Last.INTERRUPTED: "without power",
}

MEANINGS: Final = {
    Last.POWERED: "the utility is there, or the output has power and no battery is named; on bypass too",
    Last.NOTHING: "nobody was ever heard, or nothing was ever said of it",
    Last.BATTERY: "the utility is absent, and the UPS carries",
    Last.LOW: "the battery is low, with or without the utility",
    Last.OFF: "nothing comes out, though the utility is there or not spoken of",
    Last.INTERRUPTED: "utility and UPS are both without power; of a utility, that it is absent",
}
"""By what was said."""


class Told(NamedTuple):
    """What a source said last."""

    since: datetime
    """When it was first heard to say so, in what matters."""

    until: datetime
    """When it was heard last."""

    reading: PowerReading


TOGETHER: Final = timedelta(minutes=1)
"""Of several witnesses of one element, those who fell silent so close to one another are believed alike."""

Said = Callable[[str], Told | None]
"""What a source said last, however long ago; None if it never said anything."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LastSeen:
    """How it stood with an element or a supply when it was heard last."""

    last: Last = Last.NOTHING
    source: str = ""
    """Who said so; empty if nobody did."""

    since: datetime | None = None
    """Since when it had said so."""

    runtime_s: int | None = None
    """How long the battery was to last, as the source reckoned then."""

    @property
    def is_possible(self) -> bool:
        """Whether the power is possibly interrupted since."""
        return self.last.is_possible

    @property
    def words(self) -> str:
        """For people: `last seen on battery with 12 min left: possibly interrupted`."""
        if self.last is Last.NOTHING:
            return "how it was seen last is not known"
        left = ""
        if self.runtime_s is not None and self.last in (Last.BATTERY, Last.LOW):
            left = f" with {self.runtime_s // 60} min left"
        possibly = ": possibly interrupted" if self.is_possible else ""
        return f"last seen {self.last.words}{left}{possibly}"


def of_supply(
    wanted: Expression, wiring: Wiring, said: Said, known: dict[str, LastSeen] | None = None
) -> LastSeen:
    """How it stood with a supply when it was heard last. `known`: the elements gone through already."""
    known = {} if known is None else known
    if not wanted.parts:
        if wanted.needs not in known:
            known[wanted.needs] = _of_element(wanted.needs, wiring, said, known)
        return known[wanted.needs]
    found = [of_supply(part, wiring, said, known) for part in wanted.parts]
    chosen = min if wanted.needs == "any" else max
    return chosen(found, key=lambda one: one.last)


def of_element(name: str, wiring: Wiring, said: Said) -> LastSeen:
    """The same of one element. A UPS that was heard speaks for itself, and a line for no more than itself."""
    return _of_element(name, wiring, said, {})


def _of_element(name: str, wiring: Wiring, said: Said, known: dict[str, LastSeen]) -> LastSeen:
    element, inputs = wiring.element(name), wiring.input(name)
    own = LastSeen() if element is None else _own(element, said)
    is_final = (
        element is not None and element.kind in (Kind.UPS, Kind.UTILITY) and own.last is not Last.NOTHING
    )
    if inputs is None or is_final:
        return own
    above = of_supply(inputs, wiring, said, known)
    if element is not None and element.kind is Kind.UPS and above.last > Last.BATTERY:
        above = replace(above, last=Last.BATTERY)  # of the UPS itself nobody said anything
    if Last.NOTHING in (own.last, above.last):
        return above if own.last is Last.NOTHING else own
    return max(own, above, key=lambda one: one.last)


def _own(element: Element, said: Said) -> LastSeen:
    """What its own witnesses said last: the worst of them, unless another was heard for longer."""
    found: list[tuple[datetime, LastSeen]] = []
    for source, point in element.witnesses:
        told = said(source)
        if told is None:
            continue
        last = _last(element.kind, told.reading.point(point), told.reading if not point else None)
        if last is not Last.NOTHING:
            seen = LastSeen(last=last, source=source, since=told.since, runtime_s=told.reading.runtime_s)
            found.append((told.until, seen))
    if not found:
        return LastSeen()
    newest = max(until for until, _ in found)
    return max((one for until, one in found if until >= newest - TOGETHER), key=lambda one: one.last)


def _last(kind: Kind, point: Point, itself: PowerReading | None) -> Last:
    """What a point comes to. `itself`: all that a source said, if the point is the source itself."""
    is_low = itself is not None and Concern.LOW_BATTERY in itself.concerns
    if kind is Kind.UPS:
        return _of_ups(point, is_low=is_low)
    value = powertable.of_utility(point) if kind is Kind.UTILITY else powertable.at_line(point)
    if value is None:
        return Last.NOTHING
    return Last.POWERED if value else Last.INTERRUPTED if point.utility is Utility.ABSENT else Last.OFF


def _of_ups(point: Point, *, is_low: bool) -> Last:
    words = powertable.words(point)
    if words.interrupted:
        return Last.INTERRUPTED
    if point.output is Output.UNPOWERED:
        return Last.OFF
    if is_low:
        return Last.LOW
    if point.utility is Utility.ABSENT:
        return Last.BATTERY
    is_said = point.utility is Utility.PRESENT or point.output is Output.POWERED
    return Last.POWERED if is_said else Last.NOTHING


def says_anything(reading: PowerReading) -> bool:
    """Whether a reading says anything at all: a driver that waits for its UPS does not."""
    known = (value for point in reading.points for value in (point.utility, point.ups, point.output))
    return bool(reading.concerns) or any(value != "unknown" for value in known)

"""What sources say of power: the state of each point that they see, in three words that do not decide yet.

A source is a UPS, a power strip, a meter or a server's own supply; a point is one thing that it sees: itself,
an outlet, an input. Each point says of the utility whether it is present, of the UPS whether it can carry
the load, and of the output whether there is power on it; each may be unknown. What follows from all points
together is decided elsewhere in the core, and never out of what is unknown (`colocation C2`).
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache
from typing import Any, Final

POINTS_MAX: Final = 500
"""Points of one source."""

POINTS_KEPT_MAX: Final = 4_096
"""Points that are kept ready to be said again: of what changes in a reading, nearly all is in its figures."""

NAME_CHARS_MAX: Final = 64
SAID_CHARS_MAX: Final = 200
CONCERNS_MAX: Final = 20
NUMBER_MAX: Final = 2**53


class Utility(StrEnum):
    """Whether the utility is there, at the input of a UPS or on a line of its own."""

    PRESENT = "present"
    ABSENT = "absent"
    UNKNOWN = "unknown"


class Ups(StrEnum):
    """Whether a UPS can carry the load without the utility."""

    ABLE = "able"
    DEAD = "dead"
    """It is off, or its battery is empty."""

    BYPASS = "bypass"
    """The load hangs on the utility alone."""

    UNKNOWN = "unknown"


class Output(StrEnum):
    """Whether there is power at a point."""

    POWERED = "powered"
    UNPOWERED = "unpowered"
    UNKNOWN = "unknown"


class Concern(StrEnum):
    """What an operator wants to know early, though nothing is interrupted."""

    ON_BATTERY = "on battery"
    LOW_BATTERY = "low battery"
    REPLACE_BATTERY = "battery to be replaced"
    OVERLOAD = "overload"
    BYPASS = "on bypass"
    CALIBRATION = "calibrating or testing"
    OFF = "off"
    SHUTDOWN = "shutdown forced"
    ALARM = "alarm"
    VOLTAGE = "voltage out of range"


@dataclass(frozen=True, slots=True, kw_only=True)
class Point:
    """What a source says of one thing that it sees."""

    name: str = ""
    """Empty for the source itself; else such as `outlet 7`, `input 1`, `supply 2`, by its own numbers."""

    utility: Utility = Utility.UNKNOWN
    ups: Ups = Ups.UNKNOWN
    output: Output = Output.UNKNOWN
    said: str = ""
    """The source's own words, such as `OL CHRG`: printable and bounded."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PowerReading:
    """What one reading of a source brought. None where the source does not say."""

    points: tuple[Point, ...]
    """No two of one name."""

    concerns: tuple[Concern, ...] = ()
    runtime_s: int | None = None
    """How long the battery lasts, as the source reckons."""

    charge_percent: int | None = None
    load_percent: int | None = None
    absent_for_s: int | None = None
    """How long the utility has been absent, as the source counts; 0 while it is present."""

    failures: int | None = None
    """How often the input has failed since the source began to count: short failures between two readings."""

    def point(self, name: str) -> Point:
        """What is said of a point; a point of which nothing is said is unknown."""
        return next((point for point in self.points if point.name == name), Point(name=name))

    @property
    def text(self) -> str:
        """As JSON, to be sent to another process or kept, without what is not said. `of_text` reads it."""
        return json.dumps(_written(self), ensure_ascii=False, separators=(",", ":"))


def _written(reading: PowerReading) -> dict[str, Any]:
    points = [[p.name, p.utility.value, p.ups.value, p.output.value, p.said] for p in reading.points]
    found: dict[str, Any] = {"points": points}
    if reading.concerns:
        found["concerns"] = [concern.value for concern in reading.concerns]
    for name in _NUMBERS:
        if getattr(reading, name) is not None:
            found[name] = getattr(reading, name)
    return found


_NUMBERS: Final = ("runtime_s", "charge_percent", "load_percent", "absent_for_s", "failures")


def of_text(text: str) -> PowerReading:
    """The reading that `text` wrote. Raises `ValueError` for anything else."""
    try:
        found = json.loads(text)
        points = tuple(_point(*one) for one in found["points"])
        concerns = tuple(Concern(one) for one in found.get("concerns", ()))
        numbers = {name: _number(found[name]) for name in _NUMBERS if name in found}
    except (TypeError, KeyError, AttributeError, RecursionError) as error:
        raise ValueError(f"this is not a reading of power: {type(error).__name__}") from None
    if len(points) > POINTS_MAX or len(concerns) > CONCERNS_MAX:
        raise ValueError("this reading of power has too many points or concerns")
    if len({point.name for point in points}) < len(points):
        raise ValueError("this reading of power names a point twice")
    return PowerReading(points=points, concerns=concerns, **numbers)


@lru_cache(maxsize=POINTS_KEPT_MAX)
def _point(name: str, utility: str, ups: str, output: str, said: str) -> Point:
    if not _is_short(name, NAME_CHARS_MAX) or not _is_short(said, SAID_CHARS_MAX):
        raise ValueError("this reading of power has a long or a strange text")
    return Point(name=name, utility=Utility(utility), ups=Ups(ups), output=Output(output), said=said)


def _is_short(text: object, most: int) -> bool:
    return isinstance(text, str) and len(text) <= most and (not text or text.isprintable())


def _number(value: object) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value <= NUMBER_MAX:
        raise ValueError("this reading of power has a number that is none")
    return value

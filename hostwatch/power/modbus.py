"""A meter or a transfer switch that is asked by Modbus TCP; what its registers mean is written beside it.

Each line of the map is about one point, or about the whole: it says when the utility, the UPS or the output
is well, or names a concern or a figure. Lines about the same are held together: three phases make one input.
Nothing is ever written: only the four functions that read are spoken.
"""

from __future__ import annotations

import difflib
from collections.abc import Callable, Iterable, Mapping, Sequence
from enum import StrEnum
from typing import Annotated, Final, Literal, TypeVar

from pydantic import AfterValidator, Field, model_validator

from hostwatch.configuration.fields import DeviceAddress
from hostwatch.configuration.mistake import Wrong
from hostwatch.configuration.strict import Section
from hostwatch.power import base
from hostwatch.power._conditions import Conditions, holds, shown
from hostwatch.power._modbus import READ_BITS_MAX, READ_WORDS_MAX, Asked, Client, number
from hostwatch.power.base import Concern, Output, Point, PowerReading, Ups, Utility

EXAMPLE = """
modbus:
  address: 192.0.2.40
  unit: 1
  registers:
    - {register: 0, function: 4, type: f32, point: input 1, says: utility, when: ">= 180", unless: "<= 20"}
    - {register: 2, function: 4, type: f32, point: input 2, says: utility, when: ">= 180", unless: "<= 20"}
    - {register: 7, function: 2, point: load, says: output, when: "== 1"}
    - {register: 9, function: 2, says: overload, when: "== 1"}
"""

PORT: Final = 502
REGISTERS_MAX: Final = 200
GAP_MAX: Final = 100
PERCENT_MAX: Final = 1_000
SECONDS_MAX: Final = 10_000_000
SAID_CHARS_MAX: Final = 200

Type = Literal["u16", "i16", "u32", "i32", "f32", "bit"]
WORDS: Final[Mapping[str, int]] = {"u16": 1, "i16": 1, "u32": 2, "i32": 2, "f32": 2, "bit": 1}
"""How many registers each type takes."""


class Says(StrEnum):
    """What a register can say, beside a concern."""

    UTILITY = "utility"
    UPS = "ups"
    BYPASS = "bypass"
    OUTPUT = "output"
    RUNTIME = "runtime"
    CHARGE = "charge"
    LOAD = "load"


FIGURES: Final = frozenset({Says.RUNTIME, Says.CHARGE, Says.LOAD})
CONCERNS: Final = {concern.value: concern for concern in Concern}


def _check_says(value: str) -> str:
    if value in CONCERNS or value in set(Says):
        return value
    known = [*Says, *CONCERNS]
    near = difflib.get_close_matches(value, known, 1)
    mend = f"did you mean {near[0]}?" if near else f"write one of {', '.join(known)}"
    raise Wrong("is nothing that a register can say", mend)


def _check_name(value: str) -> str:
    if value != value.strip() or not value.isprintable():
        raise Wrong("is no name of a point", "write one such as input 1, or leave it out for the whole")
    return value


class Register(Section):
    """What one register means."""

    register_: Annotated[int, Field(ge=0, le=65_535, strict=True)] = Field(alias="register")
    """Its address as it is sent: counted from 0, without the 30000 or 40000 of old manuals."""

    function: Annotated[int, Field(ge=1, le=4, strict=True)] = 3
    """How it is read: 1 coils, 2 discrete inputs, 3 holding registers, 4 input registers."""

    type: Type | None = None
    """What stands there. A coil or a discrete input is one bit; a register is `u16` if nothing is written."""

    bit: Annotated[int, Field(ge=0, le=15, strict=True)] | None = None
    """Which bit of a register, 0 the lowest; with `type: bit` alone."""

    words: Literal["big", "little"] = "big"
    """Which half of what takes two registers comes first: `big` the higher one, as most have it."""

    scale: Annotated[float, Field(gt=0, le=1e6, allow_inf_nan=False)] = 1.0
    """What the number is multiplied by before anything is held against it."""

    unit: Annotated[int, Field(ge=0, le=255, strict=True)] | None = None
    """The unit behind a gateway, if it is another than that of the source."""

    point: Annotated[str, Field(max_length=40), AfterValidator(_check_name)] = ""
    """The point that it is about, such as `input 1`; empty: the whole."""

    says: Annotated[str, AfterValidator(_check_says)]
    """What it is about: `utility`, `ups`, `bypass`, `output`, a figure (`runtime` in seconds, `charge` and
    `load` in percent), or a concern, such as `on battery`."""

    when: Conditions = ()
    """When the utility is present, the UPS able, the bypass on, the output powered, the concern there:
    `>= 180`, `== 1`; one of several is enough."""

    unless: Conditions = ()
    """When the contrary is true. Left out: whenever `when` is not. If both are written, nobody knows what
    lies between them."""

    unknown: Conditions = ()
    """Numbers by which the device says that it does not know, such as `== 65535`, before the scale."""

    @model_validator(mode="after")
    def _is_in_itself_right(self) -> Register:
        if self.function <= 2 and self.type not in (None, "bit"):
            raise Wrong(f"reads a {self.type} by function {self.function}, which has bits", "remove type:")
        is_bit = self.function >= 3 and self.type == "bit"
        if is_bit is not (self.bit is not None):
            raise Wrong(
                "has a bit without type: bit, or type: bit without one", "write type: bit, bit: 3, say"
            )
        if self.register_ + self.size > 65_536:
            raise Wrong("ends beyond the last register, 65535", "write a lower one")
        if self.says in FIGURES and (self.when or self.unless):
            raise Wrong(f"says a figure ({self.says}), and when it would be true", "remove when: and unless:")
        if self.says not in FIGURES and not self.when:
            raise Wrong("does not say when that is so", 'write when: ">= 180", say')
        return self

    @property
    def size(self) -> int:
        """How many bits or registers it takes."""
        return WORDS[self.type or "u16"] if self.function >= 3 else 1


def _check_any(value: tuple[Register, ...]) -> tuple[Register, ...]:
    if value:
        return value
    raise Wrong("is empty", "write at least one register")


class Settings(base.Settings):
    """Where the device is, and what its registers mean."""

    address: DeviceAddress
    """Its address, or that of the gateway that it is behind. Names are not looked up here."""

    port: base.Port = PORT
    """Its port, by TCP."""

    unit: Annotated[int, Field(ge=0, le=255, strict=True)] = 1
    """The unit (slave) that is asked."""

    gap: Annotated[int, Field(ge=0, le=GAP_MAX, strict=True)] = 0
    """How many registers that nobody asked for may be read along, to ask less often. Many devices refuse to
    have such read that they do not have."""

    registers: Annotated[tuple[Register, ...], AfterValidator(_check_any), Field(max_length=REGISTERS_MAX)]
    """The map."""


def asks(settings: Settings) -> tuple[Asked, ...]:
    """What is to be read, in as few questions as the gap allows."""
    spans = sorted(
        (settings.unit if one.unit is None else one.unit, one.function, one.register_, one.size)
        for one in settings.registers
    )
    found: list[Asked] = []
    for unit, function, start, size in spans:
        end, most = start + size, READ_BITS_MAX if function <= 2 else READ_WORDS_MAX
        last = found[-1] if found else None
        if (
            last is not None
            and (last.unit, last.function) == (unit, function)
            and start <= last.end + settings.gap
            and end - last.start <= most
        ):
            found[-1] = last._replace(many=max(last.end, end) - last.start)
        else:
            found.append(Asked(unit, function, start, size))
    return tuple(found)


Values = Mapping[tuple[int, int, int], int]
"""What each bit or register holds, by unit, function and address."""


async def read(settings: Settings, visit: base.Visit) -> PowerReading:
    """Ask the device once."""
    client = Client(await base.connect(visit, str(settings.address), settings.port), visit)
    values: dict[tuple[int, int, int], int] = {}
    with visit.at(base.Step.ANSWER):
        for asked in asks(settings):
            came = await client.read(asked)
            values |= {
                (asked.unit, asked.function, asked.start + place): word for place, word in enumerate(came)
            }
    return reading(settings, values)


def reading(settings: Settings, values: Values) -> PowerReading:
    """What the registers come to."""
    said: dict[tuple[str, str], list[tuple[bool | None, str]]] = {}
    figures: dict[str, list[float | None]] = {}
    for one in settings.registers:
        value = _value(settings, one, values)
        if one.says in FIGURES:
            figures.setdefault(one.says, []).append(value)
        else:
            is_so = None if value is None else _is_so(one, value)
            words = f"{one.says} {'not known' if value is None else shown(value)}"
            said.setdefault((one.point, one.says), []).append((is_so, words))
    names = dict.fromkeys(name for name, says in said if says not in CONCERNS)
    concerns = [
        CONCERNS[says]
        for _, says in said
        if says in CONCERNS
        and any(is_so for point, word in said if word == says for is_so, _ in said[point, word])
    ]
    return PowerReading(
        points=tuple(_point(name, said) for name in names),
        concerns=tuple(dict.fromkeys(concerns)),
        runtime_s=_whole(figures.get(Says.RUNTIME), SECONDS_MAX, min),
        charge_percent=_whole(figures.get(Says.CHARGE), 100, min),
        load_percent=_whole(figures.get(Says.LOAD), PERCENT_MAX, max),
    )


T = TypeVar("T")


def _point(name: str, said: Mapping[tuple[str, str], Sequence[tuple[bool | None, str]]]) -> Point:
    def word(says: Says, so: T, not_so: T, unknown: T) -> T:
        found = {is_so for is_so, _ in said.get((name, says), ())}
        return {True: so, False: not_so, None: unknown}[found.pop()] if len(found) == 1 else unknown

    ups = word(Says.UPS, Ups.ABLE, Ups.DEAD, Ups.UNKNOWN)
    bypass = word(Says.BYPASS, Ups.BYPASS, ups, Ups.UNKNOWN if (name, Says.BYPASS) in said else ups)
    told = (lines for (point, says), lines in said.items() if point == name and says not in CONCERNS)
    words = ", ".join(words for lines in told for _, words in lines)
    return Point(
        name=name,
        utility=word(Says.UTILITY, Utility.PRESENT, Utility.ABSENT, Utility.UNKNOWN),
        ups=Ups.DEAD if ups is Ups.DEAD else bypass,
        output=word(Says.OUTPUT, Output.POWERED, Output.UNPOWERED, Output.UNKNOWN),
        said=base.printable(words, SAID_CHARS_MAX),
    )


def _value(settings: Settings, one: Register, values: Values) -> float | None:
    """The number of a line; none if the device says that it does not know."""
    unit = settings.unit if one.unit is None else one.unit
    words = [values[unit, one.function, one.register_ + place] for place in range(one.size)]
    kind = "bit" if one.function <= 2 else one.type or "u16"
    found = number(words if one.words == "big" else words[::-1], kind, one.bit or 0)
    if found is None or holds(one.unknown, found):
        return None
    return found * one.scale


def _is_so(one: Register, value: float) -> bool | None:
    """Whether what a line says is true; None between the two, and where both hold."""
    so, not_so = holds(one.when, value), holds(one.unless, value)
    if not one.unless:
        return so
    return None if so is not_so else so


def _whole(
    found: Iterable[float | None] | None, most: int, worst: Callable[[list[float]], float]
) -> int | None:
    known = [value for value in found or () if value is not None and 0 <= value <= most]
    return int(worst(known)) if known else None

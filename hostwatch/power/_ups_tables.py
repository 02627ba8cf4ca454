"""What UPSes call their states by SNMP: the standard's table (RFC 1628), and one for each other vendor.

The standard's is shown against an agent that says all of it. Those of the vendors are from the vendors' own
tables, and have not been seen on hardware. What a table does not name is unknown, never a guess.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from hostwatch.core.power import Concern, Output, Ups, Utility


@dataclass(frozen=True, slots=True)
class State:
    """What one number of an output's state means. None: it does not say, and the input is asked."""

    word: str
    utility: Utility | None
    ups: Ups
    output: Output
    concerns: tuple[Concern, ...] = ()


@dataclass(frozen=True, slots=True)
class Number:
    """A variable that is a number, and how many of our units one of its is."""

    name: str
    unit: float = 1.0


@dataclass(frozen=True, slots=True)
class Alarm:
    """What one alarm means. `lost`: what the card says is not what the UPS is at."""

    word: str
    concern: Concern
    output_is_off: bool = False
    utility_is_gone: bool = False
    is_test: bool = False
    lost: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """Where a UPS says what, and in which numbers."""

    company: tuple[int, ...]
    """How its kind begins (sysObjectID)."""

    source: str
    """The variable that says where the output comes from."""

    states: Mapping[int, State]
    battery: str = ""
    batteries: Mapping[int, tuple[bool, Concern | None]] = field(default_factory=dict)
    """By the battery's state: whether it can carry the load, and what is worth a warning."""

    replace: tuple[str, int] | None = None
    """A variable, and the number of it that says: replace the battery."""

    testing: tuple[str, int] | None = None
    """The same: a test is under way."""

    lost: tuple[str, int] | None = None
    """The same: the card does not reach its UPS."""

    runtime_s: Number | None = None
    charge: Number | None = None
    load: Number | None = None
    loads: Number | None = None
    """A column: of the lines of the output, the highest counts."""

    absent_s: Number | None = None
    failures: Number | None = None
    volts: tuple[Number, ...] = ()
    """Of the input, line by line."""

    volts_column: Number | None = None
    alarms: str = ""
    """A column of object identifiers, and what stands below which of them."""

    alarms_below: tuple[int, ...] = ()
    meanings: Mapping[int, Alarm] = field(default_factory=dict)


_PRESENT, _ABSENT = Utility.PRESENT, Utility.ABSENT
_ON, _OFF, _UNSAID = Output.POWERED, Output.UNPOWERED, Output.UNKNOWN

_OTHER = State("other", None, Ups.UNKNOWN, _UNSAID)
_NONE = State("none", None, Ups.DEAD, _OFF, (Concern.OFF,))
_NORMAL = State("normal", _PRESENT, Ups.ABLE, _ON)
_BYPASS = State("bypass", _PRESENT, Ups.BYPASS, _ON, (Concern.BYPASS,))
_BATTERY = State("battery", _ABSENT, Ups.ABLE, _ON, (Concern.ON_BATTERY,))
_BOOSTER = State("booster", _PRESENT, Ups.ABLE, _ON, (Concern.VOLTAGE,))
_REDUCER = State("reducer", _PRESENT, Ups.ABLE, _ON, (Concern.VOLTAGE,))

_STANDARD: Final = {
    1: _OTHER, 2: _NONE, 3: _NORMAL, 4: _BYPASS, 5: _BATTERY, 6: _BOOSTER, 7: _REDUCER
}  # fmt: skip

_BATTERIES: Final = {
    2: (True, None),
    3: (True, Concern.LOW_BATTERY),
    4: (False, Concern.LOW_BATTERY),
}

_ALARMS: Final = {
    1: Alarm("battery bad", Concern.REPLACE_BATTERY),
    2: Alarm("on battery", Concern.ON_BATTERY),
    3: Alarm("low battery", Concern.LOW_BATTERY),
    4: Alarm("depleted battery", Concern.LOW_BATTERY),
    5: Alarm("temperature bad", Concern.ALARM),
    6: Alarm("input bad", Concern.VOLTAGE),
    7: Alarm("output bad", Concern.ALARM),
    8: Alarm("output overload", Concern.OVERLOAD),
    9: Alarm("on bypass", Concern.BYPASS),
    10: Alarm("bypass bad", Concern.ALARM),
    11: Alarm("output off as requested", Concern.OFF, output_is_off=True),
    12: Alarm("UPS off as requested", Concern.OFF),
    13: Alarm("charger failed", Concern.ALARM),
    14: Alarm("UPS output off", Concern.OFF, output_is_off=True),
    15: Alarm("UPS system off", Concern.OFF),
    16: Alarm("fan failure", Concern.ALARM),
    17: Alarm("fuse failure", Concern.ALARM),
    18: Alarm("general fault", Concern.ALARM),
    19: Alarm("diagnostic test failed", Concern.ALARM),
    20: Alarm("communications lost", Concern.ALARM, lost=True),
    21: Alarm("awaiting power", Concern.OFF, output_is_off=True, utility_is_gone=True),
    22: Alarm("shutdown pending", Concern.SHUTDOWN),
    23: Alarm("shutdown imminent", Concern.SHUTDOWN),
    24: Alarm("test in progress", Concern.CALIBRATION, is_test=True),
}
"""RFC 1628, upsWellKnownAlarms."""

_UPS: Final = "1.3.6.1.2.1.33.1"

RFC1628: Final = Table(
    company=(1, 3, 6, 1, 2, 1, 33),
    source=f"{_UPS}.4.1.0",
    states=_STANDARD,
    battery=f"{_UPS}.2.1.0",
    batteries=_BATTERIES,
    testing=(f"{_UPS}.7.3.0", 5),
    runtime_s=Number(f"{_UPS}.2.3.0", 60),
    charge=Number(f"{_UPS}.2.4.0"),
    loads=Number(f"{_UPS}.4.4.1.5"),
    absent_s=Number(f"{_UPS}.2.2.0"),
    failures=Number(f"{_UPS}.3.1.0"),
    volts_column=Number(f"{_UPS}.3.3.1.3"),
    alarms=f"{_UPS}.6.2.1.2",
    alarms_below=(1, 3, 6, 1, 2, 1, 33, 1, 6, 3),
    meanings=_ALARMS,
)

_APC: Final = "1.3.6.1.4.1.318.1.1.1"
_TEST = (Concern.CALIBRATION,)

APC: Final = Table(
    company=(1, 3, 6, 1, 4, 1, 318),
    source=f"{_APC}.4.1.1.0",
    states={
        1: State("unknown", None, Ups.UNKNOWN, _UNSAID),
        2: State("on line", _PRESENT, Ups.ABLE, _ON),
        3: State("on battery", _ABSENT, Ups.ABLE, _ON, (Concern.ON_BATTERY,)),
        4: State("boost", _PRESENT, Ups.ABLE, _ON, (Concern.VOLTAGE,)),
        5: State("timed sleeping", None, Ups.DEAD, _OFF, (Concern.OFF,)),
        6: State("software bypass", _PRESENT, Ups.BYPASS, _ON, (Concern.BYPASS,)),
        7: State("off", None, Ups.DEAD, _OFF, (Concern.OFF,)),
        8: State("rebooting", None, Ups.DEAD, _OFF, (Concern.OFF,)),
        9: State("switched bypass", _PRESENT, Ups.BYPASS, _ON, (Concern.BYPASS,)),
        10: State("hardware failure bypass", _PRESENT, Ups.BYPASS, _ON, (Concern.BYPASS,)),
        11: State("sleeping until power returns", None, Ups.DEAD, _OFF, (Concern.OFF,)),
        12: State("trim", _PRESENT, Ups.ABLE, _ON, (Concern.VOLTAGE,)),
        13: State("eco mode", _PRESENT, Ups.ABLE, _ON),
        15: State("on battery test", None, Ups.ABLE, _ON, _TEST),
        16: State("emergency static bypass", _PRESENT, Ups.BYPASS, _ON, (Concern.BYPASS,)),
        18: State("power saving mode", _PRESENT, Ups.ABLE, _ON),
        20: State("eConversion", _PRESENT, Ups.ABLE, _ON),
        28: State("self-test", None, Ups.ABLE, _ON, _TEST),
    },
    battery=f"{_APC}.2.1.1.0",
    batteries={
        2: (True, None),
        3: (True, Concern.LOW_BATTERY),
        4: (False, Concern.REPLACE_BATTERY),
        5: (False, Concern.REPLACE_BATTERY),
    },
    replace=(f"{_APC}.2.2.4.0", 2),
    testing=(f"{_APC}.7.2.3.0", 4),
    lost=(f"{_APC}.8.1.0", 2),
    runtime_s=Number(f"{_APC}.2.2.3.0", 0.01),
    charge=Number(f"{_APC}.2.2.1.0"),
    load=Number(f"{_APC}.4.2.3.0"),
    absent_s=Number(f"{_APC}.2.1.2.0", 0.01),
    volts=(Number(f"{_APC}.3.2.1.0"),),
)

_XUPS: Final = "1.3.6.1.4.1.534.1"

EATON: Final = Table(
    company=(1, 3, 6, 1, 4, 1, 534),
    source=f"{_XUPS}.4.5.0",
    states={
        **_STANDARD,
        8: State("parallel capacity", _PRESENT, Ups.ABLE, _ON),
        9: State("parallel redundant", _PRESENT, Ups.ABLE, _ON),
        10: State("high efficiency", _PRESENT, Ups.ABLE, _ON),
        11: State("maintenance bypass", _PRESENT, Ups.BYPASS, _ON, (Concern.BYPASS,)),
        12: State("energy saver", _PRESENT, Ups.ABLE, _ON),
    },
    runtime_s=Number(f"{_XUPS}.2.1.0"),
    charge=Number(f"{_XUPS}.2.4.0"),
    load=Number(f"{_XUPS}.4.1.0"),
    failures=Number(f"{_XUPS}.3.2.0"),
    volts_column=Number(f"{_XUPS}.3.4.1.2"),
    alarms=f"{_XUPS}.7.2.1.2",
    alarms_below=(1, 3, 6, 1, 4, 1, 534, 1, 7),
    meanings={
        3: _ALARMS[2],
        4: _ALARMS[3],
        7: _ALARMS[8],
        8: Alarm("internal failure", Concern.ALARM),
        9: _ALARMS[4],
        10: Alarm("inverter failure", Concern.ALARM),
        11: _ALARMS[9],
        12: Alarm("bypass not available", Concern.ALARM),
        13: _ALARMS[14],
        14: Alarm("input failure", Concern.VOLTAGE),
        16: _ALARMS[23],
        23: _ALARMS[1],
        24: _ALARMS[11],
        25: _ALARMS[19],
        26: _ALARMS[20],
        27: _ALARMS[22],
        28: _ALARMS[24],
    },
)

_LGP: Final = "1.3.6.1.4.1.476.1.42.3.5"

VERTIV: Final = Table(
    company=(1, 3, 6, 1, 4, 1, 476),
    source=f"{_LGP}.3.55.0",
    states=_STANDARD,
    battery=f"{_UPS}.2.1.0",
    batteries=_BATTERIES,
    runtime_s=Number(f"{_LGP}.1.18.0", 60),
    charge=Number(f"{_UPS}.2.4.0"),
    loads=Number(f"{_UPS}.4.4.1.5"),
    failures=Number(f"{_LGP}.8.2.0"),
    volts_column=Number(f"{_UPS}.3.3.1.3"),
    alarms=f"{_UPS}.6.2.1.2",
    alarms_below=RFC1628.alarms_below,
    meanings=_ALARMS,
)
"""Its own state of the output, runtime and blackouts; the standard's for the rest, as the same card has."""

_HUAWEI: Final = "1.3.6.1.4.1.2011.6.174.1"

HUAWEI: Final = Table(
    company=(1, 3, 6, 1, 4, 1, 2011),
    source=f"{_HUAWEI}.2.101.1.1.1",
    states={
        1: State("no supply", None, Ups.DEAD, _OFF, (Concern.OFF,)),
        2: _BYPASS,
        3: State("mains", _PRESENT, Ups.ABLE, _ON),
        4: _BATTERY,
        5: State("mains and battery", None, Ups.ABLE, _ON),
        6: State("eco mode", _PRESENT, Ups.ABLE, _ON),
        7: State("battery, from eco mode", _ABSENT, Ups.ABLE, _ON, (Concern.ON_BATTERY,)),
    },
    runtime_s=Number(f"{_HUAWEI}.6.100.1.4.1"),
    charge=Number(f"{_HUAWEI}.6.100.1.3.1"),
    load=Number(f"{_HUAWEI}.4.100.1.14.1", 0.1),
    volts=tuple(Number(f"{_HUAWEI}.3.100.1.{line}.1", 0.1) for line in (1, 2, 3)),
)

TABLES: Final = {"rfc1628": RFC1628, "apc": APC, "eaton": EATON, "vertiv": VERTIV, "huawei": HUAWEI}
"""By the word for it, the standard first."""

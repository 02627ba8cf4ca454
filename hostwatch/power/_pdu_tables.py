"""What power strips call the states of their outlets by SNMP. The numbers contradict one another.

What is on with one vendor is off with the next, and with the next model of the same. So there is a table for
each, it is named in the configuration, and a number that it does not hold is unknown. All are from the
vendors' own tables, and have not been seen on hardware.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final, Literal

from hostwatch.core.power import Output

_ON, _OFF, _UNSAID = Output.POWERED, Output.UNPOWERED, Output.UNKNOWN


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """Where a strip says what, and in which numbers."""

    outlets: str
    """The column of the outlets' states."""

    states: Mapping[int, tuple[str, Output]]
    """What each number means, and whether there is power on the outlet if there is on the input."""

    first: tuple[int, ...] = ()
    """How the numbers of the first unit's outlets and inputs begin: theirs are told without it."""

    volts: str = ""
    """The column of the inputs' voltages."""

    unit: float = 1.0
    """How many volts one of its is."""

    lines: Literal["last", "all", "none"] = "none"
    """`last`: the last number counts the lines of an input; `all`: all rows are lines of the one input."""

    sensor: int | None = None
    """If the last number tells what is measured: the one for volts."""

    inputs: str = ""
    """A column of the inputs' states instead of voltages, and what its numbers mean."""

    input_states: Mapping[int, tuple[str, Output]] = field(default_factory=dict)


_ON_1_OFF_2: Final = {1: ("on", _ON), 2: ("off", _OFF)}
_OFF_1_ON_2: Final = {1: ("off", _OFF), 2: ("on", _ON)}
_APC: Final = "1.3.6.1.4.1.318.1.1"
_SENTRY: Final = {
    0: ("off", _OFF),
    1: ("on", _ON),
    2: ("off wait", _ON),
    3: ("on wait", _OFF),
    4: ("off error", _UNSAID),
    5: ("on error", _UNSAID),
    6: ("no communication", _UNSAID),
    7: ("reading", _UNSAID),
    8: ("off fuse", _OFF),
    9: ("on fuse", _UNSAID),
}

TABLES: Final = {
    "apc-spdu": Table(outlets=f"{_APC}.4.4.2.1.3", states=_ON_1_OFF_2),
    "apc-rpdu": Table(outlets=f"{_APC}.12.3.5.1.1.4", states=_ON_1_OFF_2),
    "apc-rpdu2": Table(
        outlets=f"{_APC}.26.9.2.3.1.5", states=_OFF_1_ON_2, volts=f"{_APC}.26.6.3.1.6", lines="all"
    ),
    "apc-epdu": Table(outlets=f"{_APC}.30.6.1.1.4", states=_OFF_1_ON_2),
    "eaton": Table(
        outlets="1.3.6.1.4.1.534.6.6.7.6.6.1.2",
        states={0: ("off", _OFF), 1: ("on", _ON), 2: ("pending off", _ON), 3: ("pending on", _OFF)},
        first=(0,),
        volts="1.3.6.1.4.1.534.6.6.7.3.2.1.3",
        unit=0.001,
        lines="last",
    ),
    "raritan": Table(
        outlets="1.3.6.1.4.1.13742.6.4.1.2.1.3",
        states={7: ("on", _ON), 8: ("off", _OFF)},
        first=(1,),
        volts="1.3.6.1.4.1.13742.6.5.2.3.1.4",
        sensor=4,
    ),
    "sentry3": Table(
        outlets="1.3.6.1.4.1.1718.3.2.3.1.5",
        states=_SENTRY,
        first=(1, 1),
        inputs="1.3.6.1.4.1.1718.3.2.2.1.5",
        input_states=_SENTRY,
    ),
    "sentry4": Table(outlets="1.3.6.1.4.1.1718.4.1.8.3.1.1", states=_ON_1_OFF_2, first=(1, 1)),
}
"""By the word for it."""

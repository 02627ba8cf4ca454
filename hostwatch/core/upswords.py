"""The words of Network UPS Tools, and what follows from them for a UPS, a strip or a transfer switch.

`ups.status` is a set of words: their order says nothing, nor does a repetition, and a word that nobody knows
is shown and decides nothing. The words are those of RFC 9271 and of the drivers. `OL` and `OB` speak of the
input line alone, `OFF` of the output. Voltages are looked at where the words leave something open; and where
a voltage says otherwise than the words, nobody knows.

A measured 0 V never takes an output's power away by itself: drivers give it where nothing is measured.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Final

from hostwatch.core.power import (
    CONCERNS_MAX,
    NUMBER_MAX,
    SAID_CHARS_MAX,
    Concern,
    Output,
    Point,
    PowerReading,
    Ups,
    Utility,
)

UPS: Final = "ups"
"""What a UPS calls itself (`device.type`); the others are `pdu`, `ats` and such."""

ALIVE_V: Final = 80.0
"""From so many volts on a line is alive, and half its nominal voltage if that is known."""

DEAD_V: Final = 20.0
"""Up to so many it is dead: what a meter shows of a line beside it."""

TESTING: Final = frozenset({"CAL", "TEST"})
"""The UPS is on its battery because it was told to be; the utility is there."""

CONCERNS: Final[Mapping[str, Concern]] = {
    "LB": Concern.LOW_BATTERY,
    "RB": Concern.REPLACE_BATTERY,
    "OVER": Concern.OVERLOAD,
    "BYPASS": Concern.BYPASS,
    "CAL": Concern.CALIBRATION,
    "TEST": Concern.CALIBRATION,
    "OFF": Concern.OFF,
    "FSD": Concern.SHUTDOWN,
    "ALARM": Concern.ALARM,
    "TRIM": Concern.VOLTAGE,
    "BOOST": Concern.VOLTAGE,
}
"""What each word worries an operator with. `OB` does so unless the UPS is being tested."""

WORDS: Final[Mapping[str, str]] = {
    "OL": "the utility is present",
    "OB": "the utility is absent, unless `CAL` or `TEST` stands beside it: then it is present",
    "OFF": "nothing comes out, and the UPS is off",
    "BYPASS": "the load hangs on the utility alone, past the UPS",
    "LB": "the battery is low",
    "HB": "the battery is charged too high: decides nothing",
    "RB": "the battery is to be replaced",
    "CHRG": "the battery is being charged: decides nothing",
    "DISCHRG": "the battery is being discharged: decides nothing",
    "CAL": "the UPS measures its battery",
    "TEST": "the UPS tests its battery",
    "OVER": "the UPS is overloaded",
    "TRIM": "the voltage is too high, and lowered: there is power",
    "BOOST": "the voltage is too low, and raised: there is power",
    "FSD": "the UPS is about to be shut down",
    "ALARM": "something is wrong, which `ups.alarm` tells",
    "ECO": "the load hangs on the utility, and the UPS is ready: decides nothing",
    "WAIT": "the driver has not heard from the UPS yet: decides nothing",
}
"""Every word that is known, and what it says."""

POWERED: Final = frozenset({"OL", "OB", "BYPASS", "TRIM", "BOOST"})
"""Without `OFF`, each of these says that there is power on the output."""

ABLE: Final = frozenset({"OL", "OB", "TRIM", "BOOST"})
"""Without `OFF` and `BYPASS`, each of these says that the UPS can carry the load."""

Variables = Mapping[str, str]
"""What a device says of itself, by NUT's names; a name that it does not say is not there."""

PHASES: Final = ("L1-N", "L2-N", "L3-N", "L1", "L2", "L3", "L1-L2", "L2-L3", "L3-L1")

OUTLETS: Final[Mapping[str, Output]] = {
    "on": Output.POWERED,
    "on/closed": Output.POWERED,
    "off": Output.UNPOWERED,
    "off/open": Output.UNPOWERED,
}
"""What the state of an outlet says. One that is about to be switched, or has failed, is not known."""

PERCENT_MAX: Final = 100
"""A battery's charge and its limit are nonsense above: drivers say 120, 255 and 1000."""

_OUTLET = re.compile(r"outlet\.(\d{1,4})\.status")
_INPUT = re.compile(r"input\.(\d{1,2})\.voltage")


def words_in(text: str) -> frozenset[str]:
    """The words of a status."""
    return frozenset(text.upper().split())


def reading(said: Variables) -> PowerReading:
    """What a device says, by its variables."""
    words = words_in(said.get("ups.status", ""))
    kind = said.get("device.type", UPS)
    points = (_itself(kind, words, said), *_inputs(said), *_outlets(said))
    return PowerReading(
        points=points,
        concerns=tuple(sorted({*_concerns(words), *_of_figures(said)}))[:CONCERNS_MAX],
        runtime_s=_whole(said.get("battery.runtime")),
        charge_percent=_whole(_percent(said.get("battery.charge"))),
        load_percent=_whole(said.get("ups.load")),
    )


def _itself(kind: str, words: frozenset[str], said: Variables) -> Point:
    """The point of the device itself. Where its output's voltage says otherwise, nobody knows."""
    utility, ups, output = utility_of(words, said), ups_of(words), output_of(words, said)
    otherwise = {Output.POWERED: False, Output.UNPOWERED: True}
    if output in otherwise and _is_live("output", said) is otherwise[output]:
        output, ups = Output.UNKNOWN, Ups.UNKNOWN
    return Point(utility=utility, ups=ups if kind == UPS else Ups.UNKNOWN, output=output, said=_said(said))


def utility_of(words: frozenset[str], said: Variables) -> Utility:
    """Whether the utility is there."""
    if {"OL", "OB"} <= words:
        return Utility.UNKNOWN
    if "OL" in words or ("OB" in words and TESTING & words):
        return Utility.PRESENT
    if "OB" in words:
        return Utility.ABSENT
    return {True: Utility.PRESENT, False: Utility.ABSENT, None: Utility.UNKNOWN}[_is_live("input", said)]


def ups_of(words: frozenset[str]) -> Ups:
    """Whether the UPS can carry the load."""
    if "OFF" in words:
        return Ups.DEAD
    if "BYPASS" in words:
        return Ups.BYPASS
    return Ups.ABLE if ABLE & words else Ups.UNKNOWN


def output_of(words: frozenset[str], said: Variables) -> Output:
    """Whether there is power on the output, by the words; by its voltage where they leave it open.

    On bypass without the utility there is none, unless a voltage says so.
    """
    if "OFF" in words:
        return Output.UNPOWERED
    is_stranded = "BYPASS" in words and utility_of(words, said) is Utility.ABSENT
    if (POWERED & words and not is_stranded) or _is_live("output", said):
        return Output.POWERED
    return Output.UNKNOWN


def _concerns(words: frozenset[str]) -> Iterator[Concern]:
    if "OB" in words and not TESTING & words:
        yield Concern.ON_BATTERY
    yield from (CONCERNS[word] for word in words if word in CONCERNS)


def _of_figures(said: Variables) -> Iterator[Concern]:
    """What figures worry with: a battery that is below its own limit."""
    for what, sensible in (("battery.runtime", _as_told), ("battery.charge", _percent)):
        now, low = _figure(sensible(said.get(what))), _figure(sensible(said.get(f"{what}.low")))
        if now is not None and low is not None and now < low:
            yield Concern.LOW_BATTERY


def _as_told(text: str | None) -> str | None:
    return text


def _percent(text: str | None) -> str | None:
    """A share of a hundred, as it was told; None if it is none."""
    figure = _figure(text)
    return None if figure is None or figure > PERCENT_MAX else text


def _inputs(said: Variables) -> Iterator[Point]:
    """The inputs of a transfer switch: each is a line."""
    for number, name in _numbered(_INPUT, said):
        live = _alive(_figure(said[name]), _figure(said.get("input.voltage.nominal")))
        known = {True: Utility.PRESENT, False: Utility.ABSENT, None: Utility.UNKNOWN}
        yield Point(name=f"input {number}", utility=known[live], said=_short(f"{said[name]} V"))


def _outlets(said: Variables) -> Iterator[Point]:
    for number, name in _numbered(_OUTLET, said):
        output = OUTLETS.get(said[name].strip().lower(), Output.UNKNOWN)
        yield Point(name=f"outlet {number}", output=output, said=_short(said[name]))


def _numbered(pattern: re.Pattern[str], said: Variables) -> list[tuple[int, str]]:
    """The variables with a number in their names, by it; the same number once."""
    found = {int(match[1]): name for name in sorted(said) if (match := pattern.fullmatch(name))}
    return sorted(found.items())


def _is_live(side: str, said: Variables) -> bool | None:
    """Whether there is voltage on a side: on all phases, on none, or not to be said."""
    nominal = _figure(said.get(f"{side}.voltage.nominal"))
    names = (f"{side}.voltage", *(f"{side}.{phase}.voltage" for phase in PHASES))
    return _unanimous(_alive(_figure(said[name]), nominal) for name in names if name in said)


def _unanimous(values: Iterable[bool | None]) -> bool | None:
    found = set(values)
    return found.pop() if len(found) == 1 else None


def _alive(volts: float | None, nominal: float | None) -> bool | None:
    if volts is None:
        return None
    if volts <= DEAD_V:
        return False
    return True if volts >= (nominal / 2 if nominal and nominal > 2 * DEAD_V else ALIVE_V) else None


def _figure(text: str | None) -> float | None:
    """A number of a device; None if it is none, or no sensible one."""
    if text is None or not re.fullmatch(r"\s*\d{1,12}(\.\d{0,12})?\s*", text, re.ASCII):
        return None
    return float(text)


def _whole(text: str | None) -> int | None:
    figure = _figure(text)
    return None if figure is None else min(int(figure), NUMBER_MAX)


def _said(said: Variables) -> str:
    alarm = said.get("ups.alarm", "").strip()
    return _short(f"{said.get('ups.status', '')}{f': {alarm}' if alarm else ''}")


def _short(text: str) -> str:
    """Printable, and not too long."""
    return "".join(letter if letter.isprintable() else "?" for letter in text)[:SAID_CHARS_MAX]

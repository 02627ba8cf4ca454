"""A power strip that is asked by SNMP: which of its outlets are on, and whether there is power at its inputs.

Its points are `outlet N` and `input N`, by its own numbers, and the strip itself, which is what its inputs
come to. An outlet that is on has power as long as no input is known to be without.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, Literal

from hostwatch.power import base
from hostwatch.power._pdu_tables import TABLES, Table
from hostwatch.power.base import Missed, Output, Point, PowerReading
from hostwatch.snmp import agent, hearing
from hostwatch.snmp.ber import Value

EXAMPLE = """
snmp_pdu:
  address: 192.0.2.20
  model: apc-rpdu2
  community: {file: secrets/community}
"""

PRESENT_V: Final = 80.0
"""From here on there is power at an input."""

ABSENT_V: Final = 20.0
"""Up to here there is none: meters show some volts of nothing. Between the two nobody can say."""

ROWS_MAX: Final = 240
"""Outlets of one strip, and lines of its inputs."""

Index = tuple[int, ...]
Rows = dict[Index, agent.Row]


class Settings(hearing.Heard, base.Settings):
    """Where the strip is, how it is asked, and whose table it follows."""

    model: Literal["apc-rpdu2", "apc-rpdu", "apc-spdu", "apc-epdu", "eaton", "raritan", "sentry3", "sentry4"]
    """Whose table it follows: the numbers of one are the contrary with another, so it is never guessed."""


async def read(settings: Settings, visit: base.Visit) -> PowerReading:
    """Ask the strip once."""
    table = TABLES[settings.model]
    asked = await agent.connect(settings, visit)
    outlets = await asked.walk(table.outlets, rows_max=ROWS_MAX)
    column = table.volts or table.inputs
    inputs = await asked.walk(column, rows_max=ROWS_MAX) if column else {}
    return reading(table, outlets, inputs)


async def listen(sources: Mapping[str, Settings], ear: base.Ear) -> None:
    """A trap of a strip makes that it is read at once."""
    await hearing.listen(sources, lambda name, told: ear.ask(name))


def reading(table: Table, outlets: Rows, inputs: Rows) -> PowerReading:
    """What the rows come to. Raises `Missed` if there is not one outlet, and not one input."""
    fed = _inputs(table, inputs)
    if not outlets and not fed:
        raise Missed("the agent has no outlets and no inputs of this model: is it another one?")
    whole = _together([output for output, _ in fed.values()])
    points = [Point(output=whole)]
    points += [
        Point(name=f"input {_name(table, index)}", output=output, said=said)
        for index, (output, said) in fed.items()
    ]
    for index, row in outlets.items():
        word, output = _state(table.states, row.get(table.outlets))
        if output is Output.POWERED and fed:
            output, word = _with_input(fed, whole, word)
        points.append(Point(name=f"outlet {_name(table, index)}", output=output, said=word))
    if len({point.name for point in points}) < len(points):
        raise Missed("the agent has two outlets, or inputs, of one number")
    return PowerReading(points=tuple(points))


def _with_input(fed: dict[Index, tuple[Output, str]], whole: Output, word: str) -> tuple[Output, str]:
    """Whether there is power on an outlet that is on. Which input it hangs on is not told."""
    if whole is Output.UNPOWERED:
        return Output.UNPOWERED, f"{word}, without an input"
    if any(output is Output.UNPOWERED for output, _ in fed.values()):
        return Output.UNKNOWN, f"{word}, one input without power"
    return Output.POWERED, word


def _inputs(table: Table, rows: Rows) -> dict[Index, tuple[Output, str]]:
    """Each input, and what is said of it."""
    if table.inputs:
        found = {index: _state(table.input_states, row.get(table.inputs)) for index, row in rows.items()}
        return {index: (output, word) for index, (word, output) in found.items()}
    lines: dict[Index, list[float]] = {}
    for index, row in rows.items():
        value = row.get(table.volts)
        if table.sensor is not None:
            if index[-1] != table.sensor:
                continue
            index = index[:-1]
        if not isinstance(value, int) or value < 0:
            continue  # a meter that is not there says so with a negative number
        whose = {"all": (*table.first, 1), "last": index[:-1], "none": index}[table.lines]
        lines.setdefault(whose, []).append(value * table.unit)
    return {
        index: (_together([_at(volts) for volts in all_of_it]), f"{min(all_of_it):.0f} V")
        for index, all_of_it in lines.items()
    }


def _at(volts: float) -> Output:
    if volts >= PRESENT_V:
        return Output.POWERED
    return Output.UNPOWERED if volts <= ABSENT_V else Output.UNKNOWN


def _together(outputs: list[Output]) -> Output:
    """What is true of all of them; else unknown."""
    return outputs[0] if outputs and len({*outputs}) == 1 else Output.UNKNOWN


def _state(states: Mapping[int, tuple[str, Output]], value: Value) -> tuple[str, Output]:
    if isinstance(value, int):
        return states.get(value, (f"state {value}", Output.UNKNOWN))
    return "no state", Output.UNKNOWN


def _name(table: Table, index: Index) -> str:
    """An outlet's or an input's own number; with that of its unit if it is not of the first."""
    first = table.first[: len(index) - 1]
    own = index[len(first) :] if index[: len(first)] == first else index
    return ".".join(map(str, own))[:40]

"""A UPS that is asked by SNMP: by the standard's table (RFC 1628), or by its vendor's own.

Where the output comes from says most: of the utility, of the UPS and of the output. Where that does not say
whether the utility is there, as when the output is off or a test is under way, the voltages of the input do.
A card that has lost its UPS knows nothing, and neither do we.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Final, Literal

from hostwatch.power import base
from hostwatch.power._ups_tables import TABLES, Alarm, Number, State, Table
from hostwatch.power.base import Concern, Missed, Output, Point, PowerReading, Ups, Utility
from hostwatch.snmp import agent, hearing
from hostwatch.snmp.agent import Agent
from hostwatch.snmp.ber import Value

EXAMPLE = """
snmp_ups:
  address: 192.0.2.5
  model: rfc1628
  user: hostwatch
  auth_password: {file: secrets/ups-auth}
  privacy_password: {file: secrets/ups-privacy}
"""

SYSTEM: Final = "1.3.6.1.2.1.1.2.0"
"""What kind of thing an agent is (sysObjectID)."""

ON_BATTERY: Final = "1.3.6.1.2.1.33.2.1"
"""The standard's trap about it (upsTrapOnBattery)."""

PRESENT_V: Final = 80.0
"""From here on a line of the input has the utility; it is low at worst."""

ABSENT_V: Final = 20.0
"""Up to here it has none: meters show some volts of nothing. Between the two nobody can say."""

LINES_MAX: Final = 100
"""Rows of the tables of lines and alarms."""

SAID_CHARS_MAX: Final = 200
PERCENT_MAX: Final = 1_000
SECONDS_MAX: Final = 10_000_000


class Settings(hearing.Heard, base.Settings):
    """Where the card is, how it is asked, and whose table it follows."""

    model: Literal["auto", "rfc1628", "apc", "eaton", "vertiv", "huawei"] = "auto"
    """Whose table it follows. `auto`: its vendor's if the card says whose it is and has that, else the
    standard's."""


async def read(settings: Settings, visit: base.Visit) -> PowerReading:
    """Ask the card once."""
    asked = await agent.connect(settings, visit)
    table = TABLES[settings.model] if settings.model != "auto" else await _found(asked)
    came = await asked.get(*_scalars(table))
    columns = _columns(table)
    rows = [*(await asked.walk(*columns, rows_max=LINES_MAX)).values()] if columns else []
    return reading(table, came, rows)


async def _found(asked: Agent) -> Table:
    """The vendor's table, or the standard's: whichever the agent has."""
    came = await asked.get(SYSTEM, *(table.source for table in TABLES.values()))
    kind = came.get(SYSTEM)
    tables = [table for table in TABLES.values() if table.source in came]
    own = [
        table for table in tables if isinstance(kind, tuple) and kind[: len(table.company)] == table.company
    ]
    if not tables:
        raise Missed("the agent has no table of a UPS that is known here")
    return (own or tables)[0]


def _scalars(table: Table) -> tuple[str, ...]:
    numbers = (table.runtime_s, table.charge, table.load, table.absent_s, table.failures, *table.volts)
    flags = (table.replace, table.testing, table.lost)
    names = [table.source, table.battery, *(flag[0] for flag in flags if flag)]
    return tuple(name for name in (*names, *(number.name for number in numbers if number)) if name)


def _columns(table: Table) -> tuple[str, ...]:
    columns = (table.loads, table.volts_column)
    return tuple(name for name in (*(one.name for one in columns if one), table.alarms) if name)


async def listen(sources: Mapping[str, Settings], ear: base.Ear) -> None:
    """A trap of a UPS makes that it is read at once. That it is on battery is heard, if it is signed."""

    def tell(name: str, told: hearing.Told) -> None:
        if told.is_signed and told.about == ON_BATTERY:
            ear.said(name, on_battery(told))
        ear.ask(name)

    await hearing.listen(sources, tell)


def on_battery(told: hearing.Told) -> PowerReading:
    """What the standard's trap says (upsTrapOnBattery). It comes again each minute."""
    standard = TABLES["rfc1628"]
    point = Point(utility=Utility.ABSENT, ups=Ups.ABLE, output=Output.POWERED, said="battery; by a trap")
    return PowerReading(
        points=(point,),
        concerns=(Concern.ON_BATTERY,),
        runtime_s=_number(standard.runtime_s, told.variables, SECONDS_MAX),
        absent_for_s=_number(standard.absent_s, told.variables, SECONDS_MAX) or None,
    )


def reading(table: Table, came: agent.Row, rows: Iterable[agent.Row]) -> PowerReading:
    """What the variables and the rows of a table come to. Raises `Missed` if they say nothing of the UPS."""
    rows = [*rows]
    source = came.get(table.source)
    if not isinstance(source, int):
        raise Missed(f"the agent does not say what its UPS is at ({table.source}): is it another model?")
    alarms = [*_alarms(table, rows)]
    if _is(came, table.lost) or any(alarm.lost for alarm in alarms):
        raise Missed("the card has lost the connection to its UPS")
    state = table.states.get(source, State(f"state {source}", None, Ups.UNKNOWN, Output.UNKNOWN))
    is_test = _is(came, table.testing) or any(alarm.is_test for alarm in alarms)
    works, battery = table.batteries.get(_whole(came.get(table.battery)), (True, None))
    utility = _utility(state, alarms, is_test, _volts(table, came, rows))
    point = Point(
        utility=utility,
        ups=Ups.DEAD if not works and state.ups is Ups.ABLE and Concern.ON_BATTERY not in state.concerns
        else state.ups,
        output=_output(state, alarms),
        said=base.printable("; ".join([state.word, *(alarm.word for alarm in alarms)]), SAID_CHARS_MAX),
    )  # fmt: skip
    concerns = [*state.concerns, *(alarm.concern for alarm in alarms), *([battery] if battery else [])]
    concerns += [Concern.REPLACE_BATTERY] if _is(came, table.replace) else []
    if is_test:
        concerns = [Concern.CALIBRATION, *(one for one in concerns if one is not Concern.ON_BATTERY)]
    loads = [_number(table.loads, row, PERCENT_MAX) for row in rows]
    return PowerReading(
        points=(point,),
        concerns=tuple(dict.fromkeys(concerns)),
        runtime_s=_number(table.runtime_s, came, SECONDS_MAX),
        charge_percent=_number(table.charge, came, 100),
        load_percent=max((load for load in loads if load is not None), default=None)
        if table.loads else _number(table.load, came, PERCENT_MAX),
        absent_for_s=_absent(table, came, utility),
        failures=_number(table.failures, came, 2**32),
    )  # fmt: skip


def _utility(state: State, alarms: list[Alarm], is_test: bool, volts: list[float]) -> Utility:
    """Whether the utility is there; unknown where what the card says contradicts itself."""
    measured = _measured(volts)
    said = None if is_test else state.utility
    if said is None:
        if measured is Utility.UNKNOWN and any(alarm.utility_is_gone for alarm in alarms):
            return Utility.ABSENT
        return measured
    if said is Utility.PRESENT and any(alarm.utility_is_gone for alarm in alarms):
        return Utility.UNKNOWN
    return said


def _measured(volts: list[float]) -> Utility:
    """What the voltages of all lines of the input say together."""
    if volts and min(volts) >= PRESENT_V:
        return Utility.PRESENT
    if volts and max(volts) <= ABSENT_V:
        return Utility.ABSENT
    return Utility.UNKNOWN


def _output(state: State, alarms: list[Alarm]) -> Output:
    if not any(alarm.output_is_off for alarm in alarms):
        return state.output
    return Output.UNKNOWN if state.output is Output.POWERED else Output.UNPOWERED


def _absent(table: Table, came: agent.Row, utility: Utility) -> int | None:
    if utility is Utility.ABSENT:
        return _number(table.absent_s, came, SECONDS_MAX) or None
    return 0 if utility is Utility.PRESENT else None


def _alarms(table: Table, rows: Iterable[agent.Row]) -> Iterator[Alarm]:
    below = len(table.alarms_below)
    for row in rows:
        about = row.get(table.alarms) if table.alarms else None
        if isinstance(about, tuple) and about[:below] == table.alarms_below and len(about) > below:
            meant = table.meanings.get(about[below])
            yield meant or Alarm(f"alarm {'.'.join(map(str, about[below:]))}"[:40], Concern.ALARM)


def _volts(table: Table, came: agent.Row, rows: Iterable[agent.Row]) -> list[float]:
    found = [_scaled(number, came) for number in table.volts]
    if table.volts_column is not None:
        found += [_scaled(table.volts_column, row) for row in rows]
    return [volts for volts in found if volts is not None]


def _scaled(number: Number, came: Mapping[str, Value]) -> float | None:
    value = came.get(number.name)
    return value * number.unit if isinstance(value, int) and value >= 0 else None


def _number(number: Number | None, came: Mapping[str, Value], most: int) -> int | None:
    """A number in our unit; none for what is negative or beyond all sense."""
    found = _scaled(number, came) if number is not None else None
    return int(found) if found is not None and found <= most else None


def _is(came: agent.Row, flag: tuple[str, int] | None) -> bool:
    return flag is not None and came.get(flag[0]) == flag[1]


def _whole(value: Value) -> int:
    return value if isinstance(value, int) else -1

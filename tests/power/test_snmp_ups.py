"""UPSes of net-snmp's agent, whose state `snmpset` changes: by the standard's table, and the vendors'."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from hostwatch.core.power import Concern, Output, Point, PowerReading, Ups, Utility
from hostwatch.core.reading import Outcome
from hostwatch.power import _ups_tables, snmp_ups
from hostwatch.power.base import Missed
from tests.power.sources import look, reading
from tests.snmp.agents import Snmpd, credentials, override, snmpd

MIB = "1.3.6.1.2.1.33.1"
SOURCE, BATTERY, SECONDS, MINUTES, CHARGE = (
    f"{MIB}.{tail}" for tail in ("4.1.0", "2.1.0", "2.2.0", "2.3.0", "2.4.0")
)
VOLTS, LOADS, BADS, TEST = (f"{MIB}.{tail}" for tail in ("3.3.1.3", "4.4.1.5", "3.1.0", "7.3.0"))
ALARM, KNOWN = f"{MIB}.6.2.1.2", f"{MIB}.6.3"

Values = dict[str, tuple[str, object]]

WELL: Values = {
    "1.3.6.1.2.1.1.2.0": ("object_id", "1.3.6.1.2.1.33"),
    SOURCE: ("integer", 3),
    BATTERY: ("integer", 2),
    SECONDS: ("integer", 0),
    MINUTES: ("integer", 42),
    CHARGE: ("integer", 100),
    BADS: ("counter", 7),
    TEST: ("integer", 6),
    **{f"{VOLTS}.{line}": ("integer", 229 + line) for line in (1, 2, 3)},
    **{f"{LOADS}.{line}": ("integer", 20 + line) for line in (1, 2, 3)},
    f"{ALARM}.1": ("object_id", "0.0"),
    f"{ALARM}.2": ("object_id", "0.0"),
}
"""A UPS of three lines that is well. Alarms that are not there are 0.0: rows cannot come and go here."""


class Room:
    """A UPS, and one way to ask it."""

    def __init__(self, agent: Snmpd, user: str = "", **written: Any) -> None:
        self.agent = agent
        self.written = {"address": agent.address, "port": agent.port, **credentials(user), **written}

    def set(self, **numbers: int) -> None:
        """Change numbers of the standard's table, by the names above."""
        places = {"source": SOURCE, "battery": BATTERY, "seconds": SECONDS, "minutes": MINUTES}
        places |= {"charge": CHARGE, "test": TEST}
        triples: list[str] = []
        for name, number in numbers.items():
            if name == "volts":
                triples += [part for line in (1, 2, 3) for part in (f"{VOLTS}.{line}", "i", str(number))]
            elif name.startswith("alarm"):
                known = f"{KNOWN}.{number}" if number else "0.0"
                triples += [f"{ALARM}.{name[-1]}", "o", known]
            else:
                triples += [places[name], "i", str(number)]
        self.agent.set(*triples)

    async def reading(self) -> PowerReading:
        return await reading("snmp_ups", self.written)


@contextmanager
def ups(home: Path, values: Values) -> Iterator[Snmpd]:
    with snmpd(home, override(values)) as agent:
        yield agent


@pytest.fixture(scope="module")
def standard(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Snmpd]:
    with ups(tmp_path_factory.mktemp("ups"), WELL) as agent:
        yield agent


@pytest.fixture(params=["", "ups"])
def room(standard: Snmpd, request: pytest.FixtureRequest) -> Room:
    here = Room(standard, request.param, model="rfc1628")
    here.set(source=3, battery=2, seconds=0, minutes=42, charge=100, test=6, volts=230, alarm_1=0, alarm_2=0)
    return here


async def test_the_story_of_a_failure_of_the_utility(room: Room) -> None:
    """well → on battery → low → empty, and all is dark → the utility is back → well."""
    well = await room.reading()
    (point,) = well.points
    assert (point.utility, point.ups, point.output) == (Utility.PRESENT, Ups.ABLE, Output.POWERED)
    assert (well.runtime_s, well.charge_percent, well.load_percent) == (42 * 60, 100, 23)
    assert (well.absent_for_s, well.failures, well.concerns, point.said) == (0, 7, (), "normal")

    room.set(source=5, seconds=12, volts=0, minutes=30, charge=80, alarm_1=2)
    dark = await room.reading()
    (point,) = dark.points
    assert (point.utility, point.ups, point.output) == (Utility.ABSENT, Ups.ABLE, Output.POWERED)
    assert (dark.absent_for_s, dark.runtime_s) == (12, 1_800)
    assert (dark.concerns, point.said) == ((Concern.ON_BATTERY,), "battery; on battery")

    room.set(battery=3, alarm_2=3)
    low = await room.reading()
    assert low.concerns == (Concern.ON_BATTERY, Concern.LOW_BATTERY)

    room.set(battery=4, charge=0, minutes=0)
    assert (await room.reading()).points[0].ups is Ups.ABLE, "it still carries the load: it says so itself"

    room.set(source=2)
    gone = await room.reading()
    (point,) = gone.points
    assert (point.utility, point.ups, point.output) == (Utility.ABSENT, Ups.DEAD, Output.UNPOWERED)

    room.set(source=2, volts=231)
    back = await room.reading()
    (point,) = back.points
    assert (point.utility, point.ups, point.output) == (Utility.PRESENT, Ups.DEAD, Output.UNPOWERED)

    room.set(source=3, battery=4, seconds=0, alarm_1=0, alarm_2=0)
    charging = (await room.reading()).points[0]
    assert (charging.utility, charging.ups, charging.output) == (Utility.PRESENT, Ups.DEAD, Output.POWERED)


MEANINGS: dict[str, tuple[dict[str, int], tuple[Utility, Ups, Output], tuple[Concern, ...]]] = {
    "other": ({"source": 1}, (Utility.PRESENT, Ups.UNKNOWN, Output.UNKNOWN), ()),
    "none, input unclear": (
        {"source": 2, "volts": 50}, (Utility.UNKNOWN, Ups.DEAD, Output.UNPOWERED), (Concern.OFF,)
    ),
    "bypass": ({"source": 4}, (Utility.PRESENT, Ups.BYPASS, Output.POWERED), (Concern.BYPASS,)),
    "booster": ({"source": 6}, (Utility.PRESENT, Ups.ABLE, Output.POWERED), (Concern.VOLTAGE,)),
    "reducer": ({"source": 7}, (Utility.PRESENT, Ups.ABLE, Output.POWERED), (Concern.VOLTAGE,)),
    "what nobody knows": ({"source": 99}, (Utility.PRESENT, Ups.UNKNOWN, Output.UNKNOWN), ()),
    "a test": (
        {"source": 5, "test": 5}, (Utility.PRESENT, Ups.ABLE, Output.POWERED), (Concern.CALIBRATION,)
    ),
    "a test, by its alarm": (
        {"source": 5, "alarm_1": 24}, (Utility.PRESENT, Ups.ABLE, Output.POWERED), (Concern.CALIBRATION,)
    ),
    "the utility fails during a test": (
        {"source": 5, "test": 5, "volts": 0}, (Utility.ABSENT, Ups.ABLE, Output.POWERED),
        (Concern.CALIBRATION,),
    ),
    "normal, and its output is off": (
        {"alarm_1": 14}, (Utility.PRESENT, Ups.ABLE, Output.UNKNOWN), (Concern.OFF,)
    ),
    "normal, and it waits for power": (
        {"alarm_1": 21}, (Utility.UNKNOWN, Ups.ABLE, Output.UNKNOWN), (Concern.OFF,)
    ),
    "off, and it waits for power": (
        {"source": 2, "volts": 50, "alarm_1": 21}, (Utility.ABSENT, Ups.DEAD, Output.UNPOWERED),
        (Concern.OFF,),
    ),
    "overload": ({"alarm_1": 8}, (Utility.PRESENT, Ups.ABLE, Output.POWERED), (Concern.OVERLOAD,)),
    "an old battery": (
        {"alarm_1": 1, "alarm_2": 16}, (Utility.PRESENT, Ups.ABLE, Output.POWERED),
        (Concern.REPLACE_BATTERY, Concern.ALARM),
    ),
    "an alarm of no name": ({"alarm_1": 77}, (Utility.PRESENT, Ups.ABLE, Output.POWERED), (Concern.ALARM,)),
}  # fmt: skip


@pytest.mark.parametrize("what", MEANINGS)
async def test_every_state_has_a_meaning(standard: Snmpd, what: str) -> None:
    numbers, expected, concerns = MEANINGS[what]
    here = Room(standard, model="rfc1628")
    here.set(**{"source": 3, "battery": 2, "test": 6, "volts": 230, "alarm_1": 0, "alarm_2": 0, **numbers})
    found = await here.reading()
    (point,) = found.points
    assert ((point.utility, point.ups, point.output), found.concerns) == (expected, concerns)


async def test_a_card_that_has_lost_its_ups_knows_nothing(room: Room) -> None:
    room.set(source=5, volts=0, alarm_1=20)
    finding = await look("snmp_ups", room.written)
    assert finding.outcome is Outcome.MISSED
    assert finding.why == "the card has lost the connection to its UPS"


async def test_what_is_no_ups(tmp_path: Path) -> None:
    with snmpd(tmp_path) as agent:
        found = await look("snmp_ups", Room(agent).written)
        assert found.why == "the agent has no table of a UPS that is known here"
        found = await look("snmp_ups", Room(agent, model="eaton").written)
        assert found.why.startswith("the agent does not say what its UPS is at")


APC, EATON, VERTIV = "1.3.6.1.4.1.318.1.1.1", "1.3.6.1.4.1.534.1", "1.3.6.1.4.1.476.1.42.3.5"
HUAWEI = "1.3.6.1.4.1.2011.6.174.1"
KIND = "1.3.6.1.2.1.1.2.0"

VENDORS: dict[str, tuple[Values, PowerReading]] = {}


def vendor(
    name: str, values: Values, states: tuple[Utility, Ups, Output], said: str, *concerns: Concern, **more: Any
) -> None:
    point = Point(utility=states[0], ups=states[1], output=states[2], said=said)
    VENDORS[name] = (values, PowerReading(points=(point,), concerns=concerns, **more))


DARK = (Utility.ABSENT, Ups.ABLE, Output.POWERED)
vendor(
    "apc",
    {
        KIND: ("object_id", "1.3.6.1.4.1.318.1.3.27"),
        f"{APC}.4.1.1.0": ("integer", 3), f"{APC}.2.1.1.0": ("integer", 3),
        f"{APC}.2.2.1.0": ("uinteger", 61),
        f"{APC}.2.2.3.0": ("timeticks", 90_000), f"{APC}.2.2.4.0": ("integer", 2),
        f"{APC}.2.1.2.0": ("timeticks", 3_300), f"{APC}.4.2.3.0": ("uinteger", 35),
        f"{APC}.3.2.1.0": ("uinteger", 0), f"{APC}.8.1.0": ("integer", 1), SOURCE: ("integer", 3),
    },
    DARK, "on battery", Concern.ON_BATTERY, Concern.LOW_BATTERY, Concern.REPLACE_BATTERY,
    runtime_s=900, charge_percent=61, load_percent=35, absent_for_s=33,
)  # fmt: skip
vendor(
    "eaton",
    {
        KIND: ("object_id", "1.3.6.1.4.1.534.1"),
        f"{EATON}.4.5.0": ("integer", 9), f"{EATON}.2.1.0": ("integer", 600),
        f"{EATON}.2.4.0": ("integer", 99),
        f"{EATON}.4.1.0": ("integer", 40), f"{EATON}.3.2.0": ("counter", 3),
        f"{EATON}.3.4.1.2.1": ("integer", 231), f"{EATON}.7.2.1.2.404": ("object_id", f"{EATON}.7.7"),
    },
    (Utility.PRESENT, Ups.ABLE, Output.POWERED), "parallel redundant; output overload", Concern.OVERLOAD,
    runtime_s=600, charge_percent=99, load_percent=40, absent_for_s=0, failures=3,
)  # fmt: skip
vendor(
    "vertiv",
    {
        KIND: ("object_id", "1.3.6.1.4.1.476.1.42"),
        f"{VERTIV}.3.55.0": ("integer", 5), f"{VERTIV}.1.18.0": ("integer", 11),
        f"{VERTIV}.8.2.0": ("counter", 4), CHARGE: ("integer", 77), f"{LOADS}.1": ("integer", 12),
        SOURCE: ("integer", 3),
    },
    DARK, "battery", Concern.ON_BATTERY, runtime_s=660, charge_percent=77, load_percent=12, failures=4,
)  # fmt: skip
vendor(
    "huawei",
    {
        f"{HUAWEI}.2.101.1.1.1": ("integer", 1), f"{HUAWEI}.6.100.1.4.1": ("integer", 0),
        f"{HUAWEI}.6.100.1.3.1": ("integer", 0), f"{HUAWEI}.4.100.1.14.1": ("integer", 0),
        **{f"{HUAWEI}.3.100.1.{line}.1": ("integer", 2_301) for line in (1, 2, 3)},
    },
    (Utility.PRESENT, Ups.DEAD, Output.UNPOWERED), "no supply", Concern.OFF,
    runtime_s=0, charge_percent=0, load_percent=0, absent_for_s=0,
)  # fmt: skip


@pytest.mark.parametrize("name", VENDORS)
async def test_the_vendors_tables(tmp_path: Path, name: str) -> None:
    """By name, and found out from what the card says it is, although it has the standard's table as well."""
    values, expected = VENDORS[name]
    with ups(tmp_path, values) as agent:
        for model in (name, "auto"):
            assert await Room(agent, model=model).reading() == expected


async def test_apc_without_its_ups(tmp_path: Path) -> None:
    values = {**VENDORS["apc"][0], f"{APC}.8.1.0": ("integer", 2)}
    with ups(tmp_path, values) as agent:
        finding = await look("snmp_ups", Room(agent).written)
    assert finding.why == "the card has lost the connection to its UPS"


@pytest.mark.parametrize("name", _ups_tables.TABLES)
def test_no_number_of_any_table_makes_an_interruption_of_what_is_not_said(name: str) -> None:
    """Whatever the number: the utility is absent only by the UPS's word of its battery, or by volts."""
    table = _ups_tables.TABLES[name]
    for number in range(-1, 300):
        found = snmp_ups.reading(table, {table.source: number}, [])
        point = found.points[0]
        if point.utility is Utility.ABSENT:
            assert Concern.ON_BATTERY in found.concerns
            assert (point.ups, point.output) == (Ups.ABLE, Output.POWERED)
        if number not in table.states:
            assert (point.utility, point.ups, point.output) == (Utility.UNKNOWN, Ups.UNKNOWN, Output.UNKNOWN)
    with pytest.raises(Missed):
        snmp_ups.reading(table, {}, [])
    with pytest.raises(Missed):
        snmp_ups.reading(table, {table.source: b"3"}, [])

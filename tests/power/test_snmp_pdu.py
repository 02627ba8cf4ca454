"""Power strips of net-snmp's agent, with the numbers of each vendor, which contradict one another."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from hostwatch.core.power import Output, PowerReading
from hostwatch.core.reading import Outcome
from hostwatch.power import _pdu_tables, snmp_pdu
from hostwatch.power.base import Missed
from tests.power.sources import look, reading
from tests.snmp.agents import Snmpd, credentials, override, snmpd

ON, OFF, NOBODY_KNOWS = Output.POWERED, Output.UNPOWERED, Output.UNKNOWN

APC2, APC2_VOLTS = "1.3.6.1.4.1.318.1.1.26.9.2.3.1.5", "1.3.6.1.4.1.318.1.1.26.6.3.1.6"
EATON, EATON_VOLTS = "1.3.6.1.4.1.534.6.6.7.6.6.1.2", "1.3.6.1.4.1.534.6.6.7.3.2.1.3"
RARITAN, RARITAN_SENSORS = "1.3.6.1.4.1.13742.6.4.1.2.1.3", "1.3.6.1.4.1.13742.6.5.2.3.1.4"
SENTRY, SENTRY_FEEDS = "1.3.6.1.4.1.1718.3.2.3.1.5", "1.3.6.1.4.1.1718.3.2.2.1.5"


def strip(agent: Snmpd, model: str, user: str = "") -> dict[str, Any]:
    return {"address": agent.address, "port": agent.port, "model": model, **credentials(user)}


def points(found: PowerReading) -> dict[str, Output]:
    return {point.name: point.output for point in found.points}


def lines(**values: int) -> list[str]:
    return override({name: ("integer", value) for name, value in values.items()})


@pytest.mark.parametrize("user", ["", "ups"])
async def test_the_story_of_a_strip(tmp_path: Path, user: str) -> None:
    """An outlet is switched off; then the feed fails; then one line of it comes back."""
    outlets = {f"{APC2}.{number}": 2 for number in range(1, 25)}
    volts = {f"{APC2_VOLTS}.{line}": 230 for line in (1, 2, 3)}
    with snmpd(tmp_path, lines(**outlets, **volts)) as agent:
        written = strip(agent, "apc-rpdu2", user)
        well = points(await reading("snmp_pdu", written))
        assert well == {"": ON, "input 1": ON, **{f"outlet {number}": ON for number in range(1, 25)}}

        agent.set(f"{APC2}.7", "i", "1")
        assert points(await reading("snmp_pdu", written)) == {**well, "outlet 7": OFF}

        agent.set(*(part for line in (1, 2, 3) for part in (f"{APC2_VOLTS}.{line}", "i", "0")))
        found = await reading("snmp_pdu", written)
        assert {*points(found).values()} == {OFF}
        assert found.point("outlet 8").said == "on, without an input"
        assert found.point("outlet 7").said == "off"

        agent.set(f"{APC2_VOLTS}.2", "i", "231")
        found = await reading("snmp_pdu", written)
        assert (found.point("").output, found.point("input 1").output) == (NOBODY_KNOWS, NOBODY_KNOWS)
        assert found.point("outlet 7").output is OFF


VENDORS: dict[str, tuple[dict[str, int], dict[str, Output]]] = {
    "apc-spdu": (
        {f"1.3.6.1.4.1.318.1.1.4.4.2.1.3.{number}": number for number in (1, 2, 4)},
        {"": NOBODY_KNOWS, "outlet 1": ON, "outlet 2": OFF, "outlet 4": NOBODY_KNOWS},
    ),
    "apc-rpdu": (
        {f"1.3.6.1.4.1.318.1.1.12.3.5.1.1.4.{number}": number for number in (1, 2)},
        {"": NOBODY_KNOWS, "outlet 1": ON, "outlet 2": OFF},
    ),
    "apc-rpdu2": (
        {**{f"{APC2}.{number}": number for number in (1, 2)}, f"{APC2_VOLTS}.1": -1},
        {"": NOBODY_KNOWS, "outlet 1": OFF, "outlet 2": ON},
    ),
    "apc-epdu": (
        {f"1.3.6.1.4.1.318.1.1.30.6.1.1.4.{number}": number for number in (1, 2)},
        {"": NOBODY_KNOWS, "outlet 1": OFF, "outlet 2": ON},
    ),
    "eaton": (
        {
            **{f"{EATON}.0.{number + 1}": number for number in range(5)}, f"{EATON}.1.1": 1,
            f"{EATON_VOLTS}.0.1.1": 229_800, f"{EATON_VOLTS}.0.1.2": 230_100, f"{EATON_VOLTS}.1.1.1": 231_000,
        },
        {
            "": ON, "input 1": ON, "input 1.1": ON, "outlet 1": OFF, "outlet 2": ON, "outlet 3": ON,
            "outlet 4": OFF, "outlet 5": NOBODY_KNOWS, "outlet 1.1": ON,
        },
    ),
    "raritan": (
        {
            **{f"{RARITAN}.1.{number}": number for number in (1, 7, 8)},
            f"{RARITAN_SENSORS}.1.1.1": 3, f"{RARITAN_SENSORS}.1.1.4": 230, f"{RARITAN_SENSORS}.1.2.4": 0,
        },
        {
            "": NOBODY_KNOWS, "input 1": ON, "input 2": OFF,
            "outlet 1": NOBODY_KNOWS, "outlet 7": NOBODY_KNOWS, "outlet 8": OFF,
        },
    ),
    "sentry3": (
        {**{f"{SENTRY}.1.1.{number + 1}": number for number in range(10)}, f"{SENTRY_FEEDS}.1.1": 1},
        {
            "": ON, "input 1": ON, "outlet 1": OFF, "outlet 2": ON, "outlet 3": ON, "outlet 4": OFF,
            **{f"outlet {number}": NOBODY_KNOWS for number in (5, 6, 7, 8, 10)}, "outlet 9": OFF,
        },
    ),
    "sentry4": (
        {f"1.3.6.1.4.1.1718.4.1.8.3.1.1.1.1.{number + 1}": number for number in range(3)},
        {"": NOBODY_KNOWS, "outlet 1": NOBODY_KNOWS, "outlet 2": ON, "outlet 3": OFF},
    ),
}  # fmt: skip


@pytest.mark.parametrize("model", VENDORS)
async def test_the_numbers_of_each_vendor(tmp_path: Path, model: str) -> None:
    values, expected = VENDORS[model]
    with snmpd(tmp_path, lines(**values)) as agent:
        assert points(await reading("snmp_pdu", strip(agent, model))) == expected
        other = "sentry4" if model != "sentry4" else "apc-rpdu"
        finding = await look("snmp_pdu", strip(agent, other))
    assert finding.outcome is Outcome.MISSED
    assert finding.why == "the agent has no outlets and no inputs of this model: is it another one?"


async def test_a_strip_of_more_outlets_than_there_are(tmp_path: Path) -> None:
    many = {f"{APC2}.{number}": 2 for number in range(1, snmp_pdu.ROWS_MAX + 2)}
    with snmpd(tmp_path, lines(**many)) as agent:
        finding = await look("snmp_pdu", strip(agent, "apc-rpdu2"))
    assert (finding.outcome, finding.why) == (Outcome.MISSED, "the table has more than 240 rows")


def test_a_strip_that_numbers_two_outlets_alike_is_not_believed() -> None:
    table = _pdu_tables.TABLES["eaton"]
    with pytest.raises(Missed, match="two outlets, or inputs, of one number"):
        snmp_pdu.reading(table, {(0, 7): {table.outlets: 1}, (7,): {table.outlets: 0}}, {})


def test_every_model_has_its_table_and_none_is_guessed() -> None:
    assert {*VENDORS} == {*_pdu_tables.TABLES}
    with pytest.raises(ValidationError, match="model"):
        snmp_pdu.Settings.model_validate({"address": "192.0.2.20", **credentials()})


def test_what_two_tables_say_of_one_number_is_the_contrary() -> None:
    """The reason for all of this."""
    old, new = _pdu_tables.TABLES["apc-rpdu"], _pdu_tables.TABLES["apc-rpdu2"]
    assert old.states[1] == new.states[2] == ("on", ON)
    assert old.states[2] == new.states[1] == ("off", OFF)


@pytest.mark.parametrize("model", _pdu_tables.TABLES)
def test_no_number_makes_an_outlet_dark_that_is_not_said_to_be(model: str) -> None:
    table = _pdu_tables.TABLES[model]
    for number in range(-1, 300):
        found = snmp_pdu.reading(table, {(*table.first, 1): {table.outlets: number}}, {})
        if found.point("outlet 1").output is OFF:
            assert number in table.states
    empty = snmp_pdu.reading(table, {(*table.first, 1): {}}, {})
    assert {point.output for point in empty.points} == {NOBODY_KNOWS}

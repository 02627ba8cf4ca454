"""What stands on the page about SNMP is what the code does, and the examples can be read."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from ruamel.yaml import YAML

from hostwatch import power
from hostwatch.configuration.secret import Places
from hostwatch.core.power import Output
from hostwatch.power import _pdu_tables, _ups_tables
from hostwatch.snmp import agent

PAGE = (Path(__file__).parents[2] / "docs" / "snmp.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("kind", [kind for kind in power.kinds() if kind.startswith("snmp_")])
def test_the_example_is_a_configuration(kind: str) -> None:
    module = power.room(kind)
    written = YAML(typ="safe").load(module.EXAMPLE)
    settings = module.Settings.model_validate(written[kind], context=Places(read_secrets=False))
    assert str(settings.address).startswith("192.0.2.")


@pytest.mark.parametrize("name", _ups_tables.TABLES)
def test_every_state_of_a_ups_is_on_the_page(name: str) -> None:
    table = _ups_tables.TABLES[name]
    standard = _ups_tables.RFC1628.states
    own = {number: state for number, state in table.states.items() if standard.get(number) is not state}
    for number, state in own.items() if name != "rfc1628" else standard.items():
        assert f"{number} {state.word}" in PAGE.replace("\n", " "), f"{name}: {number} {state.word}"
    assert table.source.removeprefix("1.3.6.1.4.1.").removesuffix(".0") in PAGE or name == "rfc1628"


@pytest.mark.parametrize("name", _pdu_tables.TABLES)
def test_what_is_on_and_off_is_on_the_page(name: str) -> None:
    table = _pdu_tables.TABLES[name]
    line = next(
        line for line in PAGE.partition("## Power strips")[2].splitlines() if line.startswith(f"| `{name}`")
    )
    _, _, outlets, on, off, others, inputs, _ = (cell.strip() for cell in line.split("|"))
    assert table.outlets.endswith(f".{outlets}")
    assert table.states[int(on)] == ("on", Output.POWERED)
    assert table.states[int(off)] == ("off", Output.UNPOWERED)
    told = {int(number) for number in re.findall(r"\b(\d)\b", others)} | {int(on), int(off)}
    assert told == table.states.keys()
    for number, word in re.findall(r"(\d) ([a-z ]+):", others):
        assert table.states[int(number)][0] == word
    column = table.volts or table.inputs
    assert column.removeprefix("1.3.6.1.4.1.") in inputs


def test_what_is_said_of_security_is_on_the_page() -> None:
    assert all(
        said.partition(":")[0] in PAGE
        for said in agent.REPORTS.values()
        if "engine" not in said and "context" not in said
    )
    assert agent.NO_ANSWER_2C in PAGE
    assert agent.NOT_READ.partition(":")[0] in PAGE

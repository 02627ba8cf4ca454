"""A switch: net-snmp's agent with the tables of one, whose ports `snmpset` changes.

Its interfaces are numbered 10001 and on; the name of the first is `ge-0/0/1`, its alias `to web-1`. No line
of the agent's makes a counter of 64 bits: those come from a program beside it, and are changed in its file.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from hostwatch import ports
from hostwatch.checks.base import Finding, Visit
from hostwatch.core.ports import PortsReading, of_text
from hostwatch.core.reading import Outcome
from hostwatch.ports import base, snmp
from tests.checks.conftest import surroundings
from tests.snmp.agents import Snmpd, credentials, snmpd

FIRST = 10_001
COUNTER_64 = "counter64"
UP, DOWN = 1, 2
TYPES = {
    snmp.NAME: "octet_str",
    snmp.DESCRIPTION: "octet_str",
    snmp.ALIAS: "octet_str",
    snmp.OPER: "integer",
    snmp.ADMIN: "integer",
    snmp.CHANGED: "timeticks",
    snmp.SPEED: "uinteger",
    snmp.RECEIVED: COUNTER_64,
    snmp.SENT: COUNTER_64,
    snmp.DISCONTINUITY: "timeticks",
    snmp.OLD_SPEED: "uinteger",
    snmp.OLD_RECEIVED: "counter",
    snmp.OLD_SENT: "counter",
    snmp.UP_TIME: "timeticks",
}
LETTERS = {
    "octet_str": "s", "integer": "i", "timeticks": "t", "uinteger": "u", "counter": "c"
}  # fmt: skip


def port(number: int) -> dict[str, Any]:
    """What a switch says of a port that is well: its first has number 1."""
    return {
        snmp.NAME: f"ge-0/0/{number}",
        snmp.DESCRIPTION: f"Gigabit port {number}",
        snmp.ALIAS: f"to web-{number}",
        snmp.OPER: UP,
        snmp.ADMIN: UP,
        snmp.CHANGED: 5_000,
        snmp.SPEED: 1_000,
        snmp.RECEIVED: 1_000_000 * number,
        snmp.SENT: 2_000_000 * number,
        snmp.DISCONTINUITY: 0,
    }


def old_port(number: int) -> dict[str, Any]:
    """The same of a switch that knows 32 bits alone."""
    new = (snmp.RECEIVED, snmp.SENT, snmp.SPEED, snmp.DISCONTINUITY)
    kept = {column: value for column, value in port(number).items() if column not in new}
    return {**kept, snmp.OLD_SPEED: 100_000_000, snmp.OLD_RECEIVED: 2**32 - 10, snmp.OLD_SENT: 77}


@dataclass(frozen=True, slots=True)
class Switch:
    """One that runs."""

    agent: Snmpd
    file: Path
    counters: dict[str, int] = field(default_factory=dict)

    def settings(self, *names: str, user: str = "", **written: Any) -> dict[str, Any]:
        where = {"address": self.agent.address, "port": self.agent.port, **credentials(user)}
        return {**where, "ports": list(names), **written}

    def set(self, number: int, **values: Any) -> None:
        """Change what it says of a port: `set(1, OPER=DOWN)`."""
        columns = {getattr(snmp, name): value for name, value in values.items()}
        self.change({f"{column}.{FIRST - 1 + number}": value for column, value in columns.items()})

    def clock(self, seconds: float) -> None:
        """It has run for so long."""
        self.change({snmp.UP_TIME: int(seconds * 100)})

    def change(self, values: dict[str, Any]) -> None:
        self.counters.update({name: value for name, value in values.items() if _type(name) == COUNTER_64})
        new = self.file.with_suffix(".new")
        new.write_text(json.dumps(self.counters))
        new.replace(self.file)
        triples = [
            (name, LETTERS[_type(name)], str(value))
            for name, value in values.items()
            if name not in self.counters
        ]
        if triples:
            self.agent.set(*(part for triple in triples for part in triple))


def _type(name: str) -> str:
    return next(kind for column, kind in TYPES.items() if name == column or name.startswith(f"{column}."))


def lines(rows: dict[int, dict[str, Any]], up_s: float = 1_000) -> list[str]:
    """The configuration of the agent, by the number of each interface."""
    values = {snmp.UP_TIME: int(up_s * 100), **flat(rows)}
    return [
        f'override -rw {name} {_type(name)} "{value}"'
        for name, value in values.items()
        if _type(name) != COUNTER_64
    ]


def flat(rows: dict[int, dict[str, Any]]) -> dict[str, Any]:
    return {f"{column}.{number}": value for number, row in rows.items() for column, value in row.items()}


@contextmanager
def switch(home: Path, *rows: dict[str, Any], up_ticks: Sequence[int] = ()) -> Iterator[Switch]:
    """A switch on loopback with these ports, or with two. `up_ticks`: its clock, question by question."""
    listed = {FIRST + place: row for place, row in enumerate(rows or (port(1), port(2)))}
    counters = {name: value for name, value in flat(listed).items() if _type(name) == COUNTER_64}
    clock = {snmp.UP_TIME: [*up_ticks]} if up_ticks else {}
    home.mkdir(parents=True, exist_ok=True)
    file = home / "counters.json"
    file.write_text(json.dumps({**counters, **clock}))
    beside = f"{sys.executable} {Path(__file__).with_name('counters.py')} {file}"
    passed = [f"pass_persist .{column} {beside}" for column in (snmp.RECEIVED, snmp.SENT, *clock)]
    written = [line for line in lines(listed) if not (clock and snmp.UP_TIME in line)]
    with snmpd(home, [*written, *passed]) as agent:
        yield Switch(agent, file, counters)


async def look(written: dict[str, Any]) -> Finding:
    """What one look at a switch found."""
    module = ports.room("snmp")
    visit = Visit(kind="ports/snmp", address="127.0.0.1", surroundings=surroundings())
    return await base.run(module, module.Settings.model_validate(written), visit)


async def reading(written: dict[str, Any]) -> PortsReading:
    """What it said. It must answer."""
    finding = await look(written)
    assert finding.outcome is Outcome.ANSWERED, finding.sentence
    return of_text(finding.value)

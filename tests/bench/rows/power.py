"""Power and ports: very many PDUs in the core; PDUs and switches by SNMP in the process of the checkers."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.bench import checking, tools
from tests.bench.bench import Bench
from tests.bench.checking import Measured
from tests.bench.machine import core_for
from tests.bench.table import Line, at_most, middle
from tests.ports import switch as switches
from tests.snmp.agents import credentials, override, snmpd

RACKS = 500
LOOP_MAX_MS = 20.0
ROUND_MAX_MS = 200.0
"""Two hundredths of a core, each ten seconds."""

SOURCES, SOURCES_EVERY_S = 200, 10
SWITCHES, SWITCHES_EVERY_S = 500, 60
PORTS = 48
OUTLETS = 24
OUTLET, VOLTS = "1.3.6.1.4.1.318.1.1.26.9.2.3.1.5", "1.3.6.1.4.1.318.1.1.26.6.3.1.6"
"""Of an `apc-rpdu2`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Subject:
    """What is asked again and again, of an agent on loopback."""

    asked: str
    kind: str
    written: dict[str, Any]
    rate: float
    server: int
    percent_max: float


def measure(bench: Bench) -> Iterator[Line]:
    """With a tenth of the racks, and for a shorter time, when it is to be quick."""
    yield from _core(bench)
    for place, serve in enumerate(SERVERS):
        folder = bench.scratch / f"agent-{place}"
        with serve(folder) as subjects:
            for pid in checking.children(subjects[0].server):
                tools.hold_to(pid, core_for(1))
            for subject in subjects:
                yield asyncio.run(_share(bench, subject))


def _core(bench: Bench) -> Iterator[Line]:
    racks = RACKS // 10 if bench.quick else RACKS
    bench.say(f"power: {2 * racks:,} PDUs in the core")
    command = [sys.executable, "-m", "tests.bench.powering", "--racks", str(racks)]
    found = json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
    many = f"{found['sources']:,} sources, {found['supplies']:,} supplies"
    for title, rounds in (("all is well", found["steady"]), ("a utility fails", found["failed"][:1])):
        yield at_most(
            row="power",
            measure="CPU of a round in the core",
            asked=f"{many}, {title}",
            ours=middle(one["cpu_s"] for one in rounds) * 1e3,
            goal=ROUND_MAX_MS * racks / RACKS,
            unit="ms",
        )
        yield at_most(
            row="power",
            measure="longest step of it",
            asked=f"{many}, {title}",
            ours=max(one["longest_s"] for one in rounds) * 1e3,
            goal=LOOP_MAX_MS,
            unit="ms",
        )


@contextmanager
def strip(folder: Path) -> Iterator[list[Subject]]:
    """A PDU of 24 outlets, by SNMP v2c and v3."""
    values: dict[str, tuple[str, object]] = {
        **{f"{OUTLET}.{number}": ("integer", 2) for number in range(1, OUTLETS + 1)},
        **{f"{VOLTS}.{line}": ("integer", 230) for line in (1, 2, 3)},
    }
    with snmpd(folder, override(values)) as agent:
        where = {"address": agent.address, "port": agent.port, "model": "apc-rpdu2"}
        yield [
            Subject(
                asked=f"{SOURCES} PDUs of {OUTLETS} outlets each {SOURCES_EVERY_S} s, SNMP {version}",
                kind="power/snmp_pdu",
                written={**where, **credentials(user)},
                rate=SOURCES / SOURCES_EVERY_S,
                server=agent.process.pid,
                percent_max=percent_max,
            )
            for version, user, percent_max in (("v2c", "", 10.0), ("v3", "ups", 20.0))
        ]


@contextmanager
def switch(folder: Path) -> Iterator[list[Subject]]:
    """A switch, all of whose ports are asked for with their counters."""
    with switches.switch(folder, *(switches.port(number) for number in range(1, PORTS + 1))) as mine:
        yield [
            Subject(
                asked=f"{SWITCHES} switches of {PORTS} ports each {SWITCHES_EVERY_S} s, SNMP v2c",
                kind="ports/snmp",
                written=mine.settings(*(f"ge-0/0/{number}" for number in range(1, PORTS + 1))),
                rate=SWITCHES / SWITCHES_EVERY_S,
                server=mine.agent.process.pid,
                percent_max=20.0,
            )
        ]


SERVERS: tuple[Callable[[Path], AbstractContextManager[list[Subject]]], ...] = (strip, switch)


async def _share(bench: Bench, subject: Subject) -> Line:
    """What the process of the checkers takes of a core."""
    bench.say(f"power: {subject.asked}")
    span_s = 10 if bench.quick else 30
    async with checking.ours() as our:
        our.define(subject.kind, subject.written)
        if await our.check(5, 0) != 5:
            raise RuntimeError(f"we find {subject.asked} broken")
        one = Measured(our)
        await checking.by_turns(
            [one], bench.rounds, round(span_s * subject.rate), subject.rate, subject.server
        )
    return at_most(
        row="power",
        measure="share of a core",
        asked=subject.asked,
        ours=one.percent,
        goal=subject.percent_max,
        unit="%",
        note=f"{one.cpu_us / 1e3:.2f} ms a reading; {one.checks:,} readings, {one.failed:,} failed",
    )

"""A round of very many PDUs in the core: what it costs, and how long its longest step is.

Run as a program, since it measures its own process. The deeds are the watch's own, as its rounds cut them;
nothing is asked and nothing stored, so that what is left is the core's.
"""

from __future__ import annotations

import argparse
import gc
import json
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from hostwatch.core import judge
from hostwatch.core.device import Device
from hostwatch.core.element import Element, Kind
from hostwatch.core.place import Place
from hostwatch.core.population import Customer, Population
from hostwatch.core.power import Concern, Output, Point, PowerReading, Ups, Utility
from hostwatch.core.reading import Outcome, Reading
from hostwatch.core.signal import begin
from hostwatch.core.source import Source
from hostwatch.core.supply import Supply
from hostwatch.core.world import World
from hostwatch.rounds import VERDICTS_MAX

START: Final = datetime(2026, 1, 1, tzinfo=UTC)
SIDES: Final = ("a", "b")
RACKS_OF_TWO = 25
"""Racks on the same two UPSes."""

DEVICES_OF_RACK = 20
OUTLETS = 8
EVERY: Final = timedelta(seconds=10)
STEADY, FAILED = 9, 3
"""Rounds in which all is well, after two; and rounds after one utility failed."""

Say = Callable[[str], str]


def house(racks: int) -> Population:
    """Two utilities; two UPSes, panels and so on for each few racks; two feeds and two PDUs in each."""
    elements = [Element(id=f"grid-{side}", kind=Kind.UTILITY) for side in SIDES]
    for pair in range((racks + RACKS_OF_TWO - 1) // RACKS_OF_TWO):
        for side in SIDES:
            ups = f"ups-{pair}{side}"
            elements.append(Element(id=ups, kind=Kind.UPS, input=f"grid-{side}", witness=ups))
            elements.append(Element(id=f"panel-{pair}{side}", kind=Kind.PANEL, input=ups))
    devices, supplies = {}, {}
    for rack in range(racks):
        for side in SIDES:
            feed, pdu = f"r{rack}-{side}", f"pdu-{rack}{side}"
            panel = f"panel-{rack // RACKS_OF_TWO}{side}"
            elements.append(Element(id=feed, kind=Kind.FEED, input=panel, rack=f"r{rack}"))
            elements.append(Element(id=pdu, kind=Kind.PDU, input=feed, witness=pdu))
        supply = f"any(pdu-{rack}a,pdu-{rack}b)"
        supplies[supply] = Supply(id=supply, measured_at="outlet")
        place = Place(rack=f"r{rack}", feeds=f"any(r{rack}-a,r{rack}-b)", supply=supply)
        for number in range(DEVICES_OF_RACK):
            name = f"d-{rack}-{number}"
            devices[name] = Device(id=name, customer=f"c{rack % 50}", address="192.0.2.1", place=place)
    seen = [element.witness for element in elements if element.witness]
    return Population(
        customers={f"c{number}": Customer(id=f"c{number}", contacts=("duty",)) for number in range(50)},
        devices=devices,
        sources={name: Source(id=name, kind="power/snmp_pdu", interval=EVERY) for name in seen},
        supplies=supplies,
        elements={element.id: element for element in elements},
    )


def of_ups(*, on_battery: bool, charge: int) -> str:
    """What a UPS says."""
    utility = Utility.ABSENT if on_battery else Utility.PRESENT
    point = Point(utility=utility, ups=Ups.ABLE, output=Output.POWERED, said="OB" if on_battery else "OL")
    concerns = (Concern.ON_BATTERY,) if on_battery else ()
    return PowerReading(points=(point,), concerns=concerns, charge_percent=charge).text


def of_pdu(load: int) -> str:
    """What a PDU says: each has figures of its own, and other ones each time."""
    outlets = [Point(name=f"outlet {n}", output=Output.POWERED, said="on") for n in range(1, OUTLETS + 1)]
    return PowerReading(points=(Point(output=Output.POWERED), *outlets), load_percent=load).text


def words(number: int, failed: str) -> Say:
    """What all say in a round."""

    def say(name: str) -> str:
        figure = (number * 7919 + hash(name)) % 100_000
        if name.startswith("ups"):
            return of_ups(on_battery=bool(failed) and name.endswith(failed), charge=figure % 100)
        return of_pdu(figure)

    return say


def deeds(world: World, number: int, say: Say) -> Iterator[list[Reading]]:
    """The readings of a round, as many as are judged in one deed."""
    at = START + EVERY * (number + 1)
    readings = [
        Reading(
            signal=source.signal(world.population.vantage),
            at=at + timedelta(microseconds=place),
            known_at=at + timedelta(seconds=1),
            outcome=Outcome.ANSWERED,
            said=say(source.id),
        )
        for place, source in enumerate(world.population.sources.values())
    ]
    for first in range(0, len(readings), VERDICTS_MAX):
        yield readings[first : first + VERDICTS_MAX]


def steps(world: World, brought: list[Reading], number: int) -> list[float]:
    """The steps of a deed in CPU seconds. What was decided is applied."""
    found, now = [], START + EVERY * (number + 1) + timedelta(seconds=2)
    making = judge.readings_by_steps(world, None, brought, closes=False, now=now)
    while True:
        began = time.thread_time()
        try:
            next(making)
        except StopIteration as end:
            found.append(time.thread_time() - began)
            world.apply(end.value)
            return found
        found.append(time.thread_time() - began)


def measured(racks: int) -> dict[str, Any]:
    """Rounds in which all is well, and then some after a utility failed."""
    people = house(racks)
    world = World(population=people)
    for name in (
        *people.own_signals(),
        *(device.signal(people.vantage) for device in people.devices.values()),
    ):
        world.signals.put(begin(name, START))
    gc.freeze()
    rounds = []
    for number in range(2 + STEADY + FAILED):
        failed = "a" if number >= 2 + STEADY else ""
        all_steps = [
            steps(world, brought, number) for brought in [*deeds(world, number, words(number, failed))]
        ]
        rounds.append({"cpu_s": sum(map(sum, all_steps)), "longest_s": max(map(max, all_steps))})
    return {
        "sources": len(people.sources),
        "supplies": len(people.supplies),
        "steady": rounds[2 : 2 + STEADY],
        "failed": rounds[2 + STEADY :],
    }


def main() -> None:
    """Print what was measured, as JSON."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--racks", type=int, default=500)
    print(json.dumps(measured(parser.parse_args().racks)))


if __name__ == "__main__":
    main()

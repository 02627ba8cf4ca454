"""Very many customers on one supply: what a deed costs grows as they do, and not as their square.

Counted in steps of Python's machine, so that it does not matter how fast the computer is.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from types import FrameType
from typing import Any

import pytest

from hostwatch.core import enrolment, judge
from hostwatch.core import supply as supplies
from hostwatch.core.device import Device
from hostwatch.core.enrolment import Accepted
from hostwatch.core.place import Place
from hostwatch.core.population import Customer, Population
from hostwatch.core.reading import Kind, Outcome, Reading
from hostwatch.core.supply import Supply
from hostwatch.core.world import Decision, World
from tests.core.pictures import instant

FEW, MANY = 30, 240


class House:
    """Customers with two people and one device each on ups-a, and one more on ups-b; ups-a is interrupted."""

    def __init__(self, count: int) -> None:
        self.world = World()
        names = [f"c{number:04}" for number in range(count)]
        self.people = Population(
            customers={name: Customer(id=name, contacts=("ann", "bob")) for name in [*names, "other"]},
            devices={name: _device(name, "ups-a") for name in names} | {"other": _device("other", "ups-b")},
            supplies={name: Supply(id=name) for name in ("ups-a", "ups-b")},
        )
        self.enrol(self.people, 0)
        self.read("ups-b", 1, Outcome.ANSWERED)
        for at, outcome in ((1, Outcome.ANSWERED), (10, Outcome.MISSED), (20, Outcome.MISSED)):
            self.read("ups-a", at, outcome)

    def do(self, decision: Decision) -> Decision:
        self.world.apply(decision)
        return decision

    def enrol(self, people: Population, at: int) -> None:
        accepted = Accepted(population=people, digest=str(at), author="test", difference=(), content={})
        self.do(enrolment.apply(self.world, accepted, instant(at)))

    def read(self, name: str, at: int, outcome: Outcome) -> Decision:
        reading = Reading(
            signal=supplies.signal_of(name, "main"),
            at=instant(at),
            known_at=instant(at),
            outcome=outcome,
            kind=Kind.SCHEDULED,
            why="" if outcome is Outcome.ANSWERED else "interrupted",
        )
        return self.do(judge.readings(self.world, None, [reading], closes=False, now=instant(at)))

    def back(self) -> Decision:
        """ups-a has power again."""
        return self.read("ups-a", 30, Outcome.ANSWERED)

    def move(self) -> Decision:
        """All but two go to ups-b, which has power."""
        stay = {*[*self.people.devices][:2], "other"}
        moved = {
            name: one if name in stay else _device(name, "ups-b") for name, one in self.people.devices.items()
        }
        self.enrol(replace(self.people, devices=moved), 25)
        return self.read("ups-b", 30, Outcome.ANSWERED)


def _device(name: str, supply: str) -> Device:
    return Device(id=name, customer=name, address="192.0.2.1", place=Place(rack="r1", supply=supply))


def steps(work: Callable[[], object]) -> int:
    """How many steps of Python's machine some work takes."""
    done = 0

    def trace(frame: FrameType, event: str, _: Any) -> Any:
        nonlocal done
        frame.f_trace_opcodes, frame.f_trace_lines = True, False
        done += event == "opcode"
        return trace

    before = sys.gettrace()
    sys.settrace(trace)
    try:
        work()
    finally:
        sys.settrace(before)
    return done


@pytest.mark.parametrize(
    ("work", "over"),
    [
        (House.back, 2 * MANY),
        (House.move, 2 * (MANY - 2)),
    ],
    ids=["all have power again", "nearly all hang elsewhere"],
)
def test_an_end(work: Callable[[House], Decision], over: int) -> None:
    few, many = House(FEW), House(MANY)
    for house in (few, many):
        assert len(house.world.emergencies) == 1

    cost = [steps(partial(work, house)) for house in (few, many)]

    assert sum(notice.kind == "recovery" for notice in many.world.notices.values()) == over
    assert cost[1] < 2 * (MANY // FEW) * cost[0]

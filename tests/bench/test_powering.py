"""What the row about power measures is a house that is well, and then one that is on battery on one side."""

from __future__ import annotations

from hostwatch.core.signal import begin
from hostwatch.core.world import World
from tests.bench import powering


def test_each_supply_is_read_in_each_round() -> None:
    people = powering.house(3)
    world = World(population=people)
    for name in people.own_signals():
        world.signals.put(begin(name, powering.START))

    for number, failed in enumerate(("", "", "a")):
        for brought in powering.deeds(world, number, powering.words(number, failed)):
            powering.steps(world, brought, number)
        read = [world.signals[supply.signal("main")] for supply in people.supplies.values()]
        assert len({signal.last_answer for signal in read}) == 1
        assert all(signal.silence is None and signal.blind_since is None for signal in read)

    assert {one.about for one in world.warned.values()} >= {"ups-0a"}
    assert not world.emergencies


def test_a_round_tells_what_it_cost() -> None:
    found = powering.measured(2)

    assert (found["sources"], found["supplies"]) == (6, 2)
    assert len(found["steady"]) == powering.STEADY
    assert all(0 < one["longest_s"] <= one["cpu_s"] for one in (*found["steady"], *found["failed"]))

"""Who may begin: so many at one time, no more than four of one device, one device after another."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as some

from hostwatch.checkers.crowd import Crowd


def begun(crowd: Crowd[int]) -> list[tuple[str, int]]:
    found = []
    while (turn := crowd.next()) is not None:
        found.append(turn)
    return found


def test_a_device_with_much_to_look_at_keeps_nobody_waiting() -> None:
    crowd: Crowd[int] = Crowd(6, 2)
    for number in range(100):
        crowd.join("greedy", number)
    crowd.join("a", 0)
    crowd.join("b", 0)

    assert begun(crowd) == [("greedy", 0), ("a", 0), ("b", 0), ("greedy", 1)]
    crowd.leave("a")
    assert begun(crowd) == []  # there is room, but not for the greedy one
    crowd.leave("greedy")
    assert begun(crowd) == [("greedy", 2)]


def test_who_stepped_back_goes_before_those_who_have_not_begun() -> None:
    crowd: Crowd[int] = Crowd(2, 1)
    for number in range(4):
        crowd.join(f"device {number}", number)
    assert begun(crowd) == [("device 0", 0), ("device 1", 1)]
    crowd.leave("device 0")
    crowd.join("device 0", 100, again=True)
    assert begun(crowd) == [("device 0", 100)]
    crowd.leave("device 1")
    crowd.join("device 1", 101, again=True)
    crowd.join("device 1", 102)
    crowd.leave("device 0")
    assert begun(crowd) == [
        ("device 1", 101),
        ("device 2", 2),
    ]  # no more than one of a device, whatever it is


def test_no_more_than_allowed_run_in_all() -> None:
    crowd: Crowd[int] = Crowd(3, 2)
    for number in range(5):
        crowd.join(f"device {number}", number)
    assert [number for _, number in begun(crowd)] == [0, 1, 2]
    crowd.leave("device 1")
    assert [number for _, number in begun(crowd)] == [3]


@given(some.lists(some.tuples(some.sampled_from("abc"), some.booleans()), max_size=60))
def test_everybody_begins_once_and_nothing_stays(steps: list[tuple[str, bool]]) -> None:
    crowd: Crowd[int] = Crowd(4, 2)
    joined, seen, running = [], [], []
    for number, (target, ends) in enumerate(steps):
        crowd.join(target, number)
        joined.append(number)
        running += (new := begun(crowd))
        seen += [one for _, one in new]
        assert crowd.running == len(running) <= 4
        assert all(sum(other == one for other, _ in running) <= 2 for one in "abc")
        if ends and running:
            crowd.leave(running.pop(0)[0])
    while running:
        crowd.leave(running.pop(0)[0])
        running += (new := begun(crowd))
        seen += [one for _, one in new]
    assert sorted(seen) == joined
    assert (crowd.running, crowd._under_way) == (0, {})
    for line in (crowd._new, crowd._again):
        assert (line.waiting, line.free) == ({}, {})

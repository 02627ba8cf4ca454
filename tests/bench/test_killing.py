"""What the bench says of kills: how it counts, and that we lose nothing by its own script."""

from __future__ import annotations

from tests.bench.killing import Tally, killed, tally


def test_what_is_told_twice_is_counted_by_its_mark_and_what_is_not_told_is_lost() -> None:
    told = [("a", False), ("b", False), ("a", True), ("b", False), ("c", True)]

    assert tally(["a", "b", "c", "d"], told) == Tally(trials=4, lost=1, marked=1, unmarked=1)


async def test_a_watch_that_is_killed_loses_nothing_and_marks_what_it_repeats() -> None:
    """taken, kill ── told once; read and counted, kill ── told again, marked"""
    assert await killed("hostwatch", ["accepted", "read"]) == Tally(trials=2, lost=0, marked=1, unmarked=0)

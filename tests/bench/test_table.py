"""The table says of each figure whether its goal is reached, and never that one is that was not measured."""

from __future__ import annotations

import io
import math

import pytest
from rich.console import Console

from tests.bench import table
from tests.bench.table import Line


def shown(*lines: Line) -> str:
    paper = io.StringIO()
    table.show(lines, Console(file=paper, width=160))
    return paper.getvalue()


@pytest.mark.parametrize(("ours", "reached"), [(10.0, True), (11.5, True), (11.6, False)])
def test_a_ratio_is_held_against_its_goal(ours: float, reached: bool) -> None:
    line = table.versus(row="r", measure="m", asked="a", ours=ours, theirs=10.0, goal=1.15, whose="C")

    assert (line.reached, line.ratio, line.goal) == (reached, ours / 10, "≤ 1.15 ×")


def test_a_goal_far_below_one_is_told_as_a_part() -> None:
    line = table.versus(row="r", measure="m", asked="a", ours=2.0, theirs=80.0, goal=1 / 40, whose="C")

    assert (line.reached, line.goal) == (True, "≤ 1/40")


def test_without_a_goal_or_without_a_peer_nothing_is_reached() -> None:
    aimless = table.versus(row="r", measure="m", asked="a", ours=1.0, theirs=2.0, goal=None, whose="C")
    alone = table.versus(row="r", measure="m", asked="a", ours=1.0, theirs=0.0, goal=1.0, whose="C")

    assert (aimless.reached, alone.reached) == (None, None)


@pytest.mark.parametrize(("ours", "reached"), [(150.0, True), (150.5, False), (math.nan, False)])
def test_a_figure_is_held_against_its_goal(ours: float, reached: bool) -> None:
    assert table.at_most(row="r", measure="m", asked="a", ours=ours, goal=150, unit="MiB").reached is reached


def test_what_could_not_be_measured_is_said_with_its_reason() -> None:
    text = shown(table.missing(row="pace", measure="CPU", asked="333/s", why="no [fping] here"))

    assert "not measured" in text
    assert "[1] no [fping] here" in text
    assert "reached" not in text


def test_what_is_not_reached_stands_out() -> None:
    text = shown(table.at_most(row="r", measure="m", asked="a", ours=2, goal=1, unit="s"))

    assert "NOT reached" in text


@pytest.mark.parametrize(("share", "number"), [(0.5, 50), (0.99, 99), (1.0, 100), (0.001, 1)])
def test_a_quantile_is_a_number_that_was_measured(share: float, number: int) -> None:
    assert table.quantile(range(1, 101), share) == number

"""What was measured, as a table for people and as JSON for programs."""

from __future__ import annotations

import math
import statistics
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

from rich.console import Console
from rich.table import Table


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One line of the table: what was asked, what came, and the goal that it is held against."""

    row: str
    measure: str
    asked: str
    ours: str
    theirs: str = "–"
    ratio: float | None = None
    """Ours divided by theirs."""

    goal: str = "–"
    reached: bool | None = None
    """None: there is no goal, or it could not be measured; then `note` says why."""

    note: str = ""
    figures: dict[str, Any] = field(default_factory=dict)


def versus(
    *,
    row: str,
    measure: str,
    asked: str,
    ours: float,
    theirs: float,
    goal: float | None,
    whose: str,
    note: str = "",
) -> Line:
    """A line of µs, on which ours may be at most `goal` × theirs, if there is a goal."""
    ratio = ours / theirs if theirs else None
    aim = "–" if goal is None else f"≤ {goal:.3g} ×" if goal >= 0.1 else f"≤ 1/{1 / goal:.0f}"
    return Line(
        row=row,
        measure=measure,
        asked=asked,
        ours=f"{figure(ours)} µs",
        theirs=f"{figure(theirs)} µs ({whose})",
        ratio=ratio,
        goal=aim,
        reached=None if ratio is None or goal is None else ratio <= goal,
        note=note,
        figures={"ours": ours, "theirs": theirs},
    )


def at_most(
    *, row: str, measure: str, asked: str, ours: float, goal: float, unit: str, note: str = ""
) -> Line:
    """A line on which ours may be at most a figure."""
    return Line(
        row=row,
        measure=measure,
        asked=asked,
        ours=f"{figure(ours)} {unit}",
        goal=f"≤ {figure(goal)} {unit}",
        reached=ours <= goal,
        note=note,
        figures={"ours": ours},
    )


def missing(*, row: str, measure: str, asked: str, why: str) -> Line:
    """A line for what could not be measured, which is said and never passed over."""
    return Line(row=row, measure=measure, asked=asked, ours="not measured", note=why)


def figure(number: float) -> str:
    """A number with three digits that mean something."""
    if math.isfinite(number) and (number == int(number) or abs(number) >= 100):
        return f"{number:,.0f}"
    return f"{number:.3g}"


def middle(numbers: Iterable[float]) -> float:
    """The median; not a number when there is nothing to take it of."""
    known = list(numbers)
    return statistics.median(known) if known else math.nan


def quantile(numbers: Sequence[float], share: float) -> float:
    """The smallest number that so large a share does not exceed."""
    ordered = sorted(numbers)
    return ordered[max(0, math.ceil(share * len(ordered)) - 1)] if ordered else math.nan


def verdict(reached: bool | None) -> str:
    """In a word."""
    return {True: "reached", False: "NOT reached", None: "–"}[reached]


def show(lines: Sequence[Line], console: Console) -> None:
    """The table, with what there is to say of its lines below it."""
    table = Table("row", "measure", "asked", "ours", "theirs", "ratio", "goal", "", show_lines=True)
    notes: list[str] = []
    for line in lines:
        mark = ""
        if line.note:
            if line.note not in notes:
                notes.append(line.note)
            mark = f" [{notes.index(line.note) + 1}]"
        ratio = "–" if line.ratio is None else f"{line.ratio:.3g}"
        cells = (line.row, line.measure + mark, line.asked, line.ours, line.theirs, ratio, line.goal)
        table.add_row(*(cell.replace("[", r"\[") for cell in cells), verdict(line.reached))
    console.print(table)
    for number, note in enumerate(notes, 1):
        console.print(f"[{number}] {note}", markup=False)


def plain(lines: Iterable[Line]) -> list[dict[str, Any]]:
    """For `--json`."""
    return [asdict(line) for line in lines]

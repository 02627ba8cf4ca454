"""Who is concerned by several verdicts, and by which first: found one by one, as if all were gone through."""

from __future__ import annotations

import itertools

import pytest

from hostwatch.core import facts
from hostwatch.core.concerned import Concerned
from hostwatch.core.parents import Ways
from tests.core.pictures import instant
from tests.core.shared_pictures import SIGNALS, WATCHED

ROOTS = ("ups-a", "ups-b", "both", "sw-1", "sw-2", "core")


def verdict(row: str, at: int) -> facts.WentDown:
    return facts.WentDown(
        at=instant(at + 10),
        signal=SIGNALS[row],
        last_answer=instant(at - 10),
        first_miss=instant(at),
        last_miss=instant(at + 10),
        misses=2,
        why="",
    )


@pytest.mark.parametrize("before", [(), ("ups-a",), ("sw-1",), ("both", "sw-2")], ids=",".join)
@pytest.mark.parametrize("rows", [*itertools.permutations(ROOTS, 3)], ids=",".join)
def test_each_customer_by_the_first_verdict_that_took_something_of_theirs(
    rows: tuple[str, ...], before: tuple[str, ...]
) -> None:
    concerned = Concerned(WATCHED, Ways(WATCHED))
    known = [SIGNALS[row] for row in before]
    flips = [verdict(row, 60 * place) for place, row in enumerate(rows, 1) if row not in before]
    since: dict[str, facts.WentDown] = {}
    lost: dict[str, facts.WentDown] = {}
    for count, flip in enumerate(flips, 1):
        roots = [*known, *(one.signal for one in flips[:count])]
        for customer in concerned.by(roots):
            since.setdefault(customer, flip)
        for one in concerned.on(roots):
            if one not in concerned.on(known):
                lost.setdefault(one, flip)

    found = concerned.fallen(flips, known)

    assert found.since == since
    assert {part.on: part.first_miss for part in found.parts} == {
        on: by.first_miss for on, by in lost.items()
    }
    assert found.groups == concerned.by([*known, *(flip.signal for flip in flips)])

"""Who takes the power away alone: by design, and as it stands."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given, settings

from hostwatch.core import redundancy
from hostwatch.core.electricity import Electricity
from hostwatch.core.element import Kind
from hostwatch.core.expression import Expression, name
from hostwatch.core.power import Output, Point, PowerReading, Ups, Utility
from hostwatch.core.redundancy import Redundancy
from hostwatch.core.wiring import Wiring
from tests.core.test_electricity import BATTERY, GONE, NAMES, WELL, wirings
from tests.core.wires import moment, wanted, wiring

ROOM = """
utility grid
ups ups-a < grid [card-a]
ups ups-b < grid [card-b]
feed r1-a < ups-a
feed r1-b < ups-b
feed r1-c < ups-a
"""


@pytest.mark.parametrize(
    ("feeds", "single"),
    [
        ("any(r1-a, r1-b)", ()),
        ("any(r1-a, r1-c)", ("ups-a",)),
        ("r1-a", ("r1-a", "ups-a")),
        ("all(r1-a, r1-b)", ("r1-a", "r1-b", "ups-a", "ups-b")),
        ("any(all(r1-a, r1-b), r1-c)", ("ups-a",)),
    ],
)
def test_two_feeds_may_turn_out_to_hang_on_one_ups(feeds: str, single: tuple[str, ...]) -> None:
    assert redundancy.shared(wanted(feeds), wiring(ROOM)) == single


@pytest.mark.parametrize(
    ("said", "now", "is_left"),
    [
        (f"card-a {WELL}, card-b {WELL}", (), True),
        (f"card-a {WELL}", (), None),
        ("", (), None),
        (f"card-a {WELL}, card-b {GONE}", ("r1-a", "ups-a"), False),
        (f"card-b {GONE}", ("r1-a", "ups-a"), False),
        (f"card-a {BATTERY}, card-b {BATTERY}", (), True),
        ("card-a + bypass +, card-b + bypass +", ("grid",), False),
        ("card-a + bypass +, card-b + able +", (), True),
        (f"card-a {GONE}, card-b {GONE}", (), False),
    ],
)
def test_as_it_stands(said: str, now: tuple[str, ...], is_left: bool | None) -> None:
    found = redundancy.of(wanted("any(r1-a, r1-b)"), moment(ROOM, said))

    assert found == Redundancy(by_design=(), now=now, is_left=is_left)
    assert found.is_lost == (is_left is False)


def test_where_there_was_none_none_is_lost() -> None:
    assert not redundancy.of(wanted("r1-a"), moment(ROOM, f"card-a {WELL}, card-b {GONE}")).is_lost


@given(wirings())
@settings(deadline=None)
def test_it_is_what_comes_of_taking_each_element_out(wires: Wiring) -> None:
    """The same found the long way: everything is well, then one is dead, and who is without power?"""
    for one, other in itertools.combinations(NAMES, 2):
        feeds = Expression("any", (name(one), name(other)))
        alone = tuple(sorted(gone for gone in NAMES if not reaches(wires, feeds, gone)))
        assert redundancy.shared(feeds, wires) == tuple(x for x in alone if x in {*wires.above(feeds)})


def reaches(wires: Wiring, wanted: Expression, gone: str) -> bool:
    """Whether there is power though one element is dead; a UPS carries without its input."""

    def alive(one: str) -> bool:
        element, inputs = wires.element(one), wires.input(one)
        if one == gone:
            return False
        if inputs is None or (element is not None and element.kind is Kind.UPS):
            return True
        return reaches(wires, inputs, gone)

    return bool(wanted.value(alive))


def test_it_is_asked_with_whatever_was_said() -> None:
    told = PowerReading(points=(Point(utility=Utility.PRESENT, ups=Ups.DEAD, output=Output.POWERED),))
    found = redundancy.of(wanted("r1-a"), Electricity(wiring(ROOM), {"card-a": told}.get))

    assert found.now == ("grid", "r1-a", "ups-a")

"""The power model kept from round to round comes to the same as one that is reckoned anew each time.

round       0     1     2     3
card-a      L     L     B     L        only in rounds 2 and 3 is anything reckoned anew: what came of the
strip-b     on    on    on    on       words of card-a
"""

from __future__ import annotations

from dataclasses import replace

from hypothesis import given, settings
from hypothesis import strategies as st

from hostwatch.core.electricity import Electricity
from hostwatch.core.power import PowerReading
from hostwatch.core.steady import Steady
from hostwatch.core.wiring import Wiring
from tests.core.test_electricity import NAMES, SOURCES, hearings, outlets, wirings
from tests.core.wires import readings, wiring

ROOM = """
utility grid-1
ups ups-a < grid-1 [card-a]
utility grid-2
ups ups-b < grid-2 [card-b]
feed r1-a < ups-a
pdu pdu-a < r1-a [strip-a]
feed r1-b < ups-b
pdu pdu-b < r1-b [strip-b]
"""
ALL = ("card-a", "card-b", "strip-a", "strip-b")
WELL = "card-a + able +, card-b + able +, strip-a ? ? +, strip-b ? ? +"


@given(wirings(), st.lists(hearings(), min_size=2, max_size=6), st.data())
@settings(deadline=None, max_examples=300)
def test_it_is_as_if_reckoned_from_scratch(
    wires: Wiring, rounds: list[dict[str, PowerReading]], data: st.DataObject
) -> None:
    """Whatever is asked in each round, in whatever order, and whatever was never asked before."""
    steady, names = Steady(wires), [*NAMES, *outlets(wires)]
    for heard in rounds:
        now = steady.at({source: heard.get(source) for source in SOURCES})
        scratch = Electricity(wires, heard.get)
        for name in data.draw(st.lists(st.sampled_from(names), unique=True), label="asked"):
            assert now.of(name) == scratch.of(name)


@given(wirings(), hearings(), st.sampled_from(SOURCES), hearings())
@settings(deadline=None, max_examples=300)
def test_one_who_says_otherwise_changes_what_it_should(
    wires: Wiring, heard: dict[str, PowerReading], source: str, others: dict[str, PowerReading]
) -> None:
    steady, names = Steady(wires), [*NAMES, *outlets(wires)]
    before = steady.at({one: heard.get(one) for one in SOURCES})
    assert [before.of(name) for name in names]
    after = {one: others.get(one) if one == source else heard.get(one) for one in SOURCES}

    now = steady.at(after)

    assert [now.of(name) for name in names] == [Electricity(wires, after.get).of(name) for name in names]


def said(words: str) -> dict[str, PowerReading | None]:
    found = readings(words)
    return {source: found.get(source) for source in ALL}


def test_what_nobody_says_otherwise_is_not_reckoned_anew() -> None:
    """Only what hangs on new words is another object."""
    steady = Steady(wiring(ROOM))
    names = ("ups-a", "r1-a", "pdu-a", "ups-b", "r1-b", "pdu-b")
    first = {name: steady.at(said(WELL)).of(name) for name in names}

    again = {name: steady.at(said(WELL)).of(name) for name in names}
    assert all(again[name] is first[name] for name in names)

    on_battery = steady.at(said(WELL.replace("card-a + able +", "card-a - able +")))
    kept = [name for name in names if on_battery.of(name) is first[name]]
    assert kept == ["ups-b", "r1-b", "pdu-b"]
    assert on_battery.of("ups-a").why == "on battery"


def test_figures_and_words_of_its_own_are_nothing_new() -> None:
    steady, words = Steady(wiring(ROOM)), said(WELL)
    first = steady.at(words).of("ups-a")
    card = words["card-a"]
    assert card is not None
    (point,) = card.points

    told = steady.at(words | {"card-a": replace(card, load_percent=40, points=(replace(point, said="OL"),))})

    assert told.of("ups-a") is first


def test_who_is_not_heard_any_more_says_something_else() -> None:
    steady = Steady(wiring(ROOM))
    assert steady.at(said(WELL)).of("pdu-a").supplied is True

    silent = steady.at(said(WELL) | {"strip-a": None})

    assert silent.of("pdu-a").supplied is None
    assert steady.at(said(WELL)).of("pdu-a").supplied is True

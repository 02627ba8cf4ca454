"""The power model: from what witnesses say to what reaches whom."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hostwatch.core import expression
from hostwatch.core.electricity import Electricity
from hostwatch.core.element import Element, Kind
from hostwatch.core.power import Output, Point, PowerReading, Ups, Utility
from hostwatch.core.wiring import AT_OUTLET, AT_SOURCE, DEPTH_MAX, Wiring
from tests.core.wires import SIGNS, both, element, moment, readings, wanted, wiring

ROOM = """
utility grid-1
ups ups-a < grid-1 [card-a]
panel panel-a < ups-a
feed r1-a < panel-a
pdu pdu-a < r1-a [strip-a]
utility grid-2
ups ups-b < grid-2 [card-b]
feed r1-b < ups-b
"""
"""
grid-1 ── ups-a ── panel-a ── r1-a ── pdu-a        card-a at the UPS, strip-a at the PDU
grid-2 ── ups-b ── r1-b                            card-b at the UPS
"""

WELL = "+ able +"
BATTERY = "- able +"
GONE = "- dead -"
OFF = "+ dead -"
BARE_OFF = "? dead -"

STORIES = [
    # what is said; grid-1, ups-a, panel-a and pdu-a: supplied, interrupted
    ("", "??", "??", "??", "??"),
    (f"card-a {WELL}", "+-", "+-", "+-", "?-"),
    (f"card-a {WELL}, strip-a + ? ?", "+-", "+-", "+-", "+-"),
    (f"card-a {WELL}, strip-a ? ? ?", "+-", "+-", "+-", "+-"),
    (f"card-a {BATTERY}, strip-a + ? ?", "??", "+-", "+-", "+-"),
    (f"card-a {GONE}", "??", "-+", "-+", "-+"),
    (f"card-a {GONE}, strip-a - ? ?", "??", "-+", "-+", "-+"),
    (f"card-a {WELL}, strip-a - ? ?, strip-a/outlet 7 ? ? +", "+-", "+-", "+-", "?-"),
    (f"card-a {OFF}", "+-", "--", "--", "--"),
    (f"card-a {BARE_OFF}", "??", "-?", "-?", "-?"),
    (f"card-a {WELL}, strip-a - ? ?", "+-", "+-", "+-", "--"),
    ("strip-a + ? ?", "??", "+-", "+-", "+-"),
    ("strip-a - ? ?", "??", "??", "??", "-?"),
    ("strip-a/outlet 7 ? ? +", "??", "+-", "+-", "+-"),
    ("strip-a/outlet 7 ? ? -", "??", "??", "??", "??"),
    (f"card-a {GONE}, strip-a + ? ?", "??", "??", "+?", "+?"),
    (f"card-a {OFF}, strip-a + ? ?", "+-", "?-", "+-", "+-"),
]


@pytest.mark.parametrize(("said", "grid", "ups", "panel", "pdu"), STORIES)
def test_stories_of_one_line(said: str, grid: str, ups: str, panel: str, pdu: str) -> None:
    now = moment(ROOM, said)

    assert [both(now, name) for name in ("grid-1", "ups-a", "panel-a", "pdu-a")] == [grid, ups, panel, pdu]


@pytest.mark.parametrize(
    ("said", "source", "outlet"),
    [
        (f"card-a {WELL}, card-b {WELL}", False, False),
        (f"card-a {GONE}, card-b {BATTERY}", False, False),
        (f"card-a {GONE}, card-b {GONE}", True, True),
        (f"card-a {GONE}", None, None),
        ("", None, None),
        (f"card-a {GONE}, card-b {OFF}", False, True),
        (f"card-a {GONE}, card-b {BARE_OFF}", None, True),
        (f"card-a {WELL}, strip-a - ? ?, card-b {GONE}", False, True),
    ],
)
def test_a_device_on_two_feeds(said: str, source: bool | None, outlet: bool | None) -> None:
    now, feeds = moment(ROOM, said), wanted("any(r1-a, r1-b)")

    values = [now.interrupted(now.wiring.measured(feeds, at), at) for at in (AT_SOURCE, AT_OUTLET)]

    assert values == [source, outlet]


def test_a_feed_with_two_strips_or_with_one_that_nobody_sees_is_measured_itself() -> None:
    wires = wiring(
        "feed f\npdu a < f [x]\npdu b < f [y]\nfeed g\npdu c < g\nfeed h\npdu d < h [z]\npdu e < h"
    )

    assert str(wires.measured(wanted("all(f, g, h)"), AT_OUTLET)) == "all(d,f,g)"


def test_what_is_measured_where() -> None:
    wires, feeds = wiring(ROOM), wanted("any(r1-a, r1-b)")

    assert str(wires.measured(feeds, AT_SOURCE)) == "any(ups-a,ups-b)"
    assert str(wires.measured(feeds, AT_OUTLET)) == "any(pdu-a,r1-b)"
    assert str(wires.measured(wanted("pdu-a/outlet 7"), AT_SOURCE)) == "ups-a"
    assert str(wires.measured(wanted("pdu-a/outlet 7"), AT_OUTLET)) == "pdu-a/outlet 7"
    assert wires.sources(wanted("ups-a")) == ("card-a", "strip-a")
    assert wires.above(wanted("pdu-a/outlet 7")) == (
        "grid-1", "ups-a", "panel-a", "r1-a", "pdu-a", "pdu-a/outlet 7",
    )  # fmt: skip


@pytest.mark.parametrize(
    ("said", "outlet"),
    [
        ("strip-a/outlet 7 ? ? +", "+-"),
        (f"card-a {WELL}, strip-a/outlet 7 ? ? -", "--"),
        (f"card-a {WELL}, strip-a + ? ?", "+-"),
        (f"card-a {WELL}", "?-"),
        (f"card-a {GONE}", "-+"),
    ],
)
def test_an_outlet_of_a_strip(said: str, outlet: str) -> None:
    assert both(moment(ROOM, said), "pdu-a/outlet 7") == outlet


class TestRoots:
    """Where an interruption begins, and where power is lost in our own distribution."""

    def test_of_an_interruption_at_the_source(self) -> None:
        now = moment(
            ROOM + "ups ups-c < grid-3 [card-c]\nutility grid-3 [meter]", f"card-a {GONE}, card-c {GONE}"
        )
        assert now.roots(wanted("ups-a")) == ("ups-a",)
        assert now.roots(wanted("any(ups-a, ups-c)")) == ("ups-a", "ups-c")
        assert now.roots(wanted("any(ups-a, ups-b)")) == ()

    def test_the_utility_is_one_if_somebody_says_so(self) -> None:
        now = moment("utility grid [meter]\nups ups-a < grid [card-a]", f"meter - ? ?, card-a {GONE}")
        assert now.roots(wanted("ups-a")) == ("grid", "ups-a")

    def test_at_the_outlet_it_is_the_first_that_has_none(self) -> None:
        now = moment(ROOM, f"card-a {WELL}, strip-a - ? ?")
        assert now.roots(wanted("pdu-a/outlet 7"), AT_OUTLET) == ("pdu-a",)
        assert now.roots(wanted("pdu-a/outlet 7"), AT_SOURCE) == ()
        assert now.faults(wanted("pdu-a/outlet 7")) == ("pdu-a",)

    def test_a_ups_that_gives_nothing_is_a_fault_of_distribution(self) -> None:
        now = moment(ROOM, f"card-a {OFF}")
        assert now.faults(wanted("pdu-a")) == ("ups-a",)
        assert now.roots(wanted("pdu-a"), AT_OUTLET) == ("ups-a",)

    def test_none_is_seen_while_it_is_not_known_what_comes_in(self) -> None:
        assert moment(ROOM, "strip-a - ? ?").faults(wanted("pdu-a")) == ()


def test_an_explanation_says_who_said_what_and_what_followed() -> None:
    now = moment(ROOM, f"card-a {BATTERY}")

    assert now.explain(wanted("pdu-a"), AT_OUTLET) == (
        "grid-1: nobody looks at it; whether it is supplied is unknown, whether it is interrupted is unknown",
        "ups-a: card-a says utility absent, UPS able, output powered; on battery; supplied, not interrupted",
        "panel-a: nobody looks at it; power comes in; supplied, not interrupted",
        "r1-a: nobody looks at it; power comes in; supplied, not interrupted",
        "pdu-a: strip-a was not heard; who is silent may be without power;"
        " whether it is supplied is unknown, not interrupted",
        "pdu-a, measured at the outlet: whether it is supplied is unknown,"
        " whether it is interrupted is unknown",
    )


@pytest.mark.parametrize(
    ("wires", "said", "name", "told"),
    [
        (ROOM, f"card-a {GONE}, strip-a + ? ?", "ups-a",
         "some say that nothing comes out, and strip-a has power"),
        ("ups u [a, b]", "a + able +, b - able +", "u",
         "some say that the utility is there, others that it is not"),
        ("ups u [a, b]", "a + able +, b + dead +", "u", "some say that the UPS is able, others dead"),
        ("ups u [a, b]", "a + able +, b + able -", "u",
         "some say that nothing comes out, and others say that it does"),
        ("ups u [a]", "a - dead +", "u", "there is power, though utility and UPS have none: a contradiction"),
        ("utility g [a]\nups u < g [b]", "a - ? ?, b + able +", "g",
         "it is said to have no power, and b has power"),
        ("feed f [a, b]", "a + ? ?, b - ? ?", "f", "some say that there is power, others that there is none"),
        ("feed f [a]", "a - ? +", "f", "a line has power without a utility"),
        ("utility g [a]\nutility h [b]\nswitch s < any(g, h) [c]", "a - ? ?, b - ? ?, c ? ? +", "g",
         "it is said to have no power, and c has power"),
    ],
)  # fmt: skip
def test_a_contradiction_is_unknown_and_says_so(wires: str, said: str, name: str, told: str) -> None:
    now = moment(wires, said)

    assert now.contradictions(wanted(name)) == (f"{name}: {told}",)
    assert told in "\n".join(now.explain(wanted(name)))
    assert now.interrupted(wanted(name)) is not True


METERED = "utility g [meter]\nups u < g [card, twin]"


@pytest.mark.parametrize(
    ("said", "told"),
    [
        ("meter + ? ?", "??"),
        ("meter - ? ?", "??"),
        ("meter - ? ?, card ? dead -", "-+"),
        ("meter - ? ?, card ? ? ?", "??"),
        ("meter + ? ?, card ? dead -", "--"),
        ("meter + ? ?, card ? dead ?", "?-"),
        ("meter + ? ?, card ? ? ?", "+-"),
        ("meter + ? ?, card - dead -", "-+"),
        ("card + dead -, twin - dead -", "-?"),
        ("card - dead -, twin ? ? ?", "-+"),
        ("card - dead -, twin - able +", "??"),
    ],
)
def test_a_ups_whose_utility_has_a_meter(said: str, told: str) -> None:
    """The nearer one decides: between the meter and the UPS there may be a breaker."""
    assert both(moment(METERED, said), "u") == told


def test_a_ups_that_nobody_looks_at_is_as_its_utility_while_that_is_there() -> None:
    wires = "utility g [meter]\nups u < g"

    assert both(moment(wires, "meter + ? ?"), "u") == "+-"
    assert both(moment(wires, "meter - ? ?"), "u") == both(moment(wires, ""), "u") == "??"


@pytest.mark.parametrize(("said", "told"), [("a + ? ?, b - ? ?", "?"), ("b + ? ?", "+"), ("a - ? ?", "?")])
def test_who_is_contradicted_by_another_proves_nothing(said: str, told: str) -> None:
    now = moment("feed f\npdu p < f [a, b]", said)

    assert SIGNS[now.of("f").supplied] == told


def test_what_nobody_knows_is_unknown() -> None:
    now = moment(ROOM, f"card-a {GONE}")

    assert both(now, "ups-x") == both(now, "r1-a/outlet 7") == both(now, "pdu-x/outlet 7") == "??"
    assert str(now.of("ups-x")).startswith("ups-x: nobody looks at it; there is no such element")


def test_power_by_a_transfer_switch_came_from_the_line_that_is_not_dead() -> None:
    wires = "ups u [a]\nups v [b]\nswitch s < any(u, v) [c]"

    assert both(moment(wires, f"a {GONE}, c ? ? +"), "v") == "+-"
    assert both(moment(wires, "c ? ? +"), "v") == "??"
    assert both(moment(wires, f"a {GONE}, b {GONE}"), "s") == "-+"
    assert both(moment(wires, f"a {GONE}, b {OFF}"), "s") == "--"


@pytest.mark.parametrize(
    ("said", "strip", "feed", "last"),
    [
        ("strip ? ? ?, far/outlet 1 ? ? +", "+", "+", "+"),
        ("strip - ? ?", "-", "?", "-"),
        ("strip - ? ?, far - ? ?", "-", "?", "-"),
        ("strip - ? ?, strip/outlet 2 ? ? +", "?", "+", "?"),
        ("strip - ? ?, far + ? ?", "?", "+", "+"),
        ("strip/outlet 1 ? ? -, strip/outlet 2 ? ? +, far ? ? ?", "+", "+", "-"),
    ],
)
def test_a_strip_on_an_outlet_of_another(said: str, strip: str, feed: str, last: str) -> None:
    wires = "feed f\npdu near < f [strip]\npdu last < near/outlet 1 [far]"
    now = moment(wires, said)

    assert [SIGNS[now.of(name).supplied] for name in ("near", "f", "last")] == [strip, feed, last]


def test_many_ways_to_one_source_are_each_gone_once() -> None:
    """By two ways on each of 30 levels there are a thousand million of them."""
    elements = [Element(id="u0a", kind=Kind.UPS), Element(id="u0b", kind=Kind.UPS)]
    for level in range(1, 30):
        above = f"any(u{level - 1}a,u{level - 1}b)"
        elements += [Element(id=f"u{level}{side}", kind=Kind.PANEL, input=above) for side in "ab"]

    found = Wiring(elements).measured(expression.parse("any(u29a,u29b)"), AT_SOURCE)

    assert str(found) == "any(u0a,u0b)"


def test_who_hangs_on_itself_is_refused() -> None:
    with pytest.raises(ValueError, match="hangs on itself: a → b → a"):
        wiring("panel a < b\npanel b < a")
    with pytest.raises(ValueError, match="hangs on itself"):
        wiring("pdu a < b\nfeed b < any(g, a/outlet-1)")
    rows = [f"panel p{number:02} < p{number + 1:02}" for number in range(DEPTH_MAX + 1)]
    assert wiring("\n".join(rows[: DEPTH_MAX - 1]))
    for order in (rows, rows[::-1]):
        with pytest.raises(ValueError, match=f"more than {DEPTH_MAX} elements"):
            wiring("\n".join(order))


# Properties: any wiring, any words.

NAMES = [f"e{number}" for number in range(8)]
SOURCES = ["s0", "s1", "s2", "s3", "s4"]
UTILITIES, UPSES, OUTPUTS = st.sampled_from(Utility), st.sampled_from(Ups), st.sampled_from(Output)


@st.composite
def wirings(draw: st.DrawFn) -> Wiring:
    """Up to eight elements, each on some before it, with up to two witnesses each."""
    elements = []
    for number, name in enumerate(NAMES[: draw(st.integers(1, len(NAMES)))]):
        kind = draw(st.sampled_from(Kind)) if number else Kind.UTILITY
        inputs = ""
        if number and kind is not Kind.UTILITY:
            above = draw(st.lists(st.sampled_from(NAMES[:number]), min_size=1, max_size=3, unique=True))
            inputs = f"{draw(st.sampled_from(['any', 'any', 'all']))}({','.join(above)})"
        seen = draw(st.lists(st.sampled_from(SOURCES), max_size=2, unique=True))
        elements.append(Element(id=name, kind=kind, input=inputs, witness=",".join(seen)))
    return Wiring(elements)


def said_by(draw: st.DrawFn) -> PowerReading:
    points = [
        Point(name=name, utility=draw(UTILITIES), ups=draw(UPSES), output=draw(OUTPUTS))
        for name in ("", "outlet 1")
    ]
    return PowerReading(points=tuple(points[: draw(st.integers(1, 2))]))


@st.composite
def hearings(draw: st.DrawFn) -> dict[str, PowerReading]:
    return {source: said_by(draw) for source in SOURCES if draw(st.booleans())}


def value(now: Electricity, name: str, at: str) -> bool | None:
    return now.interrupted(now.wiring.measured(expression.name(name), at), at)


def contradicted(now: Electricity) -> bool:
    return any(now.of(name).contradiction for name in (*NAMES, *outlets(now.wiring)))


def outlets(wires: Wiring) -> list[str]:
    return [f"{name}/outlet 1" for name in NAMES if wires.element(f"{name}/outlet 1")]


@given(wirings(), hearings(), st.data())
@settings(deadline=None, max_examples=200)
def test_words_taken_away_never_make_a_loss_or_an_interruption(
    wires: Wiring, heard: dict[str, PowerReading], data: st.DataObject
) -> None:
    fewer = dict(heard)
    for source in data.draw(st.lists(st.sampled_from(SOURCES), min_size=1, max_size=4), label="gone"):
        fewer.pop(source, None)
    before, after = Electricity(wires, heard.get), Electricity(wires, fewer.get)
    for name in (*NAMES, *outlets(wires)):
        for at in (AT_SOURCE, AT_OUTLET):
            if value(after, name, at) is True and value(before, name, at) is not True:
                assert contradicted(before)
        if after.of(name).supplied is False and before.of(name).supplied is not False:
            assert contradicted(before)


@given(wirings(), hearings(), st.data())
@settings(deadline=None, max_examples=200)
def test_a_single_word_taken_away_makes_none_either(
    wires: Wiring, heard: dict[str, PowerReading], data: st.DataObject
) -> None:
    """The source is heard, and does not say that word."""
    if not heard:
        return
    source = data.draw(st.sampled_from(sorted(heard)), label="source")
    what = data.draw(st.sampled_from(["utility", "ups", "output"]), label="what")
    points = []
    for point in heard[source].points:
        words = {"utility": point.utility, "ups": point.ups, "output": point.output}
        words[what] = type(words[what])("unknown")
        points.append(Point(name=point.name, **words))  # type: ignore[arg-type]
    fewer = heard | {source: PowerReading(points=tuple(points))}
    before, after = Electricity(wires, heard.get), Electricity(wires, fewer.get)
    for name in (*NAMES, *outlets(wires)):
        for at in (AT_SOURCE, AT_OUTLET):
            if value(after, name, at) is True and value(before, name, at) is not True:
                assert contradicted(before)


@given(wirings())
@settings(deadline=None)
def test_nothing_is_lost_while_nobody_speaks(wires: Wiring) -> None:
    silent = Electricity(wires, lambda _: None)
    mute = Electricity(wires, lambda _: PowerReading(points=()))
    for now, name in itertools.product((silent, mute), (*NAMES, *outlets(wires))):
        assert now.of(name).supplied is None
        assert now.of(name).interrupted is None


@given(wirings(), hearings(), st.randoms())
@settings(deadline=None)
def test_order_never_matters(wires: Wiring, heard: dict[str, PowerReading], chance: st.random.Random) -> None:  # type: ignore[name-defined]
    names = [*NAMES]
    first = Electricity(wires, heard.get)
    told = {name: first.of(name) for name in names}
    chance.shuffle(names)
    elements = [one for name in names if (one := wires.element(name)) is not None]
    turned = {
        source: PowerReading(points=tuple(reversed(heard[source].points))) for source in reversed(heard)
    }
    again = Electricity(Wiring(elements), turned.get)
    assert {name: again.of(name) for name in names} == told


@given(wirings(), hearings())
@settings(deadline=None)
def test_an_interruption_has_a_root_and_an_explanation(wires: Wiring, heard: dict[str, PowerReading]) -> None:
    now = Electricity(wires, heard.get)
    for name, at in itertools.product((*NAMES, *outlets(wires)), (AT_SOURCE, AT_OUTLET)):
        supply = wires.measured(expression.name(name), at)
        lines = now.explain(supply, at)
        assert len(lines) == len(wires.above(supply)) + 1
        assert (now.roots(supply, at) != ()) == (now.interrupted(supply, at) is True)
        assert set(now.roots(supply, at)) <= set(wires.above(supply))


def test_the_pictures_are_read() -> None:
    assert element("switch s < any(a, b) [c, d/x 1]") == Element(
        id="s", kind=Kind.TRANSFER_SWITCH, input="any(a, b)", witness="c, d/x 1"
    )
    assert readings("a/outlet 7 ? ? +")["a"].point("outlet 7").output is Output.POWERED

"""Early warnings for operators: once when they begin, once when they are over, never for customers.

```
 grid-1 ──▶ ups-a ──▶ r1-a ─┐
 grid-2 ──▶ ups-b ──▶ r1-b ─┴─ rack r1: any(ups-a,ups-b)          a, b: the sources of the two UPSes
```
"""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from hostwatch.core import facts, judge, signs
from hostwatch.core.element import Element
from hostwatch.core.element import Kind as Of
from hostwatch.core.place import Place
from hostwatch.core.population import Changes, Customer
from hostwatch.core.power import Concern, Output, Point, PowerReading, Ups, Utility
from hostwatch.core.reading import Kind, Outcome, Reading
from hostwatch.core.roster import Person, Roster
from hostwatch.core.rotation import Rotation
from hostwatch.core.source import Source
from hostwatch.core.supply import Supply
from hostwatch.core.switch import Switch
from hostwatch.core.warned import QUIET, Planned, Planning, Sign, Warned, What, follow, of_source
from hostwatch.core.world import Decision, World
from hostwatch.store.connection import connect
from hostwatch.store.ledger import Ledger
from tests.sla.teller import Teller, device

START = datetime(2026, 10, 1, tzinfo=UTC)
BOTH = "any(ups-a,ups-b)"
HOUSE: dict[str, Any] = {
    "sources": [Source(id=name, kind="power/nut") for name in "ab"],
    "elements": [
        Element(id="grid-1", kind=Of.UTILITY),
        Element(id="grid-2", kind=Of.UTILITY),
        Element(id="ups-a", kind=Of.UPS, input="grid-1", witness="a"),
        Element(id="ups-b", kind=Of.UPS, input="grid-2", witness="b"),
        Element(id="r1-a", kind=Of.FEED, input="ups-a", rack="r1"),
        Element(id="r1-b", kind=Of.FEED, input="ups-b", rack="r1", is_redundant=True),
    ],
    "supplies": [Supply(id=BOTH)],
}
WELL = PowerReading(points=(Point(utility=Utility.PRESENT, ups=Ups.ABLE, output=Output.POWERED),))
DEAD = PowerReading(points=(Point(utility=Utility.ABSENT, ups=Ups.DEAD, output=Output.UNPOWERED),))
ON_BATTERY = PowerReading(
    points=(Point(utility=Utility.ABSENT, ups=Ups.ABLE, output=Output.POWERED),),
    concerns=(Concern.ON_BATTERY,),
    charge_percent=97,
    runtime_s=1800,
)


def at(seconds: float) -> datetime:
    return START + timedelta(seconds=seconds)


class House(Teller):
    """The house, with the operator's people and a customer."""

    def furnish(self, **other: Any) -> House:
        things = {**HOUSE, **other}
        self.populate(START, device("web"), contacts=("duty",), operator="noc", **things)
        return self

    def round(self, seconds: float, a: PowerReading | None, b: PowerReading | None) -> None:  # type: ignore[override]
        self.say("a", at(seconds), a)
        self.say("b", at(seconds + 0.001), b)

    def together(self, seconds: float, a: PowerReading, b: PowerReading) -> None:
        """Both in one deed."""
        readings = [
            Reading(
                signal=f"source:{name}/read@main",
                at=at(seconds),
                known_at=at(seconds),
                outcome=Outcome.ANSWERED,
                said=said.text,
            )
            for name, said in (("a", a), ("b", b))
        ]
        self.decide(at(seconds), judge.readings(self.world, None, readings, closes=False, now=at(seconds)))

    @property
    def told(self) -> list[str]:
        """What began and ended, and when."""
        found = []
        for fact in self.record:
            if isinstance(fact, facts.WarningBegan):
                found.append(f"{(fact.at - START).seconds} {fact.about} {fact.what}")
            if isinstance(fact, facts.WarningEnded):
                found.append(f"{(fact.at - START).seconds} {fact.about} {fact.what} over")
        return found

    @property
    def owed(self) -> list[tuple[str, str]]:
        """The notices that are owed."""
        return [(one.kind, one.customer) for one in self.record if isinstance(one, facts.NoticeOwed)]


def test_on_battery_is_told_to_operators_once_and_its_end_too() -> None:
    told = House().furnish()
    for seconds in range(0, 1000, 10):
        told.round(seconds, ON_BATTERY if 100 <= seconds < 200 else WELL, WELL)

    assert told.told == ["100 a on battery", "500 a on battery over"], "five minutes after the last of it"
    assert told.owed == [("warning", "noc"), ("cleared", "noc")]
    assert not told.world.duties
    assert not told.world.emergencies
    began, ended = (one for _, decision in told.decisions for one in decision.notices)
    assert began.stories[0].elements == ended.stories[0].elements == ("ups-a",)
    assert (began.stories[0].about, began.stories[0].why) == ("a", "charge 97 %, runtime 30 min")
    assert ended.after == began.id
    assert (began.emergencies, began.duty) == ((), None)


def test_what_comes_and_goes_is_one_warning() -> None:
    told = House().furnish()
    for seconds in range(0, 2000, 10):
        told.round(seconds, ON_BATTERY if seconds < 1000 and seconds % 100 == 0 else WELL, WELL)

    assert told.told == ["0 a on battery", "1210 a on battery over"]


def test_what_is_not_heard_ends_no_warning() -> None:
    told = House().furnish()
    told.round(0, ON_BATTERY, WELL)
    for seconds in range(10, 1000, 10):
        told.round(seconds, None, WELL)

    assert [one for one in told.told if "over" in one] == []
    assert "ups-a" not in {one.about for one in told.world.warned.values()}


def test_redundancy_that_is_lost() -> None:
    told = House().furnish()
    for seconds in range(0, 1000, 10):
        told.round(seconds, DEAD if 100 <= seconds < 200 else WELL, WELL)

    assert told.told == [f"100 {BOTH} redundancy lost", f"500 {BOTH} redundancy lost over"]
    (sign,) = [one for one in told.record if isinstance(one, facts.WarningBegan)]
    assert sign.said == "all hangs on ups-b"


def test_what_a_warning_says_is_what_was_seen_last() -> None:
    """`ups-a` dies, then both, then `ups-a` is back: one warning all the time, and three things to say."""
    told = House().furnish()
    said = []
    for seconds, a, b in (
        (0, WELL, WELL),
        (10, DEAD, WELL),
        (20, DEAD, DEAD),
        (30, WELL, DEAD),
        (40, WELL, WELL),
    ):
        told.together(seconds, a, b)
        said += [(seconds, one.said, one.quiet_since) for one in told.world.warned.values()]

    assert said == [
        (10, "all hangs on ups-b", None),
        (20, "nothing has power that it hangs on", None),
        (30, "all hangs on ups-a", None),
        (40, "all hangs on ups-a", at(40)),
    ]
    assert told.told == [f"10 {BOTH} redundancy lost"]


def test_a_battery_that_the_ups_calls_low_is_not_told_by_other_figures() -> None:
    low = replace(ON_BATTERY, concerns=(Concern.ON_BATTERY, Concern.LOW_BATTERY))
    short = replace(ON_BATTERY, runtime_s=120)

    def said(reading: PowerReading) -> dict[What, str]:
        return {one.what: one.said for one in of_source("a", reading, timedelta(minutes=10))}

    assert said(low)[What.RUNTIME_LOW] == "battery low, as the UPS says"
    assert said(short)[What.RUNTIME_LOW] == "charge 97 %, runtime 2 min"


def test_where_there_is_no_power_at_all_redundancy_is_not_the_worry() -> None:
    told = House().furnish()
    for seconds, said in ((0, WELL), (10, DEAD), (20, DEAD)):
        told.together(seconds, said, said)
    assert told.told == []
    assert len(told.world.emergencies) == 1

    told.round(40, DEAD, WELL)
    assert told.told == [f"40 {BOTH} redundancy lost"]


def test_a_ups_of_which_nobody_knows_any_more_ends_no_warning() -> None:
    told = House().furnish()
    told.round(0, WELL, DEAD)
    for seconds in range(10, 1000, 10):
        told.round(seconds, WELL, None)

    assert told.told == [f"0 {BOTH} redundancy lost", "20 b not heard"]


def test_two_feeds_that_hang_on_one() -> None:
    elements = [replace(one, input="ups-a") if one.id == "r1-b" else one for one in HOUSE["elements"]]
    told = House().furnish(elements=elements, supplies=[Supply(id="ups-a")])
    told.round(0, WELL, WELL)

    assert told.told == ["0 r1 feeds that hang on one"]


def test_planned_work_while_the_other_side_is_ill() -> None:
    told = House().furnish()
    work = Planned(element="ups-a", since=at(3600), until=at(7200), what="battery change")
    told.decide(START, Decision(planning=Planning(planned=(work,))))
    told.round(0, WELL, WELL)
    assert told.told == []

    told.round(10, WELL, DEAD)
    assert told.told == [f"10 {BOTH} redundancy lost", "10 ups-a planned work while the other side is ill"]


def test_planned_work_that_is_over_or_far_away_is_nobodys_worry() -> None:
    told = House().furnish()
    past = Planned(element="ups-a", since=at(-7200), until=at(-3600), what="battery change")
    far = replace(past, since=at(0) + 2 * signs.AHEAD, until=at(0) + 3 * signs.AHEAD)
    told.decide(START, Decision(planning=Planning(planned=(past, far))))
    told.round(0, WELL, DEAD)

    assert told.told == [f"0 {BOTH} redundancy lost"]


@pytest.mark.parametrize(
    ("concerns", "runtime_s", "expected"),
    [
        ((), 60, []),
        ((Concern.ON_BATTERY,), 600, [What.ON_BATTERY]),
        ((Concern.ON_BATTERY,), 599, [What.ON_BATTERY, What.RUNTIME_LOW]),
        ((Concern.ON_BATTERY,), None, [What.ON_BATTERY]),
        ((Concern.LOW_BATTERY,), None, [What.RUNTIME_LOW]),
        ((Concern.REPLACE_BATTERY,), None, [What.REPLACE_BATTERY]),
        ((Concern.OVERLOAD, Concern.BYPASS), None, [What.BYPASS, What.OVERLOAD]),
        ((Concern.ALARM,), None, [What.ALARM]),
        ((Concern.CALIBRATION, Concern.OFF), None, []),
    ],
)
def test_what_a_source_says(
    concerns: tuple[Concern, ...], runtime_s: int | None, expected: list[What]
) -> None:
    reading = PowerReading(points=(), concerns=concerns, runtime_s=runtime_s)
    found = [one.what for one in of_source("a", reading, timedelta(minutes=10))]

    assert sorted(found) == sorted(expected)


def test_a_warning_about_what_is_gone_is_over() -> None:
    told = House().furnish()
    told.round(0, ON_BATTERY, WELL)
    told.world.population.change(Changes(sources_gone=("a",)))
    for seconds in range(10, 400, 10):
        told.say("b", at(seconds), WELL)

    assert told.told[0] == "0 a on battery"
    assert "310 a on battery over" in told.told


def test_a_step_of_the_clock_moves_a_warning() -> None:
    told = House().furnish()
    told.round(0, ON_BATTERY, WELL)
    told.decide(at(3600), judge.follow_clock(told.world, at(1), at(3601)))

    (one,) = told.world.warned.values()
    assert one.since == at(3600.0)


def test_nobody_is_told_where_there_is_no_operator() -> None:
    sign = Sign(what=What.ALARM, about="a")
    found = follow({}, [sign], [sign.name], None, START)

    assert [type(one).__name__ for one in found.facts] == ["WarningBegan"]
    assert found.notices == ()


def test_a_warning_is_quiet_for_a_while_before_it_is_over() -> None:
    lasting = Warned(what=What.ALARM, about="a", said="", since=START)
    first = follow({lasting.name: lasting}, [], [lasting.name], None, at(10))
    quiet = first.warned[lasting.name]
    assert quiet is not None
    assert (quiet.quiet_since, first.facts) == (at(10), ())

    early = follow({lasting.name: quiet}, [], [lasting.name], None, at(309))
    over = follow({lasting.name: quiet}, [], [lasting.name], None, at(10) + QUIET)
    again = follow({lasting.name: quiet}, [Sign(what=What.ALARM, about="a")], [], None, at(20))
    assert early == follow({}, [], [], None, at(309))
    assert over.warned == {lasting.name: None}
    assert again.warned == {lasting.name: lasting}


def test_those_of_the_operators_people_are_warned_who_are_authorised_when_it_begins() -> None:
    """Ann is on call from 00:00, Bob from 00:30. Who heard of the beginning hears of the end."""
    shift = Rotation(id="shift", people=("ann", "bob"), begins="2026-09-30", minute=30, days=1)
    people = (Person(id="ann", on_call=True), Person(id="bob", on_call=True), Person(id="cyd"))
    noc = Customer(id="noc", contacts=("ann", "bob", "cyd"), roster=Roster(people=people, rotations=(shift,)))
    began = follow({}, [Sign(what=What.ALARM, about="a")], [], noc, START)
    lasting = next(iter(began.warned.values()))
    assert lasting is not None
    over = follow(
        {lasting.name: replace(lasting, quiet_since=at(3600))}, [], [lasting.name], noc, at(3600) + QUIET
    )

    assert [one.contact for one in began.notices] == ["ann", "cyd"]
    assert [(one.kind, one.contact) for one in over.notices] == [("cleared", "ann"), ("cleared", "cyd")]


LOOKS = {"A": Outcome.ANSWERED, "M": Outcome.MISSED, "?": Outcome.UNKNOWN}


def network(**looks: str) -> House:
    """A switch and a device behind it: a look each minute."""
    told = House()
    told.populate(
        START,
        replace(device("web"), place=Place(ports="sw-1/1")),
        contacts=("duty",),
        operator="noc",
        switches=[Switch(id="sw-1", name="Row 1", address="192.0.2.2")],
    )
    for place in range(max(map(len, looks.values()))):
        for name, letters in looks.items():
            signal = "switch:sw-1/ping@main" if name == "switch" else "web/ping@main"
            kind = Kind.SCHEDULED if name == "switch" else Kind.FOLLOW_UP
            if place < len(letters) and letters[place] != ".":
                told._bring(signal, at(60 * place + (name != "switch")), LOOKS[letters[place]], kind)
    return told


def test_a_switch_whose_management_alone_is_silent() -> None:
    told = network(switch="AMMMMAAAAAAAA", web="AAAAAAAAAAAAA")

    assert told.told == ["120 sw-1 management silent", "600 sw-1 management silent over"]
    assert {customer for _, customer in told.owed} == {"noc"}


def test_a_switch_of_which_nobody_knows() -> None:
    told = network(switch="AMMM", web="A???")

    assert [one.split(" ", 1)[1] for one in told.told] == ["sw-1 switch silent"]


def test_a_switch_that_is_dead_is_an_emergency_and_no_warning() -> None:
    told = network(switch="AMMMMM", web="AMMMMM")

    assert told.told == []
    assert len(told.world.emergencies) == 1


def test_the_store_keeps_what_lasts() -> None:
    """So that a restart tells nobody again."""
    told = House().furnish()
    book = Ledger(connect(None), "boot")
    book.open()
    for number, seconds in enumerate(range(0, 400, 10)):
        told.round(seconds, ON_BATTERY if number < 2 else WELL, WELL)
    kept: list[World] = []
    for at_, decision in told.decisions:
        book.commit(decision, at_)
        kept.append(book.load())

    assert kept[-1].warned == told.world.warned == {}
    lasting = [one.warned["on battery:a"] for one in kept if one.warned]
    assert {(one.since, one.said) for one in lasting} == {(at(0), "charge 97 %, runtime 30 min")}
    assert {one.quiet_since for one in lasting} == {None, at(20)}


def rounds(a: str, b: str = "") -> House:
    """Ten seconds each: W well, B on battery, x not heard, - says nothing."""
    words = {"W": WELL, "B": ON_BATTERY, "x": None, "-": PowerReading(points=(Point(),))}
    told = House().furnish()
    for number, letters in enumerate(zip(a, b or "W" * len(a), strict=True)):
        told.round(10 * number, *(words[letter] for letter in letters))
    return told


@pytest.mark.parametrize(
    ("a", "told"),
    [
        ("BBx", ["0 a on battery"]),
        ("BBxx", ["0 a on battery", "30 a not heard"]),
        ("BBxxxxxx", ["0 a on battery", "30 a not heard"]),
        ("WWxxxx", []),
        ("BWxxxx", ["0 a on battery"]),
        ("BBxx" + "B" * 40, ["0 a on battery", "30 a not heard", "340 a not heard over"]),
        ("BB" + "-" * 60, ["0 a on battery"]),
    ],
)
def test_who_was_on_battery_and_is_not_heard_any_more(a: str, told: list[str]) -> None:
    assert rounds(a).told == told


def test_it_says_how_it_was_seen_last_and_of_which_element() -> None:
    found = rounds("BBxx")
    (warned,) = [one for one in found.world.warned.values() if one.what is What.UNHEARD]

    assert warned.said == "last seen on battery with 30 min left: possibly interrupted"
    (notice,) = [n for _, d in found.decisions for n in d.notices if n.stories[0].warning == "not heard"]
    assert (notice.stories[0].elements, notice.customer) == (("ups-a",), "noc")
    assert not found.world.emergencies


def test_nothing_is_said_while_another_witness_knows() -> None:
    elements = [
        replace(one, witness="a,b") if one.id == "ups-a" else replace(one, witness="")
        for one in HOUSE["elements"]
    ]
    told = House().furnish(elements=elements)
    for number in range(6):
        told.round(10 * number, ON_BATTERY if number < 2 else None, ON_BATTERY)

    assert told.told == ["0 a on battery", "0 b on battery"]


OFF = PowerReading(
    points=(Point(utility=Utility.PRESENT, ups=Ups.DEAD, output=Output.UNPOWERED),), concerns=(Concern.OFF,)
)
WAITING = PowerReading(points=(Point(),))


@pytest.mark.parametrize("measured_at", ["source", "outlet"])
def test_a_ups_that_is_off_with_the_utility_there_is_lost_in_distribution(measured_at: str) -> None:
    """
    ups-a   ───╲________╱───   off, with its utility there: nobody's power is interrupted
    ups-b   ────────────────
    """
    told = House().furnish(supplies=[Supply(id=BOTH, measured_at=measured_at)])
    for seconds in range(0, 1000, 10):
        told.round(seconds, OFF if 100 <= seconds < 200 else WELL, WELL)

    assert [one for one in told.told if "ups-a" in one.split()] == [
        "100 ups-a lost in distribution",
        "500 ups-a lost in distribution over",
    ]
    assert not told.world.emergencies


def test_what_an_emergency_tells_of_is_not_warned_of_as_lost_in_distribution() -> None:
    """Promised at the outlet, and both off: that is an interruption."""
    told = House().furnish(supplies=[Supply(id=BOTH, measured_at="outlet")])
    for seconds in range(0, 100, 10):
        told.together(seconds, *((OFF, OFF) if seconds >= 50 else (WELL, WELL)))

    assert [one for one in told.told if "distribution" in one] == []
    assert told.world.emergencies


@pytest.mark.parametrize("said", [DEAD, WAITING], ids=["the utility is gone too", "nothing is said"])
def test_no_missing_word_and_no_absent_utility_is_lost_in_distribution(said: PowerReading) -> None:
    told = House().furnish()
    for seconds in range(0, 100, 10):
        told.round(seconds, said, WELL)

    assert [one for one in told.told if "distribution" in one] == []

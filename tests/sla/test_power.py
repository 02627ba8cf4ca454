"""Whether a device had the power that was promised: from words of sources, through the core, to the month.

```
 grid-1 ──▶ ups-a ──▶ web            ups-b ◀── grid-1
              └──────── both ───────────┘
```
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from hostwatch.core import instant
from hostwatch.core.calendar import Month
from hostwatch.core.device import State
from hostwatch.core.element import Element
from hostwatch.core.element import Kind as Of
from hostwatch.core.power import Output, Point, PowerReading, Ups, Utility
from hostwatch.core.reading import Outcome
from hostwatch.core.source import Source
from hostwatch.core.supply import Supply
from hostwatch.sla.account import Downtime
from hostwatch.sla.month import MonthReport, Row, month
from tests.sla.teller import Teller, device

A, B = Source(id="a", kind="power/nut"), Source(id="b", kind="power/nut")
BOTH = "any(ups-a,ups-b)"
HOUSE: dict[str, Any] = {
    "sources": [A, B],
    "elements": [
        Element(id="grid-1", kind=Of.UTILITY),
        Element(id="ups-a", kind=Of.UPS, input="grid-1", witness="a"),
        Element(id="ups-b", kind=Of.UPS, input="grid-1", witness="b"),
    ],
    "supplies": [Supply(id="ups-a"), Supply(id="ups-b"), Supply(id=BOTH)],
}
POWERED = PowerReading(points=(Point(utility=Utility.PRESENT, ups=Ups.ABLE, output=Output.POWERED),))
BATTERY = PowerReading(points=(Point(utility=Utility.ABSENT, ups=Ups.ABLE, output=Output.POWERED),))
DEAD = PowerReading(points=(Point(utility=Utility.ABSENT, ups=Ups.DEAD, output=Output.UNPOWERED),))
LETTERS = {"P": POWERED, "B": BATTERY, "D": DEAD, "?": None}


def at(number: float) -> datetime:
    """The instant of a round: all sources are due together, every ten seconds."""
    target, start_us = A.target("main"), instant.micros(datetime(2026, 10, 1, tzinfo=UTC))
    first = start_us + (target.phase_us - start_us) % target.interval_us
    return instant.from_micros(first) + number * timedelta(seconds=10)


def say(told: Teller, a: str, b: str, first: int = 0) -> None:
    """What the sources of both UPSes say, round by round: powered, on battery, dead, or nothing."""
    for number, letters in enumerate(zip(a, b, strict=True), first):
        for place, (source, letter) in enumerate(zip("ab", letters, strict=True)):
            told.say(source, at(number) + place * timedelta(milliseconds=1), LETTERS[letter])


def story(a: str, b: str = "", *devices: Any) -> Teller:
    """The devices, and what is said of their power."""
    told = Teller()
    told.populate(at(0), *(devices or [device("web", supply="ups-a")]), **HOUSE)
    say(told, a, b or "P" * len(a))
    return told


def report(told: Teller, until: float, **wishes: Any) -> MonthReport:
    return month(
        told.history(at(until)), Month(2026, 10), ZoneInfo("UTC"), site="s", as_of_seq=0, as_of=None, **wishes
    )


def row(told: Teller, until: float, name: str = "web") -> Row:
    (found,) = [row for row in report(told, until).rows if row.device == name]
    return found


def figures(account: Any) -> tuple[int, ...]:
    """Up, down and unknown, and down at least and at most, in seconds."""
    return account.up_s, account.down_s, account.unknown_s, account.down_s_least, account.down_s_most


PICTURES = """
PPPPPP   60  0  0   0  0   power
PBBBBP   60  0  0   0  0   on battery is no interruption
PPDPPP   50 10  0   0 20   one reading counts, though it is no verdict
PDDDPP   30 30  0  20 40   from the first that finds it dead to the first that finds power
P????P   20  0 40   0 40   nobody is heard: unknown, whatever was said last
PB???P   30  0 30   0 30   lost on battery: possibly, and no more
PD??PP   30 10 20   0 40   lost while it is dead
PDD???   10 20 30  10 60   and never heard again
??????    0  0 60   0 60   never heard
DDDDDD    0  0 60   0 60   never seen with power: not proven
"""


@pytest.mark.parametrize("line", PICTURES.strip().splitlines(), ids=lambda line: line[27:])
def test_picture(line: str) -> None:
    said, *numbers = line[:27].split()

    mine = row(story(said), len(said)).power

    assert figures(mine.account) == tuple(int(number) for number in numbers)
    assert (mine.measured, mine.supplies) == ("all", ("ups-a",))


def test_a_device_on_two_feeds_is_down_while_both_are() -> None:
    rack = [device(name, supply=on) for name, on in (("one", "ups-a"), ("other", "ups-b"), ("nas", BOTH))]
    told = story("PDDDDP", "PPPDDD", *rack)

    assert figures(row(told, 6, "one").power.account)[:3] == (20, 40, 0)
    assert figures(row(told, 6, "other").power.account)[:3] == (30, 30, 0)
    assert figures(row(told, 6, "nas").power.account)[:3] == (40, 20, 0)


def test_without_a_supply_nobody_measured() -> None:
    told = story("PDDDDP", "", device("web"))
    told.read("web", at(0), Outcome.ANSWERED)

    mine = row(told, 6)

    assert figures(mine.account)[:3] == (60, 0, 0)
    assert figures(mine.power.account) == (0, 0, 60, 0, 60), "that it answers proves nothing here"
    assert (mine.power.measured, mine.power.measured_s, mine.power.supplies) == ("none", 0, ())
    assert (mine.power.silences, mine.power.emergencies) == ((), ())
    assert mine.power.account.availability is mine.power.account.availability_lower is None


def test_a_power_model_that_comes_in_the_middle_of_a_month() -> None:
    told = Teller()
    told.populate(at(0), device("web"))
    told.populate(at(6), device("web", supply="ups-a"), **HOUSE)
    say(told, "PPDPPP", "PPPPPP", first=6)

    mine = row(told, 12).power

    assert figures(mine.account)[:3] == (50, 10, 60)
    assert (mine.measured, mine.measured_s) == ("part", 60)


def test_a_device_that_moves_leaves_the_interruption_behind() -> None:
    told = story("PDDD", "PPPP")
    told.populate(at(4), device("web", supply="ups-b"), **HOUSE)
    say(told, "DDDD", "PPDP", first=4)

    mine = row(told, 8).power

    assert figures(mine.account)[:3] == (40, 40, 0)
    assert mine.supplies == ("ups-a", "ups-b")
    weights = [(line.silence.signal, line.down_s) for line in mine.silences]
    assert weights == [("supply:ups-a/power@main", 30), ("supply:ups-b/power@main", 10)]
    assert sum(weight for _, weight in weights) == mine.account.down_s


def test_who_comes_when_it_is_over_has_no_part_in_it() -> None:
    told = story("PDDP")
    told.populate(at(6), device("web", supply="ups-a"), device("new", supply="ups-a"), **HOUSE)
    say(told, "PPPP", "PPPP", first=4)

    mine = row(told, 8, "new").power

    assert figures(mine.account) == (20, 0, 0, 0, 0)
    assert (mine.silences, mine.emergencies) == ((), ())


def test_one_event_is_down_in_both_accounts_and_added_into_neither() -> None:
    told = story("P" * 3 + "D" * 120 + "P" * 3)
    for number in (0, 30, 60, 90, 120, 125):
        told.read("web", at(number), Outcome.ANSWERED if number in (0, 125) else Outcome.MISSED)

    mine = row(told, 126)

    assert (mine.account.down_s, mine.power.account.down_s) == (950, 1200)
    assert mine.account.period_s == mine.power.account.period_s == 1260
    (told_of,) = mine.power.emergencies
    assert (told_of.signal, told_of.customer, told_of.withdrawn) == ("supply:ups-a/power@main", "", False)
    (line,) = mine.power.silences
    assert (line.silence.confirmed, line.counts, line.down_s) == (True, True, 1200)


def test_an_emergency_of_two_supplies_stands_once_with_each_device_on_them() -> None:
    rack = [device("one", supply="ups-a"), device("other", supply="ups-b"), device("nas", supply=BOTH)]
    told = story("PDDDP", "PDDDP", *rack)

    references = {one.device: [e.reference for e in one.power.emergencies] for one in report(told, 6).rows}

    assert references == {"one": ["E-000001"], "other": ["E-000001"], "nas": ["E-000001"]}
    assert [one.emergencies for one in report(told, 6).rows] == [(), (), ()], "no device was silent"


def test_a_waived_device_still_was_promised_power() -> None:
    told = story("PDDPPP", "", device("web", state=State.NOT_WATCHED, supply="ups-a"))

    mine = row(told, 6)

    assert figures(mine.account)[:3] == (0, 0, 60)
    assert figures(mine.power.account)[:3] == (40, 20, 0), "whoever watches the device"


def test_a_supply_that_is_taken_out_leaves_unknown_time() -> None:
    told = story("PPPP")
    told.populate(at(4), device("web", supply="ups-a"), sources=[A, B], elements=HOUSE["elements"])

    assert figures(row(told, 6).power.account)[:3] == (40, 0, 20)


def test_seconds_that_the_clock_passed_over_are_nobodys() -> None:
    told = story("PPP")
    told.step(at(2.5), at(12.5))
    say(told, "PPP", "PPP", first=13)

    assert figures(row(told, 16).power.account)[:3] == (60, 0, 100)


def test_a_silence_over_the_end_of_a_month_is_divided() -> None:
    told = story("PDDPPP")
    history = told.history(at(6))
    parts = []
    for which in (Month(2026, 9), Month(2026, 10)):
        zone = ZoneInfo("UTC")
        parts.append(month(history, which, zone, site="s", as_of_seq=0, as_of=None).rows)

    assert [len(rows) for rows in parts] == [0, 1]
    assert parts[1][0].power.account.down_s == 20


def test_the_report_shows_the_supplies_of_its_devices_and_sums_of_each_customer() -> None:
    rack = [device("a", "acme", supply="ups-a"), device("b", "beta", supply="ups-b"), device("c", "beta")]
    told = story("PDDPPP", "PPPPDP", *rack)

    whole, only = report(told, 6), report(told, 6, customer="acme")

    assert [one.supply for one in whole.supplies] == ["ups-a", "ups-b"]
    assert [(one.supply, one.measured_at) for one in only.supplies] == [("ups-a", "source")]
    assert figures(only.supplies[0].account)[:3] == (40, 20, 0)
    assert [line.down_s for line in only.supplies[0].silences] == [20]
    assert [one.reference for one in only.supplies[0].emergencies] == ["E-000001"]
    sums = [(total.customer, total.power.down_s, total.power_measured_s) for total in whole.totals]
    assert sums == [("acme", 20, 60), ("beta", 10, 60)]
    assert [total.power.unknown_s for total in whole.totals] == [0, 60]


def test_a_supply_of_a_long_name() -> None:
    """An outlet has a space and a stroke in its name."""
    house = {
        **HOUSE,
        "elements": [*HOUSE["elements"], Element(id="strip", kind=Of.PDU, input="ups-a", witness="b")],
        "supplies": [Supply(id="strip/outlet 7", measured_at="outlet")],
    }
    told = Teller()
    told.populate(at(0), device("web", supply="strip/outlet 7"), **house)
    out = PowerReading(points=(Point(name="outlet 7", output=Output.UNPOWERED),))
    on = PowerReading(points=(Point(name="outlet 7", output=Output.POWERED),))
    for number, said in enumerate((on, out, out, on)):
        told.say("a", at(number), POWERED)
        told.say("b", at(number) + timedelta(milliseconds=1), said)

    found = report(told, 4)

    assert figures(found.rows[0].power.account)[:3] == (20, 20, 0)
    assert [one.reference for one in found.rows[0].power.emergencies] == ["E-000001"]
    assert [(one.supply, one.measured_at) for one in found.supplies] == [("strip/outlet 7", "outlet")]


CHANGES = """
PPDD|DDPP  40 40  0  30 50   the supply has another name from the middle on: one interruption, without a gap
PPDD|PPPP  60 20  0  10 30   the new one has power: over with its first reading
PPDD|??PP  40 20 20  10 50   nobody hears the new one: unknown
PPPP|DDPP  60 20  0  10 30   it had power: proven, so that its loss is one
PPP?|DDPP  50 20 10  10 40   nobody knew: its last word stays the last
????|DDPP  20  0 60   0 60   never seen with power
"""


@pytest.mark.parametrize("line", CHANGES.strip().splitlines(), ids=lambda line: line[29:])
def test_a_supply_that_has_another_name_from_the_middle_on(line: str) -> None:
    """Half a second before the fifth round nothing is said of `ups-a` any more, and all of `panel-a`."""
    said, *numbers = line[:29].split()
    told = renamed(said)

    account = row(told, 8).power.account

    assert figures(account) == tuple(int(number) for number in numbers)
    assert account.period_s == 80


def renamed(said: str) -> Teller:
    first, then = said.split("|")
    told = story(first)
    elements = [*HOUSE["elements"], Element(id="panel-a", kind=Of.PANEL, input="ups-a")]
    house = {**HOUSE, "elements": elements, "supplies": [Supply(id="panel-a"), Supply(id="ups-b")]}
    told.populate(at(len(first)) - timedelta(milliseconds=500), device("web", supply="panel-a"), **house)
    say(told, then, "P" * len(then), first=len(first))
    return told


def test_an_interruption_is_as_long_as_it_was_whatever_its_supply_is_called() -> None:
    """Longer than 30 s only as a whole, and confirmed only by what came after it had another name."""
    told = renamed("PPPD|DDPP")
    rules = [
        Downtime(),
        Downtime(longer_than_s=25),
        Downtime(longer_than_s=30),
        Downtime(confirmed_only=True),
    ]

    found = [
        next(one for one in report(told, 8, rule=rule).rows if one.device == "web").power for rule in rules
    ]

    assert [one.account.down_s for one in found] == [30, 30, 0, 30]
    assert found[0].supplies == ("panel-a", "ups-a")


def test_one_that_came_back_before_is_another() -> None:
    """Both lines fall in one round; the device leaves the one that is back for the one that is not."""
    told = story("PDDPPP", "PDDDDD", device("web", supply="ups-a"), device("db", supply="ups-b"))
    told.populate(at(5.5), device("web", supply="ups-b"), device("db", supply="ups-b"), **HOUSE)
    say(told, "PP", "DP", first=6)

    assert figures(row(told, 8).power.account)[:3] == (45, 35, 0)

"""Why nobody could say of power, and how it was seen last: from words of sources to the month.

```
 round   0   1   2   3   4   5      ten seconds each
 a       P   B   ?   ?   ?   P      P power, B on battery (12 min), D dead, L low, O off, W waits, ? not heard
                 └── unknown ──┘    possibly interrupted: seen last on battery
```
"""

from __future__ import annotations

import csv
import io
import json
from typing import Any

import pytest

from hostwatch import reports
from hostwatch.core import upswords
from hostwatch.core.power import PowerReading
from hostwatch.core.source import Source
from hostwatch.core.supply import Supply
from hostwatch.sla.month import Power
from hostwatch.sla.records import Because
from tests.sla.teller import Teller, device
from tests.sla.test_power import BOTH, HOUSE, A, B, at, report, row

EACH = "all(ups-a,ups-b)"
WORDS = {
    "P": "OL",
    "B": "OB DISCHRG",
    "L": "OL LB",
    "D": "OB OFF",
    "O": "OL OFF",
    "W": "WAIT",
    "C": "OL OB OFF",
}


def said(letter: str) -> PowerReading | None:
    if letter == "?":
        return None
    status = {"ups.status": WORDS[letter]}
    return upswords.reading(status if letter == "W" else status | {"battery.runtime": "720"})


def story(a: str, b: str = "", supply: str = "ups-a") -> Teller:
    told = Teller()
    supplies = [*HOUSE["supplies"], Supply(id=EACH)]
    told.populate(at(0), device("web", supply=supply), **{**HOUSE, "supplies": supplies})
    for number, letters in enumerate(zip(a, b or "P" * len(a), strict=True)):
        if letters[0] != " ":  # nobody looks: the watch is stopped
            told.say("a", at(number), said(letters[0]))
            told.say("b", at(number + 0.0001), said(letters[1]))
    return told


def power(told: Teller, rounds: int) -> Power:
    return row(told, rounds).power


PICTURES = """
story        unknown  possibly  least  most  why
PPPPPP            0         0      0     0
PBBBBP            0         0      0     0
PP???P           30         0      0    30  with power: source silent
PB???P           30        30      0    30  on battery: source silent
PL???P           30        30      0    30  with a low battery: source silent
PO???P           30        30      0    30  with its output off: source silent
PD???P           30        30      0    50  without power: source silent
PDD??P           20        20     10    50  without power: source silent
PB????           40        40      0    40  on battery: source silent
PB    P          40        40      0    40  on battery: not looked
PP    P          40         0      0    40  with power: not looked
??????           60         0      0    60  not known: not proven
"""


@pytest.mark.parametrize("line", PICTURES.strip().splitlines()[1:])
def test_a_picture(line: str) -> None:
    rounds, rest = line[:9].rstrip(), line[9:].split(maxsplit=4)
    unknown, possibly, least, most = map(int, rest[:4])
    told = story(rounds)

    mine = power(told, len(rounds))

    sums = mine.account
    assert (sums.unknown_s, mine.possibly_s) == (unknown, possibly)
    assert (sums.down_s_least, sums.down_s_most) == (least, most)
    assert [f"{one.doubt.seen.last.words}: {one.doubt.because}" for one in mine.doubts] == rest[4:]
    assert sum(one.unknown_s for one in mine.doubts) == unknown


def test_of_two_feeds_both_must_have_been_in_trouble() -> None:
    assert power(story("PB??P", "PB??P", BOTH), 5).possibly_s == 20
    assert power(story("PB??P", "PP??P", BOTH), 5).possibly_s == 0
    assert power(story("PB??P", "PPPPP", BOTH), 5).account.unknown_s == 0


def test_what_is_said_meanwhile_cuts_the_doubt() -> None:
    """Each of both is needed. One is lost on its battery; the other is seen off once, then lost too."""
    found = power(story("PB???????P", "PPBBO????P", EACH), 10)

    told = [(one.doubt.seen.last.words, one.unknown_s) for one in found.doubts]
    assert told == [("on battery", 20), ("with its output off", 50)]
    assert (found.account.unknown_s, found.possibly_s) == (70, 70)


def test_who_waits_for_its_ups_takes_nothing_back() -> None:
    found = power(story("PBWW?P", "PBBBBP"), 6)

    told = [(one.doubt.seen.last.words, one.doubt.because, one.unknown_s) for one in found.doubts]
    assert told == [("on battery", Because.UNDECIDED, 30)]


def test_a_contradiction_is_told_as_one() -> None:
    house = {**HOUSE, "sources": [A, B, Source(id="c", kind="power/nut")]}
    first, *rest = house["elements"]
    house["elements"] = [first, *(_witnessed(one) for one in rest)]
    told = Teller()
    told.populate(at(0), device("web", supply="ups-a"), **house)
    for number, (a, c) in enumerate([("P", "P"), ("D", "P"), ("P", "P")]):
        for place, (source, letter) in enumerate([("a", a), ("b", "P"), ("c", c)]):
            told.say(source, at(number + place * 0.0001), said(letter))

    (line,) = power(told, 3).doubts

    assert (line.doubt.because, line.doubt.silent) == (Because.CONTRADICTION, ())
    assert line.doubt.why.startswith("ups-a: some say")
    assert line.doubt.seen.is_possible, "one of the two may be right"


def _witnessed(one: Any) -> Any:
    return type(one)(
        id=one.id,
        kind=one.kind,
        input=one.input,
        witness=f"{one.witness},c" if one.id == "ups-a" else one.witness,
    )


def test_all_formats_tell_it() -> None:
    told = story("PB???P")
    found = report(told, 6)
    (mine,) = json.loads(reports.render("json", found))["devices"]
    (supply,) = json.loads(reports.render("json", found))["supplies"]
    (total,) = json.loads(reports.render("json", found))["totals"]
    (doubt,) = supply["doubts"]

    assert (mine["power"]["possibly_s"], supply["possibly_s"], total["power"]["possibly_s"]) == (30, 30, 30)
    assert mine["power"]["doubts"] == [
        {"supply": "ups-a", "since": doubt["since"], "unknown_s": 30, "possibly_interrupted": True}
    ]
    assert (doubt["because"], doubt["silent_sources"], doubt["last_seen"]) == (
        "source silent",
        ["a"],
        "on battery",
    )
    assert (doubt["last_seen_by"], doubt["runtime_s"], doubt["lasts"]) == ("a", 720, False)
    assert mine["power"]["availability_percent"] == mine["power"]["availability_upper_percent"] == "100.0000"
    assert mine["power"]["availability_lower_percent"] == "50.0000"
    (line,) = csv.DictReader(io.StringIO(reports.render("csv", found).decode()))
    assert (line["power_unknown_s"], line["power_possibly_s"]) == ("30", "30")
    text = reports.render("text", found).decode()
    assert "web: of 30 unknown seconds, 30 possibly interrupted" in text
    assert "Not known of supply ups-a: 30 s, of which 30 possibly interrupted" in text


def test_what_lasts_is_told_so_far() -> None:
    (line,) = power(story("PB??"), 4).doubts
    assert (line.doubt.is_open, line.unknown_s) == (True, 20)


def test_a_device_has_part_in_the_doubts_only_while_it_hung_there() -> None:
    told = story("PB??")
    told.populate(at(4), device("web", supply="ups-b"), **HOUSE)
    for number in range(4, 8):
        told.say("a", at(number), None)
        told.say("b", at(number + 0.0001), said("P"))

    mine = power(told, 8)

    assert (mine.account.unknown_s, mine.possibly_s) == (20, 20)


def test_the_wiring_is_the_one_of_that_time() -> None:
    """The UPS was seen by another source then, and that one is gone now."""
    told = story("PB??P")
    later = [
        one if one.id != "ups-a" else type(one)(id="ups-a", kind=one.kind, input="grid-1", witness="b")
        for one in HOUSE["elements"]
    ]
    told.populate(at(5), device("web", supply="ups-a"), **{**HOUSE, "sources": [B], "elements": later})
    told.say("b", at(5), said("P"))

    (line,) = [one for one in power(told, 6).doubts if one.doubt.since < at(4)]

    assert (line.doubt.silent, line.doubt.seen.source) == (("a",), "a")


def test_what_a_supply_does_later_is_nothing_to_a_device_that_left_it() -> None:
    """Both are lost: the one that it left on battery, the one that it hangs on now with power."""
    told = story("PB??", "PP??")
    told.populate(at(4), device("web", supply="ups-b"), **HOUSE)
    for number in range(4, 8):
        told.say("a", at(number), None)
        told.say("b", at(number + 0.0001), None)

    mine = power(told, 8)

    assert (mine.account.unknown_s, mine.possibly_s) == (60, 20)
    assert [(one.supply, one.unknown_s) for one in mine.doubts] == [("ups-a", 20), ("ups-b", 40)]

"""From what sources say to the supplies that they see: rounds of readings, verdicts, and what is unknown.

```
              a   b                      a      the UPS on the primary feed
 grid-1 ──▶ ups-a ups-b ◀── grid-2       b      the one on the redundant feed
              └──┬──┘
           any(ups-a,ups-b)              supply of the devices in the rack
```
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from hostwatch.core import facts, instant
from hostwatch.core.element import Element
from hostwatch.core.element import Kind as Of
from hostwatch.core.power import Concern, Output, Point, PowerReading, Ups, Utility
from hostwatch.core.reading import Kind
from hostwatch.core.source import Source
from hostwatch.core.supply import Supply
from tests.sla.teller import Teller

START = datetime(2026, 10, 1, tzinfo=UTC)
SECOND = timedelta(seconds=1)
A, B = Source(id="a", kind="power/nut"), Source(id="b", kind="power/nut")
BOTH = "any(ups-a,ups-b)"
HOUSE: dict[str, Any] = {
    "sources": [A, B],
    "elements": [
        Element(id="grid-1", kind=Of.UTILITY),
        Element(id="ups-a", kind=Of.UPS, input="grid-1", witness="a"),
        Element(id="ups-b", kind=Of.UPS, input="grid-1", witness="b"),
        Element(id="r1-a", kind=Of.FEED, input="ups-a", rack="r1"),
        Element(id="strip", kind=Of.PDU, input="r1-a", witness="b"),
    ],
    "supplies": [Supply(id=BOTH), Supply(id="strip/outlet 7", measured_at="outlet"), Supply(id="nobody")],
}
WORDS = {
    "L": (Utility.PRESENT, Ups.ABLE, Output.POWERED),
    "B": (Utility.ABSENT, Ups.ABLE, Output.POWERED),
    "D": (Utility.ABSENT, Ups.DEAD, Output.UNPOWERED),
    "O": (Utility.PRESENT, Ups.DEAD, Output.UNPOWERED),
    "-": (Utility.UNKNOWN, Ups.UNKNOWN, Output.UNKNOWN),
}
"""On line, on battery, dead with the utility, off though the utility is there, nothing known."""


def reading(letter: str, **figures: int) -> PowerReading | None:
    """What a source says; None for `x`, which does not answer."""
    if letter == "x":
        return None
    utility, ups, output = WORDS[letter]
    points = (Point(utility=utility, ups=ups, output=output, said=letter), Point(name="outlet 7"))
    concerns = (Concern.ON_BATTERY,) if letter == "B" else ()
    return PowerReading(points=points, concerns=concerns, **figures)


def at(number: float) -> datetime:
    """The instant of a round: all sources are due together, every ten seconds."""
    target, start_us = A.target("main"), instant.micros(START)
    first = start_us + (target.phase_us - start_us) % target.interval_us
    return instant.from_micros(first) + 10 * number * SECOND


def watched(rounds: str) -> Teller:
    """A rack, and what its two UPSes say round by round: `LB` is a on line and b on battery."""
    told = Teller()
    told.populate(START, **HOUSE)
    for number, letters in enumerate(rounds.split()):
        for place, (source, letter) in enumerate(zip("ab", letters, strict=True)):
            told.say(source, at(number) + place * timedelta(milliseconds=1), reading(letter))
    return told


def states(rounds: str) -> Iterator[str]:
    """The supply after each round: `.` not proven, `u` up, `s` silent, `d` down; with `?`: unknown now."""
    listed = rounds.split()
    for count in range(1, len(listed) + 1):
        yield state(watched(" ".join(listed[:count])))


def state(told: Teller, supply: str = BOTH) -> str:
    signal = told.world.signals[f"supply:{supply}/power@main"]
    if signal.last_answer is None:
        return "."
    known = "u" if signal.silence is None else "s" if signal.verdict is None else "d"
    return known + "?" if signal.blind_since is not None else known


STORIES = """
LL BL BB LB LL  | u u u u u   | on battery is no interruption
LL DL DD DD DD  | u u s d d   | both dead: a silence, and a verdict ten seconds later
LL DD DB DD DD  | u s u s d   | one of them alive is enough, and the count begins anew
LL DD DD DL LL  | u s d u u   | the first reading that finds power is the recovery
LL OL OO OO LL  | u u u u u   | off while the utility is there: no interruption by the agreement's words
LL BL xL xx xx  | u u u u? u? | nobody is heard: unknown, and no silence
LL BB Dx Dx LL  | u u u? u? u | lost on battery: possibly, and no verdict however long
LL DD Dx DD DD  | u s s? d d  | unknown neither counts nor resets
LL D- D- DL     | u u? u? u   | words that say nothing are as good as none
xx DD DD LL     | . . . u     | who was never seen with power is not proven
"""


@pytest.mark.parametrize("line", STORIES.strip().splitlines())
def test_a_story_of_two_ups(line: str) -> None:
    rounds, found, _ = line.split("|")

    assert list(states(rounds)) == found.split()


def test_a_round_is_judged_once_all_have_been_asked() -> None:
    told = watched("LL LL")
    told.say("a", at(2), reading("D"))
    assert told.world.signals[f"supply:{BOTH}/power@main"].last_reading == at(1) + timedelta(milliseconds=1)
    told.say("b", at(2) + SECOND, reading("D"))
    silent = told.world.signals[f"supply:{BOTH}/power@main"].silence
    assert silent is not None
    assert (silent.first_miss, silent.why) == (at(2) + SECOND, "interrupted at ups-a, ups-b")


def test_who_speaks_between_rounds_finds_the_edges_and_never_counts() -> None:
    told = watched("LL LL")
    told.say("a", at(1.2), reading("D"), Kind.FOLLOW_UP)
    assert state(told) == "u"
    for number in (1.3, 1.4, 1.5):
        told.say("b", at(number), reading("D"), Kind.FOLLOW_UP)
    signal = told.world.signals[f"supply:{BOTH}/power@main"]
    assert signal.silence is not None
    assert (signal.silence.first_miss, signal.misses) == (at(1.3), 0)
    told.say("b", at(1.6), reading("L"), Kind.FOLLOW_UP)
    assert state(told) == "u"
    ended = [f for f in told.record if isinstance(f, facts.SilenceEnded) and BOTH in f.signal]
    assert [(one.first_miss, one.at) for one in ended] == [(at(1.3), at(1.6))]


def test_who_was_last_heard_too_long_ago_is_not_heard_beside_one_who_speaks() -> None:
    told = watched("LL LD")
    told.say("a", at(1.9), reading("D"), Kind.FOLLOW_UP)
    assert state(told) == "s", "b was dead a moment ago"
    told = watched("LL LD")
    told.say("a", at(3), reading("D"), Kind.FOLLOW_UP)
    assert state(told) == "u", "b was dead twenty seconds ago"


def test_who_was_asked_between_rounds_and_did_not_answer_has_said_nothing() -> None:
    """A trap comes from a UPS that then answers no more: what it said a round ago is no second reading."""
    told = watched("LL LL DD")
    told.say("a", at(3) + SECOND, None, Kind.FOLLOW_UP)
    told.say("b", at(3) + 2 * SECOND, reading("D"))
    assert state(told) == "s?"
    told.say("a", at(3), None)
    assert state(told) == "s?"
    told = watched("LL LL DD")
    told.say("a", at(2.5), None, Kind.FOLLOW_UP)
    silent = told.world.signals[f"supply:{BOTH}/power@main"].silence
    assert silent is not None
    assert silent.last_miss < at(2.5), "who is silent proves no longer interruption"


def test_what_was_said_before_the_clock_was_set_back_was_not_said_later_than_now() -> None:
    told = watched("LL LL")
    told.step(at(1.5), at(-600))
    assert {one.since for one in told.world.heard.values()} == {at(-600)}
    told.step(at(-600), at(-300))
    assert {one.since for one in told.world.heard.values()} == {at(-600)}, "set forward: it was said before"


def test_a_round_after_somebody_spoke_counts_still() -> None:
    """The push is later than the look that was under way, whose words are older then."""
    told = watched("LL LL")
    for number in (2, 3):
        told.say("a", at(number), reading("D"))
        told.say("b", at(number) + 2 * SECOND, reading("D"), Kind.FOLLOW_UP)
        told.say("b", at(number) + SECOND, reading("L"))
    assert state(told) == "d"


def test_a_fact_is_made_only_of_what_matters() -> None:
    told = Teller()
    told.populate(START, **HOUSE)
    said = [("L", 900), ("L", 880), ("B", 880), ("B", 700), ("L", 700)]
    for number, (letter, runtime_s) in enumerate(said):
        told.say("a", at(number), reading(letter, runtime_s=runtime_s))
    seen = [fact for fact in told.record if isinstance(fact, facts.PowerSeen)]

    assert [(one.at, one.heard_before) for one in seen] == [(at(0), None), (at(2), at(1)), (at(4), at(3))]
    assert told.world.heard["a"].since == at(4)
    last = reading("L", runtime_s=700)
    assert last is not None
    assert told.world.heard["a"].said == last.text


FAILURES = """
was            now            passed  times
L 3            L 3            10      0
L 3            L 4            10      1
L 3            L 6            10      3
L 3            B 4            10      0
L 3            B 5            10      1
B 4            B 4            10      0
B 4            L 4            10      0
B 4            L 5            10      1
L -            L 4            10      0
L 4            L 0            10      0
B - 50         B - 60         10      0
B - 50         B - 3          10      1
B - 50         B - 12         10      0
B - 2          B - 1          10      1
"""
"""The letter, the count of failures, and for how many seconds the utility has been absent."""


@pytest.mark.parametrize("line", FAILURES.strip().splitlines()[1:])
def test_failures_between_two_readings_are_a_fact_with_bounds(line: str) -> None:
    *said, _, times = (part.strip() for part in line.replace("  ", "\t").split("\t") if part.strip())
    told = Teller()
    told.populate(START, **HOUSE)
    for number, text in enumerate(said):
        letter, count, *absent_s = text.split()
        figures = {} if count == "-" else {"failures": int(count)}
        figures |= {"absent_for_s": int(absent_s[0])} if absent_s else {}
        told.say("a", at(number), reading(letter, **figures))

    found = [fact for fact in told.record if isinstance(fact, facts.PowerFailedBriefly)]
    assert [(one.times, one.heard_before, one.at) for one in found] == (
        [(int(times), at(0), at(1))] if times != "0" else []
    )


def test_an_outlet_without_a_word_of_its_own_is_what_its_feed_comes_to() -> None:
    assert state(watched("LL LL"), "strip/outlet 7") == "u"
    assert state(watched("LL Dx Dx"), "strip/outlet 7") in ("u?", "d")


def test_a_supply_that_nobody_sees_is_never_read() -> None:
    assert state(watched("LL DD DD"), "nobody") == "."


def test_sources_are_due_together() -> None:
    told = watched("LL")
    due = [
        one
        for number in range(6)
        for one in told.world.schedule.due(told.world.schedule.slice_at(START) + number)
    ]
    assert {one.target.signal for one in due} == {"source:a/read@main", "source:b/read@main"}
    assert {one.target.method for one in due} == {"source"}
    assert len({one.at_us for one in due}) == len(due) / 2


def test_a_source_that_is_asked_no_more_is_forgotten() -> None:
    told = watched("LL")
    assert set(told.world.heard) == {"a", "b"}
    told.populate(at(2), **{**HOUSE, "sources": [A, Source(id="b", kind="power/snmp_ups")]})
    assert set(told.world.heard) == {"a"}
    told.populate(at(3))
    assert told.world.heard == {}
    assert not len(told.world.signals)

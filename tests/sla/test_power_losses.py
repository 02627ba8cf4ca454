"""No input of any kind makes an interruption out of missing data: from lists of readings to the month.

Whatever two UPSes say, round by round, words are lost at any place and in any manner: the source does not
answer, we cannot look, it says nothing or nonsense, or nobody asks at all. All goes through the whole core
(`hearing.conclude`, the signal, the record, the account), and is held against a few lines here that know of
nothing else:

```
 a          P  B  D  D  D  P        b well throughout; supply: ups-a
 lost                ✗
 heard      P  B  D  ?  D  P
 allowed to be down  ██    ██       ten seconds from each reading that says so, and nothing else
 verdict                   ▲        the second reading that says so, with none between that says otherwise
```
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import timedelta
from typing import Any, Final

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hostwatch.core import facts
from hostwatch.core.element import Element
from hostwatch.core.element import Kind as Of
from hostwatch.core.instant import second
from hostwatch.core.reading import Kind, Outcome
from hostwatch.core.supply import Supply
from hostwatch.core.timeline import Span, Timeline
from hostwatch.sla import power
from hostwatch.sla.account import EVERY_SILENCE
from tests.sla.teller import Teller, device
from tests.sla.test_power import BATTERY, BOTH, DEAD, POWERED, A, B, at, report

WORDS: Final = {"P": POWERED, "B": BATTERY, "D": DEAD}
LOSSES: Final = ("no answer", "blind", "mute", "nonsense", "not asked")
EACH: Final = "all(ups-a,ups-b)"
SUPPLIES: Final = ("ups-a", BOTH, EACH)
HOUSE: Final[dict[str, Any]] = {
    "sources": [A, B],
    "elements": [
        Element(id="grid-1", kind=Of.UTILITY),
        Element(id="grid-2", kind=Of.UTILITY),
        Element(id="ups-a", kind=Of.UPS, input="grid-1", witness="a"),
        Element(id="ups-b", kind=Of.UPS, input="grid-2", witness="b"),
    ],
    "supplies": [Supply(id=name) for name in SUPPLIES],
}
MUTE: Final = '{"points":[["","unknown","unknown","unknown","WAIT"]]}'

Round = tuple[str, str]
"""What both sources say: a word, or how it is lost."""

SAYINGS = st.one_of(st.sampled_from(sorted(WORDS)), st.sampled_from(sorted(WORDS)), st.sampled_from(LOSSES))
ROUNDS = st.lists(st.tuples(SAYINGS, SAYINGS), min_size=1, max_size=14)


def told(rounds: Sequence[Round], betweens: frozenset[int] = frozenset()) -> Teller:
    """All of it said to the real core. `betweens`: rounds after which somebody asks in vain once more."""
    told = Teller()
    told.populate(
        at(0), *(device(f"on-{number}", supply=name) for number, name in enumerate(SUPPLIES)), **HOUSE
    )
    for number, sayings in enumerate(rounds):
        for place, (source, saying) in enumerate(zip("ab", sayings, strict=True)):
            _say(told, source, number + place * 0.0001, saying, Kind.SCHEDULED)
        if number in betweens:
            _say(told, "a", number + 0.5, "no answer", Kind.FOLLOW_UP)
    return told


def _say(told: Teller, source: str, number: float, saying: str, kind: Kind) -> None:
    name = told.world.population.sources[source].signal("main")
    match saying:
        case "not asked":
            pass
        case "no answer":
            told._bring(name, at(number), Outcome.MISSED, kind)
        case "blind":
            told._bring(name, at(number), Outcome.UNKNOWN, kind)
        case "mute":
            told._bring(name, at(number), Outcome.ANSWERED, kind, MUTE)
        case "nonsense":
            told._bring(name, at(number), Outcome.ANSWERED, kind, "{")
        case word:
            told._bring(name, at(number), Outcome.ANSWERED, kind, WORDS[word].text)


def interrupted(supply: str, a: str, b: str) -> bool | None:
    """What was heard in one round, by itself."""
    if "not asked" in (a, b):
        return None  # a round in which somebody is not asked is not read
    dead = {one: None if one in LOSSES else one == "D" for one in (a, b)}
    if supply == "ups-a":
        return dead[a]
    needed = all if supply == BOTH else any
    sure = needed(dead[one] is True for one in (a, b))
    perhaps = needed(dead[one] is not False for one in (a, b))
    return sure if sure == perhaps else None


def verdicts(values: Sequence[bool | None]) -> Iterator[int]:
    """The rounds that find it down, by two readings without one between that says otherwise."""
    is_proven, misses = False, 0
    for number, value in enumerate(values):
        if value is False:
            is_proven, misses = True, 0
        elif value is True and is_proven:
            misses += 1
            if misses == 2:
                yield number


@given(ROUNDS, st.frozensets(st.integers(0, 13), max_size=3))
@settings(deadline=None, max_examples=150)
def test_only_what_was_heard_is_down(rounds: list[Round], betweens: frozenset[int]) -> None:
    found = told(rounds, betweens)
    whole = report(found, len(rounds))
    for row, supply in zip(whole.rows, SUPPLIES, strict=True):
        values = [interrupted(supply, a, b) for a, b in rounds]
        spoken = timedelta(seconds=10.5)
        heard = Timeline.of(
            Span(second(at(number)), second(at(number) + spoken))
            for number, value in enumerate(values)
            if value is True
        )
        (mine,) = [one for one in found.history(at(len(rounds))).devices if one.device == row.device]
        books = power.books(Span(second(at(0)), second(at(len(rounds)))), mine, EVERY_SILENCE)
        assert not books.down - heard, "a second that nobody heard of"
        assert not books.least - heard
        assert not books.unknown - books.most, "what is unknown is at most down"
        assert row.power.possibly_s <= row.power.account.unknown_s

        signal = f"supply:{supply}/power@main"
        down = [fact for fact in found.record if isinstance(fact, facts.WentDown) and fact.signal == signal]
        assert [second(one.at) for one in down] == [second(at(number)) for number in verdicts(values)]
        if True not in values:
            assert not row.power.silences
            assert row.power.account.down_s == 0


@given(ROUNDS, st.data())
@settings(deadline=None, max_examples=100)
def test_a_loss_more_makes_no_second_down_that_was_not(rounds: list[Round], data: st.DataObject) -> None:
    lost = list(rounds)
    places = st.tuples(st.integers(0, len(rounds) - 1), st.integers(0, 1), st.sampled_from(LOSSES))
    for number, side, how in data.draw(st.lists(places, min_size=1, max_size=6), label="lost"):
        sayings = [*lost[number]]
        sayings[side] = how
        lost[number] = (sayings[0], sayings[1])
    before, after = told(rounds), told(lost)
    period = Span(second(at(0)), second(at(len(rounds))))
    for full, less in zip(
        before.history(at(len(rounds))).devices, after.history(at(len(rounds))).devices, strict=True
    ):
        was, now = power.books(period, full, EVERY_SILENCE), power.books(period, less, EVERY_SILENCE)
        assert not now.down - was.down - was.unknown, "it was up"
        assert not now.least - was.down - was.unknown


@pytest.mark.parametrize("how", LOSSES)
@pytest.mark.parametrize("word", ["P", "B"])
def test_lost_for_ever_is_never_down(how: str, word: str) -> None:
    found = report(told([(word, word), *[(how, how)] * 30]), 31)

    for row in found.rows:
        sums = row.power.account
        assert (sums.down_s, sums.down_s_least, sums.unknown_s) == (0, 0, sums.period_s - sums.up_s)
        assert row.power.possibly_s == (sums.unknown_s if word == "B" else 0)
        assert row.power.emergencies == ()


def test_what_is_held_against_it_can_be_red() -> None:
    """Two readings that say so are a verdict: the lines above allow it, and demand it."""
    values = [interrupted("ups-a", a, b) for a, b in [("P", "P"), ("D", "P"), ("no answer", "P"), ("D", "P")]]

    assert values == [False, True, None, True]
    assert [*verdicts(values)] == [3]

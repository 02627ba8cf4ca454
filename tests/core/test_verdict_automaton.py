"""V1: the verdict against an independent automaton, on every string of readings up to a length.

The reference is a regular expression over the whole string: strike out what is UNKNOWN, then each
run of two or more misses after an answer is one emergency, and an answer behind it one recovery.
The code under test goes reading by reading and cannot look ahead.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import datetime, timedelta

import pytest

from hostwatch.core import facts, signal
from hostwatch.core.reading import Outcome, Reading
from hostwatch.core.signal import Signal
from tests.core.pictures import BEGINNING, TERMS

OUTCOMES = {"A": Outcome.ANSWERED, "M": Outcome.MISSED, "?": Outcome.UNKNOWN}
RUN = re.compile(r"(?<=A)(?P<run>MM+)(?P<recovery>A?)")
Flips = tuple[tuple[str, int], ...]


def reference(text: str) -> Flips:
    """Each flip and the place in the string at which it is certain."""
    kept = [place for place, letter in enumerate(text) if letter != "?"]
    spoken = "".join(text[place] for place in kept)
    flips = []
    for found in RUN.finditer(spoken):
        flips.append(("down", kept[found.start("run") + 1]))
        if found["recovery"]:
            flips.append(("up", kept[found.start("recovery")]))
    return tuple(flips)


def at(place: int) -> datetime:
    return BEGINNING + place * TERMS.interval


def flips(happened: tuple[facts.Fact, ...], place: int) -> Iterator[tuple[str, int]]:
    for fact in happened:
        match fact:
            case facts.WentDown():
                assert fact.at == at(place) + timedelta(seconds=2), "a verdict is dated when it is known"
                yield "down", place
            case facts.CameUp():
                yield "up", place


def walk(known: Signal, text: str, found: Flips, depth: int) -> Iterator[tuple[str, Flips]]:
    """Every string up to the depth, each observed once as a continuation of its beginning."""
    yield text, found
    if len(text) == depth:
        return
    for letter, outcome in OUTCOMES.items():
        reading = Reading(
            signal="s", at=at(len(text)), known_at=at(len(text)) + timedelta(seconds=2), outcome=outcome
        )
        after, happened = signal.observe(known, reading, TERMS)
        yield from walk(after, text + letter, (*found, *flips(happened, len(text))), depth)


def compare(depth: int) -> None:
    strings = 0
    for text, found in walk(signal.begin("s", BEGINNING), "", (), depth):
        strings += 1
        assert found == reference(text), text
    assert strings == (3 ** (depth + 1) - 1) // 2, "every string must be seen"


def test_the_reference_itself() -> None:
    assert reference("A?M?M?A") == (("down", 4), ("up", 6))
    assert reference("MMMAMAMM") == (("down", 7),)
    assert reference("?MM") == ()


def test_every_string_up_to_ten() -> None:
    compare(10)


@pytest.mark.long
@pytest.mark.timeout(1800)
def test_every_string_up_to_thirteen() -> None:
    compare(13)

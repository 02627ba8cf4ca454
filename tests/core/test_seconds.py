"""T2: the seconds of every short picture against a second accountant that knows only the slots.

It never looks at facts: each slot of five minutes is classed from what its letter says and from what
came before, as `docs/judgement.md` puts it. Up, down and unknown must be the same to the second.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

import pytest

from hostwatch.core import facts, signal
from hostwatch.core.reading import Outcome, Reading
from hostwatch.core.signal import Signal
from tests.core.pictures import BEGINNING, INTERVAL, TERMS, account

OUTCOMES = {"A": Outcome.ANSWERED, "M": Outcome.MISSED, "?": Outcome.UNKNOWN, ".": None}
TOLERANCE = 15
Happened = tuple[facts.Fact, ...]


def classes(text: str) -> tuple[int, int, int]:
    """Unknown, down and up seconds, slot by slot."""
    unknown = down = up = 0
    proven = silent = False
    before = "?"
    for letter in text:
        proven |= letter == "A"
        silent = proven and (letter == "M" or (silent and letter != "A"))
        spoken = 0 if not proven else {"?": 0, ".": TOLERANCE if before in "AM" else 0}.get(letter, INTERVAL)
        unknown += INTERVAL - spoken
        down += spoken if silent else 0
        up += 0 if silent else spoken
        before = letter
    return unknown, down, up


def walk(known: Signal, text: str, happened: Happened, depth: int) -> Iterator[tuple[str, Signal, Happened]]:
    yield text, known, happened
    if len(text) == depth:
        return
    at = BEGINNING + len(text) * TERMS.interval
    for letter, outcome in OUTCOMES.items():
        after: Signal = known
        found: Happened = ()
        if outcome is not None:
            reading = Reading(signal="s", at=at, known_at=at + timedelta(seconds=2), outcome=outcome)
            after, found = signal.observe(known, reading, TERMS)
        yield from walk(after, text + letter, (*happened, *found), depth)


def compare(depth: int) -> None:
    for text, known, happened in walk(signal.begin("s", BEGINNING), "", (), depth):
        end = len(text) * INTERVAL
        closed = (*happened, *signal.withdraw(known, BEGINNING + timedelta(seconds=end)))
        found = account([*closed], end)
        assert (int(found.unknown), int(found.down.split(" / ")[1]), int(found.up)) == classes(text), text


def test_every_picture_up_to_five_slots() -> None:
    compare(5)


@pytest.mark.long
@pytest.mark.timeout(1800)
def test_every_picture_up_to_eight_slots() -> None:
    compare(8)

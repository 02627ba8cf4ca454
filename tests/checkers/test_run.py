"""What an order's answer looks like on its way: a finding is bounded, and says what it lacks."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as some

from hostwatch.checkers.protocol import FINDING_CHARS_MAX
from hostwatch.checkers.run import text_of
from hostwatch.checks._finding import SAID_CHARS_MAX, TRANSCRIPT_LINES_MAX
from hostwatch.checks.base import Finding, Said, of_data
from hostwatch.core.reading import Outcome

LINE = "\\" * SAID_CHARS_MAX
"""As JSON it is twice as long."""


def sent(*texts: str, why: str = "") -> Finding:
    """What the watch gets of a finding with this transcript."""
    said = tuple(Said(number, "<", text) for number, text in enumerate(texts))
    text = text_of(Finding(kind="tcp", outcome=Outcome.MISSED, why=why, transcript=said))
    assert len(text) <= FINDING_CHARS_MAX
    return of_data(json.loads(text))


@pytest.mark.parametrize("letter", ["a", "é", "\U0001f600"])
def test_a_whole_transcript_fits(letter: str) -> None:
    lines = [letter * SAID_CHARS_MAX] * TRANSCRIPT_LINES_MAX
    assert [said.text for said in sent(*lines).transcript] == lines


def test_of_one_that_does_not_fit_the_beginning_and_the_end_are_kept() -> None:
    lines = [f"{number:03}{LINE[3:]}" for number in range(TRANSCRIPT_LINES_MAX)]
    found = [said.text for said in sent(*lines).transcript]
    (cut,) = [number for number, text in enumerate(found) if text.startswith("…")]

    assert found[cut] == f"… {TRANSCRIPT_LINES_MAX - len(found) + 1} lines …"
    assert found[:cut] == lines[:cut]
    assert found[cut + 1 :] == lines[-(len(found) - cut - 1) :]
    assert cut >= len(found) // 2 >= 30, "most of what has room is there"


@given(
    some.lists(some.text('a\\"é', max_size=SAID_CHARS_MAX), max_size=TRANSCRIPT_LINES_MAX),
    some.integers(0, TRANSCRIPT_LINES_MAX),
)
def test_whatever_is_said_there_is_something_of_it(texts: list[str], backslashes: int) -> None:
    whole = [*texts, *[LINE] * backslashes][:TRANSCRIPT_LINES_MAX]
    found = [said.text for said in sent(*whole, why="\\" * 200).transcript]
    assert found[:1] == whole[:1]
    assert found[-1:] == whole[-1:]

"""The truth table of one point: thirty-six combinations of three words."""

from __future__ import annotations

import pytest

from hostwatch.core import powertable
from hostwatch.core.powertable import Words
from tests.core.wires import OUTPUT, SIGNS, UPS, UTILITY, point

TABLE = """
          output +   output -   output ?
+ able      + -        - -        ? -
+ dead      + -        - -        ? -
+ bypass    + -        - -        ? -
+ ?         + -        - -        ? -
- able      + -        - +        ? ?
- dead      ? ? !      - +        - +
- bypass    ? ? !      - +        - +
- ?         + -        - +        ? ?
? able      + -        - ?        ? ?
? dead      + -        - ?        ? ?
? bypass    + -        - ?        ? ?
? ?         + -        - ?        ? ?
"""
"""Supplied and interrupted; ! is a contradiction."""


def table() -> dict[Words, str]:
    found = {}
    for line in TABLE.strip().splitlines()[1:]:
        utility, ups, rest = line[0], line[2:10].strip(), line[10:]
        for place, output in enumerate("+-?"):
            found[Words(UTILITY[utility], UPS[ups], OUTPUT[output])] = rest[11 * place :][:10].strip()
    return found


def test_all_thirty_six_are_there() -> None:
    assert set(powertable.every()) == set(table())
    assert len(powertable.every()) == 36


@pytest.mark.parametrize("words", powertable.every(), ids=" ".join)
def test_what_follows_from_three_words(words: Words) -> None:
    signs = f"{SIGNS[words.supplied]} {SIGNS[words.interrupted]}{' !' if words.is_contradiction else ''}"

    assert signs == table()[words]


@pytest.mark.parametrize("words", powertable.every(), ids=" ".join)
def test_each_has_a_meaning_that_agrees(words: Words) -> None:
    told = words.meaning

    assert words.is_contradiction == ("contradiction" in told)
    assert words.is_fault == told.endswith(": distribution")
    assert (words.supplied is None) <= bool({"unknown", "known", "contradiction"} & set(told.split()))


@pytest.mark.parametrize("words", powertable.every(), ids=" ".join)
def test_a_word_less_never_makes_a_loss_or_an_interruption(words: Words) -> None:
    for place in range(3):
        less = Words(*(word if at != place else type(word)("unknown") for at, word in enumerate(words)))  # type: ignore[arg-type]
        if not words.is_contradiction:
            assert less.supplied in (words.supplied, None)
            assert less.interrupted in (words.interrupted, None)


@pytest.mark.parametrize(
    ("words", "powered"),
    [
        ("+ ? ?", True),
        ("- ? ?", False),
        ("? ? +", True),
        ("? ? -", False),
        ("+ ? -", False),
        ("- ? +", None),
        ("? ? ?", None),
        ("? able ?", None),
    ],
)
def test_on_a_line_what_is_measured_decides_and_else_the_utility(words: str, powered: bool | None) -> None:
    assert powertable.at_line(point("", words)) is powered
    assert powertable.is_odd_line(point("", words)) == (words == "- ? +")

"""What was seen of an early warning, told to operators in their own language.

Whatever the core says of a warning is found again in Chinese: nothing of it is left in English but names.
"""

from __future__ import annotations

import re

import pytest

from hostwatch.core import powertable
from hostwatch.core.lastseen import Last, LastSeen
from hostwatch.messages import catalogue, seen
from tests.core.wires import moment

CHINESE = catalogue.words("zh-Hans")
NAMES = re.compile(r"\b(?:[a-z]+-[a-z0-9-]+(?:/outlet 7)?|any\(ups-a,ups-b\)|UPS)\b|any\(ups-a,ups-b\)")

SAID = """
charge 97 %, runtime 30 min, load 21 %
runtime 30 min
battery low, as the UPS says
nothing has power that it hangs on
all hangs on ups-b
all its feeds hang on ups-a, grid-1
those behind it answer
nobody is known to be cut off
"""

CONTRADICTIONS = {
    "ups ups-a [card-a, card-b]": [
        "card-a + able +, card-b - able +",
        "card-a + able +, card-b + dead +",
        "card-a + able +, card-b + able -",
        "card-a - dead +",
        "card-a - bypass +",
    ],
    "panel panel-a [card-a, card-b]": ["card-a ? ? +, card-b ? ? -", "card-a - ? +"],
    "panel panel-a [card-a]\npdu pdu-a < panel-a [strip-a]": ["card-a ? ? -, strip-a/outlet 7 ? ? +"],
    "ups ups-a [card-a]\npanel panel-a < ups-a [card-b]": ["card-a + able -, card-b ? ? +"],
}


def chinese(said: str) -> str:
    return seen.worded(CHINESE, said)


def english_left(told: str) -> list[str]:
    return re.findall(r"[A-Za-z]{2,}", NAMES.sub("", told))


@pytest.mark.parametrize("said", SAID.strip().splitlines())
def test_what_the_core_says(said: str) -> None:
    assert english_left(chinese(said)) == []
    assert seen.worded(catalogue.words("en"), said) == said


@pytest.mark.parametrize("wires", CONTRADICTIONS)
def test_all_contradictions(wires: str) -> None:
    for said in CONTRADICTIONS[wires]:
        now = moment(wires, said)
        found = [now.of(name) for name in ("ups-a", "panel-a") if name in wires]
        told = [f"{one.element}: {one.contradiction}" for one in found if one.contradiction]
        assert told, said
        for one in told:
            assert english_left(chinese(one)) == [], one


def test_all_meanings_that_contradict() -> None:
    for words in powertable.every():
        if words.is_contradiction:
            assert english_left(chinese(f"ups-a: {words.meaning}")) == []


@pytest.mark.parametrize("last", [last for last in Last if last.is_possible])
@pytest.mark.parametrize("runtime_s", [None, 725])
def test_how_it_was_seen_last(last: Last, runtime_s: int | None) -> None:
    said = LastSeen(last=last, source="card-a", runtime_s=runtime_s).words

    assert chinese(said).endswith("供电可能已中断")
    assert english_left(chinese(said)) == []


def test_the_words() -> None:
    assert chinese("charge 97 %, runtime 30 min") == "电量 97 %，预计可用 30 分钟"
    assert chinese("all hangs on ups-b") == "全部依赖 ups-b"
    planned = chinese("change of the breaker: any(ups-a,ups-b) hangs on it alone")
    assert planned == "change of the breaker: any(ups-a,ups-b) 仅依赖它", (
        "what a person planned stays as it is"
    )


def test_what_is_of_no_sentence_of_ours_stays_as_it_is() -> None:
    for said in ("", "something of an older version", "100 % sure", "charge ninety %", "%(figure)s"):
        assert chinese(said) == said

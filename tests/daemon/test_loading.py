"""How far a watch is with its configuration, in words for people."""

from __future__ import annotations

import pytest

from hostwatch.commands import how_far


@pytest.mark.parametrize(
    ("loading", "words"),
    [
        ({}, "reading the configuration"),
        ({"reading": "d.csv", "line": 1000, "lines": 2500}, "reading d.csv: 1,000 of 2,500 lines"),
        ({"applied": 1200, "changes": 5000}, "bringing it into force: 1,200 of 5,000 changes"),
    ],
)
def test_how_far_it_is(loading: dict[str, object], words: str) -> None:
    assert how_far(loading) == words

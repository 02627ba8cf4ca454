"""Durations: what is accepted, what it means, and that it can be written again."""

from __future__ import annotations

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter, ValidationError

from hostwatch.configuration import duration
from hostwatch.configuration.mistake import Wrong

MICROSECOND = timedelta(microseconds=1)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("300ms", timedelta(milliseconds=300)),
        ("5s", timedelta(seconds=5)),
        ("5m", timedelta(minutes=5)),
        ("1h30m", timedelta(minutes=90)),
        ("2d", timedelta(days=2)),
        ("1us", MICROSECOND),
        ("1d1h1m1s1ms1us", timedelta(days=1, hours=1, minutes=1, seconds=1, milliseconds=1, microseconds=1)),
        ("0s", timedelta(0)),
        ("90m", timedelta(minutes=90)),
    ],
)
def test_what_is_accepted(text: str, expected: timedelta) -> None:
    assert duration.parse(text) == expected


@pytest.mark.parametrize(
    ("text", "wrong"),
    [
        ("5", "5 has no unit"),
        ("0.5", "0.5 has no unit"),
        ("", "is not a duration"),
        ("5 m", "is not a duration"),
        ("1.5h", "is not a duration"),
        ("-5s", "is not a duration"),
        ("30m1h", "is not a duration"),
        ("5M", "is not a duration"),
        ("5s5s", "is not a duration"),
        ("٥s", "is not a duration"),
        ("9999999999d", "is not a duration"),
        ("999999999d999999999h", "is longer than any calendar"),
    ],
)
def test_what_is_refused(text: str, wrong: str) -> None:
    with pytest.raises(Wrong) as refused:
        duration.parse(text)

    assert str(refused.value) == f"{wrong}, {duration.ACCEPTED}"


@pytest.mark.parametrize("value", [5, 0.5, True, None, []])
def test_only_text_is_a_duration(value: object) -> None:
    with pytest.raises(ValidationError):
        TypeAdapter(duration.Duration).validate_python(value)


@given(st.integers(min_value=0, max_value=10**15).map(lambda us: us * MICROSECOND))
def test_what_is_shown_means_the_same(value: timedelta) -> None:
    assert duration.parse(duration.shown(value)) == value

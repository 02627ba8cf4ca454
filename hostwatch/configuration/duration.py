"""Durations as people write them: `300ms`, `5s`, `1h30m`, `2d`.

A duration is a whole number of microseconds and always carries its unit: a bare number is refused,
because nobody can see whether it means seconds or minutes.
"""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Annotated, Any

from pydantic import AfterValidator, BeforeValidator, PlainSerializer, WithJsonSchema

from hostwatch.configuration.mistake import Wrong

ACCEPTED = "write a number and a unit (us, ms, s, m, h, d), such as 300ms, 5s, 5m, 1h30m or 2d"

UNITS_US = {
    "d": 86_400_000_000,
    "h": 3_600_000_000,
    "m": 60_000_000,
    "s": 1_000_000,
    "ms": 1_000,
    "us": 1,
}
"""Microseconds in each unit, the longest first, which is also the order in which they are written."""

PATTERN = "".join(rf"(?:(?P<{unit}>[0-9]{{1,9}}){unit})?" for unit in UNITS_US)
_DURATION = re.compile(PATTERN)


def parse(text: str) -> timedelta:
    """The duration that the text means. Raises `Wrong`."""
    found = _DURATION.fullmatch(text)
    if found is None or not text:
        if re.fullmatch(r"[0-9]+(\.[0-9]+)?", text):
            raise Wrong(f"{text[:20]} has no unit", ACCEPTED)
        raise Wrong("is not a duration", ACCEPTED)
    amount_us = sum(int(number) * UNITS_US[unit] for unit, number in found.groupdict().items() if number)
    try:
        return timedelta(microseconds=amount_us)
    except OverflowError:
        raise Wrong("is longer than any calendar", ACCEPTED) from None


def shown(duration: timedelta) -> str:
    """The canonical text: `parse(shown(d)) == d` for every duration that is not negative."""
    left_us = duration // timedelta(microseconds=1)
    parts = []
    for unit, size_us in UNITS_US.items():
        number, left_us = divmod(left_us, size_us)
        if number:
            parts.append(f"{number}{unit}")
    return "".join(parts) or "0s"


def _accept(value: Any) -> timedelta:
    match value:
        case timedelta():
            return value
        case str():
            return parse(value.strip())
        case bool() | None:
            raise Wrong("is not a duration", ACCEPTED)
        case int() | float():
            raise Wrong(f"{value} has no unit", ACCEPTED)
    raise Wrong("is not a duration", ACCEPTED)


def between(shortest: str, longest: str) -> AfterValidator:
    """A rule: the duration lies within both bounds, which are themselves allowed."""
    low, high = parse(shortest), parse(longest)

    def check(value: timedelta) -> timedelta:
        if low <= value <= high:
            return value
        raise Wrong(f"{shown(value)} is out of range", f"write something from {shortest} to {longest}")

    return AfterValidator(check)


Duration = Annotated[
    timedelta,
    BeforeValidator(_accept),
    PlainSerializer(shown, return_type=str),
    WithJsonSchema(
        {
            "type": "string",
            "pattern": "^(?=.)" + "".join(f"([0-9]{{1,9}}{unit})?" for unit in UNITS_US) + "$",
            "examples": ["300ms", "5s", "5m", "1h30m", "2d"],
        }
    ),
]

"""Places in JSON, as RFC 6901 names them: `/messages/0/id`. A bare name is the field of that name."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Annotated, Any, Final

from pydantic import AfterValidator

from hostwatch.configuration.mistake import Wrong

PARTS_MAX: Final = 10
WORD_CHARS_MAX: Final = 100
"""Of a word or a name that is found in what the other side says."""

_FORM = re.compile(r"[A-Za-z0-9_.:-]{1,64}|(/[A-Za-z0-9_.:-]{1,64}){1,10}")


def _check(value: str) -> str:
    if _FORM.fullmatch(value):
        return value
    mend = "write the name of a field, or its place such as /messages/0/to: letters, digits, . : _ and -"
    raise Wrong("is no place in a message", mend)


Place = Annotated[str, AfterValidator(_check)]
"""Where something stands: a name, or a JSON pointer."""


def parts(place: str) -> list[str]:
    """The steps to a place."""
    return place[1:].split("/") if place.startswith("/") else [place]


def put(values: Mapping[str, Any]) -> Any:
    """JSON in which each value stands at its place. Steps that are 0, 1, … of one thing make a list."""
    root: dict[str, Any] = {}
    for place, value in values.items():
        *steps, last = parts(place)
        here = root
        for step in steps:
            here = here.setdefault(step, {})
        here[last] = value
    return _listed(root)


def _listed(value: Any) -> Any:
    if not isinstance(value, dict):
        return value
    inside = {name: _listed(one) for name, one in value.items()}
    if inside and sorted(inside) == sorted(str(number) for number in range(len(inside))):
        return [inside[str(number)] for number in range(len(inside))]
    return inside


def read(body: bytes) -> Any:
    """What somebody else said, as JSON; None if it is none."""
    try:
        return json.loads(body)
    except (ValueError, RecursionError):
        return None


def at(data: Any, place: str) -> Any:
    """What stands at a place; None if nothing does."""
    for step in parts(place):
        if isinstance(data, dict):
            data = data.get(step)
        elif isinstance(data, list) and step.isascii() and step.isdigit() and len(step) <= 4:
            data = data[int(step)] if int(step) < len(data) else None
        else:
            return None
    return data


def word(data: Any, place: str) -> str:
    """What stands at a place, as a short printable word; empty if nothing does, or it is something else."""
    data = at(data, place)
    if isinstance(data, bool):
        return "true" if data else "false"
    text = str(data) if isinstance(data, str | int | float) else ""
    return text if len(text) <= WORD_CHARS_MAX and text.isprintable() else ""

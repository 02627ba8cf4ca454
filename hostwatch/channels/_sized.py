"""Texts for services that take so much: at most two messages, cut at a line, marked where more is left."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Final, NamedTuple

PARTS_MAX: Final = 2
"""Messages that one notice may take: providers count each of them."""

MARK: Final = "…"


class Size(NamedTuple):
    """How much one message may hold."""

    most: int
    """In bytes."""

    of: Callable[[str], int]
    """How many a text has there."""


def _plain(text: str) -> int:
    return len(text.encode())


def _escaped(text: str) -> int:
    """As it stands in a request: of signs beyond ASCII six bytes each."""
    return len(json.dumps(text)) - 2


_WHOLE_REQUEST: Final = Size(18_000, _escaped)
"""Their 20 kB are counted over the whole request."""

SIZES: Final[Mapping[str, Size]] = {
    "dingtalk": _WHOLE_REQUEST,
    "feishu": _WHOLE_REQUEST,
    "lark": _WHOLE_REQUEST,
    "wecombot": Size(2048, _plain),
}
"""By apprise's scheme, where it is bytes; of all others apprise knows the characters."""


def parts(text: str, size: Size, keyword: str = "") -> list[str]:
    """What stands first comes first; `keyword` stands in each part."""
    most, of = size
    end = f"\n{keyword}" if keyword else ""
    room = most - of(end)
    found: list[str] = []
    left = text.rstrip()
    while left and len(found) < PARTS_MAX:
        last = len(found) == PARTS_MAX - 1
        one = _beginning(left, room, of)
        if last and len(one) < len(left):
            one = _beginning(left, room - of(f"\n{MARK}"), of).rstrip() + f"\n{MARK}"
            left = ""
        else:
            left = left[len(one) :].lstrip("\n")
        found.append(one.rstrip())
    return [one if keyword in one else one + end for one in found]


def _beginning(text: str, room: int, of: Callable[[str], int]) -> str:
    """As much as there is room for, ended at a line if one ends there at all."""
    if of(text) <= room:
        return text
    least, most = 0, min(len(text), room)
    while least < most:
        middle = (least + most + 1) // 2
        if of(text[:middle]) <= room:
            least = middle
        else:
            most = middle - 1
    line = text.rfind("\n", 0, least + 1)
    return text[: line if line > 0 else least]

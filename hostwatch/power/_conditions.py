"""Conditions on a number, as they stand in a configuration: `>= 180`, `== 1`; of several one is enough."""

from __future__ import annotations

import operator
import re
from collections.abc import Callable, Mapping
from typing import Annotated, Any, Final, NamedTuple

from pydantic import BeforeValidator, PlainSerializer, WithJsonSchema

from hostwatch.configuration.mistake import Wrong

CONDITIONS_MAX: Final = 10

_HOLDS: Final[Mapping[str, Callable[[float, float], bool]]] = {
    "==": operator.eq,
    "!=": operator.ne,
    ">=": operator.ge,
    "<=": operator.le,
    ">": operator.gt,
    "<": operator.lt,
}
_CONDITION = re.compile(r"(==|!=|>=|<=|>|<)\s*(-?[0-9]{1,12}(?:\.[0-9]{1,6})?)")


class Condition(NamedTuple):
    """What a number is held against."""

    sign: str
    bound: float

    def __str__(self) -> str:
        return f"{self.sign} {shown(self.bound)}"


def _parsed(value: Any) -> tuple[Condition, ...]:
    found = []
    for one in value if isinstance(value, list | tuple) else (value,):
        if isinstance(one, Condition):
            found.append(one)
            continue
        match = _CONDITION.fullmatch(one.strip()) if isinstance(one, str) else None
        if match is None:
            raise Wrong("is no condition", 'write one such as ">= 180" or "== 1", or a list of them')
        found.append(Condition(match[1], float(match[2])))
    if len(found) > CONDITIONS_MAX:
        raise Wrong(f"has {len(found)} conditions", f"write at most {CONDITIONS_MAX}")
    return tuple(found)


Conditions = Annotated[
    tuple[Condition, ...],
    BeforeValidator(_parsed),
    PlainSerializer(lambda value: [str(one) for one in value], return_type=list[str]),
    WithJsonSchema({"anyOf": [{"type": "string"}, {"type": "array", "items": {"type": "string"}}]}),
]


def holds(conditions: tuple[Condition, ...], value: float) -> bool:
    """Whether one of them does."""
    return any(_HOLDS[one.sign](value, one.bound) for one in conditions)


def shown(value: float) -> str:
    """As people write it: `230.4`, `1`."""
    return f"{value:.6g}" if value != int(value) else f"{value:.0f}"

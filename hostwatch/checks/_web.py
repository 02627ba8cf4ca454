"""The kinds of values that stand in a check of the web, each refused in plain words when it is wrong."""

from __future__ import annotations

import re
from typing import Annotated, Any, Final, NamedTuple

from pydantic import (
    AfterValidator,
    BeforeValidator,
    PlainSerializer,
    StrictBool,
    StrictFloat,
    StrictInt,
    StrictStr,
    WithJsonSchema,
)

from hostwatch.checks._content import PATH_STEPS_MAX, steps
from hostwatch.checks._url import named, parsed
from hostwatch.configuration.fields import Text
from hostwatch.configuration.mistake import Wrong
from hostwatch.configuration.secret import Secret

SENT_HEADERS_MAX: Final = 20
TEXTS_MAX: Final = 10
VALUES_MAX: Final = 20
BODY_CHARS_MAX: Final = 10_000

NOT_YOURS: Final = {
    "host": "write the name under host",
    "authorization": "write user and password under login",
    **dict.fromkeys(
        ("connection", "content-length", "expect", "te", "trailer", "transfer-encoding", "upgrade"),
        "leave it out: it is set as the connection needs it",
    ),
}
"""Headers that are not free to be set, and what to do instead."""

_HEADER = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]{1,100}")


class Statuses(NamedTuple):
    """Some statuses in a row."""

    first: int
    last: int

    def __str__(self) -> str:
        return str(self.first) if self.first == self.last else f"{self.first}-{self.last}"


def _parse_statuses(value: Any) -> tuple[Statuses, ...]:
    found = []
    for one in value if isinstance(value, list | tuple) else (value,):
        if isinstance(one, Statuses):
            found.append(one)
            continue
        bounds = re.fullmatch(r"([1-5][0-9]{2})(?:\s*-\s*([1-5][0-9]{2}))?", str(one))
        if bounds is None or isinstance(one, bool) or int(bounds[2] or bounds[1]) < int(bounds[1]):
            raise Wrong("is no status of HTTP", "write one such as 200, a range such as 200-299, or several")
        found.append(Statuses(int(bounds[1]), int(bounds[2] or bounds[1])))
    if not 1 <= len(found) <= TEXTS_MAX:
        raise Wrong(f"has {len(found)} entries", f"write from 1 to {TEXTS_MAX}")
    return tuple(found)


def _check_url(value: str) -> str:
    if "#" in value:
        raise Wrong("holds a #, which is never sent", "remove what follows it")
    parsed(value)
    return value


def _check_headers(value: dict[str, Text | Secret]) -> dict[str, Text | Secret]:
    if len(value) > SENT_HEADERS_MAX:
        raise Wrong(f"has {len(value)} headers", f"write at most {SENT_HEADERS_MAX}")
    for name, said in value.items():
        if not _HEADER.fullmatch(name):
            raise Wrong(f"{name[:40]!r} is no name of a header", "write one such as Accept-Language")
        if name.lower() in NOT_YOURS:
            raise Wrong(f"{name} cannot be set here", NOT_YOURS[name.lower()])
        plain = said.reveal() if isinstance(said, Secret) else said
        if not plain.isascii() or (plain and not plain.isprintable()):
            raise Wrong(f"the value of {name} holds other characters than ASCII", "write it in ASCII")
    return value


def _check_texts(value: tuple[Text, ...]) -> tuple[Text, ...]:
    if len(value) > TEXTS_MAX:
        raise Wrong(f"has {len(value)} texts", f"write at most {TEXTS_MAX}")
    return value


def _check_values(value: dict[str, Any]) -> dict[str, Any]:
    if len(value) > VALUES_MAX:
        raise Wrong(f"has {len(value)} values", f"write at most {VALUES_MAX}")
    for path in value:
        if not path or not path.isprintable() or len(steps(path)) > PATH_STEPS_MAX:
            raise Wrong(
                f"{path[:40]!r} leads nowhere", f"write at most {PATH_STEPS_MAX} steps, such as status.db"
            )
    return value


def _check_names(value: tuple[Text, ...]) -> tuple[Text, ...]:
    if len(value) > TEXTS_MAX:
        raise Wrong(f"has {len(value)} names", f"write at most {TEXTS_MAX}")
    return tuple(named(name) for name in value)


def _check_body(value: str) -> str:
    if len(value) > BODY_CHARS_MAX:
        raise Wrong(f"has {len(value):,} characters", f"write at most {BODY_CHARS_MAX:,}")
    return value


def _one_or_more(value: Any) -> Any:
    return (value,) if isinstance(value, str) else value


_ONE_STATUS: Final = {"anyOf": [{"type": "integer", "minimum": 100, "maximum": 599}, {"type": "string"}]}
_ONE_OR_MORE: Final = {"anyOf": [{"type": "string"}, {"type": "array", "items": {"type": "string"}}]}

WebAddress = Annotated[Text, AfterValidator(_check_url)]
Name = Annotated[Text, AfterValidator(named)]
Names = Annotated[
    tuple[Text, ...],
    AfterValidator(_check_names),
    BeforeValidator(_one_or_more),
    WithJsonSchema(_ONE_OR_MORE),
]
Expected = Annotated[
    tuple[Statuses, ...],
    BeforeValidator(_parse_statuses),
    PlainSerializer(lambda value: [str(one) for one in value], return_type=list[str]),
    WithJsonSchema({"anyOf": [*_ONE_STATUS["anyOf"], {"type": "array", "items": _ONE_STATUS}]}),
]
Texts = Annotated[
    tuple[Text, ...],
    AfterValidator(_check_texts),
    BeforeValidator(_one_or_more),
    WithJsonSchema(_ONE_OR_MORE),
]
Headers = Annotated[dict[str, Text | Secret], AfterValidator(_check_headers)]
Values = Annotated[
    dict[str, StrictStr | StrictInt | StrictFloat | StrictBool | None],
    AfterValidator(_check_values),
]
Body = Annotated[str, AfterValidator(_check_body)]

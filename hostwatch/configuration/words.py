"""What the validation library found, in plain words for the person who wrote the file.

Values are not repeated, unless a rule of ours does so knowingly: any of them may be a secret that was
written in the wrong place.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterator, Mapping
from types import UnionType
from typing import Annotated, Any, Union, get_args, get_origin

from pydantic import BaseModel
from pydantic_core import ErrorDetails

from hostwatch import channels, checks, reach
from hostwatch.configuration.method import Line
from hostwatch.configuration.mistake import Wrong
from hostwatch.configuration.model import Configuration
from hostwatch.configuration.of_kind import OfKind
from hostwatch.configuration.rung import MAIL_KIND, Rung
from hostwatch.configuration.service import Check
from hostwatch.configuration.syntax import shown_key

KINDS_OF_VALUES = (
    (bool, "true or false"),
    (int | float, "a number"),
    (str, "text"),
    (list, "a list"),
    (dict, "a mapping"),
)
WANTED = {
    "string": ("text", "put it in quotes"),
    "int": ("a whole number", "write one without quotes"),
    "float": ("a number", "write a number without quotes"),
    "bool": ("true or false", "write true or false"),
    "list": ("a list", "write one item per line, each after a hyphen"),
    "tuple": ("a list", "write one item per line, each after a hyphen"),
    "dict": ("a mapping", "write keys and values, one `key: value` per line"),
    "model": ("a mapping", "write keys and values, one `key: value` per line"),
    "path": ("the path of a file", "write it as text"),
    "time": ("a duration", "write a number of seconds"),
}
"""What is expected, by the beginning of the library's name for the mistake."""


def explain(error: ErrorDetails) -> Wrong:
    """What is wrong and what to do."""
    kind, given, context = error["type"], error["input"], error.get("ctx", {})
    match kind:
        case "missing":
            return Wrong("is missing", "add it")
        case "extra_forbidden":
            return _unknown(error["loc"])
        case "value_error":
            cause = context.get("error")
            return cause if isinstance(cause, Wrong) else Wrong(str(cause))
        case "literal_error" | "enum":
            return Wrong("is not one of the words known here", f"write {context.get('expected')}")
        case "too_short":
            return Wrong("has too few items", f"write at least {context.get('min_length')}")
        case "too_long":
            return Wrong("has too many items", f"write at most {context.get('max_length')}")
        case "greater_than_equal" | "less_than_equal" | "greater_than" | "less_than":
            return _bound(kind, context)
        case "string_pattern_mismatch":
            return Wrong(
                "is not written as it must be", f"write something that matches {context.get('pattern')}"
            )
        case "int_from_float":
            return Wrong("is not a whole number", "write one")
    wanted = WANTED.get(kind.partition("_")[0])
    if wanted is None or not kind.endswith(("_type", "_parsing", "_delta_parsing")):
        return Wrong(_lower(error["msg"]))
    if given is None:
        return Wrong("is empty", f"write {wanted[0]}, or remove the key")
    return Wrong(f"is {_what(given)} where {wanted[0]} is expected", wanted[1])


def _bound(kind: str, context: dict[str, Any]) -> Wrong:
    word = {"greater_than": "more than", "less_than": "less than"}.get(kind)
    word = word or ("at least" if kind.startswith("greater") else "at most")
    (limit,) = context.values()
    return Wrong("is out of range", f"write {word} {limit}")


def _what(value: Any) -> str:
    return next((word for kind, word in KINDS_OF_VALUES if isinstance(value, kind)), "something else")


def _lower(message: str) -> str:
    return message[:1].lower() + message[1:]


def _unknown(steps: tuple[int | str, ...]) -> Wrong:
    known = keys_at(steps[:-1])
    if len(steps) == 1 and steps[0] in channels.kinds():
        return Wrong("is not known here", f"write it under channels:, as channels: {{{steps[0]}: …}}")
    near = difflib.get_close_matches(str(steps[-1]), known, 1)
    if near:
        return Wrong("is not known here", f"did you mean {near[0]}?")
    if known:
        return Wrong("is not known here", f"remove it; known are {', '.join(known)}")
    return Wrong("is not known here", f"remove {shown_key(str(steps[-1]))}")


def keys_at(steps: tuple[int | str, ...]) -> list[str]:
    """The keys that may stand at a place; none if that is not a mapping with fixed keys."""
    shape: Any = Configuration
    for step in steps:
        shape = _inside(shape, step)
    if not isinstance(shape, type) or not issubclass(shape, BaseModel):
        return []
    return [*shape.own_keys(), *shape.rooms.kinds()] if issubclass(shape, OfKind) else [*_aliases(shape)]


def _inside(shape: Any, step: int | str) -> Any:
    if isinstance(step, int):
        return next(iter(get_args(shape)), None)
    if shape is Rung:
        return channels.room(step).Settings if step in channels.kinds() else None
    if shape is Line:
        return reach.room(str(step)).Settings if step in reach.kinds() else None
    if isinstance(shape, type) and issubclass(shape, OfKind) and step in shape.rooms.kinds():
        return shape.rooms.room(str(step)).Settings
    if shape is Check:
        return checks.room(str(step)).Settings if step in checks.kinds() else None
    if get_origin(shape) is Mapping:  # services by name
        return bare(get_args(shape)[1])
    if shape is Configuration and step == "mail":
        return channels.room(MAIL_KIND).Site
    if shape == "sites":
        return channels.room(step).Site if step in channels.kinds() else None
    if shape is Configuration and step == "channels":
        return "sites"
    if isinstance(shape, type) and issubclass(shape, BaseModel):
        name = _aliases(shape).get(step)
        return None if name is None else bare(shape.model_fields[name].annotation)
    return None


def bare(annotation: Any) -> Any:
    """The type without annotations and without `None`."""
    while get_origin(annotation) is Annotated:
        annotation = get_args(annotation)[0]
    if get_origin(annotation) in (Union, UnionType):
        return next(_choices(annotation), None)
    return annotation


def _choices(union: Any) -> Iterator[Any]:
    for choice in get_args(union):
        shape = bare(choice)
        if isinstance(shape, type) and issubclass(shape, BaseModel):
            yield shape


def _aliases(model: type[BaseModel]) -> dict[str, str]:
    return {field.alias or name: name for name, field in model.model_fields.items()}

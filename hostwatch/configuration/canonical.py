"""The content of a configuration as plain data, for comparing, hashing and recording.

What must not be shown stands in it as a leaf of its own kind, so that a comparison still sees that
it changed. How the text is split into files is not content; an inventory is in it by its name, its
number of devices and its digest, since its devices are recorded one by one.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from pydantic import BaseModel

from hostwatch.configuration import duration
from hostwatch.configuration.customer import Contact
from hostwatch.configuration.model import Configuration
from hostwatch.configuration.of_kind import OfKind
from hostwatch.configuration.rung import WAIT, Rung
from hostwatch.configuration.secret import HIDDEN, Secret
from hostwatch.configuration.service import Check
from hostwatch.configuration.sight import Sight
from hostwatch.core import canonical, instant

Commit = Callable[[str], str]
"""Makes a salted commitment of a personal value: it proves the value and does not tell it."""


@dataclass(frozen=True, slots=True)
class Personal:
    """A leaf that is about a person."""

    value: Any
    """What is compared; secrets inside it count."""

    shown: Any
    """What an operator may see: JSON types."""


class ById(dict[str, Any]):
    """A list whose items have names, by name, in order."""


def tree(value: Any) -> Any:
    """The content, with leaves of JSON types, `Secret` and `Personal`."""
    match value:
        case None | bool() | int() | Secret():
            return value
        case str():
            return str(value)
        case timedelta() | datetime():
            return duration.shown(value) if isinstance(value, timedelta) else instant.rfc3339(value)
        case Rung():
            return Personal(value, value.model_dump(mode="json"))
        case Contact():
            return {**_fields(value), "name": Personal(value.name, value.name)}
        case Sight() if value.is_short:
            return tree(value.gateways)
        case Check():
            return {value.kind: tree(value.settings)}
        case BaseModel():
            return _fields(value)
        case Mapping():
            return {str(key): tree(item) for key, item in value.items()}
        case list() | tuple() if value and all(hasattr(item, "id") for item in value):
            return ById((item.id, tree(item)) for item in value)
        case list() | tuple():
            return [tree(item) for item in value]
    return str(value)


def _fields(model: BaseModel) -> dict[str, Any]:
    left_out = {"include", "inventory"} if isinstance(model, Configuration) else set()
    if isinstance(model, OfKind):
        return {
            **{name: tree(getattr(model, name)) for name in model.own_keys()},
            model.kind: tree(model.settings),
        }
    return {
        info.alias or name: tree(getattr(model, name))
        for name, info in type(model).model_fields.items()
        if name not in left_out
    }


def plain(content: Any, commit: Commit | None = None) -> Any:
    """A tree as JSON types: secrets hidden, personal leaves shown, or committed to if asked."""
    match content:
        case Secret():
            return HIDDEN
        case Personal():
            return content.shown if commit is None else _committed(content.shown, commit)
        case ById():
            return [plain(item, commit) for item in content.values()]
        case dict():
            return {key: plain(item, commit) for key, item in content.items()}
        case list():
            return [plain(item, commit) for item in content]
    return content


def personal(content: Any) -> Iterator[str]:
    """All that `plain` commits to in a tree."""
    match content:
        case Personal(shown=dict() as shown):
            yield from (canonical.text(settings) for kind, settings in shown.items() if kind != WAIT)
        case Personal():
            yield content.shown
        case dict():
            for item in content.values():
                yield from personal(item)
        case list():
            for item in content:
                yield from personal(item)


def _committed(shown: Any, commit: Commit) -> Any:
    """A name becomes a commitment; a rung keeps its kind, which is no secret and helps the reader."""
    if isinstance(shown, dict):
        return {
            kind: settings if kind == WAIT else commit(canonical.text(settings))
            for kind, settings in shown.items()
        }
    return commit(shown)


def digest(content: Any) -> str:
    """The SHA-256 of a tree, in hexadecimal. Secrets do not enter it."""
    return canonical.digest(plain(content))

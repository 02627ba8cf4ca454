"""The canonical encoding of facts and their leaf hashes.

A fact is JSON with sorted keys, no spaces, UTF-8 and no floating-point numbers; instants are RFC
3339 with six digits. A leaf is `SHA-256(0x00 ‖ encoding)` as in RFC 6962, so that a Merkle tree can
be laid over the record at any later day without touching it.
"""

from __future__ import annotations

import hashlib
import json
import types
from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from functools import cache
from typing import Any, Union, get_args, get_origin, get_type_hints

from hostwatch.core import facts, instant

_JSON = json.JSONEncoder(sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False)


def encode(value: object) -> bytes:
    """Plain data, or dataclasses of it, as canonical bytes. Raises `TypeError` for floats."""
    return text(value).encode()


def text(value: object) -> str:
    """The same as text."""
    return _JSON.encode(plain(value))


def digest(value: object) -> str:
    """The SHA-256 of the canonical encoding, in hexadecimal."""
    return hashlib.sha256(encode(value)).hexdigest()


def leaf(encoding: bytes) -> bytes:
    """The RFC 6962 leaf hash of one entry of the record."""
    return hashlib.sha256(b"\x00" + encoding).digest()


def plain(value: object) -> Any:
    """The value as JSON types. Raises `TypeError` for what has no canonical form."""
    kind: Any = type(value)
    if kind is str or kind is int or value is None:  # nearly everything; what follows takes its time
        return value
    if isinstance(value, dict):
        return {str(key): plain(item) for key, item in value.items()}
    names = _names(kind)
    if names is not None:
        return {name: plain(getattr(value, name)) for name in names}
    match value:
        case None | bool() | int():
            return value
        case StrEnum():
            return value.value
        case str():
            return value
        case datetime():
            return instant.rfc3339(value)
        case timedelta():
            return value // instant.MICROSECOND
        case Mapping():
            return {str(key): plain(item) for key, item in value.items()}
        case list() | tuple():
            return [plain(item) for item in value]
    raise TypeError(f"cannot encode {kind.__name__} canonically")


@cache
def _names(kind: type) -> tuple[str, ...] | None:
    """The fields of a dataclass; None for any other type."""
    return tuple(field.name for field in fields(kind) if field.init) if is_dataclass(kind) else None


def decode(kind: str, body: Mapping[str, Any]) -> facts.Fact:
    """The fact that was encoded. Raises `KeyError` for a kind that this version does not know."""
    fact: facts.Fact = restore(facts.KINDS[kind], body)
    return fact


def restore(shape: Any, body: Any) -> Any:
    """The value of a dataclass or a named tuple that `plain` made JSON types of.

    A named tuple is a list of its fields. Raises `KeyError` when a field of a dataclass is missing.
    """
    if _is_named_tuple(shape):
        hints = get_type_hints(shape)
        pairs = zip(shape._fields, body, strict=True)
        return shape(*(_restore(hints[name], value) for name, value in pairs))
    return shape(**{name: _restore(hint, body[name]) for name, hint in _hints(shape).items()})


@cache
def _hints(shape: Any) -> dict[str, Any]:
    hints = get_type_hints(shape)
    return {field.name: hints[field.name] for field in fields(shape)}


def _is_named_tuple(shape: Any) -> bool:
    return isinstance(shape, type) and issubclass(shape, tuple) and hasattr(shape, "_fields")


def _restore(hint: Any, value: Any) -> Any:
    if value is None:
        return None
    if get_origin(hint) in (Union, types.UnionType):
        hint = next(choice for choice in get_args(hint) if choice is not type(None))
    if is_dataclass(hint) or _is_named_tuple(hint):
        return restore(hint, value)
    if hint is timedelta:
        return value * instant.MICROSECOND
    if hint is datetime:
        return instant.from_rfc3339(value)
    if get_origin(hint) is tuple:
        return tuple(_restore(get_args(hint)[0], item) for item in value)
    if isinstance(hint, type) and issubclass(hint, StrEnum):
        return hint(value)
    return value

"""Secrets: named in the configuration, kept elsewhere, never shown.

A secret is written as `{file: PATH}`, `{env: NAME}` or `{credential: NAME}` (a systemd credential). A
literal one is refused, since configurations are copied, mailed and committed. Whatever prints a
`Secret` prints `***`; only `reveal()` gives it away, and is easy to search for.
"""

from __future__ import annotations

import hmac
import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NoReturn

from pydantic import BaseModel, GetCoreSchemaHandler, GetJsonSchemaHandler, ValidationInfo
from pydantic_core import CoreSchema, core_schema

from hostwatch.configuration import files
from hostwatch.configuration.mistake import Wrong

HIDDEN = "***"
SECRET_BYTES_MAX = 64 * 1024
"""The largest secret that is read."""

INSTEAD = "write {file: PATH}, {env: NAME} or {credential: NAME}"
_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._-]{0,127}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Places:
    """Where a configuration finds what it only names. Given to pydantic as the validation context."""

    folder: Path = field(default_factory=Path)
    """The folder of the configuration file: relative paths begin here."""

    environment: Mapping[str, str] = field(default_factory=lambda: os.environ)
    read_secrets: bool = True
    """False to check a configuration where its secrets are not at hand: each then is empty."""


class Secret:
    """Something that must not be shown. Two are equal when what they hide is equal."""

    __slots__ = ("_hidden", "loose")

    def __init__(self, hidden: str, *, loose: str = "") -> None:
        self._hidden = hidden
        self.loose = loose
        """A complaint about how it is kept, for a warning; empty if there is none."""

    def reveal(self) -> str:
        """The secret itself, to be handed to the other side and nowhere else."""
        return self._hidden

    def __repr__(self) -> str:
        return HIDDEN

    __str__ = __repr__

    def __format__(self, _specification: str) -> str:
        return HIDDEN

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Secret):
            return NotImplemented
        return hmac.compare_digest(self._hidden.encode(), other._hidden.encode())

    def __hash__(self) -> int:
        return hash(("secret", self._hidden))

    def __copy__(self) -> Secret:
        return self

    def __deepcopy__(self, _memo: object) -> Secret:
        return self

    def __reduce__(self) -> NoReturn:
        raise TypeError("cannot pickle a secret: it would leave the process in plain text")

    @classmethod
    def __get_pydantic_core_schema__(cls, _source: Any, _handler: GetCoreSchemaHandler) -> CoreSchema:
        return core_schema.with_info_plain_validator_function(
            _validate,
            serialization=core_schema.plain_serializer_function_ser_schema(
                lambda _secret: HIDDEN, return_schema=core_schema.str_schema()
            ),
        )

    @classmethod
    def __get_pydantic_json_schema__(
        cls, _schema: CoreSchema, _handler: GetJsonSchemaHandler
    ) -> dict[str, Any]:
        return {
            "description": "A secret that is kept elsewhere.",
            "type": "object",
            "properties": {
                "file": {"type": "string", "description": "A file, relative to the configuration file."},
                "env": {"type": "string", "description": "An environment variable of the daemon."},
                "credential": {"type": "string", "description": "A systemd credential of the unit."},
            },
            "minProperties": 1,
            "maxProperties": 1,
            "additionalProperties": False,
        }


def revealed(value: Any) -> Any:
    """A setting as JSON, with its secrets: only to be hashed.

    What was not written is left out: a setting that a later version brings changes no hash by itself.
    """
    match value:
        case Secret():
            return value.reveal()
        case BaseModel():
            return {name: revealed(inside) for name, inside in value if name in value.model_fields_set}
        case Mapping():
            return {str(name): revealed(inside) for name, inside in value.items()}
        case str() | int() | float() | None:
            return value
        case set() | frozenset():
            return sorted(str(inside) for inside in value)
        case list() | tuple():
            return [revealed(inside) for inside in value]
    return str(value)


def _validate(value: Any, info: ValidationInfo) -> Secret:
    if isinstance(value, Secret):
        return value
    places = info.context if isinstance(info.context, Places) else Places()
    match value:
        case {"file": str(name), **rest} if not rest and name:
            return _from_file(name, places.folder, places)
        case {"env": str(name), **rest} if not rest and _NAME.fullmatch(name):
            return _from_environment(name, places)
        case {"credential": str(name), **rest} if not rest and _NAME.fullmatch(name):
            return _from_credential(name, places)
        case dict():
            raise Wrong("does not say where the secret is kept", INSTEAD)
        case None:
            raise Wrong("is empty", INSTEAD)
    raise Wrong("a secret may not stand in the configuration itself", INSTEAD)


def _from_file(name: str, folder: Path, places: Places, *, private: bool = True) -> Secret:
    if not places.read_secrets:
        return Secret("")
    try:
        contents = files.read(folder / name, bytes_max=SECRET_BYTES_MAX)
    except Wrong as wrong:
        raise Wrong(f"cannot read the secret in {name}: {wrong.wrong}", wrong.mend) from None
    if private and contents.mode & 0o007:
        raise Wrong(f"every user of this machine may reach the secret in {name}", f"run: chmod 600 {name}")
    loose = ""
    if private and contents.mode & 0o070 and contents.owner == os.geteuid():
        loose = f"run: chmod 600 {name}"
    try:
        text = contents.data.decode()
    except UnicodeDecodeError:
        raise Wrong(f"the secret in {name} is not text in UTF-8", "write it anew") from None
    return Secret(_clean(text, f"the secret in {name} is empty"), loose=loose)


def _from_environment(name: str, places: Places) -> Secret:
    if not places.read_secrets:
        return Secret("")
    if name not in places.environment:
        raise Wrong(f"the environment variable {name} is not set", "set it where the daemon is started")
    text = places.environment[name]
    if len(text) > SECRET_BYTES_MAX:
        raise Wrong(f"the environment variable {name} is larger than 64 KiB", "use a file")
    return Secret(_clean(text, f"the environment variable {name} is empty"))


def _from_credential(name: str, places: Places) -> Secret:
    if not places.read_secrets:
        return Secret("")
    folder = places.environment.get("CREDENTIALS_DIRECTORY")
    if not folder:
        raise Wrong(
            f"there is no credential {name}: CREDENTIALS_DIRECTORY is not set",
            f"add LoadCredential={name}:PATH to the systemd unit",
        )
    return _from_file(name, Path(folder), places, private=False)


def _clean(text: str, when_empty: str) -> str:
    """Without the newline that editors put at the end of a file."""
    kept = text[:-1] if text.endswith("\n") else text
    kept = kept[:-1] if kept.endswith("\r") else kept
    if not kept:
        raise Wrong(when_empty, "write the secret into it")
    return kept

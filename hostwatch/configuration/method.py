"""How a device is looked at, as it is written: a kind, alone or with its settings, and a witness.

What a kind's settings are, its own module says: this one only asks the room of methods by name. What is
kept is one line, since there are very many devices and few ways to look at them.
"""

from __future__ import annotations

import difflib
from functools import cache, lru_cache
from typing import Annotated, Any

from pydantic import (
    AfterValidator,
    BaseModel,
    Field,
    GetCoreSchemaHandler,
    GetJsonSchemaHandler,
    PlainSerializer,
    PlainValidator,
    create_model,
)
from pydantic_core import CoreSchema, core_schema

from hostwatch import reach
from hostwatch.configuration.mistake import Wrong
from hostwatch.configuration.strict import Section
from hostwatch.core.device import MAC
from hostwatch.core.schedule import ICMP

LINES_CACHED = 1_024


class Line(str):
    """How a device is looked at, on one line and checked: the kind, and its settings."""

    __slots__ = ()

    @classmethod
    def __get_pydantic_core_schema__(cls, _source: Any, _handler: GetCoreSchemaHandler) -> CoreSchema:
        """It is written as text."""
        return core_schema.str_schema()


DEFAULT = Line(ICMP)


def _line(value: Any) -> Line:
    """The line that a kind, a kind with settings, or such a line, comes to."""
    if isinstance(value, Line):
        return value
    return _read_line(value) if isinstance(value, str) else _checked(value)


@lru_cache(LINES_CACHED)
def _read_line(text: str) -> Line:
    """The same for a line, of which a large inventory has very many and few different ones."""
    return _checked(text)


def _checked(value: Any) -> Line:
    kind, given = _parts(value)
    try:
        wrapper = _wrapper(kind, reach.room(kind).Settings)
    except LookupError:
        near = difflib.get_close_matches(kind, reach.kinds(), 1)
        hint = f"did you mean {near[0]}?" if near else f"write one of {', '.join(reach.kinds())}"
        raise Wrong("is not a method to look at a device", hint) from None
    found = wrapper.model_validate({kind: given})
    inside: BaseModel = getattr(found, "inside")  # noqa: B009 - the wrapper is made below
    return Line(reach.Method(kind, inside).line)


@cache
def _wrapper(kind: str, settings: type[BaseModel]) -> type[BaseModel]:
    """Validates with the kind as part of the place of each mistake."""
    return create_model(f"By_{kind}", __base__=Section, inside=(settings, Field(alias=kind)))


def _parts(value: Any) -> tuple[str, Any]:
    if isinstance(value, str) and value.strip():
        try:
            kind, given = reach.split(value)
        except ValueError:
            raise Wrong(
                "is not a method and its settings", "write tcp port=443, say, or {tcp: 443}"
            ) from None
        if MAC in given:
            raise Wrong("holds a witness", "write it under witness: at the device")
        return kind, given
    if isinstance(value, dict) and len(value) == 1:
        ((kind, given),) = value.items()
        return str(kind), {} if given is None else given
    raise Wrong("is not one method", "write one, such as icmp or {tcp: 443}")


class _Shape:
    @classmethod
    def __get_pydantic_json_schema__(cls, _core: CoreSchema, handler: GetJsonSchemaHandler) -> dict[str, Any]:
        fields: dict[str, Any] = {
            f"of_{number}": (reach.room(kind).Settings, Field(alias=kind))
            for number, kind in enumerate(reach.kinds())
        }
        together = create_model("EveryMethod", __base__=Section, **fields)
        found = handler.resolve_ref_schema(handler(together.__pydantic_core_schema__))
        one = {"minProperties": 1, "maxProperties": 1, "additionalProperties": False}
        mapping = {"type": "object", "properties": found["properties"], **one}
        return {"anyOf": [{"type": "string"}, mapping], "default": str(DEFAULT)}


def _mac(value: str) -> str:
    spelt = reach.mac_of(value)
    if spelt is None:
        raise Wrong(
            "is not the hardware address of a machine", 'write it in quotes, as in "52:54:00:12:34:56"'
        )
    return spelt


MethodLine = Annotated[Line, PlainValidator(_line), PlainSerializer(str, return_type=str), _Shape()]
"""How a device is looked at."""


class Witness(Section):
    """By what a device is known, so that another machine at its address is not taken for it."""

    mac: Annotated[str, AfterValidator(_mac)]
    """The hardware address that must answer; only for devices on a link of our own."""

"""The parts of the configuration that belong to services: what they are made of, and who has which.

No kind of check is named here: a kind is a module of the room of checks, and the module owns the shape of its
settings. A device has services of its own, or names those that its customer, or the site, defines for many.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Mapping, Sequence, Sized
from datetime import timedelta
from functools import cache
from itertools import repeat
from typing import Annotated, Any, Final, Literal

from pydantic import (
    BaseModel,
    BeforeValidator,
    Field,
    GetJsonSchemaHandler,
    PlainSerializer,
    PlainValidator,
    TypeAdapter,
    ValidationInfo,
    create_model,
    model_serializer,
    model_validator,
)
from pydantic_core import CoreSchema

from hostwatch import checks
from hostwatch.checks import base
from hostwatch.configuration.duration import Duration, between
from hostwatch.configuration.fields import ID_PATTERN
from hostwatch.configuration.mistake import Wrong
from hostwatch.configuration.strict import Section
from hostwatch.core import service
from hostwatch.core.terms import ServiceTerms

SERVICES_MAX = 20
"""How many services one device may have."""

CHECKS_MAX = 20
"""How many checks one service may be made of."""

AT_ONCE_MAX = 4
"""How many checks of one device are made at one time; the others of a service wait for their turn."""

INTERVAL = between("50ms", "1d")
Misses = Annotated[int, Field(ge=1, le=10, strict=True)]
Shape = dict[str, Any]
"""A piece of JSON Schema."""


class Check(Section):
    """One check of a service: a mapping with one key, the kind, and its settings."""

    kind: str
    settings: base.Settings

    @model_validator(mode="before")
    @classmethod
    def _from_one_key(cls, value: Any, info: ValidationInfo) -> Any:
        if isinstance(value, dict) and isinstance(value.get("settings"), base.Settings):
            return value
        if not isinstance(value, dict) or len(value) != 1:
            raise Wrong("is not one check", "write one kind and its settings, such as tcp: {port: 443}")
        ((kind, given),) = value.items()
        _check_kind(kind)
        wrapper = _wrapper(kind, checks.room(kind).Settings)
        found = wrapper.model_validate({kind: {} if given is None else given}, context=info.context)
        inside: BaseModel = getattr(found, "inside")  # noqa: B009 - the wrapper is made below
        return {"kind": kind, "settings": inside}

    @model_serializer
    def _as_one_key(self) -> dict[str, Any]:
        return {self.kind: self.settings.model_dump(mode="json", by_alias=True)}

    @classmethod
    def __get_pydantic_json_schema__(cls, _core: CoreSchema, handler: GetJsonSchemaHandler) -> Shape:
        fields: dict[str, Any] = {
            f"of_{number}": (checks.room(kind).Settings, Field(alias=kind))
            for number, kind in enumerate(checks.kinds())
        }
        together = create_model("EveryCheck", __base__=Section, **fields)
        found = handler.resolve_ref_schema(handler(together.__pydantic_core_schema__))
        return {
            "description": "One check: one kind and its settings.",
            "type": "object",
            "properties": found["properties"],
            "minProperties": 1,
            "maxProperties": 1,
            "additionalProperties": False,
        }


@cache
def _wrapper(kind: str, settings: type[BaseModel]) -> type[BaseModel]:
    """Validates with the kind as part of the place of each mistake."""
    return create_model(f"Check_{kind}", __base__=Section, inside=(settings, Field(alias=kind)))


def _check_kind(kind: object) -> None:
    kinds = checks.kinds()
    if kind in kinds:
        return
    near = difflib.get_close_matches(str(kind), kinds, 1)
    hint = f"did you mean {near[0]}?" if near else f"write one of {', '.join(kinds)}"
    named = isinstance(kind, str) and kind.isidentifier() and len(kind) <= 40
    raise Wrong(f"{kind} is not a check" if named else "this is not a check", hint)


def _check_made_of_something(value: Any) -> Any:
    """Before the single checks are looked at, so that a wrong one is not taken for a missing one."""
    if isinstance(value, list | tuple) and not value:
        raise Wrong("names no check", "write at least one, as in - tcp: 80")
    return value


class Service(Section):
    """An application that a customer's device offers: what it is made of, and by what terms it is watched."""

    checks: Annotated[
        tuple[Check, ...],
        Field(max_length=CHECKS_MAX, json_schema_extra={"minItems": 1}),
        BeforeValidator(_check_made_of_something),
    ]
    """What must be seen to work: one kind of check and its settings each."""

    require: Literal["all", "any"] = "all"
    """Whether all checks must be right, or any of them is enough."""

    interval: Annotated[Duration, INTERVAL] | None = None
    """Time between two looks; as often as the device is pinged, if absent."""

    misses: Misses | None = None
    """Missed looks in a row that are an outage; as many as of the device, if absent."""

    obliges: bool = True
    """Whether its outage is an emergency, and starts the duty to tell; else it is recorded and reported."""

    @property
    def longest(self) -> timedelta:
        """How long one look may take: some of its checks are made beside each other."""
        waves = -(-len(self.checks) // AT_ONCE_MAX)
        return waves * max(check.settings.timeout for check in self.checks)

    def named(self, name: str) -> service.Service:
        """The same as the core knows it, under a name."""
        return service.Service(
            name=name,
            terms=ServiceTerms(interval=self.interval, misses=self.misses, obliges=self.obliges),
            intrudes=any(check.settings.intrudes for check in self.checks),
        )


def _definitions(value: Any, info: ValidationInfo) -> Mapping[str, Service]:
    if not isinstance(value, Mapping):
        raise Wrong("is not a mapping", "write names of services, each with its checks")
    _check_many(value)
    return _made(value, info)


def _of_device(value: Any, info: ValidationInfo) -> Mapping[str, Service | None]:
    """What a device has, by name; None where its customer or the site says what that is."""
    if isinstance(value, str):
        names = value.split()
        if any(_unfit(name) for name in names):
            raise Wrong(f"holds what {NO_NAME.wrong}", NO_NAME.mend)
        value = names
    if isinstance(value, list | tuple):
        _check_many(value)
        return dict.fromkeys(_NAMES.validate_python([*zip(value, range(len(value)), repeat(value))]))
    if not isinstance(value, Mapping):
        raise Wrong("is not a list of services", "write their names, or a mapping of names and checks")
    _check_many(value)
    own = {name: given for name, given in value.items() if given is not None or _unfit(name)}
    found = _made(own, info)
    return {name: found.get(name) for name in value}


def _made(value: Mapping[Any, Any], info: ValidationInfo) -> Mapping[str, Service]:
    """The services of a mapping. What is wrong with one, or with its name, hides nothing of the others."""
    fields: dict[str, Any] = {}
    for number, name in enumerate(value):
        wrong = _unfit(name)
        fields[f"of_{number}"] = (_refused(wrong) if wrong else Service, Field(alias=name))
    together = create_model("Services", __base__=Section, **fields)
    found = together.model_validate(dict(value), context=info.context)
    return {name: getattr(found, f"of_{number}") for number, name in enumerate(value)}


def _refused(wrong: Wrong) -> Any:
    """The type of what cannot be right, whatever it is."""

    def refuse(_value: Any) -> Any:
        raise wrong

    return Annotated[Any, BeforeValidator(refuse)]


def _check_many(names: Sized) -> None:
    if len(names) > SERVICES_MAX:
        raise Wrong(f"has {len(names)} services", f"write at most {SERVICES_MAX}")


NO_NAME = Wrong(
    "is not the name of a service",
    "write names such as www, email or ftp: a-z, 0-9, dot, hyphen and underscore",
)


def _unfit(name: Any) -> Wrong | None:
    """Why something cannot name a service, and be part of a signal's name."""
    if not isinstance(name, str) or not re.fullmatch(ID_PATTERN, name):
        return NO_NAME
    if name == service.PING:
        return Wrong("is the look at the device itself", "choose another name for the service")
    return None


def _one_of(place: tuple[Any, int, Sequence[Any]]) -> str:
    """A name in a list: fit, and no other's."""
    name, number, names = place
    wrong = _unfit(name)
    if wrong:
        raise wrong
    if names.index(name) != number:
        raise Wrong("is named twice", "remove one of the two")
    return str(name)


_NAMES: Final[TypeAdapter[list[str]]] = TypeAdapter(list[Annotated[str, BeforeValidator(_one_of)]])


def _dump(value: Mapping[str, Service | None]) -> dict[str, Any]:
    return {name: None if one is None else one.model_dump(mode="json") for name, one in value.items()}


def _shape(handler: GetJsonSchemaHandler) -> Shape:
    together = create_model("EveryService", __base__=Section, one=(Service, ...))
    found = handler.resolve_ref_schema(handler(together.__pydantic_core_schema__))
    one: Shape = found["properties"]["one"]
    return one


class _DefinitionsShape:
    @classmethod
    def __get_pydantic_json_schema__(cls, _core: CoreSchema, handler: GetJsonSchemaHandler) -> Shape:
        return {"type": "object", "additionalProperties": _shape(handler)}


class _OfDeviceShape:
    @classmethod
    def __get_pydantic_json_schema__(cls, _core: CoreSchema, handler: GetJsonSchemaHandler) -> Shape:
        mapping = {"type": "object", "additionalProperties": {"anyOf": [_shape(handler), {"type": "null"}]}}
        return {"anyOf": [{"type": "string"}, {"type": "array", "items": {"type": "string"}}, mapping]}


Definitions = Annotated[
    Mapping[str, Service], PlainValidator(_definitions), PlainSerializer(_dump), _DefinitionsShape()
]
"""Services by name, for devices that name them."""

OfDevice = Annotated[
    Mapping[str, Service | None], PlainValidator(_of_device), PlainSerializer(_dump), _OfDeviceShape()
]
"""The services of a device."""

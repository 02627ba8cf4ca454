"""What is of one of several kinds, as it is written: its own keys, and one more, the kind, with its settings.

No kind is named here: a kind is a module of a room, and the module owns the shape of its settings.
"""

from __future__ import annotations

import difflib
from functools import cache
from types import ModuleType
from typing import Any, ClassVar

from pydantic import (
    BaseModel,
    Field,
    GetJsonSchemaHandler,
    SerializerFunctionWrapHandler,
    ValidationInfo,
    create_model,
    model_serializer,
    model_validator,
)
from pydantic_core import CoreSchema

from hostwatch.configuration.mistake import Wrong
from hostwatch.configuration.strict import Section

INNER = ("kind", "settings")


class OfKind(Section):
    """A mapping with one key that is a kind of the room. A heir says which room, and adds keys of its own."""

    rooms: ClassVar[ModuleType]
    """The package that is the room."""

    what: ClassVar[str]
    """The word for one of its kinds."""

    kind: str = Field(exclude=True)
    settings: Any = Field(exclude=True)

    @classmethod
    def own_keys(cls) -> tuple[str, ...]:
        """The keys that may stand beside the kind."""
        return tuple(name for name in cls.model_fields if name not in INNER)

    @model_validator(mode="before")
    @classmethod
    def _from_one_key(cls, value: Any, info: ValidationInfo) -> Any:
        if not isinstance(value, dict) or isinstance(value.get("settings"), BaseModel):
            return value
        kinds = [key for key in value if key not in cls.own_keys()]
        if len(kinds) != 1:
            known = ", ".join(cls.rooms.kinds())
            how = "names no" if not kinds else "names more than one"
            raise Wrong(f"{how} {cls.what}", f"write one of {known}, with its settings")
        (kind,) = kinds
        cls._check_kind(kind)
        given = value[kind]
        wrapper = _wrapper(kind, cls.rooms.room(kind).Settings)
        found = wrapper.model_validate({kind: {} if given is None else given}, context=info.context)
        rest = {key: one for key, one in value.items() if key != kind}
        return {**rest, "kind": kind, "settings": getattr(found, "inside")}  # noqa: B009 - made below

    @classmethod
    def _check_kind(cls, kind: object) -> None:
        kinds = cls.rooms.kinds()
        if kind in kinds:
            return
        near = difflib.get_close_matches(str(kind), [*kinds, *cls.own_keys()], 1)
        hint = f"did you mean {near[0]}?" if near else f"write one of {', '.join(kinds)}"
        named = isinstance(kind, str) and kind.isidentifier() and len(kind) <= 40
        what = cls.what
        raise Wrong(f"{kind} is not a {what}" if named else f"this is not a {what}", hint)

    @model_serializer(mode="wrap")
    def _as_written(self, handler: SerializerFunctionWrapHandler) -> dict[str, Any]:
        settings: BaseModel = self.settings
        return {**handler(self), self.kind: settings.model_dump(mode="json", by_alias=True)}

    @classmethod
    def __get_pydantic_json_schema__(cls, core: CoreSchema, handler: GetJsonSchemaHandler) -> dict[str, Any]:
        own: dict[str, Any] = {
            name: (info.annotation, info) for name, info in cls.model_fields.items() if name not in INNER
        }
        kinds: dict[str, Any] = {
            f"of_{number}": (cls.rooms.room(kind).Settings | None, Field(default=None, alias=kind))
            for number, kind in enumerate(cls.rooms.kinds())
        }
        together = create_model(f"Every{cls.__name__}", __base__=Section, **own, **kinds)
        found = handler.resolve_ref_schema(handler(together.__pydantic_core_schema__))
        return {**found, "description": cls.__doc__}


@cache
def _wrapper(kind: str, settings: type[BaseModel]) -> type[BaseModel]:
    """Validates with the kind as part of the place of each mistake."""
    return create_model(f"OfKind_{kind}", __base__=Section, inside=(settings, Field(alias=kind)))

"""The parts of the configuration that belong to the room of channels.

No kind is named here: a kind is a module of the room, and the module owns the shape of its settings.
So a new channel is one new file, and the configuration, its schema and its mistakes follow.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping
from functools import cache
from typing import Annotated, Any

from pydantic import (
    BaseModel,
    Field,
    GetJsonSchemaHandler,
    PlainSerializer,
    PlainValidator,
    ValidationInfo,
    create_model,
    model_serializer,
    model_validator,
)
from pydantic_core import CoreSchema

from hostwatch import channels
from hostwatch.configuration.duration import Duration, between, shown
from hostwatch.configuration.mistake import Wrong
from hostwatch.configuration.strict import Section
from hostwatch.core.capacity import Lane
from hostwatch.core.proof import Proof

MAIL_KIND = "email"
"""Its site settings stand under `mail:`, at the top, since every site has them."""


WAIT = "wait"
"""The key of a rung that is no kind of channel."""

Shape = dict[str, Any]
"""A piece of JSON Schema."""


class Rung(Section):
    """One way to reach a contact: a mapping of the kind of channel to its settings, perhaps with a `wait`."""

    kind: str
    settings: BaseModel
    wait: Annotated[Duration, between("100ms", "12h")] | None = None
    """How long it may fail before the next is tried too; as `notices.next_channel_after` says, if absent."""

    @model_validator(mode="before")
    @classmethod
    def _from_one_key(cls, value: Any, info: ValidationInfo) -> Any:
        if isinstance(value, dict) and isinstance(value.get("settings"), BaseModel):
            return value
        rest = {key: one for key, one in value.items() if key != WAIT} if isinstance(value, dict) else {}
        if not isinstance(value, dict) or len(rest) != 1:
            raise Wrong(
                "is not one channel", "write one kind and its settings, such as email: ops@acme.example"
            )
        ((kind, given),) = rest.items()
        check_kind(kind)
        waits = {WAIT: value[WAIT]} if WAIT in value else {}
        return {"kind": kind, "settings": _keyed(kind, channels.room(kind).Settings, given, info), **waits}

    def proves(self, sites: Mapping[str, BaseModel]) -> Proof:
        """What this channel proves at best, with what the site sets for each kind."""
        found: Proof = getattr(self.settings, "proves_with")(sites.get(self.kind))  # noqa: B009 - of every Entry
        return found

    def lane(self, sites: Mapping[str, BaseModel]) -> tuple[str, Lane]:
        """What a message is planned to go by, and how much of that there is."""
        found: tuple[str, Lane] = getattr(self.settings, "lane_with")(self.kind, sites.get(self.kind))  # noqa: B009
        return found

    def path(self, sites: Mapping[str, BaseModel]) -> str:
        """By what a message leaves the house."""
        found: str = getattr(self.settings, "path_with")(self.kind, sites.get(self.kind))  # noqa: B009
        return found

    def wrong(self, sites: Mapping[str, BaseModel]) -> Wrong | None:
        """Why it cannot be used with what the site sets for each kind."""
        found: Wrong | None = getattr(self.settings, "wrong_among")(self.kind, sites)  # noqa: B009
        return found

    @model_serializer
    def _as_one_key(self) -> dict[str, Any]:
        waits = {} if self.wait is None else {WAIT: shown(self.wait)}
        return {self.kind: self.settings.model_dump(mode="json", by_alias=True), **waits}

    @classmethod
    def __get_pydantic_json_schema__(cls, _core: CoreSchema, handler: GetJsonSchemaHandler) -> Shape:
        return {
            "description": "One way to reach a contact: one kind of channel and its settings.",
            "type": "object",
            "properties": {
                **_shapes("Settings", channels.kinds(), handler),
                WAIT: {"type": "string", "examples": ["3m"]},
            },
            "minProperties": 1,
            "maxProperties": 2,
            "additionalProperties": False,
        }


def _shapes(name: str, kinds: Iterable[str], handler: GetJsonSchemaHandler) -> Shape:
    """The JSON Schema of a model of each kind's module, by kind, with its short form if it has one."""
    fields: dict[str, Any] = {
        f"of_{number}": (getattr(channels.room(kind), name), Field(alias=kind))
        for number, kind in enumerate(kinds)
    }
    together = create_model(f"Every{name}", __base__=Section, **fields)
    found = handler.resolve_ref_schema(handler(together.__pydantic_core_schema__))
    shapes: Shape = found["properties"]
    return shapes


def check_kind(kind: object) -> None:
    """Refuse what is no channel. What is not shaped like a name is not repeated: it may be a secret."""
    kinds = channels.kinds()
    if kind in kinds:
        return
    near = difflib.get_close_matches(str(kind), kinds, 1)
    hint = f"did you mean {near[0]}?" if near else f"write one of {', '.join(kinds)}"
    named = isinstance(kind, str) and kind.isidentifier() and len(kind) <= 40
    raise Wrong(f"{kind} is not a channel" if named else "this is not a channel", hint)


def _keyed(kind: str, model: type[BaseModel], given: Any, info: ValidationInfo) -> BaseModel:
    """Validate with the kind as part of the place of each mistake."""
    if isinstance(given, model):
        return given
    found = _wrapper(kind, model).model_validate({kind: given}, context=info.context)
    validated: BaseModel = getattr(found, "inside")  # noqa: B009 - the wrapper is made below
    return validated


@cache
def _wrapper(kind: str, model: type[BaseModel]) -> type[BaseModel]:
    return create_model(f"One_{kind}", __base__=Section, inside=(model, Field(alias=kind)))


def _mail(value: Any, info: ValidationInfo) -> BaseModel | None:
    if value is None or isinstance(value, BaseModel):
        return value
    site: type[BaseModel] = channels.room(MAIL_KIND).Site
    return site.model_validate(value, context=info.context)


def _sites(value: Any, info: ValidationInfo) -> Mapping[str, BaseModel]:
    if not isinstance(value, dict):
        raise Wrong("is not a mapping", "write kinds of channels, each with its settings")
    for kind in value:
        if kind == MAIL_KIND:
            raise Wrong(f"{MAIL_KIND} is set elsewhere", "write its settings under mail:, at the top")
        check_kind(kind)
    fields: dict[str, Any] = {
        f"site_{number}": (channels.room(kind).Site, Field(alias=kind)) for number, kind in enumerate(value)
    }
    found = create_model("Sites", __base__=Section, **fields).model_validate(value, context=info.context)
    return {kind: getattr(found, f"site_{number}") for number, kind in enumerate(value)}


class _MailShape:
    @classmethod
    def __get_pydantic_json_schema__(cls, _core: CoreSchema, handler: GetJsonSchemaHandler) -> Shape:
        return {"anyOf": [*_shapes("Site", (MAIL_KIND,), handler).values(), {"type": "null"}]}


class _SitesShape:
    @classmethod
    def __get_pydantic_json_schema__(cls, _core: CoreSchema, handler: GetJsonSchemaHandler) -> Shape:
        kinds = [kind for kind in channels.kinds() if kind != MAIL_KIND]
        return {
            "type": "object",
            "properties": _shapes("Site", kinds, handler),
            "additionalProperties": False,
        }


def _dump(value: Any) -> Any:
    if isinstance(value, BaseModel):
        return value.model_dump(mode="json", by_alias=True)
    if isinstance(value, Mapping):
        return {kind: _dump(item) for kind, item in value.items()}
    return None


Mail = Annotated[BaseModel | None, PlainValidator(_mail), PlainSerializer(_dump), _MailShape()]
"""What the site sets for email."""

Sites = Annotated[Mapping[str, BaseModel], PlainValidator(_sites), PlainSerializer(_dump), _SitesShape()]
"""What the site sets for the other kinds of channels, by kind."""

"""Who is authorised when, as it is written: stretches of time, what people are bound to, and rotations."""

from __future__ import annotations

import re
from typing import Annotated, Any

from pydantic import AfterValidator, BeforeValidator, Field, ValidationInfo, field_validator, model_validator

from hostwatch.configuration.fields import Id, Zone
from hostwatch.configuration.mistake import Wrong
from hostwatch.configuration.moment import ClockTime, Day, Moment
from hostwatch.configuration.rung import check_kind
from hostwatch.configuration.strict import Section
from hostwatch.core.roster import Concern, Right

ID_MAX_CHARS = 63
PATTERN = r"[a-z0-9*][a-z0-9._*-]*"
TURN_DAYS_MAX = 366
"""The longest turn of a rotation, in days."""


def _check_right(value: Any) -> Any:
    if value in list(Right):
        return value
    raise Wrong("is not a right", f"write one of {', '.join(Right)}")


def _check_concern(value: Any) -> Any:
    if value in list(Concern):
        return value
    raise Wrong("is nothing that people are told of", f"write one of {', '.join(Concern)}")


def _check_channel(value: str) -> str:
    check_kind(value)
    return value


def _check_pattern(value: str) -> str:
    if len(value) <= ID_MAX_CHARS and re.fullmatch(PATTERN, value):
        return value
    raise Wrong(
        "is neither a device nor a pattern of devices",
        "write the id of a device, or one with * such as web-*",
    )


RightTerm = Annotated[Right, BeforeValidator(_check_right)]
ConcernTerm = Annotated[Concern, BeforeValidator(_check_concern)]
DevicePattern = Annotated[
    str, AfterValidator(_check_pattern), Field(json_schema_extra={"pattern": f"^{PATTERN}$"})
]
"""The id of a device; with `*` all whose ids fit, also those that come later."""


class Validity(Section):
    """From when until when."""

    from_: Annotated[Moment | None, Field(alias="from")] = None
    """A day, from its midnight; or an instant. Always so, if absent."""

    until: Moment | None = None
    """A day, which belongs to it; or an instant, which does not. For ever, if absent."""


class Absence(Section):
    """A time in which somebody is away."""

    from_: Annotated[Moment, Field(alias="from")]
    """The first day, or the instant at which it begins."""

    until: Moment
    """The last day, or the instant at which it ends."""


class QuietHours(Section):
    """When some channels rest, each day."""

    from_: Annotated[ClockTime, Field(alias="from")]
    """The hour of the clock at which they begin."""

    until: ClockTime
    """The hour at which they end, perhaps of the next day."""

    channels: tuple[Annotated[str, AfterValidator(_check_channel)], ...] = ()
    """The kinds of channels that rest; all, if absent."""

    @field_validator("until")
    @classmethod
    def _is_another(cls, value: str, info: ValidationInfo) -> str:
        if value == info.data.get("from_"):
            raise Wrong("is the hour at which they begin", "write another, or remove the quiet hours")
        return value


class Bound(Section):
    """What somebody is told of; what is absent binds nothing."""

    devices: tuple[Id, ...] = ()
    """The devices of the customer that they are told of, where an emergency is one device's own."""

    groups: tuple[Id, ...] = ()
    """The groups of devices that they are told of, as the customer's `groups` name them."""

    services: tuple[Id, ...] = ()
    """The services that they are told of; also when a device falls silent with one of them."""

    kinds: tuple[ConcernTerm, ...] = ()
    """power, connectivity, service."""

    @model_validator(mode="after")
    def _says_something(self) -> Bound:
        if not (self.devices or self.groups or self.services or self.kinds):
            raise Wrong("binds nothing", "write devices, groups, services or kinds, or remove it")
        return self


class Instead(Section):
    """Somebody takes over in a rotation for a time: over holidays, say."""

    who: Id
    """The contact who is on call."""

    from_: Annotated[Moment, Field(alias="from")]
    """The first day, or the instant at which it begins."""

    until: Moment
    """The last day, or the instant at which it ends."""


class Rotation(Section):
    """Contacts who take turns at being on call."""

    id: Id
    """Names the rotation in all records; unique among the contacts and rotations of the customer."""

    people: tuple[Id, ...]
    """The contacts who take turns, in their order."""

    from_: Annotated[Day, Field(alias="from")]
    """The day of the first hand-over. Before it nobody is on call."""

    at: ClockTime = "00:00"
    """The hour of the clock at which is handed over."""

    days: Annotated[int, Field(ge=1, le=TURN_DAYS_MAX, strict=True)] = 7
    """The length of a turn, by the calendar."""

    timezone: Zone | None = None
    """The zone of these days and hours; the customer's if absent."""

    instead: tuple[Instead, ...] = ()
    """Who takes over when, whosever turn it is. No two at one time."""

    @field_validator("people")
    @classmethod
    def _somebody(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        if not value:
            raise Wrong("names nobody", "write the ids of the contacts who take turns")
        return value

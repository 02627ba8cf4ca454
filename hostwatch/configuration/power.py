"""Power as it is written: who sees it, and what it comes by on its way from the utility to the racks.

The words are those of the field's inventories. No kind of source is named here: each is a module of the room
of power sources.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Annotated, Any, ClassVar, Final, Literal

from pydantic import (
    AwareDatetime,
    BeforeValidator,
    Field,
    PlainSerializer,
    TypeAdapter,
    ValidationError,
    ValidationInfo,
    field_validator,
    model_validator,
)

from hostwatch import power
from hostwatch.configuration.duration import Duration, between
from hostwatch.configuration.expression import Expression
from hostwatch.configuration.fields import Id, Listen, PushesAddress, Text, TrapsAddress
from hostwatch.configuration.mistake import Wrong
from hostwatch.configuration.of_kind import OfKind
from hostwatch.configuration.service import Misses
from hostwatch.configuration.strict import Section
from hostwatch.core import instant
from hostwatch.core.element import Element, Kind

ELEMENTS_MAX = 20_000
"""Elements of one kind, and sources."""

PLANNED_MAX = 1_000

MeasuredAt = Literal["source", "outlet"]
OneEvent = Literal["both", "power"]


def _witnesses(value: Any) -> Any:
    """One witness, or several, as the core has them: with commas between."""
    if isinstance(value, list | tuple) and all(isinstance(one, str) for one in value):
        return ",".join(value)
    return value


def _check_instant(value: Any) -> Any:
    mend = "write it with its zone, such as 2026-12-01T01:00:00+08:00"
    try:
        found = datetime.fromisoformat(value) if isinstance(value, str) else value
    except ValueError:
        found = None
    if not isinstance(found, datetime):
        raise Wrong("is not an instant", mend)
    if found.tzinfo is None:
        raise Wrong("is an instant without a zone", mend)
    return found


Witness = Annotated[str, BeforeValidator(_witnesses)]
Instant = Annotated[
    AwareDatetime,
    BeforeValidator(_check_instant),
    PlainSerializer(lambda value: instant.rfc3339(value)),
]


class Source(OfKind):
    """Something that is asked what it knows of power: one kind and its settings."""

    rooms: ClassVar = power
    what: ClassVar[str] = "power source"

    id: Id
    """Names the source in all records, and where elements say who sees them."""


class _Element(Section):
    """What power comes by."""

    id: Id
    """Names it in all records; unique among all elements."""

    source: Witness | None = None
    """Who sees it: a source, or a point of one, as source/point; or a list of such."""


class Utility(_Element):
    """A line of the utility, or a generator that stands for it."""


class Ups(_Element):
    """An uninterruptible power supply."""

    input: Expression
    """What it hangs on: a utility, or several, as any(grid-1, grid-2)."""


class TransferSwitch(_Element):
    """What takes power from one of several inputs."""

    input: Expression
    """What it hangs on, as any(ups-a, grid-2)."""


class Panel(_Element):
    """A power panel, from which feeds go to racks."""

    input: Expression
    """What it hangs on."""


class Feed(_Element):
    """A power feed: the line from a panel to a rack."""

    panel: Expression
    """The panel that it comes from, or whatever else it hangs on."""

    rack: Id | None = None
    """The rack that it goes to. Devices of the rack that name no feeds hang on any of all its feeds."""

    type: Literal["primary", "redundant"] = "primary"
    """Whether it is the rack's primary feed or a redundant one."""


class Pdu(_Element):
    """A power strip, whose outlets devices may hang on: pdu-r1a/outlet 7."""

    feed: Expression
    """The feed that it hangs on."""


class Planned(Section):
    """Work that is planned on an element."""

    element: Id
    """What is worked on."""

    from_: Annotated[Instant, Field(alias="from")]
    """When it begins, with its zone."""

    until: Instant
    """When it ends."""

    what: Text
    """What is done, for people."""

    @field_validator("until")
    @classmethod
    def _after(cls, value: datetime, info: ValidationInfo) -> datetime:
        began = info.data.get("from_")
        if began is not None and value <= began:
            raise Wrong("is not after from", "write when the work ends")
        return value


class Power(Section):
    """Who sees the power of this site, and how it comes to the racks."""

    interval: Annotated[Duration, between("100ms", "1h")] = timedelta(seconds=10)
    """Time between two readings of a source."""

    misses: Misses = 2
    """Readings in a row that find the power interrupted and make an emergency."""

    measured_at: MeasuredAt = "source"
    """Where power is measured, unless a customer's terms say otherwise: `source`, by the words of the
    agreement, or `outlet`, what reaches the customer."""

    one_event: OneEvent = "both"
    """Whether a silence while the power is interrupted counts in `both` promises, or in `power` alone, unless
    a customer's terms say otherwise."""

    runtime_low: Annotated[Duration, between("0s", "1d")] = timedelta(minutes=10)
    """Operators are warned of a battery that lasts no longer than this."""

    traps: TrapsAddress = None
    """Where traps and informs come in, an address of ours and a port such as 0.0.0.0:1162, of all sources of
    kinds that have such. A source may have its own, or `off`."""

    listen: PushesAddress = None
    """Where what sources push comes in, an address of ours and a port such as 127.0.0.1:8476, of all sources
    that push."""

    sources: tuple[Source, ...] = Field(default=(), max_length=ELEMENTS_MAX)
    """Who is asked what it knows of power."""

    utilities: tuple[Utility, ...] = Field(default=(), max_length=ELEMENTS_MAX)
    """The lines of the utility."""

    ups: tuple[Ups, ...] = Field(default=(), max_length=ELEMENTS_MAX)
    """The uninterruptible power supplies."""

    transfer_switches: tuple[TransferSwitch, ...] = Field(default=(), max_length=ELEMENTS_MAX)
    """What takes power from one of several inputs."""

    panels: tuple[Panel, ...] = Field(default=(), max_length=ELEMENTS_MAX)
    """The power panels."""

    feeds: tuple[Feed, ...] = Field(default=(), max_length=ELEMENTS_MAX)
    """The power feeds, from panels to racks."""

    pdus: tuple[Pdu, ...] = Field(default=(), max_length=ELEMENTS_MAX)
    """The power strips of the racks."""

    planned: tuple[Planned, ...] = Field(default=(), max_length=PLANNED_MAX)
    """Work that is planned on elements, of which operators are warned while the other side is ill."""

    @model_validator(mode="before")
    @classmethod
    def _heard_where_all_are(cls, value: Any) -> Any:
        """Each source that can be heard, and says nothing else of it, is heard where all are."""
        if not isinstance(value, dict) or not isinstance(sources := value.get("sources"), list | tuple):
            return value
        for name, kind in _HEARD.items():
            try:
                at = kind.validate_python(value.get(name))
            except ValidationError:
                continue  # which is said of that alone
            if at is not None:
                sources = [_heard_at(name, str(at), source) for source in sources]
        return {**value, "sources": sources}

    def elements(self) -> Iterator[tuple[str, int, Element]]:
        """All elements as the core knows them, each with the list that it stands in and its place there."""
        for name, kind in KINDS.items():
            for place, one in enumerate(getattr(self, name)):
                yield name, place, _element(kind, one)


def _heard_at(name: str, at: str, source: Any) -> Any:
    for kind in power.kinds():
        written = source.get(kind) if isinstance(source, dict) else None
        if isinstance(written, dict) and name in power.room(kind).Settings.model_fields:
            return {**source, kind: {name: at, **written}}
    return source


_HEARD: Final[dict[str, TypeAdapter[Listen | None]]] = {
    "traps": TypeAdapter(TrapsAddress),
    "listen": TypeAdapter(PushesAddress),
}
"""Where sources that speak by themselves are heard: what is written for all of them."""

KINDS = {
    "utilities": Kind.UTILITY,
    "ups": Kind.UPS,
    "transfer_switches": Kind.TRANSFER_SWITCH,
    "panels": Kind.PANEL,
    "feeds": Kind.FEED,
    "pdus": Kind.PDU,
}
"""What the elements of each list are."""

INPUTS = {Kind.FEED: "panel", Kind.PDU: "feed"}
"""What is not called `input`: what an element of a kind hangs on."""


def input_of(kind: Kind) -> str:
    """What the key is called that says what an element of a kind hangs on."""
    return INPUTS.get(kind, "input")


def _element(kind: Kind, written: Any) -> Element:
    return Element(
        id=written.id,
        kind=kind,
        input=getattr(written, input_of(kind), None) or "",
        witness=written.source or "",
        rack=getattr(written, "rack", None) or "",
        is_redundant=getattr(written, "type", "") == "redundant",
    )

"""Who outside is told that the watch is well, as it is written: one kind and its settings."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import timedelta
from typing import TYPE_CHECKING, Annotated, ClassVar, Final

from pydantic import BaseModel, Field

from hostwatch import heartbeats
from hostwatch.configuration.duration import Duration, between
from hostwatch.configuration.fields import Id
from hostwatch.configuration.mistake import Wrong
from hostwatch.configuration.of_kind import OfKind
from hostwatch.configuration.place import Finding
from hostwatch.configuration.rung import MAIL_KIND

if TYPE_CHECKING:
    from hostwatch.configuration.model import Configuration

HEARTBEATS_MAX: Final = 8
"""Ways to say outside that the watch is well."""


class Heartbeat(OfKind):
    """Somebody outside who is told that the watch is well, and raises an alarm when told so no more."""

    rooms: ClassVar = heartbeats
    what: ClassVar[str] = "heartbeat"

    id: Id | None = None
    """Names it in warnings and metrics. Default: its kind."""

    every: Annotated[Duration, between("1s", "7d")] | None = None
    """Time between two beats. Default: 1m by url, 24h by email."""

    @property
    def name(self) -> str:
        """What it is called."""
        return self.id or self.kind

    @property
    def interval(self) -> timedelta:
        """The time between two beats."""
        default: timedelta = heartbeats.room(self.kind).EVERY
        return self.every or default


Heartbeats = Annotated[tuple[Heartbeat, ...], Field(max_length=HEARTBEATS_MAX)]


def mistakes(configuration: Configuration) -> Iterator[Finding]:
    """Each has a name of its own, and those by email need the site's relay."""
    yield from _mistakes(configuration.heartbeat, configuration.site_settings)


def _mistakes(beats: tuple[Heartbeat, ...], sites: Mapping[str, BaseModel]) -> Iterator[Finding]:
    seen: set[str] = set()
    for number, one in enumerate(beats):
        if one.name in seen:
            yield ("heartbeat", number), Wrong(f"another is called {one.name}", "give each an id: of its own")
        seen.add(one.name)
        if one.kind == MAIL_KIND and MAIL_KIND not in sites:
            yield (
                ("heartbeat", number),
                Wrong("email needs settings of the site", "write mail: at the top of the main file"),
            )

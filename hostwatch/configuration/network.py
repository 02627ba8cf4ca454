"""The network of the house as it is written: switches, on whose ports devices hang."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated

from pydantic import Field

from hostwatch.configuration.duration import Duration
from hostwatch.configuration.expression import Expression
from hostwatch.configuration.fields import DeviceAddress, Id, Text
from hostwatch.configuration.service import INTERVAL
from hostwatch.configuration.strict import Section

SWITCHES_MAX = 20_000


class Switch(Section):
    """A switch, or a gateway of a room: it is pinged, and its silence obliges nobody by itself."""

    id: Id
    """Names it in all records, and where devices say on which port they hang: sw-1/7."""

    name: Text | None = None
    """What it is called; its id if absent."""

    address: DeviceAddress
    """The address that is pinged."""

    behind: Expression | None = None
    """The switches that it hangs on itself: core-1, or any(core-1, core-2)."""

    uplink: Id | None = None
    """The uplink by which it reaches the carrier."""

    interval: Annotated[Duration, INTERVAL] = timedelta(minutes=1)
    """Time between two pings."""


class Network(Section):
    """The network of the house."""

    switches: tuple[Switch, ...] = Field(default=(), max_length=SWITCHES_MAX)
    """The switches on whose ports devices hang."""

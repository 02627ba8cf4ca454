"""The network of the house as it is written: switches, on whose ports devices hang."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated, ClassVar

from pydantic import Field

from hostwatch import ports
from hostwatch.configuration.duration import Duration, between
from hostwatch.configuration.expression import Expression, Uplinks
from hostwatch.configuration.fields import DeviceAddress, Id, Text
from hostwatch.configuration.of_kind import OfKind
from hostwatch.configuration.service import INTERVAL
from hostwatch.configuration.strict import Section

SWITCHES_MAX = 20_000

MONTHS_MAX = 120


class Ports(OfKind):
    """How a switch is asked about its ports: one kind and its settings."""

    rooms: ClassVar = ports
    what: ClassVar[str] = "port witness"

    interval: Annotated[Duration, between("5s", "5m")] = timedelta(minutes=1)
    """Time between two readings. Traffic is told by five minutes, so they are no further apart."""


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

    uplink: Uplinks | None = None
    """The uplink by which it reaches the carrier, or several: any(main, backup)."""

    rack: Id | None = None
    """The rack in which it stands."""

    feeds: Expression | None = None
    """The power feeds, or outlets of power strips, that it hangs on: any(r1-a, r1-b). Default: any of all
    feeds of its rack."""

    interval: Annotated[Duration, INTERVAL] = timedelta(minutes=1)
    """Time between two pings."""

    ports: Ports | None = None
    """How it is asked about its ports; nobody asks it if absent."""


class Network(Section):
    """The network of the house."""

    switches: tuple[Switch, ...] = Field(default=(), max_length=SWITCHES_MAX)
    """The switches on whose ports devices hang."""

    traffic_months: Annotated[int, Field(ge=1, le=MONTHS_MAX, strict=True)] = 13
    """For how many months, beside the present one, the traffic of ports is kept."""

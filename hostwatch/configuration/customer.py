"""Customers as they are written: one mapping each, whether in the main file or in one of their own."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BeforeValidator, Field, ValidationInfo, field_validator

from hostwatch import reach
from hostwatch.configuration.duration import Duration, between, shown
from hostwatch.configuration.expression import Expression, Uplinks
from hostwatch.configuration.fields import DeviceAddress, Id, Language, Text, Zone
from hostwatch.configuration.method import DEFAULT, MethodLine, Witness
from hostwatch.configuration.mistake import Wrong
from hostwatch.configuration.power import MeasuredAt, OneEvent
from hostwatch.configuration.roster import (
    Absence,
    Bound,
    DevicePattern,
    QuietHours,
    RightTerm,
    Rotation,
    Validity,
)
from hostwatch.configuration.rung import Rung
from hostwatch.configuration.service import INTERVAL, Definitions, Misses, OfDevice
from hostwatch.configuration.strict import Section
from hostwatch.core.device import State
from hostwatch.core.roster import Right
from hostwatch.core.terms import Told

WITHIN = between("1s", "1d")


def _check_reminding(value: timedelta) -> timedelta:
    if value and not timedelta(minutes=5) <= value <= timedelta(days=30):
        raise Wrong(
            f"{shown(value)} is out of range", "write something from 5m to 30d, or 0s for no reminders"
        )
    return value


Reminding = Annotated[Duration, AfterValidator(_check_reminding)]
"""How often people are reminded; zero: never."""


def _check_told(value: Any) -> Any:
    if value in list(Told) or (isinstance(value, list | tuple) and value):
        return value
    raise Wrong(
        "does not say who must be told", "write any, all, or a list of the ids of the contacts who count"
    )


ToldTerm = Annotated[Told | tuple[Id, ...], BeforeValidator(_check_told)]
"""How many of a customer's people must be told: any, all, or all of those who are named."""

ProofTerm = Literal["attempted", "accepted", "delivered", "answered", "acknowledged"]
"""What proves that somebody was told."""


def _check_state(value: Any) -> Any:
    if isinstance(value, State) or value in list(State):
        return value
    raise Wrong("is not a state of a device", f"write one of {', '.join(State)}")


def _check_ladder(value: Any) -> Any:
    """Before the single rungs are looked at, so that a wrong one is not taken for a missing one."""
    if isinstance(value, list | tuple) and not value:
        raise Wrong(
            "names no way to reach the contact", "write at least one channel, as in - email: ops@acme.example"
        )
    return value


class Device(Section):
    """A customer's machine."""

    id: Id
    """Names the device in all records; unique over the whole site."""

    address: DeviceAddress
    """The IPv4 or IPv6 address that is looked at."""

    state: Annotated[State, BeforeValidator(_check_state)] = State.IN_SERVICE
    """Where the device stands in its life; only what is in service is judged."""

    method: MethodLine = DEFAULT
    """How the device is looked at: a kind, such as icmp, or a kind with its settings, such as {tcp: 443}."""

    witness: Witness | None = None
    """By what the device is known, where another machine may come to have its address."""

    shared: bool = False
    """Whether it is meant that other devices have the same address."""

    waiver: Text | None = Field(default=None, validate_default=True)
    """Where the customer's written waiver is; for a device that is not-watched, and only for it."""

    description: Text | None = None
    """For people."""

    rack: Id | None = None
    """The rack in which it stands."""

    feeds: Expression | None = None
    """The power feeds, or outlets of power strips, that it hangs on: any(r1-a, r1-b). Default: any of all
    feeds of its rack."""

    ports: Expression | None = None
    """The ports of switches that it hangs on: sw-1/7, or any(sw-1/7, sw-2/7)."""

    uplink: Uplinks | None = None
    """The uplink that its port reaches the carrier by, or several: any(main, backup). The customer's, or the
    only one, if absent."""

    services: OfDevice = Field(default_factory=dict)
    """What is watched beside the device itself: names of services that are defined for many, or its own."""

    @property
    def looked_at(self) -> str:
        """The method and the witness on one line, as the core and the record know it."""
        return reach.known_by(self.method, self.witness.mac if self.witness else "")

    @field_validator("waiver")
    @classmethod
    def _check_waiver(cls, value: str | None, info: ValidationInfo) -> str | None:
        state = info.data.get("state")
        if state is State.NOT_WATCHED and value is None:
            raise Wrong("is missing", "a device is left unwatched only by a written waiver: say where it is")
        if state is not None and state is not State.NOT_WATCHED and value is not None:
            raise Wrong("stands at a device that is watched", "remove it, or write state: not-watched")
        return value


class Contact(Section):
    """A person, or an office, that the customer authorised to be told."""

    id: Id
    """Names the contact in all records; unique within the customer."""

    name: Text
    """What the person or office is called."""

    channels: Annotated[
        tuple[Rung, ...],
        Field(max_length=20, json_schema_extra={"minItems": 1}),
        BeforeValidator(_check_ladder),
    ]
    """The ways to reach the contact, in the order in which they are tried."""

    language: Language | None = None
    """The language of notices to them; the customer's if absent."""

    valid: Validity = Validity()
    """From when until when they are authorised; always, if absent."""

    away: tuple[Absence, ...] = ()
    """When they are not there: then they are not told, and their deputy is."""

    deputy: Id | None = None
    """The contact who stands in while they are not authorised, or away."""

    when: Literal["always", "on-call"] | None = None
    """`always`, or `on-call`: only while a rotation has them on call, or they stand in for somebody. Default:
    `on-call` for whoever takes turns in a rotation, else `always`."""

    quiet: QuietHours | None = None
    """When some of their channels rest, if the agreement allows it (`terms.quiet_hours`)."""

    bound: Annotated[Bound | None, Field(alias="for")] = None
    """The devices, services and kinds of emergencies that they are told of; all, if absent."""

    rights: tuple[RightTerm, ...] = (Right.TOLD,)
    """What they are authorised to: told, operations, maintenance, contacts, claims."""


class RunningNotice(Section):
    """A running notice is accepted of what flaps, in the place of a notice for each emergency."""

    after: Annotated[int, Field(ge=2, le=100)] = 3
    """It begins with so many emergencies of one device or service,"""

    within: Annotated[Duration, between("1m", "1d")] = timedelta(hours=1)
    """in this time."""

    calm_after: Annotated[Duration, between("1m", "1d")] = timedelta(minutes=30)
    """It ends when that was up, or down, for so long."""

    every: Annotated[Duration, between("5m", "1d")] = timedelta(hours=1)
    """How often it is summed up."""


class Terms(Section):
    """What this customer's agreement says otherwise than the site's defaults."""

    interval: Annotated[Duration, INTERVAL] | None = None
    """Time between two pings of a device."""

    misses: Misses | None = None
    """Missed pings in a row that make an emergency."""

    notice_within: Annotated[Duration, WITHIN] | None = None
    """From the verdict to the latest moment at which the customer must have been told."""

    gather: Annotated[Duration, between("0s", "10m")] | None = None
    """How long a first notice waits for those of other devices that are silent."""

    gather_further: Annotated[Duration, between("0s", "1h")] | None = None
    """The same when a message has left already."""

    told: ToldTerm | None = None
    """Who must be told, that the customer was: any, all, or a list of the contacts who count."""

    met_by: ProofTerm | None = None
    """What proves that a person was told."""

    exercises: Literal["allowed", "refused"] | None = None
    """Whether exercises may be sent to the customer's people."""

    remind_every: Reminding | None = None
    """How long after the last word of an emergency that lasts people are reminded of it; 0s: never."""

    remind_acknowledged: bool | None = None
    """Whether they are reminded also of what one of the customer's people has."""

    stale_needs_warning: bool | None = None
    """Whether contact data can only be claimed to be stale if the customer had been warned of them."""

    running_notice: RunningNotice | None = None
    """When a running notice is accepted of what flaps; each emergency is told by itself, if absent."""

    quiet_hours: Literal["refused", "allowed"] | None = None
    """Whether contacts may have quiet hours. No deadline is moved by them."""

    verify_every: Annotated[Duration, between("0s", "3650d")] | None = None
    """How often each way to a contact is verified again; 0s: never."""

    power_measured_at: MeasuredAt | None = None
    """Where power is measured: `source`, by the words of the agreement, or `outlet`, what reaches the
    customer."""

    one_event: OneEvent | None = None
    """Whether a silence while the power is interrupted counts in `both` promises, or in `power` alone."""

    @property
    def named(self) -> tuple[str, ...]:
        """The contacts who count, where not all do."""
        return self.told if isinstance(self.told, tuple) else ()

    @property
    def own(self) -> dict[str, Any]:
        """What is set."""
        return {name: value for name in type(self).model_fields if (value := getattr(self, name)) is not None}


class Customer(Section):
    """Who is owed what: the people to tell and the devices to watch."""

    id: Id
    """Names the customer in all records; unique over the whole site."""

    name: Text
    """What the customer is called."""

    language: Language = "en"
    """The language of notices."""

    timezone: Zone | None = None
    """The time zone of the times in notices; the site's if absent."""

    contacts: tuple[Contact, ...] = ()
    """The authorised people, in the order in which they are told."""

    rotations: tuple[Rotation, ...] = ()
    """Contacts who take turns at being on call, and are authorised while they are."""

    devices: tuple[Device, ...] = ()
    """The customer's machines."""

    groups: Mapping[Id, tuple[DevicePattern, ...]] = Field(default_factory=dict)
    """Groups of the customer's devices that contacts can be bound to: lists of ids, or of patterns such as
    web-*."""

    uplink: Uplinks | None = None
    """The uplink, or several, of the customer's devices that name none; the only one, if absent."""

    services: Definitions = Field(default_factory=dict)
    """What services are that this customer's devices name; before those of the site."""

    terms: Terms = Terms()
    """What this customer's agreement says otherwise than the site's defaults."""

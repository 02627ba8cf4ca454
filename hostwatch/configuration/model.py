"""The whole configuration as one frozen value. Its fields and their sentences are the documentation.

Defaults that depend on another setting shrink with it, so that a laboratory can run in seconds what
a datacentre runs in minutes by writing `interval: 2s` and nothing else.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from functools import cached_property
from ipaddress import ip_address
from typing import Annotated, Any, Literal

from pydantic import BaseModel, Field, ValidationInfo, field_validator

from hostwatch.configuration.checks import Checks
from hostwatch.configuration.customer import Customer
from hostwatch.configuration.duration import Duration, between, shown
from hostwatch.configuration.fields import (
    FilePath,
    GatewayAddress,
    Globs,
    Id,
    Listen,
    ListenAddress,
    Store,
    Text,
    Zone,
)
from hostwatch.configuration.heartbeat import Heartbeats
from hostwatch.configuration.mistake import Wrong
from hostwatch.configuration.network import Network, Switch
from hostwatch.configuration.notices import WITHIN_DEFAULT as WITHIN_DEFAULT
from hostwatch.configuration.notices import Notices as Notices
from hostwatch.configuration.packets import Limits, Packets
from hostwatch.configuration.power import MeasuredAt, Power
from hostwatch.configuration.rung import MAIL_KIND, Mail, Sites
from hostwatch.configuration.service import INTERVAL, Definitions, Misses, Service
from hostwatch.configuration.sight import Sight
from hostwatch.configuration.sight import Written as WrittenSight
from hostwatch.configuration.strict import Section
from hostwatch.configuration.uplink import INTERVAL_DEFAULT as UPLINK_INTERVAL
from hostwatch.configuration.uplink import UPLINKS_MAX, Uplink
from hostwatch.configuration.web import Api, Web
from hostwatch.core.proof import Proof
from hostwatch.core.terms import AgreementTerms, RunningTerms, TellingTerms, Told

INTERVAL_DEFAULT = timedelta(minutes=5)


def _tenth_of_interval(data: Mapping[str, Any]) -> timedelta:
    """A second, or a tenth of an interval that is shorter than ten."""
    interval: timedelta = data.get("interval", INTERVAL_DEFAULT)
    return min(timedelta(seconds=1), interval / 10)


def _follow_up(data: Mapping[str, Any]) -> timedelta:
    """Half a minute, or a tenth of a shorter interval."""
    interval: timedelta = data.get("interval", INTERVAL_DEFAULT)
    return max(min(timedelta(seconds=30), interval / 10), timedelta(milliseconds=10))


def _twelve_intervals(data: Mapping[str, Any]) -> timedelta:
    """An hour, or as long as twelve looks take if that is less."""
    interval: timedelta = data.get("interval", INTERVAL_DEFAULT)
    return min(timedelta(hours=1), 12 * interval)


class Site(Section):
    """Which site this is."""

    name: Text
    """What the site is called in notices and reports."""

    timezone: Zone
    """The IANA time zone in which months begin and end, and in which times are shown."""

    vantage: Id = "main"
    """The name of the point from which we look; every signal carries it."""


class Schedule(Section):
    """How devices are watched, unless a customer's terms say otherwise."""

    interval: Annotated[Duration, INTERVAL] = INTERVAL_DEFAULT
    """Time between two pings of a device."""

    misses: Misses = 2
    """Missed pings in a row that make an emergency."""

    attempts: Annotated[int, Field(ge=1, le=10, strict=True)] = 3
    """Packets of one ping; one answer is enough."""

    spacing: Annotated[Duration, between("1ms", "1h")] = Field(default_factory=_tenth_of_interval)
    """Time between two packets of a ping. Default: 1s, or a tenth of a shorter interval."""

    timeout: Annotated[Duration, between("1ms", "1h")] = Field(
        default_factory=_tenth_of_interval, validate_default=True
    )
    """How long the answer to the last packet is waited for. Default: 1s, or a tenth of a shorter interval."""

    follow_up: Annotated[Duration, between("10ms", "1h")] = Field(default_factory=_follow_up)
    """Time between two looks at a device that fell silent, beside the schedule. They find the edges of an
    outage and never count as misses. Default: 30s, or a tenth of the interval if that is less."""

    follow_up_for: Annotated[Duration, between("0s", "7d")] = Field(default_factory=_twelve_intervals)
    """How long after its first miss a device is looked at so; 0s: not at all. Default: 1h, or 12 intervals if
    that is less."""

    path: Literal["on", "off"] = "off"
    """Whether we look where the path breaks when a device falls silent, once for all of a /24 or /48 that do
    so within a minute. It decides nothing."""

    @field_validator("timeout")
    @classmethod
    def _fits(cls, value: timedelta, info: ValidationInfo) -> timedelta:
        if {"interval", "attempts", "spacing"} <= info.data.keys():
            need, interval = info.data["attempts"] * info.data["spacing"] + value, info.data["interval"]
            if need > interval:
                raise Wrong(
                    f"attempts x spacing + timeout make {shown(need)}, the interval is {shown(interval)}",
                    "lengthen the interval, or shorten spacing or timeout",
                )
        return value


class ContactCare(Section):
    """How contact data are kept true."""

    stale_needs_warning: bool = True
    """Whether contact data can only be claimed to be stale if the customer had been warned of them, unless a
    customer's terms say otherwise."""

    verify_every: Annotated[Duration, between("0s", "3650d")] = timedelta(days=180)
    """How often each way to a contact is verified again, by itself; 0s: never."""


class Log(Section):
    """What the daemon says about itself."""

    format: Literal["auto", "text", "json"] = "auto"
    """`auto` writes text to a terminal and JSON elsewhere."""

    level: Literal["debug", "info", "warning", "error"] = "info"
    """The least important events that are written."""


class Metrics(Section):
    """What Prometheus is told."""

    devices: Literal["auto", "on", "off"] = "auto"
    """Whether /metrics has the samples of each device: auto, if there are 1,000 devices at most."""


class Configuration(Section):
    """All that hostwatch is told by its operators."""

    site: Site
    """Which site this is."""

    store: Store
    """Where facts are kept: sqlite:///PATH, relative to this file, or sqlite:////PATH, absolute."""

    mail: Mail = None
    """The site's mail relay and sender, for contacts that have email."""

    channels: Sites = Field(default_factory=dict)
    """What the site sets for the other kinds of channels."""

    schedule: Schedule = Field(default_factory=Schedule)
    """How devices are watched."""

    packets: Packets = Packets()
    """What each packet is like, where routers or firewalls care."""

    limits: Limits = Limits()
    """How many packets may leave in a second."""

    checks: Checks = Checks()
    """How the applications of devices are looked at."""

    notices: Notices = Field(default_factory=Notices)
    """How people are told."""

    contacts: ContactCare = ContactCare()
    """How contact data are kept true."""

    sight: WrittenSight = Sight()
    """By whom we know that we see: our own gateways, and beacons outside. When they are silent, we are blind,
    and no device is blamed."""

    silent: tuple[GatewayAddress, ...] = Field(default=(), max_length=4)
    """Addresses at which there is nobody. When one answers, answers are made up, and not believed."""

    uplinks: tuple[Uplink, ...] = Field(default=(), max_length=UPLINKS_MAX)
    """The ways to the carrier, each seen by reference points beyond it."""

    power: Power = Power()
    """Who sees the power of this site, and how it comes to the racks."""

    network: Network = Network()
    """The switches on whose ports devices hang."""

    services: Definitions = Field(default_factory=dict)
    """What services are that devices name."""

    operator: Id | None = None
    """The customer whose contacts are the operator's own people, told of each outage of an uplink."""

    control: FilePath | None = None
    """The daemon's control socket; the store's path with .sock added, if absent."""

    listen: ListenAddress = Listen(ip_address("127.0.0.1"), 9464)
    """Where /metrics and /-/healthy are served: a loopback address and a port, or off."""

    heartbeat: Heartbeats = ()
    """Who outside is told that the watch is well, and raises an alarm when told so no more."""

    web: Web | None = None
    """The desk for customers and programs. Absent: there is none, and notices have no links."""

    api: Api = Api()
    """Which programs may use the API."""

    metrics: Metrics = Metrics()
    """What Prometheus is told."""

    log: Log = Log()
    """What the daemon says about itself."""

    include: Globs = ()
    """Files with one customer each: a path or pattern, or several, relative to this file."""

    customers: tuple[Customer, ...] = ()
    """Whom we watch for."""

    inventory: Globs = ()
    """Files with many devices each, CSV or YAML: a path or pattern, or several, relative to this file."""

    @cached_property
    def site_settings(self) -> Mapping[str, BaseModel]:
        """What the site sets for each kind of channel, by kind; kinds without settings are absent."""
        return dict(self.channels) if self.mail is None else {MAIL_KIND: self.mail, **self.channels}

    def schedule_of(self, customer: Customer) -> Schedule:
        """How this customer's devices are watched. Raises `ValueError` if that is not possible."""
        own = {name: value for name, value in customer.terms.own.items() if name in Schedule.model_fields}
        if not own:
            return self.schedule
        return Schedule(**{**_set(self.schedule), **own})

    def notices_of(self, customer: Customer) -> Notices:
        """How this customer's people are told. Raises `ValueError` if that is not possible."""
        terms = customer.terms
        own = {"within": terms.notice_within, "gather": terms.gather, "gather_further": terms.gather_further}
        own = {name: value for name, value in own.items() if value is not None}
        return Notices(**{**_set(self.notices), **own}) if own else self.notices

    def terms_of(self, customer: Customer) -> AgreementTerms:
        """What was promised to this customer."""
        own = customer.terms
        return AgreementTerms(
            interval=own.interval or self.schedule.interval,
            misses=own.misses or self.schedule.misses,
            notice_within=own.notice_within or self.notices.within,
            one_event=own.one_event or self.power.one_event,
        )

    def telling_of(self, customer: Customer) -> TellingTerms:
        """When this customer was told."""
        own, told = customer.terms, customer.terms.told or self.notices.told
        return TellingTerms(
            told=told if isinstance(told, Told) else Told.ALL,
            named=own.named,
            met_by=Proof(own.met_by or self.notices.met_by),
            exercises=(own.exercises or self.notices.exercises) == "allowed",
            running=None if own.running_notice is None else RunningTerms(**dict(own.running_notice)),
            remind_every=self.notices.remind_every if own.remind_every is None else own.remind_every,
            remind_acknowledged=own.remind_acknowledged
            if own.remind_acknowledged is not None
            else self.notices.remind_acknowledged,
            stale_needs_warning=self.contacts.stale_needs_warning
            if own.stale_needs_warning is None
            else own.stale_needs_warning,
        )

    def verify_every_of(self, customer: Customer) -> timedelta:
        """How often the ways to this customer's contacts are verified again; zero: never."""
        own = customer.terms.verify_every
        return self.contacts.verify_every if own is None else own

    def measured_at(self, customer: Customer) -> MeasuredAt:
        """Where this customer's power is measured."""
        return customer.terms.power_measured_at or self.power.measured_at

    @property
    def asks_sources(self) -> bool:
        """Whether anything of the house is asked what it knows: of power, or of ports."""
        return bool(self.power.sources) or any(switch.ports for switch in self.network.switches)

    def power_terms(self) -> AgreementTerms:
        """How sources are asked and supplies are watched."""
        return AgreementTerms(
            interval=self.power.interval, misses=self.power.misses, notice_within=self.notices.within
        )

    def switch_terms(self, switch: Switch) -> AgreementTerms:
        """How a switch is watched."""
        return AgreementTerms(
            interval=switch.interval, misses=self.schedule.misses, notice_within=self.notices.within
        )

    def uplink_terms(self, uplink: Uplink) -> AgreementTerms:
        """How an uplink is watched."""
        return AgreementTerms(
            interval=uplink.interval or min(UPLINK_INTERVAL, self.schedule.interval),
            misses=self.schedule.misses,
            notice_within=self.notices.within,
        )

    def uplink_of(self, customer: Customer) -> str | None:
        """The uplink of a customer's devices that do not name another; None if nobody said."""
        only = self.uplinks[0].id if len(self.uplinks) == 1 else None
        return customer.uplink or only

    def services_of(self, customer: Customer) -> Mapping[str, Service]:
        """The services that a customer's devices may name: their own definitions before the site's."""
        return {**self.services, **customer.services}

    def timezone_of(self, customer: Customer) -> str:
        """The time zone of the times that this customer is told."""
        return customer.timezone or self.site.timezone


def _set(section: Section) -> dict[str, Any]:
    """What is written, without what follows from defaults."""
    return {name: getattr(section, name) for name in section.model_fields_set}

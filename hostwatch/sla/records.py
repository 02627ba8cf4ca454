"""What the record says, as values: silences, emergencies, histories of devices and what they hang on."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import StrEnum

from hostwatch.core.instant import second
from hostwatch.core.lastseen import LastSeen
from hostwatch.core.service import device_in, service_in
from hostwatch.core.timeline import Span, Timeline
from hostwatch.core.uplink import parsed


class Ending(StrEnum):
    """How a silence ended."""

    ANSWERED = "answered"
    CUT = "cut"
    """Nobody answered: the clock stepped, or the device was no longer watched."""

    OPEN = "open"
    """It goes on."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SilenceRecord:
    """From a first miss to the next answer, with all four dates (J3)."""

    signal: str
    last_answer: datetime
    first_miss: datetime
    last_miss: datetime
    until: datetime
    """The first answer, or where the silence was cut, or now while it goes on."""

    ending: Ending
    confirmed: bool
    """Whether it led to a verdict (J4)."""

    cause: str = ""
    """What the rules found last; empty if none was looked for: there was no verdict, or long ago."""

    confidence: str = ""

    @property
    def first_answer(self) -> datetime | None:
        """The answer that ended the silence, if one did."""
        return self.until if self.ending is Ending.ANSWERED else None

    @property
    def point(self) -> Span:
        """First miss to first answer: what counts as down."""
        return spanned(self.first_miss, self.until)

    @property
    def inner(self) -> Span:
        """First miss to last miss: what is certain."""
        return spanned(self.first_miss, min(self.last_miss, self.until))

    @property
    def outer(self) -> Span:
        """Last answer to first answer: what is possible."""
        return spanned(self.last_answer, self.until)


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportRecord:
    """What a person said of an emergency that they reported. It is counted in no figure (J4)."""

    devices: tuple[str, ...]
    service: str
    """Empty: the devices themselves."""

    since: datetime
    earliest: datetime | None
    latest: datetime | None
    by: str
    """Who recorded it."""

    evidence: tuple[str, ...]
    """The SHA-256 of each file that shows it."""

    until: datetime | None = None
    """None: nobody has said when it was over."""

    def covers(self, signals: Iterable[str]) -> bool:
        """Whether it is about one of some signals."""
        return any(device_in(one) in self.devices and service_in(one) == self.service for one in signals)


@dataclass(frozen=True, slots=True, kw_only=True)
class EmergencyRecord:
    """A confirmed outage that obliged us to tell."""

    reference: str
    customer: str
    device: str
    """Empty, as is the customer, for the emergency of an uplink, a supply or a switch."""

    signal: str
    last_answer: datetime
    first_miss: datetime
    opened_at: datetime
    """The verdict."""

    ended_at: datetime | None = None
    """When the recovery was known, or the watching ended; None while it goes on."""

    first_answer: datetime | None = None
    withdrawn: bool = False
    """It ended because the device, or the uplink, was no longer watched."""

    uplink: str = ""
    """The uplink that it is of; else empty."""

    joined: tuple[str, ...] = ()
    """Other signals whose outages were told under it (J8, J10)."""

    @property
    def is_shared(self) -> bool:
        """Whether it is of a supply or a switch, on which several devices hang."""
        return not self.device and not self.uplink

    stated: str = ""
    """The cause that a person states; empty if nobody does."""

    report: ReportRecord | None = None
    """What a person said, if it was opened by their word; else None."""

    corrected_at: datetime | None = None
    """When a person said that it was a false alarm; None: nobody did. No figure changes by that."""

    corrected_by: str = ""
    """Who recorded that."""

    def covers(self, signals: Collection[str]) -> bool:
        """Whether it tells of one of some signals."""
        if self.report is not None and self.report.covers(signals):
            return True
        return any(signal in signals for signal in (self.signal, *self.joined))


@dataclass(frozen=True, slots=True, kw_only=True)
class BlindRecord:
    """A time in which we could not look, or could not believe what we saw."""

    why: str
    since: datetime
    until: datetime | None
    """None while it goes on."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Tenure:
    """A stretch of time in which a device was billed to one customer, unchanged."""

    customer: str
    device: str
    address: str
    signal: str
    watched: bool
    span: Span
    uplink: str | None = None
    """The uplink that its port reached the carrier by, as far as anybody said."""

    supply: str | None = None
    """The supply of power that was promised, as far as anybody said."""


@dataclass(frozen=True, slots=True, kw_only=True)
class UplinkHistory:
    """All that is known of one uplink."""

    uplink: str
    name: str
    """What it was called last."""

    service: Timeline
    """The seconds in which its reference points, or its members', were to be looked at."""

    unknown: Timeline
    """Seconds for which no round of looks speaks."""

    silences: tuple[SilenceRecord, ...] = ()
    emergencies: tuple[EmergencyRecord, ...] = ()

    @property
    def members(self) -> tuple[str, ...]:
        """Of a redundancy group, which its name says: the uplinks that it joins."""
        whole = parsed(self.uplink)
        return whole.names if whole.parts else ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Reach:
    """The seconds in which a device's port reached the carrier by an uplink, or a group, if by any way."""

    uplink: UplinkHistory
    span: Timeline


class Because(StrEnum):
    """Why nobody could say whether a supply was interrupted."""

    SILENT = "source silent"
    UNDECIDED = "undecided"
    """All were heard, and what they said did not decide it."""

    CONTRADICTION = "contradiction"
    NOT_LOOKED = "not looked"
    """The watch did not ask: it was stopped, or behind."""

    NOT_PROVEN = "not proven"
    """It was never seen with power yet."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DoubtRecord:
    """A time in which nobody could say whether a supply was interrupted."""

    since: datetime
    until: datetime
    """Now, while it goes on."""

    is_open: bool
    why: str
    because: Because
    silent: tuple[str, ...]
    """The sources with a word in it that were not heard when it began."""

    seen: LastSeen
    """How it was seen last."""

    @property
    def span(self) -> Span:
        """Its whole seconds."""
        return spanned(self.since, self.until)

    def until_also(self, later: DoubtRecord) -> DoubtRecord:
        """One doubt out of this one and the one that follows it."""
        return replace(self, until=later.until, is_open=later.is_open)


@dataclass(frozen=True, slots=True, kw_only=True)
class SupplyHistory:
    """All that is known of one supply of power."""

    supply: str
    measured_at: str
    """`source` or `outlet`; it follows from what the supply is called."""

    service: Timeline
    """The seconds in which what sources say was to be read for it."""

    unknown: Timeline
    """Seconds for which no reading speaks."""

    silences: tuple[SilenceRecord, ...] = ()
    """Interruptions, by the agreement's rule."""

    emergencies: tuple[EmergencyRecord, ...] = ()
    """Those that told of it, alone or with other supplies."""

    doubts: tuple[DoubtRecord, ...] = ()
    """Its unknown time, as far as readings tell of it, in the order of time."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Hanging:
    """The seconds in which a device hung on a supply."""

    supply: SupplyHistory
    span: Timeline


@dataclass(frozen=True, slots=True, kw_only=True)
class ServiceHistory:
    """All that is known of one service of a device, for one customer."""

    name: str
    tenures: tuple[Tenure, ...]
    """When the device had it; each with the signal that judged it."""

    unknown: Timeline
    silences: tuple[SilenceRecord, ...] = ()
    emergencies: tuple[EmergencyRecord, ...] = ()
    """Its own, and those that told of it."""

    @property
    def service(self) -> Timeline:
        """The seconds in which it was to be looked at, or was waived with its device."""
        return Timeline.of(tenure.span for tenure in self.tenures)


@dataclass(frozen=True, slots=True, kw_only=True)
class DeviceHistory:
    """All that a customer's account of one device needs."""

    customer: str
    device: str
    tenures: tuple[Tenure, ...]
    unknown: Timeline
    """Seconds for which no reading speaks; also outside the time in service."""

    silences: tuple[SilenceRecord, ...] = ()
    emergencies: tuple[EmergencyRecord, ...] = ()
    reaches: tuple[Reach, ...] = ()
    """By uplink. In the seconds of none of them nobody measured whether the carrier could be reached."""

    power_alone: Timeline = field(default_factory=Timeline)
    """The seconds in which the agreement counts one event in power alone, and not in the network too."""

    hanging: tuple[Hanging, ...] = ()
    """By supply. In the seconds of none of them nobody measured its power."""

    services: tuple[ServiceHistory, ...] = ()
    """By name."""

    @property
    def service(self) -> Timeline:
        """The seconds in which the device was billed."""
        return Timeline.of(tenure.span for tenure in self.tenures)


@dataclass(frozen=True, slots=True, kw_only=True)
class History:
    """What the record says until `now`."""

    now: datetime
    devices: tuple[DeviceHistory, ...]
    """By customer and device. A device that changed customers stands under each."""

    uplinks: tuple[UplinkHistory, ...] = ()
    supplies: tuple[SupplyHistory, ...] = ()
    blind: tuple[BlindRecord, ...] = ()
    customers: frozenset[str] = frozenset()
    """All customers that there have ever been."""


def spanned(start: datetime, end: datetime) -> Span:
    """Whole seconds; empty when the end is not after the start."""
    first = second(start)
    return Span(first, max(first, second(end)))

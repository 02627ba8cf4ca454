"""What the record says about each device: when it was in service, silent, or not spoken for.

Facts end what they tell of: a silence is known by the fact that ended or cut it, a gap by the
reading after it. What is still open comes from the present signals and lasts until `now`. Instants
are floored to seconds here, once, when spans are made.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from hostwatch.core import facts
from hostwatch.core.instant import EPOCH, second
from hostwatch.core.population import State
from hostwatch.core.signal import Signal
from hostwatch.core.timeline import Span, Timeline

LASTING: tuple[type[facts.Fact], ...] = (
    facts.PopulationChanged,
    facts.ClockStepped,
    facts.EmergencyOpened,
    facts.EmergencyEnded,
)
"""Facts that may matter however old they are."""

ENDING: tuple[type[facts.Fact], ...] = (
    facts.SilenceEnded,
    facts.SilenceCut,
    facts.Unspoken,
    facts.BlindEnded,
)
"""Facts dated at the end of what they tell: one from before a period says nothing about it."""

BILLED = (State.IN_SERVICE, State.NOT_WATCHED)


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

    @property
    def first_answer(self) -> datetime | None:
        """The answer that ended the silence, if one did."""
        return self.until if self.ending is Ending.ANSWERED else None

    @property
    def point(self) -> Span:
        """First miss to first answer: what counts as down."""
        return _span(self.first_miss, self.until)

    @property
    def inner(self) -> Span:
        """First miss to last miss: what is certain."""
        return _span(self.first_miss, min(self.last_miss, self.until))

    @property
    def outer(self) -> Span:
        """Last answer to first answer: what is possible."""
        return _span(self.last_answer, self.until)


@dataclass(frozen=True, slots=True, kw_only=True)
class EmergencyRecord:
    """A confirmed outage that obliged us to tell."""

    reference: str
    customer: str
    device: str
    signal: str
    last_answer: datetime
    first_miss: datetime
    opened_at: datetime
    """The verdict."""

    ended_at: datetime | None = None
    """When the recovery was known, or the watching ended; None while it goes on."""

    first_answer: datetime | None = None
    withdrawn: bool = False
    """It ended because the device was no longer watched."""


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

    blind: tuple[BlindRecord, ...] = ()
    customers: frozenset[str] = frozenset()
    """All customers that there have ever been."""


def fold(
    happened: Iterable[facts.Fact],
    signals: Mapping[str, Signal],
    blind: Mapping[str, datetime],
    now: datetime,
) -> History:
    """The history that recorded facts and the present signals tell.

    `LASTING` facts must come in the order of the record, and all of them; `ENDING` facts may be
    left out if they are dated before what is asked for, and may come in any order.
    """
    folding = _Folding(now=now)
    for fact in happened:
        folding.take(fact)
    folding.present(signals, blind)
    return folding.history()


@dataclass(slots=True, kw_only=True)
class _Version:
    """A device as the latest fact left it."""

    customer: str
    state: State
    address: str
    signal: str
    since: datetime


@dataclass(slots=True, kw_only=True)
class _Folding:
    """The fold while it goes on."""

    now: datetime
    versions: dict[str, _Version] = field(default_factory=dict)
    tenures: dict[tuple[str, str], list[Tenure]] = field(default_factory=lambda: defaultdict(list))
    silences: dict[str, list[SilenceRecord]] = field(default_factory=lambda: defaultdict(list))
    gaps: dict[str, list[Span]] = field(default_factory=lambda: defaultdict(list))
    runs: list[Span] = field(default_factory=list)
    """The runs of the clock that a step ended."""

    run_since: datetime = EPOCH
    """When the present run of the clock began; the first began before anybody looked."""

    nobodys: Timeline = field(default_factory=Timeline)
    emergencies: dict[str, EmergencyRecord] = field(default_factory=dict)
    blind: list[BlindRecord] = field(default_factory=list)
    customers: set[str] = field(default_factory=set)

    def take(self, fact: facts.Fact) -> None:
        """Take one fact up. Kinds that say nothing about time are passed over."""
        match fact:
            case facts.PopulationChanged():
                self._changed(fact)
            case facts.ClockStepped():
                self._stepped(fact)
            case facts.SilenceEnded():
                self._silence(fact, Ending.ANSWERED)
            case facts.SilenceCut():
                self._silence(fact, Ending.CUT)
            case facts.Unspoken():
                self.gaps[fact.signal].append(_span(fact.since, fact.at))
            case facts.EmergencyOpened() | facts.EmergencyEnded():
                self._emergency(fact)
            case facts.BlindEnded():
                self.blind.append(BlindRecord(why=fact.why, since=fact.since, until=fact.at))
            case _:
                pass

    def _changed(self, fact: facts.PopulationChanged) -> None:
        self.customers.add(fact.customer)
        if fact.thing != "device":
            return
        before = self.versions.pop(fact.name, None)
        if before is not None:
            self._close(fact.name, before, fact.at)
        state = State(fact.state)
        if state in BILLED:
            self.versions[fact.name] = _Version(
                customer=fact.customer,
                state=state,
                address=fact.body["address"],
                signal=fact.body["signal"],
                since=fact.at,
            )

    def _close(self, device: str, version: _Version, until: datetime) -> None:
        self.tenures[version.customer, device].append(
            Tenure(
                customer=version.customer,
                device=device,
                address=version.address,
                signal=version.signal,
                watched=version.state is State.IN_SERVICE,
                span=_span(version.since, until),
            )
        )

    def _stepped(self, fact: facts.ClockStepped) -> None:
        """After a step back the same seconds come again: a stretch of service ends and begins anew.

        Each run of the clock, from one step to the next, shows its seconds once. Those that no run
        showed, and those that more than one did, are nobody's.
        """
        self.runs.append(_span(self.run_since, fact.before))
        self.run_since = fact.at
        if fact.at < fact.before:
            for device, version in self.versions.items():
                self._close(device, version, fact.before)
                version.since = fact.at

    def _silence(self, fact: facts.SilenceEnded | facts.SilenceCut, ending: Ending) -> None:
        self.silences[fact.signal].append(
            SilenceRecord(
                signal=fact.signal,
                last_answer=fact.last_answer,
                first_miss=fact.first_miss,
                last_miss=fact.last_miss,
                until=fact.at,
                ending=ending,
                confirmed=fact.confirmed,
            )
        )

    def _emergency(self, fact: facts.EmergencyOpened | facts.EmergencyEnded) -> None:
        if isinstance(fact, facts.EmergencyOpened):
            self.emergencies[fact.reference] = EmergencyRecord(
                reference=fact.reference,
                customer=fact.customer,
                device=fact.device,
                signal=fact.signal,
                last_answer=fact.last_answer,
                first_miss=fact.first_miss,
                opened_at=fact.at,
            )
            return
        opened = self.emergencies[fact.reference]
        self.emergencies[fact.reference] = EmergencyRecord(
            reference=opened.reference,
            customer=opened.customer,
            device=opened.device,
            signal=opened.signal,
            last_answer=opened.last_answer,
            first_miss=opened.first_miss,
            opened_at=opened.opened_at,
            ended_at=fact.at,
            first_answer=fact.first_answer,
            withdrawn=fact.withdrawn,
        )

    def present(self, signals: Mapping[str, Signal], blind: Mapping[str, datetime]) -> None:
        """Add what is still open: silences, gaps, stretches of service, blindness."""
        for signal in signals.values():
            since = signal.unspoken_since(self.now)
            if since is not None:
                self.gaps[signal.name].append(_span(since, self.now))
            if signal.silence is not None:
                self.silences[signal.name].append(self._open(signal))
        self.nobodys = _nobodys([*self.runs, _span(self.run_since, self.now)]) if self.runs else Timeline()
        for device, version in self.versions.items():
            self._close(device, version, self.now)
            if version.state is State.IN_SERVICE and version.signal not in signals:
                self.gaps[version.signal].append(_span(version.since, self.now))
        self.blind.extend(BlindRecord(why=why, since=since, until=None) for why, since in blind.items())

    def _open(self, signal: Signal) -> SilenceRecord:
        assert signal.silence is not None
        return SilenceRecord(
            signal=signal.name,
            last_answer=signal.silence.last_answer,
            first_miss=signal.silence.first_miss,
            last_miss=signal.silence.last_miss,
            until=self.now,
            ending=Ending.OPEN,
            confirmed=signal.verdict is not None,
        )

    def history(self) -> History:
        """The finished value."""
        told: dict[tuple[str, str], list[EmergencyRecord]] = defaultdict(list)
        for emergency in self.emergencies.values():
            told[emergency.customer, emergency.device].append(emergency)
        devices = tuple(
            self._device(customer, device, tenures, told[customer, device])
            for (customer, device), tenures in sorted(self.tenures.items())
        )
        return History(
            now=self.now,
            devices=devices,
            blind=tuple(sorted(self.blind, key=lambda record: (record.since, record.why))),
            customers=frozenset(self.customers),
        )

    def _device(
        self, customer: str, device: str, tenures: list[Tenure], told: list[EmergencyRecord]
    ) -> DeviceHistory:
        names = sorted({tenure.signal for tenure in tenures})
        silences = [silence for name in names for silence in self.silences.get(name, ())]
        return DeviceHistory(
            customer=customer,
            device=device,
            tenures=tuple(sorted(tenures, key=lambda tenure: tenure.span)),
            unknown=Timeline.of(self._unknown(names, tenures)),
            silences=tuple(sorted(silences, key=lambda silence: (silence.first_miss, silence.until))),
            emergencies=tuple(told),
        )

    def _unknown(self, names: Iterable[str], tenures: Iterable[Tenure]) -> Iterator[Span]:
        yield from self.nobodys
        for name in names:
            yield from self.gaps.get(name, ())
        yield from (tenure.span for tenure in tenures if not tenure.watched)


def _nobodys(runs: Iterable[Span]) -> Timeline:
    """The seconds that no run of the clock showed, and those that more than one did."""
    shown, again = Timeline(), Timeline()
    for run in runs:
        seconds = Timeline.of([run])
        again |= shown & seconds
        shown |= seconds
    last = max((span.end for span in shown), default=0)
    return again | (Timeline.between(0, last) - shown)


def _span(start: datetime, end: datetime) -> Span:
    """Whole seconds; empty when the end is not after the start."""
    first = second(start)
    return Span(first, max(first, second(end)))

"""What the record says of devices, uplinks and supplies: when in service, silent, or not spoken for.

Facts end what they tell of: a silence is known by the fact that ended or cut it, a gap by the
reading after it. What is still open comes from the present signals and lasts until `now`. Instants
are floored to seconds here, once, when spans are made.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime

from hostwatch.core import facts, supply
from hostwatch.core.instant import EPOCH
from hostwatch.core.population import State
from hostwatch.core.signal import Signal
from hostwatch.core.timeline import Span, Timeline
from hostwatch.core.uplink import PREFIX
from hostwatch.sla.records import (
    BlindRecord,
    DeviceHistory,
    EmergencyRecord,
    Ending,
    Hanging,
    History,
    Reach,
    ServiceHistory,
    SilenceRecord,
    SupplyHistory,
    Tenure,
    UplinkHistory,
    spanned,
)
from hostwatch.sla.version import Version, thing_in, thing_of, version_of

LASTING: tuple[type[facts.Fact], ...] = (
    facts.PopulationChanged,
    facts.ClockStepped,
    facts.EmergencyOpened,
    facts.UplinkEmergencyOpened,
    facts.SupplyEmergencyOpened,
    facts.SwitchEmergencyOpened,
    facts.EmergencyJoined,
    facts.EmergencyEnded,
    facts.CauseFound,
    facts.CauseStated,
)
"""Facts that may matter however old they are."""

ENDING: tuple[type[facts.Fact], ...] = (
    facts.SilenceEnded,
    facts.SilenceCut,
    facts.Unspoken,
    facts.BlindEnded,
)
"""Facts dated at the end of what they tell: one from before a period says nothing about it."""

Opened = (
    facts.EmergencyOpened
    | facts.UplinkEmergencyOpened
    | facts.SupplyEmergencyOpened
    | facts.SwitchEmergencyOpened
)


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
class _Folding:
    """The fold while it goes on."""

    now: datetime
    versions: dict[str, Version] = field(default_factory=dict)
    tenures: dict[tuple[str, str], list[Tenure]] = field(default_factory=lambda: defaultdict(list))
    served: dict[tuple[str, str], dict[str, list[Tenure]]] = field(default_factory=lambda: defaultdict(dict))
    """The stretches in which a customer's device had each of its services."""

    shared: dict[str, list[EmergencyRecord]] = field(default_factory=lambda: defaultdict(list))
    """By device, the emergencies of what it hangs on under which it was told of; by supply, its own."""

    silences: dict[str, list[SilenceRecord]] = field(default_factory=lambda: defaultdict(list))
    gaps: dict[str, list[Span]] = field(default_factory=lambda: defaultdict(list))
    runs: list[Span] = field(default_factory=list)
    """The runs of the clock that a step ended."""

    run_since: datetime = EPOCH
    """When the present run of the clock began; the first began before anybody looked."""

    nobodys: Timeline = field(default_factory=Timeline)
    names: dict[str, str] = field(default_factory=dict)
    """What uplinks were called last."""

    points: dict[str, str] = field(default_factory=dict)
    """Where supplies are measured."""

    causes: dict[tuple[str, datetime], tuple[str, str]] = field(default_factory=dict)
    """What the rules found last of each outage, by signal and first miss: cause and confidence."""

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
                self.gaps[fact.signal].append(spanned(fact.since, fact.at))
            case facts.EmergencyOpened() | facts.UplinkEmergencyOpened():
                self._opened(fact)
            case facts.SupplyEmergencyOpened() | facts.SwitchEmergencyOpened():
                self._opened(fact)
            case facts.EmergencyJoined():
                told = self.emergencies[fact.reference]
                self.emergencies[fact.reference] = replace(told, joined=(*told.joined, fact.signal))
            case facts.EmergencyEnded():
                self._ended(fact)
            case facts.CauseFound() | facts.CauseStated():
                self._cause(fact)
            case facts.BlindEnded():
                self.blind.append(BlindRecord(why=fact.why, since=fact.since, until=fact.at))
            case _:
                pass

    def _changed(self, fact: facts.PopulationChanged) -> None:
        if fact.customer:
            self.customers.add(fact.customer)
        thing = thing_of(fact)
        if thing is None:
            return
        before, now = self.versions.pop(thing, None), version_of(fact)
        if before is not None:
            self._close(thing, before, fact.at)
        if now is not None:
            self.versions[thing] = now

    def _close(self, device: str, version: Version, until: datetime) -> None:
        tenure = version.tenure(device, until)
        self.tenures[version.customer, device].append(tenure)
        for service, signal in version.signals:
            mine = self.served[version.customer, device].setdefault(service, [])
            mine.append(replace(tenure, signal=signal))
        if version.name:
            self.names[device] = version.name
        if version.measured_at:
            self.points[device] = version.measured_at

    def _stepped(self, fact: facts.ClockStepped) -> None:
        """After a step back the same seconds come again: a stretch of service ends and begins anew.

        Each run of the clock, from one step to the next, shows its seconds once. Those that no run
        showed, and those that more than one did, are nobody's.
        """
        self.runs.append(spanned(self.run_since, fact.before))
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

    def _opened(self, fact: Opened) -> None:
        customer, device, uplink = "", "", ""
        if isinstance(fact, facts.EmergencyOpened):
            customer, device = fact.customer, fact.device
        elif isinstance(fact, facts.UplinkEmergencyOpened):
            uplink = fact.uplink
        self.emergencies[fact.reference] = EmergencyRecord(
            reference=fact.reference,
            customer=customer,
            device=device,
            uplink=uplink,
            signal=fact.signal,
            last_answer=fact.last_answer,
            first_miss=fact.first_miss,
            opened_at=fact.at,
        )

    def _ended(self, fact: facts.EmergencyEnded) -> None:
        self.emergencies[fact.reference] = replace(
            self.emergencies[fact.reference],
            ended_at=fact.at,
            first_answer=fact.first_answer,
            withdrawn=fact.withdrawn,
        )

    def present(self, signals: Mapping[str, Signal], blind: Mapping[str, datetime]) -> None:
        """Add what is still open: silences, gaps, stretches of service, blindness."""
        for signal in signals.values():
            since = signal.unspoken_since(self.now)
            if since is not None:
                self.gaps[signal.name].append(spanned(since, self.now))
            if signal.silence is not None:
                self.silences[signal.name].append(self._open(signal))
        self.nobodys = _nobodys([*self.runs, spanned(self.run_since, self.now)]) if self.runs else Timeline()
        for device, version in self.versions.items():
            self._close(device, version, self.now)
            if version.state is State.IN_SERVICE:
                for name in (version.signal, *(signal for _, signal in version.signals)):
                    if name not in signals:
                        self.gaps[name].append(spanned(version.since, self.now))
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
            if emergency.is_shared:
                for signal in (emergency.signal, *emergency.joined):
                    self.shared[thing_in(signal)].append(emergency)
            else:
                told[emergency.customer, emergency.device or PREFIX + emergency.uplink].append(emergency)
        uplinks = {
            thing.removeprefix(PREFIX): self._uplink(thing, tenures, told[customer, thing])
            for (customer, thing), tenures in sorted(self.tenures.items())
            if thing.startswith(PREFIX)
        }
        supplies = {
            thing.removeprefix(supply.PREFIX): self._supply(thing, tenures, self._all([], thing))
            for (_, thing), tenures in sorted(self.tenures.items())
            if thing.startswith(supply.PREFIX)
        }
        devices = tuple(
            self._device(customer, thing, tenures, self._all(told[customer, thing], thing), uplinks, supplies)
            for (customer, thing), tenures in sorted(self.tenures.items())
            if not thing.startswith((PREFIX, supply.PREFIX))
        )
        return History(
            now=self.now,
            devices=devices,
            uplinks=tuple(uplinks.values()),
            supplies=tuple(supplies.values()),
            blind=tuple(sorted(self.blind, key=lambda record: (record.since, record.why))),
            customers=frozenset(self.customers),
        )

    def _all(self, own: list[EmergencyRecord], device: str) -> list[EmergencyRecord]:
        """A thing's own emergencies, and those of what it hangs on under which it was told of."""
        every = {one.reference: one for one in (*own, *self.shared.get(device, ()))}
        return sorted(every.values(), key=lambda one: (one.opened_at, one.reference))

    def _uplink(self, thing: str, tenures: list[Tenure], told: list[EmergencyRecord]) -> UplinkHistory:
        names = sorted({tenure.signal for tenure in tenures})
        return UplinkHistory(
            uplink=thing.removeprefix(PREFIX),
            name=self.names[thing],
            service=Timeline.of(tenure.span for tenure in tenures),
            unknown=Timeline.of(self._unknown(names, tenures)),
            silences=self._silences(names),
            emergencies=tuple(told),
        )

    def _supply(self, thing: str, tenures: list[Tenure], told: list[EmergencyRecord]) -> SupplyHistory:
        names = sorted({tenure.signal for tenure in tenures})
        return SupplyHistory(
            supply=thing.removeprefix(supply.PREFIX),
            measured_at=self.points[thing],
            service=Timeline.of(tenure.span for tenure in tenures),
            unknown=Timeline.of(self._unknown(names, tenures)),
            silences=self._silences(names),
            emergencies=tuple(told),
        )

    def _device(
        self,
        customer: str,
        device: str,
        tenures: list[Tenure],
        told: list[EmergencyRecord],
        uplinks: Mapping[str, UplinkHistory],
        supplies: Mapping[str, SupplyHistory],
    ) -> DeviceHistory:
        names = sorted({tenure.signal for tenure in tenures})
        served = sorted(self.served[customer, device].items())
        return DeviceHistory(
            customer=customer,
            device=device,
            tenures=tuple(sorted(tenures, key=lambda tenure: tenure.span)),
            unknown=Timeline.of(self._unknown(names, tenures)),
            silences=self._silences(names),
            emergencies=tuple(one for one in told if one.covers(names)),
            reaches=tuple(_reaches(tenures, uplinks)),
            hanging=tuple(_hanging(tenures, supplies)),
            services=tuple(self._service(name, mine, told) for name, mine in served),
        )

    def _service(self, name: str, tenures: list[Tenure], told: list[EmergencyRecord]) -> ServiceHistory:
        signals = sorted({tenure.signal for tenure in tenures})
        return ServiceHistory(
            name=name,
            tenures=tuple(sorted(tenures, key=lambda tenure: tenure.span)),
            unknown=Timeline.of(self._unknown(signals, tenures)),
            silences=self._silences(signals),
            emergencies=tuple(one for one in told if one.covers(signals)),
        )

    def _silences(self, names: Iterable[str]) -> tuple[SilenceRecord, ...]:
        silences = (self._caused(silence) for name in names for silence in self.silences.get(name, ()))
        return tuple(sorted(silences, key=lambda silence: (silence.first_miss, silence.until)))

    def _cause(self, fact: facts.CauseFound | facts.CauseStated) -> None:
        if isinstance(fact, facts.CauseFound):
            self.causes[fact.signal, fact.first_miss] = fact.cause, fact.confidence
        else:
            told = self.emergencies[fact.reference]
            self.emergencies[fact.reference] = replace(told, stated=fact.cause)

    def _caused(self, silence: SilenceRecord) -> SilenceRecord:
        found = self.causes.get((silence.signal, silence.first_miss))
        return silence if found is None else replace(silence, cause=found[0], confidence=found[1])

    def _unknown(self, names: Iterable[str], tenures: Iterable[Tenure]) -> Iterator[Span]:
        yield from self.nobodys
        for name in names:
            yield from self.gaps.get(name, ())
        yield from (tenure.span for tenure in tenures if not tenure.watched)


def _reaches(tenures: Iterable[Tenure], uplinks: Mapping[str, UplinkHistory]) -> Iterator[Reach]:
    spans: dict[str, list[Span]] = defaultdict(list)
    for tenure in tenures:
        if tenure.uplink is not None and tenure.uplink in uplinks:
            spans[tenure.uplink].append(tenure.span)
    for name, found in sorted(spans.items()):
        uplink = uplinks[name]
        yield Reach(uplink=uplink, span=Timeline.of(found) & uplink.service)


def _hanging(tenures: Iterable[Tenure], supplies: Mapping[str, SupplyHistory]) -> Iterator[Hanging]:
    spans: dict[str, list[Span]] = defaultdict(list)
    for tenure in tenures:
        if tenure.supply is not None and tenure.supply in supplies:
            spans[tenure.supply].append(tenure.span)
    for name, found in sorted(spans.items()):
        mine = supplies[name]
        yield Hanging(supply=mine, span=Timeline.of(found) & mine.service)


def _nobodys(runs: Iterable[Span]) -> Timeline:
    """The seconds that no run of the clock showed, and those that more than one did."""
    shown, again = Timeline(), Timeline()
    for run in runs:
        seconds = Timeline.of([run])
        again |= shown & seconds
        shown |= seconds
    last = max((span.end for span in shown), default=0)
    return again | (Timeline.between(0, last) - shown)

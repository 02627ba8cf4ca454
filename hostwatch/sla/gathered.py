"""What the record says, gathered fact by fact: when things were in service, and what their signals were.

Facts end what they tell of: a silence is known by the fact that ended or cut it, a gap by the
reading after it. What is still open comes from the present signals and lasts until `now`. Instants
are floored to seconds here, once, when spans are made.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime

from hostwatch.core import facts
from hostwatch.core.device import State
from hostwatch.core.instant import EPOCH
from hostwatch.core.signal import Signal
from hostwatch.core.timeline import Span, Timeline
from hostwatch.sla.doubts import Overheard
from hostwatch.sla.records import (
    BlindRecord,
    EmergencyRecord,
    Ending,
    ReportRecord,
    SilenceRecord,
    Tenure,
    spanned,
)
from hostwatch.sla.version import Version, thing_of, version_of

POWER = "power"
"""The term by which one event counts in power alone."""

Opened = (
    facts.EmergencyOpened
    | facts.UplinkEmergencyOpened
    | facts.SupplyEmergencyOpened
    | facts.SwitchEmergencyOpened
)


@dataclass(slots=True, kw_only=True)
class Gathered:
    """What was taken up so far."""

    now: datetime
    versions: dict[str, Version] = field(default_factory=dict)
    tenures: dict[tuple[str, str], list[Tenure]] = field(default_factory=lambda: defaultdict(list))
    served: dict[tuple[str, str], dict[str, list[Tenure]]] = field(default_factory=lambda: defaultdict(dict))
    """The stretches in which a customer's device had each of its services."""

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
    overheard: Overheard = field(default_factory=Overheard)
    terms: dict[str, datetime] = field(default_factory=dict)
    """The customers whose agreement counts one event in power alone, and since when."""

    agreed: dict[str, list[Span]] = field(default_factory=lambda: defaultdict(list))
    """The stretches in which it did."""

    def take(self, fact: facts.Fact) -> None:
        """Take one fact up. Kinds that say nothing about time are passed over."""
        self.overheard.take(fact)
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
                self._by_hand(fact)

    def _by_hand(self, fact: facts.Fact) -> None:
        """What people said of emergencies."""
        match fact:
            case facts.EmergencyReported():
                self._reported(fact)
            case facts.ReportEnded():
                told = self.emergencies[fact.reference]
                report = None if told.report is None else replace(told.report, until=fact.until)
                self.emergencies[fact.reference] = replace(told, report=report)
            case facts.EmergencyCorrected():
                told = self.emergencies[fact.reference]
                corrected = replace(told, corrected_at=fact.at, corrected_by=fact.actor)
                self.emergencies[fact.reference] = corrected
            case _:
                pass

    def _changed(self, fact: facts.PopulationChanged) -> None:
        if fact.customer:
            self.customers.add(fact.customer)
        if fact.thing == "customer":
            self._agreed(fact.customer, fact.at)
            if fact.body.get("terms", {}).get("one_event") == POWER:
                self.terms[fact.customer] = fact.at
        thing = thing_of(fact)
        if thing is None:
            return
        before, now = self.versions.pop(thing, None), version_of(fact)
        if before is not None:
            self._close(thing, before, fact.at)
        if now is not None:
            self.versions[thing] = now

    def _agreed(self, customer: str, until: datetime) -> None:
        since = self.terms.pop(customer, None)
        if since is not None:
            self.agreed[customer].append(spanned(since, until))

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
            for customer in [*self.terms]:
                self._agreed(customer, fact.before)
                self.terms[customer] = fact.at

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

    def _reported(self, fact: facts.EmergencyReported) -> None:
        """It is named after no signal of ours, and its dates are those that the person gave."""
        self.emergencies[fact.reference] = EmergencyRecord(
            reference=fact.reference,
            customer="",
            device="",
            signal="",
            last_answer=fact.earliest or fact.since,
            first_miss=fact.since,
            opened_at=fact.at,
            report=ReportRecord(
                devices=fact.devices,
                service=fact.service,
                since=fact.since,
                earliest=fact.earliest,
                latest=fact.latest,
                by=fact.actor,
                evidence=tuple(str(one.get("sha256", "")) for one in fact.evidence),
            ),
        )

    def _ended(self, fact: facts.EmergencyEnded) -> None:
        self.emergencies[fact.reference] = replace(
            self.emergencies[fact.reference],
            ended_at=fact.at,
            first_answer=fact.first_answer,
            withdrawn=fact.withdrawn,
        )

    def _cause(self, fact: facts.CauseFound | facts.CauseStated) -> None:
        if isinstance(fact, facts.CauseFound):
            self.causes[fact.signal, fact.first_miss] = fact.cause, fact.confidence
        else:
            told = self.emergencies[fact.reference]
            self.emergencies[fact.reference] = replace(told, stated=fact.cause)

    def present(self, signals: Mapping[str, Signal], blind: Mapping[str, datetime]) -> None:
        """Add what is still open: silences, gaps, stretches of service, blindness."""
        self.overheard.present(signals, self.now)
        for signal in signals.values():
            since = signal.unspoken_since(self.now)
            if since is not None:
                self.gaps[signal.name].append(spanned(since, self.now))
            if signal.silence is not None:
                self.silences[signal.name].append(self._open(signal))
        self.nobodys = _nobodys([*self.runs, spanned(self.run_since, self.now)]) if self.runs else Timeline()
        for customer in [*self.terms]:
            self._agreed(customer, self.now)
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

    def silences_of(self, names: Iterable[str]) -> tuple[SilenceRecord, ...]:
        """The silences of some signals, in their order, each with the cause that was found last."""
        silences = (self._caused(silence) for name in names for silence in self.silences.get(name, ()))
        return tuple(sorted(silences, key=lambda silence: (silence.first_miss, silence.until)))

    def _caused(self, silence: SilenceRecord) -> SilenceRecord:
        found = self.causes.get((silence.signal, silence.first_miss))
        return silence if found is None else replace(silence, cause=found[0], confidence=found[1])

    def unknown(self, names: Iterable[str], tenures: Iterable[Tenure]) -> Iterator[Span]:
        """When nothing is known of something that had these signals in these stretches of service."""
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

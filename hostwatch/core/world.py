"""All that the watch knows at one moment, and the decisions that change it.

A deed (`core.judge`) looks at the world and returns a decision; the engine commits the decision to
the store in one transaction and only then applies it here. Loading the store gives the same world.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TypeVar

from hostwatch.core import instant, supply, switch
from hostwatch.core.acknowledgement import Acknowledgement
from hostwatch.core.bygones import Bygones
from hostwatch.core.calls import Call
from hostwatch.core.cause import Statement
from hostwatch.core.claims import Claims
from hostwatch.core.counted import Counted
from hostwatch.core.customerduty import CustomerDuty, name_of
from hostwatch.core.device import Device
from hostwatch.core.emergency import Duty, Emergency, Notice, number_of
from hostwatch.core.exercise import Exercise, Exercises
from hostwatch.core.facts import CameUp, ClockStepped, EmergencyEnded, Fact, SilenceEnded
from hostwatch.core.heard import Heard as Heard
from hostwatch.core.holds import Hold, Holds
from hostwatch.core.notices import Notices
from hostwatch.core.population import Changes, Population
from hostwatch.core.reading import Outcome, Reading
from hostwatch.core.running import RunningNotices
from hostwatch.core.scene import Attributed
from hostwatch.core.schedule import Schedule, Target
from hostwatch.core.signal import Signal
from hostwatch.core.signals import Signals
from hostwatch.core.slices import Seen as Seen
from hostwatch.core.slices import Slice as Slice
from hostwatch.core.slices import SliceKey as SliceKey
from hostwatch.core.slices import seen as seen
from hostwatch.core.terms import AgreementTerms
from hostwatch.core.traffic import Figure
from hostwatch.core.verification import Book
from hostwatch.core.warned import Planning, Warned

T = TypeVar("T")


@dataclass(frozen=True, slots=True, kw_only=True)
class TargetChange:
    """What a version of the schedule changes of the one before."""

    removed: Sequence[Target] = ()
    added: Sequence[Target] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """What a deed changes: all of it is committed in one transaction, or none."""

    facts: tuple[Fact, ...] = ()
    signals: tuple[Signal, ...] = ()
    """Signals of which there is more to say than that they answered when they were due."""

    resting: Sequence[tuple[str, int]] = ()
    """Signals that answered in this slice, and that is all; with the instant, in microseconds, of it."""

    settled: tuple[str, ...] = ()
    """Those of them that were not at rest before: the store need no longer keep them by name."""

    withdrawn_signals: tuple[str, ...] = ()
    emergencies: tuple[Emergency, ...] = ()
    duties: tuple[Duty, ...] = ()
    customer_duties: tuple[CustomerDuty, ...] = ()
    notices: tuple[Notice, ...] = ()
    acknowledged: Mapping[str, tuple[Acknowledgement, ...]] = field(default_factory=dict)
    """All who have an emergency from now on, by its reference."""

    calls: Mapping[str, tuple[Call, ...]] = field(default_factory=dict)
    """All calls that somebody took and that have no outcome, by notice."""

    exercises: tuple[Exercise, ...] = ()
    slice: Slice | None = None
    looks: tuple[tuple[Outcome, Seen], ...] = ()
    """What this decision adds to the two lists of the slice."""

    unscheduled: tuple[Reading, ...] = ()
    population: Changes | None = None
    schedule: Schedule | None = None
    """A new version of the schedule, and what it changes of the version before."""

    targets: TargetChange = TargetChange()
    configuration: str | None = None
    """The digest of a configuration that is in force from now on; empty while one comes into force."""

    holds: Mapping[str, Hold | None] = field(default_factory=dict)
    """What waits for the verdict on another thing (J8, J10), and None for what does so no more."""

    heard: Mapping[str, Heard | None] = field(default_factory=dict)
    """What sources say from now on, by source; None for those that are asked no more."""

    warned: Mapping[str, Warned | None] = field(default_factory=dict)
    """Warnings that began or are otherwise, and None for those that ended, by name."""

    planning: Planning | None = None
    """What the configuration says of warnings from now on."""

    counted: Mapping[str, Counted | None] = field(default_factory=dict)
    """How far the counters of switches are counted from now on, by source."""

    traffic: tuple[Figure, ...] = ()
    """Figures of traffic that are known now."""

    traffic_before: int | None = None
    """Traffic of the days before this one, since 1970, is erased."""

    causes: Mapping[str, Attributed | None] = field(default_factory=dict)
    """What is known of outages, by signal; None for those that are over."""

    stated: Mapping[str, Statement | None] = field(default_factory=dict)
    """What people state of causes, by emergency; None for what was withdrawn."""

    blind: Mapping[str, datetime | None] = field(default_factory=dict)
    """Blindness begun (since when) or ended (None), by why."""

    settled_emergencies: tuple[str, ...] = ()
    """The emergencies of supplies of which everybody knows what they are to hear (`core.resettling`)."""

    alive_at: datetime | None = None
    """The watch was alive and saw the world until then."""


@dataclass(slots=True, kw_only=True)
class World:
    """The present. Only `apply` changes it."""

    population: Population = field(default_factory=Population)
    schedule: Schedule = field(default_factory=lambda: Schedule(0, ()))
    configuration: str | None = None
    signals: Signals = field(default_factory=lambda: Signals(lambda _: timedelta(0)))
    slices: dict[SliceKey, Slice] = field(default_factory=dict)
    """The open slices."""

    emergencies: dict[str, Emergency] = field(default_factory=dict)
    """The open emergencies, by reference."""

    duties: dict[str, Duty] = field(default_factory=dict)
    """The duties of all notices that are held, by their names: a duty has that of its notice."""

    customer_duties: dict[str, CustomerDuty] = field(default_factory=dict)
    """Those to customers, by their names: as long as one to their people is held, or they may be breached."""

    notices: Notices = field(default_factory=Notices)
    """The notices that are pending, or belong to an open emergency, and those that one of them waits for."""

    acknowledged: dict[str, tuple[Acknowledgement, ...]] = field(default_factory=dict)
    """Who has it, by emergency: as long as that is open, or one of its notices is held."""

    calls: dict[str, tuple[Call, ...]] = field(default_factory=dict)
    """Calls that were taken, by notice (`core.calls`): as long as that is held."""

    exercises: Exercises = field(default_factory=Exercises)
    holds: Holds = field(default_factory=Holds)
    """What waits for the verdict on another thing (J8, J10)."""

    heard: dict[str, Heard] = field(default_factory=dict)
    """What each source said last (`core.hearing`)."""

    warned: dict[str, Warned] = field(default_factory=dict)
    """The warnings that last, by name."""

    planning: Planning = field(default_factory=Planning, compare=False)
    """What the configuration says of warnings."""

    counted: dict[str, Counted] = field(default_factory=dict)
    """How far the counters of each switch are counted (`core.counting`)."""

    causes: dict[str, Attributed] = field(default_factory=dict)
    """The causes of outages that go on, by signal (`core.causing`)."""

    stated: dict[str, Statement] = field(default_factory=dict)
    """What people stated of the causes of open emergencies, by reference."""

    ways: Book = field(default_factory=Book)
    """How it stands with the ways to contacts (`core.verification`)."""

    claims: Claims = field(default_factory=Claims)
    """Claims that breaches of the duty to tell are excused (`core.claims`)."""

    blind: dict[str, datetime] = field(default_factory=dict)
    alive_at: datetime | None = None
    references: int = 0
    """How many emergencies there have ever been."""

    open_by_signal: dict[str, str] = field(default_factory=dict)
    """The references of the open emergencies, by all signals that they cover."""

    came_up: dict[str, datetime] = field(default_factory=dict, compare=False)
    """Signals that came up and that others hang on, each with its last first answer.

    What a restart forgets of it, it does not need: whatever was being looked at then is looked at anew.
    """

    bygones: Bygones = field(default_factory=Bygones)
    """The last silences that are over. A new run reads them from the record."""

    running: RunningNotices = field(default_factory=RunningNotices, compare=False)
    """The running notices. A new run reads them from the record."""

    unsettled: dict[str, datetime] = field(default_factory=dict, compare=False)
    """The emergencies of supplies since which the population has changed, with when it did last.

    A restart goes through all of them once.
    """

    def __post_init__(self) -> None:
        self.signals.attach(self.speaking, self.population.customer_of)
        self._unsettle(instant.EPOCH)
        self.open_by_signal = {
            signal: reference for reference, e in self.emergencies.items() for signal in e.signals
        }
        self._forget([*self.notices], [*self.customer_duties])

    def device(self, signal: str) -> Device | None:
        """The watched device that a signal belongs to; None when it is no longer watched."""
        return self.population.device_of(signal)

    def speaking(self, signal: str) -> timedelta:
        """How long a reading of a signal speaks (J2)."""
        terms = self.terms_of(signal)
        return timedelta(0) if terms is None else terms.speaking

    def terms_of(self, signal: str) -> AgreementTerms | None:
        """The terms that a signal is judged by; None when it is no longer watched."""
        return self.population.terms_of(signal, self.population.device_of(signal))

    def emergency_of(self, signal: str) -> Emergency | None:
        """The open emergency that covers a signal."""
        reference = self.open_by_signal.get(signal)
        return None if reference is None else self.emergencies[reference]

    def pending(self) -> list[Notice]:
        """The notices that are still to be sent, oldest first."""
        return [*self.notices.pending.values()]

    def apply(self, decision: Decision) -> None:
        """Make a committed decision the present."""
        for signal in decision.signals:
            self.signals.put(signal)
        self.signals.rest_all(decision.resting)
        for name in decision.withdrawn_signals:
            self.signals.drop(name)
            self.causes.pop(name, None)
        if decision.slice is not None:
            self._apply_slice(decision.slice)
        if decision.population is not None:
            self._forget_back(decision.population)
            self.population.change(decision.population)
            self._unsettle(max((fact.at for fact in decision.facts), default=instant.EPOCH))
        if decision.schedule is not None:
            self.schedule = decision.schedule
        if decision.configuration is not None:
            self.configuration = decision.configuration
        self.alive_at = decision.alive_at or self.alive_at
        _put(self.heard, decision.heard)
        _put(self.warned, decision.warned)
        self.planning = decision.planning or self.planning
        _put(self.counted, decision.counted)
        _put(self.causes, decision.causes)
        _put(self.blind, decision.blind)
        for fact in decision.facts:
            self.ways.take(fact)
            self.claims.take(fact)
            self.running.take(fact)
            match fact:
                case CameUp():
                    self._note_back(fact)
                case EmergencyEnded(first_answer=datetime() as first_answer):
                    self._note_end(fact.reference, first_answer)
                case SilenceEnded():
                    self.bygones.add(fact)
                case ClockStepped():
                    self.came_up.clear()
                    self.bygones.clear()
                case _:
                    pass
        self._apply_people(decision)

    def _unsettle(self, at: datetime) -> None:
        shared = (one for one in self.emergencies.values() if one.signal.startswith(supply.PREFIX))
        self.unsettled.update((one.reference, at) for one in shared)

    def _note_back(self, flip: CameUp) -> None:
        device = self.population.device_of(flip.signal)
        is_device = device is not None and bool(device.services)
        is_parent = flip.signal.startswith((supply.PREFIX, switch.PREFIX))
        if is_device or (is_parent and flip.signal in self.open_by_signal):
            self.came_up[flip.signal] = flip.first_answer

    def _note_end(self, reference: str, first_answer: datetime) -> None:
        """An emergency of a switch ends when somebody behind it answers: it was back by then."""
        emergency = self.emergencies.get(reference)
        for name in () if emergency is None else emergency.signals:
            if name.startswith(switch.PREFIX):
                self.came_up[name] = first_answer

    def _forget_back(self, changes: Changes) -> None:
        """That a device came back is the affair of whoever had it then, and of nobody when it is removed."""
        customers = {device.id: device.customer for device in changes.devices}
        for name in (*customers, *changes.devices_gone):
            before = self.population.devices.get(name)
            if before is not None and before.customer != customers.get(name):
                self.came_up.pop(before.signal(self.population.vantage), None)

    def _apply_slice(self, evidence: Slice) -> None:
        if evidence.closed_at is None:
            self.slices[evidence.key] = evidence
        else:
            self.slices.pop(evidence.key, None)

    def _apply_emergencies(self, changed: Iterable[Emergency]) -> None:
        for emergency in changed:
            self.references = max(self.references, number_of(emergency.reference))
            before = self.emergencies.get(emergency.reference, emergency)
            self.emergencies[emergency.reference] = emergency
            for signal in before.signals:
                if self.open_by_signal.get(signal) == emergency.reference:
                    del self.open_by_signal[signal]
            if emergency.ended_at is None:
                self.open_by_signal.update(dict.fromkeys(emergency.signals, emergency.reference))

    def _apply_people(self, decision: Decision) -> None:
        self._apply_emergencies(decision.emergencies)
        for name in decision.settled_emergencies:
            self.unsettled.pop(name, None)
        for signal, hold in decision.holds.items():
            if hold is None:
                self.holds.drop(signal)
            else:
                self.holds.put(hold)
        self.duties.update((duty.id, duty) for duty in decision.duties)
        self.customer_duties.update((duty.id, duty) for duty in decision.customer_duties)
        for notice in decision.notices:
            self.notices.put(notice)
        touched = {
            one.id: None for notice in decision.notices for one in (notice, *self.notices.chain(notice.id))
        }
        for emergency in decision.emergencies:
            if emergency.ended_at is not None:
                self.emergencies.pop(emergency.reference, None)
                self.unsettled.pop(emergency.reference, None)
                self.stated.pop(emergency.reference, None)
                touched.update((notice.id, None) for notice in self.notices.of(emergency.reference))
        over = self.exercises.put(decision.exercises)
        touched.update((notice.id, None) for name in over for notice in self.notices.of(name))
        self.acknowledged.update(decision.acknowledged)
        self.calls.update(decision.calls)
        self._forget(touched, [duty.id for duty in decision.customer_duties])
        _put(self.stated, {name: said for name, said in decision.stated.items() if name in self.emergencies})

    def _forget(self, notices: Iterable[str], customer_duties: Iterable[str]) -> None:
        """Drop of these notices those that are over, and their duties; and duties to customers likewise."""
        is_open = self.exercises.beside(self.emergencies)
        dropped = [self.duties.pop(name, None) for name in self.notices.forget(notices, is_open)]
        perhaps = (name_of(duty.emergency, duty.customer) for duty in dropped if duty is not None)
        for name in {*perhaps, *customer_duties}:
            duty = self.customer_duties.get(name)
            if duty is None or duty.may_be_breached or any(one in self.duties for one in duty.people):
                continue
            del self.customer_duties[name]
        for name in [name for name, known in self.acknowledged.items() if not known or self._is_gone(name)]:
            del self.acknowledged[name]
        for name in [name for name, known in self.calls.items() if not known or name not in self.notices]:
            del self.calls[name]

    def _is_gone(self, reference: str) -> bool:
        return reference not in self.exercises.beside(self.emergencies) and not self.notices.of(reference)


def _put(mine: dict[str, T], changed: Mapping[str, T | None]) -> None:
    for name, value in changed.items():
        if value is None:
            mine.pop(name, None)
        else:
            mine[name] = value

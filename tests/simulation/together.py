"""V7: a service and its device have one emergency where there is one cause, and no verdict is lost (J8).

Held against flips, silences and the evidence alone: what is known here is what the record said before.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from hostwatch.core import facts
from hostwatch.core.emergency import Emergency
from hostwatch.core.reading import Kind, Outcome
from hostwatch.core.service import device_in, is_service
from hostwatch.core.world import Decision
from tests.simulation.evidence import Complain, Proof
from tests.simulation.hanging import is_parent

OVERDUE_AFTER = timedelta(seconds=65)
"""How much longer than was said a service may wait, in a watch that is well."""


@dataclass(slots=True)
class _Open:
    """An open emergency."""

    signal: str
    signals: set[str]
    opened_at: datetime
    waited: bool = False
    """Whether a service opened it because the verdict on its device did not come in time."""


@dataclass(kw_only=True)
class Together:
    """Knows who is down, who is told of, and who waits."""

    complain: Complain
    open: dict[str, _Open] = field(default_factory=dict)
    silent: dict[str, datetime] = field(default_factory=dict)
    """Since when devices are silent."""

    down: set[str] = field(default_factory=set)
    """Devices and services on which there is a verdict."""

    held: dict[str, datetime] = field(default_factory=dict)
    free: set[str] = field(default_factory=set)
    """Services that are down and that the end of an emergency left: their next miss tells."""

    missed_once: set[str] = field(default_factory=set)
    """Of those, who has missed since: a miss less than half an interval after another does not count."""

    placed: set[str] = field(default_factory=set)
    """Devices, and services of devices, that ever hung on a supply or a switch."""

    waited: int = 0
    adopted: int = 0
    hung: int = 0
    """How many were told of with what they hang on."""

    def check(
        self, decision: Decision, proofs: Sequence[Proof], recorded_at: datetime, well: timedelta
    ) -> None:
        """A decision was committed."""
        verdicts = set[str]()
        shared = {one.reference: one for one in decision.emergencies if is_parent(one.signal)}
        for fact in decision.facts:
            match fact:
                case facts.SilenceBegan() if not is_service(fact.signal):
                    self.silent[fact.signal] = fact.at
                case facts.SilenceEnded():
                    self.silent.pop(fact.signal, None)
                    for one in self.open.values():
                        if fact.signal != one.signal and not is_service(fact.signal):
                            one.waited &= device_in(one.signal) != device_in(fact.signal)
                case facts.WentDown() if not is_parent(fact.signal) and "uplink:" not in fact.signal:
                    verdicts.add(fact.signal)
                case facts.ClockStepped():
                    moved = fact.at - fact.before
                    self.held = {name: until + moved for name, until in self.held.items()}
                    for one in self.open.values():
                        one.opened_at += moved
                case _:
                    pass
        self._answered(proofs)
        self._people(decision, verdicts)
        self._shared(shared, verdicts)
        for name, hold in decision.holds.items():
            if hold is None:
                self.held.pop(name, None)
        for signal in decision.withdrawn_signals:
            self._forget(signal)
        self._missed(proofs)
        devices = () if decision.population is None else decision.population.devices
        self.placed |= {name for one in devices if one.place is not None for name in one.signals("main")}
        self._nobody_is_lost(recorded_at, well)

    def _answered(self, proofs: Sequence[Proof]) -> None:
        """A device that answers was not why its service's emergency had waited, seen silent or not."""
        heard = {
            device_in(proof.signal): proof.at
            for proof in proofs
            if proof.outcome is Outcome.ANSWERED and not is_service(proof.signal)
        }
        for one in self.open.values():
            at = heard.get(device_in(one.signal))
            one.waited &= at is None or at <= one.opened_at

    def _people(self, decision: Decision, verdicts: set[str]) -> None:
        self.down |= verdicts
        for fact in decision.facts:
            match fact:
                case facts.EmergencyHeld() if not is_parent(fact.signal):
                    self.waited += 1
                    self.held[fact.signal] = fact.until
                    self.free.discard(fact.signal)
                case facts.EmergencyOpened():
                    self._opens(fact, verdicts)
                case facts.SupplyEmergencyOpened() | facts.SwitchEmergencyOpened():
                    self.open[fact.reference] = _Open(fact.signal, set(), fact.at)
                case facts.EmergencyJoined() if not is_parent(fact.signal) and "uplink:" not in fact.signal:
                    self._joins(fact)
                case facts.EmergencyEnded():
                    gone = self.open.pop(fact.reference, None)
                    self.free |= set() if gone is None else gone.signals & self.down
                case _:
                    pass
        for fact in decision.facts:
            if isinstance(fact, facts.CameUp):
                self._forget(fact.signal)

    def _shared(self, changed: Mapping[str, Emergency], verdicts: set[str]) -> None:
        """Of supplies and switches: whoever is told of under theirs no more is so by their next miss."""
        for name, now in changed.items():
            one = self.open.get(name)
            if one is not None:
                self.free |= (one.signals - {*now.signals}) & self.down
                one.signals &= {*now.signals}
        told = {signal for one in self.open.values() for signal in one.signals}
        came_back = verdicts & self.placed - told - self.held.keys()
        self.free |= came_back & self.down  # looked at while what it hung on came back

    def _opens(self, fact: facts.EmergencyOpened, verdicts: set[str]) -> None:
        mine = [
            (name, one) for name, one in self.open.items() if device_in(one.signal) == device_in(fact.signal)
        ]
        silent_since = self.silent.get(f"{device_in(fact.signal)}/ping@main")
        for name, one in mine:
            if fact.signal in one.signals:
                self.complain(f"{fact.reference} opens for {fact.signal}, which {name} tells of already")
            if not is_service(one.signal) and is_service(fact.signal):
                self.complain(f"{fact.reference} of {fact.signal} opens while {name} is open of its device")
            if one.waited and silent_since is not None:
                self.complain(f"{fact.reference} opens beside {name}: one cause, for the device is silent")
        waited = fact.signal in self.held
        at_once = fact.signal in verdicts & self.down and not waited
        if at_once and is_service(fact.signal) and silent_since is not None:
            self.complain(f"{fact.reference} of {fact.signal} opens at once, and its device is silent")
        self.open[fact.reference] = _Open(fact.signal, {fact.signal}, fact.at, waited)
        self._told(fact.signal)

    def _joins(self, fact: facts.EmergencyJoined) -> None:
        one = self.open.get(fact.reference)
        if one is None:
            self.complain(f"{fact.signal} is told under {fact.reference}, which is not open")
            return
        if is_parent(one.signal):
            self.hung += 1
        elif not is_service(fact.signal):
            self.adopted += 1
            one.signal = fact.signal
        one.signals.add(fact.signal)
        self._told(fact.signal)

    def _told(self, signal: str) -> None:
        self.held.pop(signal, None)
        self.free.discard(signal)

    def _forget(self, signal: str) -> None:
        """It answers, or is no longer watched."""
        self._told(signal)
        self.down.discard(signal)
        self.silent.pop(signal, None)
        for one in self.open.values():
            one.signals.discard(signal)

    def _missed(self, proofs: Sequence[Proof]) -> None:
        """Who was left by the end of an emergency and misses again is told of, or waits."""
        for proof in proofs:
            counts = proof.outcome is Outcome.MISSED and proof.kind is Kind.SCHEDULED
            if counts and proof.signal in self.free and proof.signal in self.missed_once:
                self.complain(f"{proof.signal} missed at {proof.at}, and nobody is told")
            if counts and proof.signal in self.free:
                self.missed_once.add(proof.signal)
        self.missed_once &= self.free

    def _nobody_is_lost(self, recorded_at: datetime, well: timedelta) -> None:
        told = [signal for one in self.open.values() for signal in one.signals]
        if len(told) != len(set(told)):
            self.complain(f"two emergencies tell of one signal: {sorted(told)}")
        lost = self.down - set(told) - self.held.keys() - self.free
        if lost:
            self.complain(f"{sorted(lost)} are down, and nobody is told, nothing waits")
        if well < OVERDUE_AFTER:
            return
        for signal, until in self.held.items():
            if recorded_at - until > OVERDUE_AFTER:
                self.complain(f"{signal} was to wait until {until}, it is {recorded_at}")

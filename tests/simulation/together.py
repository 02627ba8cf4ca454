"""V7: a service and its device have one emergency where there is one cause, and no verdict is lost (J8).

Held against flips, silences and the evidence alone: what is known here is what the record said before.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from hostwatch.core import facts
from hostwatch.core.reading import Kind, Outcome
from hostwatch.core.service import device_in, is_service
from hostwatch.core.world import Decision
from tests.simulation.evidence import Complain, Proof

OVERDUE_AFTER = timedelta(seconds=65)
"""How much longer than was said a service may wait, in a watch that is well."""


@dataclass(slots=True)
class _Open:
    """An open emergency."""

    signal: str
    signals: set[str]
    opened_at: datetime
    waited: bool
    """Whether a service opened it because the verdict on its device did not come in time."""


@dataclass(kw_only=True)
class Together:
    """Knows who is down, who is told of, and who waits."""

    complain: Complain
    open: dict[str, _Open] = field(default_factory=dict)
    silent: dict[str, datetime] = field(default_factory=dict)
    """Since when devices are silent."""

    down: set[str] = field(default_factory=set)
    """Services on which there is a verdict."""

    held: dict[str, datetime] = field(default_factory=dict)
    free: set[str] = field(default_factory=set)
    """Services that are down and that the end of an emergency left: their next miss tells."""

    missed_once: set[str] = field(default_factory=set)
    """Of those, who has missed since: a miss less than half an interval after another does not count."""

    waited: int = 0
    adopted: int = 0

    def check(
        self, decision: Decision, proofs: Sequence[Proof], recorded_at: datetime, well: timedelta
    ) -> None:
        """A decision was committed."""
        verdicts = set[str]()
        for fact in decision.facts:
            match fact:
                case facts.SilenceBegan() if not is_service(fact.signal):
                    self.silent[fact.signal] = fact.at
                case facts.SilenceEnded():
                    self.silent.pop(fact.signal, None)
                    for one in self.open.values():
                        if fact.signal != one.signal and not is_service(fact.signal):
                            one.waited &= device_in(one.signal) != device_in(fact.signal)
                case facts.WentDown():
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
        for signal in decision.withdrawn_signals:
            self._forget(signal)
        self._missed(proofs)
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
        self.down |= {name for name in verdicts if is_service(name)}
        for fact in decision.facts:
            match fact:
                case facts.EmergencyHeld():
                    self.waited += 1
                    self.held[fact.signal] = fact.until
                case facts.EmergencyOpened():
                    self._opens(fact, verdicts)
                case facts.EmergencyJoined():
                    self._joins(fact)
                case facts.EmergencyEnded():
                    gone = self.open.pop(fact.reference, None)
                    self.free |= set() if gone is None else gone.signals & self.down
                case _:
                    pass
        for fact in decision.facts:
            if isinstance(fact, facts.CameUp):
                self._forget(fact.signal)

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
        if at_once and silent_since is not None:
            self.complain(f"{fact.reference} of {fact.signal} opens at once, and its device is silent")
        self.open[fact.reference] = _Open(fact.signal, {fact.signal}, fact.at, waited)
        self._told(fact.signal)

    def _joins(self, fact: facts.EmergencyJoined) -> None:
        one = self.open.get(fact.reference)
        if one is None:
            self.complain(f"{fact.signal} is told under {fact.reference}, which is not open")
            return
        if not is_service(fact.signal):
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

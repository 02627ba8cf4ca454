"""V8: emergencies of supplies and switches (J10): who is told, by whose word they open, and when they end.

Held against verdicts, committed answers and who hangs on what; of the daemon's own reckoning nothing is used.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from hostwatch.core import facts, supply, switch
from hostwatch.core.device import Device, State
from hostwatch.core.emergency import Emergency, Notice, NoticeState
from hostwatch.core.population import Population
from hostwatch.core.reading import Kind, Outcome
from hostwatch.core.world import Decision
from tests.simulation.evidence import Complain, Proof
from tests.simulation.house import BEHIND

Opened = facts.SupplyEmergencyOpened | facts.SwitchEmergencyOpened
ENDS = ("recovery", "withdrawn")


def is_parent(signal: str) -> bool:
    """Whether a signal is of a supply or a switch."""
    return signal.startswith((supply.PREFIX, switch.PREFIX))


@dataclass(kw_only=True)
class Hanging:
    """Knows which supplies and switches are down, and what is told of them."""

    complain: Complain
    population: Population = field(default_factory=Population)
    down: dict[str, facts.WentDown] = field(default_factory=dict)
    """Supplies and switches on which there is a verdict."""

    open: dict[str, Emergency] = field(default_factory=dict)
    references: set[str] = field(default_factory=set)
    """Of all that ever were."""

    notices: dict[str, Notice] = field(default_factory=dict)
    heard: dict[str, datetime] = field(default_factory=dict)
    """When each device, or switch, last answered."""

    came: dict[str, set[str]] = field(default_factory=dict)
    without: set[str] = field(default_factory=set)
    """Supplies that were without power when they were last read."""

    opened: int = 0
    joined: int = 0

    def check(self, decision: Decision, proofs: Sequence[Proof], said: Sequence[Proof] = ()) -> None:
        """A decision was committed. `said`: what its readings made of supplies."""
        for proof in proofs:
            if proof.outcome is Outcome.ANSWERED:
                self.heard[proof.signal] = max(proof.at, self.heard.get(proof.signal, proof.at))
        for notice in decision.notices:
            self.notices[notice.id] = notice
        changed = {one.reference: one for one in decision.emergencies}
        self.came = self._came(decision)
        grown = {name for fact in decision.facts if (name := self._happened(fact, changed)) is not None}
        for name in decision.withdrawn_signals:
            self.down.pop(name, None)
        for name, one in changed.items():
            if name in self.open and one.ended_at is None and decision.population is None:
                self._is_over_for_some(self.open[name], one)
        self.open.update((name, one) for name, one in changed.items() if name in self.references)
        for name in grown if decision.population is None else ():
            self._all_customers(self.open[name])
        for fact in decision.facts:
            if isinstance(fact, facts.EmergencyEnded) and fact.reference in self.references:
                self._ends(fact)
        if decision.population is not None:
            self.population.change(decision.population)
        self._all_are_told(changed if decision.population is None else ())
        self._nobody_is_forgotten(said)
        self._nobody_hears_of_an_end_too_soon(decision, said)

    def _came(self, decision: Decision) -> dict[str, set[str]]:
        """By supply that devices come to in this decision, the supplies that they had."""
        found: dict[str, set[str]] = {}
        for new in () if decision.population is None else decision.population.devices:
            old = self.population.devices.get(new.id)
            if old is not None and old.place is not None and new.place is not None:
                own = supply.signal_of(new.place.supply, self.population.vantage)
                found.setdefault(own, set()).add(supply.signal_of(old.place.supply, self.population.vantage))
        return found

    def _nobody_is_forgotten(self, said: Iterable[Proof]) -> None:
        """Once a supply that is down was read again, all who have devices on it have been told."""
        for proof in said:
            if proof.outcome is not Outcome.MISSED or proof.signal not in self.down:
                continue
            if proof.kind is not Kind.SCHEDULED or proof.signal not in self.down:
                continue
            own = [one for one in self.open.values() if proof.signal in one.signals]
            told = self._told() - self._over()
            for customer in {device.customer for device in self._concerned([proof.signal])}:
                contacts = self.population.customers[customer].contacts
                if contacts and not any((one.reference, customer) in told for one in own):
                    self.complain(
                        f"{customer} is without power by {proof.signal}, and is told under no emergency"
                    )

    def _nobody_hears_of_an_end_too_soon(self, decision: Decision, said: Iterable[Proof]) -> None:
        """Who is told that nobody watches it any more, or that power is back, has no device without any."""
        self.without = {name for name in self.without if name in self.down}
        self.without |= {one.signal for one in said if one.outcome is Outcome.MISSED}
        self.without -= {one.signal for one in said if one.outcome is not Outcome.MISSED}
        dark = {device.customer for device in self._concerned([*self.without & self.down.keys()])}
        for notice in decision.notices:
            if notice.kind not in ENDS or notice.emergencies[0] not in self.references:
                continue
            told = {
                customer
                for reference, customer in self._told() - self._over()
                if reference in self.open and reference != notice.emergencies[0]
            }
            if not notice.stories[0].under and notice.customer in dark - told:
                self.complain(f"{notice.id} tells of an end, and {notice.customer} is without power")

    def _happened(self, fact: facts.Fact, changed: Mapping[str, Emergency]) -> str | None:
        """The emergency that tells of one more supply or switch by this fact, if one does."""
        match fact:
            case facts.ClockStepped():
                self._follow(fact.at - fact.before)
            case facts.WentDown() if is_parent(fact.signal):
                self.down[fact.signal] = fact
            case facts.CameUp():
                self.down.pop(fact.signal, None)
            case facts.SupplyTookOver(verdict=datetime() as verdict):
                self._takes_over(fact, verdict)
            case facts.SupplyEmergencyOpened() | facts.SwitchEmergencyOpened():
                self.references.add(fact.reference)
                self._opens(fact)
                return fact.reference
            case facts.EmergencyJoined() if fact.reference in self.references:
                self._joins(fact, changed[fact.reference])
                return fact.reference if is_parent(fact.signal) else None
            case facts.DutyArose() if fact.emergency in self.references:
                self._owed(fact, changed[fact.emergency])
        return None

    def _takes_over(self, fact: facts.SupplyTookOver, verdict: datetime) -> None:
        """A supply is down from the beginning on: one of those whose place it takes was found to be so."""
        flips = [self.down[name] for name in fact.before if name in self.down]
        if {*fact.before} - self.came.get(fact.signal, set()) or not flips:
            self.complain(
                f"{fact.signal} takes the place of {fact.before}, which are not down or not its own"
            )
            return
        self.down[fact.signal] = min(flips, key=lambda one: one.first_miss)
        if verdict not in {one.at for one in flips}:
            self.complain(f"{fact.signal} is down since {verdict}, by none of {fact.before}")

    def _follow(self, moved: timedelta) -> None:
        self.heard = {name: at + moved for name, at in self.heard.items()}

    # Openings.

    def _opens(self, fact: Opened) -> None:
        self.opened += 1
        names = fact.supplies if isinstance(fact, facts.SupplyEmergencyOpened) else fact.switches
        kind = supply if isinstance(fact, facts.SupplyEmergencyOpened) else switch
        for name in names:
            signal = kind.signal_of(name, self.population.vantage)
            if signal not in self.down:
                self.complain(f"{fact.reference} opens for {signal}, on which there is no verdict")
                return
        if isinstance(fact, facts.SwitchEmergencyOpened):
            self._is_dead(fact.reference, fact.switches)

    def _is_dead(self, reference: str, names: Iterable[str]) -> None:
        """Nobody who is cut off by a switch has answered since it fell silent."""
        dead = {*names}
        for device in self._concerned([switch.signal_of(one, self.population.vantage) for one in dead]):
            mine = [self.down[switch.signal_of(one, self.population.vantage)] for one in dead]
            heard = self.heard.get(device.signal(self.population.vantage))
            if heard is not None and heard >= max(one.first_miss for one in mine):
                self.complain(f"{reference} opens, though {device.id} behind {sorted(dead)} answered")

    def _joins(self, fact: facts.EmergencyJoined, emergency: Emergency) -> None:
        self.joined += 1
        if is_parent(fact.signal):
            goes_on = self.came.get(fact.signal, set()) & {*emergency.signals, *self._signals(fact.reference)}
            if fact.signal not in self.down and not goes_on:
                self.complain(f"{fact.signal} joins {fact.reference}, and there is no verdict on it")
            return
        device = self.population.device_of(fact.signal)
        assert device is not None
        if device not in self._concerned(_roots(emergency)) and emergency.ended_at is None:
            self.complain(f"{fact.signal} is told under {fact.reference}, and does not hang on that")
        if (fact.reference, device.customer) not in self._told():
            self.complain(f"{fact.signal} is told under {fact.reference}: {device.customer} was never told")

    def _signals(self, reference: str) -> tuple[str, ...]:
        known = self.open.get(reference)
        return () if known is None else known.signals

    def _owed(self, fact: facts.DutyArose, emergency: Emergency) -> None:
        """Whoever is told is told in time: fifteen minutes from a verdict that was there.

        A verdict that waited for a full disk while the clock was set back has the date of the clock before.
        """
        notice = self.notices[fact.duty]
        verdicts = [self.down[name].at for name in _roots(emergency) if name in self.down]
        latest = max([fact.at, *verdicts])
        if fact.due > latest + timedelta(minutes=15):
            self.complain(f"{fact.duty} is due {fact.due}, more than 15 minutes after {latest}")
        if notice.kind != "emergency" or notice.contact != fact.contact:
            self.complain(f"{fact.duty} is not the duty of {notice}")

    # Who is told.

    def _told(self) -> set[tuple[str, str]]:
        """Emergencies and customers who are owed, or were owed, a notice of each."""
        firsts = (one for one in self.notices.values() if one.kind == "emergency")
        return {(name, one.customer) for one in firsts for name in one.emergencies}

    def _all_customers(self, emergency: Emergency) -> None:
        """More went down: each contact of each customer with devices on it is told, and the operator."""
        concerned = {device.customer for device in self._concerned(_roots(emergency))}
        concerned |= {self.population.operator} if self.population.operator else set()
        for customer in concerned - {name for ref, name in self._over() if ref == emergency.reference}:
            known = self.population.customers[customer]
            people = [
                one
                for one in known.contacts
                if f"{emergency.reference}.emergency.{customer}.{one}" in self.notices
            ]
            if known.roster.rotations and people:
                continue
            for contact in known.contacts:
                if contact not in people:
                    self.complain(f"{emergency.reference} is not told to {customer}/{contact}")

    def _over(self) -> set[tuple[str, str]]:
        ends = (one for one in self.notices.values() if one.kind in ENDS)
        return {(name, one.customer) for one in ends for name in one.emergencies}

    def _concerned(self, roots: Iterable[str]) -> list[Device]:
        """The devices in service on supplies, or cut off by switches."""
        names = {*roots}
        dead = {one for name in names if (one := switch.named(name)) is not None}
        dead |= {below for below, above in BEHIND.items() if above in dead and self._is_behind(below)}
        return [
            device
            for device in self.population.devices.values()
            if device.state is State.IN_SERVICE
            and device.place is not None
            and self._hangs(device, names, dead)
        ]

    def _is_behind(self, name: str) -> bool:
        known = self.population.switches.get(name)
        return known is not None and bool(known.behind)

    def _hangs(self, device: Device, names: set[str], dead: set[str]) -> bool:
        assert device.place is not None
        own = supply.signal_of(device.place.supply, self.population.vantage)
        ways = re.findall(r"([\w-]+)/\d+", device.place.ports)
        return (bool(device.place.supply) and own in names) or (bool(ways) and dead.issuperset(ways))

    def _all_are_told(self, changed: Iterable[str]) -> None:
        """Each supply that is down is told of, and whoever is concerned by what is new was told of that."""
        covered = {name for one in self.open.values() for name in one.signals}
        lost = {name for name in self.down if name.startswith(supply.PREFIX)} - covered
        if lost:
            self.complain(f"{sorted(lost)} are interrupted, and no emergency tells of them")
        for one in (self.open[name] for name in changed if name in self.open):
            concerned = {device.customer for device in self._concerned(_roots(one))}
            over = {customer for reference, customer in self._over() if reference == one.reference}
            if (concerned & over) - {self.population.operator}:
                self.complain(
                    f"{one.reference} goes on for some of {sorted(over)}, who heard that it is over"
                )

    # Ends.

    def _is_over_for_some(self, before: Emergency, now: Emergency) -> None:
        """Who has all of theirs back hears of it, though it goes on for others."""
        left = {device.customer for device in self._concerned(_roots(now))} | {self.population.operator}
        for customer in {device.customer for device in self._concerned(_roots(before))} - left:
            is_told = (before.reference, customer) in self._told()
            if is_told and (before.reference, customer) not in self._over():
                self.complain(f"{customer} has all back, and does not hear that {before.reference} is over")

    def _ends(self, fact: facts.EmergencyEnded) -> None:
        """All who were told of the beginning are told of the end, once."""
        self.open.pop(fact.reference, None)
        mine = [one for one in self.notices.values() if fact.reference in one.emergencies]
        firsts = [one for one in mine if one.kind == "emergency" and one.state is not NoticeState.FORBIDDEN]
        told = sorted((one.customer, one.contact) for one in firsts)
        over = sorted((one.customer, one.contact) for one in mine if one.kind in ENDS)
        if len(over) != len({*over}) or not {*told} <= {*over}:
            self.complain(f"{fact.reference} is over: told of it were {told}, of its end {over}")

    def finish(self) -> None:
        """After a calm end in which all is well, nothing is told of any more."""
        left = [one.reference for one in self.open.values()]
        if left:
            self.complain(f"{left} are still open, and all has been well for long")


def _roots(emergency: Emergency) -> list[str]:
    return [name for name in emergency.signals if is_parent(name)]

"""V1 and V2: verdicts follow from two valid misses, and everything that a verdict owes comes with it.

Both are held against automata of their own, fed with what the evidence proves.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from hostwatch.core import facts, supply
from hostwatch.core.device import State
from hostwatch.core.emergency import Notice, NoticeState
from hostwatch.core.population import Changes, Population
from hostwatch.core.reading import Kind, Outcome
from hostwatch.core.service import is_service
from hostwatch.core.world import Decision
from tests.simulation.carrier import Rounds, rounds
from tests.simulation.circuits import Circuits
from tests.simulation.evidence import Complain, Proof
from tests.simulation.groups import Groups, is_way
from tests.simulation.hanging import is_parent

MISSES = 2
Opened = facts.EmergencyOpened | facts.UplinkEmergencyOpened

UNTOLD = (NoticeState.FORBIDDEN, NoticeState.RUNNING)
"""Of notices of a beginning, those after which nobody is told of the end."""


@dataclass(slots=True)
class _Line:
    """The reference automaton of one signal."""

    last: datetime | None = None
    proven: bool = False
    count: int = 0
    down: bool = False
    counted: datetime | None = None
    """The last miss that counted: another must be half an interval later at least."""

    silent: datetime | None = None
    """The first miss since it was proven, or since the last answer."""

    answered: datetime | None = None

    def take(self, proof: Proof, interval: timedelta) -> str:
        """`down`, `up` or nothing."""
        if self.last is not None and proof.at <= self.last:
            return ""
        self.last = proof.at
        if proof.outcome is Outcome.MISSED and self.proven and self.silent is None:
            self.silent = proof.at
        if proof.outcome is Outcome.ANSWERED:
            self.silent, self.answered = None, proof.at
            was_down, self.down, self.proven = self.down, False, True
            if was_down or proof.kind is not Kind.FOLLOW_UP:  # J5: it does not reset the count
                self.count, self.counted = 0, None
            return "up" if was_down else ""
        if proof.outcome is Outcome.UNKNOWN or not self.proven or proof.kind is not Kind.SCHEDULED:
            return ""
        if self.counted is not None and proof.at - self.counted < interval / 2:
            return ""
        self.count, self.counted = self.count + 1, proof.at
        if self.count < MISSES or self.down:
            return ""
        self.down = True
        return "down"

    @staticmethod
    def heir(olds: Sequence[_Line]) -> _Line:
        """Whoever takes the place of some: proven as they were, and down if none of them has power."""
        proven = [one for one in olds if one.proven]
        if not proven:
            return _Line()
        lasts = [one.last for one in proven if one.last is not None]
        if all(one.silent is not None for one in proven):
            base = min(proven, key=lambda one: (not one.down, one.silent or one.last))
        else:
            base = max(
                (one for one in proven if one.silent is None), key=lambda one: one.answered or lasts[0]
            )
        return replace(base, last=max(lasts))

    def follow(self, moved: timedelta) -> None:
        """The wall clock was set."""
        self.silent = None if self.silent is None else self.silent + moved
        self.answered = None if self.answered is None else self.answered + moved
        self.last = None if self.last is None else self.last + moved
        self.counted = None if self.counted is None else self.counted + moved


@dataclass(kw_only=True)
class Verdicts:
    """V1: a verdict iff two scheduled misses in a row, unknown neither counting nor resetting."""

    complain: Complain
    interval: timedelta = timedelta(minutes=5)
    lines: dict[str, _Line] = field(default_factory=dict)
    population: Population = field(default_factory=Population)
    rounds: dict[str, Rounds] = field(default_factory=dict)
    """Of each uplink, by its signal."""

    groups: Groups = field(init=False)
    said: list[Proof] = field(default_factory=list)
    """What rounds said in the last decision."""

    circuits: Circuits = field(default_factory=Circuits)
    intervals: dict[str, timedelta] = field(default_factory=dict)
    """Of supplies and switches."""

    down: int = 0
    up: int = 0

    def __post_init__(self) -> None:
        self.groups = Groups(interval=self.interval)

    def check(self, decision: Decision, proofs: Sequence[Proof]) -> None:
        """A decision was committed."""
        self.said = []
        expected: list[tuple[str, str]] = []
        for proof in proofs:
            mine, *said = self._readings(proof)
            for each in (mine, *said):
                expected += self._flips(each)
            for each in said:
                expected += self.groups.take(each, self.lines)
            self.said += said
        for each in self.circuits.take(proofs):
            expected += self._flips(each)
        found = [
            ("down" if isinstance(fact, facts.WentDown) else "up", fact.signal)
            for fact in decision.facts
            if isinstance(fact, facts.WentDown | facts.CameUp)
        ]
        if sorted(expected) != sorted(found):
            self.complain(f"the readings make the flips {expected}, the record says {found}")
        self.down += sum(flip == "down" for flip, _ in found)
        self.up += sum(flip == "up" for flip, _ in found)
        for fact in decision.facts:
            if isinstance(fact, facts.ClockStepped):
                for line in self.lines.values():
                    line.follow(fact.at - fact.before)
                for one in self.rounds.values():
                    one.follow(fact.at - fact.before)
                self.groups.follow(fact.at - fact.before)
                self.circuits.follow(fact.at - fact.before)
        if decision.population is not None:
            heirs = self._heirs(decision.population)
            self.population.change(decision.population)
            self.groups.change(self.population, self.lines)
            fresh = rounds(self.population)
            before = self.rounds
            self.rounds = {
                name: one.renewed(before[name]) if name in before else one for name, one in fresh.items()
            }
            references = {name for one in self.rounds.values() for name in one.references}
            people = self.population
            self.circuits.change(people, heirs)
            known = {name: people.fixture_of(name) for name in people.own_signals() if is_parent(name)}
            self.intervals = {name: one.terms.interval for name, one in known.items() if one is not None}
            wanted = {*signals(people), *self.rounds, *references, *self.intervals}
            before_it = self.lines
            self.lines = {name: line for name, line in self.lines.items() if name in wanted}
            for name in wanted - self.lines.keys():
                self.lines[name] = _Line.heir([before_it[old] for old in heirs.get(name, ())])

    def _heirs(self, changes: Changes) -> dict[str, list[str]]:
        """By new supply, those that its devices had."""
        found: dict[str, dict[str, None]] = {}
        for new in changes.devices:
            old = self.population.devices.get(new.id)
            if old is None or old.place is None or new.place is None:
                continue
            both = State.IN_SERVICE is old.state is new.state
            if both and old.place.supply and new.place.supply not in ("", old.place.supply):
                own = supply.signal_of(new.place.supply, self.population.vantage)
                was = supply.signal_of(old.place.supply, self.population.vantage)
                found.setdefault(own, {})[was] = None
        return {name: sorted(olds) for name, olds in found.items()}

    def _flips(self, proof: Proof) -> list[tuple[str, str]]:
        flip = self._take(proof) if proof.signal in self.lines else ""
        return [(flip, proof.signal)] if flip else []

    def _take(self, proof: Proof) -> str:
        return self.lines[proof.signal].take(proof, self.intervals.get(proof.signal, self.interval))

    def _readings(self, proof: Proof) -> list[Proof]:
        """A committed reading, and what it makes its uplink say."""
        mine = [one for one in self.rounds.values() if proof.signal in one.references]
        line = self.lines.get(proof.signal)
        if not mine or (line is not None and line.last is not None and proof.at <= line.last):
            return [proof]
        said = [one.take(proof) for one in mine]
        return [proof, *(one for one in said if one is not None)]


def signals(population: Population) -> dict[str, str]:
    """The signals that are to be judged, and whose they are."""
    return {
        f"{device.id}/{check}@{population.vantage}": device.customer
        for device in population.devices.values()
        if device.state is State.IN_SERVICE
        for check in ("ping", *(service.name for service in device.services))
    }


def _device(signal: str) -> str:
    return signal.partition("/")[0]


@dataclass(kw_only=True)
class People:
    """V2: flip, emergency, duties and notices in one decision; at most one open emergency a signal."""

    complain: Complain
    population: Population = field(default_factory=Population)
    open: dict[str, str] = field(default_factory=dict)
    """The open emergency of each signal."""

    references: set[str] = field(default_factory=set)
    verdicts: dict[str, datetime] = field(default_factory=dict)
    """When each signal was last found to be down."""

    told: set[str] = field(default_factory=set)
    """Those of which an emergency has told since then."""

    held: set[str] = field(default_factory=set)
    """Services that wait for the verdict on their device."""

    over: set[str] = field(default_factory=set)
    hanging: set[str] = field(default_factory=set)
    """References of the emergencies of supplies and switches: `Hanging` looks at those."""

    placed: set[str] = field(default_factory=set)
    """Devices that ever hung on any."""

    notices: dict[str, Notice] = field(default_factory=dict)

    def check(self, decision: Decision) -> None:
        """A decision was committed."""
        self.hanging |= {
            f.reference
            for f in decision.facts
            if isinstance(f, facts.SupplyEmergencyOpened | facts.SwitchEmergencyOpened)
        }
        downs = [
            f
            for f in decision.facts
            if isinstance(f, facts.WentDown)
            and not f.signal.startswith("uplink:")
            and not is_parent(f.signal)
        ]
        every = [
            f
            for f in decision.facts
            if isinstance(f, facts.EmergencyJoined) and not is_parent(f.signal) and not is_way(f.signal)
        ]
        joined = [f for f in every if f.reference not in self.hanging]
        adopted = {fact.signal for fact in joined if not is_service(fact.signal)}
        opened = [
            f for f in decision.facts if isinstance(f, facts.EmergencyOpened | facts.UplinkEmergencyOpened)
        ]
        devices = [d.signal for d in downs if not is_service(d.signal) and d.signal not in adopted]
        theirs = [o.signal for o in opened if not is_service(o.signal) and not is_way(o.signal)]
        if [d for d in devices if d not in self.placed] != [d for d in theirs if d not in self.placed]:
            self.complain(f"verdicts {downs} do not open the emergencies {opened}")
        self.verdicts.update((down.signal, down.at) for down in downs)
        self.told -= {down.signal for down in downs}
        for fact in decision.facts:
            if isinstance(fact, facts.ClockStepped):
                moved = fact.at - fact.before
                self.verdicts = {name: at + moved for name, at in self.verdicts.items()}
            elif isinstance(fact, facts.EmergencyHeld):
                self._waits(fact)
        self.told |= {fact.signal for fact in (*opened, *every)}
        self.told |= {name for name in devices if name in self.placed and name not in decision.holds}
        for fact in joined:
            if fact.signal in adopted:  # the emergency is named after the device from now on
                self.open = {name: ref for name, ref in self.open.items() if ref != fact.reference}
                self.open[fact.signal] = fact.reference
        self._ends(decision, [*opened])
        for fact in opened:
            self._opens(decision, fact)
        self._updates(decision, [fact for fact in joined if fact.signal in adopted])
        for notice in decision.notices:
            self.notices[notice.id] = notice
        for name, hold in decision.holds.items():
            (self.held.discard if hold is None else self.held.add)(name)
        if decision.population is not None:
            self.population.change(decision.population)
            people = self.population
            self.placed |= {d.signal(people.vantage) for d in people.devices.values() if d.place is not None}

    def _waits(self, fact: facts.EmergencyHeld) -> None:
        """The time to tell runs while a service waits: from the verdict, and from nothing later.

        Only whose outage was told under an emergency that has ended is found to be down anew.
        """
        if is_parent(fact.signal):
            return
        if fact.signal in self.told:
            self.verdicts[fact.signal] = fact.at
        elif fact.at != self.verdicts[fact.signal]:
            self.complain(f"{fact.signal} waits since {fact.at}: down since {self.verdicts[fact.signal]}")

    def _opens(self, decision: Decision, fact: Opened) -> None:
        if (
            fact.signal in self.open and fact.reference not in self.over
        ) or fact.reference in self.references:
            self.complain(
                f"{fact.reference} opens for {fact.signal}, which has {self.open.get(fact.signal)} open"
            )
        if fact.reference not in self.over:
            self.open[fact.signal] = fact.reference
        self.references.add(fact.reference)
        arose = [
            f for f in decision.facts if isinstance(f, facts.DutyArose) and f.emergency == fact.reference
        ]
        wanted = [
            f"{fact.reference}.emergency.{customer}.{contact}"
            for customer in self._told(fact)
            for contact in self._people(customer, arose)
        ]
        owed = [
            f.notice
            for f in decision.facts
            if isinstance(f, facts.NoticeOwed) and fact.reference in f.emergencies and f.kind == "emergency"
        ]
        rows = [n.id for n in decision.notices if fact.reference in n.emergencies and n.kind == "emergency"]
        duties = [d.id for d in decision.duties if d.emergency == fact.reference]
        if not wanted == [d.duty for d in arose] == owed == rows == duties:
            self.complain(f"{fact.reference} owes {wanted}; recorded: {arose}, {owed}, {rows}, {duties}")
        first = min([fact.at, *(self.verdicts[name] for name in self._told_first(decision, fact))])
        if any(duty.due != first + timedelta(minutes=15) for duty in arose):
            self.complain(f"{fact.reference} of {fact.at}: a duty is not due 15 minutes after {first}")

    def _told_first(self, decision: Decision, fact: Opened) -> list[str]:
        """Whose verdicts an emergency tells of that had waited for it."""
        told = [f.signal for f in decision.facts if isinstance(f, facts.EmergencyJoined)]
        return [
            name
            for name in (*told, fact.signal)
            if name in self.held and _device(name) == _device(fact.signal)
        ]

    def _updates(self, decision: Decision, adopted: list[facts.EmergencyJoined]) -> None:
        """Whoever was told of a service is told that it is the device; nobody is owed it by a deadline."""
        for fact in adopted:
            owed = [n for n in decision.notices if n.kind == "update" and fact.reference in n.emergencies]
            first = [
                n for n in self.notices.values() if n.kind == "emergency" and fact.reference in n.emergencies
            ]
            told = {(n.customer, n.contact) for n in first if n.state not in UNTOLD}
            if {(n.customer, n.contact) for n in owed} != told or any(n.duty for n in owed):
                self.complain(f"{fact.reference} became its device's: {sorted(told)} are told, not {owed}")

    def _people(self, customer: str, arose: list[facts.DutyArose]) -> list[str]:
        """All contacts; where these take turns, one, and which one is for `shifts` to say."""
        known = self.population.customers[customer]
        if not known.roster.rotations:
            return [*known.contacts]
        owed = [fact.contact for fact in arose if fact.duty.split(".")[-2] == customer]
        return [one for one in known.contacts if one in owed][:1] or [*known.contacts]

    def _told(self, fact: Opened) -> list[str]:
        """Who is to hear of it: the customer; or everybody behind the uplink, and then the operator."""
        if isinstance(fact, facts.EmergencyOpened):
            return [fact.customer]
        behind = {
            device.customer
            for device in self.population.devices.values()
            if device.state is State.IN_SERVICE and device.uplink == fact.uplink
        }
        if tuple(sorted(behind)) != fact.customers:
            self.complain(f"{fact.reference}: {sorted(behind)} are behind, the record says {fact.customers}")
        operator = self.population.operator
        return [*sorted(behind - {operator}), *([operator] if operator else [])]

    def _ends(self, decision: Decision, opened: list[Opened]) -> None:
        """Emergencies end with what they are named after; what waited until then opens and ends at once."""
        ups = {
            fact.signal
            for fact in decision.facts
            if isinstance(fact, facts.CameUp) and "/ping:" not in fact.signal and not is_parent(fact.signal)
        }
        gone = {name for name in decision.withdrawn_signals if name in self.open}
        every = (f for f in decision.facts if isinstance(f, facts.EmergencyEnded))
        ended = {fact.reference: fact for fact in every if fact.reference not in self.hanging}
        at_once = {fact.signal: fact.reference for fact in opened if fact.signal in self.held}
        left = {*decision.withdrawn_signals} | ups
        may_be_untold = {
            name for name in ups | gone if is_service(name) or is_way(name) or name in self.placed
        }
        expected = {self.open.get(name, name) for name in (ups | gone) - may_be_untold}
        expected |= {self.open[name] for name in may_be_untold if name in self.open}
        expected |= {at_once[name] for name in left if name in at_once}
        if expected != ended.keys():
            self.complain(f"emergencies {sorted(expected)} end, the record says {sorted(ended)}")
        for name in ups | gone:
            self.open.pop(name, None)
        self.over = {*ended}
        for reference, fact in ended.items():
            kind = "withdrawn" if fact.withdrawn else "recovery"
            known = (*self.notices.values(), *decision.notices)
            first = [n for n in known if n.kind == "emergency" and reference in n.emergencies]
            told = {(n.customer, n.contact) for n in first if n.state not in UNTOLD}
            ends = [n for n in decision.notices if n.kind == kind and reference in n.emergencies]
            owed = [(n.customer, n.contact) for n in ends]
            if sorted(told) != sorted(owed):
                self.complain(
                    f"the end of {reference} is owed to {sorted(told)}, the outbox has {sorted(owed)}"
                )

"""N7: a customer was told as soon as enough of their people were, and the record says so, or says not."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta

from hostwatch.core import facts
from hostwatch.core.world import Decision
from tests.simulation.evidence import Complain
from tests.simulation.telling import BREACH_WITHIN_S


@dataclass(slots=True)
class _Owed:
    """What is owed to one customer about one emergency, and how it stands by the facts about the people."""

    fact: facts.CustomerDutyArose
    due: datetime
    met: set[str] = field(default_factory=set)
    released: set[str] = field(default_factory=set)
    said_met: bool = False
    said_over: bool = False
    breached: bool = False

    @property
    def is_met(self) -> bool:
        if self.fact.told == "any":
            return bool(self.met)
        return bool(self.met) and self.met | self.released >= {*self.fact.people}

    @property
    def is_over(self) -> bool:
        return bool(self.fact.people) and not self.met and self.released >= {*self.fact.people}


@dataclass(kw_only=True)
class Customers:
    """Reads facts alone, in their order."""

    complain: Complain
    owed: dict[str, _Owed] = field(default_factory=dict)
    of: dict[str, _Owed] = field(default_factory=dict)
    """By the duty to a person."""

    told: int = 0
    breached: int = 0

    def check(self, decision: Decision, recorded_at: datetime, well_since: timedelta) -> None:
        """A decision was committed."""
        for fact in decision.facts:
            self._take(fact)
        for fact in decision.facts:
            if isinstance(fact, facts.DutyMet | facts.DutyReleased | facts.CustomerDutyArose):
                one = self.of.get(fact.duty) or self.owed.get(fact.duty)
                if one is not None:
                    self._agrees(one)
        if well_since < timedelta(seconds=BREACH_WITHIN_S):
            return
        for name, one in self.owed.items():
            waits = not (one.is_met or one.is_over or one.breached)
            if waits and recorded_at - one.due > timedelta(seconds=BREACH_WITHIN_S):
                self.complain(f"{name} was due at {one.due}, it is {recorded_at}, and no breach is recorded")

    def _take(self, fact: facts.Fact) -> None:
        match fact:
            case facts.CustomerDutyArose():
                if fact.duty in self.owed:
                    self.complain(f"{fact.duty} arises twice")
                self.owed[fact.duty] = _Owed(fact, fact.due)
                self.of.update(dict.fromkeys(fact.people, self.owed[fact.duty]))
            case facts.DutyArose() if fact.duty in self.of and self.of[fact.duty].due != fact.due:
                self.complain(f"{fact.duty} is due at another time than the duty to the customer")
            case facts.DutyMet() if fact.duty in self.of:
                self.of[fact.duty].met.add(fact.duty)
            case facts.DutyReleased() if fact.duty in self.of:
                self.of[fact.duty].released.add(fact.duty)
            case facts.ClockStepped():
                for one in self.owed.values():
                    if not (one.is_met or one.is_over or one.breached):
                        one.due += fact.at - fact.before
            case _:
                self._said(fact)

    def _said(self, fact: facts.Fact) -> None:
        match fact:
            case facts.CustomerDutyMet():
                self.told += 1
                one = self.owed[fact.duty]
                one.said_met = True
                if fact.late != (one.breached or fact.at > one.due):
                    self.complain(f"{fact.duty} due {one.due} was met at {fact.at}; late: {fact.late}")
            case facts.CustomerDutyReleased():
                self.owed[fact.duty].said_over = True
            case facts.CustomerDutyBreached():
                self.breached += 1
                one = self.owed[fact.duty]
                if one.is_met or one.is_over or one.breached or fact.at < one.due:
                    self.complain(f"{fact.duty} due {one.due} is breached at {fact.at}: wrongly, or again")
                one.breached = True
            case _:
                pass

    def _agrees(self, one: _Owed) -> None:
        if (one.said_met, one.said_over) != (one.is_met, one.is_over):
            self.complain(
                f"{one.fact.duty} ({one.fact.told} of {one.fact.people}): met {one.met}, released"
                f" {one.released}; the record says met {one.said_met}, released {one.said_over}"
            )

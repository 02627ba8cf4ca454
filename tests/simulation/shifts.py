"""N8: a duty is owed to whoever was on call at the verdict, by the table of zones and no code of ours."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

from hostwatch.core import facts
from hostwatch.core.population import Customer, Population
from hostwatch.core.world import Decision
from tests.simulation.evidence import Complain

WITHIN = timedelta(minutes=15)
DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Shift:
    """All contacts of the first customer take turns of a day."""

    begins: date
    at: str
    """The hour of hand-over, as a clock in `zone` shows it."""

    zone: str

    @classmethod
    def over(cls, handed_over: datetime, days: int, zone: str) -> Shift:
        """One that is handed over at the minute of an instant, and began some days before."""
        local = handed_over.astimezone(ZoneInfo(zone))
        return cls(begins=local.date() - days * DAY, at=f"{local:%H:%M}", zone=zone)

    def plain(self, people: list[str]) -> dict[str, object]:
        """As the configuration has it."""
        begins = self.begins.isoformat()
        return {
            "id": "shift", "people": people, "from": begins, "at": self.at, "days": 1, "timezone": self.zone
        }  # fmt: skip

    def on_call(self, people: tuple[str, ...], at: datetime) -> str:
        """Counts the hand-overs until an instant, one by one."""
        day, number = self.begins, -1
        hour, minute = int(self.at[:2]), int(self.at[3:])
        zone = ZoneInfo(self.zone)
        while datetime(day.year, day.month, day.day, hour, minute, tzinfo=zone).astimezone(UTC) <= at:
            day, number = day + DAY, number + 1
        return people[number % len(people)]


@dataclass(kw_only=True)
class Shifts:
    """Holds each duty that arises to whoever was on call."""

    complain: Complain
    shift: Shift | None
    population: Population = field(default_factory=Population)
    handed_over: int = 0
    """How many emergencies were told to another one than the emergency before."""

    _latest: str = ""

    def check(self, decision: Decision) -> None:
        """A decision was committed."""
        before = self.population.customers.get("c0")
        if decision.population is not None:
            self.population.change(decision.population)
        if self.shift is not None:
            wanted = [one for one in (before, self.population.customers.get("c0")) if one is not None]
            self._check(decision, self.shift, wanted)

    def _check(self, decision: Decision, shift: Shift, known: list[Customer]) -> None:
        owed: dict[tuple[str, datetime], list[str]] = {}
        for fact in decision.facts:
            if isinstance(fact, facts.DutyArose) and fact.duty.split(".")[-2] == "c0":
                owed.setdefault((fact.emergency, fact.due), []).append(fact.contact)
        for (emergency, due), people in owed.items():
            wanted = [[shift.on_call(one.contacts, due - WITHIN)] for one in known if one.contacts]
            if people not in wanted:
                self.complain(f"{emergency} due {due} is owed to {people} of c0; on call: {wanted}")
            self.handed_over += int(self._latest not in ("", people[0]))
            self._latest = people[0]

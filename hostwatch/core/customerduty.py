"""The duty to the customer: that the customer as a whole is told in time (`colocation C5`).

Each authorised person is owed a notice of their own, and one dead number among five is no breach. Whether the
customer was told follows from that: any of their people, all, or those whom the agreement names.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from hostwatch.core import facts
from hostwatch.core.terms import Told


@dataclass(frozen=True, slots=True, kw_only=True)
class CustomerDuty:
    """A customer is owed to be told of an emergency by a deadline."""

    emergency: str
    customer: str
    due: datetime
    told: Told = Told.ANY
    people: tuple[str, ...] = ()
    """The duties to the people who count. Without any nobody can meet it."""

    met: tuple[str, ...] = ()
    """Those of them that are met."""

    released: tuple[str, ...] = ()
    """Those of them for which nothing more is done."""

    met_at: datetime | None = None
    breached_at: datetime | None = None
    released_at: datetime | None = None
    """Since when nobody is left who could be told, and nobody was."""

    @property
    def id(self) -> str:
        """The name of the duty."""
        return name_of(self.emergency, self.customer)

    @property
    def is_met(self) -> bool:
        """Whether enough of the people were told."""
        if self.told is Told.ANY:
            return bool(self.met)
        return bool(self.met) and {*self.people} <= {*self.met, *self.released}

    @property
    def is_settled(self) -> bool:
        """Whether nothing more is to be done for it: it is met, or nobody is left."""
        return self.met_at is not None or self.released_at is not None

    @property
    def may_be_breached(self) -> bool:
        """Whether it is still to be met, and in time."""
        return self.met_at is None and self.breached_at is None and self.released_at is None

    def moved(self, step: timedelta) -> CustomerDuty:
        """With the time that is left after a step of the wall clock."""
        return replace(self, due=self.due + step)


def name_of(emergency: str, customer: str) -> str:
    """The name of the duty to a customer."""
    return f"{emergency}.customer.{customer}"


def arose(duty: CustomerDuty, at: datetime) -> facts.CustomerDutyArose:
    """The fact that there is one."""
    return facts.CustomerDutyArose(
        at=at,
        duty=duty.id,
        emergency=duty.emergency,
        customer=duty.customer,
        due=duty.due,
        told=duty.told.value,
        people=duty.people,
    )


def after(
    duty: CustomerDuty, happened: Iterable[facts.Fact], now: datetime
) -> tuple[CustomerDuty, tuple[facts.Fact, ...]]:
    """The duty after facts about the duties to its people, and what follows for the customer."""
    for fact in happened:
        match fact:
            case facts.DutyMet() if fact.duty in duty.people:
                duty = replace(duty, met=tuple(sorted({*duty.met, fact.duty})))
            case facts.DutyReopened() if fact.duty in duty.met:
                duty = replace(duty, met=tuple(name for name in duty.met if name != fact.duty))
            case facts.DutyReleased() if fact.duty in duty.people:
                duty = replace(duty, released=tuple(sorted({*duty.released, fact.duty})))
            case _:
                pass
    if not duty.met and {*duty.people} <= {*duty.released} and duty.released_at is None:
        return replace(duty, released_at=now), (facts.CustomerDutyReleased(at=now, duty=duty.id),)
    if duty.is_met == (duty.met_at is not None):
        return duty, ()
    if duty.met_at is not None:
        return replace(duty, met_at=None), (facts.CustomerDutyReopened(at=now, duty=duty.id),)
    late = duty.breached_at is not None or now > duty.due
    return replace(duty, met_at=now), (facts.CustomerDutyMet(at=now, duty=duty.id, late=late),)


def breaches(
    duties: Iterable[CustomerDuty], now: datetime
) -> Iterator[tuple[CustomerDuty, facts.CustomerDutyBreached]]:
    """Those whose time has run out and that nobody has recorded yet."""
    for duty in duties:
        if duty.may_be_breached and duty.due <= now:
            fact = facts.CustomerDutyBreached(at=now, duty=duty.id, due=duty.due)
            yield replace(duty, breached_at=now), fact

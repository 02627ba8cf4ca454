"""Acknowledgements: a person said "I have it". The ladder stops, the outage goes on.

Their own notice is proven by it as far as a notice can be. Of others it ends what only waits for a person:
where somebody's carrier took the message, and the customer was told, nobody is tried further who merely
has not answered. It never meets the duty to another person, nor ends one.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from hostwatch.core.customerduty import CustomerDuty
from hostwatch.core.emergency import Attempt, AttemptOutcome, Notice
from hostwatch.core.notice import Kind
from hostwatch.core.proof import Proof

END: tuple[Kind, ...] = ("recovery", "withdrawn", "correction")
"""Notices of the end of an emergency: an acknowledgement is not of them."""


class How(StrEnum):
    """By which way an acknowledgement came."""

    ON_BEHALF = "on behalf"
    """Somebody of the operator's recorded what the person had said."""

    CLI = "cli"
    API = "api"
    LINK = "link"
    REPLY = "reply"
    KEYPRESS = "keypress"


@dataclass(frozen=True, slots=True, kw_only=True)
class Acknowledgement:
    """One person has one emergency."""

    customer: str
    contact: str
    """Which of the customer's contacts; empty if it is none of them."""

    who: str
    """A commitment to the name."""

    how: How
    actor: str
    at: datetime

    @property
    def key(self) -> tuple[str, str, str]:
        """Who has it: saying so again changes nothing."""
        return self.customer, self.contact, self.who

    def is_of(self, notice: Notice) -> bool:
        """Whether it is of the person to whom a notice is owed."""
        return bool(self.contact) and (self.customer, self.contact) == (notice.customer, notice.contact)


Known = Iterable[Acknowledgement]


def own(notice: Notice, known: Known) -> Acknowledgement | None:
    """What the person to whom a notice is owed said of its emergency."""
    if notice.kind in END:
        return None
    return next((one for one in known if one.is_of(notice)), None)


def proven_attempt(notice: Notice) -> Attempt | None:
    """The attempt that an acknowledgement of the person proves: the latest that may have arrived."""
    arrived = (
        one
        for one in reversed(notice.attempts)
        if one.may_have_arrived and one.outcome is not AttemptOutcome.RETURNED
    )
    return None if notice.kind in END else next(arrived, None)


def rests(notice: Notice, known: Known, customer: CustomerDuty | None) -> bool:
    """Whether a notice that is still pending only waits for a person, and another of the customer's has it.

    `customer`: the duty to the customer as a whole, if there is one. What nobody took is never at rest.
    """
    if notice.kind in END or notice.proof is None or not notice.proof.covers(Proof.ACCEPTED):
        return False
    told = customer is not None and customer.met_at is not None
    return told and any(one.customer == notice.customer for one in known)

"""The people's side of an outage: emergencies, the duty to tell, and the notices that are owed.

An emergency opens with a verdict and ends with the first answer. For each contact that is
authorised at the verdict there is one duty with a deadline (`colocation C5`), and one notice in the
outbox; when the emergency ends, one more.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum

from hostwatch.core.notice import Kind, Story
from hostwatch.core.proof import Proof, stronger


@dataclass(frozen=True, slots=True, kw_only=True)
class Emergency:
    """A confirmed outage that obliges us to tell. Its story grows when it ends."""

    reference: str
    signal: str
    """Whose outage it is. It ends with that."""

    opened_at: datetime
    story: Story
    joined: tuple[str, ...] = ()
    """Other signals whose outages are told under it, or will be if they come to be any (J8)."""

    ended_at: datetime | None = None
    withdrawn: bool = False

    @property
    def signals(self) -> tuple[str, ...]:
        """All signals that it covers."""
        return (self.signal, *self.joined)


@dataclass(frozen=True, slots=True, kw_only=True)
class Duty:
    """A contact is owed a notice by a deadline."""

    id: str
    emergency: str
    customer: str
    contact: str
    due: datetime
    met_by: Proof = Proof.ACCEPTED
    """What proves that they were told: a term of the agreement."""

    met_at: datetime | None = None
    breached_at: datetime | None = None
    released_at: datetime | None = None
    """Since when nothing more is done for it, though it was not met."""

    @property
    def is_open(self) -> bool:
        """Whether it is still to be met."""
        return self.met_at is None and self.released_at is None

    @property
    def may_be_breached(self) -> bool:
        """Whether it is still to be met, and in time."""
        return self.is_open and self.breached_at is None


class NoticeState(StrEnum):
    """Where a notice stands. The word is never stronger than the proof."""

    PENDING = "pending"
    ACCEPTED = "accepted"
    DELIVERED = "delivered"
    ANSWERED = "answered"
    ACKNOWLEDGED = "acknowledged"
    GIVEN_UP = "given up"
    FORBIDDEN = "forbidden"
    """The contact is no longer authorised."""

    CORRECTED = "corrected"
    """What it tells was a false alarm: whoever it had not reached is told nothing."""

    RUNNING = "under a running notice"
    """Told by the running notice that the agreement accepts, which had reached the person; by no message."""

    OVERTAKEN = "overtaken"
    """A reminder of what was over, or somebody had, before it reached them."""


class AttemptOutcome(StrEnum):
    """What became of handing a notice over."""

    OPEN = "open"
    ATTEMPTED = "attempted"
    """Handed over, and nobody has said yet whether it was taken: a call that is to be made."""

    ACCEPTED = "accepted"
    RETURNED = "returned"
    """Accepted, and given back later: it did not arrive."""

    FAILED = "failed"
    REFUSED = "refused"
    INTERRUPTED = "interrupted"
    """We stopped in the middle: it may have arrived."""

    UNSENT = "unsent"
    """Claimed, and then not sent, since the customer had withdrawn the person or the channel meanwhile."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Attempt:
    """One try to hand a notice over by one channel."""

    number: int
    rung: int
    """The place of the channel in the contact's ladder at that time, from 0."""

    channel: str
    began_at: datetime
    ended_at: datetime | None = None
    outcome: AttemptOutcome = AttemptOutcome.OPEN
    perhaps_arrived: bool = False
    retry_after: timedelta | None = None
    repeat: bool = False
    address: str = ""
    """Commitment to the address that was used."""

    said: str = ""
    """Commitment to the other side's words."""

    way: str = ""
    """What the channel was, whatever its place: two attempts with the same one went the same way."""

    proof: Proof | None = None
    """What is proven by it, as far as anybody has said; None: nothing."""

    receipt: str = ""
    """What the other side calls the message, by which it may say more of it later. No personal data."""

    led_by: str = ""
    """Of one that was told in the message of another notice: which attempt of that (`message_of`)."""

    @property
    def may_have_arrived(self) -> bool:
        """Whether the person may have the message by it: another is then marked as a repeat."""
        return self.perhaps_arrived or self.outcome is AttemptOutcome.ACCEPTED


@dataclass(frozen=True, slots=True, kw_only=True)
class Notice:
    """One message to one contact about one or more emergencies: a row of the outbox."""

    id: str
    kind: Kind
    customer: str
    contact: str
    emergencies: tuple[str, ...]
    stories: tuple[Story, ...]
    created_at: datetime
    duty: str | None = None
    after: str | None = None
    """The notice that must be settled first: nobody hears of an end before the beginning."""

    state: NoticeState = NoticeState.PENDING
    settled_at: datetime | None = None
    late: bool = False
    """Whether it was settled after the deadline of its duty; until then the duty itself tells."""

    attempts: tuple[Attempt, ...] = ()

    @property
    def perhaps_told(self) -> bool:
        """Whether an earlier attempt may have arrived, so that the next must be marked as a repeat."""
        return any(attempt.may_have_arrived for attempt in self.attempts)

    @property
    def proof(self) -> Proof | None:
        """The most that is proven by any attempt."""
        found: Proof | None = None
        for attempt in self.attempts:
            found = stronger(found, attempt.proof)
        return found

    @property
    def told_by(self) -> str | None:
        """The channel that proves the most; None if none proves anything."""
        proof = self.proof
        return next((one.channel for one in self.attempts if proof and one.proof is proof), None)

    @property
    def has_open_attempt(self) -> bool:
        """Whether the latest attempt has no outcome yet."""
        return bool(self.attempts) and self.attempts[-1].outcome is AttemptOutcome.OPEN

    def with_attempt(self, attempt: Attempt) -> Notice:
        """The notice with an attempt added, or replaced by its number."""
        place = attempt.number - 1
        return replace(self, attempts=(*self.attempts[:place], attempt, *self.attempts[place + 1 :]))


def message_of(notice: str, number: int) -> str:
    """What the message of an attempt is known by, with which others are told as well."""
    return f"{notice}#{number}"


def notice_id(reference: str, kind: Kind, customer: str, contact: str) -> str:
    """The stable key of a notice: the same for every try, so that the other side can tell a repeat."""
    return f"{reference}.{kind}.{customer}.{contact}"


def update_id(reference: str, number: int, customer: str, contact: str) -> str:
    """The key of the n-th notice that tells more of an open emergency."""
    return f"{reference}.update-{number}.{customer}.{contact}"


def reminder_id(reference: str, number: int, customer: str, contact: str) -> str:
    """The key of the n-th reminder that an emergency is the oldest of."""
    return f"{reference}.reminder-{number}.{customer}.{contact}"


def reference(number: int) -> str:
    """What people quote on the telephone."""
    return f"E-{number:06d}"


def number_of(name: str) -> int:
    """Which of all emergencies a reference is of, from 1."""
    return int(name.removeprefix("E-"))

"""The call sheet: calls that a human of the operator must make, since no machine can.

A call is an attempt that waits for its outcome. Whoever takes it has two minutes to say what came of it; then
it is anybody's again, and the supervisor's too. What a person of the operator's says is all that proves it,
so whether anybody else keeps a record of it is told beside.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final, NamedTuple

from hostwatch.core.emergency import Attempt, AttemptOutcome, Notice

TAKEN_FOR: Final = timedelta(minutes=2)
"""How long a call is one person's without an outcome."""

PREFIX: Final = "call/"
"""The receipt of an attempt that waits for a human begins so."""

NO_ANSWER_PAUSE: Final = timedelta(minutes=1)
VOICEMAIL_PAUSE: Final = timedelta(minutes=4)
"""How long the number is left alone: whoever is not there is seldom back at once."""


class Outcome(StrEnum):
    """What came of a call."""

    SPOKE = "spoke"
    VOICEMAIL = "voicemail"
    WRONG_NUMBER = "wrong number"
    NO_ANSWER = "no answer"
    FAX_SENT = "fax sent"


INDEPENDENT, STATED = "independent", "stated by operator"


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """A call that somebody took."""

    number: int
    """Of the attempt."""

    by: str
    """A commitment to the name of who took it last."""

    taken_at: datetime
    returned_at: datetime | None = None
    """Since when it is anybody's again."""

    times: int = 0
    """How often it came back so."""

    @property
    def is_taken(self) -> bool:
        """Whether it is somebody's."""
        return self.returned_at is None

    @property
    def returns_at(self) -> datetime:
        """When it is anybody's again."""
        return self.taken_at + TAKEN_FOR


class Entry(NamedTuple):
    """A call that is to be made."""

    notice: Notice
    attempt: Attempt
    call: Call | None
    """None: nobody took it yet."""


def is_call(receipt: str) -> bool:
    """Whether an attempt of this receipt waits for a human."""
    return receipt.startswith(PREFIX)


def may_wait(notice: Notice) -> bool:
    """Whether a call about a notice was ever put on the sheet: of thousands few are."""
    return any(is_call(attempt.receipt) for attempt in notice.attempts)


def waiting(notice: Notice) -> Iterator[Attempt]:
    """The attempts of a notice that wait for the outcome of a call: of each way the latest."""
    seen: set[str] = set()
    for attempt in reversed(notice.attempts):
        if is_call(attempt.receipt) and attempt.way not in seen:
            seen.add(attempt.way)
            if attempt.outcome is AttemptOutcome.ATTEMPTED:
                yield attempt


def of(known: Iterable[Call], number: int) -> Call | None:
    """What is known of the call of an attempt."""
    return next((call for call in known if call.number == number), None)

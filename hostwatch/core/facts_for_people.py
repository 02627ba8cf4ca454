"""Facts about what is told to people: emergencies, duties, notices and attempts. Part of `core.facts`."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from hostwatch.core.fact import Fact


@dataclass(frozen=True, slots=True, kw_only=True)
class EmergencyOpened(Fact):
    """A confirmed outage that obliges us to tell (`colocation C5`)."""

    reference: str
    customer: str
    device: str
    signal: str
    first_miss: datetime
    last_answer: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class UplinkEmergencyOpened(Fact):
    """The reference points of an uplink fell silent: an outage of every port behind it (J7)."""

    reference: str
    uplink: str
    signal: str
    first_miss: datetime
    last_answer: datetime
    customers: tuple[str, ...]
    """Who has devices in service behind it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SupplyEmergencyOpened(Fact):
    """Power that devices were promised is interrupted by the agreement's rule (`colocation C2`)."""

    reference: str
    supplies: tuple[str, ...]
    """Those that went down together. Others may join."""

    signal: str
    """Of the first of them."""

    first_miss: datetime
    last_answer: datetime
    customers: tuple[str, ...]
    """Who has devices in service on them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SwitchEmergencyOpened(Fact):
    """A switch is dead, as those behind it say, and cuts them off (J10)."""

    reference: str
    switches: tuple[str, ...]
    """It, and others without which those behind it would not be cut off."""

    signal: str
    first_miss: datetime
    last_answer: datetime
    customers: tuple[str, ...]
    """Who has devices in service that are cut off."""


@dataclass(frozen=True, slots=True, kw_only=True)
class EmergencyHeld(Fact):
    """Something is down, and perhaps for another thing's sake: its emergency waits (J8, J10).

    A service waits for the verdict on its device, a device for that on what it hangs on, and a switch for
    what those behind it say.
    """

    signal: str
    until: datetime
    """If nothing is decided by then, it opens alone."""


@dataclass(frozen=True, slots=True, kw_only=True)
class EmergencyJoined(Fact):
    """An outage is told under an emergency that is open, and opens none of its own (J8, J10)."""

    reference: str
    signal: str
    first_miss: datetime
    last_answer: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class EmergencyEnded(Fact):
    """What it is named after answered again, or is no longer watched (`withdrawn`).

    Of a switch it ends as well when somebody behind it answers.
    """

    reference: str
    withdrawn: bool
    last_miss: datetime
    first_answer: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class WarningBegan(Fact):
    """Operators are warned of something that is no outage yet (`core.warned`)."""

    what: str
    about: str
    """The source, the element, the supply or the switch."""

    said: str


@dataclass(frozen=True, slots=True, kw_only=True)
class WarningEnded(Fact):
    """It has not been seen for a while."""

    what: str
    about: str
    since: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class DutyArose(Fact):
    """A contact is owed a notice by `due`."""

    duty: str
    emergency: str
    contact: str
    due: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class DutyMet(Fact):
    """The notice was accepted by the means that the contact chose."""

    duty: str
    late: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class DutyBreached(Fact):
    """The time ran out before the notice was accepted. The attempts go on, marked late."""

    duty: str
    due: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class DutyReleased(Fact):
    """Nothing more will be done for a duty: the contact is no longer authorised, or all was tried."""

    duty: str
    why: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CustomerDutyArose(Fact):
    """A customer as a whole is owed to be told by `due` (`colocation C5`)."""

    duty: str
    emergency: str
    customer: str
    due: datetime
    told: str
    """`any` or `all` of the people who count must have been."""

    people: tuple[str, ...]
    """The duties to them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CustomerDutyMet(Fact):
    """Enough of the customer's people were told."""

    duty: str
    late: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class CustomerDutyBreached(Fact):
    """The time ran out before enough of them were told. The attempts go on."""

    duty: str
    due: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class CustomerDutyReopened(Fact):
    """What had met it turned out not to have arrived."""

    duty: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CustomerDutyReleased(Fact):
    """Nobody is left of those who count who could be told, and nobody was."""

    duty: str


@dataclass(frozen=True, slots=True, kw_only=True)
class NoticeOwed(Fact):
    """A notice lies in the outbox."""

    notice: str
    kind: str
    customer: str
    contact: str
    emergencies: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class AttemptBegan(Fact):
    """We are about to hand a notice over. Recorded before, so that a crash leaves its trace."""

    notice: str
    number: int
    channel: str
    rung: int
    address: str
    repeat: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class ToldTogether(Fact):
    """One message tells several notices. Each has an attempt, and what becomes of one becomes of all."""

    notice: str
    """The one that leads the message."""

    number: int
    """Of its attempt."""

    others: tuple[str, ...]
    """What stands behind it, and others to the same person with what stands behind them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AttemptEnded(Fact):
    """What became of an attempt; `said` is a commitment to the other side's words."""

    notice: str
    number: int
    outcome: str
    said: str


@dataclass(frozen=True, slots=True, kw_only=True)
class AttemptProved(Fact):
    """The other side said later how far a message came; `said` is a commitment to its words."""

    notice: str
    number: int
    proof: str
    said: str


@dataclass(frozen=True, slots=True, kw_only=True)
class AttemptReturned(Fact):
    """What was accepted was given back: a bounce, or a report that it cannot be delivered."""

    notice: str
    number: int
    said: str


@dataclass(frozen=True, slots=True, kw_only=True)
class DutyReopened(Fact):
    """What met a duty turned out not to have arrived. Its time to tell has run on."""

    duty: str


@dataclass(frozen=True, slots=True, kw_only=True)
class NoticeReopened(Fact):
    """A notice that was settled is to be sent again, since what had settled it did not arrive."""

    notice: str
    why: str


@dataclass(frozen=True, slots=True, kw_only=True)
class NoticeSettled(Fact):
    """Nothing more will be tried for the notice: accepted, or given up, or no longer allowed."""

    notice: str
    state: str
    why: str

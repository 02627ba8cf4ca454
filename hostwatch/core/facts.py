"""All that can happen, in the past tense and dated: a closed union of facts.

Facts are the record. They are append-only, encoded canonically (`core.canonical`) and never hold a
secret; a name or an address of a person appears only as a salted commitment.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from hostwatch.core import (
    facts_by_hand,
    facts_for_people,
    facts_from_people,
    facts_of_contacts,
    facts_of_duties,
    facts_of_exercises,
    facts_of_flapping,
)
from hostwatch.core.fact import Fact as Fact
from hostwatch.core.reading import Kind


@dataclass(frozen=True, slots=True, kw_only=True)
class WatchStarted(Fact):
    """A watch took the store over. `epoch` is its fencing number."""

    epoch: int
    version: str


@dataclass(frozen=True, slots=True, kw_only=True)
class WatchStopped(Fact):
    """The watch laid its work down in good order."""

    epoch: int
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ConfigurationApplied(Fact):
    """A configuration came into force."""

    digest: str
    author: str
    difference: tuple[dict[str, Any], ...]
    content: dict[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class ConfigurationRefused(Fact):
    """A new configuration was not valid; the old one stays in force."""

    author: str
    mistakes: tuple[str, ...]
    """Where the mistakes are: file, line and key. What they are is in the log."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PopulationChanged(Fact):
    """A customer, contact or device has a new dated version. `state` says how it is to be judged."""

    thing: str
    name: str
    customer: str
    state: str
    body: dict[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class ScheduleAdopted(Fact):
    """From slice `from_slice` on, what is due follows from schedule `version`."""

    version: int
    from_slice: int
    slice_us: int
    digest: str


@dataclass(frozen=True, slots=True, kw_only=True)
class DeviceProven(Fact):
    """A signal answered for the first time: from now on its silence means something."""

    signal: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SilenceBegan(Fact):
    """The first miss after an answer (J3)."""

    signal: str
    last_answer: datetime
    why: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SilenceEnded(Fact):
    """The first answer after a silence, with all four dates (J3)."""

    signal: str
    last_answer: datetime
    first_miss: datetime
    last_miss: datetime
    confirmed: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class SilenceCut(Fact):
    """A silence that nobody ended is accounted up to here: the clock stepped, or the watching ended."""

    signal: str
    last_answer: datetime
    first_miss: datetime
    last_miss: datetime
    confirmed: bool
    why: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PathSeen(Fact):
    """How far packets came towards a target that had just fallen silent (`core.path`). It decides nothing."""

    signal: str
    """Whose silence it was asked for."""

    network: str
    """Whoever fell silent in it within the next minute shares this answer."""

    routers: tuple[str, ...]
    """Who answered at each hop, up to the last that did; empty where nobody did."""

    ending: str
    """`reached`, `refused`, `loop`, `broken`, `too long` or `nobody`."""

    hop: int
    """Where that was: the hop of the last router that answered, or of who refused; 0 if there is none."""

    said: str
    """The words of who refused."""


@dataclass(frozen=True, slots=True, kw_only=True)
class WentDown(Fact):
    """A flip: two scheduled misses in a row are known (J4). `at` is the verdict."""

    signal: str
    last_answer: datetime
    first_miss: datetime
    last_miss: datetime
    misses: int
    why: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CameUp(Fact):
    """A flip: the first answer after a verdict. `at` is when that was known."""

    signal: str
    last_miss: datetime
    first_answer: datetime
    kind: Kind


@dataclass(frozen=True, slots=True, kw_only=True)
class SupplyTookOver(Fact):
    """A supply stands where others stood: devices that hung on those hang on it from now on (J10).

    It is proven as they were. Where all of them were silent it goes on with the dates, the count and the
    verdict of one of them; the silences of the others end with those.
    """

    signal: str
    before: tuple[str, ...]
    last_answer: datetime | None
    first_miss: datetime | None
    last_miss: datetime | None
    misses: int
    verdict: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Unspoken(Fact):
    """For `[since, at)` no reading speaks for the signal: unknown seconds (J2)."""

    signal: str
    since: datetime
    why: str


@dataclass(frozen=True, slots=True, kw_only=True)
class BlindBegan(Fact):
    """We could not look, or could not believe what we saw; for all signals (J7)."""

    why: str
    detail: str


@dataclass(frozen=True, slots=True, kw_only=True)
class BlindEnded(Fact):
    """We can see again."""

    since: datetime
    why: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ClockStepped(Fact):
    """The wall clock jumped. `at` is what it showed after; what lies between is unknown for all."""

    before: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class ClockQuality(Fact):
    """How well the wall clock was kept from then on, as the kernel said (`core.quality`)."""

    keeping: str
    """`synchronised`, `unsynchronised` or `not known`."""

    offset_us: int
    estimated_us: int
    maximum_us: int


@dataclass(frozen=True, slots=True, kw_only=True)
class PowerSeen(Fact):
    """A source of power says another thing than before, in what matters; `at` is when it was asked."""

    source: str
    heard_before: datetime | None
    """When it was last heard before: the change lies in between. None: it was never heard."""

    said: str
    """All that it said, in the words of `core.power`, as JSON."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PortSeen(Fact):
    """A port is in another state than before, or was meanwhile; `at` is when its switch was asked."""

    source: str
    port: str
    """As the configuration calls it; else as the switch does."""

    heard_before: datetime | None
    """When the switch was last heard before: the change lies in between. None: never of this port."""

    oper: str
    """`up`, `down` or `unknown`: whether it works."""

    admin: str
    """The same: whether it is meant to."""

    said: str
    """The switch's own word, such as `lowerLayerDown`."""

    changed_at: datetime | None
    """When it came to this state, as the switch says; None: it does not."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PowerFailedBriefly(Fact):
    """A source counted failures of its input between two readings that did not see them."""

    source: str
    heard_before: datetime
    """The reading before: the failures lie between it and `at`."""

    times: int


@dataclass(frozen=True, slots=True, kw_only=True)
class CauseFound(Fact):
    """The rules make another thing than before of what is known of an outage (`core.topology`)."""

    signal: str
    first_miss: datetime
    """Of the outage."""

    cause: str
    confidence: str
    rule: str
    """Empty where none held: the cause is undetermined."""

    evidence: tuple[dict[str, Any], ...]
    """Who said what, and when."""

    wanting: tuple[str, ...]
    """Of what nobody spoke who could decide it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CauseStated(Fact):
    """A person says what the cause is of all that is told under an emergency; or takes that back."""

    reference: str
    cause: str
    """Empty: what was stated is withdrawn."""

    actor: str
    because: str
    """A commitment to the reason."""

    ordered_by: str
    """A commitment to who ordered it; empty if nobody did."""

    since: datetime | None
    until: datetime | None


AttemptBegan = facts_for_people.AttemptBegan
AttemptEnded = facts_for_people.AttemptEnded
AttemptProved = facts_for_people.AttemptProved
AttemptReturned = facts_for_people.AttemptReturned
CustomerDutyArose = facts_for_people.CustomerDutyArose
CustomerDutyBreached = facts_for_people.CustomerDutyBreached
CustomerDutyMet = facts_for_people.CustomerDutyMet
CustomerDutyReleased = facts_for_people.CustomerDutyReleased
CustomerDutyReopened = facts_for_people.CustomerDutyReopened
DutyArose = facts_for_people.DutyArose
DutyBreached = facts_for_people.DutyBreached
DutyMet = facts_for_people.DutyMet
DutyReleased = facts_for_people.DutyReleased
DutyReopened = facts_for_people.DutyReopened
EmergencyEnded = facts_for_people.EmergencyEnded
EmergencyHeld = facts_for_people.EmergencyHeld
EmergencyJoined = facts_for_people.EmergencyJoined
EmergencyOpened = facts_for_people.EmergencyOpened
NoticeOwed = facts_for_people.NoticeOwed
NoticeReopened = facts_for_people.NoticeReopened
NoticeSettled = facts_for_people.NoticeSettled
SupplyEmergencyOpened = facts_for_people.SupplyEmergencyOpened
SwitchEmergencyOpened = facts_for_people.SwitchEmergencyOpened
ToldTogether = facts_for_people.ToldTogether
UplinkEmergencyOpened = facts_for_people.UplinkEmergencyOpened
WarningBegan = facts_for_people.WarningBegan
WarningEnded = facts_for_people.WarningEnded

Acknowledged = facts_from_people.Acknowledged
AcknowledgementWithdrawn = facts_from_people.AcknowledgementWithdrawn
CallTaken = facts_from_people.CallTaken
CallReturned = facts_from_people.CallReturned
CallEnded = facts_from_people.CallEnded
EmergencyReported = facts_by_hand.EmergencyReported
ReportEnded = facts_by_hand.ReportEnded
EmergencyCorrected = facts_by_hand.EmergencyCorrected
BreachExplained = facts_of_duties.BreachExplained
DutyClaimed = facts_of_duties.DutyClaimed
ClaimDecided = facts_of_duties.ClaimDecided
ExerciseOpened = facts_of_exercises.ExerciseOpened
ExerciseEnded = facts_of_exercises.ExerciseEnded
RunningNoticeBegan = facts_of_flapping.RunningNoticeBegan
RunningNoticeEnded = facts_of_flapping.RunningNoticeEnded

ContactWays = facts_of_contacts.ContactWays
ContactChanged = facts_of_contacts.ContactChanged
ContactChangeConfirmed = facts_of_contacts.ContactChangeConfirmed
WayAsked = facts_of_contacts.WayAsked
CodeWrong = facts_of_contacts.CodeWrong
WayVerified = facts_of_contacts.WayVerified
WayFailed = facts_of_contacts.WayFailed
ContactWarned = facts_of_contacts.ContactWarned
ContactWarningReturned = facts_of_contacts.ContactWarningReturned

KINDS: dict[str, type[Fact]] = {kind.__name__: kind for kind in Fact.__subclasses__()}
"""Every kind of fact by its name."""

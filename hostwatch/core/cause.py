"""The words of a cause: whose fault an outage is, how sure that is, who said what, and what would decide it.

An emergency, its duties and its notices are the same whatever the cause; a settlement is not. So a cause is
found of each outage, by rules (`core.topology`), and a person may state another.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Final, NamedTuple


class Cause(StrEnum):
    """Whose fault an outage is."""

    NETWORK = "operator's network"
    POWER = "operator's power"
    DISTRIBUTION = "operator's power distribution"
    """Power is there, and does not reach the device: outside the wording of `colocation C2`."""

    CARRIER = "carrier"
    ATTACK = "attack and our null route"
    AUTHORITY = "order of an authority"
    CUSTOMER = "customer's equipment"
    THIRD_PARTY = "third party"
    MAINTENANCE = "maintenance"
    UNDETERMINED = "undetermined"
    """Nobody knows. It counts against the operator, unless the agreement says otherwise."""


class Confidence(StrEnum):
    """How sure a cause is that was found by rules."""

    NONE = "none"
    """Of what is undetermined."""

    POSSIBLE = "possible"
    LIKELY = "likely"
    CERTAIN = "certain"

    @property
    def rank(self) -> int:
        """From 0, of what is undetermined."""
        return _RANKS.index(self)


_RANKS: Final = (*Confidence,)


class Slot(StrEnum):
    """What a witness speaks of. Each is one thing that the rules ask for."""

    POWER = "power"
    OVERLOAD = "overload"
    PORT = "port"
    SWITCH = "switch"
    SWITCH_POWER = "switch_power"
    OTHERS = "others"
    GATEWAY = "gateway"
    ITSELF = "itself"
    EDGE = "edge"
    PLANNED = "planned"


class Evidence(NamedTuple):
    """Who said what, and when."""

    slot: Slot
    who: str
    """The witness by its own name: a source, a switch, a port, a service; empty where the slot says it."""

    said: str
    """A word of `SAID`."""

    at: datetime | None = None
    """When that was seen. Of something that lasts: since when."""

    some: int = 0
    of: int = 0
    """How many of how many, where there are several."""

    words: str = ""
    """The witness's own words, if it has any."""


SAID: Final = (
    "supplied",
    "was not supplied",
    "was interrupted",
    "was lost",
    "was silent",
    "not heard",
    "was down",
    "not supplied",
    "interrupted",
    "lost in distribution",
    "overloaded",
    "up",
    "down",
    "switched off",
    "answers",
    "lets us out",
    "silent",
    "fell silent together",
    "answer",
    "planned",
)
"""All that a witness may be said to have said."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """What the rules make of all that is known of one outage."""

    cause: Cause
    confidence: Confidence
    rule: str
    """The rule that gave it; empty where none did."""

    evidence: tuple[Evidence, ...] = ()
    wanting: tuple[Slot, ...] = ()
    """Of what nobody has spoken who could decide it."""

    def is_another(self, other: Finding | None) -> bool:
        """Whether it says another thing, and not only the same of more witnesses."""
        if other is None:
            return True
        mine, its = (
            (self.cause, self.confidence, self.rule, self.wanting),
            (other.cause, other.confidence, other.rule, other.wanting),
        )
        return mine != its


class Statement(NamedTuple):
    """What a person says of the cause of an emergency. The rules go on beside it."""

    reference: str
    at: datetime
    cause: Cause
    actor: str
    """Who it was, by the kernel's word."""

    because: str
    """A commitment to the reason."""

    ordered_by: str = ""
    """A commitment to who ordered it, of a null route or an order."""

    since: datetime | None = None
    until: datetime | None = None
    """From when until when it was in force, if that was said."""


STATED: Final = tuple(cause for cause in Cause if cause is not Cause.UNDETERMINED)
"""What a person may state. Whoever knows no more withdraws."""

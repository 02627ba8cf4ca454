"""An uplink: the way from our gateway to the carrier, seen by what reference points of the carrier answer.

An uplink is a signal of its own (J7). Its references are targets like devices, all with one phase, so
that each round of looks at them is in the evidence. What a round says of the uplink is a quorum.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from functools import lru_cache
from typing import Final

from hostwatch.core import expression, signal
from hostwatch.core.reading import Outcome, Reading
from hostwatch.core.schedule import Target
from hostwatch.core.signal import Signal
from hostwatch.core.terms import AgreementTerms

PREFIX = "uplink:"
"""Begins the names of all signals of uplinks; no device can be named so."""

REFERENCES_MIN = 3
"""With fewer, one reference point that is switched off would decide alone."""

GROUPS_MAX: Final = 256
"""Redundancy groups: different expressions over uplinks, each of which has a signal of its own."""

parsed = lru_cache(maxsize=1_024)(expression.parse)
"""The expression that the name of an uplink, or of a redundancy group, is."""


def majority(count: int) -> int:
    """More than half."""
    return count // 2 + 1


def quorum(outcomes: Iterable[Outcome | None], needed: int) -> Outcome | None:
    """What a round of looks at reference points says of their uplink; None while that is open.

    None among the outcomes is a look whose outcome is not known yet. ANSWERED as soon as `needed` of
    them answered. MISSED as soon as so many cannot have answered, even if all that are UNKNOWN or not
    known yet did. UNKNOWN when all are known and neither holds.
    """
    counted = Counter(outcomes)
    pending, unknown = counted[None], counted[Outcome.UNKNOWN]
    if counted[Outcome.ANSWERED] >= needed:
        return Outcome.ANSWERED
    if counted[Outcome.ANSWERED] + unknown + pending < needed:
        return Outcome.MISSED
    return None if pending else Outcome.UNKNOWN


@dataclass(frozen=True, slots=True, kw_only=True)
class Uplink:
    """One way to the carrier; or a redundancy group of several (`core.uplinkgroup`)."""

    id: str
    """Of a group, the expression over its members: `any(backup,main)`."""

    name: str
    references: tuple[str, ...] = ()
    """Addresses of the carrier that lie beyond this uplink. A group has none of its own."""

    quorum: int = 0
    """How many of them must answer."""

    terms: AgreementTerms = field(default_factory=AgreementTerms)

    @property
    def members(self) -> tuple[str, ...]:
        """The uplinks that a group joins; nothing for an uplink."""
        return () if self.references else parsed(self.id).names

    def signal(self, vantage: str) -> str:
        """The name of the uplink's own signal."""
        return signal_of(self.id, vantage)

    def reference(self, address: str, vantage: str) -> str:
        """The name of the signal that one of its references gives."""
        return f"{PREFIX}{self.id}/ping:{address}@{vantage}"

    def signals(self, vantage: str) -> Iterator[str]:
        """Its own signal, and those of its references."""
        yield self.signal(vantage)
        yield from (self.reference(address, vantage) for address in self.references)

    def targets(self, vantage: str) -> Iterator[Target]:
        """The places of its references in the schedule: all at the phase of the uplink's own name."""
        for address in self.references:
            yield Target(
                signal=self.reference(address, vantage),
                address=address,
                interval=self.terms.interval,
                phased_by=self.signal(vantage),
            )


def signal_of(uplink: str, vantage: str) -> str:
    """The name of an uplink's own signal."""
    return f"{PREFIX}{uplink}/reach@{vantage}"


def named(name: str) -> str | None:
    """The uplink that a signal belongs to; None for the signal of a device."""
    return name.removeprefix(PREFIX).partition("/")[0] if name.startswith(PREFIX) else None


def is_reference(name: str) -> bool:
    """Whether a signal is that of a reference point, which obliges nobody to tell anybody."""
    return name.startswith(PREFIX) and name.partition("/")[2].startswith("ping:")


def address_in(name: str) -> str | None:
    """The address in the name of a reference point's signal; None for all other signals."""
    return name.partition("/ping:")[2].rpartition("@")[0] if is_reference(name) else None


def outcome(reference: Signal, since: datetime) -> Outcome | None:
    """What the look at a reference at or after an instant brought; None if there was none yet.

    A reference that has never answered proves nothing: its address may be wrong.
    """
    if reference.last_reading is None or reference.last_reading < since:
        return None
    if not reference.proven or reference.blind_since is not None:
        return Outcome.UNKNOWN
    return Outcome.ANSWERED if reference.silence is None else Outcome.MISSED


Known = Callable[[str], Signal | None]
"""The present signal of a name."""


def follow(uplink: Uplink, vantage: str, known: Known, reading: Reading) -> signal.Observed | None:
    """What a reading of a reference, which is observed already, makes of its uplink; None if nothing.

    A round is all looks at one scheduled instant, and says something once: as soon as it is decided.
    """
    own = known(uplink.signal(vantage))
    since = next(uplink.targets(vantage)).round_began(reading.at)
    if own is None or (own.last_reading is not None and own.last_reading >= since):
        return None
    references = [known(uplink.reference(address, vantage)) for address in uplink.references]
    outcomes = [None if one is None else outcome(one, since) for one in references]
    decided = quorum(outcomes, uplink.quorum)
    if decided is None:
        return None
    looked = [one for one, what in zip(references, outcomes, strict=True) if one and what is not None]
    answers = [
        one.last_answer
        for one, what in zip(references, outcomes, strict=True)
        if one and one.last_answer and what is Outcome.ANSWERED
    ]
    said = Reading(
        signal=own.name,
        at=min(one.last_reading for one in looked if one.last_reading is not None),
        known_at=reading.known_at,
        outcome=decided,
        kind=reading.kind,
        why=_why(decided, looked),
        answered_at=max(answers) if decided is Outcome.ANSWERED else None,
    )
    return signal.observe(own, said, uplink.terms)


def _why(decided: Outcome, looked: Iterable[Signal]) -> str:
    """The commonest reason of those that did not answer."""
    if decided is Outcome.ANSWERED:
        return ""
    if decided is Outcome.MISSED:
        reasons = [one.silence.why for one in looked if one.silence is not None]
    else:
        reasons = [one.blind_why for one in looked if one.blind_since is not None]
    return Counter(reasons).most_common(1)[0][0] if reasons else signal.NO_READING

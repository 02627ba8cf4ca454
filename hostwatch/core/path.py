"""A path: who answered at each hop towards a target, and where it breaks.

Packets that may pass one router, two, three … are sent to a target; who gives one up says so and names
itself. What comes of it is evidence for people. No outage, cause or verdict is ever decided by it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import NamedTuple

from hostwatch.core import facts
from hostwatch.core.reading import Outcome
from hostwatch.core.world import Decision

GIVEN_UP = "time exceeded"
"""What a router says of a packet that may pass no more routers."""

LOOP_MIN = 2
"""A router seen again so many hops later goes round; some say so of two hops in a row by mistake."""


class Ending(StrEnum):
    """What became of the packets."""

    REACHED = "reached"
    REFUSED = "refused"
    """Somebody, or our own kernel, said that the target cannot be reached."""

    LOOP = "loop"
    BROKEN = "broken"
    """Some routers answered, and nobody beyond them."""

    LONG = "too long"
    """A router answered at the last hop that was looked at."""

    NOBODY = "nobody"
    """Not even a first router answered."""

    UNKNOWN = "unknown"
    """We could not look: our own failure."""


class Hop(NamedTuple):
    """What came of the packets that may pass so many routers."""

    number: int
    """From 1."""

    outcome: Outcome
    """ANSWERED: by the target itself."""

    said: str = ""
    """The words of who gave them up or refused them; why we could not look, if UNKNOWN."""

    said_by: str = ""
    """Who that was; empty if nobody did, or our own kernel."""

    rtt_us: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Path:
    """What the hops say together."""

    target: str
    hops: tuple[Hop, ...]
    """In their order, up to the last of which something is known."""

    ending: Ending
    hop: int = 0
    """Of the target, of who refused, or of the last router that answered."""

    router: str = ""
    """Who that was; empty for nobody, or our own kernel."""

    said: str = ""
    """The words of who refused, or why we could not look."""

    @property
    def routers(self) -> tuple[str, ...]:
        """Who answered at each hop, up to the last that did; empty where nobody did."""
        named = [self.target if hop.outcome is Outcome.ANSWERED else hop.said_by for hop in self.hops]
        while named and not named[-1]:
            named.pop()
        return tuple(named)

    @property
    def sentence(self) -> str:
        """Where the path breaks, for people."""
        where = f"hop {self.hop}, {self.router}"
        match self.ending:
            case Ending.REACHED:
                return f"The path is whole: {self.target} answers at hop {self.hop}."
            case Ending.REFUSED if self.router == self.target:
                return f"The path is whole, but {self.target} itself says at hop {self.hop}: {self.said}."
            case Ending.REFUSED if self.router:
                return f"The path breaks at {where}, which says: {self.said}."
            case Ending.REFUSED:
                return f"Our own kernel says of {self.target}: {self.said}."
            case Ending.LOOP:
                return f"The path goes round in a loop: {where}, has been passed before."
            case Ending.BROKEN:
                return f"The path breaks after {where}: nobody answers beyond."
            case Ending.LONG:
                return f"The path goes on beyond {where}, the last that was looked at."
            case Ending.NOBODY:
                return "Nobody answers on the path, not even a first router."
            case Ending.UNKNOWN:
                return f"We could not look: {self.said}."


def read(target: str, found: Sequence[Hop]) -> Path:
    """Where the path to a target breaks, by its hops in their order."""
    answered = next((hop for hop in found if hop.outcome is Outcome.ANSWERED), None)
    if answered is not None:
        return _path(target, found, Ending.REACHED, answered._replace(said_by=target), answered.number)
    refused = next((hop for hop in found if _is_word(hop) and hop.said != GIVEN_UP), None)
    if refused is not None:
        return _path(target, found, Ending.REFUSED, refused, refused.number)
    routers = [hop for hop in found if _is_word(hop)]
    last = routers[-1] if routers else None
    far = last.number if last is not None else 0
    if last is not None and _goes_round(routers):
        return _path(target, found, Ending.LOOP, last, far)
    if last is not None and last.number == found[-1].number:
        return _path(target, found, Ending.LONG, last, far)
    unseen = next((hop for hop in found if hop.number > far and hop.outcome is Outcome.UNKNOWN), None)
    if unseen is not None or not found:
        return _path(target, found, Ending.UNKNOWN, unseen, far)
    return _path(target, found, Ending.NOBODY if last is None else Ending.BROKEN, last, far)


def _path(target: str, found: Sequence[Hop], ending: Ending, decisive: Hop | None, far: int) -> Path:
    telling = ending in (Ending.REFUSED, Ending.UNKNOWN)
    return Path(
        target=target,
        hops=tuple(hop for hop in found if hop.number <= max(far, 1)),
        ending=ending,
        hop=far,
        router="" if decisive is None else decisive.said_by,
        said=decisive.said if decisive is not None and telling else "",
    )


def _is_word(hop: Hop) -> bool:
    """Whether somebody on the way, or our own kernel, said something of the packets."""
    return hop.outcome is Outcome.MISSED and bool(hop.said)


def _goes_round(routers: Sequence[Hop]) -> bool:
    """Whether the last router has been passed before."""
    last = routers[-1]
    return any(
        hop.said_by == last.said_by and last.number - hop.number >= LOOP_MIN for hop in routers if hop.said_by
    )


def told(fact: facts.PathSeen, target: str) -> str:
    """The sentence of a path on record, for somebody in its network."""
    router = fact.routers[fact.hop - 1] if 0 < fact.hop <= len(fact.routers) else ""
    ending = Ending(fact.ending)
    return Path(target=target, hops=(), ending=ending, hop=fact.hop, router=router, said=fact.said).sentence


def seen(path: Path, signal: str, network: str, at: datetime) -> Decision:
    """What is recorded of a path that was looked along at `at`."""
    fact = facts.PathSeen(
        at=at,
        signal=signal,
        network=network,
        routers=path.routers,
        ending=path.ending.value,
        hop=path.hop,
        said=path.said,
    )
    return Decision(facts=(fact,))

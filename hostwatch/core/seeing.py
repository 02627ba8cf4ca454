"""Could an answer have been seen? What must be heard for that, and what was heard when (J1, J7).

    own gateways: a quorum of them ──────┐
                                         ├─ either is enough: we see in that family
    beacons outside: more than half ─────┘

A beacon that answers was reached through our gateway, so a gateway that answers no pings does not blind us.
Beacons that are silent prove nothing while a gateway answers: beyond it a silence is the uplink's. Only where
there is no gateway at all do they decide alone. `hostwatch.sight` looks, this judges.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right, insort
from collections.abc import Collection, Iterable
from dataclasses import dataclass, field
from typing import Final, Literal, NamedTuple

from hostwatch.core.uplink import majority

FAMILIES: Final = (4, 6)

REMEMBERED_MAX: Final = 1024
"""Glances that are remembered; those of a storm are thinned out."""

HEARD_MAX: Final = 1024
"""Answers of one reference point that are remembered."""

BLIND: Final = "own gateway silent"
UNLIT: Final = "beacons silent"
DEAF: Final = "own loopback silent"

What = Literal["points", "loopback"]


def _family(address: str) -> int:
    """4 or 6."""
    return 6 if ":" in address else 4


class Quorum(NamedTuple):
    """Reference points of one sort that speak for a family, and how many of them must answer."""

    of: str
    """`gateways` or `beacons`."""

    addresses: tuple[str, ...]
    needed: int

    def answered(self, heard: Collection[str]) -> int:
        """How many of them are among those who answered."""
        return sum(one in heard for one in self.addresses)

    def is_met(self, heard: Collection[str]) -> bool:
        """Whether so many answered as must."""
        return self.answered(heard) >= self.needed


@dataclass(frozen=True, slots=True, kw_only=True)
class Points:
    """The reference points of our own sight."""

    gateways: tuple[str, ...] = ()
    beacons: tuple[str, ...] = ()
    """Addresses outside, beyond our gateway."""

    quorum: int = 1
    """How many of the gateways of a family must answer."""

    @property
    def addresses(self) -> tuple[str, ...]:
        """All of them, gateways first."""
        return (*self.gateways, *self.beacons)

    @property
    def families(self) -> frozenset[int]:
        """The families that have any of their own."""
        return frozenset(map(_family, self.addresses))

    @property
    def silence(self) -> str:
        """What is said of a look that nobody of them vouches for."""
        return BLIND if self.gateways else UNLIT if self.beacons else DEAF

    def quorums(self, version: int) -> tuple[Quorum, ...]:
        """Who speaks for a family: one of these quorums is enough, and where there is none, none is needed.

        A family without a gateway of its own is seen through those of the other; without any
        reference point of its own, through the beacons of the other too.
        """
        gateways = _of(self.gateways, version) or self.gateways
        beacons = _of(self.beacons, version) if version in self.families else self.beacons
        found = Quorum("gateways", gateways, self.quorum), Quorum("beacons", beacons, majority(len(beacons)))
        return tuple(one for one in found if one.addresses)

    def is_seen(self, version: int, heard: Collection[str]) -> bool:
        """Whether we see in a family when these answered. One more who answers never makes it worse."""
        quorums = self.quorums(version)
        return not quorums or any(one.is_met(heard) for one in quorums)

    def seen(self, heard: Collection[str]) -> frozenset[int]:
        """The families in which we see."""
        return frozenset(version for version in FAMILIES if self.is_seen(version, heard))

    def is_enough(self, heard: Collection[str]) -> bool:
        """Whether we see in each family that has reference points: nobody else need be waited for."""
        return self.families <= self.seen(heard)

    def leans_on_beacons(self, heard: Collection[str]) -> bool:
        """Whether some family has beacons, and not the gateways that must answer."""
        return any(
            len(quorums) > 1 and not quorums[0].is_met(heard)
            for quorums in map(self.quorums, sorted(self.families))
        )

    def shortfall(self, heard: Collection[str]) -> str:
        """For people: of each family in which we do not see, how many answered and how many must."""
        blind = sorted(self.families - self.seen(heard))
        return "; ".join(f"IPv{version}: {tally(self.quorums(version), heard)}" for version in blind)


def tally(quorums: Iterable[Quorum], heard: Collection[str]) -> str:
    """For people: how many of each sort answered, and how many must."""
    return ", ".join(
        f"{one.answered(heard)} of {len(one.addresses)} {one.of} answered, {one.needed} must"
        for one in quorums
    )


def _of(addresses: Iterable[str], version: int) -> tuple[str, ...]:
    return tuple(one for one in addresses if _family(one) == version)


@dataclass(frozen=True, slots=True, kw_only=True)
class Habit:
    """How often one looks, and how long a ping takes. All in microseconds."""

    every_us: int
    """The longest time between two glances."""

    longest_us: int
    """How long one glance may take."""

    pulse_us: int
    """The time between two glances when nothing else asks for one."""

    patience_us: int
    """How long after its last packet a ping is known at the latest to be a miss."""


class Miss(NamedTuple):
    """A look that nobody answered."""

    version: int
    at_us: int
    """When its first packet left."""

    known_us: int
    is_near: bool = False
    """Whether its packets never left this machine: a target on loopback needs no gateway."""


@dataclass(slots=True)
class Memory:
    """What was heard when. A clock that steps makes it worthless: `forget`."""

    times_us: list[int] = field(default_factory=list)
    """When was looked, oldest first."""

    _bad_us: dict[tuple[What, int], int] = field(default_factory=dict)
    """When a family was last seen to fail."""

    _heard_us: dict[str, list[int]] = field(default_factory=dict)
    """When packets left that a reference point answered, oldest first."""

    def forget(self) -> None:
        """Drop all of it."""
        self.times_us.clear()
        self._bad_us.clear()
        self._heard_us.clear()

    def hear(self, address: str, at_us: int) -> None:
        """A packet that left then was answered."""
        heard = self._heard_us.setdefault(address, [])
        insort(heard, at_us)
        del heard[:-HEARD_MAX]

    def keep(self, at_us: int, good: Collection[int], heard: Collection[int], every_us: int) -> None:
        """A glance, whose first packet left then: the families whose points, and whose loopback, answered.

        Of three glances close together that in the middle is forgotten; that a family failed is not.
        """
        times = self.times_us
        insort(times, at_us)
        if len(times) > 2 and times[-1] - times[-3] < every_us / 2:
            del times[-2]
        del times[:-REMEMBERED_MAX]
        sorts: tuple[tuple[What, Collection[int]], ...] = (("points", good), ("loopback", heard))
        for what, families in sorts:
            self._bad_us.update({(what, version): at_us for version in FAMILIES if version not in families})

    def doubt(self, miss: Miss, points: Points, habit: Habit) -> str:
        """Why an answer may not have been seen; empty if it would have been."""
        times = self.times_us
        place = bisect_right(times, miss.at_us) - 1
        oldest_us = miss.at_us - 2 * habit.every_us - habit.longest_us
        if place < 0 or times[place] < oldest_us or place == len(times) - 1:
            return points.silence
        if self._bad_us.get(("loopback", miss.version), -1) >= times[place]:
            return DEAF
        if miss.is_near or not points.addresses:
            return ""
        if self._bad_us.get(("points", miss.version), -1) >= times[place]:
            return points.silence
        return "" if self._was_seen_inside(miss, points, habit) else points.silence

    def _was_seen_inside(self, miss: Miss, points: Points, habit: Habit) -> bool:
        """Whether a quorum answered packets that left after the first of a ping and before its last.

        Nothing that cut us off for a while can have taken all packets of the ping and let those pass. Each of
        the quorum must have answered one itself: whoever wants two gateways, because each shows only one of
        our links, would else have the cut of one link judged by the gateway behind the other. So answers of
        gateways and of beacons are not added up either. A ping of one packet, or one too short, has no
        inside: then the glances before and after it must do.
        """
        until_us = miss.known_us - habit.patience_us
        if until_us - miss.at_us < 1.5 * habit.pulse_us:
            return True
        heard = {
            address for address, times in self._heard_us.items() if _any_between(times, miss.at_us, until_us)
        }
        return points.is_seen(miss.version, heard)


def _any_between(times_us: list[int], since_us: int, until_us: int) -> bool:
    place = bisect_left(times_us, since_us)
    return place < len(times_us) and times_us[place] <= until_us

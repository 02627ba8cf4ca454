"""Emergencies of uplinks and of redundancy groups: whom a verdict on the way to the carrier concerns (J7).

A verdict on an uplink concerns whoever has devices behind it alone, and the operator. Whoever is behind a
group that it is a member of still reaches the carrier, until the verdict on that group. When a group goes
down in the same deed as the last of its members, that is told once: under the group's emergency.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from hostwatch.core import facts, stories, uplinkgroup
from hostwatch.core.owing import Owing
from hostwatch.core.population import Population
from hostwatch.core.signal import verdict_on
from hostwatch.core.stories import Spared
from hostwatch.core.together import Known
from hostwatch.core.uplink import Uplink


class Unreached:
    """One deed's decisions about emergencies of uplinks."""

    def __init__(self, people: Population, known: Known, owing: Owing) -> None:
        self._people = people
        self._known = known
        self._owing = owing

    def down(self, flips: Sequence[facts.WentDown]) -> None:
        """Verdicts of one deed: groups before their members."""
        found = [(mine, flip) for flip in flips if (mine := self._people.uplink_of(flip.signal)) is not None]
        groups = [(mine, flip) for mine, flip in found if mine.members]
        for mine, flip in groups:
            self._open(mine, flip)
        for mine, flip in found:
            if not mine.members:
                self._member(mine, flip, [group.signal for of, group in groups if mine.id in of.members])

    def _member(self, mine: Uplink, flip: facts.WentDown, fallen: Sequence[str]) -> None:
        """An uplink went down, and perhaps a group with it, which nobody reaches the carrier by otherwise."""
        over = self._owing.emergency_of(fallen[0]) if fallen else None
        if over is None or any(True for _ in self._people.behind(mine.id)):
            self._open(mine, flip)
        else:
            self._owing.cover(over, flip)

    def still_down(self, missed: Sequence[tuple[str, datetime]]) -> None:
        """Uplinks that are down missed once more, each with when that was known.

        If nobody is told of one any more, since the group that it was told of with came back, it is told now.
        """
        untold = [(self._known(name), at) for name, at in missed if self._owing.emergency_of(name) is None]
        self.down([verdict_on(one, at) for one, at in untold if one is not None and one.verdict is not None])

    def _open(self, mine: Uplink, flip: facts.WentDown) -> None:
        spared = self._spared(mine)
        self._owing.open(
            lambda name: stories.of_uplink(self._people, mine, flip, name, spared),
            flip.signal,
            flip.at,
            flip.at,
        )

    def _spared(self, mine: Uplink) -> Spared:
        """Who still reaches the carrier by the other members of groups."""
        devices, customers = 0, set[str]()
        for group in uplinkgroup.joining(self._people.uplinks.values(), mine.id):
            own = self._known(group.signal(self._people.vantage))
            if own is None or not own.proven or own.silence is not None or own.blind_since is not None:
                continue
            for customer, behind in self._people.behind(group.id):
                devices += behind.count
                customers.add(customer)
        return Spared(devices, len(customers))

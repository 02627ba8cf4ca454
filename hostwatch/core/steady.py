"""The power model kept from round to round: only what hangs on words that are new is reckoned anew.

Nearly always all say what they said ten seconds before. Of each value it is known whose words it was reckoned
from, and from which other values; when a source says something else, those values are forgotten that came of
its words, and those that came of them. All others would be reckoned from the same words again.
"""

from __future__ import annotations

from collections.abc import Mapping

from hostwatch.core.electricity import Electricity
from hostwatch.core.power import PowerReading
from hostwatch.core.wiring import Wiring

Said = Mapping[str, PowerReading | None]
"""What each source of a part of the house says now; None for one that is not heard."""


class Steady:
    """That of one part of the house. It decides nothing: anew, each moment would come to the same."""

    def __init__(self, wiring: Wiring) -> None:
        self._said: dict[str, PowerReading | None] = {}
        self._now = Electricity(wiring, self._said.get)

    def at(self, said: Said) -> Electricity:
        """The power model while these say this, until the next moment is asked for.

        Of what sources say beside that, such as volts, it may hold the words of an earlier moment.
        """
        before = self._said
        others = [name for name, reading in said.items() if not _is_alike(before.get(name), reading)]
        before.update(said)
        if others:
            self._now.forget(others)
        return self._now


def _is_alike(one: PowerReading | None, other: PowerReading | None) -> bool:
    """Whether two readings are the same in what values are reckoned from: no figures, no words of its own."""
    if one is None or other is None:
        return one is other
    if one.points == other.points:
        return True
    return len(one.points) == len(other.points) and all(
        (mine.name, mine.utility, mine.ups, mine.output) == (its.name, its.utility, its.ups, its.output)
        for mine, its in zip(one.points, other.points, strict=True)
    )

"""The doubts of supplies during one emergency, out of the record (`sla.doubts`)."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from itertools import chain
from typing import Any

from hostwatch.core import facts, supply
from hostwatch.core.timeline import Timeline
from hostwatch.core.world import World
from hostwatch.sla.doubts import Overheard
from hostwatch.sla.records import DoubtRecord, spanned
from hostwatch.store.reader import AsOf, Reader


@dataclass(frozen=True, slots=True, kw_only=True)
class Doubted:
    """A time of an emergency in which nobody could say of a supply."""

    supply: str
    doubt: DoubtRecord

    def plain(self) -> dict[str, Any]:
        """For programs."""
        doubt, seen = self.doubt, self.doubt.seen
        return {
            "supply": self.supply,
            "since": doubt.since,
            "until": None if doubt.is_open else doubt.until,
            "because": doubt.because,
            "why": doubt.why,
            "silent_sources": doubt.silent,
            "last_seen": seen.last.words,
            "last_seen_by": seen.source or None,
            "last_seen_since": seen.since,
            "possibly_interrupted": seen.is_possible,
        }

    @property
    def words(self) -> str:
        """Why, and how it was seen last."""
        silent = f" ({', '.join(self.doubt.silent)})" if self.doubt.silent else ""
        return f"{self.doubt.because}{silent}; {self.doubt.seen.words}"


def doubts(
    reader: Reader, as_of: AsOf, world: World, signals: Collection[str], since: datetime, until: datetime
) -> tuple[Doubted, ...]:
    """Those of the supplies among some signals that touch a time. Without supplies nothing is read."""
    mine = sorted(name for name in signals if supply.named(name) is not None)
    if not mine:
        return ()
    overheard = Overheard()
    lasting = reader.facts((facts.PowerSeen, facts.PopulationChanged), until=as_of)
    for fact in chain(lasting, reader.facts((facts.Unspoken,), until=as_of, since=since)):
        overheard.take(fact)
    overheard.present(world.signals, as_of.alive_at or until)
    return tuple(
        Doubted(supply=supply.named(name) or "", doubt=doubt)
        for name in mine
        for doubt in overheard.doubts(name)
        if doubt.since < until and doubt.until > since
    )


def seconds(found: Collection[Doubted], name: str, since: datetime, until: datetime) -> int:
    """The seconds between two instants in which nobody could say of one supply."""
    mine = Timeline.of(one.doubt.span for one in found if one.supply == name)
    return (mine & Timeline.of([spanned(since, until)])).total

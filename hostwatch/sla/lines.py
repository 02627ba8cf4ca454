"""The silences and emergencies that touch a period, and what each silence weighs in it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime

from hostwatch.core.instant import second
from hostwatch.core.timeline import Span, Timeline
from hostwatch.sla.account import Books, Downtime, Judged
from hostwatch.sla.records import DoubtRecord, EmergencyRecord, SilenceRecord, SupplyHistory


@dataclass(frozen=True, slots=True, kw_only=True)
class SilenceLine:
    """A silence that touches a device's period, and what it weighs there."""

    silence: SilenceRecord
    counts: bool
    """Whether the rule makes it downtime."""

    down_s: int
    """Seconds of it in this period that count as down."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DoubtLine:
    """Unknown time of a supply that touches a period, and how much of the period it is."""

    supply: str
    doubt: DoubtRecord
    unknown: Timeline

    @property
    def unknown_s(self) -> int:
        """Its seconds in the period."""
        return self.unknown.total


def doubts(books: Books, supply: SupplyHistory) -> Iterator[DoubtLine]:
    """The doubts with seconds in a period."""
    for one in supply.doubts:
        seconds = Timeline.of([one.span]) & books.unknown & books.period
        if seconds:
            yield DoubtLine(supply=supply.supply, doubt=one, unknown=seconds)


def possibly(mine: Iterable[DoubtLine]) -> int:
    """The seconds of some doubts in which the power is possibly interrupted."""
    return Timeline.of(span for line in mine if line.doubt.seen.is_possible for span in line.unknown).total


def lines(books: Books, judged: Judged, rule: Downtime) -> Iterator[SilenceLine]:
    """The silences that touch a period."""
    for silence in judged.silences:
        if any(touches(silence.last_answer, silence.until, span) for span in books.period):
            yield _line(books, silence, rule)


def emergencies(books: Books, judged: Judged) -> Iterator[EmergencyRecord]:
    """The emergencies that touch a period."""
    for emergency in judged.emergencies:
        if any(touches(emergency.first_miss, _over(emergency), span) for span in books.period):
            yield emergency


def _line(books: Books, silence: SilenceRecord, rule: Downtime) -> SilenceLine:
    counts = rule.counts(silence, silence.point)
    down = (Timeline.of([silence.point]) & books.known).total if counts else 0
    return SilenceLine(silence=silence, counts=counts, down_s=down)


def _over(emergency: EmergencyRecord) -> datetime | None:
    return emergency.first_answer or emergency.ended_at


def touches(since: datetime, until: datetime | None, span: Span) -> bool:
    """Whether something that may have lasted no second at all has to do with a span."""
    begins = second(since) < span.end
    return begins and (until is None or second(until) > span.start or second(since) >= span.start)

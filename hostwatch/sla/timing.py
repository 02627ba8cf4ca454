"""When the wall clock was not known to be right: every date of a report is only as good as that."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime

from hostwatch.core import facts
from hostwatch.core.instant import second
from hostwatch.core.quality import GRADES_US, Keeping
from hostwatch.core.timeline import Span


@dataclass(frozen=True, slots=True, kw_only=True)
class ClockRecord:
    """A time in which the clock was not kept, or was believed to be wrong, or in which nobody knew."""

    keeping: Keeping
    since: datetime
    until: datetime | None
    """None while it goes on."""

    estimated_us: int
    """The greatest error that was believed of a clock that was kept."""

    @property
    def words(self) -> str:
        """What was wrong with it."""
        match self.keeping:
            case Keeping.UNSYNCHRONISED:
                return "not synchronised"
            case Keeping.NOT_KNOWN:
                return "not known whether it was synchronised"
            case Keeping.SYNCHRONISED:
                return f"synchronised, with an estimated error of up to {self.estimated_us / 1e6:g} s"


def doubts(judged: Iterable[facts.Fact]) -> tuple[ClockRecord, ...]:
    """When the clock was not known to be right, from its judgements in the order of the record.

    A judgement holds until the next one. Before the first nobody had asked.
    """
    found: list[ClockRecord] = []
    for fact in judged:
        if not isinstance(fact, facts.ClockQuality):
            continue
        keeping, error = Keeping(fact.keeping), fact.estimated_us
        bad = keeping is not Keeping.SYNCHRONISED or error >= GRADES_US[0]
        open_one = found.pop() if found and found[-1].until is None else None
        same = bad and open_one is not None and open_one.keeping is keeping
        if open_one is not None and not same:
            found.append(_until(open_one, fact.at))
        if bad:
            since, worst = fact.at, error if keeping is Keeping.SYNCHRONISED else 0
            if same and open_one is not None:
                since, worst = open_one.since, max(worst, open_one.estimated_us)
            found.append(ClockRecord(keeping=keeping, since=since, until=None, estimated_us=worst))
    return tuple(found)


def _until(record: ClockRecord, at: datetime) -> ClockRecord:
    return ClockRecord(keeping=record.keeping, since=record.since, until=at, estimated_us=record.estimated_us)


def within(records: Iterable[ClockRecord], period: Span) -> Iterator[ClockRecord]:
    """Those that touch a period."""
    for record in records:
        if second(record.since) < period.end and (
            record.until is None or second(record.until) > period.start
        ):
            yield record

"""How the clock's quality is judged: what is recorded and when, and no swinging about a bound."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from hostwatch.core import facts, quality
from hostwatch.core.quality import GRADES_US, REPEATED_EVERY, Judged, Keeping, Quality
from hostwatch.sla.timing import ClockRecord, doubts

MINUTE = timedelta(minutes=1)
START = datetime(2026, 10, 1, tzinfo=UTC)


def kept(estimated_us: int = 0) -> Quality:
    return Quality(keeping=Keeping.SYNCHRONISED, estimated_us=estimated_us)


LEFT = Quality(keeping=Keeping.UNSYNCHRONISED, estimated_us=16_000_000)


def told(*asked: Quality, every: timedelta = MINUTE) -> tuple[list[int], Judged]:
    """Which of the answers are recorded, and the last judgement."""
    judged: Judged | None = None
    recorded = []
    for number, said in enumerate(asked):
        judged, new = quality.judge(said, judged, number * every)
        recorded += [number] * new
    assert judged is not None
    return recorded, judged


def test_the_first_answer_is_recorded_and_the_same_again_is_not() -> None:
    assert told(kept(), kept(50), kept(90_000))[0] == [0]


def test_each_change_is_recorded() -> None:
    assert told(kept(), LEFT, LEFT, kept(), quality.NOT_KNOWN)[0] == [0, 1, 3, 4]


def test_once_a_day_it_is_recorded_all_the_same() -> None:
    assert told(*[kept()] * 5, every=REPEATED_EVERY / 2)[0] == [0, 2, 4]


@pytest.mark.parametrize("bound", GRADES_US)
def test_an_error_that_reaches_a_bound_is_recorded_and_leaves_it_only_well_below(bound: int) -> None:
    assert told(kept(), kept(bound - 1))[0] == ([0] if bound == GRADES_US[0] else [0, 1])
    assert told(kept(bound - 1), kept(bound), kept(bound - 1), kept(bound))[0] == [0, 1]
    assert told(kept(bound), kept(bound // 2), kept(bound // 2 - 1))[0] == [0, 2]


def test_how_long_nobody_has_kept_it() -> None:
    """A record of the same state once more does not make it younger."""
    _, judged = told(kept(), LEFT, LEFT, LEFT, every=REPEATED_EVERY)

    assert judged.is_bad
    assert (judged.since, judged.at) == (REPEATED_EVERY, 3 * REPEATED_EVERY)
    assert not told(LEFT, kept())[1].is_bad
    assert not told(quality.NOT_KNOWN)[1].is_bad


def record(*said: Quality) -> list[facts.Fact]:
    """One answer an hour."""
    return [
        fact
        for hour, one in enumerate(said)
        for fact in quality.record(one, START + hour * timedelta(hours=1)).facts
    ]


def hours(found: ClockRecord) -> tuple[Keeping, int, int | None]:
    since = (found.since - START) // timedelta(hours=1)
    return found.keeping, since, None if found.until is None else (found.until - START) // timedelta(hours=1)


def test_a_report_tells_of_the_times_in_which_the_clock_was_not_known_to_be_right() -> None:
    found = doubts(record(LEFT, LEFT, kept(10), quality.NOT_KNOWN, LEFT, kept(), kept(), LEFT))

    assert [hours(one) for one in found] == [
        (Keeping.UNSYNCHRONISED, 0, 2),
        (Keeping.NOT_KNOWN, 3, 4),
        (Keeping.UNSYNCHRONISED, 4, 5),
        (Keeping.UNSYNCHRONISED, 7, None),
    ]
    assert doubts(record(kept(), kept(99_999))) == ()


def test_a_great_error_is_told_although_somebody_keeps_the_clock() -> None:
    (found,) = doubts(record(kept(150_000), kept(1_200_000), kept(100_000), kept(99_000)))

    assert hours(found) == (Keeping.SYNCHRONISED, 0, 3)
    assert found.words == "synchronised, with an estimated error of up to 1.2 s"

"""Whose fault is a miss while our own loop stood still?

```
 check of 10 s   |----------------------------------------| time ran out
 our loop        |======        (stood for 0.9 s)  ========|   under a tenth: the miss stands
 our loop        |======                  (1.0 s)  ========|   a tenth: UNKNOWN
 a refusal       |--x                                          stands, however late we heard of it
 a hang-up       |----------------(stood 1 s)------x           it may have given us up: UNKNOWN
 room awaited    |..(stood 2 s)..|----------------------| time ran out: the check's own time stood still too
```
"""

from __future__ import annotations

from datetime import timedelta

import pytest

from hostwatch.checkers.standstill import Standstills
from hostwatch.checks.base import Finding, Step
from hostwatch.core.reading import Outcome

TEN = timedelta(seconds=10)


class Time:
    """A clock that the test turns."""

    def __init__(self) -> None:
        self.us = 1_000_000

    def __call__(self) -> int:
        return self.us


def missed(step: Step, took_s: float) -> Finding:
    return Finding(
        kind="http", outcome=Outcome.MISSED, step=step, why="no answer", took_us=int(took_s * 1_000_000)
    )


@pytest.mark.parametrize(
    ("stood_s", "finding", "expected"),
    [
        (0.0, missed(Step.ANSWER, 10.0), Outcome.MISSED),
        (0.9, missed(Step.ANSWER, 10.0), Outcome.MISSED),
        (1.1, missed(Step.ANSWER, 10.0), Outcome.UNKNOWN),
        (1.1, missed(Step.CONNECT, 10.0), Outcome.UNKNOWN),  # its time ran out
        (5.0, missed(Step.CONNECT, 5.1), Outcome.MISSED),  # refused: nobody waited for us
        (5.0, missed(Step.RESOLVE, 5.1), Outcome.MISSED),
        (0.9, missed(Step.LOGIN, 5.1), Outcome.MISSED),
        (1.1, missed(Step.LOGIN, 5.1), Outcome.UNKNOWN),
    ],
)
async def test_a_miss_of_our_own_making_is_unknown(
    stood_s: float, finding: Finding, expected: Outcome
) -> None:
    time = Time()
    standstills = Standstills(time)
    standstills.start()
    began_us = time.us
    time.us += 50_000 + int(stood_s * 1_000_000)
    standstills._beat()
    time.us = max(time.us, began_us + finding.took_us)
    standstills._due_us = time.us + 50_000  # the beats up to here were in time
    try:
        judged = standstills.judged(finding, began_us, TEN, ())
    finally:
        standstills.close()
    assert judged.outcome is expected
    if expected is Outcome.UNKNOWN:
        assert judged.why == f"our own loop was late by {stood_s:.1f} s; seen: no answer"
    else:
        assert judged == finding


async def test_a_standstill_before_the_check_began_does_not_count() -> None:
    time = Time()
    standstills = Standstills(time)
    standstills.start()
    time.us += 9_000_000
    standstills._beat()
    try:
        assert standstills.since(time.us) == (0, 0)
        assert standstills.since(time.us - 1) == (1, 1)
    finally:
        standstills.close()


async def test_a_standstill_while_the_check_waited_for_room_does_not_count() -> None:
    """It stood still from 1.05 s to 4.05 s; the check waited until 3.95 s, and then in vain for an answer."""
    time = Time()
    standstills = Standstills(time)
    standstills.start()
    began_us = time.us
    time.us += 3_050_000
    standstills._beat()
    time.us += 10_000_000
    standstills._due_us = time.us + 50_000
    finding = missed(Step.ANSWER, 10.0)
    try:
        assert standstills.judged(finding, began_us, TEN, ()).outcome is Outcome.UNKNOWN
        assert standstills.since(began_us, [(began_us, 3_950_000)]) == (100_000, 100_000)
        assert standstills.judged(finding, began_us, TEN, [(began_us, 3_950_000)]) is finding
        late = [(began_us, 1_500_000), (2_000_000, 2_500_000)]
        assert standstills.since(began_us, late) == (2_050_000, 2_050_000)
        assert standstills.judged(finding, began_us, TEN, late).outcome is Outcome.UNKNOWN
    finally:
        standstills.close()


async def test_one_that_goes_on_counts_already() -> None:
    time = Time()
    standstills = Standstills(time)
    standstills.start()
    began_us = time.us
    time.us += 3_050_000
    try:
        assert standstills.since(began_us) == (3_000_000, 3_000_000)
        assert standstills.take_worst_us() == 3_000_000
    finally:
        standstills.close()


async def test_an_answer_stands_however_late_we_are() -> None:
    time = Time()
    standstills = Standstills(time)
    standstills.start()
    time.us += 60_000_000
    answered = Finding(kind="http", outcome=Outcome.ANSWERED, took_us=59_000_000)
    try:
        assert standstills.judged(answered, 0, TEN, ()) is answered
    finally:
        standstills.close()

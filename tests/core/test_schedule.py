"""The schedule: every target once an interval, at most once a slice, and always at the same instants."""

from __future__ import annotations

import os
import subprocess
import sys
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hostwatch.core import instant
from hostwatch.core.schedule import Due, Schedule, Target, tick_us

NOW = datetime(2026, 1, 5, tzinfo=UTC)
MS = timedelta(milliseconds=1)
INTERVALS = st.one_of(
    st.sampled_from([50 * MS, 70 * MS, 999 * MS, *(timedelta(seconds=n) for n in (1, 5, 7, 60, 300, 86400))]),
    st.integers(50_000, 86_400_000_000).map(lambda count: timedelta(microseconds=count)),
)


@st.composite
def schedules(draw: st.DrawFn) -> Schedule:
    intervals = draw(st.lists(INTERVALS, min_size=1, max_size=6))
    targets = [
        Target(signal=f"d{n}/ping@main", address="192.0.2.1", interval=i) for n, i in enumerate(intervals)
    ]
    return Schedule(draw(st.integers(1, 9)), targets)


def window(schedule: Schedule, start: datetime, slices: int) -> list[Due]:
    """All that is due in some slices from the one at `start` on."""
    first = schedule.slice_at(start)
    return [due for number in range(first, first + slices) for due in schedule.due(number)]


@given(schedules(), st.integers(0, 200))
def test_a_target_is_due_at_its_phase_and_at_no_other_time(schedule: Schedule, slices: int) -> None:
    """The union of all slices is, target by target, exactly its instants: nothing twice, nothing lost."""
    first = schedule.slice_at(NOW)
    start, end = first * schedule.slice_us, (first + slices) * schedule.slice_us
    found = window(schedule, NOW, slices)
    assert found == sorted(found)
    for target in schedule.targets:
        length, phase = target.interval_us, target.phase_us
        lap = start - start % length
        expected = [lap + n * length + phase for n in range((end - lap) // length + 1)]
        mine = [due.at_us for due in found if due.target == target]
        assert mine == [at for at in expected if start <= at < end]


@given(schedules())
def test_no_target_is_due_twice_in_one_slice(schedule: Schedule) -> None:
    for number in range(schedule.slice_at(NOW), schedule.slice_at(NOW) + 20):
        due = schedule.due(number)
        assert len({entry.target for entry in due}) == len(due)
        begin, end = schedule.begin(number), schedule.begin(number + 1)
        assert all(begin <= entry.at < end for entry in due)


@given(schedules())
def test_a_slice_is_short(schedule: Schedule) -> None:
    """At most five seconds, and never longer than the shortest interval."""
    assert schedule.slice_us <= min(
        5_000_000, *(target.interval_us for target in schedule.targets), 5_000_000
    )


@given(schedules(), st.integers(0, 10**12))
def test_last_due_agrees_with_due(schedule: Schedule, later: int) -> None:
    when = NOW + timedelta(microseconds=later)
    for target in schedule.targets:
        last = schedule.last_due(target, when)
        assert when - target.interval < last <= when
        assert Due(at_us=instant.micros(last), target=target) in schedule.due(schedule.slice_at(last))


@given(schedules(), INTERVALS)
def test_other_targets_and_versions_never_move_a_target(schedule: Schedule, interval: timedelta) -> None:
    """A newcomer may change the slices; the instants of those who were there stay."""
    other = Target(signal="newcomer/ping@main", address="192.0.2.2", interval=interval)
    grown = Schedule(schedule.version + 1, (*schedule.targets, other))
    for target in schedule.targets:
        assert grown.last_due(target, NOW) == schedule.last_due(target, NOW)
    assert (grown.digest == schedule.digest) is (grown.targets == schedule.targets)


@given(INTERVALS)
def test_a_phase_is_a_tick_inside_the_interval(interval: timedelta) -> None:
    target = Target(signal="a/ping@main", address="192.0.2.1", interval=interval)
    tick = tick_us(target.interval_us)
    assert 0 <= target.phase_us < target.interval_us
    assert target.phase_us % tick == 0
    assert tick <= 100_000


def test_phases_are_spread_over_the_interval() -> None:
    """10,000 devices at five minutes: no slice holds twice its share."""
    targets = [
        Target(signal=f"device-{n}/ping@main", address="192.0.2.1", interval=timedelta(minutes=5))
        for n in range(10_000)
    ]
    schedule = Schedule(1, targets)
    first = schedule.slice_at(NOW)
    counts = [len(schedule.due(number)) for number in range(first, first + 60)]
    assert sum(counts) == 10_000
    assert max(counts) < 2 * 10_000 / 60


SCRIPT = """
from datetime import UTC, datetime, timedelta
from hostwatch.core.schedule import Schedule, Target
minute = timedelta(seconds=60)
targets = {Target(signal=f"d{n}/ping@main", address="192.0.2.1", interval=minute) for n in range(50)}
schedule = Schedule(1, targets)
first = schedule.slice_at(datetime(2026, 1, 5, tzinfo=UTC))
print(schedule.digest, [(due.at_us, due.target.signal) for n in range(12) for due in schedule.due(first + n)])
"""


@pytest.mark.parametrize("again", ["1", "4711"])
def test_the_schedule_is_the_same_in_every_process(again: str) -> None:
    """Hashes of strings change with each process unless somebody takes care."""
    assert _printed("0") == _printed(again)


def _printed(seed: str) -> str:
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT],
        env={**os.environ, "PYTHONHASHSEED": seed},
        capture_output=True,
        text=True,
        check=True,
    )
    return done.stdout


def test_golden_phases() -> None:
    """Phases are part of the evidence: were they computed otherwise, old slices would name others."""
    minutes = {
        name: Target(signal=name, address="192.0.2.1", interval=timedelta(minutes=5)).phase_us
        for name in ("acme-web-1/ping@main", "acme-web-2/ping@main", "x/ping@main")
    }
    assert minutes == {
        "acme-web-1/ping@main": 115_700_000,
        "acme-web-2/ping@main": 142_600_000,
        "x/ping@main": 134_800_000,
    }

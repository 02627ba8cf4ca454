"""Traffic in the store: counted on over restarts, kept as days, told by figure, and erased when it is old."""

from __future__ import annotations

import asyncio
import sqlite3
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from hostwatch.clock import SystemClock
from hostwatch.core import counting, judge, traffic
from hostwatch.core.ports import Octets, Port, PortsReading, State
from hostwatch.core.portsheard import source_of
from hostwatch.core.reading import Outcome, Reading
from hostwatch.core.source import Source
from hostwatch.core.traffic import DAY_STEPS, Figure, Passed
from hostwatch.core.world import Decision
from hostwatch.engine import Engine
from hostwatch.store.connection import connect
from hostwatch.store.reader import Reader
from hostwatch.store.writer import InlineWriter
from hostwatch.tallying import Tallying, first_kept
from tests.store.stories import BEGINNING, Story, device, population

SW = Source(id=source_of("sw-1"), kind="ports/snmp", interval=timedelta(minutes=1))
HOUSE = replace(population(device(0)), sources={SW.id: SW})


def heard(story: Story, switch: Source, received: int) -> Decision:
    """A minute later a switch says so much."""
    story.now += timedelta(minutes=1)
    port = Port(name="7", oper=State.UP, speed_mbps=1_000, octets=Octets(received=received, sent=1))
    up_ticks = (story.now - BEGINNING) // timedelta(milliseconds=10)
    reading = Reading(
        signal=switch.signal("main"),
        at=story.now,
        known_at=story.now,
        outcome=Outcome.ANSWERED,
        said=PortsReading(up_ticks=up_ticks, ports=(port,)).text,
    )
    return judge.readings(story.world, None, [reading], closes=False, now=story.now)


def speak(story: Story, received: int) -> None:
    """The same of the first one, and it is counted."""
    story.do(heard(story, SW, received))
    story.do(judge.whole(counting.count(story.world, [SW.id])))
    story.agrees()


def told(db: sqlite3.Connection) -> dict[tuple[int, str, int], Passed]:
    """All figures: day, port and place in the day."""
    return {
        (day, port, place): passed
        for day, port, row in db.execute("SELECT * FROM traffic ORDER BY day, port")
        for place, passed in enumerate(traffic.figures(row))
        if passed is not None
    }


def test_counting_goes_on_over_a_restart() -> None:
    """The watch is killed in the middle of five minutes: not one octet is lost."""
    story = Story(connect(None))
    story.enrol(HOUSE)
    day = traffic.STEP_S * DAY_STEPS
    for minute in range(1, 7):
        speak(story, received=600 * minute)
        if minute == 3:
            story.start()
    found = told(story.connection)
    first = int(BEGINNING.timestamp()) // day, "sw-1/7", 0
    assert found == {first: Passed(3_000, 0)}


def test_what_was_counted_is_not_counted_again() -> None:
    story = Story(connect(None))
    story.enrol(HOUSE)
    speak(story, received=600)
    assert judge.whole(counting.count(story.world, [SW.id, "ports:nobody", "card-a"])) == Decision()


def test_a_switch_that_is_asked_no_more_is_forgotten() -> None:
    story = Story(connect(None))
    story.enrol(HOUSE)
    speak(story, received=600)
    assert [*story.world.counted] == [SW.id]
    story.enrol(population(device(0)))
    story.agrees()
    assert story.world.counted == {}
    assert story.world.heard == {}


def test_figures_take_their_places_in_any_order_and_lie_in_their_days(tmp_path: Path) -> None:
    story = Story(connect(tmp_path / "store.db"))
    numbers = (3, 1, DAY_STEPS - 1, DAY_STEPS, 3 * DAY_STEPS + 5)
    for number in numbers:
        story.do(
            Decision(traffic=tuple(Figure(port, number, Passed(number, 7)) for port in ("sw-1/7", "sw-1/8")))
        )
    found = told(story.connection)
    assert found == {
        (number // DAY_STEPS, port, number % DAY_STEPS): Passed(number, 7)
        for number in numbers
        for port in ("sw-1/7", "sw-1/8")
    }
    with Reader(tmp_path / "store.db") as reader:
        listed = [(day, port) for day, port, _ in reader.traffic(0, 4)]
        assert listed == [(day, port) for day in (0, 1, 3) for port in ("sw-1/7", "sw-1/8")]
        assert [day for day, _, _ in reader.traffic(1, 3)] == [1, 1]
    story.do(Decision(traffic_before=1))
    assert {day for day, _, _ in told(story.connection)} == {1, 3}


@pytest.mark.parametrize(
    ("now", "months", "first"),
    [
        ("2026-11-22T18:00:00+00:00", 13, "2025-10-01"),
        ("2026-11-22T18:00:00+00:00", 1, "2026-10-01"),
        ("2026-01-01T00:00:00+00:00", 12, "2025-01-01"),
        ("2026-02-28T23:00:00+00:00", 2, "2025-12-01"),
    ],
)
def test_so_many_whole_months_are_kept(now: str, months: int, first: str) -> None:
    day = first_kept(datetime.fromisoformat(now), months, ZoneInfo("UTC"))
    assert datetime.fromtimestamp(day * 86_400, UTC).date().isoformat() == first


def test_months_are_those_of_the_site() -> None:
    """In Shanghai November begins at 16:00 UTC of the day before, and that day is kept."""
    now = datetime(2026, 11, 30, 17, tzinfo=UTC)
    assert (
        first_kept(now, 1, ZoneInfo("Asia/Shanghai"))
        == int(datetime(2026, 10, 31, tzinfo=UTC).timestamp()) // 86_400
    )


async def test_the_watch_counts_soon_after_switches_spoke_and_erases_what_is_old() -> None:
    """What was heard before the watch was stopped is counted first; then both switches together."""
    story = Story(connect(None))
    other = replace(SW, id=source_of("sw-2"))
    story.enrol(replace(population(device(0)), sources={SW.id: SW, other.id: other}))
    story.do(Decision(traffic=(Figure("sw-1/7", 5, Passed(1, 1)),)))
    story.do(heard(story, SW, 600))
    writer = InlineWriter(story.ledger)
    engine = Engine(writer, SystemClock(), await writer.load())
    tallying = Tallying(engine, SystemClock())
    decided: asyncio.Queue[Decision] = asyncio.Queue()
    engine.listeners.append(decided.put_nowait)
    working = [asyncio.create_task(engine.run()), asyncio.create_task(tallying.run())]
    try:
        first = [await asyncio.wait_for(decided.get(), 20) for _ in range(2)]
        assert [[*one.counted] for one in first if one.counted] == [[SW.id]]
        assert [one.traffic_before is not None for one in first].count(True) == 1
        assert told(story.connection) == {}
        for switch in (SW, other):
            await engine.do(lambda world, now, switch=switch: heard(story, switch, 900))  # type: ignore[misc]
        while not (last := await asyncio.wait_for(decided.get(), 20)).counted:
            pass
        assert [*last.counted] == [SW.id, other.id]
    finally:
        for task in working:
            task.cancel()
        await asyncio.gather(*working, return_exceptions=True)

"""The loop is watched from outside: what it does is late, by how much, where it stands, and who is told."""

from __future__ import annotations

import asyncio
import logging
import threading
import time
from collections.abc import Iterator

import pytest

from hostwatch.lag import EVERY_S, STACK_EVERY_S, STOOD_MIN_S, TROUBLE_FOR_S, TROUBLE_S, LoopWatcher

WITHIN_S = 20.0


@pytest.fixture
def said() -> Iterator[list[logging.LogRecord]]:
    """What is logged."""
    heard: list[logging.LogRecord] = []

    class Ear(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            heard.append(record)

    logger, ear = logging.getLogger("hostwatch"), Ear()
    logger.addHandler(ear)
    yield heard
    logger.removeHandler(ear)


def block(watcher: LoopWatcher) -> float:
    """Hold the loop up, and ask meanwhile how late it is."""
    time.sleep(1.5 * STOOD_MIN_S)  # this is what is done to it
    return watcher.recent_s()


async def test_a_loop_that_stands_is_noticed_while_it_does(said: list[logging.LogRecord]) -> None:
    told: asyncio.Queue[tuple[float, float]] = asyncio.Queue()
    watcher = LoopWatcher(lambda since, until: told.put_nowait((since, until)))
    watcher.start()
    try:
        began = time.monotonic()
        meanwhile = block(watcher)
        since, until = await asyncio.wait_for(told.get(), WITHIN_S)
        assert meanwhile >= STOOD_MIN_S
        assert began - EVERY_S <= since
        assert until - since >= STOOD_MIN_S
        assert watcher.take_worst_s() >= STOOD_MIN_S
    finally:
        watcher.close()
    (shown,) = [record for record in said if record.getMessage() == "loop-stands"]
    fields = shown.__dict__["fields"]
    assert fields["at"].endswith(" block")
    assert " test_a_loop_that_stands_is_noticed_while_it_does" in fields["stack"]


class Stands:
    """A watcher of a loop that does nothing by itself, at times that the test names."""

    def __init__(self) -> None:
        self.now = 0.0
        self.stood: list[tuple[float, float]] = []
        self.owed: list[tuple[object, ...]] = []
        self.watcher = LoopWatcher(lambda *span: self.stood.append(span), lambda: self.now)
        self.watcher._loop = self  # type: ignore[assignment]

    def call_soon_threadsafe(self, *call: object) -> None:
        self.owed.append(call)

    def check(self, at: float, due: float | None = None) -> None:
        self.now = at
        self.watcher._check(at if due is None else due, at)

    def run(self, at: float) -> None:
        """The loop gets round to what it was asked."""
        self.now, owed, self.owed = at, self.owed, []
        for do, *given in owed:
            do(*given)  # type: ignore[operator]


def test_the_lag_is_the_longest_since_it_was_asked_for() -> None:
    scene = Stands()
    for at, lag in ((0.0, 0.01), (0.1, 0.3), (0.5, 0.02)):
        scene.check(at)
        scene.run(at + lag)
    assert scene.watcher.take_worst_s() == pytest.approx(0.3)
    assert scene.watcher.take_worst_s() == 0.0
    assert scene.stood == []


def test_no_more_than_one_sign_of_life_is_owed() -> None:
    scene = Stands()
    for number in range(50):
        scene.check(number / 10)
    assert len(scene.owed) == 1


def test_when_we_ourselves_did_not_run_that_is_a_standstill_too() -> None:
    """As after SIGSTOP: the loop answered in time before, and then neither it nor its watcher ran."""
    scene = Stands()
    scene.check(0.0)
    scene.run(0.01)
    scene.check(7.0, due=0.1)
    scene.run(7.01)
    assert scene.stood[0] == (0.1, 7.01)


def test_when_we_ourselves_did_not_run_no_stack_is_to_blame(said: list[logging.LogRecord]) -> None:
    """The loop owes a sign of life, but nobody ran who could have given it."""
    scene = Stands()
    scene.watcher._loop_thread = threading.get_ident()
    scene.check(0.0)
    scene.check(7.0, due=0.1)
    assert said == []
    scene.check(7.1)
    assert len(said) == 1


def test_a_long_standstill_makes_the_watch_unwell_for_a_while() -> None:
    scene = Stands()
    scene.check(0.0)
    scene.run(TROUBLE_S - 0.1)
    assert list(scene.watcher.troubles()) == []
    scene.check(10.0)
    scene.run(10.0 + TROUBLE_S)
    assert list(scene.watcher.troubles()) == ["the loop stood still for 5.0 s within the last 60 s"]
    scene.now = 10.0 + TROUBLE_S + TROUBLE_FOR_S
    assert list(scene.watcher.troubles()) == []


def test_the_stack_is_shown_now_and_then_and_not_always(said: list[logging.LogRecord]) -> None:
    scene = Stands()
    scene.watcher._loop_thread = threading.get_ident()
    scene.check(0.0)
    for at in (0.5, 1.0, 1.1, 1.2, 30.0):
        scene.check(at)
    assert len(said) == 1
    scene.check(1.0 + STACK_EVERY_S)
    assert len(said) == 2

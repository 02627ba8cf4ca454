"""The watch asks the kernel about the clock, keeps the answer, and tells people when it is bad for long."""

from __future__ import annotations

import asyncio
import ctypes
from datetime import timedelta

import pytest

from hostwatch import clock as clocks
from hostwatch.clock import SystemClock
from hostwatch.core import facts
from hostwatch.core.quality import NOT_KNOWN, WARNED_AFTER, Keeping, Quality
from hostwatch.core.world import Decision
from hostwatch.engine import Engine
from hostwatch.store.connection import connect
from hostwatch.store.ledger import Ledger, facts_of
from hostwatch.store.writer import InlineWriter
from hostwatch.timewatch import TimeWatch


class Said(SystemClock):
    """A clock of which the kernel says what the test says."""

    said = Quality(keeping=Keeping.UNSYNCHRONISED, estimated_us=16_000_000, maximum_us=16_000_000)
    passed = timedelta(hours=1)

    def quality(self) -> Quality:
        return self.said

    def monotonic(self) -> timedelta:
        return self.passed


def test_the_kernel_tells_of_its_clock() -> None:
    """It needs no right; whoever keeps this machine's clock may do so well or not."""
    said = SystemClock().quality()

    assert said.keeping is not Keeping.NOT_KNOWN
    assert said.estimated_us >= 0
    assert 0 <= said.maximum_us <= 16_000_000 or said.keeping is Keeping.UNSYNCHRONISED


@pytest.mark.parametrize(
    ("status", "keeping", "offset_us"),
    [
        (0x0001, Keeping.SYNCHRONISED, 2_500_000),
        (0x2001, Keeping.SYNCHRONISED, 2_500),
        (0x2041, Keeping.UNSYNCHRONISED, 2_500),
        (0x1001, Keeping.UNSYNCHRONISED, 2_500_000),
    ],
)
def test_the_bits_of_the_answer(status: int, keeping: Keeping, offset_us: int) -> None:
    """STA_UNSYNC is 0x40, STA_CLOCKERR 0x1000, and with STA_NANO, 0x2000, the offset is in nanoseconds."""
    said = clocks._quality(clocks._Timex(offset=2_500_000, estimated=7, maximum=8, status=status))

    assert said == Quality(keeping=keeping, offset_us=offset_us, estimated_us=7, maximum_us=8)


def test_a_call_that_is_refused_leaves_it_not_known(monkeypatch: pytest.MonkeyPatch) -> None:
    class Refusing:
        def __init__(self, _: None) -> None:
            self.adjtimex = lambda _: -1

    monkeypatch.setattr(ctypes, "CDLL", Refusing)
    assert SystemClock().quality() == NOT_KNOWN


async def test_it_is_recorded_once_told_of_after_a_while_and_measured() -> None:
    ledger = Ledger(connect(None), "boot")
    writer = InlineWriter(ledger)
    clock = Said()
    engine = Engine(writer, clock, await writer.load())
    running = asyncio.create_task(engine.run())
    watch = TimeWatch(engine, clock)

    watch.check()
    clock.passed += WARNED_AFTER
    watch.check()
    assert list(watch.warnings()) == []
    clock.passed += timedelta(seconds=1)
    (warning,) = watch.warnings()
    assert "nobody keeps this machine's clock" in warning
    assert [gauge.value for gauge in watch.figures()] == [0.0, 16.0, 16.0]

    clock.said = NOT_KNOWN
    watch.check()
    await engine.do(lambda *_: Decision())
    assert list(watch.warnings()) == []
    assert {gauge.value for gauge in watch.figures()} == {None}
    running.cancel()
    told = list(facts_of(ledger._db, [facts.ClockQuality]))
    assert [getattr(fact, "keeping", "") for fact in told] == ["unsynchronised", "not known"]

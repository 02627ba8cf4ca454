"""The clocks of a simulated machine: a wall clock that is stepped and slewed, and a sleep of it all.

*True time* is what passes in the simulated world, in microseconds since its beginning. It is the
boot-time clock of the machine; the monotonic one stands still while the machine sleeps.
"""

from __future__ import annotations

import asyncio
from datetime import datetime, timedelta

from hostwatch.clock import NAP_MAX_S, STEP_MIN, Clock
from hostwatch.core import instant
from tests.simulation.loop import SimLoop


class SimClock(Clock):
    """The clocks of a machine that lives in a `SimLoop`."""

    def __init__(self, loop: SimLoop, start: datetime) -> None:
        self.boot_id = "00000000-0000-4000-8000-000000000001"
        self._loop = loop
        self._start_us = instant.micros(start)
        self._asleep_us = 0
        self._shift_us = 0
        self._ppm, self._slewed_at = 0, 0
        self._drifted_us = 0
        self._sleepers: set[asyncio.Future[None]] = set()
        self.shifts: list[tuple[int, int]] = [(0, self._start_us)]
        """From which true time on the wall clock was ahead of true time by how much (steps only)."""

    def true_us(self) -> int:
        """True time."""
        return self._loop.us + self._asleep_us

    def wall_us(self) -> int:
        """The wall clock, in microseconds since 1970."""
        slewed = (self._loop.us - self._slewed_at) * self._ppm // 1_000_000
        return self._start_us + self.true_us() + self._shift_us + slewed

    def now(self) -> datetime:
        return instant.from_micros(self.wall_us())

    def monotonic(self) -> timedelta:
        return timedelta(microseconds=self._loop.us)

    def boottime(self) -> timedelta:
        return timedelta(microseconds=self.true_us())

    async def sleep(self, pause: timedelta) -> None:
        await asyncio.sleep(max(pause.total_seconds(), 0))

    async def sleep_until(self, when: datetime) -> None:
        """As the system's clock does it: whoever waits notices a step within a second, not at once."""
        target = instant.micros(when)
        over = self._loop.us + target - self.wall_us()
        while (left := target - self.wall_us()) > 0:
            if left > over - self._loop.us + STEP_MIN // instant.MICROSECOND:
                return
            sleeping: asyncio.Future[None] = self._loop.create_future()
            self._sleepers.add(sleeping)
            timer = self._loop.call_at((self._loop.us + left) / 1e6, _wake, sleeping)
            try:
                await sleeping
            finally:
                timer.cancel()
                self._sleepers.discard(sleeping)

    def drifted_us(self) -> int:
        """How far the wall clock has run wrong by itself at most, whichever way."""
        return self._drifted_us + abs((self._loop.us - self._slewed_at) * self._ppm // 1_000_000)

    def step(self, by: timedelta) -> None:
        """Somebody sets the wall clock."""
        self._shift_us += by // instant.MICROSECOND
        self._jumped()

    def slew(self, ppm: int) -> None:
        """From now on the wall clock runs that many millionths too fast."""
        drifted = (self._loop.us - self._slewed_at) * self._ppm // 1_000_000
        self._shift_us += drifted
        self._drifted_us += abs(drifted)
        self._ppm, self._slewed_at = ppm, self._loop.us

    def suspend(self, pause: timedelta) -> None:
        """The machine sleeps: wall clock and boot time go on, timers do not."""
        self._asleep_us += pause // instant.MICROSECOND
        self._jumped()

    def _jumped(self) -> None:
        self.shifts.append((self.true_us(), self.wall_us() - self.true_us()))
        for sleeping in self._sleepers:
            self._loop.call_later(NAP_MAX_S, _wake, sleeping)


def _wake(sleeping: asyncio.Future[None]) -> None:
    if not sleeping.done():
        sleeping.set_result(None)

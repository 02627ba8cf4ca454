"""The only module that knows what time it is.

Facts are dated by the wall clock, durations are measured by the monotonic one, and the difference
between the two betrays steps of the wall clock and sleeps of the machine.
"""

from __future__ import annotations

import asyncio
import ctypes
import time
from abc import ABC, abstractmethod
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final

from hostwatch.core import instant
from hostwatch.core.quality import NOT_KNOWN, Keeping, Quality

STEP_MIN = timedelta(milliseconds=250)
"""A smaller disagreement of the clocks is slewing, not a step."""

TOGETHER_FOR: Final = STEP_MIN / 25
"""Looks at several clocks within that time are one look: what passed between them is no step."""

LOOKS: Final = 5
"""So often the clocks are looked at, if we are held up each time; the last look counts."""

NAP_MAX_S = 1.0
"""`sleep_until` looks at the wall clock at least this often."""


class _Timex(ctypes.Structure):
    """`struct timex`, as adjtimex(2) fills it. `modes` is 0: nothing is changed, and no right is needed."""

    _fields_ = (
        ("modes", ctypes.c_uint),
        ("offset", ctypes.c_long),
        ("frequency", ctypes.c_long),
        ("maximum", ctypes.c_long),
        ("estimated", ctypes.c_long),
        ("status", ctypes.c_int),
        ("rest", ctypes.c_byte * 256),
    )


_UNSYNCHRONISED: Final = 0x0040
_IN_NANOSECONDS: Final = 0x2000
_HARDWARE_FAILED: Final = 0x1000


def _quality(said: _Timex) -> Quality:
    bad = said.status & (_UNSYNCHRONISED | _HARDWARE_FAILED)
    return Quality(
        keeping=Keeping.UNSYNCHRONISED if bad else Keeping.SYNCHRONISED,
        offset_us=said.offset // 1000 if said.status & _IN_NANOSECONDS else said.offset,
        estimated_us=said.estimated,
        maximum_us=said.maximum,
    )


class Clock(ABC):
    """What time it is, and how to wait. Tests bring a clock of their own."""

    boot_id: str
    """Names this run of the machine: wall clocks of two runs cannot be compared."""

    @abstractmethod
    def now(self) -> datetime:
        """The wall clock, aware UTC."""

    @abstractmethod
    def monotonic(self) -> timedelta:
        """A clock that never steps and stands still while the machine sleeps."""

    def now_us(self) -> int:
        """The wall clock in whole microseconds since 1970, for what happens thousands of times a second."""
        return instant.micros(self.now())

    def monotonic_us(self) -> int:
        """The monotonic clock in whole microseconds."""
        return self.monotonic() // instant.MICROSECOND

    @abstractmethod
    def boottime(self) -> timedelta:
        """A clock that never steps and goes on while the machine sleeps."""

    def quality(self) -> Quality:
        """How well the wall clock is kept."""
        return NOT_KNOWN

    @abstractmethod
    async def sleep(self, pause: timedelta) -> None:
        """Wait that long; not at all when it is not positive."""

    @abstractmethod
    async def sleep_until(self, when: datetime) -> None:
        """Wait until the wall clock shows that time, though it be set meanwhile.

        Returns early when the clock is set back: else a step of a day would be a wait of a day.
        """


class SystemClock(Clock):
    """The clocks of this machine."""

    def __init__(self) -> None:
        self.boot_id = Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip()

    def now(self) -> datetime:
        return instant.from_micros(self.now_us())

    def now_us(self) -> int:
        return time.time_ns() // 1000

    def monotonic(self) -> timedelta:
        return timedelta(microseconds=self.monotonic_us())

    def monotonic_us(self) -> int:
        return time.monotonic_ns() // 1000

    def boottime(self) -> timedelta:
        return timedelta(microseconds=time.clock_gettime_ns(time.CLOCK_BOOTTIME) // 1000)

    def quality(self) -> Quality:
        asked = _Timex()
        try:
            said = ctypes.CDLL(None).adjtimex(ctypes.byref(asked))
        except AttributeError:  # a C library without it
            return NOT_KNOWN
        return NOT_KNOWN if said < 0 else _quality(asked)

    async def sleep(self, pause: timedelta) -> None:
        await asyncio.sleep(max(pause.total_seconds(), 0))

    async def sleep_until(self, when: datetime) -> None:
        over = self.monotonic() + (when - self.now())
        while (left := when - self.now()) > timedelta(0):
            if left > over - self.monotonic() + STEP_MIN:
                return
            await asyncio.sleep(min(left.total_seconds(), NAP_MAX_S))


@dataclass(frozen=True, slots=True)
class Stepped:
    """The wall clock jumped from `before` to `after`."""

    before: datetime
    after: datetime


@dataclass(frozen=True, slots=True)
class Suspended:
    """The machine slept."""

    since: datetime
    until: datetime


class Timekeeper:
    """Compares the clocks each time it is asked."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._wall, self._mono, self._boot = self._look()

    def _look(self) -> tuple[datetime, timedelta, timedelta]:
        """The three clocks at one moment. Who is held up, or sleeps, between two of them looks again."""
        left = LOOKS
        while True:
            left -= 1
            boot = self._clock.boottime()
            wall, mono = self._clock.now(), self._clock.monotonic()
            if not left or self._clock.boottime() - boot < TOGETHER_FOR:
                return wall, mono, boot

    def check(self) -> list[Stepped | Suspended]:
        """What happened to the clocks since the last time, in the order to be told."""
        wall, mono, boot = self._look()
        passed = boot - self._boot
        asleep = passed - (mono - self._mono)
        expected = self._wall + passed
        found: list[Stepped | Suspended] = []
        if asleep >= STEP_MIN:
            found.append(Suspended(expected - asleep, expected))
        if abs(wall - expected) >= STEP_MIN:
            found.append(Stepped(expected, wall))
        self._wall, self._mono, self._boot = wall, mono, boot
        return found

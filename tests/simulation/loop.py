"""An event loop that never waits: when nothing is ready, its clock jumps to the next timer.

Time is counted in whole microseconds. There are no threads, no sockets and no sleeping; work for an
executor is done at once.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

TURNS_MAX = 1_000_000
"""More turns at one moment are a livelock."""


class NothingLeft(RuntimeError):
    """Nobody waits for anything that could still happen."""


class Livelock(RuntimeError):
    """The simulation is busy for ever at one moment."""


class SimLoop(asyncio.BaseEventLoop):
    """The loop and its monotonic clock, which stands still while callbacks run."""

    def __init__(self) -> None:
        super().__init__()
        self._clock_resolution = 1e-6  # the default of 1 ns is lost in a double after some months
        self._selector = self
        self.us = 0
        """The monotonic clock, in microseconds."""

        self.turns = self._idle_at = 0
        self.on_turn: Callable[[], None] | None = None
        """Called between any two turns, when no task runs: a place to kill at."""

    def time(self) -> float:
        return self.us / 1e6

    def select(self, timeout: float | None) -> list[Any]:
        """What a selector does: here it only lets time pass."""
        self.turns += 1
        if timeout != 0:
            self._idle_at = self.turns
        elif self.turns - self._idle_at > TURNS_MAX:
            raise Livelock(f"{TURNS_MAX} turns of the loop and no time passes: somebody waits for nothing")
        if self.on_turn is not None:
            self.on_turn()
        if timeout is None:
            raise NothingLeft("nothing will ever happen in this simulation again")
        if timeout > 0:
            self.us += max(round(timeout * 1e6), 1)
        return []

    def stall(self, us: int) -> None:
        """Something blocks the loop: time passes and no timer is served."""
        self.us += us

    def _process_events(self, event_list: list[Any]) -> None:
        """There are no files to watch."""

    def _write_to_self(self) -> None:
        """Nobody sleeps, so nobody is to be woken."""

    def run_in_executor(  # type: ignore[override]
        self, executor: Any, func: Callable[..., Any], *args: Any
    ) -> asyncio.Future[Any]:
        done = self.create_future()
        try:
            done.set_result(func(*args))
        except Exception as error:
            done.set_exception(error)
        return done

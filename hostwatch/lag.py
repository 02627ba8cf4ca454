"""Loop lag, measured from another thread: how late the watch's loop is, also while it stands still.

Four times a second the thread asks the loop for a sign of life, and looks how old the last unanswered
question is. If the thread itself wakes late, neither ran: our process was stopped, had no CPU, or somebody
held the interpreter. A loop that is late is blind meanwhile, so whoever keeps the record is told of each
standstill.
"""

from __future__ import annotations

import asyncio
import sys
import threading
import time
import traceback
from collections import deque
from collections.abc import Callable, Iterator
from typing import Final

from hostwatch import log
from hostwatch.gauges import Gauge

EVERY_S: Final = 0.25
STOOD_MIN_S: Final = 1.0
"""A lag from which on it is a standstill: recorded as blindness, and its stack is shown."""

STACK_EVERY_S: Final = 60.0
"""A stack is shown no more often than this."""

STACK_FRAMES: Final = 12
TROUBLE_S: Final = 5.0
"""A standstill that makes the watch unwell for a while."""

TROUBLE_FOR_S: Final = 60.0

Stood = Callable[[float, float], None]
"""Told on the loop of a standstill: from when until when, by `time.monotonic`."""


class LoopWatcher:
    """Watches one loop, from a thread of its own."""

    def __init__(self, on_stood: Stood, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._on_stood = on_stood
        self._monotonic = monotonic
        self._stop = threading.Event()
        self._thread: threading.Thread | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._loop_thread = 0
        self._asked: float | None = None
        """When the loop was asked for the sign of life that it owes; None if it owes none."""

        self._worst_s = 0.0
        self._stood: deque[tuple[float, float]] = deque(maxlen=100)
        """When the latest standstills ended, and how long they were."""

        self._shown: float | None = None

    def start(self) -> None:
        """Watch the running loop."""
        self._loop = asyncio.get_running_loop()
        self._loop_thread = threading.get_ident()
        self._thread = threading.Thread(target=self._run, name="loop-watcher", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Watch no more."""
        self._stop.set()
        if self._thread is not None:
            self._thread.join()

    def _run(self) -> None:
        while not self._stop.is_set():
            due = self._monotonic() + EVERY_S
            time.sleep(EVERY_S)  # cheaper than to wait for an event, and there is no hurry to end
            now = self._monotonic()
            try:
                self._check(due, now)
            except RuntimeError:
                return  # the loop is closed

    def _check(self, due: float, now: float) -> None:
        """One look at the loop, which was to be made at `due`."""
        assert self._loop is not None
        if now - due >= STOOD_MIN_S:
            self._loop.call_soon_threadsafe(self._note, due)
        asked = self._asked
        if asked is None:
            self._asked = now
            self._loop.call_soon_threadsafe(self._answer)
            return
        if now - asked >= STOOD_MIN_S and now - due < STOOD_MIN_S:
            self._show(now - asked, now)

    def _answer(self) -> None:
        """The loop's sign of life."""
        asked, self._asked = self._asked, None
        if asked is not None:
            self._note(asked)

    def _note(self, since: float) -> None:
        """Nothing has run on the loop since then."""
        now = self._monotonic()
        self._worst_s = max(self._worst_s, now - since)
        if now - since >= STOOD_MIN_S:
            self._stood.append((now, now - since))
            self._on_stood(since, now)

    def _show(self, lag_s: float, now: float) -> None:
        """What the loop is at while it stands still."""
        if self._shown is not None and now - self._shown < STACK_EVERY_S:
            return
        frame = sys._current_frames().get(self._loop_thread)
        if frame is None:
            return
        self._shown = now
        calls = traceback.extract_stack(frame)[-STACK_FRAMES:]
        stack = [f"{call.filename}:{call.lineno} {call.name}" for call in calls]
        log.warning("loop-stands", for_s=f"{lag_s:.1f}", at=stack[-1], stack=" < ".join(reversed(stack)))

    def take_worst_s(self) -> float:
        """The longest lag since this was asked last."""
        worst, self._worst_s = self.recent_s(), 0.0
        return worst

    def recent_s(self) -> float:
        """The lag now, or the longest since the last scrape."""
        asked = self._asked
        return max(self._worst_s, 0.0 if asked is None else self._monotonic() - asked)

    def troubles(self) -> Iterator[str]:
        """A standstill that was long, and not long ago."""
        now = self._monotonic()
        recent = [length for ended, length in self._stood if now - ended < TROUBLE_FOR_S]
        if recent and max(recent) >= TROUBLE_S:
            yield f"the loop stood still for {max(recent):.1f} s within the last {TROUBLE_FOR_S:g} s"

    def figures(self) -> Iterator[Gauge]:
        """How late the loop was."""
        yield Gauge(
            "hostwatch_loop_lag_seconds",
            "How late the loop was at most since the last scrape.",
            self.take_worst_s(),
        )

"""All signals of a watch: whoever is well is one number, everybody else a `Signal`.

A signal that answered when it was last due, and had answered before, needs nothing said of it but when
that was. It is *at rest*: its answer is dated at the instant at which it was due, which is never later than
the packet that was answered, and which anybody can find again in the evidence of the slices. So a million
devices that are well need neither objects in memory nor rows in the store. Of one that has never been looked
at there is nothing to say but since when it is watched.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from datetime import timedelta
from itertools import chain

from hostwatch.core import instant
from hostwatch.core.signal import NOT_PROVEN, Signal, begin

GRAIN_US = 5_000_000
"""How finely those at rest are counted by when they answered."""

Speaking = Callable[[str], timedelta]
"""How long a reading of a signal speaks (J2): its interval and the tolerance."""


class Signals(Mapping[str, Signal]):
    """Signals by name. Only `World.apply` changes it."""

    def __init__(self, speaking: Speaking, known: Mapping[str, Signal] | None = None) -> None:
        self.speaking = speaking
        self.restless: dict[str, Signal] = dict(known or {})
        """Those of which there is more to say than a number."""

        self.resting: dict[str, int] = {}
        """When those at rest were last due, and answered: microseconds since 1970."""

        self.fresh: dict[str, int] = {}
        """Since when those are watched that have never been looked at."""

        self._since_us = 0
        """The latest number in `fresh`."""

        self._answered: dict[int, int] = {}
        """How many of those at rest answered last in which grain of time."""

    def __getitem__(self, name: str) -> Signal:
        found = self.get(name)
        if found is None:
            raise KeyError(name)
        return found

    def get(self, name: str, default: Signal | None = None) -> Signal | None:  # type: ignore[override]
        """The signal, if there is one."""
        found = self.restless.get(name)
        if found is not None:
            return found
        due_us = self.resting.get(name)
        if due_us is not None:
            return at_rest(name, due_us, self.speaking(name))
        since_us = self.fresh.get(name)
        return default if since_us is None else begin(name, instant.from_micros(since_us))

    def __contains__(self, name: object) -> bool:
        return name in self.resting or name in self.restless or name in self.fresh

    def __iter__(self) -> Iterator[str]:
        return chain(self.restless, self.resting, self.fresh)

    def __len__(self) -> int:
        return len(self.restless) + len(self.resting) + len(self.fresh)

    def is_silent(self, name: str) -> bool:
        """Whether a signal has missed and not answered since."""
        signal = self.restless.get(name)
        return signal is not None and signal.silence is not None

    def put(self, signal: Signal) -> None:
        """There is more to say of this signal from now on, or nothing yet."""
        self.drop(signal.name)
        if is_fresh(signal):
            since_us = instant.micros(signal.speaks_until)
            if since_us != self._since_us:
                self._since_us = since_us  # hundreds begin at once: one number is enough for all of them
            self.fresh[signal.name] = self._since_us
        else:
            self.restless[signal.name] = signal

    def rest(self, name: str, due_us: int) -> None:
        """The signal answered when it was due, and that is all.

        Nearly always it was at rest before: its number is changed in place, for to take it out and put it in
        again would have the whole table made anew now and then.
        """
        before = self.resting.get(name)
        if before is None:
            self.drop(name)
        else:
            self._count(before, -1)
        self.resting[name] = due_us
        self._count(due_us, 1)

    def drop(self, name: str) -> None:
        """The signal is no longer watched."""
        self.restless.pop(name, None)
        self.fresh.pop(name, None)
        due_us = self.resting.pop(name, None)
        if due_us is not None:
            self._count(due_us, -1)

    def _count(self, due_us: int, change: int) -> None:
        grain = due_us // GRAIN_US
        count = self._answered.get(grain, 0) + change
        if count:
            self._answered[grain] = count
        else:
            del self._answered[grain]

    def resting_since_before(self, when_us: int) -> int:
        """How many of those at rest answered last before an instant, to a grain. Looks at no signal."""
        return sum(count for grain, count in self._answered.items() if is_before(grain * GRAIN_US, when_us))


def is_before(due_us: int, when_us: int) -> bool:
    """Whether the grain of an answer was over at an instant."""
    return (due_us // GRAIN_US + 1) * GRAIN_US <= when_us


def at_rest(name: str, due_us: int, speaking: timedelta) -> Signal:
    """The whole signal of one that is at rest."""
    due = instant.from_micros(due_us)
    return Signal(name=name, speaks_until=due + speaking, last_reading=due, last_answer=due)


def is_fresh(signal: Signal) -> bool:
    """Whether nothing need be said of a signal but since when it is watched."""
    return (
        signal.last_reading is None
        and signal.last_answer is None
        and signal.blind_since == signal.speaks_until
        and signal.blind_why == NOT_PROVEN
    )


def may_rest(signal: Signal) -> bool:
    """Whether nothing need be said of a signal but when it answered last."""
    return (
        signal.silence is None
        and signal.verdict is None
        and signal.blind_since is None
        and signal.misses == 0
        and signal.counted_at is None
        and signal.last_answer is not None
    )

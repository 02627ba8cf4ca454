"""All signals of a watch: whoever is well is one number, everybody else a `Signal`.

A signal that answered when it was last due, and had answered before, needs nothing said of it but when
that was. It is *at rest*: its answer is dated at the instant at which it was due, which is never later than
the packet that was answered, and which anybody can find again in the evidence of the slices. So a million
devices that are well need neither objects in memory nor rows in the store. Of one that has never been looked
at there is nothing to say but since when it is watched.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import timedelta
from itertools import chain

from hostwatch.core import instant
from hostwatch.core.signal import NOT_PROVEN, Signal, begin
from hostwatch.core.undecided import Undecided

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

        self._plain: dict[str, int] = {}
        """Those of whom a number says all, in one table, since it never gets smaller again.

        At rest: when they were last due, and answered, in microseconds since 1970. Never looked at: since
        when they are watched, with all bits turned, which makes it negative.
        """

        self.undecided = Undecided()
        self._fresh = 0
        """How many of them have never been looked at."""

        self._begun = 0
        """The number of the one of those who came last."""

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
        number = self._plain.get(name)
        if number is None:
            return default
        if number < 0:
            return begin(name, instant.from_micros(~number))
        return at_rest(name, number, self.speaking(name))

    def __contains__(self, name: object) -> bool:
        return name in self._plain or name in self.restless

    def __iter__(self) -> Iterator[str]:
        return chain(self.restless, self._plain)

    def __len__(self) -> int:
        return len(self.restless) + len(self._plain)

    @property
    def fresh(self) -> int:
        """How many have never been looked at."""
        return self._fresh

    @property
    def resting(self) -> int:
        """How many are at rest."""
        return len(self._plain) - self._fresh

    def attach(self, speaking: Speaking, customer_of: Callable[[str], str]) -> None:
        """Whose signals these are, and how long a reading of one speaks."""
        self.speaking, self.undecided.customer_of = speaking, customer_of
        for signal in self.restless.values():
            self.undecided.note(signal)

    def is_fresh(self, name: str) -> bool:
        """Whether a signal has never been looked at."""
        return self._plain.get(name, 0) < 0

    def rested_us(self, name: str) -> int | None:
        """When a signal at rest was last due, and answered: microseconds since 1970."""
        number = self._plain.get(name, -1)
        return None if number < 0 else number

    def never_looked_at(self) -> list[str]:
        """The names of those who are fresh."""
        return [name for name, number in self._plain.items() if number < 0]

    def is_silent(self, name: str) -> bool:
        """Whether a signal has missed and not answered since."""
        signal = self.restless.get(name)
        return signal is not None and signal.silence is not None

    def put(self, signal: Signal) -> None:
        """There is more to say of this signal from now on, or nothing yet."""
        if not is_fresh(signal):
            self.drop(signal.name)
            self.restless[signal.name] = signal
            self.undecided.note(signal)
            return
        number = ~instant.micros(signal.speaks_until)
        if number != self._begun:
            self._begun = number  # hundreds begin at once: one number is enough for all of them
        self._say(signal.name, self._begun)

    def rest(self, name: str, due_us: int) -> None:
        """The signal answered when it was due, and that is all."""
        self._say(name, due_us)
        self._count(due_us, 1)

    def rest_all(self, answered: Sequence[tuple[str, int]]) -> None:
        """The same of many, each once, nearly always all at rest before."""
        befores = [self._plain.get(name, -1) for name, _ in answered]
        if min(befores, default=0) < 0:
            for name, due_us in answered:
                self.rest(name, due_us)
            return
        self._plain.update(answered)
        in_grain = GRAIN_US.__rfloordiv__
        change = Counter(map(in_grain, (due_us for _, due_us in answered)))
        change.subtract(map(in_grain, befores))
        for grain, count in change.items():
            self._count(grain * GRAIN_US, count)

    def _say(self, name: str, number: int) -> None:
        """A number says all of a signal. Nearly always one did before: it is changed in place."""
        before = self._plain.get(name)
        if before is None:
            self.restless.pop(name, None)
            self.undecided.forget(name)
        else:
            self._forget(before)
        self._plain[name] = number
        self._fresh += number < 0

    def drop(self, name: str) -> None:
        """The signal is no longer watched."""
        self.restless.pop(name, None)
        self.undecided.forget(name)
        number = self._plain.pop(name, None)
        if number is not None:
            self._forget(number)

    def _forget(self, number: int) -> None:
        """A number says no more of a signal what it said."""
        if number < 0:
            self._fresh -= 1
        else:
            self._count(number, -1)

    def _count(self, due_us: int, change: int) -> None:
        grain = due_us // GRAIN_US
        count = self._answered.get(grain, 0) + change
        if count:
            self._answered[grain] = count
        else:
            self._answered.pop(grain, None)

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

"""Emergencies that wait: a service's for its device (J8), a device's for what it hangs on, and a switch's for
those behind it (J10). Whose, and for how long."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from heapq import heapify, heappop, heappush

from hostwatch.core.service import device_in
from hostwatch.core.switch import named

STALE_MAX = 64
"""So many ends that do not count any more, and as many as do, may lie about before they are cleared away."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Hold:
    """Something is down, and perhaps something else is the reason: what is to be told of it waits."""

    signal: str
    since: datetime
    """The verdict: the time to tell runs from here."""

    until: datetime
    """If nothing is decided by then, its emergency opens alone."""

    def moved(self, by: timedelta) -> Hold:
        """The same after a step of the wall clock."""
        return replace(self, since=self.since + by, until=self.until + by)


class Holds(Mapping[str, Hold]):
    """By the signal of what waits. Only `World.apply` changes it.

    Who has waited long enough is known without a look at all others: thousands may wait together.
    """

    def __init__(self, known: Iterable[Hold] = ()) -> None:
        self._all: dict[str, Hold] = {}
        self._by_device: dict[str, set[str]] = {}
        self._ends: list[tuple[datetime, str]] = []
        """A heap. What does not count any more lies there until it comes up."""

        self.switches: dict[str, str] = {}
        """The names of the switches that wait, with their signals."""

        for hold in known:
            self.put(hold)

    def __getitem__(self, signal: str) -> Hold:
        return self._all[signal]

    def __iter__(self) -> Iterator[str]:
        return iter(self._all)

    def __len__(self) -> int:
        return len(self._all)

    def __repr__(self) -> str:
        return f"Holds({[*self._all.values()]})"

    @property
    def devices(self) -> Collection[str]:
        """The names of the devices that wait, or whose services do."""
        return self._by_device.keys()

    def of(self, device: str) -> list[Hold]:
        """Those of a device and its services, by name."""
        return [self._all[signal] for signal in sorted(self._by_device.get(device, ()))]

    @property
    def first_until(self) -> datetime | None:
        """When the first of them has waited long enough; None if nobody waits."""
        while self._ends and not self._counts(self._ends[0]):
            heappop(self._ends)
        return self._ends[0][0] if self._ends else None

    def overdue(self, now: datetime, most: int) -> list[Hold]:
        """Those who have waited long enough, the first first; at most so many."""
        found: dict[tuple[datetime, str], Hold] = {}
        while len(found) < most and (until := self.first_until) is not None and until <= now:
            end = heappop(self._ends)
            found[end] = self._all[end[1]]
        for end in found:
            heappush(self._ends, end)
        return [*found.values()]

    def _counts(self, end: tuple[datetime, str]) -> bool:
        until, signal = end
        return signal in self._all and self._all[signal].until == until

    def put(self, hold: Hold) -> None:
        """It waits from now on, or otherwise than before."""
        self._all[hold.signal] = hold
        heappush(self._ends, (hold.until, hold.signal))
        if len(self._ends) > 2 * len(self._all) + STALE_MAX:
            self._ends = [(one.until, one.signal) for one in self._all.values()]
            heapify(self._ends)
        switch = named(hold.signal)
        if switch is not None:
            self.switches[switch] = hold.signal
            return
        self._by_device.setdefault(device_in(hold.signal), set()).add(hold.signal)

    def drop(self, signal: str) -> None:
        """It waits no more."""
        if self._all.pop(signal, None) is None:
            return
        switch = named(signal)
        if switch is not None:
            del self.switches[switch]
            return
        waiting = self._by_device[device_in(signal)]
        waiting.discard(signal)
        if not waiting:
            del self._by_device[device_in(signal)]

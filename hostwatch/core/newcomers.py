"""Who comes into a schedule at the end of many steps, without an object for each: there may be a million."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import overload

from hostwatch.core.population import Population
from hostwatch.core.schedule import Target
from hostwatch.core.signal import Signal


class Newcomers(Sequence[Target]):
    """Who is to be looked at from the last of many steps on: their places in the schedule.

    Of a device, or a service, only the name of its signal is kept, the very one that the signal itself has,
    and its place is made when asked for.
    """

    def __init__(self, population: Population) -> None:
        """`population` is the world's own, which changes with each step."""
        self._population = population
        self._names: list[str] = []
        self._others: list[Target] = []

    def take(self, targets: Iterable[Target], signals: Iterable[Signal]) -> None:
        """These are to be looked at as well; `signals` are those that began with them."""
        names = {one.name: one.name for one in signals}
        for one in targets:
            if self._population.device_of(one.signal) is None:
                self._others.append(one)
            else:
                self._names.append(names.get(one.signal, one.signal))

    def __len__(self) -> int:
        return len(self._names) + len(self._others)

    @overload
    def __getitem__(self, place: int) -> Target: ...
    @overload
    def __getitem__(self, place: slice) -> Sequence[Target]: ...
    def __getitem__(self, place: int | slice) -> Target | Sequence[Target]:
        if isinstance(place, slice):
            return [self[each] for each in range(*place.indices(len(self)))]
        place = range(len(self))[place]
        if place >= len(self._names):
            return self._others[place - len(self._names)]
        name = self._names[place]
        target = self._population.target_of(name)
        assert target is not None  # nothing else comes into force meanwhile
        return replace(target, signal=name)

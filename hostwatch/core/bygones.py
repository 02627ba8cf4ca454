"""Silences that are over: whose cause is asked for later may have begun with one of them.

A switch that dies and is back before the verdict on a device answers when that device's cause is sought. That
it was silent is on record; the last of it is kept ready here, and read from the record by a new run.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import Final, NamedTuple

from hostwatch.core.facts import Fact, SilenceEnded

SIGNALS_MAX: Final = 20_000
"""Signals whose last silences are kept ready; of more, those that came back last."""

EACH_MAX: Final = 3
"""Silences of one signal that are kept ready: the last."""


class Bygone(NamedTuple):
    """A silence that is over, with its four dates (J3)."""

    last_answer: datetime
    first_miss: datetime
    last_miss: datetime
    first_answer: datetime

    @property
    def is_of_one_look(self) -> bool:
        """Whether no more than one look was missed."""
        return self.first_miss == self.last_miss


class Bygones:
    """The last silences of signals, in the order in which they ended."""

    def __init__(self) -> None:
        self._by_signal: dict[str, tuple[Bygone, ...]] = {}

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Bygones) and self._by_signal == other._by_signal

    __hash__ = None  # type: ignore[assignment]

    def __repr__(self) -> str:
        return f"Bygones({self._by_signal})"

    def add(self, ended: SilenceEnded) -> None:
        """A silence is over. What is too much is forgotten, the oldest first."""
        own = (*self._by_signal.pop(ended.signal, ()), _bygone(ended))
        self._by_signal[ended.signal] = own[-EACH_MAX:]
        if len(self._by_signal) > SIGNALS_MAX:
            del self._by_signal[next(iter(self._by_signal))]

    def of(self, signal: str) -> tuple[Bygone, ...]:
        """The last silences of a signal that are over, the oldest first."""
        return self._by_signal.get(signal, ())

    def clear(self) -> None:
        """The clock was set: what was before is dated by another one."""
        self._by_signal.clear()

    def with_those_of(self, facts: Iterable[Fact]) -> Lately:
        """The same with what a deed brought that is not committed yet."""
        return Lately(self, facts)


class Lately:
    """What is over by now, with what is so since a moment ago."""

    def __init__(self, bygones: Bygones, facts: Iterable[Fact]) -> None:
        self._bygones = bygones
        self._fresh: dict[str, list[Bygone]] = {}
        for fact in facts:
            if isinstance(fact, SilenceEnded):
                self._fresh.setdefault(fact.signal, []).append(_bygone(fact))

    def of(self, signal: str) -> Iterator[Bygone]:
        """The last silences of a signal that are over."""
        yield from self._bygones.of(signal)
        yield from self._fresh.get(signal, ())


def _bygone(ended: SilenceEnded) -> Bygone:
    return Bygone(ended.last_answer, ended.first_miss, ended.last_miss, ended.at)

"""An ask on its way to the checkers, and what their answer makes of it.

A source that does not answer, or answers without a word, is UNKNOWN: lost communication is nobody's outage.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import Final

from hostwatch.checkers.protocol import Found, Pushed
from hostwatch.checkers.run import LATE
from hostwatch.checkers.services import Service
from hostwatch.core.hearing import SAID_NOTHING
from hostwatch.core.reading import Outcome
from hostwatch.pinger import Ask, Look

SPEAKS_PER_S_MAX: Final = 50
"""Sources that speak by themselves, in all; what is more waits for the next round."""


@dataclass(slots=True, eq=False)
class Placed:
    """An ask on its way. Times are those of our monotonic clock."""

    ask: Ask
    key: str
    service: Service
    heard: asyncio.Queue[Look]
    due_us: int
    latest_us: int
    answer_by_us: int
    sent: bool = False

    def look(self, found: Found, now_us: int) -> Look:
        """What the checkers say of it. Their dates are theirs: none lies in the future here."""
        ask = self.ask
        at_us = min(found.at_us or ask.at_us, now_us)
        known_us = min(at_us + found.took_us, now_us)
        outcome, why = found.outcome, found.why
        if outcome is Outcome.MISSED and at_us - ask.at_us > self.latest_us - self.due_us:
            outcome, why = Outcome.UNKNOWN, LATE
        look = Look(ask.signal, ask.address, at_us, known_us, outcome, why)
        return of_source(look, found.said) if self.service.is_source else look


def of_source(look: Look, said: str) -> Look:
    """A look at a source, with what it said."""
    if look.outcome is Outcome.ANSWERED and said:
        return look._replace(said=said)
    why = SAID_NOTHING if look.outcome is Outcome.ANSWERED else look.why
    return look._replace(outcome=Outcome.UNKNOWN, why=why)


def unknown(ask: Ask, why: str, now_us: int) -> Look:
    """The look that an ask comes to of which nothing is known."""
    return Look(ask.signal, ask.address, min(ask.at_us, now_us), now_us, Outcome.UNKNOWN, why)


class Speakers:
    """Sources that may speak by themselves: what their keys stand for, and how often they do."""

    def __init__(self) -> None:
        self._signals: dict[str, str] = {}
        self._second = 0
        self._spoken = 0

    def note(self, key: str, signal: str) -> None:
        """A key stands for a source's signal."""
        self._signals[key] = signal

    def signal(self, key: str) -> str:
        """The signal of a source; empty for what is none."""
        return self._signals.get(key, "")

    def may_speak(self, now_us: int) -> bool:
        """Whether there is room for one more in this second."""
        second = now_us // 1_000_000
        self._spoken = 1 if second != self._second else self._spoken + 1
        self._second = second
        return self._spoken <= SPEAKS_PER_S_MAX

    def look(self, pushed: Pushed, now_us: int) -> Look:
        """What a source said by itself."""
        at_us = min(pushed.at_us or now_us, now_us)
        signal = self.signal(pushed.key)
        return of_source(Look(signal, "", at_us, now_us, pushed.outcome, pushed.why), pushed.said)

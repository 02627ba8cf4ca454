"""What is silent and has no verdict yet, devices and services, counted by customer as readings come."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable

from hostwatch.core.service import is_service
from hostwatch.core.signal import Signal

Whose = tuple[str, bool]
"""A customer, and whether it is of their services; else of their devices."""


class Undecided:
    """What a change costs does not grow with how many are silent."""

    def __init__(self) -> None:
        self.customer_of: Callable[[str], str] = lambda _: ""
        """Whose device a signal is of; empty for what is no device."""

        self._whose: dict[str, Whose] = {}
        """By signal."""

        self._count: Counter[Whose] = Counter()

    def of(self, whose: Whose) -> int:
        """How many."""
        return self._count[whose]

    def note(self, signal: Signal) -> None:
        """A signal is so from now on."""
        self.forget(signal.name)
        if signal.silence is None or signal.verdict is not None:
            return
        customer = self.customer_of(signal.name)
        if customer:
            whose = self._whose[signal.name] = customer, is_service(signal.name)
            self._count[whose] += 1

    def forget(self, name: str) -> None:
        """It is not silent any more, or not watched."""
        whose = self._whose.pop(name, None)
        if whose is not None:
            self._count[whose] -= 1
            if not self._count[whose]:
                del self._count[whose]

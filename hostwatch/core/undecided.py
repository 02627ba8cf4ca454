"""Devices that are silent and on which there is no verdict yet, counted by customer as readings come."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable

from hostwatch.core.service import is_service
from hostwatch.core.signal import Signal


class Undecided:
    """What a change costs does not grow with how many are silent."""

    def __init__(self) -> None:
        self.customer_of: Callable[[str], str] = lambda _: ""
        """Whose device a signal is of; empty for what is no device."""

        self._customers: dict[str, str] = {}
        """By signal."""

        self._count: Counter[str] = Counter()

    def of(self, customer: str) -> int:
        """How many devices of a customer."""
        return self._count[customer]

    def note(self, signal: Signal) -> None:
        """A signal is so from now on."""
        self.forget(signal.name)
        if signal.silence is None or signal.verdict is not None or is_service(signal.name):
            return
        customer = self.customer_of(signal.name)
        if customer:
            self._customers[signal.name] = customer
            self._count[customer] += 1

    def forget(self, name: str) -> None:
        """It is not silent any more, or not watched."""
        customer = self._customers.pop(name, None)
        if customer is not None:
            self._count[customer] -= 1
            if not self._count[customer]:
                del self._count[customer]

"""Pings of one lane taken together, as long as nothing happens to them but what mostly happens.

Nearly every ping is answered by its first packet, and costs least if nothing of its own is made for it. So
asks whose turn is the same are a `Volley` until they are sent, and a `Salvo` after. Only what was not
answered, or what a router said something of, becomes a `Try` of its own (`tries`).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from hostwatch.pinger import Ask

if TYPE_CHECKING:
    from hostwatch.lanes import Lane
    from hostwatch.tries import Try


class Volley:
    """Asks that have their turn together, in the order of time."""

    __slots__ = ("_taken", "asks", "lane", "slot")

    def __init__(self, lane: Lane, slot: int) -> None:
        self.lane = lane
        self.slot = slot
        self.asks: list[Ask] = []
        self._taken = 0

    @property
    def left(self) -> int:
        """How many have not been taken."""
        return len(self.asks) - self._taken

    def take(self, many: int) -> list[Ask]:
        """The next of them, which are sent now."""
        taken = self.asks[self._taken : self._taken + many]
        self._taken += len(taken)
        return taken


class Salvo:
    """First packets that left one after the other."""

    __slots__ = (
        "_places",
        "addresses",
        "alone",
        "apart_us",
        "asks",
        "keys",
        "lane",
        "left",
        "stepped",
        "wait_us",
    )

    def __init__(
        self,
        lane: Lane,
        asks: Sequence[Ask],
        addresses: Sequence[bytes],
        keys: Sequence[bytes],
        left: Sequence[int],
        apart_us: int,
    ) -> None:
        self.lane = lane
        self.asks = asks
        self.addresses = addresses
        self.keys = keys
        self.left = left
        """When each packet left."""

        self.apart_us = apart_us
        """By how much the wall clock was ahead of the monotonic one then."""

        round_ = lane.round
        self.wait_us = (round_.attempts - 1) * round_.spacing_us + round_.timeout_us
        """How long after its packet a ping is over."""

        self.stepped = False
        self.alone: list[Try] = []
        """Those who are on their way by themselves already, and wait for the salvo's next turn."""

        self._places: dict[bytes, int] | None = None

    def key_of(self, address: bytes) -> bytes | None:
        """By address, for errors that quote no nonce; the way is laid when the first comes."""
        if self._places is None:
            self._places = {address: place for place, address in enumerate(self.addresses)}
        place = self._places.get(address)
        return None if place is None else self.keys[place]

"""What a prober asks of whoever sends the packets: batches of targets in, outcomes out.

Everything here is plain data (`core.canonical.plain`), so that the one who pings may be this
process, another process, or a distant vantage point.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from ipaddress import ip_address

from hostwatch.core.reading import Outcome


@dataclass(frozen=True, slots=True, kw_only=True)
class Ask:
    """One target to look at, and when."""

    signal: str
    address: str
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Manner:
    """How one ping is made: packets until one is answered, spaced so even if we were held up."""

    attempts: int = 3
    spacing: timedelta = timedelta(seconds=1)
    timeout: timedelta = timedelta(seconds=1)
    """How long the answer to the last packet is waited for."""

    late_after: timedelta = timedelta(seconds=15)
    """A ping of which a packet would leave later than this after its time says nothing: our fault (J1)."""

    @property
    def longest(self) -> timedelta:
        """How long a ping that nobody answers takes."""
        return (self.attempts - 1) * self.spacing + self.timeout


@dataclass(frozen=True, slots=True, kw_only=True)
class Batch:
    """Targets to look at together, in the order of time, none of them twice."""

    asks: tuple[Ask, ...]
    manner: Manner


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """What became of an ask. MISSED is what the packets say; whether we could see is judged after."""

    signal: str
    address: str
    at: datetime
    """When the first packet left, or failed to leave."""

    known_at: datetime
    outcome: Outcome
    why: str = ""
    answered_at: datetime | None = None
    """When the packet that was answered left, if that was not the first."""

    rtt_us: int | None = None


class Pinger(ABC):
    """Sends the packets."""

    @abstractmethod
    def probe(self, batch: Batch) -> AsyncIterator[tuple[Look, ...]]:
        """Look at all targets of a batch, each at its time.

        Yields groups of looks as they become known; each ask gets exactly one look. Those that did
        not answer are yielded at once, answers at the latest with the last group.
        """

    @abstractmethod
    async def close(self) -> None:
        """Give the sockets back."""


def is_loopback(address: str) -> bool:
    """Whether packets to an address never leave this machine."""
    return ip_address(address.partition("%")[0]).is_loopback


def family(address: str) -> int:
    """4 or 6."""
    return 6 if ":" in address else 4

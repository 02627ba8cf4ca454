"""What a prober asks of whoever sends the packets: batches of targets in, outcomes out.

Everything here is plain data (`core.canonical.plain`), so that the one who pings may be this
process, another process, or a distant vantage point. What there is one of for each probe is a named
tuple with whole microseconds since 1970 (`core.instant`): it is made three thousand times a second.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import timedelta
from ipaddress import ip_address
from operator import itemgetter
from typing import Final, NamedTuple

from hostwatch.core import instant
from hostwatch.core.reading import Outcome
from hostwatch.core.schedule import ICMP
from hostwatch.pace import Limits, Pace


class Ask(NamedTuple):
    """One target to look at, and when."""

    signal: str
    address: str
    at_us: int
    method: str = ICMP
    """How to look: a line of the room `reach`."""

    uplink: str = ""
    """The uplink that the target lies behind; empty if nobody knows: politeness counts by it."""

    hops: int = 0
    """After how many routers its packets are to be given up, whatever the manner says; 0: as that says."""


SIGNAL: Final = itemgetter(Ask._fields.index("signal"))
ADDRESS: Final = itemgetter(Ask._fields.index("address"))
AT_US: Final = itemgetter(Ask._fields.index("at_us"))
HOPS: Final = itemgetter(Ask._fields.index("hops"))
"""What is read of many asks at once, without a step of Python's for each."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Packet:
    """What each packet of a ping is like."""

    ttl: int = 64
    """Time to live, or hop limit."""

    dscp: int = 0
    """Differentiated services code point: how routers treat it."""

    payload_bytes: int = 56
    """Beside the header of 8 bytes; the nonce is in it."""

    sources: tuple[str, ...] = ()
    """Our own addresses that packets leave from, at most one of each family; else the kernel chooses."""

    interface: str = ""
    """The link that packets leave by; else the kernel chooses. Not for loopback."""

    def way(self, address: str) -> tuple[str, str]:
        """The source and the link that packets to an address leave by; empty where the kernel chooses."""
        if is_loopback(address):
            return "", ""
        version = family(address)
        return next((source for source in self.sources if family(source) == version), ""), self.interface


@dataclass(frozen=True, slots=True, kw_only=True)
class Manner:
    """How one ping is made: packets until one is answered, spaced so even if we were held up."""

    attempts: int = 3
    """At most 255."""

    spacing: timedelta = timedelta(seconds=1)
    timeout: timedelta = timedelta(seconds=1)
    """How long the answer to the last packet is waited for."""

    late_after: timedelta = timedelta(seconds=15)
    """A ping of which a packet would leave later than this after its time says nothing: our fault (J1)."""

    packet: Packet = Packet()
    decoy: bool = False
    """The packets bear a nonce that nobody waits for: whatever comes back, it is no answer (`canary`)."""

    @property
    def longest(self) -> timedelta:
        """How long a ping that nobody answers takes."""
        return (self.attempts - 1) * self.spacing + self.timeout

    @property
    def longest_us(self) -> int:
        """The same in microseconds."""
        return self.longest // instant.MICROSECOND


@dataclass(frozen=True, slots=True, kw_only=True)
class Batch:
    """Targets to look at together, in the order of time, none of them twice."""

    asks: tuple[Ask, ...]
    manner: Manner


class Look(NamedTuple):
    """What became of an ask. MISSED is what the packets say; whether we could see is judged after."""

    signal: str
    address: str
    at_us: int
    """When the first packet left, or failed to leave."""

    known_us: int
    """When the outcome was certain."""

    outcome: Outcome
    why: str = ""
    answered_us: int | None = None
    """When the packet that was answered left, if that was not the first."""

    rtt_us: int | None = None
    lost: int = 0
    """Packets without an answer: those before the answered one, or all of a ping that is MISSED."""

    said: str = ""
    """Of an ask with `hops`: what somebody on the way said of it. Of a source: all that it said."""

    said_by: str = ""
    """Who that was; empty if it was our own kernel."""

    said_after_us: int | None = None
    """How long after the packet had left that came, if that is known."""


class Pinger(ABC):
    """Sends the packets."""

    @abstractmethod
    def probe(self, batch: Batch) -> AsyncIterator[tuple[Look, ...]]:
        """Look at all targets of a batch, each at its time.

        Yields groups of looks as they become known; each ask gets exactly one look. Those that did
        not answer are yielded at once, answers at the latest with the last group.
        """

    def limit(self, limits: Limits) -> None:
        """Keep to these limits from now on."""
        self.keep_to(Pace(limits))

    def keep_to(self, pace: Pace) -> None:  # noqa: B027
        """Count packets in an account that others may share. Who sends none has nothing to count."""

    @abstractmethod
    async def close(self) -> None:
        """Give the sockets back."""


def is_loopback(address: str) -> bool:
    """Whether packets to an address never leave this machine."""
    if ":" not in address:
        return address.startswith("127.")
    return ip_address(address.partition("%")[0]).is_loopback


def family(address: str) -> int:
    """4 or 6."""
    return 6 if ":" in address else 4

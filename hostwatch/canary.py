"""Planted looks of which it is known beforehand what must come of them: they test our sockets and matching.

Our own loopback *must* answer: request and reply go through the very sockets, filter, reader and matching
that all others use. A decoy *must not* be answered: it goes to loopback too, and comes back, but bears a
nonce that nobody waits for. Whoever takes that for an answer would take anything for one.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path
from typing import Final

from hostwatch.pinger import Ask, Batch, Manner, family

LOOPBACK: Final = {4: "127.0.0.1", 6: "::1"}
_IGNORED: Final = {
    4: Path("/proc/sys/net/ipv4/icmp_echo_ignore_all"),
    6: Path("/proc/sys/net/ipv6/icmp/echo_ignore_all"),
}


def is_deaf_by_order(version: int) -> bool:
    """Whether this machine is told to answer no echo request: then our own loopback says nothing about us."""
    try:
        return _IGNORED[version].read_text(encoding="ascii").strip() == "1"
    except OSError:
        return False


def living(versions: Iterable[int], at_us: int) -> tuple[Ask, ...]:
    """What must be answered."""
    return tuple(Ask(f"canary/{version}", LOOPBACK[version], at_us) for version in sorted(versions))


def decoys(versions: Iterable[int], manner: Manner, at_us: int) -> Batch:
    """What must not be taken for answered, though something comes back."""
    asks = tuple(Ask(f"decoy/{version}", LOOPBACK[version], at_us) for version in sorted(versions))
    return Batch(asks=asks, manner=replace(manner, attempts=1, decoy=True))


def empties(addresses: Iterable[str], manner: Manner, at_us: int) -> Batch:
    """Addresses at which there is nobody: who answers for them, answers for the dead."""
    asks = tuple(Ask(f"silent/{family(address)}/{address}", address, at_us) for address in addresses)
    return Batch(asks=asks, manner=replace(manner, attempts=1))

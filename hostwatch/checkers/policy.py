"""Where checks may connect to, decided about each address at the moment before it is connected to.

What the operator wrote as an address is the operator's will. A name, a redirect and what a customer enters
lead where others decide: only to the device that the check is about, or into networks that the operator
allows; only to ports that are allowed; never to this machine, its links, or an address that hides another.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from functools import lru_cache
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from typing import Final

from hostwatch.configuration.checks import NEVER_NETWORKS, Checks

OWN_ADDRESSES_FOR_US: Final = 10_000_000
"""How long our own addresses are believed."""

DECISIONS_CACHED: Final = 16_384

SHELTERED: Final = tuple(
    ip_network(written)
    for written in (
        "10.0.0.0/8", "100.64.0.0/10", "172.16.0.0/12", "192.0.0.0/24", "192.0.2.0/24", "192.168.0.0/16",
        "198.18.0.0/15", "198.51.100.0/24", "203.0.113.0/24", "fc00::/7", "2001:db8::/32", "3fff::/20",
        "5f00::/16",
    )
)  # fmt: skip
"""Networks that are not of the Internet: one that is allowed and holds much more does not mean them."""

_SENSELESS: Final = tuple(
    ip_network(written)
    for written in ("0.0.0.0/32", "::/128", "224.0.0.0/4", "ff00::/8", "255.255.255.255/32")
)
"""Where no connection can lead, also if the operator writes it."""


class OutboundPolicy:
    """`checks._visit.Policy`, as it is written in the configuration."""

    def __init__(
        self, written: Checks, ours: Callable[[], Collection[str]], monotonic_us: Callable[[], int]
    ) -> None:
        """`ours` tells the addresses of this machine."""
        self._ports = frozenset(written.ports)
        self._networks = written.networks
        self._never = written.never
        self._tell_ours = ours
        self._monotonic_us = monotonic_us
        self._ours: frozenset[str] = frozenset()
        self._ours_until_us: int | None = None
        self._about = lru_cache(DECISIONS_CACHED)(self._about_address)

    def refusal(self, address: str, port: int, *, literal: bool, own: bool) -> str:
        """Why that must not be connected to; empty if it may.

        `literal`: the operator wrote the address. `own`: it is that of the device that the check is about.
        """
        bare, _, link = address.partition("%")
        found, is_senseless = _read(bare)
        if is_senseless:
            return "no machine has this address"
        if literal:
            return ""
        if link:
            return "the address names a link of ours"
        return ("" if own else self._of_address(found)) or self._of_port(port)

    def _of_port(self, port: int) -> str:
        return "" if port in self._ports else f"port {port} is not among checks.ports"

    def _of_address(self, found: IPv4Address | IPv6Address) -> str:
        refused = self._about(found)
        if not refused and str(found) in self._own_addresses():
            return "it is an address of this machine"
        return refused

    def _about_address(self, found: IPv4Address | IPv6Address) -> str:
        """What is written about an address; it never changes."""
        for network, what in NEVER_NETWORKS.items():
            if found in network:
                return f"it lies in {network} ({what})"
        for network in self._never:
            if found in network:
                return f"it lies in {network}, which is among checks.never"
        allowed = [network for network in self._networks if found in network]
        if not allowed:
            return "it is not the device's address and in no network of checks.networks"
        for shelter in SHELTERED:
            if found in shelter and not any(_within(network, shelter) for network in allowed):
                return f"it lies in {shelter}, and that must be in checks.networks by itself"
        return ""

    def _own_addresses(self) -> frozenset[str]:
        now_us = self._monotonic_us()
        if self._ours_until_us is None or now_us >= self._ours_until_us:
            self._ours = frozenset(self._tell_ours())
            self._ours_until_us = now_us + OWN_ADDRESSES_FOR_US
        return self._ours


@lru_cache(DECISIONS_CACHED)
def _read(bare: str) -> tuple[IPv4Address | IPv6Address, bool]:
    """An address, and whether no connection can lead there."""
    found = ip_address(bare)
    return found, any(found in senseless for senseless in _SENSELESS)


def _within(network: IPv4Network | IPv6Network, other: IPv4Network | IPv6Network) -> bool:
    return network.version == other.version and network.subnet_of(other)  # type: ignore[arg-type]

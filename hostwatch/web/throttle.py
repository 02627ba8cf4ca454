"""How often one address may ask: so many requests in a minute, of IPv6 one /64."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable
from ipaddress import IPv4Network, IPv6Address, IPv6Network, ip_address
from typing import Final

ADDRESSES_MAX: Final = 10_000
"""Addresses that are remembered; the one that was seen least recently is forgotten first."""

ALL_PER_MINUTE: Final = 3_000
"""Requests of all addresses together that are looked into."""

FORWARDED_CHARS_MAX: Final = 1_000
PREFIX: Final = 64


class Throttle:
    """Counts down what each address has left; that grows again with time."""

    def __init__(self, per_minute: int, all_per_minute: int = ALL_PER_MINUTE) -> None:
        self._per_minute = per_minute
        self._left: OrderedDict[str, tuple[float, float]] = OrderedDict()
        self._of_all = (float(all_per_minute), 0.0)
        self._all_per_minute = all_per_minute

    def wait(self, who: str, now: float) -> float:
        """0 if they may ask now, else in how many seconds. `now`: by a monotonic clock."""
        left, at = self._left.pop(who, (float(self._per_minute), now))
        left = _grown(left, at, now, self._per_minute)
        everybody = _grown(*self._of_all, now, self._all_per_minute)
        if min(left, everybody) < 1:
            self._keep(who, left, now)
            return max((1 - left) * 60 / self._per_minute, (1 - everybody) * 60 / self._all_per_minute)
        self._of_all = (everybody - 1, now)
        self._keep(who, left - 1, now)
        return 0.0

    def _keep(self, who: str, left: float, now: float) -> None:
        self._left[who] = (left, now)
        while len(self._left) > ADDRESSES_MAX:
            self._left.popitem(last=False)


def _grown(left: float, at: float, now: float, per_minute: int) -> float:
    return min(float(per_minute), left + max(now - at, 0) * per_minute / 60)


class Callers:
    """Knows who asks, also behind reverse proxies."""

    def __init__(self, proxies: Iterable[IPv4Network | IPv6Network]) -> None:
        self._proxies = tuple(proxies)

    def is_proxy(self, address: str) -> bool:
        """Whether an address is one whose word about others is believed."""
        try:
            found = ip_address(address)
        except ValueError:
            return False
        return any(found in network for network in self._proxies if network.version == found.version)

    def name(self, peer: str, forwarded: str) -> str:
        """Who asks: the peer, or whom trusted proxies name, the last of them that is none itself."""
        named = forwarded[-FORWARDED_CHARS_MAX:].split(",") if forwarded else []
        while self.is_proxy(peer) and named:
            said = named.pop().strip()
            try:
                peer = str(ip_address(said))
            except ValueError:
                break
        return _network(peer)


def _network(address: str) -> str:
    try:
        found = ip_address(address.partition("%")[0])
    except ValueError:
        return "unknown"
    if isinstance(found, IPv6Address):
        if found.ipv4_mapped is not None:
            return str(found.ipv4_mapped)
        return str(IPv6Network((int(found) >> PREFIX << PREFIX, PREFIX)))
    return str(found)

"""Politeness: how many packets may leave in a second, in all and towards one network.

A packet that may not leave yet is held back, never left out. What is counted are packets, so that retries
count too. Evenly within a second, with a tenth of a second's worth at once (the generic cell rate algorithm).
"""

from __future__ import annotations

from collections.abc import Callable, Hashable
from typing import Final

from hostwatch.pinger import Limits

AT_ONCE_NS: Final = 100_000_000
"""So much time's worth of packets may leave together."""

KEYS_MAX: Final = 65_536
"""Beyond so many networks those that owe no time are forgotten."""

Key = Callable[[bytes], Hashable]
"""What a limit counts by: of a packed address, the network, say, or the uplink that it lies behind."""


class _Limit:
    """One limit, for each value of its key."""

    def __init__(self, per_s: int, key: Key) -> None:
        self.key = key
        self.step_ns = 1_000_000_000 // per_s
        self.owed_until_ns: dict[Hashable, int] = {}

    def forget_what_is_paid(self, now_ns: int) -> None:
        self.owed_until_ns = {key: until for key, until in self.owed_until_ns.items() if until > now_ns}


class Pace:
    """All limits together."""

    def __init__(self, limits: Limits, *others: tuple[int, Key]) -> None:
        """`others` are further limits, packets a second and what they count by; for uplinks, say."""
        given = [(limits.per_second, _all), (limits.per_second_and_network, network), *others]
        self._limits = [_Limit(per_s, key) for per_s, key in given if per_s]

    @property
    def has_limits(self) -> bool:
        """Whether there is anything to keep to."""
        return bool(self._limits)

    def hold(self, address: bytes, now_us: int) -> tuple[int, bool]:
        """0 if a packet may leave now, and then it is counted; else when to ask again, monotonic µs.

        And whether it is the limit of all packets that holds it back, so that none may leave at all.
        """
        now_ns = now_us * 1000
        found = []
        for limit in self._limits:
            key = limit.key(address)
            owed_ns = limit.owed_until_ns.get(key, 0)
            if owed_ns - AT_ONCE_NS > now_ns:
                return (owed_ns - AT_ONCE_NS) // 1000 + 1, limit.key is _all
            found.append((limit, key, owed_ns))
        for limit, key, owed_ns in found:
            limit.owed_until_ns[key] = max(owed_ns, now_ns) + limit.step_ns
            if len(limit.owed_until_ns) > KEYS_MAX:
                limit.forget_what_is_paid(now_ns)
        return 0, False


def _all(_: bytes) -> None:
    """One count for all."""


def network(address: bytes) -> bytes:
    """The /24, or the /48, of a packed address."""
    return address[:3] if len(address) == 4 else address[:6]

"""Politeness: how many packets may leave in a second: in all, and towards one network, uplink or link.

A packet that may not leave yet is held back, never left out. What is counted are packets, so that retries
count too. Evenly within a second, with a tenth of a second's worth at once (the generic cell rate algorithm).
All methods of one process keep one account.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Generic, NamedTuple, TypeVar

AT_ONCE_NS: Final = 100_000_000
"""So much time's worth of packets may leave together."""

KEYS_MAX: Final = 65_536
"""Beyond so many networks those that owe no time are forgotten."""

HELD: Final = "held back by our own rate limit"
"""Why a look is UNKNOWN of which a packet could not leave in time."""

T = TypeVar("T")


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """How many packets may leave in a second; 0 is no limit."""

    per_second: int = 0
    """In all."""

    per_second_and_network: int = 0
    """Towards one /24, or /48."""

    per_second_and_uplink: int = 0
    """Towards what lies behind one uplink, and its reference points."""

    per_second_and_link: int = 0
    """Those that every machine on a link of ours hears: who asks for a neighbour disturbs all."""


class Held(NamedTuple):
    """A packet may not leave yet."""

    until_us: int
    """When to ask again, monotonic µs."""

    by: Hashable
    """Which limit holds it back, of which network, uplink or link."""


Key = Callable[[bytes, str, str], Hashable]
"""What a limit counts by, of a packed address, an uplink and a link; None if it does not count."""


class _Limit:
    """One limit, for each value of its key."""

    def __init__(self, per_s: int, key: Key) -> None:
        self.key = key
        self.step_ns = 1_000_000_000 // per_s
        self.owed_until_ns: dict[Hashable, int] = {}

    def owe(self, owing: Mapping[Hashable, int], now_ns: int) -> None:
        """Until when time is owed, of some values of the key; those that owe none are forgotten at times."""
        self.owed_until_ns.update(owing)
        if len(self.owed_until_ns) > KEYS_MAX:
            self.owed_until_ns = {key: until for key, until in self.owed_until_ns.items() if until > now_ns}


class Pace:
    """All limits together."""

    def __init__(self, limits: Limits) -> None:
        given = [
            (limits.per_second, _all),
            (limits.per_second_and_network, _by_network),
            (limits.per_second_and_uplink, _by_uplink),
            (limits.per_second_and_link, _by_link),
        ]
        self._limits = [_Limit(per_s, key) for per_s, key in given if per_s]

    @property
    def has_limits(self) -> bool:
        """Whether there is anything to keep to."""
        return bool(self._limits)

    def let_go(self, addresses: Sequence[bytes], uplinks: Sequence[str], now_us: int) -> bool:
        """Whether all of these packets may leave now, as nearly always; then they are counted.

        Else nothing is counted, and each is to be asked for by itself.
        """
        now_ns = now_us * 1000
        latest_ns = now_ns + AT_ONCE_NS
        found: list[tuple[_Limit, dict[Hashable, int]]] = []
        for limit in self._limits:
            key_of, step_ns, owed = limit.key, limit.step_ns, limit.owed_until_ns
            owing: dict[Hashable, int] = {}
            for address, uplink in zip(addresses, uplinks, strict=True):
                key = key_of(address, uplink, "")
                if key is None:
                    continue
                until_ns = owing[key] if key in owing else owed.get(key, 0)
                if until_ns > latest_ns:
                    return False
                owing[key] = (until_ns if until_ns > now_ns else now_ns) + step_ns
            found.append((limit, owing))
        for limit, owing in found:
            limit.owe(owing, now_ns)
        return True

    def hold(self, address: bytes, now_us: int, uplink: str = "", link: str = "") -> Held | None:
        """None if a packet may leave now, and then it is counted.

        `uplink` is the one that the target lies behind, `link` the one on which all machines hear the packet.
        """
        now_ns = now_us * 1000
        found = []
        for limit in self._limits:
            key = limit.key(address, uplink, link)
            if key is None:
                continue
            owed_ns = limit.owed_until_ns.get(key, 0)
            if owed_ns - AT_ONCE_NS > now_ns:
                return Held((owed_ns - AT_ONCE_NS) // 1000 + 1, key)
            found.append((limit, key, owed_ns))
        for limit, key, owed_ns in found:
            limit.owe({key: max(owed_ns, now_ns) + limit.step_ns}, now_ns)
        return None


def _all(_address: bytes, _uplink: str, _link: str) -> Hashable:
    """One count for all."""
    return "all"


def _by_network(address: bytes, _uplink: str, _link: str) -> Hashable:
    return network(address)


def _by_uplink(_address: bytes, uplink: str, _link: str) -> Hashable:
    return ("uplink", uplink) if uplink else None


def _by_link(_address: bytes, _uplink: str, link: str) -> Hashable:
    return ("link", link) if link else None


def network(address: bytes) -> bytes:
    """The /24, or the /48, of a packed address."""
    return address[:3] if len(address) == 4 else address[:6]


class Queues(Generic[T]):
    """Who is held back, one behind another for each limit: only the first of them asks again.

    So ten thousand that wait cost no more than one.
    """

    def __init__(self) -> None:
        self._behind: dict[Hashable, deque[T]] = {}

    def join(self, one: T, by: Hashable) -> bool:
        """Wait for a limit; whether `one` is the first to do so."""
        if by not in self._behind:
            self._behind[by] = deque()
            return True
        self._behind[by].append(one)
        return False

    def leave(self, by: Hashable) -> T | None:
        """The first waits no more; who is the first now, if anybody."""
        if self._behind[by]:
            return self._behind[by].popleft()
        del self._behind[by]
        return None

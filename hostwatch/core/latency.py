"""Latency and loss of one ping as a number of two bytes, and histograms made of such numbers.

A code holds the round-trip time in 14 bits and the lost packets in two. Times below 2,048 µs are kept
exactly; above, each doubling is cut into 1,024 equal steps, so that the middle of a step is never
wrong by more than one part in 2,048. A histogram is nothing but how often each code came: merging
is adding, in any order. Codes are stored for months: what one means must never change.
"""

from __future__ import annotations

from array import array
from bisect import bisect_right
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from typing import NamedTuple

from hostwatch.core.reading import Outcome
from hostwatch.core.timeline import Span

NO_FIGURE = 0
"""The code where there is no round-trip time: no answer, or none that was timed."""

LOST_MAX = 3
"""More lost packets than this in one ping are told as this many."""

_STEP_BITS = 10
_STEPS = 1 << _STEP_BITS
_EXACT = 2 * _STEPS
_TIME_BITS = 14
_TIME_MASK = (1 << _TIME_BITS) - 1

RTT_MAX_US = (1 << 25) - 1
"""The longest round-trip time that has a code of its own, about 33.5 s; longer ones share it."""

CODE_BYTES = 2
"""What one code takes where it is stored."""

_NATIVE_ORDER_IS_STORED_ORDER = array("H", [1]).tobytes() == b"\x01\x00"


def code(rtt_us: int, lost: int) -> int:
    """The code, 1 … 65535, of a ping that was answered after `rtt_us` microseconds.

    `lost` packets were sent before the one that was answered. Times below 1 µs count as 1 µs.
    """
    if rtt_us < _EXACT:
        steps = rtt_us if rtt_us > 0 else 1
    elif rtt_us <= RTT_MAX_US:
        shift = rtt_us.bit_length() - _STEP_BITS - 1
        steps = (shift << _STEP_BITS) + (rtt_us >> shift)
    else:
        steps = _TIME_MASK
    if lost:
        return steps | (lost if lost < LOST_MAX else LOST_MAX) << _TIME_BITS
    return steps


def rtt_us(code: int) -> int | None:
    """The round-trip time in microseconds: the middle of the code's step; None if there is no figure."""
    steps = code & _TIME_MASK
    if steps < _EXACT:
        return steps or None
    shift = (steps >> _STEP_BITS) - 1
    return (((steps & (_STEPS - 1)) + _STEPS) << shift) + (1 << shift >> 1)


def lost(code: int) -> int:
    """How many packets of the ping were lost before the one that was answered; 3: three or more."""
    return code >> _TIME_BITS


def pack(codes: Iterable[int]) -> bytes:
    """Codes as they are stored: two bytes each, the low one first."""
    return _little_endian(array("H", codes)).tobytes()


def unpack(stored: bytes) -> array[int]:
    """The codes that were stored. Raises `ValueError` if a code was cut in two."""
    codes = array("H")
    codes.frombytes(stored)
    return _little_endian(codes)


def _little_endian(codes: array[int]) -> array[int]:
    if not _NATIVE_ORDER_IS_STORED_ORDER:
        codes.byteswap()
    return codes


@dataclass(frozen=True, slots=True, kw_only=True)
class Histogram:
    """What the pings of one device brought in some span. Adding two gives that of both spans."""

    counts: Mapping[int, int] = field(default_factory=dict)
    """How often each code came; never `NO_FIGURE`."""

    missed: int = 0
    """Pings that nothing answered."""

    unknown: int = 0
    """Pings that tell nothing about the device: the failure was ours."""

    @classmethod
    def of(cls, codes: Iterable[int], *, missed: int = 0, unknown: int = 0) -> Histogram:
        """Made of codes; those without a figure are left out."""
        counts = {code: count for code, count in Counter(codes).items() if code & _TIME_MASK}
        return cls(counts=counts, missed=missed, unknown=unknown)

    def __add__(self, other: Histogram) -> Histogram:
        """Both together."""
        return total((self, other))

    @property
    def answered(self) -> int:
        """Pings that were answered and timed."""
        return sum(self.counts.values())

    @property
    def first_lost(self) -> int:
        """Pings whose first packet got no answer, whether a later one got one or not."""
        return self.missed + sum(count for code, count in self.counts.items() if lost(code))

    @property
    def loss(self) -> Fraction | None:
        """The share of first packets that were lost; None if nobody was pinged.

        First packets only: they leave at the steady instants of the schedule. Later packets of a ping
        leave because one was lost already, and would tell of one bad moment several times.
        """
        pings = self.answered + self.missed
        return Fraction(self.first_lost, pings) if pings else None

    def quantile(self, permille: int) -> int | None:
        """The least time in µs that at least `permille` thousandths of the answers did not exceed."""
        wanted = max(-(-self.answered * permille // 1000), 1)
        reached = 0
        for time, count in self.times():
            reached += count
            if reached >= wanted:
                return time
        return None

    @property
    def least_us(self) -> int | None:
        """The shortest round-trip time."""
        return self.quantile(0)

    @property
    def most_us(self) -> int | None:
        """The longest round-trip time."""
        return self.quantile(1000)

    def times(self) -> Iterator[tuple[int, int]]:
        """Each round-trip time in µs that came, shortest first, and how often."""
        by_time: Counter[int] = Counter()
        for code, count in self.counts.items():
            by_time[code & _TIME_MASK] += count
        for steps in sorted(by_time):
            yield rtt_us(steps) or 0, by_time[steps]


class Brought(NamedTuple):
    """What one scheduled ping of a device brought."""

    due_us: int
    """When it was due, in microseconds since 1970."""

    outcome: Outcome
    code: int = NO_FIGURE


def by_span(brought: Iterable[Brought], spans: Sequence[Span]) -> list[Histogram]:
    """One histogram for each of some spans, which lie one after another; what lies in none is left out."""
    starts = [span.start for span in spans]
    codes: list[list[int]] = [[] for _ in spans]
    others: list[Counter[Outcome]] = [Counter() for _ in spans]
    for ping in brought:
        second = ping.due_us // 1_000_000
        place = bisect_right(starts, second) - 1
        if place < 0 or second >= spans[place].end:
            continue
        if ping.outcome is Outcome.ANSWERED:
            codes[place].append(ping.code)
        else:
            others[place][ping.outcome] += 1
    return [
        Histogram.of(found, missed=other[Outcome.MISSED], unknown=other[Outcome.UNKNOWN])
        for found, other in zip(codes, others, strict=True)
    ]


def total(parts: Iterable[Histogram]) -> Histogram:
    """All of them together; an empty one if there are none."""
    counts: Counter[int] = Counter()
    missed = unknown = 0
    for part in parts:
        counts.update(part.counts)
        missed += part.missed
        unknown += part.unknown
    return Histogram(counts=dict(counts), missed=missed, unknown=unknown)

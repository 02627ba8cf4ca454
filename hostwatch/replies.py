"""Replies to the first packets of salvos, by columns: what became of many pings, worked out in few steps.

The rules are those for one reply. Where a whole column bears no doubt it is taken as a whole, and only
where it does each reply is looked at by itself.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import partial
from itertools import repeat
from typing import Final, NamedTuple

from hostwatch.clock import STEP_MIN
from hostwatch.core import instant
from hostwatch.core.reading import Outcome
from hostwatch.pinger import ADDRESS, SIGNAL, Ask, Look
from hostwatch.volley import Salvo

_look: Final = partial(tuple.__new__, Look)
"""A look of all its fields, made without a call of Python's."""

_STEP_US: Final = STEP_MIN // instant.MICROSECOND

Moment = tuple[int, int]
"""One moment by both clocks: the monotonic one to measure with, the wall's to date with."""

Expected = tuple[Salvo, Ask, bytes, int]
"""An ask of a salvo, its packed address, and when its packet left."""


class Replies(NamedTuple):
    """Some that came in together; at least one."""

    expected: list[Expected]
    """Which each is the reply to, as its key says."""

    keys: list[bytes]
    sources: list[bytes]
    """Who sent each, packed."""

    stamps_us: list[int]
    """When the kernel took each in, by the wall clock."""

    def picked(self, places: Sequence[int]) -> Replies:
        """Those at some places."""
        return Replies(
            [self.expected[place] for place in places],
            [self.keys[place] for place in places],
            [self.sources[place] for place in places],
            [self.stamps_us[place] for place in places],
        )

    def by_salvo(self) -> list[Replies]:
        """Those to each salvo, nearly always one."""
        salvos = [one[0] for one in self.expected]
        if salvos.count(salvos[0]) == len(salvos):
            return [self]
        places: dict[Salvo, list[int]] = {}
        for place, salvo in enumerate(salvos):
            places.setdefault(salvo, []).append(place)
        return [self.picked(own) for own in places.values()]

    def looks(self, now: Moment) -> tuple[list[Look], list[int]]:
        """What they say, if they are all to one salvo; and the places of those that answer nobody.

        Those are from another source, or came too late.
        """
        salvo, wall_us = self.expected[0][0], now[1]
        _, asks, addresses, left = zip(*self.expected, strict=True)
        rtts_us = _round_trips(left, self.stamps_us, now, salvo.apart_us)
        if tuple(self.sources) == addresses and max(rtts_us) <= salvo.wait_us:
            ats_us = [left_us + salvo.apart_us for left_us in left]
            if max(ats_us) > wall_us:  # the clock was set back
                ats_us = [min(at_us, wall_us) for at_us in ats_us]
            return _answers(asks, ats_us, wall_us, rtts_us), []
        triples = zip(self.sources, addresses, rtts_us, strict=True)
        is_right = [source == address and rtt_us <= salvo.wait_us for source, address, rtt_us in triples]
        right = [place for place, holds in enumerate(is_right) if holds]
        wrong = [place for place, holds in enumerate(is_right) if not holds]
        return (self.picked(right).looks(now)[0] if right else []), wrong


def _answers(asks: Sequence[Ask], ats_us: Iterable[int], known_us: int, rtts_us: Iterable[int]) -> list[Look]:
    """Looks at those who answered their first packet."""
    empty, none = repeat(""), repeat(None)
    return list(map(_look, zip(
        map(SIGNAL, asks), map(ADDRESS, asks), ats_us, repeat(known_us), repeat(Outcome.ANSWERED),
        empty, none, rtts_us, repeat(0), empty, empty, none,
    )))  # fmt: skip


def came_us(left_us: int, stamp_us: int, now: Moment, sent_apart_us: int) -> int:
    """When an answer came in. That is known by the kernel's stamp, if it can be true.

    The stamp is the wall clock's. If that stepped since the request left, the stamp says nothing,
    and that the answer is here now is all that is known.
    """
    now_us, wall_us = now
    apart_us = wall_us - now_us
    found_us = stamp_us - apart_us
    is_steady = -_STEP_US < apart_us - sent_apart_us < _STEP_US
    if not is_steady or not left_us - _STEP_US <= found_us <= now_us:
        return now_us
    return max(found_us, left_us)


def _round_trips(left: Sequence[int], stamps_us: Sequence[int], now: Moment, sent_apart_us: int) -> list[int]:
    """How long after its request each answer came, as `came_us` tells; in one go where there is no doubt."""
    now_us, wall_us = now
    apart_us = wall_us - now_us
    found = [stamp_us - apart_us - left_us for stamp_us, left_us in zip(stamps_us, left, strict=True)]
    least_us, is_steady = min(found), -_STEP_US < apart_us - sent_apart_us < _STEP_US
    if is_steady and least_us >= -_STEP_US and max(stamps_us) <= wall_us:
        return found if least_us >= 0 else [rtt_us if rtt_us > 0 else 0 for rtt_us in found]
    pairs = zip(left, stamps_us, strict=True)
    return [came_us(left_us, stamp_us, now, sent_apart_us) - left_us for left_us, stamp_us in pairs]

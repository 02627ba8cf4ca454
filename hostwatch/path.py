"""Looks along the path to a target: pings that may pass one router, two, three …, by the engine of all pings.

Two groups at most, so that little is sent beyond a target that is near and answers. It takes five seconds at
most, and longer only where our own buffer dropped something that is asked for again: each group leaves within
a second and a half, or what is late is not sent at all.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Final

from hostwatch.clock import Clock
from hostwatch.core.path import Ending, Hop, Path, read
from hostwatch.core.reading import Outcome
from hostwatch.pinger import Ask, Batch, Look, Manner, Pinger

HOPS_DEFAULT: Final = 16
HOPS_MAX: Final = 32
ATTEMPTS: Final = 2
"""Packets for each hop; the second only if nobody said anything of the first."""

SPACING: Final = timedelta(milliseconds=500)
TIMEOUT: Final = timedelta(seconds=1)
LATE_AFTER: Final = timedelta(milliseconds=900)
SLACK: Final = timedelta(milliseconds=200)
"""For turns of the wheel: the rest of the five seconds."""


async def look_along(
    pinger: Pinger, clock: Clock, address: str, manner: Manner, hops: int = HOPS_DEFAULT, uplink: str = ""
) -> Path:
    """The path to an address, as far as somebody on it answers.

    `manner` says what the packets are like; `uplink` which one they leave by, if somebody knows.
    """
    gently = replace(
        manner, attempts=ATTEMPTS, spacing=SPACING, timeout=TIMEOUT, late_after=LATE_AFTER, decoy=False
    )
    found: list[Hop] = []
    half = (hops + 1) // 2
    for numbers in (range(1, half + 1), range(half + 1, hops + 1)):
        now_us = clock.now_us()
        asks = tuple(Ask(str(number), address, now_us, uplink=uplink, hops=number) for number in numbers)
        looks = [look async for group in pinger.probe(Batch(asks=asks, manner=gently)) for look in group]
        found += sorted(_hop(look) for look in looks)
        if read(address, found).ending is Ending.REACHED:
            break
    return read(address, found)


def _hop(look: Look) -> Hop:
    """What a look says of its hop."""
    said = look.why if look.outcome is Outcome.UNKNOWN else look.said
    rtt_us = look.rtt_us if look.outcome is Outcome.ANSWERED else look.said_after_us
    return Hop(int(look.signal), look.outcome, said, look.said_by, rtt_us)

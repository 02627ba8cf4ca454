"""How many slots of the wheel are taken together: few wake-ups, no rush, and nobody in a hurry waits."""

from __future__ import annotations

from datetime import timedelta

import pytest

from hostwatch.icmp import MANY_ASKS, TICK_PACKETS, _grain
from hostwatch.pinger import Ask, Batch, Manner

SECOND_US = 1_000_000
HURRIED = Manner(timeout=timedelta(milliseconds=999))


def batch(count: int, per_s: float, manner: Manner | None = None) -> Batch:
    """So many asks, evenly at a rate."""
    asks = tuple(Ask(str(place), "127.0.0.1", int(place / per_s * SECOND_US)) for place in range(count))
    return Batch(asks=asks, manner=manner or Manner())


@pytest.mark.parametrize(
    ("count", "per_s", "slots"),
    [
        (500, 333, 40),  # 134 leave together
        (500, 425, 40),
        (500, 430, 20),  # more than 170 would
        (500, 850, 20),
        (500, 860, 10),
        (500, 1_700, 10),
        (500, 3_333, 5),
        (500, 8_000, 2),
        (500, 50_000, 40),  # a rush whatever we do: all have the same turn
        (MANY_ASKS, 10, 40),
        (MANY_ASKS - 1, 10, 10),  # somebody may wait for it
        (1, 1, 10),
    ],
)
def test_as_many_as_leave_no_rush(count: int, per_s: float, slots: int) -> None:
    assert TICK_PACKETS == 170
    assert _grain(batch(count, per_s)) == slots


def test_who_is_in_a_hurry_waits_for_nobody() -> None:
    assert _grain(batch(500, 333, HURRIED)) == 1
    assert _grain(Batch(asks=(), manner=Manner())) == 1

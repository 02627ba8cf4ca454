"""What is asked of a pinger, and what it brings back, goes to JSON and comes back the same."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta

from hostwatch.core import canonical, instant
from hostwatch.core.reading import Outcome
from hostwatch.pinger import Ask, Batch, Look, Manner

AT_US = instant.micros(datetime(2026, 10, 1, 8, 0, 0, 123456, tzinfo=UTC))


def there_and_back(value: object) -> object:
    return canonical.restore(type(value), json.loads(canonical.encode(value)))


def test_a_batch_crosses_the_wire() -> None:
    asks = tuple(Ask(signal=f"web-{n}/ping@main", address=f"192.0.2.{n}", at_us=AT_US) for n in range(3))
    asks += (Ask("3", "192.0.2.1", AT_US, hops=3),)
    batch = Batch(asks=asks, manner=Manner(spacing=timedelta(milliseconds=250)))

    assert there_and_back(batch) == batch


def test_looks_cross_the_wire() -> None:
    silent = Look(
        signal="web-1/ping@main",
        address="2001:db8::1",
        at_us=AT_US,
        known_us=AT_US + 3_000_000,
        outcome=Outcome.MISSED,
        why="no answer",
        lost=3,
    )
    heard = Look(
        signal="web-1/ping@main",
        address="192.0.2.1",
        at_us=AT_US,
        known_us=AT_US,
        outcome=Outcome.ANSWERED,
        rtt_us=42,
    )
    told = silent._replace(said="time exceeded", said_by="192.0.2.254", said_after_us=120)

    assert there_and_back(silent) == silent
    assert there_and_back(heard) == heard
    assert there_and_back(told) == told

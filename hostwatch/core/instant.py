"""Instants: aware UTC outside the sum, whole numbers inside it.

An instant is an aware UTC `datetime`. The store keeps microseconds; the accounting floors to the
second, once, here. Nobody subtracts local times: zones live in `core.calendar` alone.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MICROSECOND = timedelta(microseconds=1)


def micros(when: datetime) -> int:
    """Microseconds since 1970, exactly."""
    return (when - EPOCH) // MICROSECOND


def from_micros(count: int) -> datetime:
    """The instant that many microseconds after 1970."""
    return EPOCH + timedelta(microseconds=count)


def second(when: datetime) -> int:
    """Seconds since 1970, floored: the one rounding of the accounting."""
    return micros(when) // 1_000_000


def from_second(count: int) -> datetime:
    """The instant at the beginning of that second."""
    return EPOCH + timedelta(seconds=count)


def rfc3339(when: datetime) -> str:
    """`2026-10-01T00:00:00.000000Z`: always six digits and `Z`, so that text sorts like time.

    Raises `ValueError` for an instant without a zone: it would mean another time on another machine.
    """
    if when.tzinfo is None:
        raise ValueError(f"cannot write {when} as an instant: it has no zone")
    return when.astimezone(UTC).replace(tzinfo=None).isoformat(timespec="microseconds") + "Z"


def from_rfc3339(text: str) -> datetime:
    """The instant that `rfc3339` wrote."""
    return datetime.strptime(text, "%Y-%m-%dT%H:%M:%S.%fZ").replace(tzinfo=UTC)

"""A service and its device together (J8): whose outage it is when a service is down.

A service that falls silent may have died alone, or with the device under it. Only in the first case is its
outage an emergency of its own; in the second the emergency is the device's, and tells of the service.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from enum import StrEnum

from hostwatch.core.device import Device
from hostwatch.core.signal import Signal
from hostwatch.core.terms import AgreementTerms

Known = Callable[[str], Signal | None]
"""The present signal of a name."""


class Stand(StrEnum):
    """What is known of a device while one of its services is down."""

    ANSWERS = "answers"
    """It has answered since the service fell silent."""

    SILENT = "silent"
    """It has missed, and not answered since."""

    UNKNOWN = "unknown"
    """No look at it has told anything since the service fell silent."""

    NOT_PROVEN = "not proven"
    """It has never answered, so that its silence says nothing."""

    @property
    def is_doubtful(self) -> bool:
        """Whether the service's outage may be the device's."""
        return self in (Stand.SILENT, Stand.UNKNOWN)


def stand(device: Signal | None, since: datetime) -> Stand:
    """How a device stands while one of its services has been silent since then."""
    if device is None or device.last_answer is None:
        return Stand.NOT_PROVEN
    if device.silence is not None:
        return Stand.SILENT
    return Stand.ANSWERS if device.last_answer >= since and device.blind_since is None else Stand.UNKNOWN


def patience(device: AgreementTerms) -> timedelta:
    """How long a service's emergency waits for the verdict on its device: one interval of the device.

    Never more than a third of the time to tell, which runs meanwhile.
    """
    return min(device.interval, device.notice_within / 3)


def failing(device: Device, vantage: str, known: Known) -> tuple[str, ...]:
    """The services of a device on which there is a verdict, by name."""
    return tuple(_those(device, vantage, known, lambda signal: signal.verdict is not None))


def answering(device: Device, vantage: str, known: Known, since: datetime) -> tuple[str, ...]:
    """The services of a device that have answered since its own silence began: it may only drop pings."""

    def answers(signal: Signal) -> bool:
        heard = signal.last_answer is not None and signal.last_answer > since
        return heard and signal.silence is None and signal.blind_since is None

    return tuple(_those(device, vantage, known, answers))


def _those(device: Device, vantage: str, known: Known, wanted: Callable[[Signal], bool]) -> Iterator[str]:
    for service in device.services:
        signal = known(service.signal(device.id, vantage))
        if signal is not None and wanted(signal):
            yield service.name

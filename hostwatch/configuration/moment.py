"""Days and instants as people write them: `2026-11-01`, `2026-11-01T09:00`, and hours of the clock: `22:00`.

Without an offset they are of a zone that stands elsewhere. Who writes a day as an end means all of it.
"""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, timedelta
from typing import Annotated, Any

from pydantic import BeforeValidator, WithJsonSchema

from hostwatch.configuration.mistake import Wrong
from hostwatch.core.zone import Zone

MEND = "write a day, such as 2026-11-01, or an instant, such as 2026-11-01T09:00 or 2026-11-01T09:00+08:00"
_DAY = re.compile(r"20[2-5][0-9]-[01][0-9]-[0-3][0-9]")
_INSTANT = re.compile(rf"{_DAY.pattern}[T ][0-2][0-9]:[0-5][0-9](:[0-5][0-9])?(Z|[+-][0-9]{{2}}:[0-9]{{2}})?")
_CLOCK = re.compile(r"([01][0-9]|2[0-3]):[0-5][0-9]")


def checked(value: Any) -> str:
    """The same text, if it is a day or an instant. Raises `Wrong`."""
    if isinstance(value, str) and (_DAY.fullmatch(value) or _INSTANT.fullmatch(value)):
        try:
            datetime.fromisoformat(value)
        except ValueError:
            raise Wrong("is a day or an hour that does not exist", MEND) from None
        return value
    raise Wrong("is not a day or an instant between 2020 and 2059", MEND)


def _check_day(value: Any) -> str:
    if isinstance(value, str) and _DAY.fullmatch(value):
        return checked(value)
    raise Wrong("is not a day between 2020 and 2059", "write it like 2026-11-02")


def _check_clock(value: Any) -> str:
    if isinstance(value, str) and _CLOCK.fullmatch(value):
        return value
    raise Wrong("is not an hour of the clock", "write it like 09:00 or 22:30")


Moment = Annotated[
    str, BeforeValidator(checked), WithJsonSchema({"type": "string", "examples": ["2026-11-01"]})
]
"""A day, or an instant."""

Day = Annotated[
    str, BeforeValidator(_check_day), WithJsonSchema({"type": "string", "pattern": f"^{_DAY.pattern}$"})
]
ClockTime = Annotated[
    str, BeforeValidator(_check_clock), WithJsonSchema({"type": "string", "pattern": f"^{_CLOCK.pattern}$"})
]


def begins(text: str, zone: Zone) -> datetime:
    """The instant that is meant, or the first of the day."""
    return _instant(text, zone, 0)


def ends(text: str, zone: Zone) -> datetime:
    """The instant that is meant, or the first after the day."""
    return _instant(text, zone, 1)


def minute_of(clock: str) -> int:
    """The minute of the day, from 0 to 1439."""
    return int(clock[:2]) * 60 + int(clock[3:])


def _instant(text: str, zone: Zone, days: int) -> datetime:
    if _DAY.fullmatch(text):
        return zone.moment(date.fromisoformat(text) + timedelta(days=days), 0)
    written = datetime.fromisoformat(text)
    if written.tzinfo is not None:
        return written.astimezone(UTC)
    begun = zone.moment(written.date(), written.hour * 60 + written.minute)
    return begun + timedelta(seconds=written.second)

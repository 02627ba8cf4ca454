"""What every power source is: one way to ask a UPS, a power strip, a meter or a server about power.

A source's module holds three things: `Settings`, the pydantic model of what is written about it; `EXAMPLE`,
an example of it in YAML, as it stands in a configuration; and `read(settings, visit)`, which asks once and
returns a `PowerReading`. It raises `Missed` if the source does not say what it should, and `Fault` if the
fault is ours. Both mean the same for power: nobody knows. Lost communication is never an interruption.

A kind whose sources speak by themselves has a fourth: `listen(sources, ear)`, which hears all sources of its
kind until it is cancelled, and returns at once if none of them wants to be heard (`checkers.ears`).
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Hashable
from datetime import timedelta
from types import ModuleType
from typing import Annotated, Final, Protocol

from pydantic import Field

from hostwatch.checks import base
from hostwatch.checks.base import Fault, Finding, Line, Missed, Port, Step, Tls, Visit, connect, printable
from hostwatch.configuration.duration import Duration, between
from hostwatch.configuration.strict import Section
from hostwatch.core.power import Concern, Output, Point, PowerReading, Ups, Utility

__all__ = (
    "Concern", "Ear", "Fault", "Line", "Missed", "Output", "Point", "Port", "PowerReading", "Settings",
    "Step", "Tls", "Ups", "Utility", "Visit", "connect", "printable", "run",
)  # fmt: skip

TIMEOUT_DEFAULT: Final = timedelta(seconds=5)


class Ear(Protocol):
    """Told of what was heard. Neither call waits."""

    def ask(self, name: str) -> None:
        """Something happened at a source: it is to be read at once."""
        ...

    def said(self, name: str, reading: PowerReading) -> None:
        """A source said all of this."""
        ...


class Settings(Section):
    """What is written about every source."""

    timeout: Annotated[Duration, between("100ms", "1m")] = Field(default=TIMEOUT_DEFAULT)
    """How long one reading may take, whatever the other side does."""

    def known_by(self) -> Hashable | None:
        """What tells its pushes from those of others: no two may share it. None if it pushes nothing."""
        return None


async def run(module: ModuleType, settings: Settings, visit: Visit) -> Finding:
    """One reading of a source of a kind, within its time: what it said is the value of the finding."""
    read: Callable[[Settings, Visit], Awaitable[PowerReading]] = module.read

    async def probe() -> None:
        visit.value = (await read(settings, visit)).text

    return await base.within(settings.timeout, probe, visit)

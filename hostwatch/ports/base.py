"""What every port witness is: one way to ask a switch about its ports.

A witness's module holds three things: `Settings`, the pydantic model of what is written about it; `EXAMPLE`,
an example of it in YAML, as it stands in a configuration; and `read(settings, visit)`, which asks once and
returns a `PortsReading`. It may hold `listen(sources, ear)`, which has those read that speak by themselves
(`checkers.ears`). `read` raises `Missed` if the switch does not say what it should, and `Fault` if the
fault is ours. Both mean the same for ports: nobody knows. Lost communication is never a port that is down.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import timedelta
from types import ModuleType
from typing import Annotated, Final, Protocol

from pydantic import Field

from hostwatch.checks import base
from hostwatch.checks.base import Fault, Finding, Missed, Step, Visit, printable
from hostwatch.configuration.duration import Duration, between
from hostwatch.configuration.fields import Text
from hostwatch.configuration.strict import Section
from hostwatch.core.ports import NAME_CHARS_MAX, PORTS_MAX, Octets, Port, PortsReading, State

__all__ = (
    "Ear", "Fault", "Missed", "Octets", "Port", "PortsReading", "Settings", "State", "Step", "Visit",
    "printable", "run",
)  # fmt: skip


class Ear(Protocol):
    """Told of what was heard. The call does not wait."""

    def ask(self, name: str) -> None:
        """Something happened at a switch: it is to be read at once."""
        ...


TIMEOUT_DEFAULT: Final = timedelta(seconds=5)

PortName = Annotated[Text, Field(max_length=NAME_CHARS_MAX)]


class Settings(Section):
    """What is written about every witness of ports."""

    timeout: Annotated[Duration, between("100ms", "1m")] = Field(default=TIMEOUT_DEFAULT)
    """How long one reading may take, whatever the other side does."""

    ports: Annotated[tuple[PortName, ...], Field(max_length=PORTS_MAX)] = ()
    """Ports that are asked about beside those that devices hang on."""

    all: bool = False
    """Whether all ports of the switch are asked about; else only those that devices hang on."""


async def run(module: ModuleType, settings: Settings, visit: Visit) -> Finding:
    """One reading by a witness of a kind, within its time: what it said is the value of the finding."""
    read: Callable[[Settings, Visit], Awaitable[PortsReading]] = module.read

    async def probe() -> None:
        visit.value = (await read(settings, visit)).text

    return await base.within(settings.timeout, probe, visit)

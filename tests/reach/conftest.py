"""Two machines joined by one cable, and looks by all methods from the nearer one."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import TypeVar

import pytest

from hostwatch import reach
from hostwatch.clock import SystemClock
from hostwatch.pinger import Ask, Batch, Look, Manner, Pinger
from hostwatch.switchboard import Switchboard
from tests.icmp.conftest import Cable, cable
from tests.lab.capability import give_up_net_raw

__all__ = ["cable"]

QUICK = Manner(attempts=2, spacing=timedelta(milliseconds=150), timeout=timedelta(milliseconds=150))

PATIENT = Manner(attempts=2, spacing=timedelta(seconds=2), timeout=timedelta(seconds=2))
"""For those who answer: costs no time then, however busy the machine is."""

T = TypeVar("T")


async def ask(pinger: Pinger, method: str, *addresses: str, manner: Manner = QUICK) -> list[Look]:
    """Look once at each address by a method."""
    at_us = time.time_ns() // 1_000
    asks = tuple(Ask(address, address, at_us, method) for address in addresses)
    found = [look async for group in pinger.probe(Batch(asks=asks, manner=manner)) for look in group]
    return sorted(found, key=lambda look: addresses.index(look.address))


def telling(cable: Cable, story: Callable[[Pinger], Awaitable[T]], *, privileged: bool = True) -> T:
    """A story that is told beside the switchboard, on the machine here."""

    async def told() -> T:
        clock = SystemClock()
        pinger = Switchboard(clock, reach.room("icmp").build(clock))
        try:
            return await story(pinger)
        finally:
            await pinger.close()

    def inside() -> T:
        if not privileged:
            give_up_net_raw()
        return asyncio.run(told())

    return cable.here.inside(inside)


def looks(
    cable: Cable, method: str, *addresses: str, manner: Manner = QUICK, privileged: bool = True
) -> list[Look]:
    """Look once at each, from here."""

    async def once(pinger: Pinger) -> list[Look]:
        return await ask(pinger, method, *addresses, manner=manner)

    return telling(cable, once, privileged=privileged)


@pytest.fixture
def quick(cable: Cable) -> Cable:
    """The kernel gives up looking for a neighbour within the time that a look takes here."""
    settings = {"mcast_solicit": 1, "ucast_solicit": 1, "delay_first_probe_time": 0, "retrans_time_ms": 20}
    for version in (4, 6):
        cable.here.sysctl(**{f"ipv{version}__neigh__port__{name}": value for name, value in settings.items()})
    return cable

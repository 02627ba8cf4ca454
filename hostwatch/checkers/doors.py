"""Who may be connected to an address: only so many checks at one time, whichever devices they are about.

Which address a check connects to is known only when its names are resolved. So a check that has begun waits
at the door, and while it does so it gives its turn back: others run meanwhile, and its own time stands still.
If no room comes before it is too late to look, that is our own bound, and UNKNOWN.

Nobody can wait for ever, nor two for each other. A check that is connected to an address already and goes on
to another (a redirect, a mailbox elsewhere) is counted there apart from those that came first, by how many
addresses it is at: whoever waits at such a door waits for none that stands before a nearer one. Turns are
waited for last of all, and who has one never waits with it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from functools import lru_cache
from ipaddress import ip_address
from typing import Any, Final, NamedTuple

from hostwatch.checkers.crowd import Crowd
from hostwatch.checkers.services import PER_TARGET_MAX
from hostwatch.checks.base import Fault

ADDRESSES_CACHED: Final = 16_384

Waiting = asyncio.Future[None]


class Door(NamedTuple):
    """Where a check waits."""

    address: str
    behind: int
    """How many addresses those who stand here are connected to already."""


class Doors:
    """All doors of one process. One that nobody stands at is not there."""

    def __init__(self, for_one: int) -> None:
        self.for_one = for_one
        """Checks that may be connected to one address, of those that came the same way."""

        self._doors: dict[Door, Crowd[Waiting]] = {}

    def join(self, door: Door, device: str) -> Waiting:
        """Wait before a door, one device after another; it is done at once if there is room."""
        waiting: Waiting = asyncio.get_running_loop().create_future()
        if door not in self._doors:
            self._doors[door] = Crowd(self.for_one, PER_TARGET_MAX)
        self._doors[door].join(device, waiting)
        self._open(door)
        return waiting

    def leave(self, door: Door, device: str) -> None:
        """One that was let in is gone."""
        self._doors[door].leave(device)
        self._open(door)

    def _open(self, door: Door) -> None:
        crowd = self._doors[door]
        crowd.in_all = self.for_one
        while (turn := crowd.next()) is not None:
            grant(crowd, *turn)
        if not crowd.running:
            del self._doors[door]


def grant(crowd: Crowd[Any], device: str, waiting: Waiting) -> None:
    """Tell one that it has its turn; who waits no more has none."""
    if waiting.done():
        crowd.leave(device)
    else:
        waiting.set_result(None)


class Gate:
    """One check's turn among all, and the addresses that it is at: `checks._visit.Gate`."""

    def __init__(
        self,
        device: str,
        latest_us: int,
        doors: Doors,
        crowd: Crowd[Any],
        pump: Callable[[], None],
        monotonic_us: Callable[[], int],
    ) -> None:
        """It has its turn. `pump` lets others begin; after `latest_us` nothing may begin any more."""
        self._device = device
        self._latest_us = latest_us
        self._doors = doors
        self._crowd = crowd
        self._pump = pump
        self._monotonic_us = monotonic_us
        self._has_turn = True
        self._inside: list[Door] = []
        self.waits: list[tuple[int, int]] = []
        """From when until when it waited, each time."""

        self.on_first: Callable[[int], None] = lambda waited_us: None
        """Called when it may connect for the first time: how long it has waited for that."""

    def enter(self, address: str) -> Awaitable[None] | None:
        """Be connected to an address: None if it may at once, else what to wait for, which raises `Fault`."""
        address = _plain(address)
        if any(door.address == address for door in self._inside):
            return None
        door = Door(address, len(self._inside))
        waiting = self._doors.join(door, self._device)
        if not waiting.done():
            return self._wait(door, waiting)
        self._let_in(door, 0)
        return None

    def close(self) -> None:
        """It is over, or was never begun: all that it had is free."""
        for door in self._inside:
            self._doors.leave(door, self._device)
        self._inside.clear()
        if self._has_turn:
            self._step_back()

    def _let_in(self, door: Door, waited_us: int) -> None:
        self._inside.append(door)
        if len(self._inside) == 1:
            self.on_first(waited_us)

    def _step_back(self) -> None:
        self._has_turn = False
        self._crowd.leave(self._device)

    async def _wait(self, door: Door, waiting: Waiting) -> None:
        """Step back, wait for room at the door, then for a turn."""
        began_us = self._monotonic_us()
        self._step_back()
        self._pump()
        why = f"no room at {door.address} in time: too many checks are connected to it"
        await self._granted(waiting, lambda: self._doors.leave(door, self._device), why)
        try:
            await self._turn()
        except BaseException:
            self._doors.leave(door, self._device)
            raise
        ended_us = self._monotonic_us()
        self.waits.append((began_us, ended_us))
        self._let_in(door, ended_us - began_us)

    async def _turn(self) -> None:
        waiting: Waiting = asyncio.get_running_loop().create_future()
        self._crowd.join(self._device, waiting, again=True)
        self._pump()
        await self._granted(waiting, lambda: self._crowd.leave(self._device), "no room in time")
        self._has_turn = True

    async def _granted(self, waiting: Waiting, give_back: Callable[[], None], why: str) -> None:
        try:
            async with asyncio.timeout((self._latest_us - self._monotonic_us()) / 1e6):
                await waiting
        except BaseException as error:
            if not waiting.cancel() and not waiting.cancelled():  # it was granted in the same moment
                give_back()
                self._pump()
            if isinstance(error, TimeoutError):
                raise Fault(why) from None
            raise


@lru_cache(ADDRESSES_CACHED)
def _plain(address: str) -> str:
    """An address as it is always written."""
    bare, percent, link = address.partition("%")
    return f"{ip_address(bare)}{percent}{link}"

"""Two machines joined by one cable, and looks by the real pinger on the nearer one."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass
from functools import partial
from typing import Any, NamedTuple, TypeVar

import pytest

from hostwatch.clock import Clock, SystemClock
from hostwatch.core import instant
from hostwatch.icmp import IcmpPinger
from hostwatch.lanes import Lane
from hostwatch.packets import NONCE_BYTES
from hostwatch.pinger import Ask, Batch, Look, Manner
from tests.lab.capability import give_up_net_raw
from tests.lab.namespace import Namespace
from tests.lab.waiting import until

HERE = {4: "10.99.0.1", 6: "fd99::1"}
THERE = {4: "10.99.0.2", 6: "fd99::2"}
BEYOND = {4: "10.98.0.2", 6: "fd98::2"}
"""An address that is reached through the machine there."""

T = TypeVar("T")


@dataclass
class Cable:
    """The two machines. Pulling the cable is done at the far end, so that the near one loses its carrier."""

    here: Namespace
    there: Namespace

    def pull(self) -> None:
        """Nothing is at the other end of our link any more."""
        self.there.ip("link set port down")

    def lose(self, sequences: str = "1-100") -> None:
        """Requests with these numbers get lost before whoever they go to can answer, here or there."""
        for machine in (self.here, self.there):
            machine.nft(f"""
                add table inet lab
                add chain inet lab in {{ type filter hook input priority 0; }}
                add rule inet lab in icmp type echo-request icmp sequence {sequences} drop
                add rule inet lab in icmpv6 type echo-request icmpv6 sequence {sequences} drop
            """)

    def looks(self, manner: Manner, *addresses: str) -> list[Look]:
        """Look once at each, from here."""
        return self.pinging(lambda pinger, clock: ask(pinger, clock, manner, *addresses))

    def pinging(
        self,
        story: Callable[[IcmpPinger, Clock], Awaitable[T]],
        clock: Clock | None = None,
        *,
        mode: str = "raw",
    ) -> T:
        """A story that is told beside a pinger, on the machine here: a raw one, or one with ping sockets."""

        async def told() -> T:
            own = clock or SystemClock()
            pinger = IcmpPinger(own)
            assert pinger.mode == mode
            failed: list[dict[str, Any]] = []
            asyncio.get_running_loop().set_exception_handler(lambda _, what: failed.append(what))
            try:
                result = await story(pinger, own)
            finally:
                await pinger.close()
            assert not failed, failed[0]
            return result

        def run() -> T:
            if mode != "raw":
                give_up_net_raw()
            return asyncio.run(told())

        if mode != "raw":
            self.here.sysctl(ipv4__ping_group_range="0 2147483647")
        return self.here.inside(run)


class UnderWay(NamedTuple):
    """A ping that waits for an answer."""

    lane: Lane
    nonce: bytes


def under_way(pinger: IcmpPinger) -> list[UnderWay]:
    """All pings that wait for an answer, whether by themselves or in a salvo."""
    alone = [UnderWay(one.lane, one.nonce) for one in pinger._tries._by_key.values()]
    found = pinger._tries._in_salvos.items()
    return alone + [UnderWay(salvo.lane, key[-NONCE_BYTES:]) for key, (salvo, *_) in found]


async def ask(
    pinger: IcmpPinger, clock: Clock, manner: Manner, *addresses: str, later_s: float = 0.0
) -> list[Look]:
    """Look once at each address."""
    at_us = instant.micros(clock.now()) + int(later_s * 1_000_000)
    asks = tuple(Ask(address, address, at_us) for address in addresses)
    found = [look async for group in pinger.probe(Batch(asks=asks, manner=manner)) for look in group]
    return sorted(found, key=lambda look: addresses.index(look.address))


def _carries(*ends: Namespace) -> bool:
    """Whether all ends of the cable are up. Until then, what is sent is lost in silence."""
    return all("state UP" in end.run("ip", "link", "show", "port") for end in ends)


@pytest.fixture
def cable() -> Iterator[Cable]:
    """Two machines and their cable, gone after the test."""
    assert os.geteuid() == 0, "network namespaces are made: run it as root"
    here, there = Namespace(), Namespace()
    try:
        here.ip(f"link add port type veth peer name port netns {there.path}")
        for machine, own, gateway in ((here, HERE, THERE), (there, THERE, HERE)):
            machine.ip(
                "link set port up",
                f"address add {own[4]}/24 dev port",
                f"address add {own[6]}/64 dev port nodad",
                f"route add default via {gateway[4]}",
                f"route add ::/0 via {gateway[6]}",
            )
        there.ip(f"address add {BEYOND[4]}/32 dev lo", f"address add {BEYOND[6]}/128 dev lo")
        until("the cable to carry", partial(_carries, here, there))
        yield Cable(here, there)
    finally:
        here.close()
        there.close()

"""A decoy comes back from our own loopback, through our own sockets, and nobody takes it for an answer."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import timedelta

import pytest

from hostwatch import canary
from hostwatch.clock import Clock
from hostwatch.core import instant
from hostwatch.core.reading import Outcome
from hostwatch.icmp import IcmpPinger
from hostwatch.pinger import Batch, Look, Manner
from tests.icmp.conftest import Cable

pytestmark = pytest.mark.lab

MANNER = Manner(attempts=2, spacing=timedelta(milliseconds=100), timeout=timedelta(milliseconds=200))


async def probed(pinger: IcmpPinger, batch: Batch) -> dict[str, Outcome]:
    looks: list[Look] = [look async for group in pinger.probe(batch) for look in group]
    return {look.signal: look.outcome for look in looks}


@pytest.mark.parametrize("mode", ["raw", "ping socket"])
def test_loopback_answers_and_the_decoy_does_not(cable: Cable, mode: str) -> None:
    """Both at a time, over both families, by either kind of socket."""

    async def story(pinger: IcmpPinger, clock: Clock) -> dict[str, Outcome]:
        at_us = instant.micros(clock.now())
        living = Batch(asks=canary.living({4, 6}, at_us), manner=MANNER)
        both = await asyncio.gather(
            probed(pinger, living), probed(pinger, canary.decoys({4, 6}, MANNER, at_us))
        )
        return {**both[0], **both[1]}

    assert cable.pinging(story, mode=mode) == {
        "canary/4": Outcome.ANSWERED,
        "canary/6": Outcome.ANSWERED,
        "decoy/4": Outcome.MISSED,
        "decoy/6": Outcome.MISSED,
    }


def test_the_decoy_does_come_back(cable: Cable) -> None:
    """It is the matching that leaves it, and nothing before it: the kernel has answered."""

    async def story(pinger: IcmpPinger, clock: Clock) -> dict[str, Outcome]:
        at_us = instant.micros(clock.now())
        return await probed(pinger, canary.decoys({4}, replace(MANNER, attempts=3), at_us))

    def replies() -> int:
        shown = cable.here.run("cat", "/proc/net/snmp").splitlines()
        names, counts = (line.split() for line in shown if line.startswith("Icmp:"))
        return int(counts[names.index("InEchoReps")])

    before = replies()
    assert cable.pinging(story) == {"decoy/4": Outcome.MISSED}
    assert replies() == before + 1

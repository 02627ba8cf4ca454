"""Who of our reference points answers: each is asked apart, so that who is silent keeps nobody waiting."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

from hostwatch.core.reading import Outcome
from hostwatch.core.seeing import Points, tally
from hostwatch.gauges import Gauge
from hostwatch.pinger import Ask, Batch, Look, Manner, Pinger

Enough = Callable[[frozenset[str]], bool]
"""Whether nobody else need be waited for when these addresses have answered."""


def nobody_spared(heard: frozenset[str]) -> bool:
    """Wait for all, whoever has answered."""
    return False


async def ask_apart(
    pinger: Pinger, batches: Iterable[Batch], is_enough: Enough = nobody_spared
) -> tuple[Look, ...]:
    """Look at all batches at once. When enough have answered, the others are let go.

    The looks that are known by then. In one batch with others, who is silent would keep back their answers.
    """
    asking = {asyncio.create_task(_looks(pinger, batch)) for batch in batches}
    looks: list[Look] = []
    try:
        while asking and not is_enough(answered(looks)):
            done, asking = await asyncio.wait(asking, return_when=asyncio.FIRST_COMPLETED)
            for one in done:
                looks += one.result()
    finally:
        for one in asking:
            one.cancel()
        await asyncio.gather(*asking, return_exceptions=True)
    return tuple(looks)


async def _looks(pinger: Pinger, batch: Batch) -> list[Look]:
    return [look async for group in pinger.probe(batch) for look in group]


def apart(addresses: Iterable[str], manner: Manner, at_us: int) -> Iterator[Batch]:
    """A batch for each address."""
    return (Batch(asks=(Ask(one, one, at_us),), manner=manner) for one in addresses)


def answered(looks: Iterable[Look]) -> frozenset[str]:
    """The addresses that answered."""
    return frozenset(look.address for look in looks if look.outcome is Outcome.ANSWERED)


@dataclass(frozen=True, slots=True, kw_only=True)
class Roll:
    """What came of asking all reference points, for people. No miss is judged by it."""

    points: Points
    looks: tuple[Look, ...] = ()

    @property
    def heard(self) -> frozenset[str]:
        """Who answered."""
        return answered(self.looks)

    def silent(self) -> dict[str, str]:
        """Who did not, and why."""
        return {look.address: look.why for look in self.looks if look.outcome is not Outcome.ANSWERED}

    def warnings(self) -> Iterator[str]:
        """What somebody should look at although we see: reference points that do not answer."""
        silent = self.silent()
        for version in sorted(self.points.families):
            quorums = self.points.quorums(version)
            lost = [one for one in quorums if one.answered(self.heard) < len(one.addresses)]
            if self.looks and lost:
                who = ", ".join(a for one in lost for a in one.addresses if a in silent)
                yield f"sight over IPv{version}: {who} silent; {tally(quorums, self.heard)}"

    def figures(self) -> Iterator[Gauge]:
        """How many of each quorum are to spare."""
        spare = {
            f"IPv{version} {one.of}": float(one.answered(self.heard) - one.needed)
            for version in sorted(self.points.families)
            for one in self.points.quorums(version)
        }
        yield Gauge(
            "hostwatch_sight_spare",
            "How many more of our gateways, or beacons, may fall silent before their quorum is lost.",
            spare if self.looks else None,
            "of",
        )

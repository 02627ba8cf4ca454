"""Any mix of right, wrong, late, doubled, reordered and forged answers: each look is as foretold.

The mixes are drawn from a seed. A failure names it, and the target's script.
"""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest

from hostwatch.clock import Clock
from hostwatch.icmp import IcmpPinger
from hostwatch.pinger import Manner
from tests.icmp.conftest import THERE, Cable, ask
from tests.icmp.oracle import WORDS, foretell
from tests.lab.reflector import Reflector
from tests.lab.script import Answer, Script

pytestmark = pytest.mark.lab

MANNER = Manner(attempts=3, spacing=timedelta(milliseconds=200), timeout=timedelta(milliseconds=700))
EACH = 60
"""Targets of each family in a mix."""

STALL_MAX_S = 0.4
SHOWN_MAX = 10
DELAYS_S = (0.0, 0.0, 0.0, 0.05, 0.3, 0.6, 3.0)
WRONG: tuple[dict[str, Any], ...] = (
    {"identifier": 1},
    {"identifier": 0x4000},
    {"sequence": 3},
    {"sequence": 0x100},
    {"flip": 0},
    {"flip": 37},
    {"flip": 127},
    {"cut": 0},
    {"cut": 15},
    {"old": True},
    {"kind": "request"},
)


class Mix:
    """Scripts for many targets, by a seed."""

    def __init__(self, seed: int) -> None:
        self.draw = random.Random(seed)
        self.targets = [
            f"10.98.2.{number}" if family == 4 else f"fd98::2:{number:x}"
            for number in range(1, EACH + 1)
            for family in (4, 6)
        ]
        self.scripts: dict[str, Script] = {target: self._script(target) for target in self.targets}
        self.stall_at_s = self.draw.uniform(0, MANNER.longest.total_seconds())
        self.stall_s = self.draw.uniform(0, STALL_MAX_S)

    def _script(self, target: str) -> Script:
        return tuple(
            tuple(self._answer(target) for _ in range(self.draw.choice((0, 0, 1, 1, 2, 4))))
            for _ in range(MANNER.attempts)
        )

    def _answer(self, target: str) -> Answer:
        delay_s, copies = self.draw.choice(DELAYS_S), self.draw.choice((1, 1, 1, 2, 10))
        match self.draw.choice(("right", "wrong", "wrong", "elsewhere", "stranger", "error", "lie")):
            case "right":
                return Answer(delay_s=delay_s, copies=copies, cut=self.draw.choice((None, 16, 40)))
            case "wrong":
                return Answer(delay_s=delay_s, copies=copies, **self.draw.choice(WRONG))
            case "elsewhere":
                return Answer(delay_s=delay_s, copies=copies, source=self._other(target))
            case "stranger":
                return Answer(delay_s=delay_s, copies=copies, stranger=self._other(target))
            case "error":
                return self._error(target, delay_s=delay_s, cut=self.draw.choice((None, 8, 20)))
            case _:
                lies = ({"identifier": 0x0100, "cut": 8}, {"sequence": 9, "cut": 8}, {"flip": 100})
                return self._error(target, delay_s=delay_s, **self.draw.choice(lies))

    def _error(self, target: str, *, delay_s: float, **how: Any) -> Answer:
        """Not so late that it comes into the next mix: of eight quoted bytes a ping socket cannot tell."""
        family = 6 if ":" in target else 4
        code = self.draw.choice([code for version, code in WORDS if version == family])
        source = self.draw.choice(("", THERE[family], self._other(target)))
        return Answer(kind="error", code=code, source=source, delay_s=min(delay_s, 0.6), **how)

    def _other(self, target: str) -> str:
        return self.draw.choice(
            [one for one in self.targets if one != target and (":" in one) == (":" in target)]
        )


@pytest.fixture
def reflector(cable: Cable) -> Iterator[Reflector]:
    """Whatever is beyond the other machine, by a script."""
    with Reflector(cable.there) as started:
        yield started


async def play(pinger: IcmpPinger, clock: Clock, reflector: Reflector, seed: int) -> list[str]:
    """Ping all targets of a mix once, while the loop stands still for a moment; what is not as foretold."""
    mix = Mix(seed)
    reflector.play(mix.scripts)
    asyncio.get_running_loop().call_later(mix.stall_at_s, time.sleep, mix.stall_s)
    looks = await ask(pinger, clock, MANNER, *mix.targets)
    seen = reflector.seen()
    complaints: list[str] = []
    for look in looks:
        script, there = mix.scripts[look.address], seen[look.address]
        foretold = foretell(look.address, script, there, MANNER)
        if not foretold.fits(look):
            complaints.append(f"seed {seed}: {look}\n  but {foretold}\n  {script}\n  {there}")
    return complaints


def play_all(cable: Cable, reflector: Reflector, mode: str, seeds: range) -> None:
    """The same pinger over many mixes."""

    async def story(pinger: IcmpPinger, clock: Clock) -> list[str]:
        return [one for seed in seeds for one in await play(pinger, clock, reflector, seed)]

    complaints = cable.pinging(story, mode=mode)
    assert not complaints, "\n".join(complaints[:SHOWN_MAX])


@pytest.mark.parametrize(("mode", "seeds"), [("raw", range(6)), ("ping socket", range(6, 10))])
def test_some_mixes(cable: Cable, reflector: Reflector, mode: str, seeds: range) -> None:
    play_all(cable, reflector, mode, seeds)


@pytest.mark.long
@pytest.mark.timeout(0)
@pytest.mark.parametrize("mode", ["raw", "ping socket"])
def test_many_mixes_that_nobody_has_seen(cable: Cable, reflector: Reflector, mode: str) -> None:
    first = random.randrange(2**32)
    print(f"seeds from {first}")
    play_all(cable, reflector, mode, range(first, first + 200))

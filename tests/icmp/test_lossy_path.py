"""Answers get lost at random on the way: as long as one of many gets through, nobody is down."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import timedelta
from itertools import pairwise

import pytest

from hostwatch.clock import Clock
from hostwatch.core.reading import Outcome
from hostwatch.icmp import IcmpPinger
from hostwatch.pinger import Look, Manner
from tests.icmp.conftest import Cable, ask
from tests.lab.reflector import Reflector

pytestmark = pytest.mark.lab

ATTEMPTS = 12
MANNER = Manner(attempts=ATTEMPTS, spacing=timedelta(milliseconds=50), timeout=timedelta(seconds=1))
PERCENT = (1, 10, 30)
EACH = 30
ROUNDS = 3
WORST = ROUNDS * 2 * EACH * sum((percent / 100) ** (2 * ATTEMPTS) for percent in PERCENT)
"""The chance that some target misses twice in a row, though nothing is wrong but the path."""


@pytest.fixture
def reflector(cable: Cable) -> Iterator[Reflector]:
    """Whatever is beyond the other machine answers rightly."""
    with Reflector(cable.there) as started:
        yield started


def lose_answers(cable: Cable) -> None:
    """Here, so that nobody but us knows of it. Each share of losses has a range of addresses of its own."""
    rules = "\n".join(
        f"""
        add counter inet lab lost_{percent}
        add rule inet lab in {whose} numgen random mod 100 < {percent} counter name lost_{percent} drop
        """
        for percent in PERCENT
        for whose in (f"ip saddr 10.98.{percent}.0/24", f"ip6 saddr fd98:0:0:{percent}::/64")
    )
    cable.here.nft(f"""
        add table inet lab
        add chain inet lab in {{ type filter hook input priority 0; }}
        {rules}
    """)


def lost(cable: Cable) -> dict[int, int]:
    """How many answers got lost, by the share."""
    shown = json.loads(cable.here.run("nft", "-j", "list", "counters", "table", "inet", "lab"))["nftables"]
    counters = [one["counter"] for one in shown if "counter" in one]
    return {int(one["name"].removeprefix("lost_")): one["packets"] for one in counters}


@pytest.mark.parametrize("mode", ["raw", "ping socket"])
def test_nobody_is_down_while_one_answer_gets_through(cable: Cable, reflector: Reflector, mode: str) -> None:
    """
    1, 10 and 30 of 100 answers get lost at random, at 60 targets each, over three rounds of up to 12 packets.

    A ping is missed with p^12, and a verdict needs two in a row: at most 3 × 60 × Σ p^24 = 5.1e-11 for a
    false one. How many packets each ping needed says how many were lost; the firewall has counted them.
    """
    assert WORST < 1e-9
    share = {
        target: percent
        for percent in PERCENT
        for n in range(1, EACH + 1)
        for target in (f"10.98.{percent}.{n}", f"fd98:0:0:{percent}::{n:x}")
    }
    lose_answers(cable)

    async def story(pinger: IcmpPinger, clock: Clock) -> list[list[Look]]:
        return [await ask(pinger, clock, MANNER, *share) for _ in range(ROUNDS)]

    rounds = cable.pinging(story, mode=mode)
    missed = [{look.address for look in looks if look.outcome is not Outcome.ANSWERED} for looks in rounds]
    assert [before & after for before, after in pairwise(missed)] == [set(), set()]
    assert {look.outcome for looks in rounds for look in looks} <= {Outcome.ANSWERED, Outcome.MISSED}

    noticed = dict.fromkeys(PERCENT, 0)
    for look in (look for looks in rounds for look in looks):
        noticed[share[look.address]] += look.lost
    counted = lost(cable)
    print(f"lost {counted}, noticed {noticed}, chance of a false verdict {WORST:.1e}")
    # An answer may be lost after another has been taken, if the machine is so slow that two are on their way.
    assert all(noticed[percent] <= counted[percent] for percent in PERCENT)
    assert noticed[30] > 0

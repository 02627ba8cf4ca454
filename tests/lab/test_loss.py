"""A path that loses three packets in ten raises no false emergency."""

from __future__ import annotations

import math
import re

import pytest

from hostwatch.core import facts
from tests.lab.conftest import Lab
from tests.lab.topology import DEVICES, address

pytestmark = pytest.mark.lab

LOSS = 0.3
ATTEMPTS = 3
MISSES = 6
ROUNDS = 60
HOSTS = range(10, 14)
SIGNALS = len(DEVICES) * len(HOSTS)

RULES = """
add table inet lab
add chain inet lab forward { type filter hook forward priority 0; }
add rule inet lab forward icmp type echo-request counter
add rule inet lab forward icmp type echo-request numgen random mod 100 < 30 counter drop
"""


@pytest.mark.timeout(180)
def test_no_false_emergency_on_a_lossy_path(lab: Lab) -> None:
    """
    60 rounds over 12 addresses of three devices, while the router drops 30 % of all requests at random.

    A packet is lost with p = 0.3; a ping of three packets is missed with p³ = 0.027. A false emergency needs
    m misses in a row, and can begin at each of 60 × 12 = 720 pings: at most 720 × 0.027^m.
    With the usual m = 2 that is 0.52, and truly so: on such a path two pings in a row do go unanswered.
    With m = 6 it is 720 × 3.9e-10 = 2.8e-7, so that this test may cry wolf once in some 3.6 million runs.
    That packets were really lost is counted by the router, and that three of them make one miss by hostwatch:
    0.3 of all packets and 0.027 of all pings, each within six standard deviations.
    """
    false_alarm = ROUNDS * SIGNALS * (LOSS**ATTEMPTS) ** MISSES
    assert false_alarm < 1e-6
    devices = {f"{name}-{host}": address(name, 4, host) for name in DEVICES for host in HOSTS}
    lab.watch(devices, f"interval: 500ms, attempts: {ATTEMPTS}, misses: {MISSES}")
    # Taken before the loss begins: how many looks there were already.
    answered, missed = lab.daemon.readings("answered"), lab.daemon.readings("missed")

    lab.net.router.nft(RULES)
    lab.daemon.looked("answered", int(ROUNDS * SIGNALS * (1 - LOSS**ATTEMPTS)), patience_s=90)

    answered, missed = lab.daemon.readings("answered") - answered, lab.daemon.readings("missed") - missed
    requests, dropped = _counted(lab)
    silences = len(lab.daemon.facts(facts.SilenceEnded))
    print(
        f"{answered + missed} pings of {SIGNALS} addresses: {missed} missed, {silences} silences; "
        f"{dropped} of {requests} requests dropped; chance of a false alarm {false_alarm:.1e}"
    )
    assert _is_near(dropped, requests, LOSS)
    assert _is_near(missed, answered + missed, LOSS**ATTEMPTS)
    assert silences > 0
    assert lab.daemon.facts(facts.WentDown) == []
    assert lab.daemon.facts(facts.BlindBegan, why="sight") == []
    assert lab.post.mails == []


def _is_near(found: int, of: int, chance: float) -> bool:
    deviation = math.sqrt(of * chance * (1 - chance))
    return abs(found - of * chance) < 6 * deviation


def _counted(lab: Lab) -> tuple[int, int]:
    """Requests that came to the router, and those of them that it dropped."""
    shown = lab.net.router.run("nft", "list", "table", "inet", "lab")
    came, dropped = (int(number) for number in re.findall(r"counter packets (\d+)", shown))
    return came, dropped

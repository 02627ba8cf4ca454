"""hostwatch's own link fails in five ways: nobody is blamed, time is unknown, and death is still found."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import pytest

from hostwatch.core import facts
from tests.lab.conftest import Lab, signal_of
from tests.lab.daemon import rows
from tests.lab.topology import DEVICES, Topology, address
from tests.lab.waiting import until

pytestmark = pytest.mark.lab

FOUR = {name: address(name, 4) for name in DEVICES}
SIX = {f"{name}-six": address(name, 6) for name in DEVICES}
BOTH_FAMILIES = FOUR | SIX
DEAD = {"device-3", "device-3-six"}
A_ROUND = len(BOTH_FAMILIES)
A_MOMENT = timedelta(seconds=1)

DROPS = """
add table inet lab
add chain inet lab in {{ type filter hook input priority 0; }}
add chain inet lab out {{ type filter hook output priority 0; }}
add rule inet lab {rule}
"""


@dataclass(frozen=True)
class Fault:
    """One way to lose sight, the way back, and the cause that the record must name."""

    begin: Callable[[Topology], object]
    end: Callable[[Topology], object]
    cause: str


def _own_end_up(net: Topology) -> None:
    net.watch.ip("link set lan up")
    net.route_out()


FAULTS = {
    "link down at its own end": Fault(
        lambda net: net.watch.ip("link set lan down"), _own_end_up, "no route here|network down here"
    ),
    "link down at the switch": Fault(
        lambda net: net.switch.ip("link set watch down"),
        lambda net: net.switch.ip("link set watch up"),
        "no carrier here|network down here",
    ),
    "link down at the gateway": Fault(
        lambda net: net.router.ip("link set lan down"),
        lambda net: net.router.ip("link set lan up"),
        "no answer|host unreachable",
    ),
    "input dropped": Fault(
        lambda net: net.watch.nft(DROPS.format(rule="in iifname lan drop")),
        lambda net: net.watch.nft("delete table inet lab"),
        "no answer",
    ),
    "output refused": Fault(
        lambda net: net.watch.nft(DROPS.format(rule="out oifname lan drop")),
        lambda net: net.watch.nft("delete table inet lab"),
        "sending not permitted here",
    ),
}


@pytest.mark.parametrize("fault", FAULTS.values(), ids=FAULTS.keys())
def test_blindness_blames_nobody_and_hides_no_death(lab: Lab, fault: Fault) -> None:
    """
    0 s    three devices answer, each over IPv4 and IPv6
    then   the fault: blindness begins; six rounds bring UNKNOWN
    then   the fault is mended: blindness ends; three rounds of answers; nobody was silent, nobody was told
    then   the same fault again, and during it device-3's cable is pulled
    then   the fault is mended: after two valid misses device-3 is down, over both families, and nobody else
    """
    lab.watch(BOTH_FAMILIES)

    fault.begin(lab.net)
    lab.daemon.said("blind-began", why="sight")
    lab.daemon.looked("unknown", 6 * A_ROUND)
    until("the gauge to tell", lambda: lab.daemon.figure("hostwatch_blind", why="sight") == 1)
    fault.end(lab.net)
    lab.daemon.said("blind-ended", why="sight")
    until("the gauge to tell", lambda: lab.daemon.figure("hostwatch_blind", why="sight") == 0)
    lab.daemon.looked("answered", 3 * A_ROUND)
    _check_that_only_time_is_lost(lab, fault)

    fault.begin(lab.net)
    lab.daemon.said("blind-began", why="sight", count=2)
    lab.net.cut("device-3")
    lab.daemon.looked("unknown", 3 * A_ROUND)
    assert lab.daemon.facts(facts.SilenceBegan) == []
    fault.end(lab.net)
    lab.daemon.said("went-down", count=2)
    until("both are told", lambda: lab.post.told[1:])
    lab.daemon.looked("answered", 2 * A_ROUND)
    down = lab.daemon.facts(facts.WentDown)
    assert {fact.signal for fact in down} == {signal_of(name) for name in DEAD}
    assert [fact.misses for fact in down] == [2, 2]
    assert {fact.signal for fact in lab.daemon.facts(facts.SilenceBegan)} == {fact.signal for fact in down}
    began = lab.daemon.facts(facts.BlindBegan, why="sight")[1]
    # A glance is dated by when it was asked for: until its packets leave somebody may still answer.
    assert all(fact.last_answer < began.at + A_MOMENT < fact.first_miss for fact in down)
    assert len(lab.post.told) == sum(len(hook["emergencies"]) for hook in lab.post.hooked) == 2


def _check_that_only_time_is_lost(lab: Lab, fault: Fault) -> None:
    assert lab.daemon.facts(facts.SilenceBegan) == []
    assert lab.daemon.facts(facts.EmergencyOpened) == []
    assert (lab.post.mails, lab.post.hooked) == ([], [])
    assert len(lab.daemon.heard("blind-began", why="sight")) == 1  # however many were not seen: one alarm
    (began,) = lab.daemon.facts(facts.BlindBegan, why="sight")
    (ended,) = lab.daemon.facts(facts.BlindEnded, why="sight")
    causes = dict(one.split(": ") for one in began.detail.split("; "))
    needed = {causes.pop("IPv4"), causes.pop("IPv6")}
    assert needed == {"0 of 1 gateways answered, 1 must"}
    assert set(causes) == {"10.77.0.1", "fd77::1"}
    assert all(re.match(fault.cause, cause) for cause in causes.values()), causes
    blind_s = (ended.at - began.at).total_seconds()
    report = lab.daemon.report()
    for row in rows(report, [*BOTH_FAMILIES]):
        _check_row(row, blind_s)
    assert "sight" in {record["why"] for record in report["blind"]}


def _check_row(row: dict[str, Any], blind_s: float) -> None:
    assert (row["down_s"], row["silences"], row["emergencies"]) == (0, [], [])
    # The last answer speaks on for an interval at most, and whole seconds are counted.
    assert row["unknown_s"] >= blind_s - 1.5 > 0
    assert row["up_s"] + row["unknown_s"] == row["period_s"]

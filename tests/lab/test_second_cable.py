"""hostwatch's second cable is pulled, its gateway on the first is well: nobody behind it is blamed."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from hostwatch.carrier import NO_CARRIER
from hostwatch.core import facts
from tests.lab.conftest import Lab, signal_of
from tests.lab.daemon import rows
from tests.lab.namespace import Namespace
from tests.lab.topology import address
from tests.lab.waiting import until

pytestmark = pytest.mark.lab

BEHIND = {"second": "10.78.0.9", "second-six": "fd78::9"}
OWN = {"second": "10.78.0.2/24", "second-six": "fd78::2/64"}


@pytest.fixture
def far(lab: Lab) -> Iterator[Namespace]:
    """A device at the end of a cable of its own."""
    machine = Namespace()
    try:
        lab.net.watch.ip(
            f"link add second type veth peer name port netns {machine.path}",
            "link set second up",
            f"address add {OWN['second']} dev second",
            f"address add {OWN['second-six']} dev second nodad",
        )
        machine.ip(
            "link set port up",
            f"address add {BEHIND['second']}/24 dev port",
            f"address add {BEHIND['second-six']}/64 dev port nodad",
        )
        yield machine
    finally:
        machine.close()


def test_a_dead_cable_of_our_own_is_nobodys_emergency(lab: Lab, far: Namespace) -> None:
    """
    0 s    device-1 answers over the first cable, another device over the second, by IPv4 and IPv6
    then   the second cable loses its carrier: six looks are unknown; nobody was silent
    then   it is plugged in again, and the device behind it is dumb: an emergency, and why time was unknown
    """
    lab.watch({**BEHIND, "device-1": address("device-1")})

    far.ip("link set port down")
    lab.daemon.looked("unknown", 6)
    assert lab.daemon.facts(facts.SilenceBegan) == []
    assert lab.daemon.facts(facts.BlindBegan, why="sight") == []

    far.sysctl(ipv4__icmp_echo_ignore_all=1, ipv6__icmp__echo_ignore_all=1)
    far.ip("link set port up")
    lab.daemon.said("went-down", count=2)
    until("both are told", lambda: lab.post.told[1:])
    assert {fact.signal for fact in lab.daemon.facts(facts.WentDown)} == {signal_of(name) for name in BEHIND}
    unspoken = lab.daemon.facts(facts.Unspoken, why=NO_CARRIER)
    assert {fact.signal for fact in unspoken} == {signal_of(name) for name in BEHIND}
    for row in rows(lab.daemon.report(), ["device-1"]):
        assert (row["down_s"], row["silences"]) == (0, [])

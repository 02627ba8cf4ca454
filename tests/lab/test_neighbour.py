"""A machine on hostwatch's own LAN is switched off: nobody answers for its address, and that is its fault."""

from __future__ import annotations

import re

import pytest

from hostwatch.core import facts
from tests.lab.conftest import Lab, signal_of
from tests.lab.topology import NEIGHBOUR, address
from tests.lab.waiting import until

pytestmark = pytest.mark.lab

QUICK = {"mcast_solicit": 1, "ucast_solicit": 1, "delay_first_probe_time": 0, "retrans_time_ms": 20}
"""How the kernel looks for a neighbour: it gives up within the time that a ping takes here."""


def test_a_neighbour_that_is_switched_off_is_an_emergency(lab: Lab) -> None:
    """
    0 s    the neighbour and device-1 answer, over IPv4 and IPv6
    then   the neighbour is switched off: no ARP and no ND answer; our own carrier and gateway are good
    +1 s   two misses, made by our own kernel's "host unreachable": an emergency for each of its addresses
    """
    neighbour = {"neighbour": NEIGHBOUR[4], "neighbour-six": NEIGHBOUR[6]}
    for name, value in QUICK.items():
        lab.net.watch.sysctl(**{f"ipv{version}__neigh__lan__{name}": value for version in (4, 6)})
    lab.watch({**neighbour, "device-1": address("device-1"), "device-1-six": address("device-1", 6)})

    lab.net.switch.ip("link set neighbour down")
    lab.net.watch.ip(*(f"neigh flush to {where} dev lan" for where in neighbour.values()))
    lab.daemon.said("went-down", count=2)
    until("both are told", lambda: lab.post.told[1:])
    lab.daemon.looked("answered", 4)

    down = {fact.signal: fact for fact in lab.daemon.facts(facts.WentDown)}
    assert set(down) == {signal_of(name) for name in neighbour}
    assert down[signal_of("neighbour")].why == "host unreachable, says our own kernel"
    assert down[signal_of("neighbour-six")].why == "host unreachable, says our own kernel"
    assert {fact.signal for fact in lab.daemon.facts(facts.SilenceBegan)} == set(down)
    assert lab.daemon.facts(facts.BlindBegan) == []
    for where in neighbour.values():
        assert re.search("FAILED|INCOMPLETE", lab.net.watch.run("ip", "neigh", "show", "to", where))

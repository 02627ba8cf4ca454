"""The router says that a device cannot be reached: a miss, and people are told who said what."""

from __future__ import annotations

import pytest

from hostwatch.core import facts
from tests.lab.conftest import Lab, signal_of
from tests.lab.topology import GATEWAY, Family, address
from tests.lab.waiting import until

pytestmark = pytest.mark.lab

RULES = {
    4: "ip daddr {0} reject with icmp type {1}",
    6: "ip6 daddr {0} reject with icmpv6 type {1}",
}
UNREACHABLE = {4: "host-unreachable", 6: "addr-unreachable"}


@pytest.mark.parametrize("family", [4, 6])
def test_what_the_router_says_is_the_why_of_the_miss(lab: Lab, family: Family) -> None:
    """
    0 s    all three devices answer
    then   the router answers for device-1 "host unreachable" and for device-2 "administratively prohibited"
    +1 s   two misses each, and two emergencies that say so; device-3 was never silent
    """
    lab.watch_all(family)
    unreachable = RULES[family].format(address("device-1", family), UNREACHABLE[family])
    prohibited = RULES[family].format(address("device-2", family), "admin-prohibited")
    lab.net.router.nft(f"""
        add table inet lab
        add chain inet lab forward {{ type filter hook forward priority 0; }}
        add rule inet lab forward {unreachable}
        add rule inet lab forward {prohibited}
    """)
    lab.daemon.said("went-down", count=2)
    told = until("both are told", lambda: lab.post.told[1:] and lab.post.told)

    whys = {
        signal_of("device-1"): f"host unreachable, says {GATEWAY[family]}",
        signal_of("device-2"): f"prohibited, says {GATEWAY[family]}",
    }
    assert {fact.signal: fact.why for fact in lab.daemon.facts(facts.WentDown)} == whys
    assert {fact.signal for fact in lab.daemon.facts(facts.SilenceBegan)} == set(whys)
    for part in told:
        name = "device-1" if "device-1" in part else "device-2"
        (seen,) = (line for line in part.splitlines() if line.startswith("What we saw: 2 pings"))
        assert {"device-1": "host unreachable", "device-2": "prohibited"}[name] in seen

"""Devices that cannot be pinged, and addresses that wander: from the first look to the notice."""

from __future__ import annotations

import json
import socket
import sys
from collections.abc import Iterator
from contextlib import ExitStack

import pytest

from hostwatch.core import facts
from tests.lab.conftest import Lab, signal_of
from tests.lab.namespace import Namespace
from tests.lab.topology import NEIGHBOUR, WATCH, address
from tests.lab.waiting import until

pytestmark = pytest.mark.lab

PORT = 8_443
BY_TCP = f", method: {{tcp: {PORT}}}"
BEHIND = {"device-1": address("device-1"), "device-1-six": address("device-1", 6)}
ON_LINK = {"neighbour": NEIGHBOUR[4], "neighbour-six": NEIGHBOUR[6]}


def deaf_to_pings(machine: Namespace) -> None:
    """As many firewalls are."""
    machine.sysctl(ipv4__icmp_echo_ignore_all=1, ipv6__icmp__echo_ignore_all=1)


def mac_of(machine: Namespace, link: str = "lan") -> str:
    words = machine.run("ip", "-o", "link", "show", link).split()
    return words[words.index("link/ether") + 1]


def hostwatch(lab: Lab, verb: str, *words: str) -> object:
    """What a command prints as JSON, on hostwatch's machine."""
    command = [sys.executable, "-m", "hostwatch", verb, "--json", *words]
    return json.loads(lab.net.watch.run(*command, "--config", str(lab.folder / "hostwatch.yaml")))


def test_a_device_that_drops_pings_is_watched_by_tcp(lab: Lab) -> None:
    """
    0 s    device-1 drops pings; its port is open by IPv4 and IPv6, and it answers
    then   the server ends: the device refuses, and that is an answer too
    then   it drops everything: an emergency for both addresses; then it lets all in: both recover
    """
    device = lab.net.devices["device-1"]
    deaf_to_pings(device)
    with ExitStack() as stack:
        server = device.inside(
            lambda: socket.create_server(("", PORT), family=socket.AF_INET6, dualstack_ipv6=True, backlog=128)
        )
        stack.enter_context(server)
        lab.watch(BEHIND, settings=dict.fromkeys(BEHIND, BY_TCP))
    lab.daemon.looked("answered", 4)
    assert lab.daemon.facts(facts.SilenceBegan) == []

    device.nft(f"""
        add table inet lab
        add chain inet lab in {{ type filter hook input priority 0; }}
        add rule inet lab in tcp dport {PORT} drop
    """)
    lab.daemon.said("went-down", count=2)
    until("both are told", lambda: lab.post.told[1:])
    device.nft("delete table inet lab")
    lab.daemon.said("came-up", count=2)

    down = {fact.signal: fact.why for fact in lab.daemon.facts(facts.WentDown)}
    assert down == dict.fromkeys(map(signal_of, BEHIND), "no answer")
    (changed,) = lab.daemon.facts(facts.PopulationChanged, name="device-1")
    assert changed.body["method"] == f"tcp port={PORT}"


def test_a_neighbour_that_answers_nothing_else(lab: Lab) -> None:
    """
    0 s    the neighbour drops whatever comes, and is known all the same
    then   it is switched off: an emergency for both addresses; our own gateway is good
    """
    deaf_to_pings(lab.net.neighbour)
    lab.watch(ON_LINK, settings=dict.fromkeys(ON_LINK, ", method: neighbour"))

    lab.net.switch.ip("link set neighbour down")
    lab.daemon.said("went-down", count=2)

    assert {fact.signal for fact in lab.daemon.facts(facts.WentDown)} == set(map(signal_of, ON_LINK))
    assert lab.daemon.facts(facts.BlindBegan) == []


@pytest.fixture
def other(lab: Lab) -> Iterator[Namespace]:
    """One more machine on hostwatch's own LAN, without an address."""
    machine = Namespace()
    try:
        machine.sysctl(ipv6__conf__all__accept_dad=0, ipv6__conf__default__accept_dad=0)
        lab.net.switch.ip(
            f"link add other type veth peer name lan netns {machine.path}", "link set other master lan up"
        )
        machine.ip("link set lan up")
        yield machine
    finally:
        machine.close()


def test_another_machine_takes_the_address(lab: Lab, other: Namespace) -> None:
    """
    0 s    the neighbour answers by IPv4 and IPv6, pinged and as a neighbour, and is who it should be
    then   both addresses move to another machine, which answers every ping: the device is missed, and why
    then   they move back: it is up again
    """
    own = [f"{NEIGHBOUR[4]}/24", f"{NEIGHBOUR[6]}/64"]
    witness = f', shared: true, witness: {{mac: "{mac_of(lab.net.neighbour)}"}}'
    asked = {f"{name}-asked": where for name, where in ON_LINK.items()}
    settings = dict.fromkeys(ON_LINK, witness) | dict.fromkeys(asked, f", method: neighbour{witness}")
    lab.watch(ON_LINK | asked, settings=settings)

    lab.net.neighbour.ip(*(f"address del {one} dev lan" for one in own))
    other.ip(*(f"address add {one} dev lan" for one in own))
    lab.net.watch.ip("neigh flush dev lan")
    lab.daemon.said("went-down", count=4)
    thief = f"another machine answers (MAC {mac_of(other)})"
    until("all are told", lambda: lab.post.told[3:])
    answers = hostwatch(lab, "ping", NEIGHBOUR[4])

    other.ip(*(f"address del {one} dev lan" for one in own))
    lab.net.neighbour.ip(*(f"address add {one} dev lan" for one in own))
    lab.net.watch.ip("neigh flush dev lan")
    lab.daemon.said("came-up", count=4)

    whys = {fact.signal: fact.why for fact in lab.daemon.facts(facts.WentDown)}
    assert set(whys) == set(map(signal_of, settings))
    assert set(whys.values()) == {thief}
    assert isinstance(answers, list)
    assert [look["outcome"] for look in answers] == ["answered"], "a bare ping takes the other for the device"


def test_the_commands_know_the_methods_and_the_sources(lab: Lab) -> None:
    deaf_to_pings(lab.net.devices["device-1"])
    lab.watch({**BEHIND, **ON_LINK}, settings=dict.fromkeys(BEHIND, BY_TCP))

    looks = hostwatch(lab, "ping", "device-1", NEIGHBOUR[4])
    found = hostwatch(lab, "sources")

    assert isinstance(looks, list)
    assert [(look["device"], look["address"], look["method"], look["outcome"]) for look in looks] == [
        ("device-1", BEHIND["device-1"], f"tcp port={PORT}", "answered"),
        (None, NEIGHBOUR[4], "icmp", "answered"),
    ]
    assert found == [
        {
            "source": WATCH[family],
            "family": family,
            "link": "lan",
            "why": None,
            "methods": ["icmp", f"tcp port={PORT}"],
            "devices": [f"device-1{end}", f"neighbour{end}"],
        }
        for family, end in ((4, ""), (6, "-six"))
    ]

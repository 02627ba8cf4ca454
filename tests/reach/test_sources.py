"""Which of our addresses each device sees, asked of the kernel of a machine with two links."""

from __future__ import annotations

import pytest

from hostwatch.commands.sources import Source, sources
from hostwatch.core.device import Device
from hostwatch.pinger import Packet
from tests.icmp.conftest import BEYOND, HERE, THERE, Cable

pytestmark = pytest.mark.lab


def device(name: str, address: str, method: str = "icmp") -> Device:
    return Device(id=name, customer="acme", address=address, method=method)


def test_each_address_of_ours_has_its_devices(cable: Cable) -> None:
    cable.here.ip("address add 10.97.0.1/24 dev lo", "route add 10.96.0.0/24 via 10.99.0.2 src 10.97.0.1")
    devices = [
        device("z", THERE[4]),
        device("a", BEYOND[4], "tcp port=443 mac=52:54:00:12:34:56"),
        device("six", THERE[6]),
        device("other", "10.96.0.1"),
        device("own", "127.0.0.2"),
    ]

    found = cable.here.inside(lambda: sources(devices))

    assert [(one.address, one.link, one.devices, sorted(one.methods)) for one in found] == [
        ("10.97.0.1", "lo", ["other"], ["icmp"]),
        ("127.0.0.1", "lo", ["own"], ["icmp"]),
        (HERE[4], "port", ["a", "z"], ["icmp", "tcp port=443"]),
        (HERE[6], "port", ["six"], ["icmp"]),
    ]


def test_where_there_is_no_way_the_reason_is_told(cable: Cable) -> None:
    cable.here.ip("route del default", "route add prohibit 10.95.0.0/24")

    found = cable.here.inside(
        lambda: sources([device("far", BEYOND[4]), device("barred", "10.95.0.1"), device("near", THERE[4])])
    )

    assert [(one.address, one.why, one.devices) for one in found] == [
        (HERE[4], "", ["near"]),
        ("", "no route here", ["far"]),
        ("", "sending not permitted here", ["barred"]),
    ]
    assert (
        found[1].plain()
        == Source(address="", link="", why="no route here", methods={"icmp"}, devices=["far"]).plain()
    )


def test_what_is_configured_is_what_is_told(cable: Cable) -> None:
    """By whatever method; the neighbour of a link hears the address of ours on it."""
    cable.here.ip("address add 10.99.0.3/24 dev port", "address add 10.97.0.1/24 dev lo")
    devices = [
        device("ping", THERE[4]),
        device("tcp", BEYOND[4], "tcp port=443"),
        device("six", THERE[6]),
        device("next", "10.99.0.4", "neighbour"),
        device("far", "10.98.0.9", "neighbour"),
    ]

    own = cable.here.inside(lambda: sources(devices, Packet(sources=("10.99.0.3",), interface="port")))
    other = cable.here.inside(lambda: sources(devices, Packet(sources=("10.97.0.1",))))
    nobodys = cable.here.inside(lambda: sources(devices, Packet(sources=("10.99.0.77",))))
    no_link = cable.here.inside(lambda: sources(devices[:1], Packet(interface="nowhere")))

    assert [(one.address, one.link, one.why, one.devices) for one in own] == [
        ("10.99.0.3", "port", "", ["next", "ping", "tcp"]),
        (HERE[6], "port", "", ["six"]),
        ("", "", "not on a link of ours", ["far"]),
    ]
    assert [(one.address, one.devices) for one in other] == [
        ("10.97.0.1", ["ping", "tcp"]),
        (HERE[4], ["next"]),
        (HERE[6], ["six"]),
        ("", ["far"]),
    ]
    assert ("no source address here", ["ping", "tcp"]) in [(one.why, one.devices) for one in nobodys]
    assert [one.why for one in no_link] == ["no such interface here"]

"""Other methods than pings leave as `packets` says, too: from an address of ours, by a link, marked."""

from __future__ import annotations

import asyncio
import socket
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest

from hostwatch.clock import SystemClock
from hostwatch.commands import doctor
from hostwatch.configuration.load import load
from hostwatch.core.reading import Outcome
from hostwatch.pinger import Packet
from tests.icmp.conftest import HERE, THERE, Cable
from tests.lab.namespace import Namespace
from tests.reach.conftest import PATIENT, QUICK, looks

pytestmark = pytest.mark.lab

FAMILIES = pytest.mark.parametrize("family", [4, 6])
SECOND = {4: "10.99.0.3", 6: "fd99::3"}
PACKET = Packet(ttl=9, dscp=46, sources=(SECOND[4], SECOND[6]), interface="port")
PORT = 4_443
METHOD = f"tcp port={PORT}"


@pytest.fixture
def marked(cable: Cable) -> Cable:
    """A second address of ours; and the machine there refuses connections that are not as they should be."""
    cable.here.ip(f"address add {SECOND[4]}/24 dev port", f"address add {SECOND[6]}/64 dev port nodad")
    cable.there.nft(f"""
        add table inet lab
        add chain inet lab in {{ type filter hook input priority 0; }}
        add rule inet lab in ip ttl != 9 tcp dport {PORT} drop
        add rule inet lab in ip dscp != 46 tcp dport {PORT} drop
        add rule inet lab in ip6 hoplimit != 9 tcp dport {PORT} drop
        add rule inet lab in ip6 dscp != 46 tcp dport {PORT} drop
    """)
    return cable


@FAMILIES
def test_connections_leave_as_it_is_set(marked: Cable, family: int) -> None:
    def listening() -> socket.socket:
        return socket.create_server(("", PORT), family=socket.AF_INET6, dualstack_ipv6=True)

    with closing(marked.there.inside(listening)) as server:
        (plain,) = looks(marked, METHOD, THERE[family])
        (look,) = looks(marked, METHOD, THERE[family], manner=replace(PATIENT, packet=PACKET))
        server.settimeout(5)
        connection, source = server.accept()
        connection.close()

    assert plain.outcome is Outcome.MISSED, "it is dropped unless it is marked"
    assert (look.outcome, look.why) == (Outcome.ANSWERED, "")
    assert source[0].removeprefix("::ffff:") == SECOND[family]


def test_loopback_is_reached_all_the_same(marked: Cable) -> None:
    (look,) = looks(marked, METHOD, "127.0.0.1", manner=replace(PATIENT, packet=PACKET))

    assert look.outcome is Outcome.ANSWERED, look.why


@pytest.mark.parametrize(
    ("packet", "why"),
    [
        (Packet(interface="nowhere"), "no such interface here"),
        (Packet(sources=("10.99.0.77",)), "no source address here"),
    ],
)
def test_what_cannot_be_had_is_our_fault(cable: Cable, packet: Packet, why: str) -> None:
    (look,) = looks(cable, METHOD, THERE[4], manner=replace(QUICK, packet=packet))

    assert (look.outcome, look.why) == (Outcome.UNKNOWN, why)


def test_a_pulled_cable_of_the_link_that_is_named_is_our_own_failure(cable: Cable) -> None:
    cable.pull()

    (look,) = looks(cable, METHOD, THERE[4], manner=replace(QUICK, packet=Packet(interface="port")))

    assert (look.outcome, look.why) == (Outcome.UNKNOWN, "no carrier here")


@FAMILIES
def test_neighbours_are_asked_from_the_source_that_is_set(marked: Cable, family: int) -> None:
    """If it is on their link: one that nobody there can answer to would make the dead of all."""
    marked.there.ip(f"neigh flush to {SECOND[family]}")

    (look,) = looks(marked, "neighbour", THERE[family], manner=replace(PATIENT, packet=PACKET))

    assert look.outcome is Outcome.ANSWERED, look.why
    assert SECOND[family] in known(marked.there)
    elsewhere = Packet(sources=("10.97.0.1", "fd97::1"))
    marked.here.ip("address add 10.97.0.1/24 dev lo", "address add fd97::1/64 dev lo nodad")
    (look,) = looks(marked, "neighbour", THERE[family], manner=replace(PATIENT, packet=elsewhere))
    assert look.outcome is Outcome.ANSWERED, look.why
    assert not {"10.97.0.1", "fd97::1"} & set(known(marked.there).split()), "nobody there is told of it"


def known(machine: Namespace) -> str:
    """The neighbours that a machine knows."""
    return machine.run("ip", "neigh", "show")


def test_a_neighbour_on_another_link_than_packets_may_leave_by_is_not_looked_for(cable: Cable) -> None:
    """What we may not ask is unknown, and not dead."""
    cable.here.ip(
        "link add side type veth peer name other",
        "link set other up",
        "link set side up",
        "address add 10.96.0.1/24 dev side",
    )

    (look,) = looks(cable, "neighbour", "10.96.0.2", manner=replace(QUICK, packet=Packet(interface="port")))
    (named,) = looks(
        cable, "neighbour link=port", THERE[4], manner=replace(PATIENT, packet=Packet(interface="side"))
    )

    assert (look.outcome, look.why) == (Outcome.UNKNOWN, "not on a link of ours")
    assert named.outcome is Outcome.ANSWERED, HERE


@pytest.mark.parametrize(
    ("written", "state", "said"),
    [
        ("{source: 10.99.0.3, interface: port}", "good", "leave from 10.99.0.3 by port"),
        ("{source: 10.99.0.77}", "bad", "leave from 10.99.0.77: no source address here"),
        (
            "{interface: nowhere}",
            "bad",
            "leave from the address that the kernel chooses by nowhere: no such interface here",
        ),
    ],
)
def test_the_doctor_sees_whether_we_have_what_is_configured(
    marked: Cable, tmp_path: Path, written: str, state: str, said: str
) -> None:
    path = tmp_path / "h.yaml"
    path.write_text(
        f"site: {{name: Here, timezone: UTC}}\nstore: sqlite:///h.db\npackets: {written}\n", encoding="utf-8"
    )
    loaded = load(path)

    found = marked.here.inside(lambda: asyncio.run(doctor.examine(loaded, SystemClock())))

    (finding,) = (one for one in found if one.part == "packets over IPv4")
    assert (finding.state.name.lower(), finding.said) == (state, said)

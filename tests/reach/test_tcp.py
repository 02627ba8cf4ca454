"""TCP connect: what means that the device is there, what does not, and what is our own failure."""

from __future__ import annotations

import resource
import socket
from collections.abc import Iterator
from contextlib import closing

import pytest

from hostwatch.core.reading import Outcome
from hostwatch.pinger import Look, Pinger
from tests.icmp.conftest import BEYOND, HERE, THERE, Cable
from tests.reach.conftest import PATIENT, QUICK, ask, looks, telling

pytestmark = pytest.mark.lab

FAMILIES = pytest.mark.parametrize("family", [4, 6])
PORT = 4_443
METHOD = f"tcp port={PORT}"


def server(cable: Cable, *, backlog: int = 5) -> socket.socket:
    """A server of both families on the machine there, that nobody takes connections from."""

    def opened() -> socket.socket:
        return socket.create_server(("", PORT), family=socket.AF_INET6, dualstack_ipv6=True, backlog=backlog)

    return cable.there.inside(opened)


def stand_in_the_way(cable: Cable, verdict: str, port: int = PORT) -> None:
    """The machine there treats connections to the port so."""
    cable.there.nft(f"""
        add table inet lab
        add chain inet lab way {{ type filter hook input priority 0; }}
        add rule inet lab way tcp dport {port} {verdict}
    """)


@FAMILIES
def test_whoever_accepts_is_there_and_is_left_with_a_closed_connection(cable: Cable, family: int) -> None:
    with closing(server(cable)) as listening:
        (look,) = looks(cable, METHOD, THERE[family], manner=PATIENT)
        listening.settimeout(5)
        connection, _ = listening.accept()
        connection.settimeout(5)
        with connection:
            assert connection.recv(10) == b"", "closed by FIN, without a word"

    assert (look.outcome, look.why, look.lost) == (Outcome.ANSWERED, "", 0)
    assert look.rtt_us is not None
    assert look.rtt_us < 100_000


@FAMILIES
def test_whoever_refuses_is_there(cable: Cable, family: int) -> None:
    (look,) = looks(cable, METHOD, THERE[family], manner=PATIENT)

    assert (look.outcome, look.why) == (Outcome.ANSWERED, "")


@FAMILIES
def test_a_reset_by_a_firewall_on_the_device_is_an_answer(cable: Cable, family: int) -> None:
    stand_in_the_way(cable, "reject with tcp reset")

    (look,) = looks(cable, METHOD, THERE[family], manner=PATIENT)

    assert look.outcome is Outcome.ANSWERED


@pytest.mark.parametrize(
    ("verdict", "why"),
    [
        ("drop", "no answer"),
        ("reject with icmpx port-unreachable", "port unreachable"),
        ("reject with icmpx host-unreachable", "host unreachable"),
        ("reject with icmpx no-route", "network unreachable"),
        ("reject with icmpx admin-prohibited", "host unreachable"),
    ],
)
def test_whatever_the_network_says_is_a_miss(cable: Cable, verdict: str, why: str) -> None:
    """Also "port unreachable", which programs cannot tell from a refusal: anybody on the way may say it."""
    stand_in_the_way(cable, verdict)

    (look,) = looks(cable, METHOD, THERE[4])

    assert (look.outcome, look.why, look.lost) == (Outcome.MISSED, why, QUICK.attempts)
    assert look.rtt_us is None


def test_words_of_a_router_over_ipv6_are_a_miss_too(cable: Cable) -> None:
    stand_in_the_way(cable, "reject with icmpx admin-prohibited")

    (look,) = looks(cable, METHOD, THERE[6])

    assert look.outcome is Outcome.MISSED


@FAMILIES
def test_a_full_queue_of_a_server_is_silence(cable: Cable, family: int) -> None:
    """It drops what it cannot take: nobody says that he is there."""
    with closing(server(cable, backlog=0)):

        async def twice(pinger: Pinger) -> list[Look]:
            first = await ask(pinger, METHOD, THERE[family])
            return first + await ask(pinger, METHOD, THERE[family])

        first, second = telling(cable, twice)

    assert (first.outcome, second.outcome) == (Outcome.ANSWERED, Outcome.MISSED)


def test_a_link_local_address_names_its_link(cable: Cable) -> None:
    for machine, own in ((cable.here, "fe80::1"), (cable.there, "fe80::2")):
        machine.ip(f"address add {own}/64 dev port nodad")

    (look,) = looks(cable, METHOD, "fe80::2%port", manner=PATIENT)

    assert look.outcome is Outcome.ANSWERED, look.why


def test_a_later_attempt_is_enough(cable: Cable) -> None:
    """The first SYN of each attempt's port is lost; what the answered attempt left is told."""
    cable.there.nft(f"""
        add table inet lab
        add chain inet lab way {{ type filter hook input priority 0; }}
        add rule inet lab way tcp dport {PORT} limit rate over 1/hour burst 1 packets accept
        add rule inet lab way tcp dport {PORT} drop
    """)

    (look,) = looks(cable, METHOD, THERE[4])

    assert (look.outcome, look.lost) == (Outcome.ANSWERED, 1)
    assert look.answered_us is not None
    assert look.answered_us - look.at_us >= QUICK.spacing.total_seconds() * 1_000_000


@FAMILIES
def test_a_dead_neighbour_is_missed(quick: Cable, family: int) -> None:
    dead = {4: "10.99.0.77", 6: "fd99::77"}[family]

    (look,) = looks(quick, METHOD, dead)

    assert (look.outcome, look.why) == (Outcome.MISSED, "host unreachable")


@FAMILIES
def test_no_route_is_our_own_failure(cable: Cable, family: int) -> None:
    cable.here.ip(f"route del {'default' if family == 4 else '::/0'}")

    (look,) = looks(cable, METHOD, BEYOND[family])

    assert (look.outcome, look.why) == (Outcome.UNKNOWN, "no route here")


@pytest.mark.parametrize("kind", ["unreachable", "prohibit", "blackhole"])
def test_a_route_of_our_own_that_refuses_is_our_own_failure(cable: Cable, kind: str) -> None:
    cable.here.ip(f"route add {kind} {BEYOND[4]}/32")

    (look,) = looks(cable, METHOD, BEYOND[4])

    assert look.outcome is Outcome.UNKNOWN


@FAMILIES
def test_a_pulled_cable_is_our_own_failure(cable: Cable, family: int) -> None:
    cable.pull()

    (look,) = looks(cable, METHOD, THERE[family])

    assert (look.outcome, look.why) == (Outcome.UNKNOWN, "no carrier here")


@pytest.fixture
def no_files() -> Iterator[None]:
    """Nobody gets a descriptor beyond those that are needed to look at all."""
    before = resource.getrlimit(resource.RLIMIT_NOFILE)
    yield
    resource.setrlimit(resource.RLIMIT_NOFILE, before)


@pytest.mark.usefixtures("no_files")
def test_no_descriptor_left_is_our_own_failure(cable: Cable) -> None:
    async def exhausted(pinger: Pinger) -> list[Look]:
        free = socket.socket()
        resource.setrlimit(
            resource.RLIMIT_NOFILE, (free.fileno(), resource.getrlimit(resource.RLIMIT_NOFILE)[1])
        )
        free.close()
        held = []
        try:
            while True:
                held.append(socket.socket())
        except OSError:
            pass
        found = await ask(pinger, METHOD, THERE[4])
        for one in held:
            one.close()
        return found

    (look,) = telling(cable, exhausted)

    assert (look.outcome, look.why) == (Outcome.UNKNOWN, "no file descriptor here")


def test_no_connection_stays(cable: Cable) -> None:
    """Neither at us nor there, whatever became of it."""
    stand_in_the_way(cable, "drop", PORT + 1)
    with closing(server(cable)):

        async def both(pinger: Pinger) -> list[Look]:
            return await ask(pinger, METHOD, THERE[4]) + await ask(pinger, f"tcp port={PORT + 1}", THERE[4])

        telling(cable, both)
        states = cable.here.run("ss", "-tanH") + cable.there.run("ss", "-tanH")

    assert not {"SYN-SENT", "SYN-RECV", "ESTAB", "FIN-WAIT-1"} & set(states.split())


def test_a_hundred_devices_at_once(cable: Cable) -> None:
    cable.there.ip(*(f"address add 10.99.0.{number}/32 dev lo" for number in range(100, 200)))
    addresses = [f"10.99.0.{number}" for number in range(100, 200)]

    found = looks(cable, METHOD, *addresses, HERE[4], manner=PATIENT)

    assert [look.outcome for look in found] == [Outcome.ANSWERED] * 101

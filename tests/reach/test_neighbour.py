"""Asking neighbours: who answers for an address on our own link, and who is not believed."""

from __future__ import annotations

import pytest

from hostwatch.core.reading import Outcome
from tests.icmp.conftest import BEYOND, HERE, THERE, Cable
from tests.lab.namespace import Namespace
from tests.reach.conftest import PATIENT, QUICK, looks

pytestmark = pytest.mark.lab

FAMILIES = pytest.mark.parametrize("family", [4, 6])
STRANGE = "52:54:00:99:99:99"


def mac_of(machine: Namespace) -> str:
    """The hardware address of a machine's end of the cable."""
    words = machine.run("ip", "-o", "link", "show", "port").split()
    return words[words.index("link/ether") + 1]


@FAMILIES
def test_a_living_neighbour_answers_though_it_drops_everything_else(cable: Cable, family: int) -> None:
    cable.there.nft("""
        add table inet lab
        add chain inet lab in { type filter hook input priority 0; }
        add rule inet lab in icmpv6 type { nd-neighbor-solicit, nd-neighbor-advert } accept
        add rule inet lab in drop
    """)

    (look,) = looks(cable, "neighbour", THERE[family], manner=PATIENT)
    (ping,) = looks(cable, "icmp", THERE[family])

    assert (look.outcome, look.why, look.lost) == (Outcome.ANSWERED, "", 0)
    assert look.rtt_us is not None
    assert 0 <= look.rtt_us < 100_000
    assert ping.outcome is Outcome.MISSED


@FAMILIES
def test_nobody_at_the_address_is_a_miss(cable: Cable, family: int) -> None:
    (look,) = looks(cable, "neighbour", {4: "10.99.0.77", 6: "fd99::77"}[family])

    assert (look.outcome, look.why, look.lost) == (Outcome.MISSED, "no answer", QUICK.attempts)


@FAMILIES
def test_the_kernels_own_table_answers_for_nobody(cable: Cable, family: int) -> None:
    """An entry that the kernel was given for ever does not make a dead neighbour alive."""
    dead = {4: "10.99.0.77", 6: "fd99::77"}[family]
    cable.here.ip(f"neigh add {dead} lladdr {STRANGE} dev port nud permanent")

    (look,) = looks(cable, "neighbour", dead)

    assert look.outcome is Outcome.MISSED


@FAMILIES
def test_the_witness_is_the_devices_own(cable: Cable, family: int) -> None:
    (look,) = looks(cable, f"neighbour mac={mac_of(cable.there)}", THERE[family], manner=PATIENT)

    assert look.outcome is Outcome.ANSWERED


@FAMILIES
def test_another_machine_at_the_address_is_a_miss_and_says_who(cable: Cable, family: int) -> None:
    (look,) = looks(cable, f"neighbour mac={STRANGE}", THERE[family])

    assert look.outcome is Outcome.MISSED
    assert look.why == f"another machine answers (MAC {mac_of(cable.there)})"


@FAMILIES
@pytest.mark.parametrize("method", ["neighbour", "icmp mac=52:54:00:99:99:99"])
def test_beyond_a_router_there_are_no_neighbours(cable: Cable, family: int, method: str) -> None:
    (look,) = looks(cable, method, BEYOND[family])

    assert look.outcome is Outcome.UNKNOWN
    assert look.why.endswith("not on a link of ours")


@FAMILIES
def test_an_address_of_our_own_has_no_neighbour(cable: Cable, family: int) -> None:
    (look,) = looks(cable, "neighbour", HERE[family])

    assert (look.outcome, look.why) == (Outcome.UNKNOWN, "an address of our own")


@FAMILIES
def test_a_pulled_cable_is_our_own_failure(cable: Cable, family: int) -> None:
    cable.pull()

    (look,) = looks(cable, "neighbour", THERE[family])

    assert (look.outcome, look.why) == (Outcome.UNKNOWN, "no carrier here")


def test_a_link_local_address_names_its_link(cable: Cable) -> None:
    cable.there.ip("address add fe80::2/64 dev port nodad")

    (look,) = looks(cable, "neighbour", "fe80::2%port", manner=PATIENT)

    assert look.outcome is Outcome.ANSWERED


def test_a_link_without_an_address_of_ours_may_be_named(cable: Cable) -> None:
    cable.here.ip(f"address del {HERE[4]}/24 dev port")

    (unnamed,) = looks(cable, "neighbour", THERE[4])
    (named,) = looks(cable, "neighbour link=port", THERE[4], manner=PATIENT)
    (missing,) = looks(cable, "neighbour link=nowhere", THERE[4])

    assert named.outcome is Outcome.ANSWERED
    assert unnamed.outcome is Outcome.UNKNOWN
    assert (missing.outcome, missing.why) == (Outcome.UNKNOWN, "no such link here")


@FAMILIES
def test_without_the_privilege_it_is_our_own_failure(cable: Cable, family: int) -> None:
    cable.here.sysctl(ipv4__ping_group_range="0\t2147483647")

    (look,) = looks(cable, "neighbour", THERE[family], privileged=False)

    assert (look.outcome, look.why) == (Outcome.UNKNOWN, "asking neighbours not permitted here")

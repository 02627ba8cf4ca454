"""A device is known by its hardware address: another machine at its address is not taken for it."""

from __future__ import annotations

import pytest

from hostwatch.core.reading import Outcome
from hostwatch.pinger import Look, Pinger
from tests.icmp.conftest import HERE, THERE, Cable
from tests.reach.conftest import PATIENT, ask, looks, telling
from tests.reach.test_neighbour import STRANGE, mac_of

pytestmark = pytest.mark.lab

FAMILIES = pytest.mark.parametrize("family", [4, 6])
METHODS = pytest.mark.parametrize("method", ["icmp", "tcp port=4443", "neighbour"])


@FAMILIES
@METHODS
def test_the_device_itself(cable: Cable, family: int, method: str) -> None:
    (look,) = looks(cable, f"{method} mac={mac_of(cable.there)}", THERE[family], manner=PATIENT)

    assert (look.outcome, look.why) == (Outcome.ANSWERED, "")
    assert look.rtt_us is not None


@FAMILIES
@METHODS
def test_another_machine_is_a_miss_and_says_who(cable: Cable, family: int, method: str) -> None:
    (look,) = looks(cable, f"{method} mac={STRANGE}", THERE[family])

    assert look.outcome is Outcome.MISSED
    assert look.why == f"another machine answers (MAC {mac_of(cable.there)})"
    assert (look.rtt_us, look.answered_us) == (None, None)


@FAMILIES
def test_silence_is_silence(cable: Cable, family: int) -> None:
    cable.lose()

    (look,) = looks(cable, f"icmp mac={mac_of(cable.there)}", THERE[family])

    assert (look.outcome, look.why) == (Outcome.MISSED, "no answer")


@FAMILIES
def test_who_answered_and_cannot_be_asked_is_not_known(cable: Cable, family: int) -> None:
    """It answers pings, but no question who it is: that is no miss of the device."""
    kind = "arp" if family == 4 else "ip6"
    rule = "arp operation request drop" if family == 4 else "icmpv6 type nd-neighbor-solicit drop"
    learnt = looks(cable, "icmp", THERE[family])  # so that the kernel knows the way already
    mac = mac_of(cable.there)
    cable.here.ip(f"neigh replace {THERE[family]} lladdr {mac} dev port nud permanent")
    cable.there.ip(
        *(f"neigh replace {own} lladdr {mac_of(cable.here)} dev port nud permanent" for own in HERE.values())
    )
    cable.there.nft(f"""
        add table {kind} lab
        add chain {kind} lab way {{ type filter hook input priority 0; }}
        add rule {kind} lab way {rule}
    """)

    (look,) = looks(cable, f"icmp mac={mac}", THERE[family])

    assert learnt[0].outcome is Outcome.ANSWERED
    assert (look.outcome, look.why) == (Outcome.UNKNOWN, "who answered could not be seen: no answer")


def test_devices_with_and_without_a_witness_side_by_side(cable: Cable) -> None:
    cable.there.ip("address add 10.99.0.3/24 dev port", "address add 10.99.0.4/24 dev port")

    async def mixed(pinger: Pinger) -> list[Look]:
        right, wrong = f"icmp mac={mac_of(cable.there)}", f"icmp mac={STRANGE}"
        return [
            *await ask(pinger, right, "10.99.0.2"),
            *await ask(pinger, wrong, "10.99.0.3"),
            *await ask(pinger, "icmp", "10.99.0.4", "10.99.0.99"),
        ]

    outcomes = [look.outcome for look in telling(cable, mixed)]

    assert outcomes == [Outcome.ANSWERED, Outcome.MISSED, Outcome.ANSWERED, Outcome.MISSED]

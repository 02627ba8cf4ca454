"""Our own cable is pulled: whoever is behind it is not to blame, over both families."""

from __future__ import annotations

from datetime import timedelta

import pytest

from hostwatch.carrier import NO_CARRIER, Carrier
from hostwatch.clock import Clock, SystemClock
from hostwatch.core.reading import Outcome
from hostwatch.icmp import IcmpPinger
from hostwatch.pinger import Manner
from tests.icmp.conftest import BEYOND, HERE, THERE, Cable, ask

pytestmark = pytest.mark.lab

QUICK = Manner(attempts=1, timeout=timedelta(milliseconds=200))
FAMILIES = pytest.mark.parametrize("family", [4, 6])


@FAMILIES
def test_without_a_carrier_nobody_is_silent(cable: Cable, family: int) -> None:
    """A neighbour and a distant device: both are looked at over the same dead cable, as are we ourselves."""
    cable.pull()
    neighbour, distant, own = cable.looks(QUICK, THERE[family], BEYOND[family], HERE[family])

    assert (neighbour.outcome, neighbour.why) == (Outcome.UNKNOWN, NO_CARRIER)
    assert (distant.outcome, distant.why) == (Outcome.UNKNOWN, NO_CARRIER)
    assert own.outcome is Outcome.ANSWERED


@FAMILIES
def test_with_a_carrier_the_silent_are_missed(cable: Cable, family: int) -> None:
    cable.lose()
    looks = cable.looks(QUICK, THERE[family], BEYOND[family], HERE[family])

    assert [look.outcome for look in looks] == [Outcome.MISSED] * 3


@FAMILIES
def test_an_address_of_our_own_needs_no_cable(cable: Cable, family: int) -> None:
    cable.lose()
    cable.pull()
    (own,) = cable.looks(QUICK, HERE[family])

    assert own.outcome is Outcome.MISSED


@FAMILIES
def test_loopback_needs_no_cable(cable: Cable, family: int) -> None:
    cable.lose()
    cable.pull()
    (look,) = cable.looks(QUICK, {4: "127.0.0.1", 6: "::1"}[family])

    assert look.outcome is Outcome.MISSED


def test_the_link_is_the_one_that_packets_leave_by(cable: Cable) -> None:
    """A second cable that is alive saves nobody behind the first, and one that is dead blames nobody else."""
    cable.here.ip(
        "link add second type veth peer name far",
        "link set second up",
        "link set far up",
        "address add 10.97.0.1/24 dev second",
        "address add fd97::1/64 dev second nodad",
    )
    cable.pull()
    dead, alive, dead_6, alive_6 = cable.looks(QUICK, THERE[4], "10.97.0.9", THERE[6], "fd97::9")
    assert [dead.why, dead_6.why] == [NO_CARRIER, NO_CARRIER]
    assert [alive.outcome, alive_6.outcome] == [Outcome.MISSED, Outcome.MISSED]


def test_a_link_that_is_down_or_has_no_way_out_is_ours(cable: Cable) -> None:
    carrier = Carrier(SystemClock())
    assert cable.here.inside(lambda: carrier.fault(THERE[4])) == ""

    cable.here.ip("link set port down")
    assert cable.here.inside(lambda: carrier.fault(THERE[4])) == "no route here"


def test_a_cable_that_is_plugged_in_again_is_believed_after_a_second(cable: Cable) -> None:
    async def story(pinger: IcmpPinger, clock: Clock) -> list[str]:
        first = await ask(pinger, clock, QUICK, THERE[4])
        cable.there.ip("link set port up")
        cable.lose()
        while (looks := await ask(pinger, clock, QUICK, THERE[4]))[0].outcome is Outcome.UNKNOWN:
            pass
        return [look.why for look in first + looks]

    cable.pull()
    assert cable.pinging(story)[0] == NO_CARRIER

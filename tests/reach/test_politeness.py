"""All methods keep one account of what leaves, and no link is troubled with thousands of requests."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest

from hostwatch.core.reading import Outcome
from hostwatch.pace import HELD, Limits
from hostwatch.pinger import Look, Manner, Pinger
from tests.icmp.conftest import THERE, Cable
from tests.reach.conftest import PATIENT, ask, telling
from tests.reach.test_neighbour import mac_of

pytestmark = pytest.mark.lab

TCP = "tcp port=4443"
FAMILIES = pytest.mark.parametrize("family", [4, 6])
HURRIED = Manner(attempts=1, timeout=timedelta(seconds=2), late_after=timedelta(milliseconds=500))


def limited(cable: Cable, limits: Limits, manner: Manner, *asked: tuple[str, str]) -> list[Look]:
    """One look at each, as method and address, under these limits; in the order in which they left."""

    async def story(pinger: Pinger) -> list[Look]:
        pinger.limit(limits)
        looks = await asyncio.gather(*(ask(pinger, method, where, manner=manner) for method, where in asked))
        return [look for some in looks for look in some]

    return sorted(telling(cable, story), key=lambda look: look.at_us)


def spaced(looks: list[Look], per_s: int, at_once: int, over: int = 10) -> bool:
    """Whether no more left than may: so many at once, and then one after another."""
    step_us = 1_000_000 // per_s
    return all(
        last.at_us - first.at_us >= (over - at_once - 1) * step_us
        for first, last in zip(looks, looks[over:], strict=False)
    )


def addresses(cable: Cable, count: int) -> list[str]:
    """So many addresses of the machine there."""
    found = [f"10.99.0.{100 + number}" for number in range(count)]
    cable.there.ip(*(f"address add {address}/32 dev lo" for address in found))
    return found


def test_tcp_keeps_to_the_limits_too(cable: Cable) -> None:
    asked = [(TCP, address) for address in addresses(cable, 40)]

    looks = limited(cable, Limits(per_second=50), PATIENT, *asked)

    assert {look.outcome for look in looks} == {Outcome.ANSWERED}
    assert spaced(looks, 50, 5)


def test_all_methods_count_in_one_account(cable: Cable) -> None:
    some = addresses(cable, 36)
    asked = [((TCP, "icmp", "neighbour")[place % 3], address) for place, address in enumerate(some)]

    looks = limited(cable, Limits(per_second=40), PATIENT, *asked)

    assert [look.outcome for look in looks] == [Outcome.ANSWERED] * 36, {look.why for look in looks}
    assert spaced(looks, 40, 4)


def test_one_network_is_spared_by_all_methods(cable: Cable) -> None:
    asked = [(TCP if place % 2 else "icmp", one) for place, one in enumerate(addresses(cable, 30))]

    looks = limited(cable, Limits(per_second_and_network=40), PATIENT, *asked)

    assert {look.outcome for look in looks} == {Outcome.ANSWERED}
    assert spaced(looks, 40, 4)


@pytest.mark.parametrize("method", [TCP, "neighbour"])
def test_who_is_held_back_too_long_is_unknown(cable: Cable, method: str) -> None:
    asked = [(method, address) for address in addresses(cable, 20)]

    looks = limited(cable, Limits(per_second=10), HURRIED, *asked)

    assert {(look.outcome, look.why) for look in looks} == {
        (Outcome.ANSWERED, ""),
        (Outcome.UNKNOWN, HELD),
    }


@FAMILIES
def test_a_link_hears_no_more_requests_than_may_be(cable: Cable, family: int) -> None:
    """Retries count too. Pings on the same link are not held back."""
    dead = [f"{'10.99.0.' if family == 4 else 'fd99::'}{200 + number}" for number in range(20)]
    manner = Manner(attempts=2, spacing=timedelta(milliseconds=50), timeout=timedelta(milliseconds=50))
    asked = [*(("neighbour", address) for address in dead), ("icmp", THERE[family])]

    looks = limited(cable, Limits(per_second_and_link=40), manner, *asked)

    (ping,) = (look for look in looks if look.address == THERE[family])
    silent = [look for look in looks if look is not ping]
    assert {(look.outcome, look.lost) for look in silent} == {(Outcome.MISSED, 2)}
    assert max(look.known_us for look in silent) - silent[0].at_us >= (40 - 5) * 25_000
    assert ping.at_us < silent[10].at_us


def test_witnesses_that_cannot_be_asked_in_time_leave_answers_unknown(cable: Cable) -> None:
    """A storm of answers must not become one of broadcasts, nor may an unseen witness be believed."""
    method = f"icmp mac={mac_of(cable.there)}"
    asked = [(method, address) for address in addresses(cable, 20)]

    looks = limited(cable, Limits(per_second_and_link=10), HURRIED, *asked)

    assert {(look.outcome, look.why) for look in looks} == {
        (Outcome.ANSWERED, ""),
        (Outcome.UNKNOWN, f"who answered could not be seen: {HELD}"),
    }

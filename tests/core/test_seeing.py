"""Who must answer that we see, and what of a miss stands: tables and properties, without a packet."""

from __future__ import annotations

from collections.abc import Collection

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hostwatch.core.seeing import (
    BLIND,
    DEAF,
    HEARD_MAX,
    REMEMBERED_MAX,
    UNLIT,
    Habit,
    Memory,
    Miss,
    Points,
    tally,
)

G1, G2, G3, G6 = "192.0.2.1", "192.0.2.2", "192.0.2.3", "2001:db8::1"
B1, B2, B3, B6 = "198.51.100.7", "203.0.113.9", "203.0.113.77", "2001:db8:f::9"
BEACONS = (B1, B2, B3)

SITES = {
    "nobody": Points(),
    "gateway": Points(gateways=(G1,)),
    "two gateways, both must": Points(gateways=(G1, G2), quorum=2),
    "gateways of both families": Points(gateways=(G1, G6)),
    "gateway and beacons": Points(gateways=(G1,), beacons=BEACONS),
    "beacons": Points(beacons=BEACONS),
    "an even number of beacons": Points(beacons=(B1, B2)),
    "a beacon of the other family": Points(gateways=(G1,), beacons=(B6,)),
}


@pytest.mark.parametrize(
    ("site", "heard", "families"),
    [
        ("nobody", [], {4, 6}),
        ("gateway", [G1], {4, 6}),
        ("gateway", [], set()),
        ("two gateways, both must", [G1, G2], {4, 6}),
        ("two gateways, both must", [G1], set()),
        ("gateways of both families", [G1], {4}),
        ("gateways of both families", [G6], {6}),
        ("gateway and beacons", [G1], {4, 6}),  # the carrier is dead: no blindness of ours
        ("gateway and beacons", [B1, B3], {4, 6}),  # the gateway drops pings, and forwards
        ("gateway and beacons", [B1], set()),
        ("beacons", [B1, B2], {4, 6}),
        ("beacons", [B3], set()),
        ("an even number of beacons", [B1], set()),
        ("an even number of beacons", [B1, B2], {4, 6}),
        ("a beacon of the other family", [G1], {4, 6}),  # a gateway lives: no beacon blinds us
        ("a beacon of the other family", [B6], {6}),
    ],
)
def test_in_which_families_we_see(site: str, heard: Collection[str], families: set[int]) -> None:
    assert SITES[site].seen(heard) == families


@pytest.mark.parametrize(
    ("site", "heard", "leans"),
    [
        ("gateway and beacons", [G1], False),
        ("gateway and beacons", [B1, B2, B3], True),
        ("gateway and beacons", [], True),
        ("gateway", [], False),
        ("beacons", [], False),
        ("a beacon of the other family", [G1], False),
        ("a beacon of the other family", [], True),
    ],
)
def test_beacons_are_leant_on_only_where_gateways_do_not_suffice(
    site: str, heard: Collection[str], leans: bool
) -> None:
    assert SITES[site].leans_on_beacons(heard) is leans


def test_what_falls_short_is_said_in_numbers() -> None:
    both = Points(gateways=(G1, G2, G6), quorum=1, beacons=BEACONS)

    assert both.shortfall([B1]) == (
        "IPv4: 0 of 2 gateways answered, 1 must, 1 of 3 beacons answered, 2 must;"
        " IPv6: 0 of 1 gateways answered, 1 must"
    )
    assert both.shortfall([G1, G6]) == ""
    assert tally(both.quorums(6), [G6]) == "1 of 1 gateways answered, 1 must"


ADDRESSES = [G1, G2, G3, G6, B1, B2, B3, B6]
some = st.sets(st.sampled_from(ADDRESSES))


@st.composite
def sites(draw: st.DrawFn) -> Points:
    gateways = draw(st.sets(st.sampled_from(ADDRESSES)))
    beacons = draw(st.sets(st.sampled_from([one for one in ADDRESSES if one not in gateways] or [B1])))
    counts = [sum((":" in one) == six for one in gateways) for six in (False, True)]
    most = min((count for count in counts if count), default=1)
    return Points(
        gateways=tuple(sorted(gateways)),
        beacons=tuple(sorted(beacons - gateways)),
        quorum=draw(st.integers(1, most)),
    )


@given(sites(), some, some)
def test_one_more_who_answers_never_makes_sight_worse(
    points: Points, heard: set[str], more: set[str]
) -> None:
    assert points.seen(heard) <= points.seen(heard | more)
    assert points.is_enough(heard) <= points.is_enough(heard | more)
    assert points.leans_on_beacons(heard) >= points.leans_on_beacons(heard | more)


@given(sites(), some)
def test_silent_beacons_never_blind_us_while_a_quorum_of_gateways_answers(
    points: Points, others: set[str]
) -> None:
    """However many beacons there are, and of whichever family."""
    if points.gateways:
        heard = set(points.gateways) | (others - set(points.beacons))
        assert points.seen(heard) == {4, 6}
        assert not points.leans_on_beacons(heard)


@given(sites(), some)
def test_who_is_no_reference_point_says_nothing(points: Points, heard: set[str]) -> None:
    assert points.seen(heard) == points.seen(heard & set(points.addresses))


@given(sites())
def test_all_who_answer_are_enough_and_nobody_is_not(points: Points) -> None:
    assert points.is_enough(points.addresses)
    assert points.is_enough(()) is (not points.addresses)
    assert (points.shortfall(()) == "") is (not points.addresses)


def us(at_s: float) -> int:
    """A time of the stories in microseconds since 1970."""
    return BEGUN_US + round(at_s * 1_000_000)


BEGUN_US = 1_790_000_000_000_000
MISS = Miss(4, us(0), us(3))
# A ping of three packets at 0, 1 and 2 s, known to be missed at 3 s; glances each second. Times in seconds.
HABIT = Habit(every_us=5_000_000, longest_us=3_000_000, pulse_us=500_000, patience_us=1_100_000)
SHORT = Habit(every_us=5_000_000, longest_us=3_000_000, pulse_us=2_000_000, patience_us=1_100_000)
Glances = dict[float, tuple[str, ...]]
WELL: Glances = {-1.0: (G1, G2), 0.6: (G1, G2), 1.6: (G1, G2), 3.1: (G1, G2)}
"""Whom each glance heard, and when."""


def seen(
    points: Points, glances: dict[float, tuple[str, ...]], habit: Habit = HABIT, near: bool = False
) -> str:
    """What is said of the ping after these glances, each good as its answers say."""
    memory = Memory()
    for at_s, heard in glances.items():
        at_us = us(at_s)
        for address in heard:
            memory.hear(address, at_us)
        memory.keep(at_us, points.seen(heard), {4, 6}, habit.every_us)
    return memory.doubt(MISS._replace(is_near=near), points, habit)


@pytest.mark.parametrize(
    ("site", "glances", "doubt"),
    [
        ("gateway", WELL, ""),
        ("gateway", {**WELL, -1.0: ()}, BLIND),
        ("gateway", {**WELL, 3.1: ()}, BLIND),
        ("gateway", {**WELL, 1.6: ()}, BLIND),  # one glance that failed spoils it
        ("gateway", {-1.0: (G1,)}, BLIND),  # none since
        ("gateway", {-14.0: (G1,), 0.6: (G1,), 3.1: (G1,)}, BLIND),  # the last before it is too old
        ("gateway", {-1.0: (G1,), 3.1: (G1,)}, BLIND),  # none inside: who cut us off for 3 s is not seen
        ("two gateways, both must", WELL, ""),
        ("two gateways, both must", {**WELL, 0.6: (G1,)}, BLIND),
        ("gateway and beacons", dict.fromkeys(WELL, (B1, B2)), ""),
        ("gateway and beacons", {**WELL, 1.6: (B1, B2), 3.1: (B2, B3)}, ""),  # each glance by whom it heard
        ("gateway and beacons", dict.fromkeys(WELL, (B1,)), BLIND),
        ("gateway and beacons", {**WELL, 0.6: (B1,), 1.6: (B2,)}, BLIND),
        ("beacons", dict.fromkeys(WELL, (B1, B2)), ""),
        ("beacons", WELL, UNLIT),
        ("nobody", WELL, ""),
        ("nobody", {-1.0: ()}, DEAF),
    ],
)
def test_what_of_a_miss_stands(site: str, glances: dict[float, tuple[str, ...]], doubt: str) -> None:
    assert seen(SITES[site], dict(sorted(glances.items()))) == doubt


def test_inside_a_ping_each_of_the_quorum_must_have_answered() -> None:
    """
    Two gateways, each behind a link of ours, and devices behind the second; glances around the ping are good.
    Inside, only the first gateway answered: the second link may have been cut for just that long.
    """
    points = SITES["two gateways, both must"]
    memory = Memory()
    for at_s in (-1, 3.1):
        memory.keep(us(at_s), {4, 6}, {4, 6}, HABIT.every_us)

    memory.hear(G1, us(0.5))
    memory.hear(G1, us(1))
    assert memory.doubt(MISS, points, HABIT) == BLIND
    memory.hear(G2, us(1.95))  # after the last packet of the ping: too late to vouch for it
    assert memory.doubt(MISS, points, HABIT) == BLIND
    memory.hear(G2, us(1.7))
    assert memory.doubt(MISS, points, HABIT) == ""


def test_inside_a_ping_answers_of_gateways_and_beacons_are_not_added_up() -> None:
    points = Points(gateways=(G1, G2), quorum=2, beacons=BEACONS)
    memory = Memory()
    for at_s in (-1, 3.1):
        memory.keep(us(at_s), {4, 6}, {4, 6}, HABIT.every_us)

    for address in (G1, B1):
        memory.hear(address, us(0.5))
    assert memory.doubt(MISS, points, HABIT) == BLIND
    memory.hear(B3, us(0.9))
    assert memory.doubt(MISS, points, HABIT) == ""


def test_a_ping_without_an_inside_is_judged_by_the_glances_around_it() -> None:
    assert seen(SITES["gateway"], {-1.0: (G1,), 3.1: (G1,)}, SHORT) == ""


def test_a_target_on_loopback_needs_no_reference_point() -> None:
    assert seen(SITES["gateway and beacons"], dict.fromkeys(WELL, ()), near=True) == ""


def test_of_very_many_glances_and_answers_the_latest_are_remembered() -> None:
    """One each five seconds, until right after the ping."""
    memory, count = Memory(), max(REMEMBERED_MAX, HEARD_MAX) + 10
    for at_s in (3.5 - 5 * place for place in reversed(range(count))):
        memory.keep(us(at_s), {4, 6}, {4, 6}, HABIT.every_us)
        memory.hear(G1, us(at_s))
    memory.hear(G1, us(0.5))

    assert memory.doubt(MISS, SITES["gateway"], HABIT) == ""
    assert len(memory.times_us) == REMEMBERED_MAX


def test_nothing_is_left_of_what_was_seen_by_another_clock() -> None:
    memory = Memory()
    memory.hear(G1, 1)
    memory.keep(1, {4, 6}, {4, 6}, HABIT.every_us)
    memory.forget()

    assert memory == Memory()

"""How packets look on the cable, and how many leave: as it is set, and never more."""

from __future__ import annotations

import asyncio
import socket
import struct
from contextlib import closing
from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hostwatch.clock import Clock
from hostwatch.core.reading import Outcome
from hostwatch.core.schedule import ICMP
from hostwatch.icmp import IcmpPinger
from hostwatch.pace import AT_ONCE_NS, HELD, Held, Limits, Pace, Queues, network
from hostwatch.packets import packed
from hostwatch.pinger import Ask, Batch, Look, Manner, Packet
from tests.icmp.conftest import HERE, THERE, Cable, ask
from tests.icmp.quotes import opened

lab = pytest.mark.lab

SECOND = {4: "10.99.0.3", 6: "fd99::3"}
TIMEOUT = timedelta(milliseconds=300)
QUICK = Manner(attempts=1, timeout=TIMEOUT)
MODES = pytest.mark.parametrize("mode", ["raw", "ping socket"])
FAMILIES = pytest.mark.parametrize("family", [4, 6])


def came(there: socket.socket, family: int) -> tuple[str, int, int, int]:
    """An echo request as it came in: source, TTL, DSCP, bytes of the payload."""
    while True:
        packet, ancillary, _, source = there.recvmsg(2048, 128)
        if family == 4 and packet[20] == 8:
            return str(source[0]), packet[8], packet[1] >> 2, len(packet) - 28
        if family == 6 and packet[0] == 128:
            told = {kind: struct.unpack("=i", data)[0] for _, kind, data in ancillary}
            hops, traffic = told[socket.IPV6_HOPLIMIT], told[socket.IPV6_TCLASS]
            return str(source[0]), hops, traffic >> 2, len(packet) - 8


@lab
@MODES
@FAMILIES
def test_packets_are_as_they_are_set(cable: Cable, family: int, mode: str) -> None:
    """From another address of ours, and with all else unusual; what goes to loopback is answered too."""
    cable.here.ip(f"address add {SECOND[4]}/24 dev port", f"address add {SECOND[6]}/64 dev port nodad")
    packet = Packet(ttl=9, dscp=46, payload_bytes=333, sources=(SECOND[4], SECOND[6]), interface="port")
    manner = Manner(attempts=3, timeout=timedelta(seconds=2), packet=packet)  # neighbours are found first
    with closing(opened(cable.there, family)) as there:
        if family == 6:
            for option in (socket.IPV6_RECVHOPLIMIT, socket.IPV6_RECVTCLASS):
                there.setsockopt(socket.IPPROTO_IPV6, option, 1)
        looks = cable.pinging(
            lambda pinger, clock: ask(pinger, clock, manner, THERE[family], "127.0.0.1", "::1"), mode=mode
        )
        assert came(there, family) == (SECOND[family], 9, 46, 333)
    assert [(look.outcome, look.why) for look in looks] == [(Outcome.ANSWERED, "")] * 3


@lab
@pytest.mark.parametrize(
    ("packet", "why"),
    [
        (Packet(interface="nowhere"), "no such interface here"),
        (Packet(sources=("10.99.0.77",)), "no source address here"),
    ],
)
def test_what_cannot_be_had_is_our_fault(cable: Cable, packet: Packet, why: str) -> None:
    manner = Manner(attempts=1, timeout=TIMEOUT, packet=packet)
    (look,) = cable.looks(manner, THERE[4])

    assert (look.outcome, look.why) == (Outcome.UNKNOWN, why)


@lab
def test_there_is_an_end_to_sockets(cable: Cable) -> None:
    """Those that nothing is on its way by make room."""

    async def story(pinger: IcmpPinger, clock: Clock) -> list[Look]:
        manners = (Manner(attempts=1, timeout=TIMEOUT, packet=Packet(ttl=ttl)) for ttl in range(1, 40))
        return [look for manner in manners for look in await ask(pinger, clock, manner, THERE[4])]

    assert {look.outcome for look in cable.pinging(story)} == {Outcome.ANSWERED}


def limited(cable: Cable, limits: Limits, manner: Manner, *addresses: str) -> list[Look]:
    """One look at each under these limits, in the order in which they left."""

    async def story(pinger: IcmpPinger, clock: Clock) -> list[Look]:
        pinger.limit(limits)
        return await ask(pinger, clock, manner, *addresses)

    return sorted(cable.pinging(story), key=lambda look: look.at_us)


MANY = [f"127.8.{place % 3}.{place + 1}" for place in range(60)]


@lab
def test_no_more_leave_than_may(cable: Cable) -> None:
    """A hundred a second: ten at once, then one each 10 ms."""
    looks = limited(cable, Limits(per_second=100), QUICK, *MANY)

    assert {look.outcome for look in looks} == {Outcome.ANSWERED}
    for first, last in zip(looks, looks[20:], strict=False):
        assert last.at_us - first.at_us >= (20 - 11) * 10_000


@lab
def test_no_more_leave_to_one_network_than_may_and_others_are_not_held_back(cable: Cable) -> None:
    looks = limited(cable, Limits(per_second_and_network=100), QUICK, *MANY, "127.9.0.1")

    assert {look.outcome for look in looks} == {Outcome.ANSWERED}
    for third in range(3):
        some = [look for look in looks if network(packed(look.address)) == packed(MANY[third])[:3]]
        assert len(some) == 20
        assert some[-1].at_us - some[0].at_us >= (19 - 11) * 10_000
    (other,) = (look for look in looks if look.address == "127.9.0.1")
    assert other.at_us < looks[-1].at_us


@lab
@pytest.mark.parametrize("limits", [Limits(per_second=10), Limits(per_second_and_network=4)])
def test_who_is_held_back_too_long_is_unknown_and_nobody_is_left_out(cable: Cable, limits: Limits) -> None:
    manner = Manner(attempts=1, timeout=TIMEOUT, late_after=timedelta(milliseconds=500))
    looks = limited(cable, limits, manner, *MANY)

    assert len(looks) == len(MANY)
    whys = {(look.outcome, look.why) for look in looks}
    assert whys == {(Outcome.ANSWERED, ""), (Outcome.UNKNOWN, HELD)}


@lab
def test_retries_count_too(cable: Cable) -> None:
    """Four packets each to ten that are silent, at ten a second: it takes three seconds at least."""
    cable.there.nft("""
        add table inet lab
        add chain inet lab in { type filter hook input priority 0; }
        add rule inet lab in icmp type echo-request drop
    """)
    cable.here.ip(*(f"route add 10.98.3.{n} via {THERE[4]}" for n in range(1, 11)))
    cable.there.ip("route add local 10.98.3.0/24 dev lo")
    manner = Manner(attempts=4, spacing=timedelta(milliseconds=50), timeout=TIMEOUT)
    looks = limited(cable, Limits(per_second=10), manner, *(f"10.98.3.{n}" for n in range(1, 11)))

    assert {(look.outcome, look.lost) for look in looks} == {(Outcome.MISSED, 4)}
    assert max(look.known_us for look in looks) - looks[0].at_us >= (40 - 3) * 100_000


@given(
    per_s=st.integers(1, 2_000),
    gaps=st.lists(st.integers(0, 200_000), min_size=1, max_size=200),
)
def test_in_no_span_of_time_more_is_let_out_than_the_limit_allows(per_s: int, gaps: list[int]) -> None:
    pace = Pace(Limits(per_second=per_s))
    now_us, left = 0, []
    for gap in gaps:
        now_us += gap
        held = pace.hold(packed(HERE[4]), now_us)
        if held:
            assert held.until_us > now_us
            now_us = held.until_us
            assert pace.hold(packed(HERE[4]), now_us) is None
        left.append(now_us)
    for place, since in enumerate(left):
        for count, until in enumerate(left[place:], 1):
            assert count <= (until - since) * per_s / 1e6 + AT_ONCE_NS * per_s / 1e9 + 1.01


@given(
    limits=st.builds(
        Limits,
        per_second=st.sampled_from([0, 20, 50]),
        per_second_and_network=st.sampled_from([0, 10, 20]),
        per_second_and_uplink=st.sampled_from([0, 10, 30]),
    ),
    salvos=st.lists(
        st.tuples(
            st.integers(0, 300_000),
            st.lists(st.tuples(st.sampled_from(["192.0.2", "198.51.100"]), st.sampled_from(["", "east"]))),
        ),
        max_size=8,
    ),
)
def test_many_together_leave_exactly_when_each_of_them_may(
    limits: Limits, salvos: list[tuple[int, list[tuple[str, str]]]]
) -> None:
    """One account asked for salvos, another for one packet after the other; they never come apart."""
    together, apart, now_us = Pace(limits), Pace(limits), 10**6
    for gap_us, salvo in salvos:
        now_us += gap_us
        addresses = [packed(f"{network}.{place + 1}") for place, (network, _) in enumerate(salvo)]
        uplinks = [uplink for _, uplink in salvo]
        before = [dict(limit.owed_until_ns) for limit in together._limits]
        asked = [*zip(addresses, [now_us] * len(salvo), uplinks, strict=True)]
        each = [apart.hold(*one) for one in asked]
        if together.let_go(addresses, uplinks, now_us):
            assert not any(each)
        else:
            assert any(each)
            assert before == [limit.owed_until_ns for limit in together._limits], "none was counted"
            assert each == [together.hold(*one) for one in asked]


def test_what_lies_behind_one_uplink_is_counted_together() -> None:
    """Whatever its address; and what lies behind none does not count."""
    pace = Pace(Limits(per_second_and_uplink=1))
    one, two, three = (packed(address) for address in ("192.0.2.1", "198.51.100.1", "203.0.113.1"))

    assert pace.hold(one, 10**6, "east") is None
    held = pace.hold(two, 10**6, "east")
    assert held is not None
    assert held.until_us > 10**6
    assert pace.hold(three, 10**6, "west") is None
    assert [pace.hold(one, 10**6) for _ in range(10)] == [None] * 10


def test_requests_that_a_whole_link_hears_are_counted_by_link() -> None:
    pace = Pace(Limits(per_second_and_link=1))

    assert pace.hold(packed(HERE[4]), 10**6, link="eth0") is None
    assert pace.hold(packed(THERE[4]), 10**6, link="eth0") is not None
    assert pace.hold(packed(HERE[4]), 10**6, link="eth1") is None
    assert [pace.hold(packed(HERE[4]), 10**6) for _ in range(10)] == [None] * 10


def test_what_is_held_back_by_one_limit_is_not_counted_by_another() -> None:
    pace = Pace(Limits(per_second=20, per_second_and_network=1))
    first, second = packed("192.0.2.1"), packed("198.51.100.1")

    assert pace.hold(first, 10**6) is None
    assert all(pace.hold(first, 10**6) is not None for _ in range(10))
    assert pace.hold(second, 10**6) is None, "the second of the two that may leave at once in all"


@given(st.lists(st.tuples(st.sampled_from("ab"), st.booleans()), max_size=60))
def test_only_the_first_of_a_line_asks_and_nobody_is_lost_or_overtaken(steps: list[tuple[str, bool]]) -> None:
    queues: Queues[int] = Queues()
    lines: dict[str, list[int]] = {"a": [], "b": []}
    for number, (by, joins) in enumerate(steps):
        line = lines[by]
        if joins:
            assert queues.join(number, by) == (not line)
            line.append(number)
        elif line:
            line.pop(0)
            assert queues.leave(by) == (line[0] if line else None)


def together(cable: Cable, limits: Limits, manner: Manner, uplinks: dict[str, str]) -> tuple[list[Look], int]:
    """One look at each address, that lies behind an uplink; and how often it was asked who may leave."""

    class Counting(Pace):
        asked = 0

        def hold(self, address: bytes, now_us: int, uplink: str = "", link: str = "") -> Held | None:
            self.asked += 1
            return super().hold(address, now_us, uplink, link)

    pace = Counting(limits)

    async def story(pinger: IcmpPinger, clock: Clock) -> list[Look]:
        pinger.keep_to(pace)
        asks = tuple(Ask(address, address, clock.now_us(), ICMP, up) for address, up in uplinks.items())
        return [look async for group in pinger.probe(Batch(asks=asks, manner=manner)) for look in group]

    return sorted(cable.pinging(story), key=lambda look: look.at_us), pace.asked


@lab
def test_who_waits_behind_others_does_not_ask(cable: Cable) -> None:
    """Two hundred behind one uplink at 200 a second; one behind another is not held back."""
    addresses = [f"127.8.{place % 7}.{place // 7 + 1}" for place in range(200)]
    uplinks = dict.fromkeys(addresses, "east") | {"127.9.0.1": "west"}

    looks, asked = together(cable, Limits(per_second_and_uplink=200), QUICK, uplinks)

    assert {look.outcome for look in looks} == {Outcome.ANSWERED}
    east = [look for look in looks if look.address != "127.9.0.1"]
    assert [look.address for look in east] == addresses, "in the order in which they came"
    for first, last in zip(east, east[50:], strict=False):
        assert last.at_us - first.at_us >= (50 - 21) * 5_000
    (west,) = (look for look in looks if look.address == "127.9.0.1")
    assert west.at_us < east[50].at_us
    assert asked <= 201 + 200 + 200, "each asks when it comes, when it is the first, and when it may"


@lab
def test_whoever_gives_up_does_not_keep_those_behind_from_leaving(cable: Cable) -> None:
    """The looks of one batch are given up while they wait; another's behind them are made all the same."""

    async def story(pinger: IcmpPinger, clock: Clock) -> list[Look]:
        pinger.limit(Limits(per_second_and_uplink=10))
        now_us = clock.now_us()
        first, second = (
            tuple(Ask(f"127.{net}.0.{n}", f"127.{net}.0.{n}", now_us, ICMP, "east") for n in range(1, 6))
            for net in (8, 9)
        )
        giving_up = pinger.probe(Batch(asks=first, manner=replace(QUICK, attempts=9, spacing=TIMEOUT)))
        waiting = asyncio.ensure_future(anext(giving_up))
        others = asyncio.create_task(gathered(pinger, Batch(asks=second, manner=QUICK)))
        await clock.sleep(timedelta(milliseconds=150))
        waiting.cancel()
        await asyncio.gather(waiting, return_exceptions=True)
        return await others

    async def gathered(pinger: IcmpPinger, batch: Batch) -> list[Look]:
        return [look async for group in pinger.probe(batch) for look in group]

    assert [look.outcome for look in cable.pinging(story)] == [Outcome.ANSWERED] * 5

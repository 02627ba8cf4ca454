"""Very many first packets at once: each is known again by itself, and none is lost for another's fault."""

from __future__ import annotations

import asyncio
import gc
from collections import Counter
from contextlib import closing
from datetime import timedelta
from typing import cast

import pytest

from hostwatch import departures, sieve
from hostwatch.clock import SystemClock
from hostwatch.columns import Column
from hostwatch.configuration.packets import PAYLOAD_BYTES_MAX
from hostwatch.core.reading import Outcome
from hostwatch.echo import EchoSocket, Outlet
from hostwatch.icmp import IcmpPinger
from hostwatch.lanes import Lane, Round
from hostwatch.packets import CHANCE_BYTES, KEY_END, Requests, packed
from hostwatch.pinger import Ask, Batch, Look, Manner, Packet
from hostwatch.tries import Tries, Try
from hostwatch.volley import Salvo, Volley
from tests.icmp.conftest import THERE, Cable
from tests.icmp.fuzz import LOOPBACK, Ears

MANY = 300
TARGETS = {
    4: [f"127.8.{n >> 8}.{n & 255}" for n in range(1, MANY + 1)],
    6: [f"fd96::{n:x}" for n in range(1, MANY + 1)],
}
NO_WAY = {4: "203.0.113.9", 6: "2001:db8::9"}
MARK = b"mark"
BRIEF = timedelta(milliseconds=50)


def _sum_of(packet: bytes) -> int:
    """The ones' complement sum, in the slow and plain way; 0xFFFF is right."""
    total = sum(int.from_bytes(packet[at : at + 2]) for at in range(0, len(packet), 2))
    while total > 0xFFFF:
        total = (total & 0xFFFF) + (total >> 16)
    return total


@pytest.mark.parametrize("payload_bytes", [16, 27, 28, 56, 512])
@pytest.mark.parametrize("identifier", [0, 0x0B6D, 0xFFFF])
def test_first_packets_are_right_whatever_was_drawn(payload_bytes: int, identifier: int) -> None:
    chance = bytes(CHANCE_BYTES) + b"\xff" * CHANCE_BYTES + bytes(range(3 * CHANCE_BYTES))
    requests = Requests(4, identifier, payload_bytes)

    keys, packets = requests.first_ones(MARK, chance)

    drawn = [chance[at : at + CHANCE_BYTES] for at in range(0, len(chance), CHANCE_BYTES)]
    assert keys == [requests.key(1, MARK + one) for one in drawn]
    size = 8 + payload_bytes
    for key, packet in zip(keys, _apart(packets, size), strict=True):
        assert packet[4:KEY_END] == key
        assert packet[:2] == bytes([sieve.ECHO_REQUEST[4], 0])
        assert _sum_of(packet.ljust(len(packet) + len(packet) % 2, b"\0")) == 0xFFFF


def _apart(packets: bytes, size: int) -> list[bytes]:
    """Packets that stand one behind the other."""
    return [packets[at : at + size] for at in range(0, len(packets), size)]


def _prepare(cable: Cable, family: int) -> None:
    for one in TARGETS[6] if family == 6 else ():
        cable.here.ip(f"address add {one}/128 dev lo nodad")


@pytest.mark.lab
@pytest.mark.parametrize("family", [4, 6])
def test_all_of_very_many_are_answered(cable: Cable, family: int) -> None:
    assert len(TARGETS[family]) >= departures.TOGETHER_MIN
    _prepare(cable, family)

    looks = cable.looks(Manner(attempts=1), *TARGETS[family])

    assert Counter((look.outcome, look.lost) for look in looks) == {(Outcome.ANSWERED, 0): MANY}
    assert [look.address for look in looks] == TARGETS[family]
    assert all(look.rtt_us is not None and 0 <= look.rtt_us < 1_000_000 for look in looks)


@pytest.mark.lab
@pytest.mark.parametrize("family", [4, 6])
def test_a_packet_that_may_not_leave_keeps_none_of_the_others(cable: Cable, family: int) -> None:
    """Three of them, at the beginning, amid the others and at the end; all others are answered."""
    _prepare(cable, family)
    stopped = [NO_WAY[family][:-1] + end for end in "789"]
    for one in stopped:
        cable.here.ip(f"route add prohibit {one}/{32 if family == 4 else 128}")
    targets = [stopped[0], *TARGETS[family][:100], stopped[1], *TARGETS[family][100:], stopped[2]]

    looks = cable.looks(Manner(attempts=1), *targets)

    found = {look.address: look for look in looks}
    assert {found[one].outcome for one in stopped} == {Outcome.UNKNOWN}
    assert Counter(found[one].outcome for one in TARGETS[family]) == {Outcome.ANSWERED: MANY}


@pytest.mark.lab
def test_an_address_that_names_its_link_is_reached_among_others(cable: Cable) -> None:
    there = cable.there.run("ip", "-6", "-o", "address", "show", "dev", "port", "scope", "link").split()
    address = next(word.partition("/")[0] for word in there if word.startswith("fe80"))

    looks = cable.looks(Manner(), f"{address}%port", "fd99::2")

    assert [(look.outcome, look.why) for look in looks] == 2 * [(Outcome.ANSWERED, "")]


@pytest.mark.parametrize(("ago_s", "is_answered"), [(0, True), (0.9, True), (1.1, False), (299, False)])
def test_an_answer_counts_if_it_came_in_time(ago_s: float, *, is_answered: bool) -> None:
    """Whenever it is read: the ping is over a second after its packet left."""
    ears, clock = Ears(4, raw=False), SystemClock()
    with closing(ears):
        sock, tries = cast(EchoSocket, ears), Tries(clock)
        round_ = Round(Manner(attempts=1), 7, 1)
        lane = Lane(round_, 4, sock)
        round_.left = 2  # another's look is still to come
        (key,), request = lane.requests.first_ones(MARK, bytes(CHANCE_BYTES))
        now_us = clock.monotonic_us()
        left = [now_us - int(ago_s * 1_000_000)]
        asks = [Ask("one", LOOPBACK[4], 0)]
        tries.expect_all(Salvo(lane, asks, [packed(LOOPBACK[4])], [key], left, clock.now_us() - now_us))

        ears.mouth.send(bytes([sieve.ECHO_REPLY[4]]) + request[1:])
        tries.take(sock, ears.intake.fill(ears.sock))

    assert [look.outcome for look in round_.answered] == [Outcome.ANSWERED] * is_answered
    assert len(tries) == (0 if is_answered else 1)


def test_what_is_no_whole_reply_answers_nobody() -> None:
    """An error with our key where a reply has it; then a stub, behind which that key still stands."""
    ears, clock = Ears(4, raw=False), SystemClock()
    with closing(ears):
        sock, tries = cast(EchoSocket, ears), Tries(clock)
        round_ = Round(Manner(attempts=1), 7, 1)
        lane = Lane(round_, 4, sock)
        round_.left = 2
        (key,), request = lane.requests.first_ones(MARK, bytes(CHANCE_BYTES))
        now_us = clock.monotonic_us()
        asks = [Ask("one", LOOPBACK[4], 0)]
        tries.expect_all(Salvo(lane, asks, [packed(LOOPBACK[4])], [key], [now_us], clock.now_us() - now_us))

        for packet in (b"\3" + request[1:], bytes([sieve.ECHO_REPLY[4]]) + request[1:12]):
            ears.mouth.send(packet)
            tries.take(sock, ears.intake.fill(ears.sock))

    assert not round_.answered
    assert len(tries) == 1


def test_answers_to_several_salvos_and_what_is_none_come_in_mixed() -> None:
    """One call of the kernel brings them all, in the order of the table; what answers nobody still waits."""
    ears, clock = Ears(4, raw=False), SystemClock()
    with closing(ears):
        sock, tries = cast(EchoSocket, ears), Tries(clock)
        rounds = [Round(Manner(attempts=1), number, 1) for number in (7, 8, 9)]
        packets: dict[str, bytes] = {}
        for round_, names in zip(rounds, ("abcde", "fg", "hi"), strict=True):
            round_.left = 9  # others' looks are still to come
            lane = Lane(round_, 4, sock)
            keys, made = lane.requests.first_ones(MARK, bytes(range(CHANCE_BYTES * len(names))))
            requests = _apart(made, len(made) // len(names))
            packets |= {name: b"\0" + request[1:] for name, request in zip(names, requests, strict=True)}
            now_us = clock.monotonic_us()
            salvo = Salvo(
                lane,
                [Ask(name, LOOPBACK[4], 0) for name in names],
                [packed("127.0.0.9" if name in "bg" else LOOPBACK[4]) for name in names],
                keys,
                [now_us - 1_500_000 * (name in "ci") for name in names],
                clock.now_us() - now_us,
            )
            tries.expect_all(salvo)

        came = {
            "a": packets["a"],
            "f": packets["f"],
            "b, from another address": packets["b"],
            "a again": packets["a"],
            "d as an error": b"\3" + packets["d"][1:],
            "c, too late": packets["c"],
            "nobody's": packets["a"][:8] + bytes(56),
            "h": packets["h"],
            "e cut short": packets["e"][:23],
            "g, from another address": packets["g"],
            "d": packets["d"],
            "i, too late": packets["i"],
        }
        for packet in came.values():
            ears.mouth.send(packet)
        tries.take(sock, ears.intake.fill(ears.sock))

    answered = [[(look.signal, look.rtt_us is not None) for look in one.answered] for one in rounds]
    assert answered == [[("a", True), ("d", True)], [("f", True)], [("h", True)]]
    assert [9 - one.left for one in rounds] == [2, 1, 1]
    assert len(tries) == len("bcegi")


def test_answers_of_very_many_are_told_before_the_end(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each once, so that they need not all be kept until the last."""
    for module in ("tries", "icmp"):
        monkeypatch.setattr(f"hostwatch.{module}.MANY_ANSWERS", 10)
    monkeypatch.setattr(departures, "BURST_MAX", 25)

    async def ping() -> list[tuple[Look, ...]]:
        pinger = IcmpPinger(SystemClock())
        try:
            asks = tuple(Ask(address, address, pinger._clock.now_us()) for address in TARGETS[4])
            return [group async for group in pinger.probe(Batch(asks=asks, manner=Manner()))]
        finally:
            await pinger.close()

    groups = asyncio.run(ping())

    assert len(groups) > 1
    assert sorted(look.address for group in groups for look in group) == sorted(TARGETS[4])
    assert {look.outcome for group in groups for look in group} == {Outcome.ANSWERED}


def test_asks_are_spread_over_the_sockets_of_a_way_however_few_leave_together() -> None:
    """Four sockets, and one ask in each tenth of a second, or many at once."""

    async def begin(apart_us: int) -> list[int]:
        pinger = IcmpPinger(SystemClock())
        pinger._outlets.twins = 4
        now_us = pinger._clock.now_us() + 60_000_000
        asks = tuple(Ask(one, one, now_us + apart_us * n) for n, one in enumerate(TARGETS[4][:40]))
        try:
            round_ = pinger._begin(Batch(asks=asks, manner=Manner()))
            found = [sorted(ask.at_us for one in lane.volleys for ask in one.asks) for lane in round_.lanes]
            assert sorted(at_us for times in found for at_us in times) == [ask.at_us for ask in asks]
            pinger._abandon(round_)
            return [len(times) for times in found]
        finally:
            await pinger.close()

    assert asyncio.run(begin(0)) == [10, 10, 10, 10]
    assert asyncio.run(begin(100_000)) == [10, 10, 10, 10]


def test_of_a_batch_that_nobody_waits_for_any_more_nothing_stays() -> None:
    async def ping() -> int:
        pinger = IcmpPinger(SystemClock())
        try:
            pinger._outlets.twins = 1  # also where buffers are small
            now_us = pinger._clock.now_us()
            asks = tuple(Ask(one, one, now_us) for one in ("127.0.0.1", "127.0.0.2"))
            looking = aiter(pinger.probe(Batch(asks=asks, manner=Manner(timeout=timedelta(hours=1)))))
            waiting = asyncio.ensure_future(anext(looking))
            for one in pinger._outlets.sockets.values():
                sieve.close(one.sock, one.family)  # nothing comes in any more
            async with asyncio.timeout(10):
                while len(pinger._tries) < len(asks):  # noqa: ASYNC110 - until both have left
                    await asyncio.sleep(0.01)
            assert pinger._outlets.in_use() == [pinger._outlets.sockets[Outlet(4)]]
            waiting.cancel()
            await asyncio.wait({waiting})
            return len(pinger._tries) + len(pinger._outlets.in_use())
        finally:
            await pinger.close()

    assert asyncio.run(ping()) == 0


@pytest.mark.parametrize("count", [0, 1, 63, 64, 65, 200])
def test_a_column_is_the_same_bytes_of_each_row(count: int) -> None:
    rows = [bytes([place, 255 - place, place ^ 5]) for place in range(count)]
    assert Column(3, 1, 2).cut(b"".join(rows) + b"more", count) == [row[1:] for row in rows]


@pytest.mark.lab
def test_the_longest_packet_passes_the_narrowest_way_in_one_piece(cable: Cable) -> None:
    for end in (cable.here, cable.there):
        end.ip("link set port mtu 552")
    looks = cable.looks(Manner(packet=Packet(payload_bytes=PAYLOAD_BYTES_MAX)), THERE[4])
    assert [look.outcome for look in looks] == [Outcome.ANSWERED]


@pytest.mark.parametrize("silent", [False, True])
def test_what_is_over_ends_without_the_collector_of_garbage(silent: bool) -> None:
    """Three thousand looks a second that wait for it would hold up the loop for a third of a second."""

    def left() -> set[str]:
        kinds = (Round, Lane, Salvo, Volley, Try, Look)
        return {type(one).__name__ for one in gc.get_objects() if isinstance(one, kinds)}

    async def ping() -> None:
        pinger = IcmpPinger(SystemClock())
        try:
            manner = Manner(attempts=2, spacing=BRIEF, timeout=BRIEF, decoy=silent)
            asks = tuple(Ask(address, address, pinger._clock.now_us()) for address in TARGETS[4][:20])
            outcomes = {
                look.outcome
                async for group in pinger.probe(Batch(asks=asks, manner=manner))
                for look in group
            }
            assert outcomes == {Outcome.MISSED if silent else Outcome.ANSWERED}
            async with asyncio.timeout(10):
                while left():  # noqa: ASYNC110 - turns of what was answered are still on the wheel
                    await asyncio.sleep(0.01)
        finally:
            await pinger.close()

    gc.collect()
    gc.disable()
    try:
        assert not left()
        asyncio.run(ping())
    finally:
        gc.enable()

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
from hostwatch.core.reading import Outcome
from hostwatch.echo import EchoSocket
from hostwatch.icmp import IcmpPinger
from hostwatch.lanes import Lane, Round
from hostwatch.packets import CHANCE_BYTES, KEY_END, Requests, packed
from hostwatch.pinger import Ask, Batch, Look, Manner
from hostwatch.tries import Tries, Try
from hostwatch.volley import Salvo, Volley
from tests.icmp.conftest import Cable
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
    for key, packet in zip(keys, packets, strict=True):
        assert packet[4:KEY_END] == key
        assert packet[:2] == bytes([sieve.ECHO_REQUEST[4], 0])
        assert len(packet) == 8 + payload_bytes
        assert _sum_of(packet.ljust(len(packet) + len(packet) % 2, b"\0")) == 0xFFFF


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
        (key,), (request,) = lane.requests.first_ones(MARK, bytes(CHANCE_BYTES))
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
        (key,), (request,) = lane.requests.first_ones(MARK, bytes(CHANCE_BYTES))
        now_us = clock.monotonic_us()
        asks = [Ask("one", LOOPBACK[4], 0)]
        tries.expect_all(Salvo(lane, asks, [packed(LOOPBACK[4])], [key], [now_us], clock.now_us() - now_us))

        for packet in (b"\3" + request[1:], bytes([sieve.ECHO_REPLY[4]]) + request[1:12]):
            ears.mouth.send(packet)
            tries.take(sock, ears.intake.fill(ears.sock))

    assert not round_.answered
    assert len(tries) == 1


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

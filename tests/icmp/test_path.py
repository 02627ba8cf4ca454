"""Words of routers about pings that may pass few of them: each to its own hop, and only those about ours."""

from __future__ import annotations

import asyncio
import socket
import struct
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import replace
from datetime import timedelta

import pytest

from hostwatch.clock import Clock
from hostwatch.core import instant
from hostwatch.core.path import Ending, Path
from hostwatch.core.reading import Outcome
from hostwatch.icmp import IcmpPinger
from hostwatch.path import look_along
from hostwatch.pinger import Ask, Batch, Look, Manner
from hostwatch.tries import Try
from tests.icmp.conftest import BEYOND, HERE, THERE, Cable
from tests.icmp.quotes import error, opened, quoted, request
from tests.lab.namespace import Namespace
from tests.lab.waiting import until

pytestmark = pytest.mark.lab

MANNER = Manner(attempts=1, timeout=timedelta(milliseconds=600))
FAMILIES = pytest.mark.parametrize("family", [4, 6])
MODES = pytest.mark.parametrize("mode", ["raw", "ping socket"])
NOWHERE = {4: "10.98.9.1", 6: "fd98::9:1"}
Made = Callable[[Try], bytes | None]


@pytest.fixture(autouse=True)
def way(cable: Cable, family: int) -> None:
    """Both machines know each other as neighbours, and the way beyond: nothing is lost but what is to be."""
    until("the way there", lambda: cable.looks(MANNER, BEYOND[family])[0].outcome is Outcome.ANSWERED)


def number(one: Try, attempt: int = 1) -> int:
    return one.ask.hops << 8 | attempt


def quote(one: Try, family: int, *, many: int = 64, sequence: int | None = None, turned: int = 0) -> bytes:
    """What a router quotes of a request. `turned`: another identifier."""
    made = request(
        family, one.lane.identifier ^ turned, one.nonce, number(one) if sequence is None else sequence
    )
    return quoted(family, BEYOND[family], made[:many])


def hearing(cable: Cable, family: int, *made: Made, hops: tuple[int, ...] = (61, 62, 63)) -> list[Look]:
    """Looks at some hops towards a silent device, while somebody says things of the requests."""
    cable.lose("1-65535")

    async def story(pinger: IcmpPinger, clock: Clock) -> list[Look]:
        loop = asyncio.get_running_loop()

        def speak() -> None:
            for key in [*pinger._tries._in_salvos]:
                pinger._tries._single_out(key)
            tries = [*pinger._tries._by_key.values()]
            if len(tries) < len(hops):
                loop.call_soon(speak)
                return
            for one in tries:
                for make in made:
                    told = make(one)
                    if told is not None:
                        router.sendto(error(family, told), (HERE[family], 0))

        loop.call_soon(speak)
        now_us = instant.micros(clock.now())
        asks = tuple(Ask(str(hop), BEYOND[family], now_us, hops=hop) for hop in hops)
        groups = [group async for group in pinger.probe(Batch(asks=asks, manner=MANNER))]
        return sorted((look for group in groups for look in group), key=lambda look: look.signal)

    with closing(opened(cable.there, family)) as router:
        router.bind((THERE[family], 0))
        return cable.pinging(story)


@FAMILIES
@pytest.mark.parametrize("many", [8, 20, 24, 64])
def test_a_word_belongs_to_its_hop_however_little_is_quoted(cable: Cable, family: int, many: int) -> None:
    """Somebody says something of the packets for the second hop alone."""
    looks = hearing(cable, family, lambda one: quote(one, family, many=many) if one.ask.hops == 62 else None)

    assert [look.said for look in looks] == ["", "host unreachable", ""]
    assert [look.said_by for look in looks] == ["", THERE[family], ""]
    assert {look.outcome for look in looks} == {Outcome.MISSED}


@FAMILIES
def test_words_about_no_packet_of_ours_change_nothing(cable: Cable, family: int) -> None:
    """Other numbers, hops, identifiers, nonces, targets: nobody is believed."""
    looks = hearing(
        cable, family,
        lambda one: quote(one, family, sequence=number(one, 2)),
        lambda one: quote(one, family, many=8, sequence=number(one, 0)),
        lambda one: quote(one, family, many=8, sequence=1),
        lambda one: quote(one, family, many=8, sequence=64 << 8 | 1),
        lambda one: quote(one, family, many=8, turned=0x100),
        lambda one: quoted(
            family, HERE[family], request(family, one.lane.identifier, one.nonce, number(one))[:8]
        ),
        lambda one: quoted(
            family, BEYOND[family],
            request(family, one.lane.identifier, one.nonce[:4] + bytes(12), number(one)),
        ),
    )  # fmt: skip

    assert {(look.outcome, look.why, look.said, look.said_by) for look in looks} == {
        (Outcome.MISSED, "no answer", "", "")
    }


LIAR = {4: "10.99.0.66", 6: "fd99::66"}


@pytest.fixture
def liar(cable: Cable, family: int) -> Iterator[Callable[[Try], None]]:
    """Sends a guess about a request from an address of its own: eight bytes, which no nonce is in."""
    cable.there.ip(
        f"address add {LIAR[family]}/{24 if family == 4 else 64} dev port{' nodad' * (family == 6)}"
    )
    with closing(opened(cable.there, family)) as sock:
        sock.bind((LIAR[family], 0))

        def lie(one: Try) -> None:
            sock.sendto(error(family, quote(one, family, many=8)), (HERE[family], 0))

        yield lie


@FAMILIES
def test_a_guess_is_displaced_by_who_quotes_the_nonce(
    cable: Cable, family: int, liar: Callable[[Try], None]
) -> None:
    looks = hearing(cable, family, liar, lambda one: quote(one, family))

    assert [look.said_by for look in looks] == [THERE[family]] * 3


@FAMILIES
def test_a_guess_displaces_nobody_who_quotes_the_nonce(
    cable: Cable, family: int, liar: Callable[[Try], None]
) -> None:
    """Of a plain ping too, to which words may come until its time is over."""
    looks = hearing(cable, family, lambda one: quote(one, family), liar, hops=(0, 62))
    guessed = hearing(cable, family, liar, hops=(0,))

    assert looks[0].why == f"host unreachable, says {THERE[family]}"
    assert looks[1].said_by == THERE[family]
    assert guessed[0].why == f"host unreachable, says {LIAR[family]}"  # it did come


@FAMILIES
@MODES
def test_a_path_is_seen_on_each_kind_of_socket(cable: Cable, family: int, mode: str) -> None:
    """A router that has no way to the device is named; so is the way to one that answers beyond it."""
    nowhere, words = NOWHERE[family], {4: "host unreachable", 6: "network unreachable"}[family]
    cable.there.sysctl(ipv4__ip_forward=1, ipv6__conf__all__forwarding=1)
    cable.there.ip(f"route add unreachable {nowhere}")

    def along(to: str) -> Path:
        return cable.pinging(lambda pinger, clock: look_along(pinger, clock, to, Manner()), mode=mode)

    refused, reached = along(nowhere), along(BEYOND[family])

    assert (refused.ending, refused.hop, refused.router) == (Ending.REFUSED, *_where(refused, THERE[family]))
    assert refused.said in (words, "host unreachable")
    assert (reached.ending, reached.hop, reached.routers) == (Ending.REACHED, 1, (BEYOND[family],))


def _where(seen: Path, router: str) -> tuple[int, str]:
    """The hop of which a router spoke: the packet for the first may be given up before it has no way."""
    return next(hop.number for hop in seen.hops if hop.said_by == router and hop.said == seen.said), router


@FAMILIES
def test_a_packet_says_how_far_it_may_go(cable: Cable, family: int) -> None:
    """Whatever the manner says of the time to live: seen at the other end of the cable."""
    with closing(_sniffer(cable.there)) as wire:
        cable.pinging(
            lambda pinger, clock: _hops(
                pinger, clock, family, replace(MANNER, timeout=timedelta(milliseconds=50))
            )
        )
        lives: set[int] = set()
        while len(lives) < 3:
            frame = wire.recv(2048)
            if (found := _life(frame, family)) is not None:
                lives.add(found)
    assert lives == {5, 64, 255}


async def _hops(pinger: IcmpPinger, clock: Clock, family: int, manner: Manner) -> None:
    now_us = instant.micros(clock.now())
    asks = tuple(Ask(str(hop), BEYOND[family], now_us, hops=hop) for hop in (5, 0, 255))
    async for _ in pinger.probe(Batch(asks=asks, manner=manner)):
        pass


def _sniffer(where: Namespace) -> socket.socket:
    def opened_there() -> socket.socket:
        sock = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(3))
        sock.bind(("port", 0))
        sock.settimeout(10)
        return sock

    return where.inside(opened_there)


def _life(frame: bytes, family: int) -> int | None:
    """The time to live of an echo request."""
    (kind,) = struct.unpack_from("!H", frame, 12)
    if family == 4 and kind == 0x0800 and frame[23] == 1 and frame[34] == 8:
        return frame[22]
    if family == 6 and kind == 0x86DD and frame[20] == 58 and frame[54] == 128:
        return frame[21]
    return None

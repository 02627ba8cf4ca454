"""Errors that routers send: ours are let in and named, however little they quote; others' stay outside."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import closing
from datetime import timedelta

import pytest

from hostwatch.clock import Clock
from hostwatch.core.reading import Outcome
from hostwatch.echo import EchoSocket, Outlet, new_identifier
from hostwatch.icmp import IcmpPinger
from hostwatch.pinger import Look, Manner
from tests.icmp.conftest import BEYOND, HERE, THERE, Cable, UnderWay, ask, under_way
from tests.icmp.quotes import error, opened, quoted, request

pytestmark = pytest.mark.lab

MANNER = Manner(attempts=1, timeout=timedelta(milliseconds=600))
FAMILIES = pytest.mark.parametrize("family", [4, 6])
MARK, NONCE = b"\xabcde", b"\xabcde" + b"our nonce..."
TAGGED, OTHER = 0x12AB, 0x12AC
OPTIONS = bytes([1]) * 8

Quote = Callable[[int], bytes]
OURS: dict[str, Quote] = {
    "whole": lambda f: quoted(f, BEYOND[f], request(f, TAGGED, NONCE)),
    "whole, by any identifier": lambda f: quoted(f, BEYOND[f], request(f, OTHER, NONCE)),
    "as far as the mark": lambda f: quoted(f, BEYOND[f], request(f, TAGGED, NONCE)[:12]),
    "a bit of the mark": lambda f: quoted(f, BEYOND[f], request(f, TAGGED, NONCE)[:11]),
    "eight bytes": lambda f: quoted(f, BEYOND[f], request(f, TAGGED, NONCE)[:8]),
}
NOT_OURS: dict[str, Quote] = {
    "another mark": lambda f: quoted(f, BEYOND[f], request(f, TAGGED, b"\xabcdf" + bytes(12))),
    "eight bytes without our tag": lambda f: quoted(f, BEYOND[f], request(f, OTHER, NONCE)[:8]),
    "no request": lambda f: quoted(f, BEYOND[f], request(f, TAGGED, NONCE, kind=0)),
    "seven bytes": lambda f: quoted(f, BEYOND[f], request(f, OTHER, NONCE)[:5]),
    "nothing": lambda f: b"",
}


def test_identifiers_bear_the_tag_and_change() -> None:
    made = {new_identifier(MARK) for _ in range(2_000)}

    assert {number & 0xFF for number in made} == {MARK[0]}
    assert len(made) > 200
    assert min(made) > 0xFF


@FAMILIES
def test_the_kernel_leaves_out_what_is_not_about_our_requests(cable: Cable, family: int) -> None:
    """Errors of all sorts come; then one of ours, by which it is known that all have come."""
    with (
        closing(opened(cable.there, family)) as router,
        closing(cable.here.inside(lambda: EchoSocket(Outlet(family), MARK))) as ours,
    ):
        for quote in (*NOT_OURS.values(), *OURS.values()):
            router.sendto(error(family, quote(family)), (HERE[family], 0))
        raw = [_next(ours) for _ in OURS]
        assert not ours.intake.fill(ours.sock)
    body = {number: packet[20:] if family == 4 else packet for number, packet in enumerate(raw)}
    assert [body[number][8:] for number in body] == [quote(family) for quote in OURS.values()]


def _next(ours: EchoSocket) -> bytes:
    ours.sock.settimeout(10)
    try:
        return ours.sock.recv(2048)
    finally:
        ours.sock.setblocking(False)


def test_options_before_a_quoted_request_change_nothing(cable: Cable) -> None:
    def told(mark: bytes) -> bytes:
        return error(4, quoted(4, BEYOND[4], request(4, TAGGED, mark + bytes(12)), OPTIONS))

    with (
        closing(opened(cable.there, 4)) as router,
        closing(cable.here.inside(lambda: EchoSocket(Outlet(4), MARK))) as ours,
    ):
        for mark in (b"\xabcdf", MARK):
            router.sendto(told(mark), (HERE[4], 0))
        assert _next(ours)[20:] == told(MARK)
        assert not ours.intake.fill(ours.sock)


def quoting(cable: Cable, family: int, *made: Callable[[UnderWay], bytes]) -> Look:
    """One look at a silent device beyond the router, which says something of its request."""
    cable.lose()

    async def story(pinger: IcmpPinger, clock: Clock) -> list[Look]:
        loop = asyncio.get_running_loop()

        def speak() -> None:
            if not under_way(pinger):
                loop.call_soon(speak)
            for one in under_way(pinger):
                for make in made:
                    router.sendto(error(family, make(one)), (HERE[family], 0))

        loop.call_soon(speak)
        return await ask(pinger, clock, MANNER, BEYOND[family])

    with closing(opened(cable.there, family)) as router:
        (look,) = cable.pinging(story)
    assert look.outcome is Outcome.MISSED
    return look


@FAMILIES
@pytest.mark.parametrize("many", [8, 12, 20, 64])
def test_who_said_it_is_told_however_little_was_quoted(cable: Cable, family: int, many: int) -> None:
    look = quoting(
        cable, family,
        lambda one: quoted(family, BEYOND[family], request(family, one.lane.identifier, one.nonce)[:many]),
    )  # fmt: skip

    assert look.why == f"host unreachable, says {THERE[family]}"


@FAMILIES
def test_a_short_quote_must_be_of_this_very_request(cable: Cable, family: int) -> None:
    """Another target, a number that was not sent, another identifier, another nonce: nobody is told."""
    look = quoting(
        cable, family,
        lambda one: quoted(family, HERE[family], request(family, one.lane.identifier, one.nonce)[:8]),
        lambda one: quoted(family, BEYOND[family], request(family, one.lane.identifier, one.nonce, 2)[:8]),
        lambda one: quoted(family, BEYOND[family], request(family, one.lane.identifier, one.nonce, 0)[:8]),
        lambda one: quoted(
            family, BEYOND[family], request(family, one.lane.identifier ^ 0x100, one.nonce)[:8]
        ),
        lambda one: quoted(
            family, BEYOND[family],
            request(family, one.lane.identifier, one.nonce[:4] + bytes([one.nonce[4] ^ 1]))[:13],
        ),
    )  # fmt: skip

    assert look.why == "no answer"


@FAMILIES
@pytest.mark.parametrize("mode", ["raw", "ping socket"])
def test_a_true_word_of_a_router_is_told_on_each_kind_of_socket(cable: Cable, family: int, mode: str) -> None:
    """The router has no way to one address; the other, asked at the same time, answers."""
    nowhere = {4: "10.98.9.1", 6: "fd98::9:1"}[family]
    words = {4: "host unreachable", 6: "network unreachable"}[family]
    cable.there.sysctl(ipv4__ip_forward=1, ipv6__conf__all__forwarding=1)
    cable.there.ip(f"route add unreachable {nowhere}")
    silent, heard = cable.pinging(
        lambda pinger, clock: ask(pinger, clock, MANNER, nowhere, BEYOND[family]), mode=mode
    )

    assert (silent.outcome, silent.why) == (Outcome.MISSED, f"{words}, says {THERE[family]}")
    assert (heard.outcome, heard.why) == (Outcome.ANSWERED, "")

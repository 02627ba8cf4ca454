"""What a name server may have us read, and when all others have their turn meanwhile."""

from __future__ import annotations

import asyncio
import socket
import struct
import threading

import dns.message
import dns.name
import dns.rcode
import dns.rdatatype
import pytest

from hostwatch.checks import _question
from hostwatch.checks._question import RECORDS_AT_ONCE, RECORDS_MAX, fitting, over_datagrams, question, read

WWW = dns.name.from_text("www.example.test")


def asked() -> dns.message.QueryMessage:
    return question(WWW, dns.rdatatype.MX)


def answer(to: dns.message.QueryMessage, records: int, name: str = "www.example.test") -> bytes:
    """Mail servers of a name of 126 parts, each of them named by two bytes."""
    long = b"\x01a" * 126 + b"\0"
    asks = b"".join(bytes([len(part)]) + part.encode() for part in [*name.split("."), ""]) + struct.pack(
        "!2H", dns.rdatatype.MX, 1
    )
    place = struct.pack("!H", 0xC000 | 12 + len(asks))
    records_of = (
        (place if number else long)
        + struct.pack("!HHIH", dns.rdatatype.MX, 1, 60, 4)
        + struct.pack("!H", number)
        + place
        for number in range(records)
    )
    return (
        to.id.to_bytes(2, "big") + struct.pack("!5H", 0x8180, 1, records, 0, 0) + asks + b"".join(records_of)
    )


def test_what_answers_another_question_is_not_even_read(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each of these would take a second, and sixty-four may come."""
    to = asked()
    monkeypatch.setattr(dns.message, "from_wire", lambda *_, **__: pytest.fail("it was read"))
    assert fitting(to, answer(to, RECORDS_MAX, "x")) is None


@pytest.mark.parametrize("name", ["WWW.example.TEST", "www.example.test"])
def test_the_case_of_the_question_makes_no_difference(name: str) -> None:
    to = asked()
    assert fitting(to, answer(to, 1, name)) is not None


@pytest.mark.parametrize(
    ("code", "is_answer"), [("REFUSED", True), ("SERVFAIL", True), ("NOERROR", False), ("NXDOMAIN", False)]
)
def test_who_refuses_need_not_repeat_the_question(code: str, *, is_answer: bool) -> None:
    to = asked()
    told = to.id.to_bytes(2, "big") + struct.pack("!5H", 0x8180 | dns.rcode.from_text(code), 0, 0, 0, 0)
    assert (fitting(to, told) is not None) is is_answer


@pytest.mark.parametrize(("records", "apart"), [(RECORDS_AT_ONCE, False), (RECORDS_AT_ONCE + 1, True)])
async def test_many_records_are_read_where_nobody_waits(
    records: int, *, apart: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    where: list[threading.Thread] = []

    def reading(to: dns.message.QueryMessage, wire: bytes) -> dns.message.QueryMessage | None:
        where.append(threading.current_thread())
        return fitting(to, wire)

    monkeypatch.setattr(_question, "fitting", reading)
    to = asked()
    came = await read(to, answer(to, records))
    assert came is not None
    assert [one is not threading.current_thread() for one in where] == [apart]


async def test_others_have_a_turn_between_messages_that_are_no_answer() -> None:
    """Forty are there already: each is looked at in a turn of its own."""
    turns = 0

    async def others() -> None:
        nonlocal turns
        while True:
            turns += 1
            await asyncio.sleep(0)

    to = asked()
    with (
        socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as theirs,
        socket.socket(socket.AF_INET, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK) as ours,
    ):
        theirs.bind(("127.0.0.1", 0))
        ours.bind(("127.0.0.1", 0))
        ours.connect(theirs.getsockname())
        for _ in range(40):
            theirs.sendto(b"\xff" * 20, ours.getsockname())
        theirs.sendto(answer(to, 1), ours.getsockname())
        beside = asyncio.create_task(others())
        await over_datagrams(ours, to)
        beside.cancel()
    assert turns >= 40

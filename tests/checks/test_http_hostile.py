"""The web, and a server that means harm in the middle of its answer: beyond the common attacks."""

from __future__ import annotations

import asyncio
import gzip
import zlib
from collections.abc import Callable

import pytest

from tests.checks.aiming import aimed
from tests.checks.conftest import serving
from tests.checks.hostile import ACTS, Act, Peer
from tests.checks.test_hostile import LONG, SHORT, fair
from tests.checks.victim import Order, Victim

OK = b"HTTP/1.1 200 OK\r\n"
PLACES = {
    "in the head": OK,
    "in a page without length": OK + b"\r\n",
    "in a page with a length": OK + b"Content-Length: 100000\r\n\r\n",
    "in the length of a piece": OK + b"Transfer-Encoding: chunked\r\n\r\n",
    "in a piece": OK + b"Transfer-Encoding: chunked\r\n\r\nfffff\r\n",
    "after the last piece": OK + b"Transfer-Encoding: chunked\r\n\r\n0\r\n",
    "in what is packed": OK + b"Content-Encoding: gzip\r\n\r\n\x1f\x8b\x08\0\0\0\0\0\0\3",
}


@pytest.mark.parametrize("act", ACTS, ids=str)
@pytest.mark.parametrize("place", PLACES)
async def test_whatever_a_server_does_in_its_answer_is_a_miss(victim: Victim, place: str, act: Act) -> None:
    """What is wanted of the page never comes, so that no end of it is a good one."""
    waits = act.hangs or act.name == "ten thousand lines that promise more"

    async def begin(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(PLACES[place])
        await act.play(Peer(reader, writer, b"X-More: yes\r\n"))

    async with serving(begin) as port:
        written = aimed("http", port, timeout=SHORT if waits else LONG)
        came = await victim.run(Order(kind="http", written=written))
    found = fair(came, seconds=0.25 if waits else 20)
    assert waits or not found.why.startswith("no answer within ")


async def test_ten_thousand_redirects(victim: Victim) -> None:
    came_many = 0

    async def lead_on(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal came_many
        came_many += 1
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 302 Found\r\nLocation: /%d\r\n\r\n" % came_many)

    async with serving(lead_on) as port:
        came = await victim.run(Order(kind="http", written=aimed("http", port, host=None)))
    assert fair(came, seconds=10).why == "more than 3 redirects"
    assert came_many == 4


def _bomb(format_bits: int) -> bytes:
    """A quarter of a gigabyte of nothing, in a quarter of a megabyte."""
    packer = zlib.compressobj(9, wbits=format_bits)
    packed = b"".join(packer.compress(bytes(1024 * 1024)) for _ in range(256))
    return packed + packer.flush()


MEMBERS = gzip.compress(b"", mtime=0) * 100_000
LIES: dict[str, tuple[Callable[[], bytes], str]] = {
    "a bomb by gzip": (
        lambda: OK + b"Content-Encoding: gzip\r\n\r\n" + _bomb(31),
        "the answer unpacks to more than 4,194,304 bytes",
    ),
    "a bomb by deflate": (
        lambda: OK + b"Content-Encoding: deflate\r\n\r\n" + _bomb(15),
        "the answer unpacks to more than 4,194,304 bytes",
    ),
    "what nobody asked for": (
        lambda: OK + b"Content-Encoding: br\r\n\r\n" + bytes(100_000),
        "the answer is packed in a way that is not known",
    ),
    "a hundred thousand packings of nothing": (
        lambda: OK + b"Content-Encoding: gzip\r\n\r\n" + MEMBERS,
        "the expected text “everything runs” is not in the answer",
    ),
    "less than it says": (
        lambda: OK + b"Content-Length: 1000\r\n\r\nshort",
        "the server closed the connection",
    ),
    "much more than may be": (
        lambda: OK + b"Content-Length: 999999999999\r\n\r\n",
        "the answer has more than 4,194,304 bytes",
    ),
    "two lengths": (
        lambda: OK + b"Content-Length: 5\r\nContent-Length: 6\r\n\r\nshorts",
        "the answer has no length that can be read",
    ),
    "a length below nothing": (
        lambda: OK + b"Content-Length: -5\r\n\r\nshort",
        "the answer has no length that can be read",
    ),
    "a piece that is larger than a number": (
        lambda: OK + b"Transfer-Encoding: chunked\r\n\r\nffffffffffffffffff\r\n",
        "",
    ),
    "a megabyte of one header": (
        lambda: OK + b"A: " + b"x" * 1_000_000,
        "a line of more than 8,192 bytes came",
    ),
    "ten thousand headers": (lambda: OK + b"A: b\r\n" * 10_000, "more than 100 headers came"),
    "announcements for ever": (
        lambda: b"HTTP/1.1 100 Continue\r\n\r\n" * 10_000,
        "more than 5 answers came that only announce one",
    ),
}


@pytest.mark.parametrize("lie", LIES)
async def test_lies_about_what_comes(victim: Victim, lie: str) -> None:
    made, why = LIES[lie]
    said = made()

    async def tell(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(said)
        await writer.drain()
        writer.write_eof()
        await reader.read()

    async with serving(tell) as port:
        came = await victim.run(Order(kind="http", written=aimed("http", port, timeout=LONG)))
    found = fair(came, seconds=20)
    assert found.why.startswith(why)
    assert not found.why.startswith("no answer within ")


@pytest.mark.parametrize(
    ("location", "why"),
    [
        ("http://127.0.0.1:PORT/", "more than 3 redirects"),
        ("//127.0.0.1:PORT/again", "more than 3 redirects"),
        ("http://127.0.0.1:OTHER/", "not connected to 127.0.0.1:OTHER, where this check may not go"),
        ("http://127.0.0.2:OTHER/", "redirected to where this check may not go"),
        ("http://127.0.0.1:OTHER@10.0.0.1/", "redirected to what is no web address"),
        ("http://[::ffff:127.0.0.1]:OTHER/", "redirected to where this check may not go"),
        ("http://2130706433:OTHER/", "redirected to where this check may not go"),
        ("http://169.254.169.254/latest/meta-data/", "redirected to where this check may not go"),
        ("http://localhost:OTHER/", "redirected to where this check may not go"),
        ("file:///etc/passwd", "redirected to what is no web address"),
        ("gopher://127.0.0.1:OTHER/_hello", "redirected to what is no web address"),
        ("http://127.0.0.1:PORT/\x00\x1b[2J", "redirected to what is no web address"),
        ("x" * 5_000, "redirected to what is no web address"),
    ],
)
async def test_redirects_in_a_circle_and_to_where_nobody_may_go(
    victim: Victim, location: str, why: str
) -> None:
    visits = 0

    async def count(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal visits
        visits += 1

    async with serving(count) as other:

        async def lead(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            await reader.readuntil(b"\r\n\r\n")
            where = location.replace("PORT", str(port)).replace("OTHER", str(other))
            writer.write(f"HTTP/1.1 302 Found\r\nLocation: {where}\r\n\r\n".encode())

        async with serving(lead) as port:
            order = Order(kind="http", written=aimed("http", port, host=None), allowed=(port,))
            came = await victim.run(order)
    assert fair(came, seconds=10).why.startswith(why.replace("OTHER", str(other)))
    assert visits == 0

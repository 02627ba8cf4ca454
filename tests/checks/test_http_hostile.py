"""The web, and a server that means harm in the middle of its answer: beyond the common attacks."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator

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


@pytest.fixture(scope="module")
def victim() -> Iterator[Victim]:
    one = Victim()
    yield one
    one.close()


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

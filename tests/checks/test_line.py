"""What every check gets by its connection, whatever its protocol."""

from __future__ import annotations

import asyncio
import socket
from contextlib import closing

import pytest

from hostwatch.checks import base
from hostwatch.checks._finding import Missed
from hostwatch.checks._tls import unverified
from hostwatch.checks._wire import Wire
from tests.checks.certificates import Papers
from tests.checks.conftest import serving, surroundings
from tests.checks.hostile import Peer


async def missed(port: int, papers: Papers) -> Missed:
    """What is wrong when we ask for TLS after one line."""
    visit = base.Visit(kind="tcp", address="127.0.0.1", surroundings=surroundings())
    try:
        line = await base.connect(visit, "", port)
        await line.write(b"ready?\r\n")
        assert await line.read_line() == b"ready"
        await line.start_tls(base.Tls(ca=str(papers.ca)), "localhost")
        raise AssertionError("nothing was wrong")
    except Missed as wrong:
        assert visit.step is base.Step.TLS
        return wrong
    finally:
        visit.close()


async def test_what_came_in_plain_text_is_never_taken_for_what_came_by_tls(papers: Papers) -> None:
    """Somebody on the way adds a line to the last answer before TLS; inside, it would be the next answer."""

    async def inject(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readline()
        writer.write(b"ready\r\n250 injected\r\n")
        await reader.read()

    async with serving(inject) as port:
        found = await missed(port, papers)
    assert found.why == "the server went on in plain text before TLS"
    assert found.came == "250 injected\\r\\n"


async def test_what_comes_in_plain_text_a_moment_later_is_no_handshake(papers: Papers) -> None:
    async def inject(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readline()
        writer.write(b"ready\r\n")
        assert (await reader.read(1)) == b"\x16"  # it says hello by TLS
        writer.write(b"250 injected\r\n")
        await reader.read()

    async with serving(inject) as port:
        found = await missed(port, papers)
    assert found.why == "what answers there does not speak TLS"


async def test_others_have_their_turn_while_a_server_always_has_more() -> None:
    """A check that reads what comes without end, and beside it somebody who waits for a moment."""
    turns = 0

    async def flood(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while True:
            writer.write(b"x" * 65_536)
            await writer.drain()
            await asyncio.sleep(0)

    async def wait() -> None:
        nonlocal turns
        while True:
            await asyncio.sleep(0)
            turns += 1

    waiting = asyncio.create_task(wait())
    visit = base.Visit(kind="tcp", address="127.0.0.1", surroundings=surroundings())
    try:
        async with serving(flood) as port:
            line = await base.connect(visit, "", port)
            await line.read_some(1)
            before = turns
            for _ in range(100):
                await line.read_some(100)
    finally:
        waiting.cancel()
        visit.close()

    assert turns - before >= 99


async def _insist(line: base.Line) -> None:
    while True:  # what is said first is still taken by our kernel
        await line.write(b"hello\r\n")
        await asyncio.sleep(0)


async def test_a_server_that_is_gone_when_we_speak_has_closed_the_connection() -> None:
    async def hang_up(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"go away\r\n")

    visit = base.Visit(kind="tcp", address="127.0.0.1", surroundings=surroundings())
    try:
        async with serving(hang_up) as port:
            line = await base.connect(visit, "", port)
            assert await line.read_line() == b"go away"
            with pytest.raises(Missed) as gone:
                await _insist(line)
    finally:
        visit.close()

    assert gone.value.why == "the server closed the connection"


async def test_tls_on_a_connection_that_is_broken_off_already(papers: Papers) -> None:
    """Who reads of it wants to know that the server broke it off, and not what our kernel makes of it."""

    async def reset(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        Peer(reader, writer).reset()

    async with serving(reset) as port:
        sock = socket.create_connection(("127.0.0.1", port))
        with closing(sock):
            sock.setblocking(False)
            wire = Wire(sock)
            with pytest.raises(ConnectionResetError):
                await wire.receive(1)
            with closing(wire), pytest.raises(BrokenPipeError):
                await wire.shake_hands(unverified(), None)

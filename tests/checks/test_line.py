"""What every check gets by its connection, whatever its protocol."""

from __future__ import annotations

import asyncio

from hostwatch.checks import base
from hostwatch.checks._finding import Missed
from tests.checks.certificates import Papers
from tests.checks.conftest import serving, surroundings


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

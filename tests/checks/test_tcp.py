"""Any application that speaks over TCP."""

from __future__ import annotations

import asyncio

from hostwatch.checks.base import Step
from hostwatch.core.reading import Outcome
from tests.checks.conftest import look, serving


async def test_who_accepts_a_connection_runs() -> None:
    async def greet(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read()

    async with serving(greet) as port:
        found = await look("tcp", port)
    assert found.outcome is Outcome.ANSWERED
    assert found.address == f"127.0.0.1:{port}"
    assert [phase.step for phase in found.phases] == [Step.CONNECT, Step.ANSWER]


async def test_what_is_expected_comes_in_pieces() -> None:
    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        assert await reader.readline() == b"PING x\r\n"
        for piece in (b"PO", b"N", b"G x\r\n"):
            writer.write(piece)
            await writer.drain()
        await reader.read()

    async with serving(answer) as port:
        found = await look("tcp", {"port": port, "send": "PING x\r\n", "expect": "PONG"})
    assert found.outcome is Outcome.ANSWERED
    assert [said.text for said in found.transcript if said.who == ">"] == ["PING x"]


async def test_another_answer_is_quoted() -> None:
    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"go away\x00\x1b[2J\xff\r\n")

    async with serving(answer) as port:
        found = await look("tcp", {"port": port, "expect": "PONG"})
    assert (found.outcome, found.step) == (Outcome.MISSED, Step.ANSWER)
    assert found.expected == "PONG"
    assert found.came == "go away\\x00\\x1b[2J\ufffd\\r\\n"
    assert found.sentence == "tcp: answer: what is expected did not come"


async def test_nobody_listens() -> None:
    async with serving(lambda reader, writer: asyncio.sleep(0)) as port:
        pass
    found = await look("tcp", port)
    assert (found.outcome, found.step, found.why) == (Outcome.MISSED, Step.CONNECT, "connection refused")


async def test_a_server_that_hangs_ends_with_the_time(ever: asyncio.Event) -> None:
    async with serving(lambda reader, writer: ever.wait()) as port:
        found = await look("tcp", {"port": port, "expect": "PONG", "timeout": "200ms"})
    assert (found.outcome, found.step, found.why) == (Outcome.MISSED, Step.ANSWER, "no answer within 200ms")

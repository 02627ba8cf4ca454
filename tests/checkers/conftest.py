"""Real processes of checkers, and what tests say to them."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager
from ipaddress import ip_address
from pathlib import Path
from typing import Any, TypeVar

import pytest

from hostwatch import checks
from hostwatch.checkers import client, services
from hostwatch.checkers.client import Checkers
from hostwatch.checkers.protocol import Found, FromCheckers, Look, Order
from hostwatch.checkers.services import Check, Require, Service
from hostwatch.configuration.checks import Server
from tests.checks.bind import named

PATIENCE_S = 30.0
SECOND_US = 1_000_000

Message = TypeVar("Message", bound=FromCheckers)


def service(*written: Any, name: str = "www", require: Require = "all") -> Service:
    """A service of checks over TCP, each as it is written in a configuration."""
    settings = checks.room("tcp").Settings
    return Service(name, tuple(Check("tcp", settings.model_validate(one)) for one in written), require)


@asynccontextmanager
async def checkers(around: dict[str, Any] | None = None) -> AsyncIterator[Checkers]:
    """A process that is ready, and that ends with the test."""
    process = await client.start(Path("/"), around or {})
    try:
        yield process
    finally:
        await process.close()


async def hear(process: Checkers, kind: type[Message]) -> Message:
    """The next message of a kind; those of others before it are passed over."""
    async with asyncio.timeout(PATIENCE_S):
        while True:
            message = await process.receive()
            if isinstance(message, kind):
                return message


async def look(
    process: Checkers,
    one: Service,
    *,
    address: str = "127.0.0.1",
    number: int = 1,
    latest_us: int = SECOND_US,
) -> Found:
    """Have a service looked at once, at once."""
    process.send(services.defined("www", one))
    process.send(Look(orders=(Order(number, "www", address, 0, latest_us),)))
    return await hear(process, Found)


async def greet(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """A server that says hello and waits."""
    writer.write(b"hello\r\n")
    await reader.read()


async def hang(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """A server that never says anything."""
    await reader.read()


Script = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[object]]


@pytest.fixture(scope="session")
def bind(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """BIND, which knows example.test."""
    with named(tmp_path_factory.mktemp("bind")) as port:
        yield Server(ip_address("127.0.0.1"), port)

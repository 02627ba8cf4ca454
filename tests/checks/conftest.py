"""What all tests of checks need: a visit to loopback, and servers of a few lines that a test writes."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager
from typing import Any

import pytest

from hostwatch import checks
from hostwatch.checks import base
from tests.checks.certificates import Papers
from tests.checks.mailroom import Mailroom
from tests.checks.mailroom import mailroom as open_mailroom

Script = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[object]]


class HostsFile:
    """Names for a test, instead of a resolver."""

    def __init__(self, **names: str) -> None:
        self._names = {name.replace("_", "."): address for name, address in names.items()}

    async def addresses(self, name: str, family: int) -> tuple[str, ...]:
        found = self._names.get(name, "")
        if not found or (":" in found) is not (family == 6):
            raise base.Missed(f"there is no name {name}")
        return (found,)


class Anywhere:
    """Refuses nothing."""

    def refusal(self, address: str, port: int, *, literal: bool, own: bool) -> str:
        return ""


def surroundings(names: base.Names | None = None, policy: base.Policy | None = None) -> base.Surroundings:
    """Those of a test."""
    return base.Surroundings(
        names=names or HostsFile(),
        policy=policy or Anywhere(),
        monotonic_us=lambda: time.monotonic_ns() // 1_000,
        now_us=lambda: time.time_ns() // 1_000,
    )


async def look(
    kind: str, written: Any, *, address: str = "127.0.0.1", around: base.Surroundings | None = None
) -> base.Finding:
    """Run a check as it is written in a configuration."""
    module = checks.room(kind)
    visit = base.Visit(kind=kind, address=address, surroundings=around or surroundings())
    return await base.run(module, module.Settings.model_validate(written), visit)


@asynccontextmanager
async def serving(script: Script, address: str = "127.0.0.1") -> AsyncIterator[int]:
    """A server on loopback that plays a script with everybody who comes; its port."""
    talking: set[asyncio.Task[None]] = set()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        talking.add(task)
        try:
            await script(reader, writer)
        except ConnectionError:
            pass  # the check has hung up, as it may
        finally:
            talking.discard(task)
            writer.transport.abort()

    server = await asyncio.start_server(serve, address, 0)
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        server.close()
        for task in [*talking]:
            task.cancel()
        await asyncio.gather(*talking, return_exceptions=True)


@pytest.fixture(scope="session")
def papers(tmp_path_factory: pytest.TempPathFactory) -> Papers:
    """Certificates of all manners, good and bad."""
    return Papers(tmp_path_factory.mktemp("papers"))


@pytest.fixture(scope="session")
def mailroom(papers: Papers) -> Iterator[Mailroom]:
    """A postfix and a dovecot over the same mailboxes."""
    with open_mailroom(papers) as room:
        yield room


@pytest.fixture
def ever() -> asyncio.Event:
    """What never happens: for servers that hang."""
    return asyncio.Event()

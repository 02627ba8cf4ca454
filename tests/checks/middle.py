"""Somebody between a check and a server, who passes on what is said, and does something when it is time."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

from tests.checks.conftest import serving


@asynccontextmanager
async def in_the_middle(port: int, when: bytes, do: Callable[[], None]) -> AsyncIterator[int]:
    """The port of who passes all on to another one, and does `do` as soon as the check says `when`.

    It is done when this is over, though the check may have gone by then.
    """
    doing: list[asyncio.Task[None]] = []

    async def script(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        from_server, to_server = await asyncio.open_connection("127.0.0.1", port)
        back = asyncio.create_task(_passed(from_server, writer))
        try:
            while said := await reader.read(65_536):
                if when in said:
                    doing.append(asyncio.create_task(asyncio.to_thread(do)))
                    await asyncio.shield(doing[-1])
                to_server.write(said)
            to_server.write_eof()
        except ConnectionError:
            pass
        finally:
            await back
            to_server.close()

    async with serving(script) as middle:
        yield middle
    await asyncio.gather(*doing)


async def _passed(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    try:
        while said := await reader.read(65_536):
            writer.write(said)
    except ConnectionError:
        writer.transport.abort()
    else:
        writer.close()

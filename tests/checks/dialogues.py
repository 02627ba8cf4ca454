"""Servers that play a written dialogue, line by line.

```
S: * OK ready           the server says it
C: a1 CAPABILITY        the check must say it, or something longer
MESSAGE                 the check says many lines, up to one that is a dot
TLS                     the server begins TLS
HELLO                   the check begins TLS, and nothing is answered
HANGS                   the server says nothing more, and time passes until the check gives up
HANGS 3                 the same, but only so many seconds pass
CLOSES                  the server hangs up
```
At the end the server waits until the check hangs up.
"""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final

from tests.checks.certificates import Pair
from tests.checks.conftest import serving

AN_HOUR_S: Final = 3_600.0
TLS_RECORD: Final = b"\x16"


def time_passes(seconds: float) -> None:
    """So much time goes by at once, as far as the event loop knows."""
    loop = asyncio.get_running_loop()
    clock = loop.time
    loop.time = lambda: clock() + seconds  # type: ignore[method-assign]


def server_tls(pair: Pair) -> ssl.SSLContext:
    """What a server needs to speak TLS."""
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(pair.chain, pair.key)
    return context


class Unexpected(Exception):
    """The check said something else."""


async def _play(
    story: str, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, tls: ssl.SSLContext | None
) -> None:
    for line in filter(str.strip, story.splitlines()):
        who, _, words = line.lstrip().partition(" ")
        match who:
            case "S:":
                writer.write(words.encode("latin-1") + b"\r\n")
            case "C:":
                said = (await reader.readline()).decode("latin-1")
                if not said.startswith(words):
                    raise Unexpected(f"not {words!r}, but {said!r}")
            case "MESSAGE":
                await reader.readuntil(b"\r\n.\r\n")
            case "TLS":
                assert tls is not None
                await writer.start_tls(tls)
            case "HELLO":
                assert await reader.read(1) == TLS_RECORD
            case "HANGS":
                time_passes(float(words or AN_HOUR_S))
                await reader.read()
            case "CLOSES":
                await writer.drain()
                return
            case _:
                raise ValueError(f"cannot play {line!r}")
    while await reader.read(65_536):
        pass


@asynccontextmanager
async def played(story: str, pair: Pair | None = None) -> AsyncIterator[int]:
    """A server that plays this with everybody who comes; its port. Fails if the check says anything else."""
    tls = None if pair is None else server_tls(pair)
    wrong: list[Exception] = []

    async def script(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await _play(story, reader, writer, tls)
        except (Unexpected, ValueError, AssertionError) as error:
            wrong.append(error)

    async with serving(script) as port:
        yield port
    assert wrong == []

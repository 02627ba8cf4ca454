"""The process of the desk: `python -m hostwatch.web.process DESCRIPTOR`.

The descriptor is one end of a pair of sockets; the other end is the watch's, and when it closes, this ends.
First comes a line with the settings; then it listens, gives up what it needs no more, says so, and serves.
"""

from __future__ import annotations

import asyncio
import json
import signal
import socket
import ssl
import sys
import time
from pathlib import Path
from typing import Final

from hostwatch import log
from hostwatch.checkers.confinement import confine
from hostwatch.messages import catalogue
from hostwatch.web import seccomp
from hostwatch.web.line import ANSWER_MAX_BYTES, Line
from hostwatch.web.server import CONNECTIONS_MAX, Desk, Settings

SETTINGS_MAX_BYTES: Final = 64 * 1024


def opened(settings: Settings) -> tuple[socket.socket, ssl.SSLContext | None]:
    """Where it listens, and its certificate. Raises `OSError`."""
    address, port = settings.listen
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    listening = socket.create_server((address, port), family=family, backlog=CONNECTIONS_MAX)
    listening.setblocking(False)
    if settings.tls is None:
        return listening, None
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.load_cert_chain(*settings.tls)
    return listening, context


async def _serve(ours: socket.socket) -> None:
    reader, writer = await asyncio.open_connection(sock=ours, limit=ANSWER_MAX_BYTES)
    settings = Settings.of(json.loads(await reader.readline()))
    try:
        listening, tls = opened(settings)
    except OSError as error:
        why = f"cannot listen on {settings.listen[0]}:{settings.listen[1]}, or read its certificate: {error}"
        writer.write(json.dumps({"error": why}).encode() + b"\n")
        await writer.drain()
        return
    line = Line(reader, writer)
    desk = Desk(settings, line, time.monotonic)
    await desk.start(listening, tls)
    for language in catalogue.languages():  # now, and not when files can be read no more
        catalogue.words(language)
    notes = [*confine()]
    refused = seccomp.restrict()
    notes += [refused] if refused else []
    said = {"port": listening.getsockname()[1], "notes": notes}
    writer.write(json.dumps(said).encode() + b"\n")
    await writer.drain()
    ended = asyncio.ensure_future(_gone(reader))
    lost = asyncio.ensure_future(line.lost.wait())
    await asyncio.wait({ended, lost}, return_when=asyncio.FIRST_COMPLETED)
    ended.cancel()
    lost.cancel()
    await desk.close()


async def _gone(reader: asyncio.StreamReader) -> None:
    """Until the watch is gone. What it says is read by others: the end alone is looked for."""
    while not reader.at_eof():  # noqa: ASYNC110 - a stream has no event for its end
        await asyncio.sleep(1)


def alone(settings: Settings, path: Path) -> int:
    """Serve as a service of its own, until SIGTERM; the exit code."""
    try:
        listening, tls = opened(settings)
    except OSError as error:
        log.error("stopped", error=f"cannot listen, or read the certificate: {error}")
        return 1
    asyncio.run(_serve_alone(settings, path, listening, tls))
    return 0


async def _serve_alone(
    settings: Settings, path: Path, listening: socket.socket, tls: ssl.SSLContext | None
) -> None:
    stop, loop = asyncio.Event(), asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    desk = Desk(settings, Line(path=path), time.monotonic)
    await desk.start(listening, tls)
    for language in catalogue.languages():
        catalogue.words(language)
    notes = confine()
    log.info("web-listening", port=listening.getsockname()[1], notes=list(notes))
    await stop.wait()
    await desk.close()


def main(words: list[str]) -> None:
    """Become the process."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # it ends when the watch does
    asyncio.run(_serve(socket.socket(fileno=int(words[0]))))


if __name__ == "__main__":
    main(sys.argv[1:])

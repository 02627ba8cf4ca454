"""Keeps the desk for customers and programs: a process that is started again, or a socket for a service.

The process gets one end of a pair of sockets and no other descriptor, no environment that could hold a
secret, and no way to us but that. A desk that is a service of its own speaks through a socket that is named.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import socket
import stat
import subprocess
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, Final, Self

from hostwatch import log, unprivileged
from hostwatch.checkers.client import END_WITHIN_S, ENVIRONMENT, START_WITHIN_S, Gone
from hostwatch.clock import Clock
from hostwatch.configuration.load import Loaded
from hostwatch.counter import Counter
from hostwatch.directory import Directory
from hostwatch.engine import Engine
from hostwatch.gauges import Count, Figure
from hostwatch.keeper import Keeper
from hostwatch.linked import Linked
from hostwatch.programs import Programs
from hostwatch.web.line import REQUEST_MAX_BYTES

LINES_MAX: Final = 4
"""Lines that are open at one time at a socket that is named."""

SOCKET_MODE: Final = 0o660


def settings_of(loaded: Loaded) -> dict[str, Any] | None:
    """What a desk is told of the configuration: nothing secret, paths absolute. None: there is to be none."""
    web = loaded.configuration.web
    if web is None:
        return None
    tls = web.tls
    return {
        "listen": [str(web.at.address), web.at.port],
        "url": web.url,
        "tls": None if tls is None else [str(loaded.path(tls.certificate)), str(loaded.path(tls.key))],
        "proxies": [str(one) for one in web.proxies],
        "per_minute": web.requests_per_minute,
    }


class FrontDoor:
    """The desk, as far as the watch has to do with it."""

    def __init__(self, clock: Clock, counter: Counter) -> None:
        self._counter = counter
        self._settings: Mapping[str, Any] | None = None
        self._socket: Path | None = None
        self._wanted = asyncio.Event()
        self._changed = asyncio.Event()
        without = "the desk for customers has not run for %.0f s: nobody can acknowledge by a link"
        self._keeper = Keeper(clock, self._life, self._wanted, "web", without)
        self._lines = 0

    @classmethod
    def over(cls, engine: Engine, clock: Clock, directory: Callable[[], Directory]) -> Self:
        """With all that may be asked there."""
        linked = Linked(engine, clock, directory)
        programs = Programs(engine, lambda: directory().configuration.api.tokens)
        deeds = {
            "look": linked.look,
            "acknowledge": linked.acknowledge,
            "withdraw": linked.withdraw,
            "api-list": programs.list,
            "api-acknowledge": programs.acknowledge,
        }
        return cls(clock, Counter(deeds, clock))

    def configure(self, loaded: Loaded) -> None:
        """What is in force from now on."""
        settings, web = settings_of(loaded), loaded.configuration.web
        named = None if web is None or web.socket is None else loaded.path(web.socket)
        if (settings, named) == (self._settings, self._socket):
            return
        self._settings, self._socket = settings, named
        self._changed.set()
        if settings is None:
            self._wanted.clear()
        else:
            self._wanted.set()

    async def run(self) -> None:
        """Keep it, for ever."""
        await self._keeper.run()

    async def _life(self) -> None:
        self._changed.clear()
        if self._settings is None:
            return
        living = self._child(self._settings) if self._socket is None else self._at(self._socket)
        life, changing = asyncio.ensure_future(living), asyncio.ensure_future(self._changed.wait())
        try:
            await asyncio.wait({life, changing}, return_when=asyncio.FIRST_COMPLETED)
            if life.done():
                await life
        finally:
            for task in (life, changing):
                task.cancel()
            await asyncio.gather(life, changing, return_exceptions=True)

    async def _child(self, settings: Mapping[str, Any]) -> None:
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_STREAM)
        try:
            with theirs:
                process = await asyncio.to_thread(_popen, theirs)
        except OSError as error:
            ours.close()
            raise Gone(f"it cannot be started: {error}") from None
        ours.setblocking(False)
        reader, writer = await asyncio.open_connection(sock=ours, limit=REQUEST_MAX_BYTES)
        try:
            writer.write(json.dumps(settings).encode() + b"\n")
            await self._begin(reader, process)
            with contextlib.suppress(OSError, ValueError):  # what is too long to be a request ends it
                await self._counter.serve(reader, writer)
            raise Gone("it ended")
        finally:
            writer.transport.abort()
            await asyncio.shield(asyncio.to_thread(_end, process))

    async def _begin(self, reader: asyncio.StreamReader, process: subprocess.Popen[bytes]) -> None:
        try:
            async with asyncio.timeout(START_WITHIN_S):
                said = json.loads(await reader.readline())
        except (TimeoutError, ValueError, OSError):
            raise Gone("it did not come to be ready") from None
        if "port" not in said:
            raise Gone(str(said.get("error", "it is not ready"))[:500])
        self._keeper.is_there()
        log.info("web-listening", port=said["port"], process=process.pid, notes=said.get("notes", []))

    async def _at(self, path: Path) -> None:
        """Let a desk that is a service of its own speak to us."""
        await asyncio.to_thread(_make_room, path)
        server = await asyncio.start_unix_server(self._line, path=path, limit=REQUEST_MAX_BYTES)
        await asyncio.to_thread(path.chmod, SOCKET_MODE)
        self._keeper.is_there()
        log.info("web-awaited", socket=str(path))
        async with server:
            await server.serve_forever()

    async def _line(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._lines += 1
        try:
            if self._lines <= LINES_MAX:
                await self._counter.serve(reader, writer)
        except (OSError, ValueError) as error:
            log.debug("web-line-lost", error=repr(error))
        finally:
            self._lines -= 1
            writer.close()

    def troubles(self) -> Iterator[str]:
        """What is wrong with it."""
        return self._keeper.troubles()

    def figures(self) -> Iterator[Figure]:
        """What the metrics say of it."""
        if self._settings is not None:
            about = "How often the desk for customers and programs had to be started again."
            yield Count("hostwatch_web_restarts_total", about, self._keeper.restarts)
            yield from self._counter.figures()


def _popen(theirs: socket.socket) -> subprocess.Popen[bytes]:
    known = {name: os.environ[name] for name in ENVIRONMENT if name in os.environ}
    return subprocess.Popen(
        unprivileged.command("hostwatch.web.process", str(theirs.fileno())),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        pass_fds=(theirs.fileno(),),
        env={**known, "PYTHONPATH": unprivileged.python_path()},
    )


def _end(process: subprocess.Popen[bytes]) -> None:
    try:
        process.wait(END_WITHIN_S)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def _make_room(path: Path) -> None:
    """Take away a socket that a dead watch left behind. Raises `Gone`."""
    path.parent.mkdir(mode=0o750, parents=True, exist_ok=True)
    try:
        mode = path.lstat().st_mode
    except FileNotFoundError:
        return
    if not stat.S_ISSOCK(mode):
        raise Gone(f"a file that is no socket is at {path}; move it away, or set `web.socket:` otherwise")
    path.unlink()

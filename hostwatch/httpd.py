"""The watch's own pages, on loopback: is it well, is it ready, and what Prometheus reads."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import IO, Generic, Protocol, TypeVar, cast

from aiohttp import web

from hostwatch import log
from hostwatch.configuration.fields import Listen
from hostwatch.desk import Body, NoSamples
from hostwatch.health import Health
from hostwatch.metrics import Snapshot, render

CONNECTIONS_MAX = 64
HEADER_MAX_BYTES = 8190
KEEP_ALIVE_S = 15.0
METRICS_TYPE = "text/plain; version=0.0.4; charset=utf-8"

FRESH_S = 1.0
"""What was rendered is given to all who ask within this time, and longer if rendering takes long:"""

SHARE = 10
"""so many times as long as rendering took, so that who asks too often costs a tenth of a core at most."""

T = TypeVar("T")


class CannotListen(Exception):
    """The address is taken, or not ours."""


class Desk(Protocol):
    """Who writes the samples of all devices. Called in one thread only."""

    def body(self) -> Body:
        """The samples. Raises `NoSamples`."""

    def close(self) -> None:
        """Stop whatever was started for it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sources:
    """Where the pages get what they say. All but the desk are called on the loop."""

    examine: Callable[[], Health]
    ready: Callable[[], bool]
    take: Callable[[], Snapshot]
    desk: Desk
    each_device: Callable[[], bool]
    """Whether `/metrics` has the samples of each device too."""


class Shared(Generic[T]):
    """One making serves all who ask while it goes on, and for a while after."""

    def __init__(self, make: Callable[[], Awaitable[T]]) -> None:
        self._make = make
        self._making: asyncio.Task[T] | None = None
        self._until = 0.0

    async def get(self) -> T:
        """What was made last, or is being made. Raises what making raised."""
        now = asyncio.get_running_loop().time()
        if self._making is None or (self._making.done() and now >= self._until):
            self._making = asyncio.create_task(self._timed())
        return await asyncio.shield(self._making)

    async def _timed(self) -> T:
        clock = asyncio.get_running_loop().time
        began = clock()
        try:
            return await self._make()
        finally:
            self._until = clock() + max(FRESH_S, SHARE * (clock() - began))


class Pages:
    """Serves until closed."""

    def __init__(self, listen: Listen, sources: Sources) -> None:
        self._listen = listen
        self._sources = sources
        self._runner: web.AppRunner | None = None
        self._aside = ThreadPoolExecutor(1, "metrics")
        self._desk = ThreadPoolExecutor(1, "desk")
        self._figures = Shared(self._render)
        self._devices = Shared(self._read)
        self._open = asyncio.Semaphore(CONNECTIONS_MAX)

    async def start(self) -> int:
        """Listen; the port. Raises `CannotListen` in words for an operator."""
        app = web.Application(client_max_size=0, middlewares=[self._bounded])
        app.router.add_get("/-/healthy", self._healthy)
        app.router.add_get("/-/ready", self._is_ready)
        app.router.add_get("/metrics", self._metrics)
        app.router.add_get("/metrics/devices", self._each_device)
        self._runner = web.AppRunner(
            app,
            access_log=None,
            keepalive_timeout=KEEP_ALIVE_S,
            max_line_size=HEADER_MAX_BYTES,
            max_field_size=HEADER_MAX_BYTES,
        )
        await self._runner.setup()
        site = web.TCPSite(
            self._runner, str(self._listen.address), self._listen.port, backlog=CONNECTIONS_MAX
        )
        try:
            await site.start()
        except OSError as error:
            await self._runner.cleanup()
            raise CannotListen(
                f"cannot listen on {self._listen}: {error.strerror or error};"
                " free it, or set `listen:` to another address"
            ) from error
        port: int = self._runner.addresses[0][1]
        return port

    async def close(self) -> None:
        """Stop listening."""
        if self._runner is not None:
            await self._runner.cleanup()
        self._aside.shutdown(wait=False, cancel_futures=True)
        self._desk.submit(self._sources.desk.close)
        self._desk.shutdown(wait=False)

    @web.middleware
    async def _bounded(
        self, request: web.Request, handler: Callable[[web.Request], Awaitable[web.StreamResponse]]
    ) -> web.StreamResponse:
        if self._open.locked():
            return web.Response(status=503, text="too many requests\n")
        async with self._open:
            return await handler(request)

    async def _healthy(self, _: web.Request) -> web.Response:
        health = self._sources.examine()
        if health.ok:
            return web.Response(text="healthy\n")
        return web.Response(status=503, text="".join(f"{trouble}\n" for trouble in health.troubles))

    async def _is_ready(self, _: web.Request) -> web.Response:
        ready = self._sources.ready()
        return web.Response(text="ready\n") if ready else web.Response(status=503, text="not ready\n")

    async def _metrics(self, request: web.Request) -> web.StreamResponse:
        figures = await self._figures.get()
        if not self._sources.each_device():
            return web.Response(body=figures, headers={"Content-Type": METRICS_TYPE})
        try:
            devices = await self._devices.get()
        except NoSamples as error:
            log.warning("no-device-samples", why=str(error))
            devices = Body(size=0)  # the figures of the watch itself are wanted most when something is wrong
        return await _send(request, figures, devices)

    async def _each_device(self, request: web.Request) -> web.StreamResponse:
        try:
            devices = await self._devices.get()
        except NoSamples as error:
            return web.Response(status=503, text=f"{error}\n")
        return await _send(request, b"", devices)

    async def _render(self) -> bytes:
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._aside, render, self._sources.take())

    async def _read(self) -> Body:
        return await asyncio.get_running_loop().run_in_executor(self._desk, self._sources.desk.body)


async def _send(request: web.Request, figures: bytes, devices: Body) -> web.StreamResponse:
    """Both, one after the other. What is on a sheet goes from there to the visitor without passing us."""
    if devices.sheet is None:
        return web.Response(body=figures + devices.text, headers={"Content-Type": METRICS_TYPE})
    response = web.StreamResponse(headers={"Content-Type": METRICS_TYPE})
    response.content_length = len(figures) + devices.size
    await response.prepare(request)
    if figures:
        await response.write(figures)
    if request.transport is not None and request.method != "HEAD":
        sheet = cast(IO[bytes], devices.sheet)  # only its descriptor is used
        await asyncio.get_running_loop().sendfile(request.transport, sheet, 0, devices.size)
    return response

"""The watch's own pages, on loopback: is it well, is it ready, and what Prometheus reads."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Generic, TypeVar

from aiohttp import web

from hostwatch.configuration.fields import Listen
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

    def __init__(
        self,
        listen: Listen,
        examine: Callable[[], Health],
        take: Callable[[], Snapshot],
        ready: Callable[[], bool],
    ) -> None:
        self._listen = listen
        self._examine = examine
        self._take = take
        self._ready = ready
        self._runner: web.AppRunner | None = None
        self._aside = ThreadPoolExecutor(1, "metrics")
        self._rendered = Shared(self._render)
        self._open = asyncio.Semaphore(CONNECTIONS_MAX)

    async def start(self) -> int:
        """Listen; the port. Raises `CannotListen` in words for an operator."""
        app = web.Application(client_max_size=0, middlewares=[self._bounded])
        app.router.add_get("/-/healthy", self._healthy)
        app.router.add_get("/-/ready", self._is_ready)
        app.router.add_get("/metrics", self._metrics)
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

    @web.middleware
    async def _bounded(
        self, request: web.Request, handler: Callable[[web.Request], Awaitable[web.StreamResponse]]
    ) -> web.StreamResponse:
        if self._open.locked():
            return web.Response(status=503, text="too many requests\n")
        async with self._open:
            return await handler(request)

    async def _healthy(self, _: web.Request) -> web.Response:
        health = self._examine()
        if health.ok:
            return web.Response(text="healthy\n")
        return web.Response(status=503, text="".join(f"{trouble}\n" for trouble in health.troubles))

    async def _is_ready(self, _: web.Request) -> web.Response:
        return web.Response(text="ready\n") if self._ready() else web.Response(status=503, text="not ready\n")

    async def _metrics(self, _: web.Request) -> web.Response:
        return web.Response(body=await self._rendered.get(), headers={"Content-Type": METRICS_TYPE})

    async def _render(self) -> bytes:
        return await asyncio.get_running_loop().run_in_executor(self._aside, render, self._take())

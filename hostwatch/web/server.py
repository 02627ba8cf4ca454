"""Listens for people and programs. Each connection carries one request and has a bounded life.

Whoever is slow, large, odd or too frequent is turned away here, and the watch never hears of it.
"""

from __future__ import annotations

import asyncio
import hmac
import secrets
import ssl
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from ipaddress import ip_network
from socket import socket
from typing import Any, Final, cast

from aiohttp import web
from aiohttp.web_protocol import RequestHandler
from multidict import MultiDict

from hostwatch import log
from hostwatch.messages.having import page
from hostwatch.web import api, pages
from hostwatch.web.line import Away, Line, TooLong
from hostwatch.web.throttle import Callers, Throttle

HEADER_MAX_BYTES: Final = 8190
HEADERS_MAX: Final = 64
BODY_MAX_BYTES: Final = 8 * 1024
CONNECTIONS_MAX: Final = 256
CONNECTIONS_OF_ONE_MAX: Final = 32
"""Of one address that is no reverse proxy."""

LIFE_S: Final = 15.0
"""Of a connection, from its first byte to the last of the answer."""

HANDSHAKE_S: Final = 5.0
LANGUAGE_CHARS_MAX: Final = 200
LINK_CHARS_MAX: Final = 100
"""Of what may be a link of ours; of a longer one the watch is not asked."""

FORM: Final = "application/x-www-form-urlencoded"
_WORD: Final = {404: "lost", 405: "lost"}
Answer = Callable[[web.Request], Awaitable[web.StreamResponse]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """What the watch tells of the configuration."""

    listen: tuple[str, int]
    url: str
    tls: tuple[str, str] | None
    proxies: tuple[str, ...]
    per_minute: int

    @classmethod
    def of(cls, told: Mapping[str, Any]) -> Settings:
        """As they come over the line."""
        tls = told["tls"]
        return cls(
            listen=(str(told["listen"][0]), int(told["listen"][1])),
            url=str(told["url"]),
            tls=None if tls is None else (str(tls[0]), str(tls[1])),
            proxies=tuple(told["proxies"]),
            per_minute=int(told["per_minute"]),
        )


class Desk:
    """Serves until closed."""

    def __init__(self, settings: Settings, line: Line, monotonic: Callable[[], float]) -> None:
        self._line = line
        self._monotonic = monotonic
        self._callers = Callers(ip_network(one) for one in settings.proxies)
        self._throttle = Throttle(settings.per_minute)
        self._origin = "/".join(settings.url.split("/")[:3])
        self._key = secrets.token_bytes(32)
        self._open: dict[str, int] = {}
        self._api = api.Api(line, settings.url)
        self._runner: web.AppRunner | None = None
        self._server: asyncio.Server | None = None

    async def start(self, listening: socket, tls: ssl.SSLContext | None) -> None:
        """Answer whoever comes to a socket that listens."""
        app = web.Application(client_max_size=BODY_MAX_BYTES, middlewares=[self._guarded])
        app.router.add_route("*", "/a/{token}", self._link)
        app.router.add_get("/robots.txt", self._robots)
        self._api.add_to(app.router)
        app.router.add_route("*", "/{anything:.*}", self._lost)
        self._runner = web.AppRunner(
            app,
            access_log=None,
            keepalive_timeout=0.0,
            max_line_size=HEADER_MAX_BYTES,
            max_field_size=HEADER_MAX_BYTES,
            max_headers=HEADERS_MAX,
            lingering_time=0.0,
        )
        await self._runner.setup()
        made = self._runner.server
        assert made is not None
        loop = asyncio.get_running_loop()
        self._server = await loop.create_server(
            lambda: _Guarded(_Visit(made, loop=loop, **made._kwargs), self._open, self._callers),
            sock=listening,
            ssl=tls,
            backlog=CONNECTIONS_MAX,
            ssl_handshake_timeout=None if tls is None else HANDSHAKE_S,
        )

    async def close(self) -> None:
        """Stop."""
        if self._server is not None:
            self._server.close()
        if self._runner is not None:
            await self._runner.cleanup()

    @web.middleware
    async def _guarded(self, request: web.Request, handler: Answer) -> web.StreamResponse:
        is_api = request.path.startswith(api.ROOT)
        forwarded = ",".join(
            request.headers.getall("X-Forwarded-For", ())
        )  # a proxy may add a line of its own
        who = self._callers.name(request.remote or "", forwarded)
        wait_s = self._throttle.wait(who, self._monotonic())
        if wait_s:
            found = api.problem(429, "too many requests") if is_api else _said(request, "busy", 429)
            found.headers["Retry-After"] = str(int(wait_s) + 1)
        else:
            found = await self._tried(request, handler, is_api=is_api)
        found.headers.update(pages.HEADERS)
        found.headers["Server"] = "hostwatch"
        found.force_close()
        return found

    async def _tried(self, request: web.Request, handler: Answer, *, is_api: bool) -> web.Response:
        try:
            return cast(web.Response, await handler(request))
        except Away:
            why = "the watch does not answer now"
            return api.problem(503, why) if is_api else _said(request, "away", 503)
        except TooLong:
            return api.problem(413, "too long") if is_api else _said(request, "lost", 413)
        except web.HTTPException as error:
            why = (error.reason or "cannot be done").lower()
            return (
                api.problem(error.status, why)
                if is_api
                else _said(request, _WORD.get(error.status, "away"), error.status)
            )
        except Exception as error:  # a fault of ours is told as one
            log.error("page-broke", error=type(error).__name__)
            return api.problem(500, "a fault of ours") if is_api else _said(request, "broken", 500)

    async def _link(self, request: web.Request) -> web.Response:
        token = request.match_info["token"]
        if len(token) > LINK_CHARS_MAX:
            return _said(request, "unknown", 404)
        if request.method in ("GET", "HEAD"):
            told = await self._line.ask("look", token=token)
            return self._shown(request, told, token)
        if request.method != "POST":
            raise web.HTTPMethodNotAllowed(request.method, ["GET", "HEAD", "POST"])
        said = await _form_of(request)
        if not self._is_pressed_here(request, said, token):
            return _said(request, "again", 403)
        do = "withdraw" if said.get("do") == "withdraw" else "acknowledge"
        by = said.get("by", "")
        told = await self._line.ask(do, token=token, by=_name(by if isinstance(by, str) else ""))
        return self._shown(request, told, token)

    def _shown(self, request: web.Request, told: Mapping[str, Any], token: str) -> web.Response:
        codes = {"open": 200, "over": 200, "expired": 410, "refused": 403, "unknown": 404, "busy": 429}
        code = codes.get(str(told.get("state")), 503)
        return _html(pages.html(page(told, _language(request)), self._form(token)), code)

    def _form(self, token: str) -> str:
        return hmac.digest(self._key, token.encode("utf-8", "replace"), "sha256").hex()[:32]

    def _is_pressed_here(self, request: web.Request, said: Mapping[str, Any], token: str) -> bool:
        """Whether somebody pressed the button on a page of ours, and no other site did so for them."""
        site = request.headers.get("Sec-Fetch-Site", "same-origin")
        origin = request.headers.get("Origin", "null")  # which browsers say where there is to be no referrer
        form = str(said.get("form", ""))
        return (
            site == "same-origin"
            and origin in ("null", self._origin)
            and hmac.compare_digest(form.encode("utf-8", "replace"), self._form(token).encode())
        )

    async def _robots(self, _: web.Request) -> web.Response:
        return web.Response(text="User-agent: *\nDisallow: /\n")

    async def _lost(self, request: web.Request) -> web.Response:
        if request.path.startswith(api.ROOT):
            return api.problem(404, "there is nothing here")
        return _said(request, "lost", 404)


async def _form_of(request: web.Request) -> Mapping[str, Any]:
    """What stands in a form; nothing in what is none, or cannot be read."""
    if request.content_type != FORM or "Content-Encoding" in request.headers:
        return {}
    try:
        return await request.post()
    except (ValueError, LookupError):  # in signs that nobody knows, or not in them
        return {}


def _said(request: web.Request, state: str, code: int) -> web.Response:
    return _html(pages.html(page({"state": state}, _language(request))), code)


def _html(text: str, code: int) -> web.Response:
    return web.Response(
        body=text.encode("utf-8", "replace"),
        status=code,
        headers=MultiDict({"Content-Type": "text/html; charset=utf-8"}),
    )


def _language(request: web.Request) -> str:
    """The first that a browser asks for; the notice's goes before it."""
    return request.headers.get("Accept-Language", "")[:LANGUAGE_CHARS_MAX].split(",")[0].split(";")[0]


def _name(written: str) -> str:
    return " ".join("".join(char if char.isprintable() else " " for char in written).split())[:100]


class _Visit(RequestHandler):
    """A conversation that says nothing of what was odd in a request, to strangers or to the log."""

    def handle_error(
        self,
        request: web.BaseRequest,
        status: int = 500,
        exc: BaseException | None = None,
        message: str | None = None,
    ) -> web.StreamResponse:
        """What cannot be read at all."""
        if request.writer.output_size > 0:
            raise ConnectionError("an answer has begun already")
        answer = web.Response(status=status, text="this cannot be read\n")
        answer.headers.update({**pages.HEADERS, "Server": "hostwatch"})
        answer.force_close()
        return answer


class _Guarded(asyncio.Protocol):
    """A connection that ends in time, and is not one too many."""

    def __init__(self, inner: asyncio.Protocol, there: dict[str, int], callers: Callers) -> None:
        self._inner = inner
        self._there = there
        self._callers = callers
        self._peer: str | None = None
        self._end: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        there, made = self._there, cast(asyncio.Transport, transport)
        peer = str((made.get_extra_info("peername") or ("",))[0])
        mine = there.get(peer, 0)
        too_many = mine >= CONNECTIONS_OF_ONE_MAX and not self._callers.is_proxy(peer)
        self._inner.connection_made(transport)
        if too_many or sum(there.values()) >= CONNECTIONS_MAX:
            made.abort()
            return
        self._peer = peer
        there[peer] = mine + 1
        self._end = asyncio.get_running_loop().call_later(LIFE_S, made.abort)

    def connection_lost(self, exc: Exception | None) -> None:
        if self._end is not None:
            self._end.cancel()
        if self._peer is not None:
            self._there[self._peer] -= 1
            if not self._there[self._peer]:
                del self._there[self._peer]
        self._inner.connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        self._inner.data_received(data)

    def eof_received(self) -> bool | None:
        return self._inner.eof_received()

    def pause_writing(self) -> None:
        self._inner.pause_writing()

    def resume_writing(self) -> None:
        self._inner.resume_writing()

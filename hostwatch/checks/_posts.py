"""A small web server that takes what is pushed: one request on a connection, a bound on each of its parts.

Whoever asks is hostile until the source that it names believes it. One server stands at each address and port
that sources name; whoever listens first opens it, whoever ends last closes it.
"""

from __future__ import annotations

import asyncio
import contextlib
import re
import socket
from collections import Counter, OrderedDict
from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass, field
from functools import partial
from http import HTTPStatus
from typing import Final, NamedTuple

from hostwatch.checks.base import Fault
from hostwatch.configuration.fields import Listen

HEAD_BYTES_MAX: Final = 8_192
HEADERS_MAX: Final = 50
BODY_BYTES_MAX: Final = 16_384
CONNECTIONS_MAX: Final = 64
"""At one time; who comes then is not heard."""

OF_ONE_ADDRESS_MAX: Final = 16
"""Of these."""

WITHIN_S: Final = 10.0
"""By then all of a push must have come."""

BURST_MAX: Final = 20
"""Connections of one address at once; after that so many a second:"""

RATE_MAX: Final = 5

ADDRESSES_KEPT: Final = 1_000

SECRET: Final = "/*"
"""Behind a path: who listens there judges what stands for it."""

NOT_HEARD: Final = "not heard"
BROKEN_OFF: Final = "broken off"

_FIRST = re.compile(rb"([A-Z]{1,10}) (/[!-~]{0,200}?)(?:\?([!-~]{0,4000}))? HTTP/1\.[01]")
_LENGTH = re.compile(r"[0-9]{1,9}")


class Push(NamedTuple):
    """What somebody sent."""

    path: str
    headers: Mapping[str, str]
    """By their names in small letters; of one that comes twice the last."""

    body: bytes
    query: str = ""
    """What stands behind the path."""

    is_post: bool = True
    """Or else a GET, which has no body."""


class Answer(NamedTuple):
    """What is answered."""

    code: int
    words: str = ""
    """For the people who set up what pushes; only those who are believed are told more than the code."""


Take = Callable[[Push], Answer | Awaitable[Answer]]
"""Judges one push, which is still nobody's, without waiting; of one that it believes it may say later what is
answered. Raises nothing."""


class Wrong(Exception):
    """It is no push."""

    def __init__(self, code: int) -> None:
        super().__init__(code)
        self.code = code


@dataclass(slots=True)
class _Allowance:
    left: float
    at_s: float = 0.0


@dataclass(slots=True, eq=False)
class Post:
    """One address and port, with all who are pushed to there, by their paths."""

    at: Listen
    burst: float = BURST_MAX
    rate: float = RATE_MAX
    counts: Counter[str] = field(default_factory=Counter)
    """What came: by the code of what was answered, and what was not answered."""

    _takes: dict[str, Take] = field(default_factory=dict)
    _server: asyncio.Server | None = None
    _opening: asyncio.Task[None] | None = None
    _is_closed: bool = False
    _talking: dict[asyncio.Task[None], str] = field(default_factory=dict)
    """Each connection, and the address that it comes from."""

    _allowances: OrderedDict[str, _Allowance] = field(default_factory=OrderedDict)

    async def open(self) -> None:
        """Take the address and port, once for all. Raises `Fault` if that is not possible."""
        if self._opening is None:
            self._opening = asyncio.create_task(self._open())
        await asyncio.shield(self._opening)

    async def _open(self) -> None:
        try:
            self._server = await asyncio.start_server(
                self._come, str(self.at.address), self.at.port, limit=HEAD_BYTES_MAX, backlog=CONNECTIONS_MAX
            )
        except OSError as error:
            below = " (ports below 1024 are not for us)" if 0 < self.at.port < 1024 else ""
            why = f"cannot hear what is pushed to {self.at}: {error.strerror or error}{below}"
            raise Fault(why) from None
        if self._is_closed:
            self._server.close()

    @property
    def port(self) -> int:
        """The port; 0 while it is not open."""
        sockets: Iterable[socket.socket] = self._server.sockets if self._server is not None else ()
        return next((one.getsockname()[1] for one in sockets), 0)

    async def close(self) -> None:
        """Give it back, whoever is talking."""
        self._is_closed = True
        if self._opening is not None:
            with contextlib.suppress(Fault):
                await asyncio.shield(self._opening)
        if self._server is not None:
            self._server.close()
        for task in self._talking:
            task.cancel()
        await asyncio.gather(*self._talking, return_exceptions=True)

    def _come(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Somebody connects.

        The talk is a task of ours, which may end cancelled: of one that is its own, asyncio complains then in
        some releases of Python (3.11.7 is one).
        """
        place = writer.get_extra_info("peername")
        address = str(place[0]) if place else ""
        if self._is_closed or not self._may_speak(address):
            self._count(NOT_HEARD)
            writer.transport.abort()
            return
        task = asyncio.create_task(self._talk(reader, writer))
        self._talking[task] = address
        task.add_done_callback(partial(self._leave, writer))

    def _count(self, what: str) -> None:
        self.counts[what] += 1
        _untold[BECAME.get(what, "no push")] += 1

    def _leave(self, writer: asyncio.StreamWriter, task: asyncio.Task[None]) -> None:
        del self._talking[task]
        writer.transport.abort()

    async def _talk(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One connection, for as long as a push may take."""
        try:
            async with asyncio.timeout(WITHIN_S):
                answer = await self._answered(reader)
                self._count(str(int(answer.code)))
                writer.write(_written(answer))
                await writer.drain()
                writer.write_eof()
                while await reader.read(HEAD_BYTES_MAX):
                    pass  # what is still coming must not undo the answer
        except (TimeoutError, OSError, asyncio.IncompleteReadError):
            self._count(BROKEN_OFF)

    async def _answered(self, reader: asyncio.StreamReader) -> Answer:
        try:
            push = await read_push(reader)
        except Wrong as wrong:
            return Answer(wrong.code)
        take = self._takes.get(push.path) or self._takes.get(push.path.rpartition("/")[0] + SECRET)
        if take is None:
            return Answer(HTTPStatus.UNAUTHORIZED if push.is_post else HTTPStatus.METHOD_NOT_ALLOWED)
        answer = take(push)
        return answer if isinstance(answer, Answer) else await answer

    def _may_speak(self, address: str) -> bool:
        of_it = sum(other == address for other in self._talking.values())
        if len(self._talking) >= CONNECTIONS_MAX or of_it >= OF_ONE_ADDRESS_MAX:
            return False
        now_s = asyncio.get_running_loop().time()
        mine = self._allowances.pop(address, None) or _Allowance(left=self.burst, at_s=now_s)
        self._allowances[address] = mine
        if len(self._allowances) > ADDRESSES_KEPT:
            self._allowances.popitem(last=False)
        mine.left = min(mine.left + (now_s - mine.at_s) * self.rate, self.burst)
        mine.at_s = now_s
        if mine.left < 1:
            return False
        mine.left -= 1
        return True


async def read_push(reader: asyncio.StreamReader) -> Push:
    """The head and the body. Raises `Wrong`, and `IncompleteReadError` if it ends too early."""
    try:
        head = await reader.readuntil(b"\r\n\r\n")
    except asyncio.LimitOverrunError:
        raise Wrong(HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE) from None
    first, *lines = head[:-4].split(b"\r\n")
    found = _FIRST.fullmatch(first)
    if found is None or len(lines) > HEADERS_MAX:
        raise Wrong(HTTPStatus.BAD_REQUEST)
    if found[1] not in (b"POST", b"GET"):
        raise Wrong(HTTPStatus.METHOD_NOT_ALLOWED)
    headers = dict(_header(line) for line in lines)
    path, query = found[2].decode("ascii"), (found[3] or b"").decode("ascii")
    if found[1] == b"GET":
        return Push(path, headers, b"", query, is_post=False)
    if "transfer-encoding" in headers or "content-length" not in headers:
        raise Wrong(HTTPStatus.LENGTH_REQUIRED)
    if not _LENGTH.fullmatch(headers["content-length"]):
        raise Wrong(HTTPStatus.BAD_REQUEST)
    length = int(headers["content-length"])
    if length > BODY_BYTES_MAX:
        raise Wrong(HTTPStatus.REQUEST_ENTITY_TOO_LARGE)
    return Push(path, headers, await reader.readexactly(length), query)


def _header(line: bytes) -> tuple[str, str]:
    name, colon, value = line.partition(b":")
    if not colon or not name or name != name.strip() or not line.isascii():
        raise Wrong(HTTPStatus.BAD_REQUEST)
    return name.decode("ascii").lower(), value.decode("ascii").strip()


def _written(answer: Answer) -> bytes:
    body = f"{answer.words}\n".encode() if answer.words else b""
    reason = HTTPStatus(answer.code).phrase
    head = f"HTTP/1.1 {answer.code} {reason}\r\nContent-Type: text/plain; charset=utf-8\r\n"
    length = "" if answer.code == HTTPStatus.NO_CONTENT else f"Content-Length: {len(body)}\r\n"
    return f"{head}{length}Connection: close\r\n\r\n".encode() + body


_posts: dict[Listen, Post] = {}
"""Those that are open."""

BECAME: Final[Mapping[str, str]] = {
    str(int(HTTPStatus.NO_CONTENT)): "heard",
    str(int(HTTPStatus.UNAUTHORIZED)): "not authentic",
    str(int(HTTPStatus.CONFLICT)): "old",
    str(int(HTTPStatus.UNPROCESSABLE_ENTITY)): "of a wrong shape",
    str(int(HTTPStatus.TOO_MANY_REQUESTS)): "too often",
    NOT_HEARD: "too often",
    BROKEN_OFF: "broken off",
}
"""What became of what came, in the words of the metrics; all else was no push."""

_untold: Counter[str] = Counter()
"""What came since `take_counts`."""


def take_counts() -> dict[str, int]:
    """What came since this was asked last, by what became of it."""
    told = dict(_untold)
    _untold.clear()
    return told


async def listen(
    wanted: Mapping[Listen, Mapping[str, Take]], *, burst: float = BURST_MAX, rate: float = RATE_MAX
) -> None:
    """Take what is pushed, until it is cancelled. Raises `Fault` if an address and port cannot be taken.

    `burst` and `rate`: how many connections of one address at once, and after that in a second.
    """
    try:
        for at, takes in wanted.items():
            post = _posts.setdefault(at, Post(at))
            post.burst, post.rate = max(post.burst, burst), max(post.rate, rate)
            post._takes.update(takes)
        for at in wanted:
            await _posts[at].open()
        await asyncio.get_running_loop().create_future()
    finally:
        for at, takes in wanted.items():
            mine = _posts.get(at)
            if mine is not None:
                for path in takes:
                    mine._takes.pop(path, None)
                if not mine._takes:
                    del _posts[at]
                    await mine.close()

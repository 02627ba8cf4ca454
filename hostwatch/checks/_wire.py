"""A connected socket, read only when somebody wants to read, in plain text or over TLS.

What a server sends beyond that waits in the kernel, which makes the server wait: no more of it is held here
than one piece. A transport with its buffers costs more. OpenSSL is given what came and gives what is to
leave: so a flight of the handshake takes one call of the kernel.
"""

from __future__ import annotations

import asyncio
import os
import select
import socket
import ssl
from contextlib import suppress
from typing import Any, Final
from weakref import WeakKeyDictionary

PIECE_BYTES: Final = 16_384
"""How much is read at once for OpenSSL."""


class Wire:
    """One connected socket that does not block. Raises `OSError` as the kernel and OpenSSL do."""

    def __init__(self, sock: socket.socket) -> None:
        self._sock = sock
        self._waited = True
        """Whether others had their turn since we read last."""

        self._is_quiet = True
        """Whether nothing can have come yet: the other side has just been told something."""

        self._tls: ssl.SSLObject | None = None
        self._came = self._leaving = ssl.MemoryBIO()
        """What OpenSSL has not read yet, and what it wants sent."""

        self.was_cut = False
        """Whether the connection ended in the middle of TLS, without a word for its end (`close_notify`)."""

    @property
    def tls(self) -> ssl.SSLObject | None:
        """The TLS session, if there is one."""
        return self._tls

    @property
    def own_address(self) -> str:
        """Ours, without the link that it is on."""
        address: str = self._sock.getsockname()[0]
        return address.partition("%")[0]

    async def receive(self, bytes_max: int) -> bytes:
        """What has come, waiting for at least one byte; empty at the end of the connection."""
        if self._tls is None:
            return await self._arrived(bytes_max)
        while True:
            try:
                return self._tls.read(bytes_max)
            except ssl.SSLWantReadError:
                await self._more()
            except ssl.SSLEOFError:
                self.was_cut = True
                return b""

    def at_once(self, bytes_max: int) -> bytes:
        """What has come already in plain text, without waiting."""
        try:
            return self._sock.recv(bytes_max)
        except BlockingIOError:
            return b""

    async def send(self, data: bytes) -> None:
        """Send all, at the pace of the other side."""
        if self._tls is None:
            await self._pour(data)
            return
        left = memoryview(data)
        while left:
            try:
                left = left[self._tls.write(left) :]
            except ssl.SSLWantReadError:
                await self._more()
        await self._flush()

    async def shake_hands(
        self, context: ssl.SSLContext, name: str | None, session: ssl.SSLSession | None = None
    ) -> ssl.SSLObject:
        """Go over to TLS; as the continuation of a session, if the server agrees."""
        if context.check_hostname and not name:  # over memory nobody else asks for it
            raise ValueError("TLS to nobody in particular")
        self._came, self._leaving = ssl.MemoryBIO(), ssl.MemoryBIO()
        self._tls = over = context.wrap_bio(self._came, self._leaving, server_hostname=name, session=session)
        while True:
            try:
                over.do_handshake()
            except ssl.SSLWantReadError:
                await self._more()
            except ssl.SSLError:
                with suppress(OSError):  # the server is told why, if it still listens
                    self._sock.send(self._leaving.read())
                raise
            else:
                await self._flush()
                return over

    def close(self) -> None:
        """Break it off."""
        self._sock.close()

    async def _more(self) -> None:
        """Give OpenSSL the next piece, once all has left that it has to say."""
        await self._flush()
        piece = await self._arrived(PIECE_BYTES)
        if piece:
            self._came.write(piece)
        else:
            self._came.write_eof()

    async def _arrived(self, bytes_max: int) -> bytes:
        if not self._waited:
            await asyncio.sleep(0)  # a server that always has more must not keep all others waiting
        self._waited = False
        if self._is_quiet:
            self._is_quiet = False
            await self._readable()
        while True:
            try:
                return self._sock.recv(bytes_max)
            except BlockingIOError:
                await self._readable()

    async def _readable(self) -> None:
        await wait(self._sock, select.EPOLLIN)
        self._waited = True

    async def _flush(self) -> None:
        if self._leaving.pending:
            await self._pour(self._leaving.read())

    async def _pour(self, data: bytes) -> None:
        self._is_quiet = True
        left = memoryview(data)
        while left:
            try:
                left = left[self._sock.send(left) :]
            except BlockingIOError:
                await wait(self._sock, select.EPOLLOUT)


async def connected(sock: socket.socket, place: tuple[Any, ...]) -> None:
    """Connect a socket that does not block. Raises `OSError`."""
    try:
        sock.connect(place)
    except BlockingIOError:
        await wait(sock, select.EPOLLOUT)
        if error := sock.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR):
            raise OSError(error, os.strerror(error)) from None


class _Bells:
    """Those who wait for sockets on one loop, each for one thing at one socket.

    The loop looks after one descriptor for all of them. A socket stays registered until it is closed, and is
    armed for one event each time that somebody waits: one call of the kernel, where the loop's own way
    (`add_reader`, `remove_reader`) takes two and much reckoning.
    """

    def __init__(self) -> None:
        self._epoll = select.epoll()
        self._waiting: dict[int, asyncio.Future[None]] = {}
        asyncio.get_running_loop().add_reader(self._epoll.fileno(), self._ring)

    async def wait(self, number: int, event: int) -> None:
        ready = asyncio.get_running_loop().create_future()
        event |= select.EPOLLONESHOT
        try:
            self._epoll.modify(number, event)
        except FileNotFoundError:  # nobody has waited for it yet
            self._epoll.register(number, event)
        self._waiting[number] = ready
        try:
            await ready
        finally:
            if self._waiting.get(number) is ready:
                del self._waiting[number]

    def _ring(self) -> None:
        for number, _ in self._epoll.poll(0):
            ready = self._waiting.get(number)
            if ready is not None and not ready.done():
                ready.set_result(None)


_BELLS: Final[WeakKeyDictionary[asyncio.AbstractEventLoop, _Bells]] = WeakKeyDictionary()


async def wait(sock: socket.socket, event: int) -> None:
    """Until something can be read from a socket, or written to it, or it is broken."""
    loop = asyncio.get_running_loop()
    bells = _BELLS.get(loop)
    if bells is None:
        bells = _BELLS[loop] = _Bells()
    await bells.wait(sock.fileno(), event)

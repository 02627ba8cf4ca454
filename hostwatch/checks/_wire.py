"""A connected socket, read only when somebody wants to read, in plain text or over TLS.

What a server sends beyond that waits in the kernel, which makes the server wait: nothing of it is held here.
A transport with its buffers costs more, and over TLS much more: here OpenSSL has the socket to itself.
"""

from __future__ import annotations

import asyncio
import errno
import socket
import ssl


class Wire:
    """One connected socket that does not block. Raises `OSError` as the kernel and OpenSSL do."""

    def __init__(self, sock: socket.socket) -> None:
        self._sock = sock
        self._loop = asyncio.get_running_loop()
        self._waited = True
        self.was_cut = False
        """Whether the connection ended in the middle of TLS, without a word for its end (`close_notify`)."""

    @property
    def tls(self) -> ssl.SSLSocket | None:
        """The TLS session, if there is one."""
        return self._sock if isinstance(self._sock, ssl.SSLSocket) else None

    @property
    def own_address(self) -> str:
        """Ours, without the link that it is on."""
        address: str = self._sock.getsockname()[0]
        return address.partition("%")[0]

    async def receive(self, bytes_max: int) -> bytes:
        """What has come, waiting for at least one byte; empty at the end of the connection."""
        if not self._waited:
            await asyncio.sleep(0)  # a server that always has more must not keep all others waiting
        self._waited = False
        while True:
            try:
                return self._sock.recv(bytes_max)
            except (BlockingIOError, ssl.SSLWantReadError):
                await self._readable()
            except ssl.SSLWantWriteError:
                await self._writable()
            except ssl.SSLEOFError:
                self.was_cut = True
                return b""

    def at_once(self, bytes_max: int) -> bytes:
        """What has come already, without waiting."""
        try:
            return self._sock.recv(bytes_max)
        except (BlockingIOError, ssl.SSLWantReadError, ssl.SSLWantWriteError, ssl.SSLEOFError):
            return b""

    async def send(self, data: bytes) -> None:
        """Send all, at the pace of the other side."""
        left = memoryview(data)
        while left:
            try:
                left = left[self._sock.send(left) :]
            except (BlockingIOError, ssl.SSLWantWriteError):
                await self._writable()
            except ssl.SSLWantReadError:
                await self._readable()

    async def shake_hands(
        self, context: ssl.SSLContext, name: str | None, session: ssl.SSLSession | None = None
    ) -> ssl.SSLSocket:
        """Go over to TLS; as the continuation of a session, if the server agrees."""
        self._sock = over = context.wrap_socket(
            self._sock,
            server_hostname=name,
            do_handshake_on_connect=False,
            suppress_ragged_eofs=False,
            session=session,
        )
        while True:
            try:
                over.do_handshake()
            except ssl.SSLWantReadError:
                await self._readable()
            except ssl.SSLWantWriteError:
                await self._writable()
            except OSError as error:
                if error.errno == errno.ENOTCONN:  # it has been broken off already
                    raise ConnectionResetError(errno.ECONNRESET, "Connection reset by peer") from None
                raise
            else:
                return over

    def close(self) -> None:
        """Break it off."""
        self._sock.close()

    async def _readable(self) -> None:
        number, ready = self._sock.fileno(), self._loop.create_future()
        self._loop.add_reader(number, _resolve, ready)
        self._waited = True
        try:
            await ready
        finally:
            self._loop.remove_reader(number)

    async def _writable(self) -> None:
        number, ready = self._sock.fileno(), self._loop.create_future()
        self._loop.add_writer(number, _resolve, ready)
        try:
            await ready
        finally:
            self._loop.remove_writer(number)


def _resolve(ready: asyncio.Future[None]) -> None:
    if not ready.done():
        ready.set_result(None)

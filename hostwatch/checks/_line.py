"""A connection that lines and bytes go over, with bounds on all that comes in.

The reader of the event loop stops the other side when two lines' worth wait here, so that a server that sends
for ever fills its own buffers and not our memory.
"""

from __future__ import annotations

import asyncio
import socket
import ssl
from collections.abc import Awaitable, Callable
from typing import Final

from hostwatch.checks._certificate import certificate_failed, examine, handshake_failed
from hostwatch.checks._finding import Fault, Missed, Step
from hostwatch.checks._tls import Tls, prepared, unverified
from hostwatch.checks._visit import Visit, failed

LINE_BYTES_MAX: Final = 8_192
"""The longest line that a server may send."""

EXPLAINED_WITHIN_S: Final = 2.0
"""How long we take to find out what is wrong with a certificate that was not accepted."""

HANDSHAKE_S_MAX: Final = 3_600.0
"""Of no effect: the whole run has its deadline."""


class Line:
    """One connection of a visit. What fails raises `Missed` or `Fault`, at the step that the visit is at."""

    def __init__(self, visit: Visit, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._visit = visit
        self._reader = reader
        self._writer = writer

    @property
    def tls(self) -> ssl.SSLObject | None:
        """The TLS session, if there is one."""
        found: ssl.SSLObject | None = self._writer.get_extra_info("ssl_object")
        return found

    async def read_line(self, *, quietly: bool = False) -> bytes:
        """The next line, without its end. Raises `Missed` if the connection ends, or for a longer line.

        `quietly`: it does not stand in the transcript.
        """
        try:
            line = await self._reader.readuntil(b"\n")
        except asyncio.IncompleteReadError as end:
            self._visit.count(len(end.partial))
            raise Missed("the server closed the connection", came=end.partial) from None
        except asyncio.LimitOverrunError:
            raise Missed(f"a line of more than {LINE_BYTES_MAX:,} bytes came") from None
        except OSError as error:
            raise failed(error) from error
        self._visit.count(len(line))
        line = line.removesuffix(b"\n").removesuffix(b"\r")
        if not quietly:
            self._visit.tell("<", line)
        return line

    async def read_some(self, bytes_max: int) -> bytes:
        """What has come, waiting for at least one byte; empty at the end of the connection."""
        try:
            found = await self._reader.read(bytes_max)
        except OSError as error:
            raise failed(error) from error
        self._visit.count(len(found))
        return found

    async def read_exactly(self, many: int) -> bytes:
        """So many bytes. Raises `Missed` if the connection ends before."""
        found = bytearray()
        while len(found) < many:
            piece = await self.read_some(many - len(found))
            if not piece:
                raise Missed("the server closed the connection", came=bytes(found))
            found += piece
        return bytes(found)

    async def write(self, data: bytes, shown: str | None = None) -> None:
        """Send bytes. `shown` stands in the transcript instead of them: where they hold a secret."""
        self._visit.tell(">", data.removesuffix(b"\r\n") if shown is None else shown)
        try:
            self._writer.write(data)
            await self._writer.drain()
        except OSError as error:
            raise failed(error) from error

    def _unread(self) -> bytes:
        """What has come and was not read yet. Never waits."""
        reading = self._reader.read(LINE_BYTES_MAX)
        try:
            reading.send(None)
        except StopIteration as read:
            found: bytes = read.value
        except OSError as error:
            raise failed(error) from error
        else:
            reading.close()  # it would have waited
            return b""
        self._visit.count(len(found))
        self._visit.tell("<", found)
        return found

    async def start_tls(self, tls: Tls, name: str, again: Again | None = None) -> None:
        """Go over to TLS. `name` is the one that the certificate must be for, if the settings say no other.

        `again` makes the same connection once more, ready for TLS: with it a bad certificate is fetched and
        explained. Raises `Missed` with what is wrong with the certificate, or with the handshake; also when
        anything came before TLS: somebody on the way could have put it there, to be taken for what came
        protected.
        """
        with self._visit.at(Step.TLS):
            early = self._unread()
            if early:
                raise Missed("the server went on in plain text before TLS", expected="TLS", came=early)
            context, asked = prepared(tls, name)
            try:
                session = await self._shake_hands(context, asked)
            except ssl.SSLCertVerificationError as error:
                raise await self._explained(error, tls, asked, again) from error
            except OSError as error:
                raise handshake_failed(error, tls, asked, self._visit) from error
            examine(self._visit, tls, session)

    async def _shake_hands(self, context: ssl.SSLContext, asked: str | None) -> ssl.SSLObject:
        await self._writer.start_tls(context, server_hostname=asked, ssl_handshake_timeout=HANDSHAKE_S_MAX)
        session = self.tls
        if session is None:
            raise ConnectionResetError
        return session

    async def _explained(
        self, error: ssl.SSLCertVerificationError, tls: Tls, asked: str | None, again: Again | None
    ) -> Missed | Fault:
        """What is wrong with a certificate that was not accepted, by a second handshake that accepts any."""
        known = handshake_failed(error, tls, asked, self._visit)
        if again is None:
            return known
        with self._visit.aside(known):
            self._visit.tell("*", f"{known}; a second handshake, without verification, to see it")
            try:
                async with asyncio.timeout(EXPLAINED_WITHIN_S):
                    line = await again()
                    session = await line._shake_hands(unverified(), asked)
            except (Missed, Fault, OSError):
                return known
            der = session.getpeercert(binary_form=True)
            return certificate_failed(error, tls, asked, self._visit, der)


Again = Callable[[], Awaitable[Line]]
"""Makes a connection once more."""


async def connect(
    visit: Visit, host: str, port: int, tls: Tls | None = None, *, name: str = "", literal: bool | None = None
) -> Line:
    """A connection to a host, the device itself if empty; with TLS from the start if given.

    `name` is who is asked for in TLS, if it is not the host; `literal` as in `Visit.open`. Raises `Missed` or
    `Fault`.
    """

    async def again() -> Line:
        return await _over(visit, await visit.open(host, port, literal=literal))

    line = await again()
    if tls is not None:
        await line.start_tls(tls, name or host or visit.address, again)
    return line


async def _over(visit: Visit, sock: socket.socket) -> Line:
    try:
        reader, writer = await asyncio.open_connection(sock=sock, limit=LINE_BYTES_MAX)
    except OSError as error:
        raise failed(error) from error
    visit.handed_over(sock, writer)
    return Line(visit, reader, writer)

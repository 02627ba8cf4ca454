"""A connection that lines and bytes go over, with bounds on all that comes in.

No more is read than a line and a piece, so that a server that sends for ever fills its own buffers and not
our memory.
"""

from __future__ import annotations

import asyncio
import socket
import ssl
from collections.abc import Awaitable, Callable
from typing import Final

from hostwatch.checks._certificate import certificate_failed, examine, handshake_failed
from hostwatch.checks._failed import failed
from hostwatch.checks._finding import Fault, Missed, Step
from hostwatch.checks._sentence import chinese
from hostwatch.checks._tls import Tls, prepared, unverified
from hostwatch.checks._visit import Visit
from hostwatch.checks._wire import Wire

LINE_BYTES_MAX: Final = 8_192
"""The longest line that a server may send."""

EXPLAINED_WITHIN_S: Final = 2.0
"""How long we take to find out what is wrong with a certificate that was not accepted."""

PIECE_BYTES: Final = 4_096
"""How much is read at once to find the end of a line."""


class Line:
    """One connection of a visit. What fails raises `Missed` or `Fault`, at the step that the visit is at."""

    def __init__(self, visit: Visit, wire: Wire) -> None:
        self._visit = visit
        self._wire = wire
        self._waiting = bytearray()
        """What has come and nobody wanted yet."""

    @property
    def tls(self) -> ssl.SSLObject | None:
        """The TLS session, if there is one."""
        return self._wire.tls

    @property
    def own_address(self) -> str:
        """Ours, as the other side sees it if nothing in between changes it."""
        return self._wire.own_address

    @property
    def was_cut(self) -> bool:
        """Whether the connection ended in the middle of TLS: what came last may lack its end."""
        return self._wire.was_cut

    async def read_line(self, *, quietly: bool = False) -> bytes:
        """The next line, without its end. Raises `Missed` if the connection ends, or for a longer line.

        `quietly`: it does not stand in the transcript.
        """
        searched = 0
        while (end := self._waiting.find(b"\n", searched, LINE_BYTES_MAX)) < 0:
            searched = len(self._waiting)
            if searched >= LINE_BYTES_MAX:
                raise Missed("a line of more than {count} bytes came", count=LINE_BYTES_MAX)
            piece = await self._receive(PIECE_BYTES)
            if not piece:
                self._visit.count(searched)
                raise Missed("the server closed the connection", came=bytes(self._waiting))
            self._waiting += piece
        return self._taken(end, quietly=quietly)

    def next_line(self) -> bytes | None:
        """The next line, if all of it has come with what was read before; None means `read_line`."""
        end = self._waiting.find(b"\n", 0, LINE_BYTES_MAX)
        return None if end < 0 else self._taken(end)

    def _taken(self, end: int, *, quietly: bool = False) -> bytes:
        self._visit.count(end + 1)
        line = bytes(self._waiting[:end]).removesuffix(b"\r")
        del self._waiting[: end + 1]
        if not quietly:
            self._visit.tell("<", line)
        return line

    async def read_some(self, bytes_max: int) -> bytes:
        """What has come, waiting for at least one byte; empty at the end of the connection."""
        if self._waiting:
            found = bytes(self._waiting[:bytes_max])
            del self._waiting[:bytes_max]
        else:
            found = await self._receive(bytes_max)
        self._visit.count(len(found))
        return found

    async def _receive(self, bytes_max: int) -> bytes:
        try:
            return await self._wire.receive(bytes_max)
        except OSError as error:
            raise failed(error) from error

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
            await self._wire.send(data)
        except OSError as error:
            raise failed(error) from error

    def _unread(self) -> bytes:
        """What has come and was not read yet. Never waits."""
        try:
            found = bytes(self._waiting) or self._wire.at_once(LINE_BYTES_MAX)
        except OSError as error:
            raise failed(error) from error
        if found:
            self._visit.count(len(found))
            self._visit.tell("<", found)
        return found

    def close(self) -> None:
        """Break it off; the end of the run does so too."""
        self._wire.close()

    async def start_tls(
        self, tls: Tls, name: str, again: Again | None = None, beside: Line | None = None
    ) -> None:
        """Go over to TLS. `name` is the one that the certificate must be for, if the settings say no other.

        `again` makes the same connection once more, ready for TLS: with it a bad certificate is fetched and
        explained. `beside` is a connection whose session this one continues, if the server agrees: some
        demand it. Raises `Missed` with what is wrong with the certificate, or with the handshake; also when
        anything came before TLS: somebody on the way could have put it there, to be taken for what came
        protected.
        """
        with self._visit.at(Step.TLS):
            early = self._unread()
            if early:
                raise Missed("the server went on in plain text before TLS", expected="TLS", came=early)
            context, asked = prepared(tls, name)
            continued = None
            if beside is not None and beside.tls is not None:
                context, continued = beside.tls.context, beside.tls.session
            try:
                session = await self._wire.shake_hands(context, asked, continued)
            except ssl.SSLCertVerificationError as error:
                raise await self._explained(error, tls, asked, again) from error
            except OSError as error:
                raise handshake_failed(error, tls, asked, self._visit) from error
            examine(self._visit, tls, session)

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
                    session = await line._wire.shake_hands(unverified(), asked)
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
        return _over(visit, await visit.open(host, port, literal=literal))

    line = await again()
    if tls is not None:
        await line.start_tls(tls, name or host or visit.address, again)
    return line


async def connect_beside(visit: Visit, port: int) -> Line:
    """A second connection to the address connected to last, at a port that the other side named.

    Raises as `Visit.open_beside`.
    """
    return _over(visit, await visit.open_beside(port))


def _over(visit: Visit, sock: socket.socket) -> Line:
    wire = Wire(sock)
    visit.handed_over(sock, wire)
    return Line(visit, wire)


chinese(
    """
    a line of more than {count} bytes came
        收到的一行超过 {count} 字节
    the server went on in plain text before TLS
        服务器在 TLS 开始之前继续发送明文
    """
)

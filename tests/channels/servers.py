"""Servers on loopback that behave, or misbehave in exactly one way each."""

from __future__ import annotations

import asyncio
import contextlib
import ssl
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path
from typing import Any, Literal

from aiosmtpd.smtp import SMTP, AuthResult, Envelope, Session
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from tests.mails import Mail, parse

LOOPBACK = "127.0.0.1"


def self_signed(folder: Path, *hosts: str) -> tuple[ssl.SSLContext, Path]:
    """A server's TLS with a certificate that nobody vouches for, for these names, and that certificate."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "loopback.example")])
    now = datetime.now(UTC)
    names = x509.SubjectAlternativeName(
        [x509.IPAddress(ip_address(LOOPBACK)), *(x509.DNSName(host) for host in hosts)]
    )
    certificate = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(names, critical=False)
        .sign(key, hashes.SHA256())
    )
    pem = certificate.public_bytes(serialization.Encoding.PEM)
    secret = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    (folder / "certificate.pem").write_bytes(pem)
    (folder / "both.pem").write_bytes(secret + pem)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(folder / "both.pem")
    return context, folder / "certificate.pem"


@dataclass(kw_only=True)
class Relay:
    """A mail relay; `wrong` names its one misbehaviour."""

    wrong: Literal[
        "", "greylist", "no such user", "needs login", "content refused", "content deferred", "drops at data",
        "drops after data", "silent after data",
    ] = ""  # fmt: skip
    port: int = 0
    received: list[Envelope] = field(default_factory=list)
    sessions: list[Session] = field(default_factory=list)
    logins: list[tuple[str, str]] = field(default_factory=list)

    def mail(self, number: int = 0) -> Mail:
        """A message as an ordinary reader of mail parses it."""
        content = self.received[number].content
        assert isinstance(content, bytes)
        return parse(content)

    async def handle_RCPT(  # noqa: N802 - aiosmtpd's name
        self, _server: SMTP, session: Session, envelope: Envelope, address: str, _options: list[str]
    ) -> str:
        self.sessions.append(session)
        match self.wrong:
            case "greylist":
                return "451 4.7.1 greylisted, come back in 10 minutes"
            case "no such user":
                return "550 5.1.1 no such user"
            case "needs login":
                return "530 5.7.0 authentication required"
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: SMTP, _session: Session, envelope: Envelope) -> str:  # noqa: N802
        self.received.append(envelope)
        match self.wrong:
            case "content refused":
                return "554 5.6.0 we do not like it"
            case "content deferred":
                return "452 4.3.1 disk full"
            case "drops after data":
                assert server.transport is not None
                server.transport.close()
            case "silent after data":
                await asyncio.Event().wait()
        return "250 2.0.0 OK: queued as 4ABC"

    def authenticate(
        self, _server: SMTP, _session: Session, _envelope: Envelope, _method: str, data: Any
    ) -> AuthResult:
        self.logins.append((data.login.decode(), data.password.decode()))
        return AuthResult(success=data.password == b"right", handled=False)


class _DropsAtData(SMTP):
    async def smtp_DATA(self, _argument: str) -> None:  # noqa: N802
        assert self.transport is not None
        self.transport.close()


@contextlib.asynccontextmanager
async def relay(
    wrong: Any = "",
    *,
    starttls: ssl.SSLContext | None = None,
    tls: ssl.SSLContext | None = None,
    login: bool = False,
) -> AsyncIterator[Relay]:
    """A running relay."""
    sink = Relay(wrong=wrong)
    options: dict[str, Any] = {"hostname": "relay.example", "enable_SMTPUTF8": False, "tls_context": starttls}
    if login:
        options |= {"authenticator": sink.authenticate, "auth_require_tls": False}
    protocol = _DropsAtData if wrong == "drops at data" else SMTP
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: protocol(sink, loop=loop, **options), LOOPBACK, 0, ssl=tls)
    sink.port = server.sockets[0].getsockname()[1]
    try:
        yield sink
    finally:
        server.close()


@dataclass(frozen=True)
class Request:
    """What a receiver was sent."""

    line: str
    headers: dict[str, str]
    body: bytes


@dataclass(kw_only=True)
class Receiver:
    """A web server that answers with `answer`, and after that with what `wrong` says."""

    answer: bytes = b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\ntaken"
    wrong: Literal["", "silent", "closes", "drips", "endless", "closes unread"] = ""
    port: int = 0
    requests: list[Request] = field(default_factory=list)
    written: int = 0
    """Bytes of an endless body that the other side took."""

    came: asyncio.Event = field(default_factory=asyncio.Event)
    gone: asyncio.Event = field(default_factory=asyncio.Event)

    def let_go(self) -> None:
        """Hang up on all whom a silent one holds."""
        self.gone.set()

    async def enough(self, count: int) -> None:
        """Wait for so many requests."""
        while len(self.requests) < count:
            self.came.clear()
            await self.came.wait()

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            with contextlib.suppress(ConnectionError, asyncio.IncompleteReadError):
                await self._serve(reader, writer)
        finally:
            writer.close()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).decode().split("\r\n")
        headers = {
            name.lower(): value.strip() for name, _, value in (line.partition(":") for line in head[1:])
        }
        body = await reader.readexactly(int(headers.get("content-length", "0")))
        self.requests.append(Request(head[0], headers, body))
        self.came.set()
        match self.wrong:
            case "silent":
                ends = [asyncio.ensure_future(reader.read()), asyncio.ensure_future(self.gone.wait())]
                await asyncio.wait(ends, return_when=asyncio.FIRST_COMPLETED)
                for end in ends:
                    end.cancel()
            case "closes":
                return
            case "drips":
                writer.write(b"HTTP/1.1 200 OK\r\n\r\n")
                while True:
                    writer.write(b".")
                    await writer.drain()
                    await asyncio.sleep(0.05)
            case "endless":
                writer.write(b"HTTP/1.1 200 OK\r\n\r\n")
                while True:
                    writer.write(b"a" * 65536)
                    await writer.drain()
                    self.written += 65536
            case _:
                writer.write(self.answer)
                await writer.drain()


@contextlib.asynccontextmanager
async def receiver(
    wrong: Any = "", *, answer: bytes | None = None, tls: ssl.SSLContext | None = None
) -> AsyncIterator[Receiver]:
    """A running receiver."""
    sink = Receiver(wrong=wrong)
    sink.answer = sink.answer if answer is None else answer
    server = await asyncio.start_server(sink.serve, LOOPBACK, 0, ssl=tls)
    sink.port = server.sockets[0].getsockname()[1]
    try:
        yield sink
    finally:
        server.close()


def answering(status: str, *headers: str, body: str = "") -> bytes:
    """An answer as it goes over the wire."""
    lines = [f"HTTP/1.1 {status}", f"Content-Length: {len(body)}", *headers, "", body]
    return "\r\n".join(lines).encode()


@dataclass(kw_only=True)
class Gateway:
    """A gateway of a paging company (SNPP, RFC 1861). `script` says what it does otherwise.

    By the first four letters of a command in capitals, or `""` for the greeting: the bytes that it answers,
    or what it does instead.
    """

    script: dict[str, bytes | Literal["silent", "drops", "endless", "endless line"]]
    port: int = 0
    said: list[str] = field(default_factory=list)
    """Each command as it came."""

    pages: list[tuple[str, str]] = field(default_factory=list)
    """The pager and the line of each page for which SEND came, whatever was answered."""

    written: int = 0
    """Bytes of something endless that the other side took."""

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            with contextlib.suppress(ConnectionError):
                await self._serve(reader, writer)
        finally:
            writer.close()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        entered = {"PAGE": "", "MESS": ""}
        goes_on = await self._say("", b"220 SNPP (V3) Gateway Ready\r\n", reader, writer)
        while goes_on and (line := await reader.readline()):
            command = line.decode("ascii").removesuffix("\r\n")
            self.said.append(command)
            name = command[:4].upper()
            answer = USUAL.get(name, b"500 Command Not Implemented\r\n")
            if name in entered:
                entered[name] = command.partition(" ")[2]
            elif name == "SEND" and not all(entered.values()):
                answer = b"503 Error, Pager ID or Message Incomplete\r\n"
            elif name == "SEND":
                self.pages.append((entered["PAGE"], entered["MESS"]))
            goes_on = await self._say(name, answer, reader, writer) and name != "QUIT"

    async def _say(
        self, name: str, usual: bytes, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> bool:
        """Answer; False to hang up."""
        match answer := self.script.get(name, usual):
            case "drops":
                return False
            case "silent":
                await reader.read()
                return False
            case "endless" | "endless line":
                piece = b"250-more\r\n" if answer == "endless" else b"250 more and "
                while True:
                    writer.write(piece * 4096)
                    await writer.drain()
                    self.written += len(piece) * 4096
            case bytes():
                writer.write(answer)
                await writer.drain()
        return not answer.startswith(b"421")


USUAL = {
    "PAGE": b"250 Pager ID Accepted\r\n",
    "MESS": b"250 Message OK\r\n",
    "SEND": b"250 Message Sent Successfully\r\n",
    "QUIT": b"221 OK, Goodbye\r\n",
}
"""What a gateway of level 1 answers."""


@contextlib.asynccontextmanager
async def gateway(**script: Any) -> AsyncIterator[Gateway]:
    """A running gateway; `greeting` stands for what it says first."""
    if "greeting" in script:
        script[""] = script.pop("greeting")
    sink = Gateway(script=script)
    server = await asyncio.start_server(sink.serve, LOOPBACK, 0)
    sink.port = server.sockets[0].getsockname()[1]
    try:
        yield sink
    finally:
        server.close()

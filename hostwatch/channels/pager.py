"""Pagers, by SNPP (RFC 1861): one line of ASCII, handed to the gateway of a paging company.

The gateway's answer to SEND is the receipt: it has the page. Nobody knows whether the pager was within
reach. What level 2 of the protocol adds is tried where it helps, and done without where it is not offered:
the answer to HELP has no form from which that could be known. Two-way paging (level 3) is not used.
"""

from __future__ import annotations

import asyncio
import contextlib
import re
from dataclasses import dataclass
from datetime import timedelta
from typing import Annotated, ClassVar, NamedTuple
from urllib.parse import urlsplit

from pydantic import Field, field_validator, model_validator

from hostwatch.channels import base
from hostwatch.configuration.duration import Duration, between
from hostwatch.configuration.mistake import Wrong
from hostwatch.configuration.secret import Secret

DEFAULT_PORT = 444
SERVER = "write HOST or HOST:PORT, such as 192.0.2.9:444"
LINE_MAX_BYTES = 1024
"""The longest line that a gateway may say."""
ANSWER_MAX_LINES = 50
"""The longest answer of several lines."""
PIECE_BYTES = 4096
GOODBYE_SECONDS = 2.0
"""How long we wait for the answer to QUIT; the page is accepted by then."""
LINE_MAX_CHARS = 160
"""The longest page."""

NO_SUCH_COMMAND = 500
MENDABLE = frozenset({503, 530, 554})
"""Of the answers that begin with 5: commands out of order, a login that is wanted, a technical fault."""

_ANSWER = re.compile(rb"([2-9][0-9]{2})(?:([ -])(.*))?", re.DOTALL)
_NUMBER = re.compile(r"[A-Za-z0-9][A-Za-z0-9._@+*#-]{0,63}")
_WORD = re.compile(r"[\x21-\x7e]{1,128}")


class _Login(base.SiteEntry):
    """A gateway, and how we log in there."""

    server: str | None = Field(None, description="The gateway of the paging company: HOST or HOST:PORT.")
    username: str | None = Field(None, pattern=rf"^{_WORD.pattern}$")
    password: Secret | None = None

    @field_validator("server")
    @classmethod
    def _check_server(cls, value: str | None) -> str | None:
        if value is not None:
            host_and_port(value)
        return value

    @model_validator(mode="after")
    def _check_login(self) -> _Login:
        if self.password is not None and self.username is None:
            raise Wrong("half a login", "give username: as well")
        if self.username is not None and self.server is None:
            raise Wrong("a login without a gateway", "say server: beside it, so that nobody else gets it")
        if self.password is not None and not _WORD.fullmatch(self.password.reveal() or "-"):
            raise Wrong("the password cannot be said by SNPP", "it must be ASCII, without spaces")
        return self


class Settings(_Login, base.Entry):
    """One pager of a contact."""

    shorthand: ClassVar[str] = "number"

    number: str = Field(
        pattern=rf"^{_NUMBER.pattern}$", description="The pager's number, as the gateway knows it."
    )


class Site(_Login):
    """The gateway of those pagers that name none."""

    timeout: Annotated[Duration, between("10ms", "4m")] = Field(
        timedelta(seconds=20), description="For the whole conversation with the gateway."
    )


def host_and_port(server: str) -> tuple[str, int]:
    """Where a gateway is. Raises `Wrong` for what is no such address."""
    try:
        url = urlsplit(f"//{server}")
        host, port = url.hostname or "", url.port
        host.encode("idna")
    except ValueError:
        raise Wrong("is not the address of a gateway", SERVER) from None
    odd = not server.isprintable() or " " in server or "@" in server
    if not host or odd or port == 0 or url.netloc != server:
        raise Wrong("is not the address of a gateway", SERVER)
    return host, port or DEFAULT_PORT


def build(settings: Settings, surroundings: base.Surroundings) -> Pager:
    """The channel; a pager belongs to a gateway."""
    site = surroundings.site.get("pager") or Site()
    login = settings if settings.server is not None else site
    if login.server is None:
        raise base.Unusable(
            "there is no gateway for pagers", "give server: here or under `channels: {pager: {server: …}}`"
        )
    host, port = host_and_port(login.server)
    gateway = _Gateway(host, port, login.username, login.password)
    return Pager(settings.number, gateway, site.timeout)


@dataclass(frozen=True, slots=True)
class _Gateway:
    host: str
    port: int
    username: str | None
    password: Secret | None


class Pager(base.Channel):
    """One pager behind a gateway."""

    kind = "pager"

    def __init__(self, number: str, gateway: _Gateway, timeout: timedelta) -> None:
        self._number = number
        self._gateway = gateway
        self._timeout_s = timeout.total_seconds()

    @property
    def shown(self) -> str:
        return f"{self._number} by {self._gateway.host}"

    async def send(self, message: base.Message) -> base.Receipt:
        talk = _Talk()
        try:
            async with asyncio.timeout(self._timeout_s):
                answer = await self._hand_over(talk, message)
        except TimeoutError as error:
            raise self._failed(f"timed out while {talk.doing}", talk) from error
        except OSError as error:
            raise self._failed(f"{error or type(error).__name__} (while {talk.doing})", talk) from error
        except _Broken as error:
            raise self._failed(f"{error} (while {talk.doing})", talk) from error
        finally:
            talk.close()
        return base.Receipt(self._evidence(answer.shown))

    async def _hand_over(self, talk: _Talk, message: base.Message) -> _Answer:
        """The gateway's answer to SEND."""
        await talk.connect(self._gateway.host, self._gateway.port)
        self._judge(await talk.answer(), talk, ours=True)
        if self._gateway.username is not None:
            password = "" if self._gateway.password is None else f" {self._gateway.password.reveal()}"
            login = await talk.ask("logging in", f"LOGIn {self._gateway.username}{password}")
            self._judge(login, talk, ours=True)
        if message.payload.get("kind") == "emergency":
            sounds = await talk.ask("asking to sound the pager", "ALERt 1")
            if sounds.code // 100 != 5:  # level 1, or not for this pager: it gets the page all the same
                self._judge(sounds, talk, ours=True)
        self._judge(await talk.ask("naming the pager", f"PAGEr {self._number}"), talk)
        self._judge(await talk.ask("saying the message", f"MESSage {one_line(message)}"), talk)
        sent = await talk.ask("waiting for the answer to SEND", "SEND", hands_over=True)
        self._judge(sent, talk)
        await self._leave(talk)
        return sent

    async def _leave(self, talk: _Talk) -> None:
        """Say goodbye. The page is accepted, unless the answer shows that answers were counted wrong."""
        try:
            async with asyncio.timeout(GOODBYE_SECONDS):
                last = await talk.ask("saying goodbye", "QUIT", tolerant=True)
        except (TimeoutError, OSError, _Broken):
            return  # a gateway that hangs up rudely takes nothing back
        if last.code // 100 in (5, 7) and last.code != NO_SUCH_COMMAND:
            raise self._failed(f"its answers do not fit what was asked: {last.shown} came to QUIT", talk)

    def _judge(self, answer: _Answer, talk: _Talk, *, ours: bool = False) -> None:
        """Raise unless the gateway agreed. `ours`: what it objects to is not this page or its pager."""
        if answer.code // 100 in (2, 8, 9):  # 8 and 9 are level 3's: delivered, and queued
            return
        said = self._evidence(f"{answer.shown} (while {talk.doing})")
        if answer.code // 100 != 5 or answer.code in MENDABLE or ours:
            raise base.Failed(said)
        raise base.Refused(said)

    def _failed(self, said: str, talk: _Talk) -> base.Failed:
        """What a broken line means: perhaps arrived, once SEND was said."""
        return base.Failed(self._evidence(said), perhaps_arrived=talk.handed_over)

    def _evidence(self, said: str) -> str:
        """The gateway's words, without our password if it repeats that."""
        hidden = self._gateway.password.reveal() if self._gateway.password else ""
        return base.printable(said.replace(hidden, "***") if hidden else said)


def one_line(message: base.Message) -> str:
    """What the pager shows."""
    line = message.brief or message.subject
    plain = "".join(c if c.isascii() and c.isprintable() else "?" for c in line)
    return " ".join(plain.split())[:LINE_MAX_CHARS] or "?"


class _Answer(NamedTuple):
    """What the gateway said to one command."""

    code: int
    shown: str


class _Broken(Exception):
    """What came is no conversation by SNPP."""


class _Talk:
    """One conversation; it knows how far it came when the line breaks. What it reads is bounded."""

    def __init__(self) -> None:
        self.doing = "connecting"
        self.handed_over = False
        self._reader: asyncio.StreamReader | None = None
        self._writer: asyncio.StreamWriter | None = None
        self._waiting = b""
        """What has come and is not read yet."""

    async def connect(self, host: str, port: int) -> None:
        self._reader, self._writer = await asyncio.open_connection(host, port, limit=PIECE_BYTES)
        self.doing = "waiting for the greeting"

    async def ask(
        self, doing: str, command: str, *, hands_over: bool = False, tolerant: bool = False
    ) -> _Answer:
        """Say one command and hear its answer. Who has said more than was asked is not believed."""
        if self._waiting and not tolerant:
            raise _Broken(f"it said more than was asked: {base.printable(self._waiting[:80])}")
        if self._writer is None:
            raise _Broken("the connection was lost")
        self.doing = doing
        self.handed_over = self.handed_over or hands_over
        self._writer.write(f"{command}\r\n".encode("ascii"))
        await self._writer.drain()
        return await self.answer()

    async def answer(self) -> _Answer:
        """One answer, however many lines it has: those with a dash, and those of 214, are not the last."""
        lines: list[str] = []
        while len(lines) < ANSWER_MAX_LINES:
            line = await self._line()
            found = _ANSWER.fullmatch(line)
            if found is None:
                raise _Broken(f"this is no answer by SNPP: {base.printable(line[:80])}")
            lines.append(base.printable(line))
            if found[2] != b"-" and found[1] != b"214":
                return _Answer(int(found[1]), " / ".join(lines))
        raise _Broken(f"an answer of more than {ANSWER_MAX_LINES} lines came")

    async def _line(self) -> bytes:
        while (end := self._waiting.find(b"\n")) < 0:
            if len(self._waiting) > LINE_MAX_BYTES:
                raise _Broken(f"a line of more than {LINE_MAX_BYTES} bytes came")
            piece = b"" if self._reader is None else await self._reader.read(PIECE_BYTES)
            if not piece:
                raise _Broken("the gateway closed the connection")
            self._waiting += piece
        line, self._waiting = self._waiting[:end], self._waiting[end + 1 :]
        return line.removesuffix(b"\r")

    def close(self) -> None:
        """Let go of the socket at once, whatever happened."""
        if self._writer is not None:
            with contextlib.suppress(OSError):
                self._writer.transport.abort()

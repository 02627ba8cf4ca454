"""A dialogue by SMTP (RFC 5321), as far as a check needs it: greeting, EHLO, TLS, login, one message.

A refusal is told with its code: 4xx is for now, as greylisting is, 5xx until somebody changes something.
"""

from __future__ import annotations

import base64
import re
from ipaddress import ip_address
from typing import Final, NamedTuple

from hostwatch.checks import _mail, base

REPLY_LINES_MAX: Final = 100
"""Lines of one reply."""

_REPLY = re.compile(rb"([2-5][0-9]{2})(?:([ -])(.*))?", re.DOTALL)
_LINE_STARTS_WITH_DOT = re.compile(rb"^\.", re.MULTILINE)

MECHANISMS: Final = ("PLAIN", "LOGIN")
"""The ways to log in that are known here, the better first."""


class Line(NamedTuple):
    """One line of a reply."""

    code: int
    more: bool
    """Whether another line of the same reply follows."""
    text: bytes


class Reply(NamedTuple):
    """A whole reply."""

    code: int
    lines: tuple[bytes, ...]

    @property
    def shown(self) -> bytes:
        """On one line."""
        return str(self.code).encode() + b" " + b" / ".join(self.lines)


def understood(said: bytes) -> Line:
    """One line of a reply. Raises `Missed` if it is none."""
    found = _REPLY.fullmatch(said)
    if found is None:
        raise base.Missed("this is no answer by SMTP", expected="a code of three digits", came=said)
    return Line(int(found[1]), found[2] == b"-", found[3] or b"")


def judge(what: str, reply: Reply, wanted: int) -> None:
    """Raises `Missed` unless the reply agrees, as the wanted code does."""
    if reply.code // 100 == wanted // 100:
        return
    raise base.Missed(
        _JUDGED.get(reply.code // 100, "{what} was answered by {code}"),
        what=what,
        code=reply.code,
        expected=str(wanted),
        came=reply.shown,
    )


_JUDGED: Final = {4: "{what} was refused for now with {code}", 5: "{what} was refused with {code}"}


def extensions(reply: Reply) -> dict[str, tuple[str, ...]]:
    """What a reply to EHLO offers: the words behind each keyword, all in capitals."""
    found: dict[str, tuple[str, ...]] = {}
    for line in reply.lines[1:]:
        # AUTH=PLAIN is how it was written before there was a standard.
        keyword, *words = line.decode("ascii", "replace").upper().replace("=", " ", 1).split() or [""]
        if keyword:
            found[keyword] = (*found.get(keyword, ()), *words)
    return found


def stuffed(message: bytes) -> bytes:
    """A message as it goes over the line: no line of it is taken for its end."""
    return _LINE_STARTS_WITH_DOT.sub(b"..", message) + b".\r\n"


def literal(address: str) -> str:
    """An address as the name of a machine that has no other (RFC 5321, 4.1.3)."""
    return f"[IPv6:{address}]" if ip_address(address).version == 6 else f"[{address}]"


class Session:
    """One dialogue with one server. What it does not like raises `Missed`."""

    def __init__(
        self, visit: base.Visit, server: _mail.Server, line: base.Line, hello: str | None = None
    ) -> None:
        self._visit = visit
        self._server = server
        self._line = line
        self._hello = hello or literal(line.own_address)
        self.offered: dict[str, tuple[str, ...]] = {}

    async def greet(self, wanted: str | None = None) -> None:
        """Read the greeting, say who we are, and hear what is offered."""
        with self._visit.at(base.Step.GREETING):
            greeting = await self._reply()
            judge("the greeting", greeting, 220)
            _mail.check_greeting(wanted, greeting.shown)
            await self._say_hello()

    async def _say_hello(self) -> None:
        self.offered = extensions(await self.must("EHLO", f"EHLO {self._hello}", 250))

    async def protect(self) -> None:
        """Begin TLS by a command, if that is to be."""
        if not _mail.wants_tls(self._visit, self._server, "STARTTLS", self.offered):
            return
        with self._visit.at(base.Step.TLS):
            await self.must("STARTTLS", "STARTTLS", 220)
        await _mail.start_tls(self._visit, self._server, self._line, self._again)
        with self._visit.at(base.Step.GREETING):
            await self._say_hello()

    async def _again(self) -> base.Line:
        line = await _mail.connect(self._visit, self._server)
        other = Session(self._visit, self._server, line, self._hello)
        await other.greet()
        await other.must("STARTTLS", "STARTTLS", 220)
        return line

    async def log_in(self, login: _mail.Login) -> None:
        """By the best way that is offered."""
        with self._visit.at(base.Step.LOGIN):
            _mail.check_protected(self._server, self._line)
            offered = self.offered.get("AUTH", ())
            plain = base64.b64encode(login.plain).decode()
            self._visit.conceal(plain)
            if "PLAIN" in offered:
                await self.must("the login", f"AUTH PLAIN {plain}", 235, shown="AUTH PLAIN ***")
            elif "LOGIN" in offered:
                await self.must("the login", "AUTH LOGIN", 334)
                user, secret = (
                    base64.b64encode(word.encode()).decode() for word in (login.user, login.password.reveal())
                )
                await self.must("the name of the user", user, 334)
                await self.must("the login", secret, 235, shown="***")
            else:
                came = "AUTH " + " ".join(offered) if offered else " ".join(self.offered)
                expected = f"AUTH {' or '.join(MECHANISMS)}"
                raise base.Missed("no way to log in is offered", expected=expected, came=came)

    async def hand_over(self, sender: str, recipient: str, message: bytes) -> Reply:
        """Give the server a message; what it says when it has accepted it."""
        await self.must("the sender", f"MAIL FROM:<{sender}>", 250)
        await self.must("the recipient", f"RCPT TO:<{recipient}>", 250)
        await self.must("DATA", "DATA", 354)
        shown = f"the message, {len(message)} bytes"
        await self._line.write(stuffed(message), shown)
        reply = await self._reply()
        judge("the message", reply, 250)
        return reply

    async def leave(self, *, last: bool = True) -> None:
        """Say goodbye; `last` if nothing is left to be done."""
        await _mail.goodbye(self._visit, self.must("QUIT", "QUIT", 221), last=last)

    async def must(self, what: str, command: str, wanted: int, *, shown: str | None = None) -> Reply:
        """The reply to a command, which must agree."""
        await self._line.write(command.encode() + b"\r\n", shown)
        reply = await self._reply()
        judge(what, reply, wanted)
        return reply

    async def _reply(self) -> Reply:
        texts: list[bytes] = []
        code = 0
        for _ in range(REPLY_LINES_MAX):
            said = await self._line.read_line()
            line = understood(said)
            if code and line.code != code:
                raise base.Missed("one reply has two codes", expected=str(code), came=said)
            code = line.code
            texts.append(line.text)
            if not line.more:
                return Reply(code, tuple(texts))
        raise base.Missed("a reply of more than {count} lines came", count=REPLY_LINES_MAX)


base.chinese(
    """
    this is no answer by SMTP
        应答不符合 SMTP 协议
    {what} was refused for now with {code}
        {what}被暂时拒绝（{code}）
    {what} was refused with {code}
        {what}被拒绝（{code}）
    {what} was answered by {code}
        {what}收到意外的应答（{code}）
    one reply has two codes
        同一个应答有两个代码
    a reply of more than {count} lines came
        应答超过 {count} 行
    """
)

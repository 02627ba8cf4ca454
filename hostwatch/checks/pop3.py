"""Mail can be fetched by POP3 (port 110, or 995 with TLS): the server greets and lets in who may."""

from __future__ import annotations

import re
from typing import Final

from hostwatch.checks import _mail, base
from hostwatch.configuration.fields import Text

EXAMPLE = """
pop3:
  host: pop.acme.example
  starttls: required
  login: {user: probe@acme.example, password: {credential: acme-probe}}
  authorisation: letter of 2026-03-01
"""

CAPABILITIES_MAX: Final = 100
"""Lines of the list of capabilities."""

_STAT = re.compile(rb"\+OK [0-9]{1,10} [0-9]{1,20}(?: .*)?", re.DOTALL)


class Settings(base.Settings, _mail.Server):
    """Where the server is, what it must say, and who logs in."""

    shorthand = "port"
    ports = (110, 995)

    greeting: Text | None = None
    """A text that the greeting must hold."""

    capabilities: _mail.Words = ()
    """What the server must offer, once the line is protected."""

    @property
    def intrudes(self) -> str:
        """A login is an operation on the customer's system."""
        return "logs in" if self.login else ""


async def probe(settings: Settings, visit: base.Visit) -> None:
    """Be greeted, begin TLS, log in and ask how much mail there is, as far as that is set; say goodbye."""

    async def again() -> base.Line:
        line = await _mail.connect(visit, settings)
        await line.read_line()
        await _must(line, "STLS", b"STLS")
        return line

    line = await _mail.connect(visit, settings)
    with visit.at(base.Step.GREETING):
        greeting = await line.read_line()
        judge("the greeting", greeting)
        _mail.check_greeting(settings.greeting, greeting)
        offered = await _offered(line)
    if _mail.wants_tls(visit, settings, "STLS", offered):
        with visit.at(base.Step.TLS):
            await _must(line, "STLS", b"STLS")
        await _mail.start_tls(visit, settings, line, again)
        with visit.at(base.Step.GREETING):
            offered = await _offered(line)
    if settings.login is not None:
        with visit.at(base.Step.LOGIN):
            await _log_in(settings, line, settings.login)
    with visit.at(base.Step.ANSWER):
        _mail.check_offered(settings.capabilities, offered)
        if settings.login is not None:
            stat = await _must(line, "STAT", b"STAT")
            if not _STAT.fullmatch(stat):
                raise base.Missed("this does not say how much mail there is", expected="+OK n n", came=stat)
        await _mail.goodbye(visit, _must(line, "QUIT", b"QUIT"))


async def _log_in(settings: Settings, line: base.Line, login: _mail.Login) -> None:
    _mail.check_protected(settings, line)
    await _must(line, "the name of the user", b"USER " + login.user.encode())
    await _must(line, "the login", b"PASS " + login.password.reveal().encode(), shown="PASS ***")


async def _offered(line: base.Line) -> tuple[str, ...]:
    """The capabilities (RFC 2449); none if the server does not know the question."""
    await line.write(b"CAPA\r\n")
    answer = await line.read_line()
    if answer[:4].upper() == b"-ERR":
        return ()
    judge("CAPA", answer)
    found: list[str] = []
    for _ in range(CAPABILITIES_MAX):
        said = await line.read_line()
        if said == b".":
            return tuple(found)
        found.append(capability(said))
    raise base.Missed("a list of more than {count} capabilities came", count=CAPABILITIES_MAX)


def capability(said: bytes) -> str:
    """The name of a capability, without its arguments."""
    words = said.removeprefix(b".").split(maxsplit=1)
    return words[0].decode("ascii", "replace").upper() if words else ""


async def _must(line: base.Line, what: str, command: bytes, shown: str | None = None) -> bytes:
    await line.write(command + b"\r\n", shown)
    answer = await line.read_line()
    judge(what, answer)
    return answer


def judge(what: str, answer: bytes) -> None:
    """Raises `Missed` unless the answer agrees."""
    word = answer.split(b" ", 1)[0].upper()
    if word == b"-ERR":
        raise base.Missed("{what} was refused", what=what, expected="+OK", came=answer)
    if word != b"+OK":
        raise base.Missed("{what} was not answered by POP3", what=what, expected="+OK", came=answer)


base.chinese(
    """
    this does not say how much mail there is
        服务器未说明邮箱中有多少邮件
    a list of more than {count} capabilities came
        服务器列出的功能超过 {count} 项
    {what} was not answered by POP3
        {what}得到的应答不符合 POP3 协议
    """
)

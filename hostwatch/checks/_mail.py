"""What the checks of mail have in common: how a server is reached and protected, and who logs in.

A password is sent only where it cannot be read, to whom it is meant for: over TLS whose certificate was
verified. Whoever wants it otherwise has to say so.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Awaitable, Iterable
from contextlib import suppress
from typing import Annotated, Any, ClassVar, Final, Literal

from pydantic import AfterValidator, BeforeValidator, Field, model_validator

from hostwatch.checks import base
from hostwatch.configuration.fields import Text
from hostwatch.configuration.mistake import Wrong
from hostwatch.configuration.secret import Secret
from hostwatch.configuration.strict import Section

GOODBYE_S: Final = 2.0
"""How long the answer to a goodbye is waited for. All is known by then: it decides nothing."""

WORDS_MAX: Final = 50
"""Extensions or capabilities that a check may expect."""

_WORD = re.compile(r"[A-Za-z0-9][A-Za-z0-9=+._-]{0,63}")


def _check_word(value: str) -> str:
    if _WORD.fullmatch(value):
        return value.upper()
    raise Wrong("is not the name of an extension", "write one as the server names it, such as SIZE")


def _check_password(value: Secret) -> Secret:
    if any(sign in value.reveal() for sign in "\r\n\0"):
        raise Wrong("the password holds a line break or a zero byte", "keep it as one line of text")
    return value


Word = Annotated[str, AfterValidator(_check_word)]
Words = Annotated[tuple[Word, ...], Field(max_length=WORDS_MAX)]
Starttls = Annotated[
    Literal["required", "opportunistic", "off"],
    BeforeValidator(lambda value: "off" if value is False else value),
]
Password = Annotated[Secret, AfterValidator(_check_password)]


class Login(Section):
    """Who logs in."""

    user: Text
    """The name of the account."""

    password: Password
    """Its password."""

    @property
    def plain(self) -> bytes:
        """Both as SASL PLAIN sends them (RFC 4616), before base64."""
        return f"\0{self.user}\0{self.password.reveal()}".encode()


class Server(Section):
    """A mail server, how the line to it is protected, and who logs in there."""

    ports: ClassVar[tuple[int, int]] = (0, 0)
    """The usual ports: in plain text at first, and by TLS from the first byte."""

    host: Text | None = None
    """A name or an address; the device's own address if absent."""

    port: base.Port | None = None
    """The TCP port; the usual one of the protocol if absent, with `implicit_tls` the usual one for that."""

    starttls: Starttls = "off"
    """Whether TLS begins by a command: it must (`required`); it does if the server offers it, and then it
    must work (`opportunistic`); it does not (`off`)."""

    implicit_tls: bool = False
    """Whether TLS begins with the first byte."""

    tls: base.Tls = base.Tls()
    """How TLS is spoken, and what the certificate must be."""

    login: Login | None = None
    """Who logs in; nobody if absent. Servers delay the answer to a wrong password by some seconds: with a
    short `timeout` it looks as if there were none."""

    unprotected_login: bool = False
    """Allows that the password goes over a line without TLS, or to a server whose certificate nobody
    verified."""

    @property
    def port_used(self) -> int:
        """The port to connect to."""
        return self.port or self.ports[self.implicit_tls]

    @model_validator(mode="after")
    def _is_protected(self) -> Server:
        by_command = self.starttls != "off"
        if self.implicit_tls and by_command:
            raise Wrong("TLS would begin twice", "write starttls or implicit_tls, not both")
        if "tls" in self.model_fields_set and not (self.implicit_tls or by_command):
            raise Wrong(
                "says how TLS is spoken, but not when", "add starttls: required or implicit_tls: true"
            )
        if self.login is None or self.unprotected_login:
            return self
        if not (self.implicit_tls or by_command):
            raise Wrong(
                "the password would go over the line in plain text",
                "add starttls: required or implicit_tls: true; or unprotected_login: true if it may",
            )
        if not self.tls.verify:
            raise Wrong(
                "the password would be given to whoever answers, since no certificate is verified",
                "remove verify: false, name the authority by ca; or add unprotected_login: true if it may",
            )
        return self


async def connect(visit: base.Visit, server: Server) -> base.Line:
    """A connection to a mail server, by TLS if that is how it begins. Raises `Missed` or `Fault`."""
    if server.login is not None:
        visit.conceal(server.login.password.reveal())
    tls = server.tls if server.implicit_tls else None
    return await base.connect(visit, server.host or "", server.port_used, tls)


def wants_tls(visit: base.Visit, server: Server, word: str, offered: Iterable[str]) -> bool:
    """Whether TLS is to begin now by the command `word`. Raises `Missed` if it must, and is not offered."""
    if server.starttls == "off":
        return False
    offered = list(offered)
    if word in offered:
        return True
    if server.starttls == "required":
        came = " ".join(offered)
        raise base.Missed(
            "the server does not offer {names}", names=[word], expected=word, came=came, step=base.Step.TLS
        )
    visit.note(f"the line is not protected: the server does not offer {word}")
    return False


async def start_tls(visit: base.Visit, server: Server, line: base.Line, again: base.Again) -> None:
    """Begin TLS, now that the server has agreed. `again` comes as far once more: see `Line.start_tls`."""
    await line.start_tls(server.tls, server.host or visit.address, again)


def check_protected(server: Server, line: base.Line) -> None:
    """Before the password is sent. Raises `Missed` if somebody on the way could read it."""
    if line.tls is None and not server.unprotected_login:
        raise base.Missed("the password is not sent, since the line is without TLS", expected="TLS")


def check_offered(wanted: Iterable[str], offered: Iterable[str]) -> None:
    """Raises `Missed` if something is not offered that must be."""
    offered = list(offered)
    missing = [word for word in wanted if word not in offered]
    if missing:
        came = " ".join(offered)
        raise base.Missed(
            "the server does not offer {names}", names=missing, expected=" ".join(missing), came=came
        )


def check_greeting(wanted: str | None, greeting: bytes) -> None:
    """Raises `Missed` if the greeting lacks the text that it must hold."""
    if wanted is not None and wanted.encode() not in greeting:
        raise base.Missed("the greeting is another one", expected=wanted, came=greeting)


async def goodbye(visit: base.Visit, said: Awaitable[Any], *, last: bool = True) -> None:
    """End a dialogue as is usual. Whatever comes of it, what was to be known is known.

    `last`: of the whole check, too; then it is not missed if its time ends here.
    """
    before, visit.is_decided = visit.is_decided, visit.is_decided or last
    with suppress(TimeoutError, base.Missed, base.Fault):
        async with asyncio.timeout(GOODBYE_S):
            await said
    visit.is_decided = before


base.chinese(
    """
    the server does not offer {names}
        服务器不支持 {names}
    the password is not sent, since the line is without TLS
        连接没有 TLS 保护，因此未发送密码
    the greeting is another one
        服务器的问候与预期不符
    no way to log in is offered
        服务器没有提供可用的登录方式
    {what} was refused
        {what}被拒绝
    the greeting
        服务器问候
    the login
        登录
    the name of the user
        用户名
    the sender
        发件人
    the recipient
        收件人
    the message
        邮件
    the mailbox
        邮箱
    the search
        搜索
    deleting
        删除邮件
    what is offered
        功能查询
    """
)

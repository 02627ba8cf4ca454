"""The web, HTTP/1.1 with TLS or without: the status, what the page holds or lacks, values in JSON.

A redirect is followed only to where the check allows it, and everything that is asked for there is held
against the outbound policy again. What the check says (login, headers, the content of a POST) goes to the
first server only: the same name, scheme and port, or its usual port for TLS. A redirect by 307 or 308 that
would have a POST made to another one is a miss, and nothing is sent there.
"""

from __future__ import annotations

import base64
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Annotated, Final, Literal

from pydantic import Field, model_validator

import hostwatch
from hostwatch.checks import base
from hostwatch.checks._content import Content
from hostwatch.checks._http import Head, read_body, read_head
from hostwatch.checks._url import PORTS, Url, authority, parsed, redirected
from hostwatch.checks._web import Body, Expected, Headers, Name, Names, Statuses, Texts, Values, WebAddress
from hostwatch.configuration.fields import DeviceAddress, Text
from hostwatch.configuration.mistake import Wrong
from hostwatch.configuration.secret import Secret
from hostwatch.configuration.strict import Section

EXAMPLE = """
http:
  url: https:///status
  host: www.example.com
  status: 200
  contains: "everything runs"
  tls: {days_left: 14}
"""

REDIRECTS_MAX: Final = 3

REDIRECTS: Final = frozenset({301, 302, 303, 307, 308})


class Login(Section):
    """Who logs in, by the scheme called Basic."""

    user: Text
    """The name."""

    password: Secret
    """The password."""


class Settings(base.Settings):
    """What is asked for, and what must come."""

    shorthand = "url"

    url: WebAddress
    """A path on the device itself, such as `/`, `https:///status` or `http://:8080/`, or a whole address."""

    host: Name | None = None
    """The virtual host that is asked for, and the name for TLS; that of the URL if absent."""

    address: DeviceAddress | None = None
    """Where to connect to, whatever the name of the URL says; the device itself if the URL has no name."""

    method: Literal["GET", "HEAD", "POST"] = "GET"
    """HEAD asks for no content, which suits large files."""

    body: Body | None = None
    """What a POST sends."""

    headers: Headers = Field(default={})
    """Further headers of the request; a value can be a secret."""

    login: Login | None = None
    """A user and a password."""

    unprotected_login: bool = False
    """Allows that a login or a secret header goes over a line without TLS, or to a server whose certificate
    nobody verified."""

    status: Expected = (Statuses(200, 299),)
    """The statuses that are good: one, a range, or several of them."""

    contains: Texts = ()
    """Texts that must all be in the page."""

    lacks: Texts = ()
    """Texts of which none may be in the page."""

    json_values: Values = Field(default={}, alias="json")
    """Values that JSON must hold, by their place: `status.db`, or `/status/db`."""

    redirects: Annotated[int, Field(ge=0, le=REDIRECTS_MAX, strict=True)] = REDIRECTS_MAX
    """How many redirects are followed. One whose status is itself good is not."""

    redirects_to: Names = ()
    """The names, beside the first one, that a redirect may lead to."""

    tls: base.Tls = base.Tls()
    """How TLS is spoken where the URL says https."""

    @property
    def intrudes(self) -> str:
        """What the check does that needs the customer's permission."""
        if self.tells_secrets:
            return "it logs in"
        return "it sends something by POST" if self.method == "POST" else ""

    @property
    def tells_secrets(self) -> bool:
        """Whether something is sent that nobody else may read."""
        return self.login is not None or any(isinstance(said, Secret) for said in self.headers.values())

    @model_validator(mode="after")
    def _is_protected(self) -> Settings:
        if not self.tells_secrets or self.unprotected_login:
            return self
        if parsed(self.url).scheme != "https":
            raise Wrong(
                "a secret would go over the line in plain text",
                "write https://, or unprotected_login: true if it may",
            )
        if not self.tls.verify:
            raise Wrong(
                "a secret would go to a server whose certificate nobody verified",
                "remove verify: false, or write unprotected_login: true if it may",
            )
        return self

    @model_validator(mode="after")
    def _is_in_itself_right(self) -> Settings:
        if self.method == "HEAD" and (self.contains or self.lacks or self.json_values):
            raise Wrong("expects something of a page, and asks for none", "write method: GET")
        if self.body is not None and self.method != "POST":
            raise Wrong(f"sends a body by {self.method}", "write method: POST, or remove the body")
        return self


@dataclass(frozen=True, slots=True)
class Aim:
    """What is asked for next, and of whom."""

    url: Url
    name: str
    """Who is asked for: the virtual host, and the name for TLS."""

    to: str
    """What to connect to; empty: the device itself."""

    literal: bool | None = None
    """False where the other side said so."""

    method: str = "GET"
    home: bool = True
    """Whether it is the name that the check began with."""

    trusted: bool = True
    """Whether it is the server that the check means, which may know its login."""


async def probe(settings: Settings, visit: base.Visit) -> None:
    """Ask, follow, and hold what comes against what is expected."""
    url = parsed(settings.url)
    to = str(settings.address or url.name)
    first = aim = Aim(
        url, settings.host or url.name or visit.address.partition("%")[0], to, method=settings.method
    )
    for _ in range(settings.redirects + 1):
        line, head = await _ask(settings, visit, aim)
        if _is_good(settings, head.status):
            with visit.at(base.Step.CONTENT):
                await _read(settings, visit, line, head, aim)
            return
        with visit.at(base.Step.ANSWER):
            if head.status not in REDIRECTS or not settings.redirects:
                raise base.Missed(
                    "the server answered {code} instead of {codes}",
                    code=head.status,
                    codes=_listed(settings),
                    expected=_listed(settings),
                    came=head.said,
                )
            aim = _followed(settings, visit, first, aim, head)
    with visit.at(base.Step.ANSWER):
        raise base.Missed("more than {count} redirects", count=settings.redirects, came=aim.url.at(aim.name))


def _is_good(settings: Settings, status: int) -> bool:
    return any(first <= status <= last for first, last in settings.status)


def _listed(settings: Settings) -> str:
    return " or ".join(map(str, settings.status))


async def _ask(settings: Settings, visit: base.Visit, aim: Aim) -> tuple[base.Line, Head]:
    tls = None
    if aim.url.scheme == "https":
        tls = settings.tls if aim.home else settings.tls.model_copy(update={"name": None})
    line = await base.connect(visit, aim.to, aim.url.port, tls, name=aim.name, literal=aim.literal)
    with visit.at(base.Step.ANSWER):
        first, body = f"{aim.method} {aim.url.target} HTTP/1.1", _body(settings, aim)
        lines, shown = [first], [first]
        for name, said in _headers(settings, visit, aim, body):
            plain = said.reveal() if isinstance(said, Secret) else said
            lines.append(f"{name}: {plain}")
            shown.append(f"{name}: {said}")
        for one in shown[:-1]:
            visit.tell(">", one)
        await line.write("\r\n".join((*lines, "", "")).encode() + body, shown=shown[-1])
        return line, await read_head(line)


def _body(settings: Settings, aim: Aim) -> bytes:
    return (settings.body or "").encode() if aim.method == "POST" else b""


def _headers(
    settings: Settings, visit: base.Visit, aim: Aim, body: bytes
) -> Iterator[tuple[str, str | Secret]]:
    yield "Host", authority(aim.name, aim.url.port, aim.url.scheme)
    own = settings.headers if aim.trusted else {}
    for name, said in _USUAL:
        if not any(name.lower() == one.lower() for one in own):
            yield name, said
    if aim.method == "POST":
        yield "Content-Length", str(len(body))
    for name, value in own.items():
        if isinstance(value, Secret):
            visit.conceal(value.reveal())
        yield name, value
    if settings.login is not None and aim.trusted:
        password = settings.login.password.reveal()
        pair = f"{settings.login.user}:{password}"
        visit.conceal(password)
        visit.conceal(pair)
        yield "Authorization", Secret(f"Basic {base64.b64encode(pair.encode()).decode()}")


_USUAL: Final = (
    ("User-Agent", f"hostwatch/{hostwatch.__version__}"),
    ("Accept", "*/*"),
    ("Accept-Encoding", "identity"),
    ("Connection", "close"),
)


async def _read(settings: Settings, visit: base.Visit, line: base.Line, head: Head, aim: Aim) -> None:
    content = Content(
        head.header(b"content-encoding").decode("latin-1").lower(),
        head.header(b"content-type"),
        holds=settings.contains,
        lacks=settings.lacks,
        values=settings.json_values,
    )
    try:
        await read_body(line, head, aim.method, content.feed)
        many = content.end()
    finally:
        if content.beginning:
            visit.tell("<", content.beginning)
    visit.tell("*", f"{many:,} bytes of content")


def _followed(settings: Settings, visit: base.Visit, first: Aim, aim: Aim, head: Head) -> Aim:
    """Where a redirect leads. Raises `Missed` if that is nowhere, or not allowed."""
    location = head.header(b"location")
    if not location:
        raise base.Missed(
            "the server answered {code}, and does not say where to", code=head.status, came=head.said
        )
    try:
        url = redirected(aim.url.at(aim.name), location)
    except (Wrong, ValueError):
        raise base.Missed("redirected to what is no web address", came=location) from None
    visit.tell("*", f"redirected to {url.at(url.name)}")
    if aim.url.scheme == "https" and url.scheme == "http":
        visit.note("redirected from https to http")
    if url.name not in (first.name, *settings.redirects_to):
        allowed = " or ".join((first.name, *settings.redirects_to))
        raise base.Missed("redirected to where this check may not go", expected=allowed, came=location)
    same = url.name == first.name
    to = first.to if same else url.name
    literal = None if same and url.port in (first.url.port, *PORTS.values()) else False
    method = aim.method if head.status in (307, 308) or aim.method == "HEAD" else "GET"
    trusted = same and is_as_safe(first.url, url)
    if method == "POST" and not trusted:
        raise base.Missed(
            "redirected by {code} to another server, which must not get what is sent by POST",
            code=head.status,
            expected=f"a redirect to {first.url.at(first.name)}, or one by 303",
            came=location,
        )
    return Aim(url, url.name, to, literal, method, home=same, trusted=trusted)


def is_as_safe(first: Url, url: Url) -> bool:
    """Whether a server may be told what the first one may: the same, or its usual port for TLS."""
    same = (first.scheme, first.port) == (url.scheme, url.port)
    return same or (first.scheme, url.scheme, url.port) == ("http", "https", PORTS["https"])


base.chinese(
    """
    the server answered {code} instead of {codes}
        网站返回 {code}，应为 {codes}
    more than {count} redirects
        重定向超过 {count} 次
    the server answered {code}, and does not say where to
        网站返回 {code}，但未说明重定向到何处
    redirected by {code} to another server, which must not get what is sent by POST
        被 {code} 重定向到另一台服务器，而 POST 的内容不得发给它
    redirected to what is no web address
        重定向的目标不是有效的网址
    redirected to where this check may not go
        重定向的目标不在本检查允许访问的范围内
    """
)

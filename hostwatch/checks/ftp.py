"""An FTP server (port 21, or 990 with TLS) greets, lets in who may, lists a directory and gives out a file.

Data are fetched in passive mode, by EPSV or, where a server of IPv4 does not know it, by PASV. An address
that the server names for data is ignored: they are fetched from the machine that was connected to.
"""

from __future__ import annotations

import hashlib
from typing import Annotated, Final, Literal

from pydantic import Field, model_validator

from hostwatch.checks import _ftp, _mail, base
from hostwatch.configuration.fields import Text
from hostwatch.configuration.mistake import Wrong
from hostwatch.configuration.strict import Section

EXAMPLE = """
ftp:
  host: ftp.acme.example
  starttls: required
  login: {user: probe, password: {credential: acme-ftp}}
  authorisation: letter of 2026-03-01
  directory: /pub
  file: {path: /pub/hostwatch.txt, holds: all is well}
"""

ANONYMOUS: Final = ("anonymous", "hostwatch@")
"""What those say who have no account (RFC 1635)."""

FILE_BYTES_MAX: Final = 4 * 1024 * 1024
"""The largest file that may be expected: no run reads more."""

LISTING_BYTES_MAX: Final = 1024 * 1024
"""The longest listing that is read: its lines take many times as much when they are apart."""

BEGINNING_BYTES: Final = 1_024
"""How much of a file is kept to be quoted."""

LISTED_SHOWN: Final = 20
"""Lines of a listing that stand in the transcript."""


class File(Section):
    """A file whose content is known."""

    path: Text
    """Its path, as the server names it."""

    size: Annotated[int, Field(ge=0, le=FILE_BYTES_MAX, strict=True)] | None = None
    """How many bytes it must have."""

    sha256: Annotated[str, Field(pattern="^[0-9a-f]{64}$")] | None = None
    """Its digest, as `sha256sum` shows it."""

    holds: Text | None = None
    """A text that must be in it."""


class Settings(base.Settings, _mail.Server):
    """Where the server is, who logs in, what is listed and fetched."""

    shorthand = "port"
    ports = (21, 990)

    greeting: Text | None = None
    """A text that the greeting must hold."""

    anonymous: bool = False
    """Whether we log in as everybody may, without an account."""

    directory: Text | None = None
    """A directory that must be listed; `.` is the one after the login."""

    listing: Literal["LIST", "NLST", "MLSD"] = "LIST"
    """The command that lists it."""

    holds: Text | None = None
    """A name that must be in the directory."""

    file: File | None = None
    """A file that is fetched."""

    @property
    def intrudes(self) -> str:
        """A login by an account is an operation on the customer's system; what all may do is none."""
        return "logs in" if self.login else ""

    @model_validator(mode="after")
    def _fits_together(self) -> Settings:
        if self.anonymous and self.login:
            raise Wrong("logs in twice", "write login or anonymous: true, not both")
        if (self.directory or self.file) and not (self.anonymous or self.login):
            raise Wrong("lists or fetches, and nobody logs in", "add anonymous: true or login")
        if self.holds and not self.directory:
            raise Wrong("holds: expects a name in no directory", "add directory: the one that is listed")
        return self


async def probe(settings: Settings, visit: base.Visit) -> None:
    """Be greeted, begin TLS, log in, list and fetch, as far as that is set; say goodbye."""
    control = await _mail.connect(visit, settings)
    with visit.at(base.Step.GREETING):
        await _greeted(control, settings.greeting)
    if settings.starttls != "off":
        await _start_tls(settings, visit, control)
    if settings.anonymous or settings.login:
        with visit.at(base.Step.LOGIN):
            await _log_in(settings, control)
    data = _ftp.Data(visit, control, settings.tls, settings.host or visit.address)
    if settings.directory or settings.file:
        with visit.at(base.Step.ANSWER):
            await data.protect()
    if settings.directory:
        await _list(settings, visit, control, data)
    if settings.file:
        await _fetch(settings.file, visit, control, data)
    with visit.at(base.Step.ANSWER):
        await _mail.goodbye(visit, _ftp.said(control, "QUIT"))


async def _greeted(control: base.Line, wanted: str | None = None) -> None:
    answer = await _ftp.reply(control)
    while answer.code == 120:  # it will be ready soon
        answer = await _ftp.reply(control)
    if answer.code != 220:
        raise base.Missed("the server does not let anybody in", expected="220", came=answer.text)
    _mail.check_greeting(wanted, answer.text)


async def _start_tls(settings: Settings, visit: base.Visit, control: base.Line) -> None:
    async def again() -> base.Line:
        line = await _mail.connect(visit, settings)
        await _greeted(line)
        await _ftp.must(line, "AUTH TLS", "AUTH TLS", 234)
        return line

    with visit.at(base.Step.TLS):
        answer = await _ftp.said(control, "AUTH TLS")
        if answer.code != 234:
            if settings.starttls == "required":
                raise base.Missed("the server does not begin TLS", expected="234", came=answer.text)
            visit.note("the line is not protected: the server does not begin TLS")
            return
    await _mail.start_tls(visit, settings, control, again)


async def _log_in(settings: Settings, control: base.Line) -> None:
    user, password = ANONYMOUS
    if settings.login is not None:
        _mail.check_protected(settings, control)
        user, password = settings.login.user, settings.login.password.reveal()
    answer = await _ftp.must(control, f"USER {user}", "the name of the user", 230, 331)
    if answer.code == 331:
        shown = None if settings.login is None else "PASS ***"
        await _ftp.must(control, f"PASS {password}", "the login", 230, 202, shown=shown)


async def _list(settings: Settings, visit: base.Visit, control: base.Line, data: _ftp.Data) -> None:
    listed = bytearray()
    with visit.at(base.Step.ANSWER):
        await _ftp.must(control, "TYPE A", "TYPE A", 200)
        path = "" if settings.directory == "." else f" {settings.directory}"
        async for piece in data.fetch(f"{settings.listing}{path}", "the listing"):
            listed += piece
            if len(listed) > LISTING_BYTES_MAX:
                raise base.Missed("a listing of more than {count} bytes came", count=LISTING_BYTES_MAX)
        lines = bytes(listed).splitlines()
        for line in lines[:LISTED_SHOWN]:
            visit.tell("<", line)
        visit.tell("*", f"{len(lines)} lines in all")
    with visit.at(base.Step.CONTENT):
        wanted = (settings.holds or "").encode()
        likely = (line for line in lines if wanted in line)
        if wanted and not any(listed_name(line, settings.listing) == wanted for line in likely):
            came = b", ".join(listed_name(line, settings.listing) for line in lines[:LISTED_SHOWN])
            raise base.Missed(
                "the name {text} is not in the directory",
                text=settings.holds,
                expected=settings.holds or "",
                came=came or b"nothing",
            )


def listed_name(line: bytes, listing: str) -> bytes:
    """The name in a line of a listing. Of LIST there is no standard: as on Unix or on Windows."""
    name = line
    if listing == "MLSD":
        name = line.partition(b" ")[2]
    elif listing == "LIST":
        many = 3 if line[:1].isdigit() else 8
        name = (line.split(maxsplit=many)[many:] or [b""])[0].partition(b" -> ")[0]
    return name.rstrip(b"/").rpartition(b"/")[2]


class Fetched:
    """What is known of a file that comes in pieces. Nothing of it is kept but its beginning."""

    def __init__(self, wanted: bytes) -> None:
        """`wanted`: what must be in it."""
        self._wanted = wanted
        self._digest = hashlib.sha256()
        self._tail = b""
        self.beginning = b""
        self.size = 0
        self.holds = not wanted
        """Whether what is wanted has come."""

    @property
    def sha256(self) -> str:
        """The digest."""
        return self._digest.hexdigest()

    def feed(self, piece: bytes) -> None:
        """The next piece."""
        self._digest.update(piece)
        self.size += len(piece)
        if len(self.beginning) < BEGINNING_BYTES:
            self.beginning += piece[: BEGINNING_BYTES - len(self.beginning)]
        if not self.holds:
            together = self._tail + piece
            self.holds = self._wanted in together
            self._tail = together[max(len(together) - len(self._wanted) + 1, 0) :]


async def _fetch(file: File, visit: base.Visit, control: base.Line, data: _ftp.Data) -> None:
    fetched = Fetched((file.holds or "").encode())
    with visit.at(base.Step.ANSWER):
        await _ftp.must(control, "TYPE I", "TYPE I", 200)
        async for piece in data.fetch(f"RETR {file.path}", "the file"):
            fetched.feed(piece)
        visit.tell("*", f"{fetched.size:,} bytes, SHA-256 {fetched.sha256}")
    with visit.at(base.Step.CONTENT):
        if file.size is not None and fetched.size != file.size:
            raise base.Missed(
                "the file has another size", expected=f"{file.size:,} bytes", came=f"{fetched.size:,} bytes"
            )
        if file.sha256 is not None and fetched.sha256 != file.sha256:
            raise base.Missed("the file has another content", expected=file.sha256, came=fetched.sha256)
        if file.holds is not None and not fetched.holds:
            raise base.Missed(
                "the text {text} is not in the file",
                text=file.holds,
                expected=file.holds,
                came=fetched.beginning,
            )


base.chinese(
    """
    the server does not let anybody in
        服务器目前不接受访问
    the server does not begin TLS
        服务器不支持启用 TLS
    a listing of more than {count} bytes came
        目录列表超过 {count} 字节
    the name {text} is not in the directory
        目录中没有 {text}
    the file has another size
        文件大小与预期不符
    the file has another content
        文件内容与预期不符
    the text {text} is not in the file
        文件中没有应有的文本 {text}
    """
)

"""A dialogue by IMAP (RFC 3501), as far as a check needs it: greeting, offers, login, find and remove.

All that the server says is bounded: the length of a line and of a literal, the lines of an answer.
"""

from __future__ import annotations

import base64
import re
from typing import Annotated, Final, NamedTuple

from pydantic import AfterValidator

from hostwatch.checks import _mail, base
from hostwatch.configuration.mistake import Wrong

ANSWER_LINES_MAX: Final = 1_000
"""Lines of the answer to one command."""

ANSWER_BYTES_MAX: Final = 262_144
"""Bytes of the answer to one command, with its literals: words of it take thirty times as much when apart."""

LITERAL_BYTES_MAX: Final = 65_536
"""The longest literal of an answer."""

FOUND_MAX: Final = 500
"""Messages that are searched for leftovers, and removed, in one run: their numbers fit into one line."""

FOLDER_CHARS_MAX: Final = 200

_LITERAL = re.compile(rb"\{([0-9]{1,10})\+?\}$")
_SAYS = re.compile(rb"(?:OK|NO|BAD|BYE|PREAUTH)(?: |$)", re.IGNORECASE)
_EXISTS = re.compile(rb"([0-9]{1,10}) EXISTS", re.IGNORECASE)
_UIDNEXT = re.compile(rb"OK \[UIDNEXT ([0-9]{1,10})\]", re.IGNORECASE)
_SEARCH = re.compile(rb"SEARCH((?: [0-9]{1,10})*) ?", re.IGNORECASE)


def _check_folder(value: str) -> str:
    if value and value.isascii() and value.isprintable() and len(value) <= FOLDER_CHARS_MAX:
        return value
    raise Wrong(
        "is not the name of a mailbox as IMAP writes it",
        f"write at most {FOLDER_CHARS_MAX} ASCII characters; others by modified UTF-7, such as &V4NXPpCuTvY-",
    )


FolderName = Annotated[str, AfterValidator(_check_folder)]


class Server(_mail.Server):
    """An IMAP server."""

    ports = (143, 993)


class Said(NamedTuple):
    """One answer without its tag: `OK`, `NO` or `BAD`, its words, and the lines before, without their `*`."""

    word: str
    text: bytes
    before: tuple[bytes, ...]


class Folder(NamedTuple):
    """What is known of a mailbox once it is selected."""

    exists: int
    uid_next: int
    """The number that the next message gets; 0 if the server does not say."""


def literal_after(line: bytes) -> int | None:
    """How many bytes follow a line as a literal; None if none. Raises `Missed` if they are too many."""
    found = None if _SAYS.match(line.removeprefix(b"* ")) else _LITERAL.search(line)
    if found is None:
        return None
    if int(found[1]) > LITERAL_BYTES_MAX:
        raise base.Missed(
            "a literal of more than {count} bytes is announced",
            count=LITERAL_BYTES_MAX,
            came=f"{int(found[1]):,} bytes",
        )
    return int(found[1])


def last_words(tag: bytes, line: bytes) -> tuple[str, bytes]:
    """The word and the text of the line that ends an answer. Raises `Missed` if it is none."""
    came, _, rest = line.partition(b" ")
    word, _, text = rest.partition(b" ")
    if came != tag or word.upper() not in (b"OK", b"NO", b"BAD"):
        raise base.Missed("this is no answer by IMAP", expected=f"{tag.decode()} OK", came=line)
    return word.upper().decode(), text


def words_of(name: bytes, lines: tuple[bytes, ...]) -> tuple[str, ...]:
    """The words of the lines of one name, such as `CAPABILITY`, in capitals."""
    found = (line.split() for line in lines)
    return tuple(
        word.decode("ascii", "replace").upper()
        for words in found
        if words and words[0].upper() == name
        for word in words[1:]
    )


def numbers_found(lines: tuple[bytes, ...]) -> tuple[int, ...]:
    """What a search found. Raises `Missed` if the server does not say it."""
    for line in lines:
        if line.upper().startswith(b"SEARCH"):
            found = _SEARCH.fullmatch(line)
            if found is None:
                raise base.Missed("this is no answer to a search", came=line)
            return tuple(map(int, found[1].split()))
    raise base.Missed("the search was not answered", expected="* SEARCH")


def quoted(text: str) -> bytes:
    """A string of IMAP, which must be printable ASCII."""
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return b'"%s"' % escaped.encode("ascii")


class Session:
    """One dialogue with one server. What it does not like raises `Missed`."""

    def __init__(self, visit: base.Visit, server: Server, line: base.Line) -> None:
        self._visit = visit
        self._server = server
        self._line = line
        self._many = 0
        self.offered: tuple[str, ...] = ()
        """The capabilities, as they were said last."""

    async def greet(self, wanted: str | None = None) -> None:
        """Read the greeting, and ask what is offered."""
        with self._visit.at(base.Step.GREETING):
            greeting = await self._line.read_line()
            words = greeting.upper().split(maxsplit=2)
            if words[:2] == [b"*", b"PREAUTH"] and (self._server.login or self._server.starttls != "off"):
                raise base.Missed(
                    "the server lets everybody in without a login", expected="* OK", came=greeting
                )
            if words[:2] not in ([b"*", b"OK"], [b"*", b"PREAUTH"]):
                raise base.Missed("this is no greeting by IMAP", expected="* OK", came=greeting)
            _mail.check_greeting(wanted, greeting)
            await self.ask_offered()

    async def ask_offered(self) -> None:
        """Ask for the capabilities anew: TLS and a login change them."""
        said = await self.must("what is offered", b"CAPABILITY")
        self.offered = words_of(b"CAPABILITY", said.before)

    async def protect(self) -> None:
        """Begin TLS by a command, if that is to be."""
        if not _mail.wants_tls(self._visit, self._server, "STARTTLS", self.offered):
            return
        with self._visit.at(base.Step.TLS):
            await self.must("STARTTLS", b"STARTTLS")
        await _mail.start_tls(self._visit, self._server, self._line, self._again)
        with self._visit.at(base.Step.GREETING):
            await self.ask_offered()

    async def _again(self) -> base.Line:
        line = await _mail.connect(self._visit, self._server)
        other = Session(self._visit, self._server, line)
        await line.read_line()
        await other.must("STARTTLS", b"STARTTLS")
        return line

    async def log_in(self, login: _mail.Login) -> None:
        """By SASL PLAIN if it is offered, else by LOGIN."""
        with self._visit.at(base.Step.LOGIN):
            _mail.check_protected(self._server, self._line)
            if "AUTH=PLAIN" in self.offered:
                secret = base64.b64encode(login.plain)
                self._visit.conceal(secret.decode())
                await self.must("the login", b"AUTHENTICATE PLAIN", more=secret)
                return
            words = login.user, login.password.reveal()
            if "LOGINDISABLED" in self.offered or not all(word.isascii() for word in words):
                came = " ".join(self.offered)
                raise base.Missed("no way to log in is offered", expected="AUTH=PLAIN", came=came)
            user, secret = map(quoted, words)
            self._visit.conceal(secret[1:-1].decode())
            await self.must("the login", b"LOGIN %s %s" % (user, secret), shown=f"LOGIN {user.decode()} ***")

    async def select(self, folder: str, *, read_only: bool) -> Folder:
        """Open a mailbox."""
        word = b"EXAMINE" if read_only else b"SELECT"
        said = await self.must("the mailbox", word + b" " + quoted(folder), of=folder)
        exists = [int(found[1]) for line in said.before if (found := _EXISTS.fullmatch(line))]
        uid_next = [int(found[1]) for line in said.before if (found := _UIDNEXT.match(line))]
        if not exists:
            raise base.Missed("the server does not say how many messages there are", expected="* n EXISTS")
        return Folder(exists[-1], uid_next[-1] if uid_next else 0)

    async def find(self, criteria: bytes) -> tuple[int, ...]:
        """The UIDs of the messages for which all criteria hold."""
        said = await self.must("the search", b"UID SEARCH " + criteria)
        return numbers_found(said.before)

    async def remove(self, uids: tuple[int, ...]) -> None:
        """Delete these messages and no others, as far as the server can do that (RFC 4315)."""
        some = ",".join(map(str, uids[-FOUND_MAX:])).encode()
        await self.must("deleting", b"UID STORE %s +FLAGS.SILENT (\\Deleted)" % some)
        if "UIDPLUS" in self.offered:
            await self.must("deleting", b"UID EXPUNGE %s" % some)
        else:
            self._visit.note("messages of ours are only marked as deleted: the server does not offer UIDPLUS")

    async def look_again(self) -> None:
        """Let the server see what has arrived."""
        await self.must("NOOP", b"NOOP")

    async def log_out(self) -> None:
        """Say goodbye."""
        await _mail.goodbye(self._visit, self.command(b"LOGOUT", leaving=True))

    async def must(
        self, what: str, command: bytes, *, of: str = "", shown: str | None = None, more: bytes | None = None
    ) -> Said:
        """The answer to a command, which must be OK. `of`: the name of what is asked for."""
        said = await self.command(command, shown=shown, more=more)
        if said.word != "OK":
            came = said.word.encode() + b" " + said.text
            raise base.Missed(
                "{what} {text} was refused ({name})" if of else "{what} was refused ({name})",
                what=what,
                text=of,
                name=said.word,
                expected="OK",
                came=came,
            )
        return said

    async def command(
        self, command: bytes, *, shown: str | None = None, more: bytes | None = None, leaving: bool = False
    ) -> Said:
        """The whole answer to a command. `more` is a secret that is sent when the server asks for it."""
        self._many += 1
        tag = b"a%d" % self._many
        told = None if shown is None else f"{tag.decode()} {shown}"
        await self._line.write(tag + b" " + command + b"\r\n", told)
        before: list[bytes] = []
        left = ANSWER_BYTES_MAX
        for _ in range(ANSWER_LINES_MAX):
            line = await self._response(left)
            left -= len(line)
            if line.startswith(b"* "):
                if line[2:6].upper() == b"BYE " and not leaving:
                    raise base.Missed("the server ends the dialogue", came=line)
                before.append(line[2:])
            elif line.startswith(b"+") and more is not None:
                await self._line.write(more + b"\r\n", "***")
                more = None
            else:
                return Said(*last_words(tag, line), tuple(before))
        raise base.Missed("an answer of more than {count} lines came", count=ANSWER_LINES_MAX)

    async def _response(self, bytes_max: int) -> bytes:
        """A line, with the literals that it holds."""
        whole = line = await self._line.read_line()
        for _ in range(ANSWER_LINES_MAX):
            many = literal_after(line)
            if len(whole) + (many or 0) > bytes_max:
                raise base.Missed("an answer of more than {count} bytes came", count=ANSWER_BYTES_MAX)
            if many is None:
                return whole
            whole += await self._line.read_exactly(many)
            line = await self._line.read_line()
            whole += line
        raise base.Missed("a line with more than {count} literals came", count=ANSWER_LINES_MAX)


async def opened(visit: base.Visit, server: Server, greeting: str | None = None) -> Session:
    """A dialogue that is greeted, protected and, if so set, logged in. Raises `Missed` or `Fault`."""
    session = Session(visit, server, await _mail.connect(visit, server))
    await session.greet(greeting)
    await session.protect()
    if server.login is not None:
        await session.log_in(server.login)
    return session


base.chinese(
    """
    a literal of more than {count} bytes is announced
        服务器声明将发送超过 {count} 字节的数据
    this is no answer by IMAP
        应答不符合 IMAP 协议
    this is no greeting by IMAP
        服务器的问候不符合 IMAP 协议
    this is no answer to a search
        对搜索的应答无法识别
    the search was not answered
        搜索没有得到应答
    the server lets everybody in without a login
        服务器不要求登录就允许访问
    the server does not say how many messages there are
        服务器未说明邮箱中的邮件数
    {what} {text} was refused ({name})
        {what} {text} 被拒绝（{name}）
    {what} was refused ({name})
        {what}被拒绝（{name}）
    the server ends the dialogue
        服务器结束了会话
    an answer of more than {count} lines came
        应答超过 {count} 行
    an answer of more than {count} bytes came
        应答超过 {count} 字节
    a line with more than {count} literals came
        应答的一行含有超过 {count} 段数据
    """
)

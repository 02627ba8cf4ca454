"""HylaFAX's client-server protocol, as a client: FTP with commands for faxes, in plain text.

All that the server says is bounded, and believed only in its order. A data connection goes to the address
that was connected to, whatever the server names, and to no port below 1024.
"""

from __future__ import annotations

import asyncio
import contextlib
import re
from collections.abc import Sequence
from typing import Final, NamedTuple

LINE_BYTES_MAX: Final = 1024
"""The longest line that a server may say."""

ANSWER_LINES_MAX: Final = 100
"""The longest answer of several lines."""

LISTING_BYTES_MAX: Final = 1024 * 1024
"""Of a list of faxes; what is behind is not read."""

PIECE_BYTES: Final = 16 * 1024
PORT_MIN: Final = 1024
GOODBYE_S: Final = 2.0
"""How long the answer to QUIT is waited for; nothing hangs on it."""

TAG: Final = "hostwatch-"
"""What stands before our token in what a server knows a fax by."""

_ANSWER = re.compile(rb"([1-5][0-9]{2})([ -])(.*)", re.DOTALL)
_EXTENDED = re.compile(r"\(\|\|\|(\d{1,5})\|\)")
_PASSIVE = re.compile(r"\(\d{1,3},\d{1,3},\d{1,3},\d{1,3},(\d{1,3}),(\d{1,3})\)")
_FILE = re.compile(r"FILE: (/tmp/[A-Za-z0-9._-]{1,60})(?![^ )])")


class Answer(NamedTuple):
    """What the server said to one command."""

    code: int
    text: str

    def __str__(self) -> str:
        return f"{self.code} {self.text}"


class Broken(Exception):
    """The line broke, or what came is no conversation of this kind."""


class Denied(Exception):
    """The server said no."""

    def __init__(self, answer: Answer, doing: str) -> None:
        super().__init__(f"{answer} (while {doing})")
        self.code = answer.code


class Talk:
    """One conversation; it knows how far it came. Its caller gives it a time."""

    def __init__(self) -> None:
        self.doing = "connecting"
        self.is_in = False
        """Whether we are logged in."""

        self.handed_over = False
        """Whether the fax may be sent whatever happens from now on."""

        self._host = ""
        self._reader: asyncio.StreamReader | None = None
        self._writer: asyncio.StreamWriter | None = None
        self._data: asyncio.StreamWriter | None = None

    async def log_in(self, host: str, port: int, user: str, password: str) -> None:
        """Connect and log in. Raises `Broken`, `Denied` or `OSError`, as all that is asked does."""
        self._host = host
        self._reader, self._writer = await asyncio.open_connection(host, port, limit=LINE_BYTES_MAX)
        self.doing = "waiting for the greeting"
        greeting = await self._answer()
        while greeting.code // 100 == 1:  # it is about to be shut down, and says so first
            greeting = await self._answer()
        self._expect(greeting, 220)
        if (await self.ask("naming the user", f"USER {user}", 230, 331)).code == 331:
            await self.ask("logging in", f"PASS {password}", 230)
        self.is_in = True

    async def ask(self, doing: str, command: str, *expected: int) -> Answer:
        """Say one command and hear its answer."""
        self.doing = doing
        if self._writer is None:
            raise Broken("the connection was lost")
        self._writer.write(f"{command}\r\n".encode("ascii"))
        await self._writer.drain()
        answer = await self._answer()
        self._expect(answer, *expected)
        return answer

    async def store(self, pdf: bytes) -> str:
        """Store a page for this conversation; its name at the server."""
        await self.ask("choosing bytes", "TYPE I", 200)
        await self.ask("choosing PDF", "FORM PDF", 200)
        _, writer = await self._beside()
        said = await self.ask("storing the page", "STOT", 125, 150)
        writer.write(pdf)
        await writer.drain()
        writer.close()
        with contextlib.suppress(OSError):
            await writer.wait_closed()
        done = await self._answer()
        self._expect(done, 226, 250)
        found = _FILE.search(done.text) or _FILE.search(said.text)
        if found is None:
            raise Broken(f"the server does not say what it stored: {done}")
        return found[1]

    async def submit(self, parameters: Sequence[tuple[str, str]]) -> Answer:
        """Have it sent. From the last command on it may be, whatever becomes of us."""
        await self.ask("beginning a fax", "JNEW", 200)
        for name, value in parameters:
            await self.ask(f"saying {name}", f"JPARM {name} {value}", 200, 213)
        self.handed_over = True
        return await self.ask("waiting for the answer to JSUBM", "JSUBM", 200)

    async def listing(self, folder: str, form: str) -> list[str]:
        """The faxes of a folder, a line of that form for each."""
        await self.ask("choosing what is listed", f"JOBFMT {quoted(form)}", 200)
        reader, writer = await self._beside()
        await self.ask("listing", f"LIST {folder}", 125, 150)
        listed = b""
        while len(listed) < LISTING_BYTES_MAX and (piece := await reader.read(PIECE_BYTES)):
            listed += piece
        writer.close()
        if len(listed) < LISTING_BYTES_MAX:
            self._expect(await self._answer(), 226, 250)
        lines = listed[:LISTING_BYTES_MAX].split(b"\n")[:-1]  # what has no end may be half a line
        return [line.decode("utf-8", "replace").rstrip("\r") for line in lines]

    async def leave(self) -> None:
        """Say goodbye. All is known by then: it decides nothing."""
        with contextlib.suppress(TimeoutError, OSError, Broken, Denied):
            async with asyncio.timeout(GOODBYE_S):
                await self.ask("saying goodbye", "QUIT", 221)

    def close(self) -> None:
        """Let go of the sockets at once, whatever happened."""
        for writer in (self._writer, self._data):
            if writer is not None:
                with contextlib.suppress(OSError):
                    writer.transport.abort()

    async def _beside(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        """A second connection, for data."""
        self.doing = "asking for a second connection"
        try:
            said = await self.ask(self.doing, "EPSV", 229)
            found = _EXTENDED.search(said.text)
            port = int(found[1]) if found is not None else 0
        except Denied as denied:
            if denied.code // 100 != 5:
                raise
            said = await self.ask(self.doing, "PASV", 227)
            bytes_ = _PASSIVE.search(said.text)
            port = int(bytes_[1]) * 256 + int(bytes_[2]) if bytes_ is not None else 0
        if not PORT_MIN <= port <= 65535:
            raise Broken(f"the server names no port for a second connection: {said}")
        reader, self._data = await asyncio.open_connection(self._host, port)
        return reader, self._data

    def _expect(self, answer: Answer, *codes: int) -> None:
        if answer.code in codes:
            return
        if answer.code // 100 in (4, 5):
            raise Denied(answer, self.doing)
        raise Broken(f"an answer that fits nothing came: {answer} (while {self.doing})")

    async def _answer(self) -> Answer:
        """One answer, of however many lines: the last begins with the code and a space."""
        code, text = b"", ""
        for _ in range(ANSWER_LINES_MAX):
            line = await self._line()
            found = _ANSWER.fullmatch(line)
            if found is None and not code:
                raise Broken(f"this is no answer: {_shown(line[:80])}")
            code = code or (found[1] if found is not None else b"")
            text = text or (_shown(found[3]) if found is not None else "")
            if found is not None and found[1] == code and found[2] == b" ":
                return Answer(int(code), text)
        raise Broken(f"an answer of more than {ANSWER_LINES_MAX} lines came")

    async def _line(self) -> bytes:
        if self._reader is None:
            raise Broken("the connection was lost")
        try:
            line = await self._reader.readuntil(b"\n")
        except asyncio.IncompleteReadError:
            raise Broken("the server closed the connection") from None
        except asyncio.LimitOverrunError:
            raise Broken(f"a line of more than {LINE_BYTES_MAX} bytes came") from None
        return line.rstrip(b"\r\n")


def quoted(text: str) -> str:
    """A text as a parameter: what would end it is left out."""
    return '"' + "".join(c for c in text if c.isascii() and c.isprintable() and c not in '"\\') + '"'


def _shown(line: bytes) -> str:
    return "".join(c if c.isprintable() else " " for c in line.decode("utf-8", "replace")).strip()

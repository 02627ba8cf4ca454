"""A server that means harm: it begins as well as it is told to, and then does what no server should.

    manners   greeting ─ ask ─ reply ─ ask ─ reply …     how a server of the kind begins (`manners`)
    turn                        ▲ from here on it is bad
    act       drips, floods, lies, hangs up, resets …    what it does from there on (`ACTS`)

A kind without manners is attacked from the first byte, and after whatever it says first.
"""

from __future__ import annotations

import asyncio
import re
import socket
import ssl
import struct
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any, Final

from tests.checks.conftest import serving

PIECE: Final = 64 * 1024
DRIP_EVERY_S: Final = 0.02
"""Far below the time that a check has, so that a time for each read would never be over."""

NO_ANSWER: Final = "^no answer within "

UNPRINTABLE: Final = b"\x00\x01\x07\x08\x0b\x1b[2J\x1b]0;owned\x07\x7f\x80\xff\xfe\xc3\x28"
TURNED: Final = "\u202egnp.exe\u2066\u200f\u061c\u2028\u2029\ufeff\u200b\U000e0041\ud7ff".encode()
"""What turns the writing round, breaks lines or is not seen."""


@dataclass(slots=True)
class Peer:
    """One connection, as the hostile side holds it."""

    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter
    more: bytes = b""
    """A line that promises another, in the protocol that is spoken."""

    secure: ssl.SSLContext | None = None
    """With what it can speak TLS."""

    heard: bytearray = field(default_factory=bytearray)

    async def say(self, data: bytes) -> None:
        """Send, at the pace of the other side."""
        self.writer.write(data)
        await self.writer.drain()

    async def hear(self, ending: bytes = b"") -> None:
        """Wait until something came, and until that ended so; or until the other side hung up."""
        while piece := await self.reader.read(PIECE):
            self.heard += piece
            if ending in self.heard:
                self.heard.clear()
                return

    async def flood(self, piece: bytes) -> None:
        """The same, for ever: until the other side has hung up."""
        piece *= -(-PIECE // len(piece))
        while True:
            await self.say(piece)
            await asyncio.sleep(0)  # saying does not always wait, and then it would not hear of the end

    async def drip(self, data: bytes) -> None:
        """A byte at a time, for ever."""
        while True:
            for place in range(len(data)):
                await self.say(data[place : place + 1])
                await asyncio.sleep(DRIP_EVERY_S)

    async def wait(self) -> None:
        """Say nothing more, until the other side has hung up."""
        while await self.reader.read(PIECE):
            pass

    def reset(self) -> None:
        """Break the connection off (RST)."""
        sock: socket.socket = self.writer.get_extra_info("socket")
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.writer.transport.abort()


Play = Callable[[Peer], Awaitable[None]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Act:
    """One thing that no server should do."""

    name: str
    play: Play
    hangs: bool = False
    """Whether the time of the check may have to end it. Else a bound must."""

    why: str = ""
    """What the reason must match, where all kinds must say the same."""

    def fits(self, why: str) -> bool:
        """Whether that is the right reason."""
        return re.search(self.why, why) is not None and (self.hangs or not re.search(NO_ANSWER, why))

    def __str__(self) -> str:
        return self.name


@dataclass(frozen=True, slots=True, kw_only=True)
class Manners:
    """How a server of a kind begins well. It speaks first, or its greeting is empty."""

    says: Sequence[bytes] = (b"",)
    """The greeting, and a reply to each ask."""

    more: bytes = b""
    """A line that promises another."""

    ask_ends: bytes = b"\n"

    written: Mapping[str, Any] = field(default_factory=dict)
    """What is set otherwise than in the example, so that all of this is said in plain text."""

    @property
    def turns(self) -> range:
        """In place of which reply it can turn bad: 0 is the greeting."""
        return range(len(self.says) + 1)


async def _ends(peer: Peer) -> None:
    """Return: the server hangs up."""


async def _resets(peer: Peer) -> None:
    peer.reset()


async def _half_a_line(peer: Peer) -> None:
    await peer.say(b"22")


async def _half_open(peer: Peer) -> None:
    peer.writer.write_eof()
    await peer.wait()


async def _is_silent(peer: Peer) -> None:
    await peer.wait()


async def _drips(peer: Peer) -> None:
    await peer.drip(peer.more or b"2")


async def _never_ends_a_line(peer: Peer) -> None:
    await peer.flood(b"A")


async def _never_ends(peer: Peer) -> None:
    await peer.flood(peer.more or b"and so on\r\n")


async def _ten_thousand_lines(peer: Peer) -> None:
    await peer.say((peer.more or b"- more\r\n") * 10_000)
    await peer.wait()


async def _empty_lines(peer: Peer) -> None:
    await peer.flood(b"\r\n")


async def _zeros(peer: Peer) -> None:
    await peer.flood(b"\0")


async def _unprintable(peer: Peer) -> None:
    await peer.say(UNPRINTABLE + b"\r\n" + TURNED + b"\r\n")


async def _unprintable_after_words(peer: Peer) -> None:
    await peer.say((peer.more or b"500 ").rstrip() + b" " + UNPRINTABLE + TURNED + b"\r\n")


async def _speaks_tls(peer: Peer) -> None:
    await peer.say(b"\x15\x03\x03\x00\x02\x02\x28")


async def _speaks_another_protocol(peer: Peer) -> None:
    await peer.say(b"RFB 003.008\n\x00\x00\x00\x01")


async def _huge_numbers(peer: Peer) -> None:
    await peer.say(b"9" * 4_000 + b" " + b"9" * 4_000 + b"\r\n")


ACTS: Final = (
    Act(name="hangs up", play=_ends),
    Act(name="resets", play=_resets),
    Act(name="hangs up in the middle of a line", play=_half_a_line),
    Act(name="sends no more and stays", play=_half_open),
    Act(name="is silent", play=_is_silent, hangs=True, why=NO_ANSWER),
    Act(name="drips", play=_drips, hangs=True),
    Act(name="never ends a line", play=_never_ends_a_line),
    Act(name="never ends", play=_never_ends),
    Act(name="ten thousand lines that promise more", play=_ten_thousand_lines),
    Act(name="empty lines for ever", play=_empty_lines),
    Act(name="zeros for ever", play=_zeros),
    Act(name="says what cannot be shown", play=_unprintable),
    Act(name="says what cannot be shown after a code", play=_unprintable_after_words),
    Act(name="speaks TLS", play=_speaks_tls),
    Act(name="speaks another protocol", play=_speaks_another_protocol),
    Act(name="says huge numbers", play=_huge_numbers),
)


@asynccontextmanager
async def hostile(
    play: Play,
    *,
    manners: Manners | None = None,
    turn: int = 0,
    address: str = "127.0.0.1",
    secure: ssl.SSLContext | None = None,
    at_once: bool = False,
) -> AsyncIterator[int]:
    """Such a server; its port. `at_once`: it speaks TLS from the first byte."""
    kept = manners or Manners()

    async def script(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        peer = Peer(reader, writer, kept.more, secure)
        if at_once and secure is not None:
            await writer.start_tls(secure)
        for number, said in enumerate(kept.says[:turn]):
            if number:
                await peer.hear(kept.ask_ends)
            await peer.say(said)
        if turn:
            await peer.hear(kept.ask_ends)
        await play(peer)

    async with serving(script, address) as port:
        yield port


@asynccontextmanager
async def full_backlog() -> AsyncIterator[int]:
    """A port that listens and accepts nobody: its queue is full, and what comes is dropped."""
    listening = socket.create_server(("127.0.0.1", 0), backlog=0)
    port = listening.getsockname()[1]
    waiting: list[socket.socket] = []
    try:
        for _ in range(4):
            one = socket.socket()
            one.setblocking(False)
            one.connect_ex(("127.0.0.1", port))
            waiting.append(one)
        yield port
    finally:
        for one in [listening, *waiting]:
            one.close()

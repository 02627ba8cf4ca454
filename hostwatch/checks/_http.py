"""HTTP/1.1 as a check needs it: one request on a line, one answer, and a bound on each of its parts.

It is as forgiving as browsers are, but for what says where an answer ends. Why it is our own:
`docs/decisions/0020-http-of-our-own.md`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

from hostwatch.checks._finding import Missed
from hostwatch.checks._line import Line
from hostwatch.checks._sentence import chinese
from hostwatch.checks._visit import BYTES_MAX

HEADERS_MAX: Final = 100
"""Lines of a head, and of what may follow the last chunk."""

INTERIM_MAX: Final = 5
"""Answers that only announce one (1xx)."""

CHUNKS_MAX: Final = 10_000

PIECE_BYTES: Final = 65_536

_FIRST = re.compile(rb"HTTP/1\.[01] +([1-9][0-9]{2})(?: (.*))?")
_SIZE = re.compile(rb"([0-9a-fA-F]{1,8})[ \t]*(?:;.*)?")
_LENGTH = re.compile(rb"[0-9]{1,15}")
_BODILESS: Final = frozenset({204, 304})


@dataclass(frozen=True, slots=True)
class Head:
    """What an answer says before its content."""

    status: int
    reason: str
    headers: Mapping[bytes, tuple[bytes, ...]]
    """By their names in small letters."""

    @property
    def said(self) -> str:
        """`503 Service Unavailable`."""
        return f"{self.status} {self.reason}".rstrip()

    def header(self, name: bytes) -> bytes:
        """The value of one, all joined if it comes several times; empty if it does not."""
        return b", ".join(self.headers.get(name, ()))


async def read_head(line: Line) -> Head:
    """The head of the answer, and of those that only announce it. Raises `Missed`."""
    first = b""
    for _ in range(INTERIM_MAX + 1):
        first = await line.read_line()
        found = _FIRST.fullmatch(first)
        if found is None:
            raise Missed("what answers there does not speak HTTP", expected="HTTP/1.1 200 OK", came=first)
        status, reason = int(found[1]), (found[2] or b"").decode("utf-8", "replace").strip()
        headers = await _read_headers(line)
        if status == 101:
            raise Missed("the server goes over to another protocol, which nobody asked for", came=first)
        if status >= 200:
            return Head(status, reason, headers)
    raise Missed("more than {count} answers came that only announce one", count=INTERIM_MAX, came=first)


async def _read_headers(line: Line) -> dict[bytes, tuple[bytes, ...]]:
    headers: dict[bytes, tuple[bytes, ...]] = {}
    header = b""
    for _ in range(HEADERS_MAX + 1):
        known = line.next_line()
        header = await line.read_line() if known is None else known
        if not header:
            return headers
        name, colon, value = header.partition(b":")
        if colon and header[:1] not in b" \t":
            name = name.strip().lower()
            headers[name] = (*headers.get(name, ()), value.strip())
    raise Missed(
        "more than {count} headers came", count=HEADERS_MAX, expected=f"at most {HEADERS_MAX}", came=header
    )


Feed = Callable[[bytes], None]
"""Takes the next piece of a content."""


async def read_body(line: Line, head: Head, method: str, feed: Feed) -> None:
    """The content, piece by piece, as it comes. Raises `Missed`, also if it ends too early."""
    coding = head.header(b"transfer-encoding").lower()
    if method == "HEAD" or head.status in _BODILESS:
        return
    if coding == b"chunked":
        await _read_chunks(line, feed)
    elif coding not in (b"", b"identity"):
        raise Missed("the answer is sent in a way that is not known", expected="chunked", came=coding)
    elif b"content-length" in head.headers:
        await _read_length(line, _length(head), feed)
    else:
        while piece := await line.read_some(PIECE_BYTES):
            feed(piece)
        if line.was_cut:  # nothing but the end of the connection says where the answer ends
            raise Missed("the server closed the connection in the middle of TLS: the answer may be cut short")


def _length(head: Head) -> int:
    """How long the answer says that it is. Raises `Missed`."""
    said = {one.strip() for value in head.headers[b"content-length"] for one in value.split(b",")}
    length = said.pop()
    if said or not _LENGTH.fullmatch(length):
        raise Missed("the answer has no length that can be read", came=head.header(b"content-length"))
    if int(length) > BYTES_MAX:
        raise Missed(
            "the answer has more than {count} bytes",
            count=BYTES_MAX,
            came=f"{int(length):,} bytes",
            expected=f"at most {BYTES_MAX:,}; for large files ask by the method HEAD",
        )
    return int(length)


async def _read_length(line: Line, length: int, feed: Feed) -> None:
    left = length
    while left:
        piece = await line.read_some(min(left, PIECE_BYTES))
        if not piece:
            raise Missed(
                "the server closed the connection in the middle of the answer",
                expected=f"{length:,} bytes",
                came=f"{length - left:,} bytes",
            )
        left -= len(piece)
        feed(piece)


async def _read_chunks(line: Line, feed: Feed) -> None:
    for _ in range(CHUNKS_MAX):
        said = await line.read_line(quietly=True)
        found = _SIZE.fullmatch(said)
        if found is None:
            raise Missed("a piece of the answer has no length that can be read", came=said)
        size = int(found[1], 16)
        if not size:
            await _read_headers(line)
            return
        await _read_length(line, size, feed)
        if await line.read_line(quietly=True):
            raise Missed("a piece of the answer is longer than it says", expected=f"{size:,} bytes")
    raise Missed("the answer came in more than {count} pieces", count=CHUNKS_MAX)


chinese(
    """
    what answers there does not speak HTTP
        该端口的应答方不使用 HTTP
    the server goes over to another protocol, which nobody asked for
        服务器擅自切换到其他协议
    more than {count} answers came that only announce one
        收到超过 {count} 个临时应答，没有正式应答
    more than {count} headers came
        应答头超过 {count} 个
    the answer is sent in a way that is not known
        应答的传输方式未知
    the server closed the connection in the middle of TLS: the answer may be cut short
        服务器中途断开 TLS 连接：应答可能不完整
    the answer has no length that can be read
        无法读取应答的长度
    the answer has more than {count} bytes
        应答超过 {count} 字节
    the server closed the connection in the middle of the answer
        服务器在发送应答的途中关闭了连接
    a piece of the answer has no length that can be read
        无法读取应答分块的长度
    a piece of the answer is longer than it says
        应答分块比其声明的长
    the answer came in more than {count} pieces
        应答的分块超过 {count} 个
    """
)

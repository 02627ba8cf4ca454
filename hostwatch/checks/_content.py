"""The content of an answer of the web: decoded, searched and read as JSON, while it comes and within bounds.

Nothing is kept of a page but its beginning and, if JSON is expected, as much as may be read of it.
"""

from __future__ import annotations

import codecs
import json
import re
import zlib
from collections.abc import Iterator, Mapping
from typing import Any, Final

from hostwatch.checks._finding import Missed
from hostwatch.checks._sentence import chinese

DECODED_BYTES_MAX: Final = 4 * 1024 * 1024
"""What an answer may be unpacked to."""

JSON_BYTES_MAX: Final = 262_144
"""The longest answer that is read as JSON."""

PATH_STEPS_MAX: Final = 20

BEGINNING_BYTES: Final = 1_024
"""How much is kept to be quoted, and searched for the name of a charset, as browsers do."""

_PIECE_BYTES: Final = 65_536
_CHARSET = re.compile(rb"charset\s*=\s*[\"']?([A-Za-z0-9_:.-]{1,40})")
_PACKED: Final = ("gzip", "x-gzip", "deflate")
_GZIP_OR_ZLIB: Final = 47
_BARE: Final = -15
"""What zlib calls them."""

CHARSETS: Final = {
    **dict.fromkeys(("utf-8", "utf8", "us-ascii", "ascii"), "utf-8"),
    **dict.fromkeys(("iso-8859-1", "iso8859-1", "latin1", "latin-1", "windows-1252", "cp1252"), "cp1252"),
    **dict.fromkeys(("gb2312", "gbk", "gb18030", "gb_2312-80", "x-gbk", "cp936"), "gb18030"),
    **dict.fromkeys(("big5", "big5-hkscs", "cn-big5"), "big5"),
    **dict.fromkeys(("shift_jis", "shift-jis", "sjis", "windows-31j"), "shift_jis"),
    **dict.fromkeys(("euc-kr", "ks_c_5601-1987"), "euc-kr"),
    **dict.fromkeys(("utf-16", "utf-16le"), "utf-16"),
    **{f"iso-8859-{number}": f"iso-8859-{number}" for number in (2, 3, 4, 5, 6, 7, 8, 9, 10, 13, 14, 15, 16)},
    **{f"windows-{number}": f"cp{number}" for number in (1250, 1251, 1253, 1254, 1255, 1256, 1257, 1258)},
    **{name: name for name in ("utf-16be", "euc-jp", "koi8-r")},
}
"""The charsets that are known. Python is not asked for others: it remembers each name that a server says."""

Scalar = str | int | float | bool | None


class Content:
    """One content. What comes is fed in pieces; `end` says whether it is what is expected."""

    def __init__(
        self,
        encoding: str,
        charset_said: bytes,
        *,
        holds: tuple[str, ...] = (),
        lacks: tuple[str, ...] = (),
        values: Mapping[str, Scalar] | None = None,
    ) -> None:
        """`encoding` and `charset_said` are what the headers say; the others, what is expected."""
        self.beginning = b""
        self._values = values or {}
        self._packed = Packed(encoding, needed=bool(holds or lacks or values))
        self._search = Search(charset_said, holds, lacks) if holds or lacks else None
        self._decoded = 0
        self._kept = bytearray()

    def feed(self, piece: bytes) -> None:
        """The next piece, as it came. Raises `Missed` as soon as something is wrong."""
        for plain in self._packed.feed(piece):
            self._decoded += len(plain)
            if self._decoded > DECODED_BYTES_MAX:
                raise Missed("the answer unpacks to more than {count} bytes", count=DECODED_BYTES_MAX)
            if len(self.beginning) < BEGINNING_BYTES:
                self.beginning += plain[: BEGINNING_BYTES - len(self.beginning)]
            if self._search is not None:
                self._search.feed(plain)
            if self._values:
                self._keep(plain)

    def end(self) -> int:
        """All has come; how many bytes, unpacked. Raises `Missed` if something is not as expected."""
        self._packed.end()
        if self._search is not None:
            self._search.feed(b"", ended=True)
            for text in sorted(self._search.missing):
                raise Missed(
                    "the expected text {text} is not in the answer",
                    text=text,
                    expected=text,
                    came=self.beginning,
                )
        if self._values:
            check_values(bytes(self._kept), self._values)
        return self._decoded

    def _keep(self, plain: bytes) -> None:
        self._kept += plain
        if len(self._kept) > JSON_BYTES_MAX:
            raise Missed("the answer is too long for JSON", expected=f"at most {JSON_BYTES_MAX:,} bytes")


class Search:
    """Looks for texts in a page that comes in pieces, in the charset that it says it has."""

    def __init__(self, charset_said: bytes, holds: tuple[str, ...], lacks: tuple[str, ...]) -> None:
        self.missing = set(holds)
        self._lacks = lacks
        self._charset_said = charset_said
        self._overlap = max(map(len, (*holds, *lacks))) - 1
        self._waiting = b""
        self._tail = ""
        self._decoder: codecs.IncrementalDecoder | None = None

    def feed(self, plain: bytes, *, ended: bool = False) -> None:
        """The next piece. Raises `Missed` for what must not be there."""
        if self._decoder is None:
            self._waiting += plain
            if len(self._waiting) < BEGINNING_BYTES and not ended:
                return  # what charset it is may stand a little later
            plain, self._waiting = self._waiting, b""
            codec = charset(self._charset_said, plain[:BEGINNING_BYTES])
            self._decoder = codecs.getincrementaldecoder(codec)(errors="replace")
        text = self._tail + self._decoder.decode(plain, ended)
        self.missing = {one for one in self.missing if one not in text}
        for one in self._lacks:
            if one in text:
                raise Missed(
                    "the answer holds the text {text}, which it must not hold",
                    text=one,
                    expected=f"no {one}",
                    came=one,
                )
        self._tail = text[-self._overlap :] if self._overlap else ""


class Packed:
    """Undoes a content encoding, a bounded piece at a time."""

    def __init__(self, encoding: str, *, needed: bool) -> None:
        """Raises `Missed` for an encoding that nobody asked for, if the content is needed."""
        self._ignored = encoding not in ("", "identity", *_PACKED)
        if self._ignored and needed:
            raise Missed("the answer is packed in a way that is not known", expected="gzip", came=encoding)
        self._unpack = zlib.decompressobj(_GZIP_OR_ZLIB) if encoding in _PACKED else None
        self._began = False

    def feed(self, piece: bytes) -> Iterator[bytes]:
        """What a piece holds. Raises `Missed`."""
        if self._unpack is None:
            if not self._ignored:
                yield piece
            return
        while piece:
            if self._unpack.eof:  # one thing packed after another is all the same content
                self._unpack = zlib.decompressobj(_GZIP_OR_ZLIB)
            plain = self._some_of(piece)
            self._began = True
            if plain:
                yield plain
            piece = self._unpack.unused_data if self._unpack.eof else self._unpack.unconsumed_tail

    def _some_of(self, piece: bytes) -> bytes:
        assert self._unpack is not None
        try:
            return self._unpack.decompress(piece, _PIECE_BYTES)
        except zlib.error as error:
            if self._began:
                raise Missed("the answer cannot be unpacked", came=str(error)) from None
        try:  # some servers leave the frame of `deflate` out
            self._unpack = zlib.decompressobj(_BARE)
            return self._unpack.decompress(piece, _PIECE_BYTES)
        except zlib.error as error:
            raise Missed("the answer cannot be unpacked", came=str(error)) from None

    def end(self) -> None:
        """All has come. Raises `Missed` if there should be more."""
        if self._unpack is not None and self._began and not self._unpack.eof:
            raise Missed("the answer is packed, and its end is missing")


def check_values(text: bytes, values: Mapping[str, Scalar]) -> None:
    """Whether JSON says what is expected. Raises `Missed`."""
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        raise Missed("the answer is no JSON", came=text[:BEGINNING_BYTES]) from None
    for path, expected in values.items():
        came = looked_up(found, path)
        if isinstance(came, bool) is not isinstance(expected, bool) or came != expected:
            raise Missed(
                "{text} is not what it should be",
                text=path,
                expected=_written(expected),
                came=_written(came),
            )


def _written(value: Any) -> str:
    """In a few words: it may be anything that came."""
    if isinstance(value, dict | list):
        return "a list" if isinstance(value, list) else "a mapping"
    return json.dumps(value, ensure_ascii=False)


def steps(path: str) -> tuple[str, ...]:
    """The steps of a path: `status.db`, or `/status/db` as in RFC 6901 for names with dots in them."""
    if path.startswith("/"):
        return tuple(one.replace("~1", "/").replace("~0", "~") for one in path[1:].split("/"))
    return tuple(path.split("."))


def looked_up(data: Any, path: str) -> Any:
    """What stands there. Raises `Missed` if nothing does."""
    for step in steps(path):
        if isinstance(data, dict) and step in data:
            data = data[step]
        elif isinstance(data, list) and step.isdecimal() and len(step) < 10 and int(step) < len(data):
            data = data[int(step)]
        else:
            raise Missed("the answer has no {text}", text=path, expected=path)
    return data


def charset(said: bytes, beginning: bytes) -> str:
    """The codec for what is said in the header, or else at the beginning of the page, or else UTF-8."""
    if beginning.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return "utf-16"
    for where in (said, beginning):
        found = _CHARSET.search(where.lower())
        known = CHARSETS.get(found[1].decode()) if found else None
        if known is not None:
            return known
    return "utf-8"


chinese(
    """
    the answer unpacks to more than {count} bytes
        应答解压后超过 {count} 字节
    the expected text {text} is not in the answer
        应答中没有应有的文本 {text}
    the answer holds the text {text}, which it must not hold
        应答中含有不应出现的文本 {text}
    the answer is too long for JSON
        应答过长，无法作为 JSON 读取
    the answer is packed in a way that is not known
        应答的压缩方式未知
    the answer cannot be unpacked
        应答无法解压
    the answer is packed, and its end is missing
        压缩的应答不完整
    the answer is no JSON
        应答不是 JSON
    {text} is not what it should be
        {text} 的值与预期不符
    the answer has no {text}
        应答中没有 {text}
    """
)

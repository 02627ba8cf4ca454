"""The parts of HTTP that are our own: heads, pieces, packing, charsets, addresses, against whatever comes."""

from __future__ import annotations

import asyncio
import gzip
import zlib
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from hostwatch.checks import _content, _http, http
from hostwatch.checks._content import Content, charset
from hostwatch.checks._url import parsed, redirected
from hostwatch.checks.base import Missed, Step
from hostwatch.configuration.mistake import Wrong
from hostwatch.core.reading import Outcome
from tests.checks.conftest import look, serving


async def answered(answer: bytes, *, then_wait: asyncio.Event | None = None, **written: Any) -> Any:
    """What a check finds at a server that answers so and goes away, or falls silent."""

    async def say(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(answer)
        await writer.drain()
        if then_wait is not None:
            await then_wait.wait()
        writer.close()

    async with serving(say) as port:
        return await look("http", {"url": f"http://:{port}/", **written})


OK = b"HTTP/1.1 200 OK\r\n"
CHUNKED = OK + b"Transfer-Encoding: chunked\r\n\r\n"


@pytest.mark.parametrize(
    "answer",
    [
        b"HTTP/1.0 200\r\n\r\nfine",
        b"HTTP/1.1 200 OK\n\nfine",
        OK + b"Content-Length: 4\r\n\r\nfine and more",
        OK + b"content-length : 4, 4\r\nno header at all\r\n folded\r\n\r\nfine",
        CHUNKED + b"2\r\nfi\r\n02 ; x=y\r\nne\r\n0\r\nTrailer: x\r\n\r\n",
        b"HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n" + OK + b"\r\nfine",
        OK
        + b"Content-Encoding: gzip\r\n\r\n"
        + gzip.compress(b"fi", mtime=0)
        + gzip.compress(b"ne", mtime=0),
        OK + b"Content-Encoding: deflate\r\n\r\n" + zlib.compress(b"fine"),
        OK + b"Content-Encoding: deflate\r\n\r\n" + zlib.compress(b"fine", wbits=-15),
    ],
)
async def test_manners_that_are_understood(answer: bytes) -> None:
    found = await answered(answer, contains="fine", lacks="finemore")
    assert (found.outcome, found.why) == (Outcome.ANSWERED, "")


@pytest.mark.parametrize(
    ("answer", "step", "why"),
    [
        (b"", Step.ANSWER, "the server closed the connection"),
        (b"220 mail.example.com ESMTP\r\n", Step.ANSWER, "what answers there does not speak HTTP"),
        (b"HTTP/2 200\r\n\r\n", Step.ANSWER, "what answers there does not speak HTTP"),
        (b"HTTP/1.1 2000 OK\r\n\r\n", Step.ANSWER, "what answers there does not speak HTTP"),
        (OK, Step.ANSWER, "the server closed the connection"),
        (OK + b"a: " + b"b" * 9_000, Step.ANSWER, "a line of more than 8,192 bytes came"),
        (OK + b"a: b\r\n" * 200, Step.ANSWER, "more than 100 headers came"),
        (b"HTTP/1.1 100 Continue\r\n\r\n" * 9, Step.ANSWER,
         "more than 5 answers came that only announce one"),
        (b"HTTP/1.1 101 Now\r\n\r\n", Step.ANSWER,
         "the server goes over to another protocol, which nobody asked for"),
        (OK + b"Content-Length: 9\r\n\r\nfine", Step.CONTENT,
         "the server closed the connection in the middle of the answer"),
        (OK + b"Content-Length: 4\r\nContent-Length: 5\r\n\r\nfine", Step.CONTENT,
         "the answer has no length that can be read"),
        (OK + b"Content-Length: -4\r\n\r\nfine", Step.CONTENT, "the answer has no length that can be read"),
        (OK + b"Content-Length: 5000000\r\n\r\n", Step.CONTENT, "the answer has more than 4,194,304 bytes"),
        (OK + b"Transfer-Encoding: gzip, chunked\r\n\r\n", Step.CONTENT,
         "the answer is sent in a way that is not known"),
        (CHUNKED + b"x\r\n", Step.CONTENT, "a piece of the answer has no length that can be read"),
        (CHUNKED + b"2\r\nfine\r\n", Step.CONTENT, "a piece of the answer is longer than it says"),
        (CHUNKED + b"2\r\nfi\r\n", Step.CONTENT, "the server closed the connection"),
        (CHUNKED + b"1\r\nx\r\n" * 11_000, Step.CONTENT, "the answer came in more than 10,000 pieces"),
        (CHUNKED + b"0\r\n" + b"a: b\r\n" * 200, Step.CONTENT, "more than 100 headers came"),
        (OK + b"Content-Encoding: br\r\n\r\nfine", Step.CONTENT,
         "the answer is packed in a way that is not known"),
        (OK + b"Content-Encoding: gzip\r\n\r\nfine", Step.CONTENT, "the answer cannot be unpacked"),
        (OK + b"Content-Encoding: gzip\r\n\r\n" + gzip.compress(b"fine", mtime=0)[:-4], Step.CONTENT,
         "the answer is packed, and its end is missing"),
        (OK + b"\r\n" + bytes(5_000_000), Step.CONTENT, "more than 4,194,304 bytes came"),
    ],
)  # fmt: skip
async def test_manners_that_are_not(answer: bytes, step: Step, why: str) -> None:
    found = await answered(answer, contains="fine")
    assert (found.outcome, found.step, found.why) == (Outcome.MISSED, step, why)


@pytest.mark.parametrize(
    ("begun", "step"),
    [
        (b"", Step.ANSWER),
        (b"HTTP/1.1 200", Step.ANSWER),
        (OK + b"a: b\r\n", Step.ANSWER),
        (OK + b"Content-Length: 9\r\n\r\nfine", Step.CONTENT),
        (OK + b"\r\nfine", Step.CONTENT),
        (CHUNKED + b"4\r\nfi", Step.CONTENT),
        (CHUNKED + b"4\r\nfine\r\n", Step.CONTENT),
    ],
)
async def test_a_server_that_falls_silent(begun: bytes, step: Step, ever: asyncio.Event) -> None:
    found = await answered(begun, then_wait=ever, timeout="200ms")
    assert (found.outcome, found.step, found.why) == (Outcome.MISSED, step, "no answer within 200ms")


async def test_a_page_that_ends_is_not_waited_for(ever: asyncio.Event) -> None:
    """The server keeps the connection open, as it may."""
    for answer in (OK + b"Content-Length: 4\r\n\r\nfine", CHUNKED + b"4\r\nfine\r\n0\r\n\r\n"):
        found = await answered(answer, then_wait=ever, contains="fine", timeout="5s")
        assert found.outcome is Outcome.ANSWERED
    found = await answered(OK + b"Content-Length: 4\r\n\r\n", then_wait=ever, method="HEAD", timeout="5s")
    assert found.outcome is Outcome.ANSWERED


class Fed:
    """A line that has been fed everything beforehand."""

    was_cut = False

    def __init__(self, data: bytes) -> None:
        self._data = data

    async def read_line(self, *, quietly: bool = False) -> bytes:
        line, end, self._data = self._data.partition(b"\n")
        if not end:
            raise Missed("the server closed the connection")
        return line.removesuffix(b"\r")

    def next_line(self) -> bytes | None:
        if b"\n" not in self._data:
            return None
        line, _, self._data = self._data.partition(b"\n")
        return line.removesuffix(b"\r")

    async def read_some(self, bytes_max: int) -> bytes:
        piece, self._data = self._data[:bytes_max], self._data[bytes_max:]
        return piece


async def read(data: bytes) -> bytes:
    """The content of an answer."""
    line: Any = Fed(data)
    content = bytearray()
    await _http.read_body(line, await _http.read_head(line), "GET", content.extend)
    return bytes(content)


@given(pieces=st.lists(st.binary(min_size=1, max_size=300), max_size=20))
async def test_pieces_are_put_together(pieces: list[bytes]) -> None:
    chunks = b"".join(b"%x\r\n%s\r\n" % (len(piece), piece) for piece in pieces)
    assert await read(CHUNKED + chunks + b"0\r\n\r\n") == b"".join(pieces)


@given(
    begun=st.sampled_from((b"", b"HTTP/1.1 ", OK, CHUNKED, OK + b"Content-Length:", CHUNKED + b"5\r\nab")),
    rest=st.binary(max_size=400) | st.text("0123456789abc:;,\r\n -", max_size=200).map(str.encode),
)
@settings(max_examples=400)
async def test_whatever_comes_is_read_or_missed(begun: bytes, rest: bytes) -> None:
    with suppress(Missed):
        await read(begun + rest)


@given(
    text=st.text(max_size=3_000),
    cuts=st.lists(st.integers(1, 700), max_size=20),
    packing=st.sampled_from(("", "gzip", "deflate")),
    data=st.data(),
)
async def test_a_text_is_found_wherever_the_pieces_end(
    text: str, cuts: list[int], packing: str, data: st.DataObject
) -> None:
    begin = data.draw(st.integers(0, len(text)))
    wanted = text[begin : data.draw(st.integers(begin, min(len(text), begin + 40)))] or "?"
    plain = text.encode()
    packed = gzip.compress(plain) if packing == "gzip" else zlib.compress(plain) if packing else plain
    content = Content(packing, b"text/html; charset=utf-8", holds=(wanted,))
    for cut in (*cuts, len(packed)):
        content.feed(packed[:cut])
        packed = packed[cut:]
    if wanted in plain.decode(errors="replace"):
        assert content.end() == len(plain)
    else:
        with pytest.raises(Missed, match="not in the answer"):
            content.end()


def test_a_text_is_found_across_two_pieces() -> None:
    content = Content("", b"", holds=("all is well",))
    for piece in (b"x" * 2_000, b"all is ", b"we", b"ll"):
        content.feed(piece)
    assert content.end() == 2_011


@given(
    packing=st.sampled_from(("", "gzip", "deflate", "br")),
    said=st.binary(max_size=60),
    pieces=st.lists(st.binary(max_size=200), max_size=5),
)
@settings(max_examples=300)
def test_whatever_content_comes_is_read_or_missed(packing: str, said: bytes, pieces: list[bytes]) -> None:
    with suppress(Missed):
        content = Content(packing, said, holds=("a",), lacks=("b",), values={"a.0": 1})
        for piece in pieces:
            content.feed(piece)
        content.end()


def test_all_charsets_that_we_say_we_know_are_there() -> None:
    for codec in set(_content.CHARSETS.values()):
        assert b"".decode(codec) == ""


@pytest.mark.parametrize(
    ("said", "beginning", "codec"),
    [
        (b"text/html; charset=GBK", b"", "gb18030"),
        (b'text/html; charset="ISO-8859-1"', b'<meta charset="gbk">', "cp1252"),
        (b"text/html", b'<meta http-equiv=x content="text/html; charset=Big5">', "big5"),
        (b"text/html; charset=punycode", b"", "utf-8"),
        (b"text/html", b"\xff\xfeh\x00", "utf-16"),
        (b"", b"", "utf-8"),
    ],
)
def test_charsets(said: bytes, beginning: bytes, codec: str) -> None:
    assert charset(said, beginning) == codec


@pytest.mark.parametrize(
    ("written", "whole", "port"),
    [
        ("/", "http://device/", 80),
        ("/a%20b", "http://device/a%20b", 80),
        ("/状态?a=正", "http://device/%E7%8A%B6%E6%80%81?a=%E6%AD%A3", 80),
        ("https:///x?y", "https://device/x?y", 443),
        ("http://:8080", "http://device:8080/", 8080),
        ("HTTPS://WWW.Example.COM:443/", "https://www.example.com/", 443),
        ("http://[2001:DB8::1]:81/", "http://[2001:db8::1]:81/", 81),
        ("http://例子.测试/", "http://xn--fsqu00a.xn--0zwm56d/", 80),
    ],
)
def test_addresses(written: str, whole: str, port: int) -> None:
    url = parsed(written)
    assert (url.at(url.name or "device"), url.port) == (whole, port)


@pytest.mark.parametrize(
    "written",
    [
        "", "www.example.com", "ftp://x/", "//x/", "http://x y/", "http://x:0/", "http://x:66000/", "http://x:y/",
        "http://anna:secret@x/", "http://-x/", "http://x..y/", "http://[::1/", "http://[fe80::1%25eth0]/ ",
        "/" + "x" * 2_000, "http://" + "a" * 64 + ".test/", "/\x00",
    ],
)  # fmt: skip
def test_what_is_no_address(written: str) -> None:
    with pytest.raises(Wrong):
        parsed(written)


@given(location=st.binary(max_size=100) | st.text(max_size=60).map(lambda text: text.encode()))
@settings(max_examples=400)
def test_wherever_a_redirect_leads_is_an_address_or_wrong(location: bytes) -> None:
    try:
        url = redirected("http://www.example.test/a/b", location)
    except (Wrong, ValueError):
        return
    assert url.target.startswith("/")
    assert url.target.isascii()
    assert url.target.isprintable()
    assert " " not in url.target


@pytest.mark.parametrize(
    ("written", "said"),
    [
        ({"url": "/#top"}, "holds a #"),
        ({"url": "/", "status": 600}, "no status of HTTP"),
        ({"url": "/", "status": "299-200"}, "no status of HTTP"),
        ({"url": "/", "status": []}, "has 0 entries"),
        ({"url": "/", "status": True}, "no status of HTTP"),
        ({"url": "/", "method": "HEAD", "contains": "x"}, "write method: GET"),
        ({"url": "/", "body": "x"}, "write method: POST"),
        ({"url": "/", "method": "POST"}, "needs the customer's written permission"),
        ({"url": "https:///", "login": {"user": "a", "password": {"env": "HOME"}}}, "written permission"),
        ({"url": "https:///", "headers": {"X-Key": {"env": "HOME"}}}, "written permission"),
        ({"url": "/", "login": {"user": "a", "password": {"env": "HOME"}}, "authorisation": "letter"},
         "in plain text"),
        ({"url": "/", "headers": {"X-Key": {"env": "HOME"}}, "authorisation": "letter"}, "in plain text"),
        ({"url": "https:///", "headers": {"X-Key": {"env": "HOME"}}, "authorisation": "letter",
          "tls": {"verify": False}}, "nobody verified"),
        ({"url": "/", "headers": {"Host": "x"}}, "write the name under host"),
        ({"url": "/", "headers": {"X Y": "x"}}, "no name of a header"),
        ({"url": "/", "headers": {"X": "正"}}, "other characters than ASCII"),
        ({"url": "/", "headers": {"X": "a\r\nb"}}, "line break"),
        ({"url": "/", "json": {"": 1}}, "leads nowhere"),
        ({"url": "/", "redirects": 4}, "less than or equal to 3"),
        ({"url": "/", "contains": ["x"] * 11}, "has 11 texts"),
        ({"url": "/", "host": "a b"}, "is no name"),
    ],
)  # fmt: skip
def test_what_is_not_understood(written: dict[str, Any], said: str) -> None:
    with pytest.raises(ValidationError, match=said):
        http.Settings.model_validate(written)


@pytest.mark.parametrize(
    ("written", "shown"), [(200, ["200"]), ("200 - 299", ["200-299"]), ([200, "300-399"], ["200", "300-399"])]
)
def test_statuses_written_out_mean_the_same(written: Any, shown: list[str]) -> None:
    read = http.Settings.model_validate({"url": "/", "status": written})
    assert read.model_dump(mode="json")["status"] == shown
    assert http.Settings.model_validate({"url": "/", "status": shown}) == read

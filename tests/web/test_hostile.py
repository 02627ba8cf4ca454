"""What strangers do to the desk: they are slow, large, odd and many, and whoever comes politely is served."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
import time
import urllib.request
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from ipaddress import ip_network
from pathlib import Path
from socket import create_server, socketpair
from typing import Any

import pytest

from hostwatch.clock import SystemClock
from hostwatch.counter import Counter
from hostwatch.web import server
from hostwatch.web.line import ANSWER_MAX_BYTES, REQUEST_MAX_BYTES, Line, TooLong
from hostwatch.web.server import CONNECTIONS_OF_ONE_MAX, Desk, Settings
from hostwatch.web.throttle import Callers, Throttle
from tests.daemon.running import Running
from tests.daemon.test_acknowledgement import emergency
from tests.web.desk import REFERENCE, open_desk

TOKEN = "a" * 39
Told = Mapping[str, Any]


class Watch:
    """The watch's end of the line: knows one link, and remembers what it was asked."""

    def __init__(self) -> None:
        self.asked: list[Told] = []

    async def look(self, request: Told) -> Told:
        self.asked.append(request)
        return {"state": "unknown"}

    async def programs(self, request: Told) -> Told:
        self.asked.append(request)
        return {"state": "nobody", "error": "no"}


@asynccontextmanager
async def desk(watch: Watch, per_minute: int = 100_000) -> AsyncIterator[int]:
    """A desk on loopback and its line to a watch; the port."""
    ours, theirs = socketpair()
    deeds = {"look": watch.look, "acknowledge": watch.look, "api-acknowledge": watch.programs}
    counter = Counter(deeds, SystemClock())
    heard, spoken = await asyncio.open_connection(sock=ours)
    serving = asyncio.create_task(counter.serve(heard, spoken))
    line = Line(*await asyncio.open_connection(sock=theirs))
    settings = Settings(
        listen=("127.0.0.1", 0),
        url="https://status.dc.example",
        tls=None,
        proxies=("127.0.0.9",),
        per_minute=per_minute,
    )
    made = Desk(settings, line, asyncio.get_running_loop().time)
    listening = create_server(("127.0.0.1", 0))
    listening.setblocking(False)
    await made.start(listening, None)
    try:
        yield listening.getsockname()[1]
    finally:
        await made.close()
        line._drop()
        await serving
        spoken.close()


async def said(port: int, text: str | bytes, source: str = "127.0.0.1") -> str:
    """All that comes back until the other side hangs up."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port, local_addr=(source, 0))
    try:
        writer.write(text.encode() if isinstance(text, str) else text)
        return (await reader.read()).decode()
    except ConnectionError:
        return ""
    finally:
        writer.close()


def request(path: str, method: str = "GET", *headers: str, body: str = "") -> str:
    lines = [f"{method} {path} HTTP/1.1", "Host: x", *headers]
    if body:
        lines.append(f"Content-Length: {len(body)}")
    return "\r\n".join([*lines, "", body])


def code(answer: str) -> int:
    return int(answer.split(" ", 2)[1]) if answer.startswith("HTTP/1.") else 0


async def test_who_is_slow_is_cut_off_and_keeps_nobody_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(server, "LIFE_S", 1.0)
    async with desk(Watch()) as port:
        halves = [
            asyncio.create_task(said(port, f"GET /a/{TOKEN} HTTP/1.1\r\nHost: x\r\nX-A:", "127.0.0.5"))
            for _ in range(CONNECTIONS_OF_ONE_MAX + 20)
        ]
        await asyncio.sleep(0)
        assert code(await said(port, request(f"/a/{TOKEN}"))) == 404
        answers = await asyncio.gather(*halves)
        assert {*answers} == {""}, "each was cut off without a word"
        assert code(await said(port, request(f"/a/{TOKEN}"), "127.0.0.5")) == 404


async def test_what_is_large_or_odd_is_turned_away_and_the_watch_not_asked() -> None:
    watch = Watch()
    post = ("POST", "Content-Type: application/x-www-form-urlencoded")
    async with desk(watch) as port:
        cases: list[tuple[str | bytes, set[int]]] = [
            (request(f"/a/{TOKEN}", "GET", "X: " + "y" * 20_000), {400}),
            (request(f"/a/{TOKEN}", "GET", *(f"X{n}: y" for n in range(200))), {400}),
            (request("/a/" + "b" * 20_000), {400}),
            (request(f"/a/{TOKEN}", *post, body="form=" + "x" * 9_000), {413}),
            (request(f"/a/{TOKEN}", *post, body="&".join(["a=b"] * 2_000)), {403, 413}),
            (request("/a/../../etc/passwd"), {404}),
            (request("/../../../../etc/passwd"), {404}),
            (request("/%2e%2e/%2e%2e/etc/passwd"), {404}),
            (request("/static/..%5c..%5cwatch.db"), {404}),
            (request("/-/healthy"), {404}),
            (request("/metrics"), {404}),
            (request("/api/v1/emergencies/E-000001"), {404}),
            (request(f"/a/{TOKEN}/more"), {404}),
            ("GET http://evil.example/ HTTP/1.1\r\nHost: x\r\n\r\n", {400, 404}),
            ("CONNECT evil.example:25 HTTP/1.1\r\nHost: x\r\n\r\n", {400, 404}),
            ("EHLO me\r\n\r\n", {400}),
            (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + bytes(100), {400}),
        ]
        for text, codes in cases:
            answer = await said(port, text)
            assert code(answer) in codes, (text[:80], answer[:200])
    assert watch.asked == []


API = "/api/v1/emergencies/E-000001/acknowledgements"
JSON = "Content-Type: application/json"


def posted(path: str, kind: str, body: bytes) -> bytes:
    """A request with a body of bytes."""
    return request(path, "POST", kind, f"Content-Length: {len(body)}").encode() + body


@pytest.mark.parametrize(
    ("text", "codes"),
    [
        (posted(API, JSON, b'{"by": "%s"}' % ("é" * 4_000).encode()), {422}),
        (posted(API, JSON, b'{"by": "x", "contact": "%s"}' % (b"x" * 64)), {422}),
        (request(f"{API}?customer=" + "%01" * 2_700).encode(), {422}),
        (request("/a/" + "%01" * 2_725).encode(), {404}),
        (
            posted(
                "/a/" + "%01" * 2_725, f"Content-Type: {server.FORM}", b"form=x&by=" + b"%F0%9F%98%80" * 600
            ),
            {404},
        ),
        (posted(f"/a/{TOKEN}", "Content-Type: multipart/form-data; boundary=b", b"--b\r\nform"), {403}),
        (posted(f"/a/{TOKEN}", f"Content-Type: {server.FORM}; charset=klingon", b"form=x"), {403}),
        (
            posted(f"/a/{TOKEN}", f"Content-Type: {server.FORM}\r\nContent-Encoding: gzip", b"form=x"),
            {400, 403},
        ),
    ],
)
async def test_no_single_request_makes_the_watch_hang_up(
    text: bytes, codes: set[int], caplog: pytest.LogCaptureFixture
) -> None:
    """What grows on its way, until it is longer than any question; and forms that cannot be read."""
    watch = Watch()
    async with desk(watch) as port:
        answer = await said(port, text)
        assert code(answer) in codes, answer[:200]
        assert watch.asked == []
        assert code(await said(port, request(f"/a/{TOKEN}"))) == 404, "whoever comes next is served"
    assert "page-broke" not in caplog.text


async def test_a_question_that_is_too_long_is_never_asked_and_an_answer_never_told() -> None:
    async def long(asked: Told) -> Told:
        return {"state": "done", "answer": "x" * int(asked["many"])}

    ours, theirs = socketpair()
    heard, spoken = await asyncio.open_connection(sock=ours, limit=REQUEST_MAX_BYTES)
    serving = asyncio.create_task(Counter({"long": long}, SystemClock()).serve(heard, spoken))
    line = Line(*await asyncio.open_connection(sock=theirs, limit=ANSWER_MAX_BYTES))
    with pytest.raises(TooLong):
        await line.ask("long", many=1, more="x" * REQUEST_MAX_BYTES)
    odd = "x" * (REQUEST_MAX_BYTES - len('{"do": "long", "many": 1, "more": ""}\n'))
    assert await line.ask("long", many=1, more=odd) == {"state": "done", "answer": "x"}
    told = await line.ask("long", many=ANSWER_MAX_BYTES)
    assert (told["state"], "one customer alone" in told["error"]) == ("wrong", True)
    most = ANSWER_MAX_BYTES - len('{"state": "done", "answer": ""}\n')
    assert (await line.ask("long", many=most))["state"] == "done"
    line._drop()
    await serving
    spoken.close()


async def test_nothing_that_is_sent_becomes_a_header_or_html() -> None:
    watch = Watch()
    async with desk(watch) as port:
        for path in (
            "/a/%0d%0aSet-Cookie:x=1",
            "/a/<script>alert(1)</script>",
            "/a/%00%ff",
            "/a/" + "é" * 39,
        ):
            answer = await said(port, request(path, "GET", "Accept-Language: <b>, zh\x00"))
            head, _, page = answer.partition("\r\n\r\n")
            assert "set-cookie" not in head.lower()
            assert "<script" not in page
            assert "<b>" not in page
        await said(port, request(f"/a/{TOKEN}", "GET", "Accept-Language: zh-CN,en;q=0.5"))
        page = await said(port, request(f"/a/{TOKEN}", "GET", "Accept-Language: zh-CN,en;q=0.5"))
    assert "此链接无效" in page


async def test_who_asks_too_often_is_told_when_to_come_back_and_others_are_served() -> None:
    watch = Watch()
    async with desk(watch, per_minute=20) as port:
        answers = [await said(port, request(f"/a/{TOKEN}")) for _ in range(30)]
        assert [code(one) for one in answers[:20]] == [404] * 20
        assert [code(one) for one in answers[20:]] == [429] * 10
        assert "Retry-After: 3" in answers[-1]
        assert "Too many requests" in answers[-1]
        problem = await said(port, request("/api/v1/emergencies/E-000001/acknowledgements"))
        assert "application/problem+json" in problem
        proxied = request(f"/a/{TOKEN}", "GET", "X-Forwarded-For: 203.0.113.7")
        assert code(await said(port, proxied)) == 429, "a stranger's word about who they are is not believed"
        assert code(await said(port, request(f"/a/{TOKEN}"), "127.0.0.6")) == 404
        assert code(await said(port, proxied, "127.0.0.9")) == 404
        codes = []
        for number in range(21):
            lines = (f"X-Forwarded-For: 192.0.2.{number}", "X-Forwarded-For: 203.0.113.8")
            codes.append(code(await said(port, request(f"/a/{TOKEN}", "GET", *lines), "127.0.0.9")))
        assert codes == [404] * 20 + [429], "the line that a proxy adds is the last word"
    assert len(watch.asked) == 42


def test_each_has_an_account_and_all_have_one() -> None:
    throttle = Throttle(60, all_per_minute=90)
    assert [throttle.wait("a", 0.0) for _ in range(60)] == [0.0] * 60
    assert throttle.wait("a", 0.0) == pytest.approx(1.0)
    assert [throttle.wait("b", 0.0) for _ in range(30)] == [0.0] * 30
    assert throttle.wait("c", 0.0) > 0, "all together had their 90"
    assert throttle.wait("a", 1.0) == 0.0
    for number in range(20_000):
        throttle.wait(f"x{number}", 1.0)
    assert len(throttle._left) == 10_000


@pytest.mark.parametrize(
    ("peer", "forwarded", "who"),
    [
        ("198.51.100.1", "", "198.51.100.1"),
        ("198.51.100.1", "203.0.113.7", "198.51.100.1"),
        ("127.0.0.1", "203.0.113.7", "203.0.113.7"),
        ("127.0.0.1", "1.1.1.1, 203.0.113.7", "203.0.113.7"),
        ("127.0.0.1", "203.0.113.7, 10.0.0.8", "203.0.113.7"),
        ("127.0.0.1", "nonsense", "127.0.0.1"),
        ("127.0.0.1", "nonsense, 10.0.0.8", "10.0.0.8"),
        ("2001:db8:1:2:3:4:5:6", "", "2001:db8:1:2::/64"),
        ("::ffff:198.51.100.1", "", "198.51.100.1"),
        ("127.0.0.1", "x" * 5_000, "127.0.0.1"),
    ],
)
def test_behind_proxies_the_last_who_is_none_is_who_asks(peer: str, forwarded: str, who: str) -> None:
    callers = Callers(ip_network(one) for one in ("127.0.0.1", "10.0.0.0/24"))
    assert callers.name(peer, forwarded) == who


async def test_the_watch_does_nothing_else_for_a_desk_that_was_taken_over() -> None:
    ours, theirs = socketpair()
    counter = Counter({"look": Watch().look}, SystemClock())
    heard, spoken = await asyncio.open_connection(sock=ours)
    serving = asyncio.create_task(counter.serve(heard, spoken))
    reader, writer = await asyncio.open_connection(sock=theirs)
    for text in (
        b'{"do": "reload"}',
        b'{"do": ["look"]}',
        b"[]",
        b"nonsense",
        b"[" * 10_000,
        b'{"do": null}',
    ):
        writer.write(text + b"\n")
        assert await reader.readline() == b'{"state": "wrong", "error": "no request"}\n'
    writer.write(b'{"do": "look"}\n')
    assert await reader.readline() == b'{"state": "unknown"}\n'
    writer.close()
    await serving
    spoken.close()


ATTEMPTS = """
import os, socket, sys
from hostwatch.checkers.confinement import confine
from hostwatch.web import seccomp
held = socket.socketpair()
notes = [*confine(), seccomp.restrict()]
tried = {
    "open": lambda: open("/etc/passwd"),
    "write": lambda: open("here", "w"),
    "unix": lambda: socket.socket(socket.AF_UNIX),
    "pair": lambda: socket.socketpair(),
    "inet": lambda: socket.create_connection(("127.0.0.1", 9)),
    "fork": os.fork,
    "exec": lambda: os.execv("/bin/true", ["true"]),
    "kill": lambda: os.kill(os.getppid(), 0),
    "unlink": lambda: os.unlink(sys.argv[1]),
}
for name, one in tried.items():
    try:
        one()
        print(name, "done")
    except PermissionError:
        print(name, "refused")
held[0].send(b"x")
print(held[1].recv(1), notes[-1])
"""


def test_the_kernel_forbids_it_all_but_the_line(tmp_path: Path) -> None:
    kept = tmp_path / "kept"
    kept.touch()
    told = subprocess.run(
        [sys.executable, "-c", ATTEMPTS, str(kept)], capture_output=True, text=True, timeout=30, check=False
    )
    *lines, last = told.stdout.splitlines()
    assert [line for line in lines if not line.endswith("refused")] == [], told.stdout + told.stderr
    assert len(lines) == 9
    assert last.strip() == "b'x'"
    assert kept.exists()


def test_killed_it_comes_back_and_the_watch_goes_on(start: Callable[..., Running], tmp_path: Path) -> None:
    """Many wrong links from one address; then kill -9 of the desk, and of its successor."""
    with open_desk(start, tmp_path, ("requests_per_minute: 10000", "requests_per_minute: 60")) as made:
        pages = made.watch.url
        before, began = figures(pages), time.monotonic()
        asyncio.run(guess(made.port))
        assert made.ask("GET", made.path("boss")).code == 429
        most = 60 + (time.monotonic() - began) + 1
        assert made.watch.process.poll() is None
        for _ in range(2):
            pid = made.watch.wait_for("web-listening")["process"]
            made.watch.forget()
            os.kill(pid, signal.SIGKILL)
            made.watch.wait_for("web-gone")
            made.port = made.watch.wait_for("web-listening")["port"]
        assert made.press(made.path("boss")).title == f"You have {REFERENCE}"
        assert [one["contact"] for one in emergency(made.watch)["acknowledged"]] == ["boss"]
        metrics = figures(pages)
        assert metrics["hostwatch_web_restarts_total"] == 2
        assert metrics['hostwatch_web_answers_total{state="unknown"}'] <= most, "the others were turned away"
        answered = 'hostwatch_readings_total{outcome="answered"}'
        assert metrics[answered] > before[answered], "and it looked meanwhile"


GUESSES = 10_000


async def guess(port: int) -> None:
    """Wrong links, as fast as they are answered, over 16 connections at a time."""
    left = iter(range(GUESSES))
    counts: dict[int, int] = {}

    async def one_after_another() -> None:
        for number in left:
            answer = await said(port, request(f"/a/{number:039d}".replace("0", "a").replace("1", "b")))
            counts[code(answer)] = counts.get(code(answer), 0) + 1

    await asyncio.gather(*(one_after_another() for _ in range(16)))
    assert counts.keys() == {404, 429}
    assert counts[429] > GUESSES * 0.9


def figures(url: str) -> dict[str, float]:
    """What stands in the metrics."""
    with urllib.request.urlopen(f"{url}/metrics") as page:
        lines = page.read().decode().splitlines()
    return {line.rpartition(" ")[0]: float(line.rpartition(" ")[2]) for line in lines if line[:1] != "#"}

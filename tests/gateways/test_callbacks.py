"""Callbacks of gateways over real sockets: who is believed, what is understood, and who changes nothing."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import hmac
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, Final

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from hostwatch.checkers import services
from hostwatch.checkers.protocol import Pushed, Took
from hostwatch.checkers.services import Check, Service
from hostwatch.checks._posts import Push
from hostwatch.configuration.callback import Callback
from hostwatch.configuration.secret import Secret
from hostwatch.gateways import base, http
from hostwatch.gateways.http import Settings
from tests.checkers.conftest import checkers, hear
from tests.checks.posts import heard_at
from tests.checks.servers import free_port, listens

SECRET: Final = "0123456789abcdef0123456789abcdef"
MEANS: Final = {"delivered": ["DELIVRD", "1"], "returned": ["UNDELIV", "2"], "acknowledged": ["k1"]}


def written(port: int = 8477, **others: Any) -> dict[str, Any]:
    known = {} if "signed" in others else {"secret": Secret(SECRET)}
    found = {"listen": f"127.0.0.1:{port}", "path": "/sms/main", "id": "id", "word": "state", "means": MEANS}
    return {**found, **known, **others}


def settings(**others: Any) -> Settings:
    return Settings.model_validate({**written(**others), "of": "sms/main"})


def push(body: bytes = b"", query: str = "", kind: str = "application/json", **others: Any) -> Push:
    return Push(f"/sms/main/{SECRET}", {"content-type": kind}, body, query, **others)


class Ear:
    """Writes down what it is told, and is a watch that takes it at once; `room` is how much it takes."""

    def __init__(self, room: int = 1_000) -> None:
        self.told: list[tuple[str, str, str]] = []
        self.room = room
        self.is_dead = False

    def said(self, name: str, reading: base.Later) -> bool:
        if len(self.told) >= self.room:
            return False
        self.told.append((name, reading.receipt, reading.word))
        if not self.is_dead:
            http.took(settings(), [base.name_of(reading.text)])
        return True


@asynccontextmanager
async def listening(ear: Ear, **sources: Settings) -> AsyncIterator[None]:
    async with heard_at([one.listen for one in sources.values()], http.listen(sources, ear)):
        yield


async def called(port: int, line: str, body: bytes = b"", **headers: str) -> int:
    """The code of the answer to one request."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    named = "".join(f"{name.replace('_', '-')}: {value}\r\n" for name, value in headers.items())
    length = f"Content-Length: {len(body)}\r\n" if line.startswith("POST") else ""
    writer.write(f"{line} HTTP/1.1\r\n{length}{named}\r\n".encode() + body)
    answer = await reader.read()
    writer.close()
    return int(answer.split()[1])


async def test_who_knows_the_secret_is_heard_and_nobody_else() -> None:
    port, ear, body = free_port(), Ear(), b'{"id": "m-1", "state": "DELIVRD"}'
    async with listening(ear, main=settings(port=port)):
        for path, code in (
            (f"/sms/main/{SECRET}", 204),
            (f"/sms/main/{SECRET}x", 401),
            ("/sms/main/", 401),
            ("/sms/main", 401),
            (f"/sms/other/{SECRET}", 401),
            (f"/sms/main/x/{SECRET}", 401),
        ):
            assert await called(port, f"POST {path}", body) == code, path
        assert await called(port, f"GET /sms/main/{SECRET}?id=m-2&state=2") == 204
        assert await called(port, "GET /sms/main/forged?id=m-3&state=2") == 401
        assert await called(port, f"PUT /sms/main/{SECRET}") == 405

    assert ear.told == [("main", "sms/main/m-1", "delivered"), ("main", "sms/main/m-2", "returned")]


@pytest.mark.parametrize(("form", "prefix"), [("hex", "sha256="), ("base64", "")])
async def test_a_signature_stands_for_every_byte_of_the_body(form: str, prefix: str) -> None:
    port, ear, body = free_port(), Ear(), b'{"id": "m-1", "state": "DELIVRD"}'
    signed = {"key": Secret(SECRET), "header": "X-Signature", "form": form, "prefix": prefix}
    digest = hmac.new(SECRET.encode(), body, hashlib.sha256).digest()
    right = prefix + (digest.hex() if form == "hex" else base64.b64encode(digest).decode())
    empty = hmac.new(SECRET.encode(), b"", hashlib.sha256).hexdigest()
    async with listening(ear, main=settings(port=port, signed=signed)):
        assert await called(port, "POST /sms/main", body, X_Signature=right) == 204
        assert await called(port, "POST /sms/main", body + b" ", X_Signature=right) == 401
        assert await called(port, "POST /sms/main", body, X_Signature=right[:-1]) == 401
        assert await called(port, "POST /sms/main", body) == 401
        assert await called(port, "POST /sms/main?id=m-9&state=1", body, X_Signature=right) == 401
        assert await called(port, "GET /sms/main?id=m-9&state=1", X_Signature=prefix + empty) == 401

    assert ear.told == [("main", "sms/main/m-1", "delivered")]


async def test_what_is_too_much_is_to_be_said_again() -> None:
    port, ear = free_port(), Ear(room=1)
    line = f"GET /sms/main/{SECRET}?id=m-1&state=1"
    async with listening(ear, main=settings(port=port)):
        assert [await called(port, line), await called(port, line)] == [204, 503]


async def test_who_is_not_heard_by_the_watch_is_to_say_it_again(monkeypatch: pytest.MonkeyPatch) -> None:
    """the watch hangs ── 503 ── it is there again ── the same once more ── 204"""
    monkeypatch.setattr(http, "TAKEN_WITHIN_S", 0.05)
    port, ear = free_port(), Ear()
    line = f"GET /sms/main/{SECRET}?id=m-1&state=1"
    ear.is_dead = True
    async with listening(ear, main=settings(port=port)):
        assert await called(port, line) == 503
        ear.is_dead = False
        assert await called(port, line) == 204
    assert not http._untaken


@pytest.mark.parametrize(
    ("pushed", "others", "words"),
    [
        (push(b'{"id": "a", "state": "DELIVRD"}'), {}, ["a delivered"]),
        (push(b'{"id": 7, "state": 1}'), {}, ["7 delivered"]),
        (push(b'{"r": {"id": "a"}, "s": "2"}'), {"id": "/r/id", "word": "s"}, ["a returned"]),
        (push(b'[{"id": "a", "state": "1"}, {"id": "b", "state": "2"}]'), {}, ["a delivered", "b returned"]),
        (push(b'{"l": [{"id": "a", "state": "1"}, 5, null]}'), {"each": "l"}, ["a delivered"]),
        (push(b"id=a&state=k1", kind="application/x-www-form-urlencoded"), {}, ["a acknowledged"]),
        (push(query="id=a&state=1", is_post=False), {}, ["a delivered"]),
        (push(b'{"id": "a", "state": "ENROUTE"}'), {}, []),
        (push(b'{"id": "", "state": "1"}'), {}, []),
        (push(b'{"state": "1"}'), {}, []),
        (push(b'{"id": ["a"], "state": "1"}'), {}, []),
        (push(b'{"id": "a\\u0000", "state": "1"}'), {}, []),
        (push(b"[" * 10_000), {}, []),
        (push(b"\xff\xfe"), {}, []),
        (push(b"&".join([b"a=b"] * 500), kind="application/x-www-form-urlencoded"), {}, []),
    ],
)
def test_what_is_understood(pushed: Push, others: dict[str, Any], words: list[str]) -> None:
    one = settings(**others)
    found = [later for report in http.reports(one, pushed) if (later := http.meant(one, report))]

    assert [f"{later.receipt.removeprefix('sms/main/')} {later.word}" for later in found] == words


@given(st.binary(max_size=300), st.text(max_size=50), st.booleans(), st.sampled_from(["a/json", "x"]))
def test_nothing_that_comes_breaks_anything(body: bytes, query: str, is_post: bool, kind: str) -> None:
    one = settings()
    for report in http.reports(one, push(body, query, kind, is_post=is_post)):
        http.meant(one, report)


@pytest.mark.parametrize(
    ("others", "wrong"),
    [
        ({"secret": None}, "needs either a secret path or a signature"),
        ({"secret": Secret("short")}, "is not 16 to 100 letters"),
        ({"secret": Secret("0123456789abcdef/../x")}, "is not 16 to 100 letters"),
        ({"listen": "0.0.0.0:8477"}, "a secret would go over the line in plain text"),
        ({"listen": "off"}, "listens nowhere"),
        ({"path": "sms"}, "is no path"),
        ({"means": {}}, "no word means anything"),
        ({"means": {"delivered": ["1"], "returned": ["1"]}}, "a word means two things"),
        ({"query": "a=b#c"}, "is not what stands behind a question mark"),
        ({"address": "ftp://x"}, "the address is not a web address"),
    ],
)
def test_a_callback_that_is_described_wrongly_is_refused(others: dict[str, Any], wrong: str) -> None:
    with pytest.raises(ValidationError, match=wrong):
        Callback.model_validate(written(**others))


def test_a_gateway_is_told_where_to_call_with_the_secret_and_our_key() -> None:
    one = Callback.model_validate(
        written(address="https://noc.dc.example/sms/main", query="said=%d", key_as="key")
    )

    assert one.address_for("abc") == f"https://noc.dc.example/sms/main/{SECRET}?said=%d&key=abc"
    assert SECRET not in repr(one)
    assert SECRET not in one.model_dump_json()


async def test_what_is_called_comes_out_of_the_process_of_the_checkers() -> None:
    port = free_port()
    source = Service("sms/main/0", (Check("gateways/http", settings(port=port)),))
    async with checkers() as process:
        process.send(services.defined("g", source))
        is_open = listens(port)
        async with asyncio.timeout(30):
            while not is_open():  # noqa: ASYNC110 - of another process
                await asyncio.sleep(0.05)
        calling = asyncio.create_task(called(port, f"GET /sms/main/{SECRET}?id=m-1&state=1"))
        pushed = await hear(process, Pushed)
        assert not calling.done()
        process.send(Took(key="g", names=(base.name_of(pushed.said),)))
        assert await calling == 204

    assert (pushed.key, json.loads(pushed.said)) == ("g", ["sms/main/m-1", "delivered", "1"])

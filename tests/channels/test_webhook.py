"""Webhooks: what a receiver gets, how it knows us, and what each of its answers means."""

from __future__ import annotations

import dataclasses
import json
import socket
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from pydantic import ValidationError

from hostwatch.channels import _http, base, webhook
from hostwatch.configuration.secret import Places
from tests.channels import servers
from tests.channels.conftest import KEY, NOW

Around = Callable[..., base.Surroundings]


@pytest.fixture
def channel(surroundings: Around) -> Callable[..., webhook.Webhook]:
    def make(port: int, *, scheme: str = "http", timeout: str = "5s") -> webhook.Webhook:
        settings = webhook.Settings.model_validate(f"{scheme}://{servers.LOOPBACK}:{port}/hook?token=abc")
        return webhook.build(
            settings, surroundings(webhook=webhook.Site.model_validate({"timeout": timeout}))
        )

    return make


async def failed(channel: base.Channel, message: base.Message) -> base.Failed:
    with pytest.raises(base.Failed) as caught:
        await channel.send(message)
    return caught.value


async def test_a_receiver_gets_signed_json_with_a_key_that_tells_repeats(channel, message):
    async with servers.receiver() as receiver:
        receipt = await channel(receiver.port).send(message)
        await channel(receiver.port).send(dataclasses.replace(message, repeat=True))

    assert receipt.said == "200 OK: taken"
    first, second = receiver.requests
    assert first.line == "POST /hook?token=abc HTTP/1.1"
    assert first.headers["content-type"].startswith("application/json")
    assert first.headers["user-agent"].startswith("hostwatch/")
    assert first.headers["idempotency-key"] == second.headers["idempotency-key"] == "n-7f3a"
    data = json.loads(first.body)
    assert data == {**message.payload, "key": "n-7f3a", "repeat": False}
    assert data["version"] == 1
    assert json.loads(second.body)["repeat"] is True
    timestamp, signature = first.headers["x-hostwatch-timestamp"], first.headers["x-hostwatch-signature"]
    assert int(timestamp) == NOW.timestamp()
    assert webhook.verify(KEY, timestamp, first.body, signature, now=NOW.timestamp())


def test_a_signature_stands_for_key_time_and_every_byte():
    body, at = b'{"a":1}', 1_800_000_000
    signature = webhook.sign(KEY, at, body)

    def verified(key=KEY, timestamp=str(at), body=body, signature=signature, now=float(at)) -> bool:
        return webhook.verify(key, timestamp, body, signature, now=now)

    assert verified()
    assert verified(signature=f"v2=other, {signature}"), "more than one signature may be sent one day"
    assert verified(now=at + 300.0)
    assert not verified(key=b"other")
    assert not verified(timestamp=str(at + 1))
    assert not verified(body=body + b" ")
    assert not verified(signature=signature[:-1])
    assert not verified(signature="")
    assert not verified(signature="é")
    assert not verified(now=at + 301.0)
    assert not verified(now=at - 301.0)
    for nonsense in ("", "-1", "1e9", "٣", "9" * 400):
        assert not verified(timestamp=nonsense)


@pytest.mark.parametrize("status", ["200 OK", "201 Created", "202 Accepted", "204 No Content"])
async def test_any_2xx_is_accepted(channel, message, status):
    async with servers.receiver(answer=servers.answering(status)) as receiver:
        assert (await channel(receiver.port).send(message)).said.startswith(status[:3])


@pytest.mark.parametrize(
    ("status", "retry_after", "expected"),
    [
        ("500 Oops", None, None),
        ("503 Busy", "30", timedelta(seconds=30)),
        ("429 Slow down", "7200", timedelta(hours=1)),
        ("429 Slow down", "9" * 5000, timedelta(hours=1)),
        ("408 Late", "Sat, 03 Oct 2026 06:13:00 GMT", timedelta(seconds=30)),
        ("425 Early", "Sat, 03 Oct 2026 06:00:00 GMT", timedelta(0)),
        ("503 Busy", "soon", None),
        ("503 Busy", "-5", None),
    ],
)
async def test_not_now_is_a_failure_that_says_when(channel, message, status, retry_after, expected):
    headers = [] if retry_after is None else [f"Retry-After: {retry_after}"]
    async with servers.receiver(answer=servers.answering(status, *headers, body="why")) as receiver:
        failure = await failed(channel(receiver.port), message)

    assert str(failure) == f"{status}: why"
    assert failure.retry_after == expected
    assert not failure.perhaps_arrived


@pytest.mark.parametrize("status", ["400 Bad", "401 No", "404 None", "410 Gone", "422 Odd"])
async def test_other_statuses_are_final(channel, message, status):
    async with servers.receiver(answer=servers.answering(status, body="no")) as receiver:
        with pytest.raises(base.Refused, match=f"{status}: no"):
            await channel(receiver.port).send(message)


@pytest.mark.parametrize("status", ["301 Moved", "302 Found", "307 Temporary", "308 Permanent"])
async def test_redirects_are_not_followed_and_it_is_said_so(channel, message, status):
    async with servers.receiver() as elsewhere:
        location = f"Location: http://{servers.LOOPBACK}:{elsewhere.port}/"
        async with servers.receiver(answer=servers.answering(status, location)) as receiver:
            with pytest.raises(base.Refused, match="redirects are not followed"):
                await channel(receiver.port).send(message)

    assert elsewhere.requests == []


@pytest.mark.parametrize("wrong", ["silent", "closes"])
async def test_a_line_lost_after_the_body_is_perhaps_arrived(channel, message, wrong):
    async with servers.receiver(wrong) as receiver:
        failure = await failed(channel(receiver.port, timeout="300ms"), message)

    assert failure.perhaps_arrived
    assert len(receiver.requests) == 1


@pytest.mark.parametrize("wrong", ["drips", "endless"])
async def test_a_2xx_counts_however_its_body_misbehaves(channel, message, monkeypatch, wrong):
    monkeypatch.setattr(_http, "ANSWER_SECONDS", 0.3)
    async with servers.receiver(wrong) as receiver:
        receipt = await channel(receiver.port).send(message)

    assert receipt.said.startswith("200 OK")
    assert len(receipt.said) <= base.SAID_MAX_CHARS
    assert receiver.written < 8 * 1024 * 1024, "only what the sockets buffer was taken"


async def test_nobody_listening_has_surely_not_arrived(channel, message):
    with socket.create_server((servers.LOOPBACK, 0)) as gone:
        port = gone.getsockname()[1]
    failure = await failed(channel(port), message)

    assert not failure.perhaps_arrived
    assert "token" not in str(failure)


async def test_a_certificate_that_nobody_vouches_for_is_refused(channel, message, tmp_path):
    context, _ = servers.self_signed(tmp_path)
    async with servers.receiver(tls=context) as receiver:
        failure = await failed(channel(receiver.port, scheme="https"), message)

    assert "CERTIFICATE_VERIFY_FAILED" in str(failure)
    assert not failure.perhaps_arrived
    assert receiver.requests == []


async def test_answers_are_made_printable(channel, message):
    answer = servers.answering("200 OK", body="a\x1b[31mb\r\nc\x00d")
    async with servers.receiver(answer=answer) as receiver:
        receipt = await channel(receiver.port).send(message)

    assert receipt.said == "200 OK: a [31mb c d"


@pytest.mark.parametrize(
    "url",
    ["ftp://a.example/", "a.example/hook", "http://", "http://u:p@a.example/", "http://a.example:99999/",
     "http://a.example/\r\nX: y", "", "http://[::1/"],
)  # fmt: skip
def test_what_is_no_web_address_is_refused_without_repeating_it(url):
    with pytest.raises(ValidationError) as caught:
        webhook.Settings.model_validate(url or {"url": 5})
    assert "u:p" not in str(caught.value)


def test_an_address_may_be_a_secret_and_is_never_shown_whole(surroundings):
    token = "T0123456789abcdefghij"
    places = Places(environment={"HOOK": f"https://hooks.example/services/{token}?key={token}"})
    for written in ({"env": "HOOK"}, {"url": {"env": "HOOK"}}):
        settings = webhook.Settings.model_validate(written, context=places)
        channel = webhook.build(settings, surroundings())

        assert channel.shown == "https://hooks.example/services/…"
        kept: Any = [repr(settings), settings.model_dump_json(), str(settings)]
        assert token not in str(kept)


def test_the_record_shows_that_an_address_changed():
    one, other = (webhook.Settings.model_validate(f"https://h.example/?key={key}") for key in "ab")
    assert one.model_dump() != other.model_dump()


def test_an_http_date_without_a_zone_is_utc():
    now = datetime(2026, 10, 3, 6, 12, 30, tzinfo=UTC)
    assert _http.retry_after("Sat, 03 Oct 2026 06:13:00 -0000", now) == timedelta(seconds=30)

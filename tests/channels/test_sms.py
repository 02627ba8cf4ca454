"""SMS by a gateway that is described: what it is sent, and what each of its answers means."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Callable
from datetime import timedelta
from typing import Any, get_args
from urllib.parse import parse_qsl, urlsplit

import pytest
from pydantic import ValidationError

from hostwatch import messages
from hostwatch.channels import _gateway, _phone, _segments, base, sms
from hostwatch.configuration.secret import Places, Secret
from tests.channels import servers

PLAIN: dict[str, Any] = {"country": "CN", "fields": {"number": "to", "text": "text"}}
Make = Callable[..., base.Channel]


@pytest.fixture
def message(message: base.Message) -> base.Message:
    named = {"reference": "E-000042", "what": "acme-web-1", "since": "2026-10-03 14:05"}
    return dataclasses.replace(message, named=named)


@pytest.fixture
def channel(surroundings: Callable[..., base.Surroundings], monkeypatch: pytest.MonkeyPatch) -> Make:
    monkeypatch.setenv("SMS_TOKEN", "a secret")

    def make(port: int, entry: Any = "+86 138-0000-0000", **gateway: Any) -> base.Channel:
        url = f"http://{servers.LOOPBACK}:{port}/send"
        site = sms.Site.model_validate({"gateways": {"main": {"url": url, **PLAIN, **gateway}}})
        return sms.build(sms.Settings.model_validate(entry), surroundings(sms=site))

    return make


def written(**gateway: Any) -> _gateway.Gateway:
    return _gateway.Gateway.model_validate({"url": "https://sms.example/send", **PLAIN, **gateway})


async def test_a_gateway_is_sent_each_thing_at_its_place_as_json(
    channel: Make, message: base.Message
) -> None:
    fields = {"number": "/messages/0/to", "text": "/messages/0/body/text", "key": "reference"}
    async with servers.receiver(answer=servers.answering("200 OK", body='{"id": "m-1"}')) as provider:
        receipt = await channel(
            provider.port,
            fields=fields,
            constant={"/messages/0/from": "10690001", "flash": False},
            secret={"apikey": {"env": "SMS_TOKEN"}},
            headers={"X-Account": "dc"},
            secret_headers={"X-Token": {"env": "SMS_TOKEN"}},
            bearer={"env": "SMS_TOKEN"},
            answer={"id": "id"},
        ).send(message)

    (request,) = provider.requests
    assert request.line == "POST /send HTTP/1.1"
    assert request.headers["x-account"] == "dc"
    assert request.headers["x-token"] == "a secret"
    assert request.headers["authorization"] == "Bearer a secret"
    key = json.loads(request.body)["reference"]
    assert json.loads(request.body) == {
        "messages": [
            {"to": "+8613800000000", "body": {"text": message.subject}, "from": "10690001"},
        ],
        "flash": False,
        "apikey": "a secret",
        "reference": key,
    }
    assert "n-7f3a" not in key, "a notice's key names customer and person"
    assert receipt.said == '200 OK: {"id": "m-1"}'
    assert receipt.receipt == "sms/main/m-1"


async def test_a_form_and_an_address_hold_the_same(channel: Make, message: base.Message) -> None:
    subject = dataclasses.replace(message, subject="E-000042: a&b=c is down\r\nto=+1")
    expected = [("flash", "true"), ("to", "8613800000000"), ("text", "E-000042: a&b=c is down to=+1")]
    options: dict[str, Any] = {"constant": {"flash": True}, "numbers": "digits"}
    async with servers.receiver() as provider:
        await channel(
            provider.port, body="form", username="dc", password={"env": "SMS_TOKEN"}, **options
        ).send(subject)
        await channel(provider.port, body="query", method="GET", **options).send(subject)

    form, query = provider.requests
    assert form.headers["content-type"].startswith("application/x-www-form-urlencoded")
    assert form.headers["authorization"] == "Basic ZGM6YSBzZWNyZXQ="
    assert parse_qsl(form.body.decode()) == expected
    assert query.line.startswith("GET /send?")
    assert parse_qsl(urlsplit(query.line.split()[1]).query) == expected


async def test_a_try_again_is_known_by_the_same_key(channel: Make, message: base.Message) -> None:
    fields = {"number": "to", "text": "text", "key": "ref"}
    async with servers.receiver() as provider:
        first = await channel(provider.port, fields=fields).send(message)
        again = await channel(provider.port, fields=fields).send(dataclasses.replace(message, repeat=True))
        other = await channel(provider.port, fields=fields).send(dataclasses.replace(message, key="n-7f3b"))

    keys = [json.loads(request.body)["ref"] for request in provider.requests]
    assert keys[0] == keys[1] != keys[2]
    assert [one.receipt for one in (first, again, other)] == [f"sms/main/{key}" for key in keys], (
        "a gateway without names of its own knows a message by ours"
    )


@pytest.mark.parametrize(
    ("kind", "language", "sent"),
    [
        ("emergency", "zh-Hans", {"template": "SMS_1", "with": '{"ref":"E-000042","dev":"acme-web-1"}'}),
        ("recovery", "zh-Hans", {"template": "SMS_2", "with": "{}"}),
        ("emergency", "en", {"text": "E-000042：acme-web-1（127.0.0.2） 未应答"}),
    ],
)
async def test_the_first_approved_template_that_fits_is_sent(
    channel: Make, message: base.Message, kind: str, language: str, sent: dict[str, str]
) -> None:
    payload = {**message.payload, "kind": kind, "language": language}
    named = {"ref": "reference", "dev": "what"}
    async with servers.receiver() as provider:
        await channel(
            provider.port,
            fields={"number": "to", "text": "text", "template": "template", "parameters": "with"},
            templates=[
                {"id": "SMS_1", "kinds": ["emergency"], "language": "zh-Hans", "parameters": named},
                {"id": "SMS_2", "language": "zh-Hans"},
            ],
            parameters_as="text",
        ).send(dataclasses.replace(message, payload=payload))

    assert json.loads(provider.requests[0].body) == {"to": "+8613800000000", **sent}


async def test_where_no_template_fits_and_words_are_not_allowed_it_is_refused(
    channel: Make, message: base.Message
) -> None:
    async with servers.receiver() as provider:
        sending = channel(
            provider.port,
            fields={"number": "to", "template": "template"},
            templates=[{"id": "SMS_1", "kinds": ["recovery"]}],
        ).send(message)
        with pytest.raises(base.Refused, match="none of the gateway's templates"):
            await sending

    assert provider.requests == []


MEANINGS = {
    "word": "/code",
    "accepted": ["OK", "0"],
    "refused": ["NUMBER_ILLEGAL"],
    "again": ["LIMIT"],
}


@pytest.mark.parametrize(
    ("line", "body", "expected"),
    [
        ("200 OK", '{"code": "OK"}', "accepted"),
        ("200 OK", '{"code": 0}', "accepted"),
        ("200 OK", '{"code": "NUMBER_ILLEGAL"}', "refused"),
        ("400 Bad", '{"code": "NUMBER_ILLEGAL"}', "refused"),
        ("400 Bad", '{"code": "LIMIT"}', "again"),
        ("200 OK", '{"code": "LIMIT"}', "again"),
        ("200 OK", '{"code": "NEW_WORD"}', "again, perhaps arrived"),
        ("200 OK", "not JSON", "again, perhaps arrived"),
        ("200 OK", "[" * 60_000, "again, perhaps arrived"),
        ("200 OK", '{"code": {"deep": 1}}', "again, perhaps arrived"),
        ("500 Oops", '{"code": "OK"}', "again"),
        ("403 No", '{"code": "OK"}', "refused"),
        ("302 Found", "", "refused"),
        ("429 Slow", "", "again"),
    ],
)
async def test_what_follows_from_an_answer(
    channel: Make, message: base.Message, line: str, body: str, expected: str
) -> None:
    async with servers.receiver(answer=servers.answering(line, "Retry-After: 7", body=body)) as provider:
        waits: timedelta | None = timedelta(seconds=7)
        try:
            await channel(provider.port, answer=MEANINGS).send(message)
        except base.Refused:
            found = "refused"
        except base.Failed as failed:
            found = "again, perhaps arrived" if failed.perhaps_arrived else "again"
            waits = failed.retry_after
        else:
            found = "accepted"

    assert (found, waits) == (expected, timedelta(seconds=7))


@pytest.mark.parametrize("wrong", ["silent", "closes"])
@pytest.mark.parametrize("method", ["POST", "GET"])
async def test_a_line_lost_after_the_request_is_perhaps_arrived(
    channel: Make, message: base.Message, wrong: str, method: str
) -> None:
    body = "json" if method == "POST" else "query"
    async with servers.receiver(wrong) as provider:
        with pytest.raises(base.Failed) as failed:
            await channel(provider.port, method=method, body=body, timeout="300ms").send(message)

    assert failed.value.perhaps_arrived
    assert failed.value.receipt.startswith("sms/main/"), "by our key the gateway may still say more of it"
    assert len(failed.value.receipt) == len("sms/main/") + _gateway.KEY_CHARS


@pytest.mark.parametrize(("code", "receipt"), [("503 Busy", ""), ("429 Slow", "")])
async def test_what_was_surely_not_taken_has_no_name(
    channel: Make, message: base.Message, code: str, receipt: str
) -> None:
    async with servers.receiver(answer=servers.answering(code)) as provider:
        with pytest.raises(base.Failed) as failed:
            await channel(provider.port).send(message)

    assert failed.value.receipt == receipt


async def test_a_gateway_is_told_where_to_call_back(channel: Make, message: base.Message) -> None:
    callback = {
        "listen": "127.0.0.1:8477",
        "path": "/sms",
        "secret": Secret("0123456789abcdef"),
        "address": "https://noc.example/sms",
        "key_as": "key",
        "id": "key",
        "word": "w",
        "means": {"delivered": ["1"]},
    }
    fields = {"number": "to", "text": "text", "key": "ref", "callback": "status_url"}
    async with servers.receiver() as provider:
        await channel(provider.port, fields=fields, callbacks=[callback]).send(message)

    sent = json.loads(provider.requests[0].body)
    assert sent["status_url"] == f"https://noc.example/sms/0123456789abcdef?key={sent['ref']}"


@pytest.mark.parametrize("given", ['{"id": ["a"]}', '{"id": "%s"}' % ("x" * 200), '{"id": "a\\nb"}', "{}"])
async def test_a_name_that_is_none_is_not_kept(channel: Make, message: base.Message, given: str) -> None:
    async with servers.receiver(answer=servers.answering("200 OK", body=given)) as provider:
        receipt = await channel(provider.port, answer={"id": "id"}).send(message)

    assert len(receipt.receipt) == len("sms/main/") + _gateway.KEY_CHARS


def test_a_text_keeps_its_reference_and_its_signature_and_has_two_segments(message: base.Message) -> None:
    many = dataclasses.replace(message, subject="3 台设备 " + "很长的名字" * 40)
    text = _phone.written(many, "【成都一号】")

    assert text.startswith("【成都一号】E-000042: 3 台设备 ")
    assert _segments.segments(text) == 2
    assert _phone.written(message, "【成都一号】") == f"【成都一号】{message.subject}"


@pytest.mark.parametrize(
    ("gateway", "wrong"),
    [
        ({"url": "http://sms.example/"}, "would be asked in plain text"),
        ({"url": "ftp://sms.example/"}, "is not a web address"),
        ({"url": "https://me:secret@sms.example/"}, "a login may not stand in the address"),
        ({"country": "China"}, "String should match"),
        ({"username": "dc"}, "half a login"),
        ({"fields": {"number": "to"}}, "sends no words"),
        ({"templates": [{"id": "SMS_1"}]}, "has templates and no field for them"),
        ({"method": "GET"}, "GET has no body"),
        ({"fields": {"number": "to", "text": "to"}}, "two fields stand at one place"),
        ({"constant": {"to": "+1"}}, "two fields stand at one place"),
        ({"fields": {"number": "to", "text": "a{b}"}}, "is no place in a message"),
        ({"bearer": "literal"}, "a secret may not stand in the configuration itself"),
        ({"answer": {"accepted": ["OK"]}}, "words without a place"),
        ({"answer": {"word": "code"}}, "no word means that a message is accepted"),
        ({"answer": {"word": "code", "accepted": ["1"], "refused": ["1"]}}, "a word means two things"),
    ],
)
def test_a_gateway_that_is_described_wrongly_is_refused(gateway: dict[str, Any], wrong: str) -> None:
    with pytest.raises(ValidationError, match=wrong):
        written(**gateway)


@pytest.mark.parametrize("number", ["13800000000", "+0123456789", "+86", "+86138x0000", "+1" * 20, ""])
def test_what_is_no_number_is_refused(number: str) -> None:
    with pytest.raises(ValidationError, match="is no telephone number"):
        sms.Settings.model_validate(number)


def test_an_entry_names_its_gateway_or_takes_the_first(
    surroundings: Callable[..., base.Surroundings],
) -> None:
    one = {"url": "https://a.example/", **PLAIN}
    site = sms.Site.model_validate({"gateways": {"main": one, "backup": one}})
    gateways = site.gateways

    assert _gateway.chosen(gateways, None, "sms")[0] == "main"
    assert _gateway.chosen(gateways, "backup", "sms")[0] == "backup"
    settings = sms.Settings.model_validate({"number": "+8613800000000", "gateway": "other"})
    with pytest.raises(base.Unusable, match="there is no gateway other for sms"):
        sms.build(settings, surroundings(sms=site))
    with pytest.raises(base.Unusable, match="there is no gateway for sms"):
        sms.build(sms.Settings.model_validate("+8613800000000"), surroundings())


def test_no_secret_is_shown(channel: Make) -> None:
    gateway = written(
        bearer=Secret("hidden-1"), secret={"k": Secret("hidden-2")}, secret_headers={"K": Secret("hidden-3")}
    )

    for shown in (repr(gateway), str(gateway.model_dump(mode="json")), gateway.model_dump_json()):
        assert "hidden" not in shown
        assert "sms.example" not in shown
    assert channel(1).shown == "+8613800000000"


def test_the_names_of_values_are_those_that_notices_have() -> None:
    assert set(get_args(_gateway.Name)) == set(messages.NAMES)


def test_a_gateway_can_be_checked_where_its_secrets_are_not_at_hand() -> None:
    given = {"country": "CN", "url": {"file": "nowhere"}, "fields": {"number": "to", "text": "text"}}
    _gateway.Gateway.model_validate(given, context=Places(read_secrets=False))

"""Alertmanager: what a real one makes of a notice, and what each answer means."""

from __future__ import annotations

import asyncio
import base64
import dataclasses
import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from hostwatch.channels import _alertmanager, alertmanager, base, webhook
from hostwatch.configuration.secret import Places
from hostwatch.core import instant
from hostwatch.core.notice import Kind, Story
from tests.channels import alertmanagers, servers
from tests.channels.conftest import KEY, NOW
from tests.messages.examples import (
    BACK,
    BOTH,
    CARRIER,
    CARRIER_BACK,
    MORE_POWER,
    NO_POWER,
    ON_BATTERY,
    OTHER,
    POWER_BACK,
    SILENT,
    TOLD_ELSEWHERE,
    WWW,
    WWW_BACK,
    at,
    compose,
    payload,
)

Around = Callable[..., base.Surroundings]
GOLDEN = Path(__file__).parent / "golden"


def notice(kind: Kind, *stories: Story, language: str = "en", key: str = "n-7f3a9c51") -> base.Message:
    composed = compose(kind, stories, language=language)
    data = payload(kind, stories, language=language)
    return base.Message(key=key, subject=composed.subject, text=composed.text, payload=data, repeat=False)


@pytest.fixture
def channel(surroundings: Around) -> Callable[..., alertmanager.Alertmanager]:
    def make(port: int, *, now: datetime | None = None, **more: Any) -> alertmanager.Alertmanager:
        settings = alertmanager.Settings.model_validate(
            {"url": f"http://{servers.LOOPBACK}:{port}", **more},
            context=Places(environment={"PASSWORD": "hunter2"}),
        )
        site = alertmanager.Site.model_validate({"timeout": "5s"})
        around = surroundings(alertmanager=site)
        clock = (lambda: datetime.now(UTC)) if now is None else (lambda: now)
        return alertmanager.build(settings, dataclasses.replace(around, now=clock))

    return make


async def heard(receiver: servers.Receiver, number: int) -> dict[str, Any]:
    """The webhook of that number that Alertmanager sent."""
    async with asyncio.timeout(20):
        while len(receiver.requests) < number:
            receiver.came.clear()
            await receiver.came.wait()
    found: dict[str, Any] = json.loads(receiver.requests[number - 1].body)
    return found


async def test_a_real_alertmanager_fires_once_and_resolves(channel, tmp_path):
    """
    14:05  acme-web-1 silent    ─▶ emergency, and the same again as a repeat   ─▶ one entry, told once
    14:35  it answers           ─▶ recovery                                   ─▶ none is left, told once
    """
    async with (
        servers.receiver() as receiver,
        alertmanagers.running(tmp_path, f"http://{servers.LOOPBACK}:{receiver.port}/") as real,
    ):
        began = notice("emergency", SILENT)
        receipt = await channel(real.port).send(began)
        firing = await heard(receiver, 1)
        await channel(real.port).send(dataclasses.replace(began, repeat=True))
        held = await real.held()
        await channel(real.port).send(notice("recovery", BACK))
        resolved = await heard(receiver, 2)
        left = await real.held()

    assert receipt == base.Receipt("200 OK:")
    (one,) = held
    assert one["labels"] == {
        "alertname": "HostwatchEmergency",
        "severity": "critical",
        "site": "Chengdu 1",
        "customer": "acme",
        "reference": "E-000042",
        "device": "acme-web-1",
    }
    assert one["annotations"] == {"summary": began.subject, "description": began.text}
    assert one["startsAt"] == "2026-10-03T06:05:00.000Z"
    assert datetime.fromisoformat(one["endsAt"]) - datetime.now(UTC) > timedelta(days=29)
    assert one["fingerprint"] == _alertmanager.told(began, at("06:10"))[0].fingerprint
    assert (firing["status"], resolved["status"]) == ("firing", "resolved")
    assert resolved["alerts"][0]["endsAt"] == "2026-10-03T06:35:00Z"
    assert left == []
    assert len(receiver.requests) == 2


async def test_all_notices_of_one_emergency_are_one_entry_to_a_real_alertmanager(channel, tmp_path):
    """A service fails, then its device too; power is lost, and more of it; several at once; a warning."""
    async with (
        servers.receiver() as receiver,
        alertmanagers.running(tmp_path, f"http://{servers.LOOPBACK}:{receiver.port}/") as real,
    ):
        here = channel(real.port)
        await here.send(notice("emergency", WWW, language="zh-CN"))
        await here.send(notice("update", BOTH, language="zh-CN"))
        await here.send(notice("emergency", NO_POWER))
        await here.send(notice("update", MORE_POWER))
        await here.send(notice("emergency", CARRIER, SILENT, OTHER))
        await here.send(notice("warning", ON_BATTERY))
        held = await real.held()
        await here.send(notice("recovery", WWW_BACK))
        await here.send(notice("withdrawn", TOLD_ELSEWHERE))
        await here.send(notice("recovery", CARRIER_BACK))
        await here.send(notice("withdrawn", SILENT, OTHER))
        await here.send(notice("cleared", ON_BATTERY))
        left = await real.held()

    assert sorted(one["labels"].get("reference", "–") for one in held) == [
        "E-000042", "E-000043", "E-000044", "E-000047", "E-000048", "–",
    ]  # fmt: skip
    (chinese,) = [one for one in held if one["labels"].get("reference") == "E-000047"]
    assert chinese["annotations"]["summary"].startswith("E-000047：")
    assert left == []


@pytest.mark.parametrize(
    ("notices", "why"),
    [
        ([("emergency", WWW), ("update", BOTH), ("recovery", WWW_BACK)], "a service, its device, their end"),
        ([("emergency", NO_POWER), ("update", MORE_POWER), ("recovery", POWER_BACK)], "more power"),
        ([("emergency", CARRIER), ("recovery", CARRIER_BACK), ("withdrawn", CARRIER)], "an uplink"),
        ([("warning", ON_BATTERY), ("cleared", ON_BATTERY)], "a warning"),
    ],
)  # fmt: skip
def test_an_emergency_keeps_its_labels_from_first_to_last(notices, why):
    labels = [
        [one.labels for one in _alertmanager.told(notice(kind, story, language=language), at("07:00"))]
        for kind, story in notices
        for language in ("en", "zh-CN")
    ]
    assert all(one == labels[0] for one in labels), why


@pytest.mark.parametrize(
    ("kind", "story", "ends"),
    [
        ("emergency", SILENT, None),
        ("update", BOTH, None),
        ("warning", ON_BATTERY, None),
        ("recovery", BACK, "2026-10-03T06:35:00.000000Z"),
        ("cleared", dataclasses.replace(ON_BATTERY, verdict=at("06:25")), "2026-10-03T06:25:00.000000Z"),
        ("withdrawn", SILENT, "2026-10-03T07:00:00.000000Z"),
        ("recovery", dataclasses.replace(BACK, first_answer=at("06:00")), "2026-10-03T06:05:00.000000Z"),
    ],
)
def test_only_an_end_ends_it_and_never_before_its_beginning(kind, story, ends):
    (one,) = _alertmanager.told(notice(kind, story), at("07:00"))
    assert one.ends == ends


async def test_an_open_emergency_says_an_end_that_is_far_away(channel):
    """Without one Alertmanager would say after five minutes that it is resolved."""
    async with servers.receiver() as receiver:
        await channel(receiver.port, now=at("06:10")).send(notice("emergency", SILENT))

    (request,) = receiver.requests
    assert request.line == "POST /api/v2/alerts HTTP/1.1"
    assert request.headers["content-type"] == "application/json"
    (one,) = json.loads(request.body)
    assert one["startsAt"] == "2026-10-03T06:05:00.000000Z"
    assert one["endsAt"] == instant.rfc3339(at("06:10") + timedelta(days=30))


@pytest.mark.parametrize(
    ("answer", "error", "said"),
    [
        (servers.answering("400 Bad Request", body='"invalid label set"'), base.Refused, "invalid label set"),
        (servers.answering("404 Not Found"), base.Refused, "404"),
        (servers.answering("401 Unauthorized"), base.Refused, "401"),
        (servers.answering("302 Found", "Location: /login"), base.Refused, "redirects are not followed"),
        (servers.answering("429 Slow down", "Retry-After: 7"), base.Failed, "429"),
        (servers.answering("500 Oops"), base.Failed, "500"),
        (servers.answering("503 Not ready"), base.Failed, "503"),
        (servers.answering("200 OK", body="<html>Log in"), base.Failed, "a page came"),
    ],
)
async def test_what_it_answers_decides(channel, answer, error, said):
    async with servers.receiver(answer=answer) as receiver:
        with pytest.raises(error, match=said) as caught:
            await channel(receiver.port).send(notice("emergency", SILENT))

    if error is base.Failed:
        assert not caught.value.perhaps_arrived
        assert caught.value.retry_after == (timedelta(seconds=7) if said == "429" else None)


@pytest.mark.parametrize("wrong", ["silent", "closes"])
async def test_a_line_lost_after_the_body_is_perhaps_arrived(channel, surroundings, wrong):
    async with servers.receiver(wrong) as receiver:
        settings = alertmanager.Settings.model_validate(f"http://{servers.LOOPBACK}:{receiver.port}")
        site = alertmanager.Site.model_validate({"timeout": "300ms"})
        here = alertmanager.build(settings, surroundings(alertmanager=site))
        with pytest.raises(base.Failed) as caught:
            await here.send(notice("emergency", SILENT))

    assert caught.value.perhaps_arrived


@pytest.mark.parametrize("wrong", ["drips", "endless"])
async def test_an_answer_without_end_costs_neither_time_nor_memory(channel, monkeypatch, wrong):
    monkeypatch.setattr("hostwatch.channels._http.ANSWER_SECONDS", 0.3)
    async with servers.receiver(wrong) as receiver:
        receipt = await channel(receiver.port).send(notice("emergency", SILENT))

    assert len(receipt.said) <= base.SAID_MAX_CHARS
    assert receiver.written < 32 * 1024 * 1024


async def test_a_login_is_sent_and_never_shown(channel):
    login = {"username": "noc", "password": {"env": "PASSWORD"}}
    async with servers.receiver() as receiver:
        here = channel(receiver.port, **login)
        await here.send(notice("emergency", SILENT))

    sent = receiver.requests[0].headers["authorization"]
    assert base64.b64decode(sent.removeprefix("Basic ")) == b"noc:hunter2"
    assert here.shown == f"http://{servers.LOOPBACK}:{receiver.port}"


@pytest.mark.parametrize(
    ("written", "posted"),
    [
        ("http://a.example:9093", "http://a.example:9093/api/v2/alerts"),
        ("http://a.example:9093/", "http://a.example:9093/api/v2/alerts"),
        ("https://a.example/alertmanager/", "https://a.example/alertmanager/api/v2/alerts"),
        ("https://a.example/x/api/v2/alerts?tenant=1", "https://a.example/x/api/v2/alerts?tenant=1"),
    ],
)
def test_the_address_is_that_of_its_pages(written, posted):
    assert alertmanager.posted_to(written) == posted


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ("ftp://a.example", "is not a web address"),
        ("http://u:p@a.example/", "a login may not stand in the address"),
        ({"url": "https://a.example", "username": "noc"}, "half a login"),
        ({"url": "http://a.example", "username": "n", "password": {"env": "PASSWORD"}}, "in the clear"),
        ({"url": "https://a.example", "username": "a:b", "password": {"env": "PASSWORD"}}, "username"),
        ({"url": "https://a.example", "colour": "red"}, "Extra inputs"),
    ],
)
def test_a_bad_entry_is_refused_in_plain_words(values, said):
    with pytest.raises(ValidationError, match=said):
        alertmanager.Settings.model_validate(values, context=Places(environment={"PASSWORD": "p"}))


@pytest.mark.parametrize("language", ["en", "zh-CN"])
@pytest.mark.parametrize(
    ("name", "kind", "story"),
    [("emergency", "emergency", SILENT), ("recovery", "recovery", BACK), ("warning", "warning", ON_BATTERY)],
)
def test_what_is_pushed_is_the_golden_file(channel, name, kind, story, language):
    golden = GOLDEN / f"alertmanager-{name}-{language}.json"
    pushed = json.loads(channel(9, now=at("07:00")).written(notice(kind, story, language=language)))

    assert pushed == json.loads(golden.read_text(encoding="utf-8"))


@pytest.mark.parametrize("language", ["en", "zh-CN"])
async def test_our_webhook_has_the_shape_of_a_real_alertmanagers(channel, surroundings, tmp_path, language):
    """One notice goes to an Alertmanager, which posts it to a receiver; ours posts the same there itself."""
    async with servers.receiver() as theirs, servers.receiver() as ours:
        settings = webhook.Settings.model_validate(
            {"url": f"http://{servers.LOOPBACK}:{ours.port}/", "format": "alertmanager"}
        )
        hook = webhook.build(settings, surroundings())
        hooked = f"http://{servers.LOOPBACK}:{theirs.port}/"
        async with alertmanagers.running(tmp_path, hooked) as real:
            told = (
                notice("emergency", SILENT, language=language),
                notice("recovery", BACK, language=language),
            )
            for number, message in enumerate(told, 1):
                await channel(real.port).send(message)
                await hook.send(message)
                their, our = await heard(theirs, number), await heard(ours, number)

                assert [*our] == [*their]
                assert our["alerts"] == their["alerts"]
                assert [[*one] for one in our["alerts"]] == [[*one] for one in their["alerts"]]
                for name in ("status", "version", "truncatedAlerts", "commonLabels", "commonAnnotations"):
                    assert our[name] == their[name], name
                for name, value in their.items():
                    assert type(our[name]) is type(value), name
                assert their["groupKey"] == '{}:{reference="E-000042"}'

    for request in ours.requests:
        stamp, signature = request.headers["x-hostwatch-timestamp"], request.headers["x-hostwatch-signature"]
        assert webhook.verify(KEY, stamp, request.body, signature, now=NOW.timestamp())
        assert request.headers["idempotency-key"] == "n-7f3a9c51"


def test_the_group_is_the_same_from_first_to_last_and_tells_emergencies_apart():
    first = _alertmanager.webhook(notice("emergency", WWW), at("07:00"))
    last = _alertmanager.webhook(notice("recovery", WWW_BACK), at("07:00"))
    both = _alertmanager.webhook(notice("emergency", SILENT, OTHER), at("07:00"))

    assert (
        first["groupKey"]
        == last["groupKey"]
        == (
            '{}:{alertname="HostwatchEmergency", customer="acme", device="acme-web-1",'
            ' reference="E-000047", severity="critical", site="Chengdu 1"}'
        )
    )
    assert both["groupKey"].startswith(
        '{}/{reference=~"E-000042|E-000043"}:{alertname="HostwatchEmergency", '
    )
    assert both["commonLabels"].keys() == {"alertname", "customer", "severity", "site"}


def test_who_asks_for_no_format_gets_ours():
    assert webhook.Settings.model_validate("https://a.example/").format == "hostwatch"
    with pytest.raises(ValidationError, match="format"):
        webhook.Settings.model_validate({"url": "https://a.example/", "format": "slack"})


@pytest.mark.parametrize("language", ["en", "zh-CN"])
@pytest.mark.parametrize(
    ("name", "kind", "stories"),
    [
        ("emergency", "emergency", (SILENT,)),
        ("recovery", "recovery", (BACK,)),
        ("several", "emergency", (SILENT, OTHER)),
    ],
)
def test_what_is_posted_is_the_golden_file(name, kind, stories, language):
    golden = GOLDEN / f"webhook4-{name}-{language}.json"
    posted = json.loads(webhook.as_alertmanager(notice(kind, *stories, language=language), at("07:00")))

    assert posted == json.loads(golden.read_text(encoding="utf-8"))
    assert [*posted] == [*json.loads(golden.read_text(encoding="utf-8"))], "in the same order"

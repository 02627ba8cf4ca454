"""apprise: what its services get, what its results mean, and that a hanging one stops nobody for good."""

from __future__ import annotations

import asyncio
import dataclasses
import json
import socket
from collections.abc import Callable

import pytest
from pydantic import ValidationError

from hostwatch.channels import _apprise, _threads, apprise, base
from hostwatch.configuration.secret import Places
from tests.channels import servers

Around = Callable[..., base.Surroundings]


@pytest.fixture
def channel(surroundings: Around) -> Callable[..., _apprise.Apprise]:
    def make(port: int, *, timeout: str = "8s", query: str = "") -> _apprise.Apprise:
        settings = apprise.Settings.model_validate(f"json://{servers.LOOPBACK}:{port}/notify{query}")
        return apprise.build(
            settings, surroundings(apprise=apprise.Site.model_validate({"timeout": timeout}))
        )

    return make


async def failed(channel: base.Channel, message: base.Message) -> base.Failed:
    with pytest.raises(base.Failed) as caught:
        await channel.send(message)
    return caught.value


async def test_a_program_gets_the_text_and_the_key(channel, message):
    async with servers.receiver() as receiver:
        receipt = await channel(receiver.port).send(message)

    assert receipt.said == "Sent JSON POST notification."
    data = json.loads(receiver.requests[0].body)
    assert data["title"] == message.subject
    assert data["message"].splitlines() == [*message.text.splitlines(), "", message.key]
    assert data["type"] == "failure"
    assert data["attachments"] == []


async def test_a_failure_carries_the_reason_that_apprise_caught(channel, message):
    async with servers.receiver(answer=servers.answering("500 Oops")) as receiver:
        failure = await failed(channel(receiver.port), message)

    assert "error=500" in str(failure)
    assert not failure.perhaps_arrived


async def test_redirects_are_not_followed(channel, message):
    async with servers.receiver() as elsewhere:
        location = f"Location: http://{servers.LOOPBACK}:{elsewhere.port}/"
        async with servers.receiver(answer=servers.answering("302 Found", location)) as receiver:
            failure = await failed(channel(receiver.port), message)

    assert "error=302" in str(failure)
    assert elsewhere.requests == []


async def test_nobody_listening_has_surely_not_arrived(channel, message):
    with socket.create_server((servers.LOOPBACK, 0)) as gone:
        port = gone.getsockname()[1]
    failure = await failed(channel(port), message)

    assert "Connection error" in str(failure)
    assert not failure.perhaps_arrived


async def test_a_line_lost_after_the_request_is_perhaps_arrived(channel, message):
    async with servers.receiver("closes") as receiver:
        failure = await failed(channel(receiver.port), message)

    assert failure.perhaps_arrived


async def test_a_service_that_never_answers_costs_the_time_limit_and_no_more(channel, message):
    async with servers.receiver("silent") as receiver:
        failure = await failed(channel(receiver.port, timeout="300ms"), message)

    assert str(failure) == "no end within 0.3 s"
    assert failure.perhaps_arrived


async def test_an_endless_answer_is_not_read(channel, message):
    async with servers.receiver("endless") as receiver:
        await channel(receiver.port).send(message)

    assert receiver.written < 8 * 1024 * 1024, "only what the sockets buffer was taken"


async def test_a_dripping_answer_gives_its_thread_back(channel, message):
    async with servers.receiver("drips") as receiver:
        failure = await failed(channel(receiver.port, timeout="300ms"), message)
        assert failure.perhaps_arrived
        await _all_threads_back()


async def test_a_hanging_service_holds_up_nobody_who_is_reached_by_another(surroundings, message):
    """24 notices hang at one service, and as many as have a thread are under way: another takes its own."""
    async with servers.receiver("silent") as hanging, servers.receiver() as healthy:
        stuck = apprise.Settings.model_validate(f"json://{servers.LOOPBACK}:{hanging.port}/?rto=30")
        channel = apprise.build(stuck, surroundings())
        sends = [asyncio.create_task(channel.send(message)) for _ in range(24)]
        await asyncio.wait_for(hanging.enough(_threads.THREADS_MAX), 30)
        other = apprise.Settings.model_validate(f"form://{servers.LOOPBACK}:{healthy.port}/")
        receipt = await apprise.build(other, surroundings()).send(message)

        assert receipt.said == "Sent Form POST notification."
        assert not any(send.done() for send in sends)
        assert len(hanging.requests) == _threads.THREADS_MAX, "the rest waits for a thread"
        for send in sends:
            send.cancel()
        await asyncio.wait(sends)
        hanging.let_go()
    await _all_threads_back()


async def test_who_gets_no_thread_has_surely_sent_nothing(channel, message):
    async with servers.receiver("silent") as hanging:
        sends = [channel(hanging.port, timeout="30s", query="?rto=30") for _ in range(_threads.THREADS_MAX)]
        stuck = [asyncio.create_task(one.send(message)) for one in sends]
        await asyncio.wait_for(hanging.enough(_threads.THREADS_MAX), 30)
        failure = await failed(channel(hanging.port, timeout="50ms"), message)

        assert str(failure) == "no thread became free within 0.05 s"
        assert not failure.perhaps_arrived
        for send in stuck:
            send.cancel()
        await asyncio.wait(stuck)
        hanging.let_go()
    await _all_threads_back()


async def _all_threads_back() -> None:
    async with asyncio.timeout(10):
        for thread in _threads._THREADS.alive():
            await asyncio.to_thread(thread.join, 8)
            assert not thread.is_alive()


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("nothing", "is not an apprise address"),
        ("nosuch://x", "nosuch:// is not a service"),
        ("twilio://too/short", "apprise cannot use this twilio:// address"),
        ("syslog://", "syslog:// is never allowed"),
        ("apprise://host/token", "apprise:// is never allowed"),
        ("file:///etc/passwd", "file:// is never allowed"),
        ("json://h.example/?optional=yes", "optional, retry, redirect and verify=no"),
        ("json://h.example/?retry=3", "optional, retry, redirect and verify=no"),
        ("json://h.example/?redirect=yes", "optional, retry, redirect and verify=no"),
        ("jsons://h.example/?verify=no", "optional, retry, redirect and verify=no"),
        ("json://h.example/\nX", "is not an apprise address"),
        ("http://h.example/x", "http:// is not a service"),
        ("https://h.example/x", "https:// is not a service"),
        ("include file:///etc/passwd", "is not an apprise address"),
        ("json://a.example, file:///etc/passwd", "apprise cannot use this json:// address"),
        ("hwfax://me", "hwfax:// is not a service"),
        ("@notify://me", "is not an apprise address"),
        ("${HOME}://h.example", "is not an apprise address"),
        ("json://${HOME}/", "apprise cannot use this json:// address"),
        ("config://h.example", "config:// is not a service"),
        ("ntfy://t?attach=file:///etc/passwd", "the option attach is not allowed"),
        ("json://h.example/?Include=file:///etc/passwd", "the option include is not allowed"),
        ("workflows://h.example/WORKFLOW/SIGN/?template=/etc/passwd", "the option template is not allowed"),
        ("fcm://p@/tok?keyfile=/etc/passwd", "the option keyfile is not allowed"),
    ],
)
def test_an_address_that_apprise_cannot_or_must_not_use_is_said_at_start(url, said, capfd):
    with pytest.raises(ValidationError, match=said):
        apprise.Settings.model_validate(url)
    assert capfd.readouterr() == ("", ""), "apprise's own lines may hold the address"


def test_a_site_narrows_and_widens_the_schemes_but_not_to_this_machine(surroundings):
    wide = apprise.Site.model_validate({"schemes": ["mailtos"]})
    settings = apprise.Settings.model_validate("mailtos://user:pass@mail.example")
    assert apprise.build(settings, surroundings(apprise=wide)).kind == "apprise"
    with pytest.raises(base.Unusable, match="mailtos:// is not allowed on this site"):
        apprise.build(settings, surroundings())
    with pytest.raises(base.Unusable, match="json:// is not allowed"):
        apprise.build(apprise.Settings(url="json://h.example"), surroundings(apprise=wide))
    for never in ("syslog", "rsyslog", "dbus", "file", "exec", "own-plug-in"):
        with pytest.raises(ValidationError):
            apprise.Site.model_validate({"schemes": [never]})


def test_every_scheme_of_the_usual_list_exists():
    apprise.Site.model_validate({"schemes": sorted(apprise.DEFAULT_SCHEMES)})
    assert {"dingtalk", "feishu", "lark", "wecombot", "json", "jsons"} <= apprise.DEFAULT_SCHEMES
    assert not apprise.DEFAULT_SCHEMES & (_apprise.NEVER | {"mailto", "mailtos"})


def test_no_secret_is_shown(surroundings):
    token = "abcdefghijklmnop0123456789"
    for url in (
        f"dingtalk://{token}/13800000000",
        f"json://user:{token}@h.example/{token}/?+Authorization={token}",
        f"slack://{token[:11]}/{token[:11]}/{token[:24]}",
    ):
        settings = apprise.Settings.model_validate({"env": "U"}, context=Places(environment={"U": url}))
        channel = apprise.build(settings, surroundings())
        for shown in (channel.shown, repr(settings), settings.model_dump_json()):
            assert token[:11] not in shown
        assert "?" not in channel.shown


def test_a_configuration_is_checked_without_its_secrets_at_hand():
    places = Places(read_secrets=False)
    assert apprise.Settings.model_validate({"file": "url"}, context=places).url.reveal() == ""


def test_a_short_service_gets_one_message_and_a_long_list_is_split_not_cut(message):
    sms = _apprise.service(
        apprise.Settings.model_validate("twilio://AC" + "0" * 32 + ":" + "0" * 32 + "@15551234567").url
    )
    assert _apprise.fitted(message, sms) == ("", message.text.splitlines()[0])
    several = dataclasses.replace(message, payload={**message.payload, "emergencies": [{}, {}]})
    assert _apprise.fitted(several, sms) == ("", message.subject), "whatever it tells"
    matrix = _apprise.service(apprise.Settings.model_validate("json://h.example").url)
    assert _apprise.fitted(several, matrix, to_program=True)[1].endswith(f"{message.key}\n")
    assert matrix.overflow_mode == "split"

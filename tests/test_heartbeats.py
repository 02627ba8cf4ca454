"""The kinds of heartbeats against real servers on loopback."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from typing import Any

import pytest
from aiohttp import web

from hostwatch import heartbeats
from hostwatch.channels import email as mail
from hostwatch.channels.base import Failed, Refused, Surroundings, Unusable
from hostwatch.configuration.mistake import Wrong
from hostwatch.heartbeats.base import WORDS_MAX_CHARS, Beat
from tests.channels.servers import relay

NOW = datetime(2026, 10, 5, 8, 0, tzinfo=UTC)
BEAT = Beat(at=NOW, site="Site", version="1.0", lines=("well",))


def surroundings(**site: Any) -> Surroundings:
    return Surroundings(site=site, webhook_key=b"key", now=lambda: NOW)


def made(kind: str, settings: Any, **site: Any) -> Any:
    room = heartbeats.room(kind)
    return room.build(room.Settings.model_validate(settings), surroundings(**site))


async def heard(settings: dict[str, Any], code: int = 200, hangs: bool = False) -> list[tuple[str, str, str]]:
    """All that a server hears of a start, a beat and a trouble; it answers all with the same."""
    requests: list[tuple[str, str, str]] = []

    async def handler(request: web.Request) -> web.Response:
        requests.append((request.method, request.path_qs, await request.text()))
        if hangs:
            await asyncio.Event().wait()
        return web.Response(status=code, text="x", headers={"Location": "/elsewhere"})

    app = web.Application()
    app.router.add_route("*", "/{path:.*}", handler)
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    try:
        listening = web.TCPSite(runner, "127.0.0.1", 0)
        await listening.start()
        port = runner.addresses[0][1]
        way = made("url", {"url": f"http://127.0.0.1:{port}/ping/1?a=b", **settings})
        await way.start(BEAT)
        await way.beat(BEAT)
        if way.tells_trouble:
            await way.fail(BEAT)
    finally:
        await runner.cleanup()
    return requests


def test_a_url_is_posted_to_with_words_and_no_more_than_that() -> None:
    assert asyncio.run(heard({})) == [
        ("POST", "/ping/1?a=b", "hostwatch 1.0 at Site, 2026-10-05 08:00:00Z\nwell\n")
    ]


def test_start_and_fail_are_said_at_addresses_of_their_own() -> None:
    found = asyncio.run(heard({"start": "on", "fail": "on", "method": "get"}))

    assert [(method, path) for method, path, _ in found] == [
        ("GET", "/ping/1/start?a=b"),
        ("GET", "/ping/1?a=b"),
        ("GET", "/ping/1/fail?a=b"),
    ]
    assert {body for *_, body in found} == {""}


@pytest.mark.parametrize(("code", "raised"), [(302, Refused), (404, Refused), (429, Failed), (503, Failed)])
def test_what_is_not_taken_is_missed_and_a_redirect_is_not_followed(
    code: int, raised: type[Exception]
) -> None:
    with pytest.raises(raised):
        asyncio.run(heard({}, code))


def test_a_server_that_says_nothing_ends_in_time() -> None:
    with pytest.raises(Failed, match=r"no answer within 0\.05 s"):
        asyncio.run(heard({"timeout": "50ms"}, hangs=True))


def test_a_mail_goes_through_the_relay_of_the_site() -> None:
    async def go() -> Any:
        async with relay() as server:
            site = mail.Site.model_validate(
                {"smtp": f"smtp://127.0.0.1:{server.port}", "from": "noc@dc.example"}
            )
            await made("email", "box@elsewhere.example", email=site).beat(BEAT)
            return server.mail(), server.received[0].rcpt_tos

    message, to = asyncio.run(go())

    assert to == ["box@elsewhere.example"]
    assert message["Subject"] == "hostwatch at Site is well"
    assert "2026-10-05 08:00:00Z" in message.get_content()


def test_without_a_relay_there_is_no_mail() -> None:
    with pytest.raises(Unusable, match="there is no mail relay"):
        made("email", "box@elsewhere.example")


@pytest.mark.parametrize("url", ["http://10.0.0.5:8000/ping/1", "https://hc.example/ping/1"])
def test_https_anywhere_and_http_in_our_own_networks(url: str) -> None:
    assert made("url", url)


@pytest.mark.parametrize(
    "url", ["http://hc.example/ping/1", "http://203.0.114.1/", "ftp://hc.example/", "https://a:b@hc.example/"]
)
def test_other_addresses_are_mistakes(url: str) -> None:
    with pytest.raises((Wrong, ValueError)):
        made("url", url)


def test_the_words_are_bounded() -> None:
    long = Beat(at=NOW, site="Site", version="1.0", lines=("x" * 10_000,))

    assert len(long.text) == WORDS_MAX_CHARS + 1

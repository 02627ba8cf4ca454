"""The outbox with the real channels, before real servers on loopback."""

from __future__ import annotations

import asyncio
import json
import socket
from pathlib import Path
from typing import Any

import pytest

from hostwatch.channels.base import Message, Receipt
from hostwatch.channels.email import Email
from hostwatch.clock import SystemClock
from hostwatch.core.emergency import NoticeState
from tests.channels import alertmanagers, servers
from tests.outbox.office import Office, listening, opened, site

MAILBOX = "ops@acme.example"


def mail(port: int) -> dict[str, str]:
    return {"smtp": f"smtp://{servers.LOOPBACK}:{port}", "from": "noc@dc.example"}


def kept(office: Office) -> list[str]:
    """All that the store keeps in its erasable table."""
    return [value for (value,) in office.db.execute("SELECT value FROM personal")]


async def test_a_silent_webhook_and_a_silent_service_hold_up_no_other_customer(tmp_path: Path) -> None:
    async with (
        servers.receiver("silent") as webhook,
        servers.receiver("silent") as service,
        servers.relay() as relay,
        servers.receiver() as good,
    ):
        started = site(
            {
                "bad": [{"webhook": f"http://{servers.LOOPBACK}:{webhook.port}/"}],
                "worse": [{"apprise": f"json://{servers.LOOPBACK}:{service.port}/"}],
                "acme": [{"email": MAILBOX}],
                "globex": [{"apprise": f"json://{servers.LOOPBACK}:{good.port}/"}],
            },
            mail=mail(relay.port),
            channels={"apprise": {"timeout": "3s"}, "webhook": {"timeout": "3s"}},
        )
        async with opened(SystemClock(), tmp_path, started) as office:
            await office.owe("bad", "duty", 60, apart=True)
            await office.owe("worse", "duty", 60, apart=True)
            await webhook.came.wait()
            await service.came.wait()
            owed = [
                *await office.owe("acme", "duty", 3, apart=True),
                *await office.owe("globex", "duty", 3, apart=True),
            ]
            async with asyncio.timeout(2.5):
                await office.until(
                    lambda: all(office.notice(name).state is NoticeState.ACCEPTED for name in owed)
                )

            assert len(relay.received) == len(good.requests) == 3
            assert len(webhook.requests) <= 16
            assert len(service.requests) <= 8


async def test_what_others_say_and_where_they_live_stands_in_the_store_and_not_in_the_log(
    tmp_path: Path,
) -> None:
    refusal = servers.answering("404 Not Found", body=f"no hook for {MAILBOX}, token s3cr3t")
    async with servers.relay("no such user") as relay, servers.receiver(answer=refusal) as receiver:
        started = site(
            {
                "acme": [
                    {"email": MAILBOX},
                    {"webhook": f"http://{servers.LOOPBACK}:{receiver.port}/s3cr3t-token-of-acme"},
                ]
            },
            mail=mail(relay.port),
        )
        with listening() as heard:
            async with opened(SystemClock(), tmp_path, started) as office:
                (name,) = await office.owe("acme", "duty")
                await office.until(lambda: len(office.outcomes(name)) == 2 and "open" not in str(heard[-1]))
                await office.until(lambda: office.outcomes(name) == ["refused", "refused"])
                words = kept(office)

    told = [(f["channel"], f["outcome"], f["status"]) for _, event, f in heard if event == "attempt"]
    assert told == [("email", "refused", 550), ("webhook", "refused", 404)]
    assert [fields["contact"] for _, event, fields in heard if event == "nobody-told"] == ["duty"]
    log = json.dumps(heard, default=str)
    assert MAILBOX not in log
    assert "s3cr3t" not in log
    assert "no such user" not in log
    assert MAILBOX in words
    assert any("no such user" in said for said in words)


async def test_of_an_acceptance_the_log_says_the_code_alone(tmp_path: Path) -> None:
    async with servers.relay() as relay:
        started = site({"acme": [{"email": MAILBOX}]}, mail=mail(relay.port))
        with listening() as heard:
            async with opened(SystemClock(), tmp_path, started) as office:
                (name,) = await office.owe("acme", "duty")
                await office.until(lambda: office.notice(name).state is NoticeState.ACCEPTED)

    (told,) = [fields for _, event, fields in heard if event == "attempt"]
    assert told == {"notice": name, "channel": "email", "outcome": "accepted", "status": 250}
    assert "queued" not in json.dumps(heard, default=str)


async def test_a_fault_of_ours_in_a_channel_is_logged_by_its_place_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def send(self: Any, message: Message) -> Receipt:
        raise KeyError("https://user:s3cr3t@hooks.example/")

    monkeypatch.setattr(Email, "send", send)
    with listening() as heard:
        async with opened(SystemClock(), tmp_path, _unheard()) as office:
            (name,) = await office.owe("acme", "duty")
            await office.until(lambda: office.outcomes(name) == ["failed"])
            assert office.notice(name).perhaps_told
            assert any("s3cr3t" in said for said in kept(office))

    (fields,) = [fields for _, event, fields in heard if event == "channel-broke"]
    assert fields["error"] == "KeyError"
    assert fields["where"].startswith("test_servers.py:")
    assert "s3cr3t" not in json.dumps(heard, default=str)


def _unheard() -> dict[str, Any]:
    """A site whose relay is not there."""
    with socket.create_server((servers.LOOPBACK, 0)) as gone:
        port = gone.getsockname()[1]
    return site({"acme": [{"email": MAILBOX}]}, mail=mail(port))


async def test_a_page_to_chinese_readers_is_a_line_that_every_pager_shows(tmp_path: Path) -> None:
    """A gateway drops the line after SEND: the same page comes once more, and says so."""
    async with servers.gateway(SEND="drops") as broken, servers.gateway() as gateway:
        started = site(
            {"acme": [{"pager": {"server": f"{servers.LOOPBACK}:{broken.port}", "number": "5551234"}}]},
            channels={"pager": {"server": f"{servers.LOOPBACK}:{gateway.port}"}},
            notices={"next_channel_after": "1s", "first_retry": "100ms"},
        )
        started["customers"][0]["language"] = "zh-CN"
        started["customers"][0]["contacts"][0]["channels"].append({"pager": "5551234"})
        async with opened(SystemClock(), tmp_path, started) as office:
            (name,) = await office.owe("acme", "duty")
            await office.until(lambda: office.notice(name).state is NoticeState.ACCEPTED)
            since = office.notice(name).stories[0].first_miss

    line = f"E-000001: d1 (192.0.2.1) has not answered our pings since {since:%Y-%m-%d %H:%M:%S} +00:00"
    assert broken.pages[0] == ("5551234", line)
    assert set(broken.pages[1:]) <= {("5551234", f"[repeat] {line}")}
    assert gateway.pages == [("5551234", f"[repeat] {line}")]


async def test_a_real_alertmanager_holds_what_the_record_says(tmp_path: Path) -> None:
    """The first hangs up after it took the entry; the next gets the same entry, under the same labels."""
    async with servers.receiver() as hooked, servers.receiver("closes") as proxy:
        hook = f"http://{servers.LOOPBACK}:{hooked.port}/"
        async with alertmanagers.running(tmp_path, hook) as real:
            ports = (proxy.port, real.port)
            started = site(
                {"acme": [{"alertmanager": f"http://{servers.LOOPBACK}:{port}"} for port in ports]},
                notices={"next_channel_after": "1s", "first_retry": "100ms"},
            )
            started["customers"][0]["language"] = "zh-CN"
            async with opened(SystemClock(), tmp_path, started) as office:
                (name,) = await office.owe("acme", "duty")
                await office.until(lambda: office.notice(name).state is NoticeState.ACCEPTED)
                story = office.notice(name).stories[0]
            (held,) = await real.held()

    assert office.notice(name).attempts[0].perhaps_arrived
    assert office.notice(name).attempts[-1].repeat
    assert held["labels"]["reference"] == story.reference
    assert held["labels"]["device"] == story.device
    assert held["annotations"]["summary"].startswith("【重复】")
    assert json.loads(proxy.requests[0].body)[0]["labels"] == held["labels"]

"""Providers on loopback under their own names, in a network of its own that has nothing else in it.

`asked` starts this module there: `/etc/hosts` says that each provider is here, and a certificate for all of
them is the only one that is believed. Real plug-ins of apprise speak to it; nothing can leave. Needs root.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import ssl
import subprocess
import sys
from datetime import timedelta
from pathlib import Path
from typing import Any

from hostwatch import channels
from hostwatch.channels import base
from hostwatch.configuration.secret import Places
from tests.channels import servers
from tests.channels.conftest import KEY, NOW

HOSTS = (
    "oapi.dingtalk.com", "qyapi.weixin.qq.com", "open.feishu.cn", "open.larksuite.com", "api.twilio.com",
    "rest.nexmo.com", "api.kavenegar.com", "events.pagerduty.com", "api.opsgenie.com", "api.pagertree.com",
    "api.pushover.net",
)  # fmt: skip
ENTER = 'ip link set lo up && mount --bind "$1" /etc/hosts && exec "$2" -m tests.channels.provider_room'
ALL_WITHIN_S = 120.0

Case = dict[str, Any]
Outcome = dict[str, Any]


def asked(cases: dict[str, Case], folder: Path) -> dict[str, Outcome]:
    """What came of each case, by its name, all in one process."""
    _, certificate = servers.self_signed(folder, *HOSTS)
    hosts = folder / "hosts"
    hosts.write_text("".join(f"{servers.LOOPBACK} {name}\n" for name in ("localhost", *HOSTS)))
    clean = {name: value for name, value in os.environ.items() if not name.lower().endswith("_proxy")}
    done = subprocess.run(
        ["unshare", "--net", "--mount", "sh", "-c", ENTER, "sh", str(hosts), sys.executable],
        input=json.dumps({"folder": str(folder), "cases": cases}),
        capture_output=True,
        text=True,
        timeout=ALL_WITHIN_S,
        check=False,
        env={**clean, "REQUESTS_CA_BUNDLE": str(certificate)},
        cwd=Path(__file__).parents[2],
    )
    assert done.returncode == 0, done.stderr
    outcomes: dict[str, Outcome] = json.loads(done.stdout)
    return outcomes


class Provider:
    """Answers one request after another as it is told: bytes, or `hangs`, or `drops`."""

    def __init__(self) -> None:
        self.answers: list[str] = []
        self.came: list[dict[str, Any]] = []

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(ConnectionError, asyncio.IncompleteReadError):
            request, *lines = (await reader.readuntil(b"\r\n\r\n")).decode().strip().split("\r\n")
            headers = {
                name.lower(): value.strip() for name, _, value in (one.partition(":") for one in lines)
            }
            body = await reader.readexactly(int(headers.get("content-length", "0")))
            self.came.append({"line": request, "host": headers["host"], "body": body.decode()})
            answer = self.answers[min(len(self.came), len(self.answers)) - 1]
            if answer == "hangs":
                await reader.read()
            elif answer != "drops":
                writer.write(answer.encode())
                await writer.drain()
        writer.close()


async def _one(provider: Provider, case: Case) -> Outcome:
    ((kind, given),) = case["entry"].items()
    room = channels.room(kind)
    site = {kind: room.Site.model_validate(case.get("site", {}))}
    surroundings = base.Surroundings(site=site, webhook_key=KEY, now=lambda: NOW)
    settings = room.Settings.model_validate(given, context=Places())
    channel = room.build(settings, surroundings)
    provider.answers, provider.came = case["answers"], []
    outcome: Outcome = {"shown": channel.shown, "lane": channel.lane, "country": settings.country}
    try:
        receipt = await channel.send(base.Message(**case["message"]))
        outcome |= {"is": "accepted", "said": receipt.said, "proof": receipt.proof}
    except base.Refused as error:
        outcome |= {"is": "refused", "said": str(error)}
    except base.Failed as error:
        pause = None if error.retry_after is None else error.retry_after / timedelta(seconds=1)
        outcome |= {
            "is": "perhaps" if error.perhaps_arrived else "failed",
            "said": str(error),
            "after": pause,
        }
    return outcome | {"came": provider.came}


async def _all(folder: Path, cases: dict[str, Case]) -> dict[str, Outcome]:
    provider = Provider()
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(folder / "both.pem")
    async with contextlib.AsyncExitStack() as stack:
        for port, context in ((443, tls), (80, None)):
            server = await asyncio.start_server(provider.serve, servers.LOOPBACK, port, ssl=context)
            stack.callback(server.close)
        return {name: await _one(provider, case) for name, case in cases.items()}


def main() -> None:
    asked_for = json.load(sys.stdin)
    outcomes = asyncio.run(_all(Path(asked_for["folder"]), asked_for["cases"]))
    json.dump(outcomes, sys.stdout)


if __name__ == "__main__":
    main()

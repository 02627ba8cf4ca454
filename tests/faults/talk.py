"""The scripted talk: people are told by every kind of way on which something is said later too.

    three devices fall silent ── beta: an SMS, delivered as its provider says later
                              ── acme: both devices in one message
                                   duty: an SMS, given back as its provider says later, then a mail
                                   boss: a webhook, and he says that he has it
                                   desk: a call, which a human takes and makes
    they come back            ── everybody is told of that by their ways

It waits for signals only, and so goes on where it was when the watch is killed and started again.
"""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import json
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

from tests.faults import world
from tests.faults.partners import CALLBACK_PORT, DELIVERED_TO, RETURNED_TO, SECRET, Partners
from tests.faults.people import HOOK_PORT, SMTP_PORT
from tests.faults.record import POLL_S, Follower, look, until

DEVICES = {"web-1": "127.0.0.2", "web-2": "127.0.0.3", "app-1": "127.0.0.4"}
WAYS = {
    "web-1": ("duty.sms", "duty.email", "boss.webhook"),
    "web-2": ("duty.sms", "duty.email", "boss.webhook"),
    "app-1": ("oncall.sms",),
}
"""How people are told of each; the desk calls besides."""

OPERATOR = "Li Na"

CONFIGURATION = f"""
site: {{name: Faults, timezone: Asia/Shanghai}}
store: sqlite:///hostwatch.db
mail: {{smtp: "smtp://127.0.0.1:{SMTP_PORT}", from: noc@dc.example}}
schedule: {{interval: 200ms}}
notices: {{within: 15m, first_retry: 100ms}}
listen: off
channels:
  sms:
    gateways:
      main:
        country: CN
        url: http://127.0.0.1:{HOOK_PORT}/sms
        fields: {{number: /to, text: /text, key: /key}}
        answer: {{word: /state, accepted: [ok], id: /id}}
        callbacks:
          - listen: 127.0.0.1:{CALLBACK_PORT}
            path: /sms/main
            secret: {{file: callback}}
            id: /id
            word: /state
            means: {{delivered: [DELIVRD], returned: [UNDELIV]}}
customers:
  - id: acme
    name: Acme Trading
    contacts:
      - {{id: duty, name: Duty officer, channels: [sms: "{RETURNED_TO}", email: ops@acme.example]}}
      - {{id: boss, name: The boss, channels: [webhook: "http://127.0.0.1:{HOOK_PORT}/hook"]}}
      - {{id: desk, name: The office, channels: [person: "+86 28 0000 4711"]}}
    devices:
      - {{id: web-1, address: 127.0.0.2}}
      - {{id: web-2, address: 127.0.0.3}}
  - id: beta
    name: Beta Works
    terms: {{met_by: delivered}}
    contacts:
      - {{id: oncall, name: On call, channels: [sms: "{DELIVERED_TO}"]}}
    devices:
      - {{id: app-1, address: 127.0.0.4}}
"""


def told_of(kind: str) -> set[str]:
    """All that must be told. Of a recovery the SMS arrives, and needs no mail."""
    return {
        f"{device}.{kind}.{way}"
        for device, ways in WAYS.items()
        for way in ways
        if kind == "emergency" or way != "duty.email"
    }


@dataclass
class Talked:
    """What was said to the watch, and what it said yes to."""

    acknowledged: list[str] = field(default_factory=list)
    """References that somebody has."""

    taken: list[str] = field(default_factory=list)
    """Notices whose calls somebody makes."""

    ended: list[str] = field(default_factory=list)
    """Notices of which it was said what came of the call."""

    stage: str = "start"


class Talk:
    """Plays the talk once."""

    def __init__(self, folder: Path, partners: Partners, follower: Follower) -> None:
        self.played = Talked()
        self._folder = folder
        self._partners = partners
        self._follower = follower
        self._store = folder / "hostwatch.db"
        (folder / "hostwatch.yaml").write_text(CONFIGURATION)
        (folder / "callback").write_text(SECRET)
        (folder / "callback").chmod(0o600)

    async def play(self) -> None:
        """From the first look to the last that was told."""
        calling = asyncio.create_task(self._make_calls())
        try:
            await self._at("proving", self._follower.until(_are_proven))
            world.silence(", ".join(DEVICES.values()))
            await self._at("telling", self._partners.until_told(told_of("emergency")))
            await self._at("acknowledging", self._acknowledge())
            await self._at("meeting", self._follower.until(_are_met))
            world.revive(", ".join(DEVICES.values()))
            await self._at("recovery", self._partners.until_told(told_of("recovery")))
            await self._at("settling", self._until_settled())
        finally:
            calling.cancel()
        self.played.stage = "done"

    async def _at(self, stage: str, waiting: Awaitable[None]) -> None:
        self.played.stage = stage
        await waiting

    async def _acknowledge(self) -> None:
        """The boss has both."""
        named = {one for message in self._partners.accepted for one in message.references}
        for reference in sorted(named):
            words = {"reference": reference, "contact": "boss", "by": "Chen Wei"}
            await persistently(partial(self._ask, "acknowledge", **words))
            self.played.acknowledged.append(reference)

    async def _make_calls(self) -> None:
        """Take each call that is to be made, and make it: a human at the desk, all the time."""
        while True:
            for notice, number in look(
                self._store, "SELECT notice, number FROM attempts WHERE outcome = 'attempted'"
            ):
                call = f"{notice}#{number}"
                if await self._ask("take-call", call=call, by=OPERATOR):
                    self.played.taken.append(notice)
                    words = {"outcome": "spoke", "to": "Chen Wei", "reference": "PBX-1"}
                    if await self._ask("end-call", call=call, by=OPERATOR, **words):
                        self.played.ended.append(notice)
            await asyncio.sleep(POLL_S)

    async def _ask(self, do: str, **words: str) -> bool:
        """Whether the watch said yes. No if it was killed before it had."""
        with contextlib.suppress(OSError, ValueError, KeyError):
            reader, writer = await asyncio.open_unix_connection(self._store.with_name("hostwatch.db.sock"))
            try:
                writer.write(json.dumps({"do": do, **words}).encode() + b"\n")
                answer: dict[str, Any] = json.loads(await reader.readline())
            finally:
                writer.close()
            return bool(answer["ok"])
        return False

    async def _until_settled(self) -> None:
        await until(lambda: not look(self._store, "SELECT 1 FROM notices WHERE state = 'pending'"))
        self._follower.read()


async def persistently(deed: Callable[[], Awaitable[bool]]) -> None:
    """Do it until it was done: whoever was asked first may be dead."""
    for _ in itertools.count():
        if await deed():
            return
        await asyncio.sleep(POLL_S)


def _are_proven(seen: Follower) -> bool:
    return {f"{device}/ping@main" for device in DEVICES} <= seen.named("DeviceProven", "signal")


def _are_met(seen: Follower) -> bool:
    """Every duty there is has been met, and none was opened again since."""
    open_ones = seen.named("DutyArose", "duty")
    for row in seen.rows:
        if row[1] == "DutyMet":
            open_ones.discard(json.loads(row[5])["duty"])
        if row[1] == "DutyReopened":
            open_ones.add(json.loads(row[5])["duty"])
    return not open_ones

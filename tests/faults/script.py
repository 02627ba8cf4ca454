"""The scripted run: three outages with recoveries, two contacts, a reload in the middle.

It waits for signals only: a fact, a message. So it goes on where it was when the watch is killed
and started again.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field
from pathlib import Path

from tests.faults import world
from tests.faults.people import HOOK_PORT, SMTP_PORT, People
from tests.faults.record import Follower

DEVICES = {"web-1": "127.0.0.2", "web-2": "127.0.0.3", "web-3": "127.0.0.4"}
CONTACTS = ("duty", "boss")
OUTAGES = ("web-1", "web-2", "web-3")
"""The device of the first emergency, of the second, of the third."""

LOOK_MAX_US = 200_000
"""From the first packet of a ping to its last, also on a busy machine. A ping is dated by the first packet
and may be answered at the last."""


def configuration(devices: tuple[str, ...]) -> str:
    """Two contacts, each with one channel, and these devices."""
    lines = "\n".join(f"      - {{id: {name}, address: {DEVICES[name]}}}" for name in devices)
    return f"""
site: {{name: Faults, timezone: Asia/Shanghai}}
store: sqlite:///hostwatch.db
mail: {{smtp: "smtp://127.0.0.1:{SMTP_PORT}", from: noc@dc.example}}
schedule: {{interval: 200ms}}
notices: {{within: 30s, first_retry: 100ms}}
listen: off
customers:
  - id: acme
    name: Acme Trading
    contacts:
      - {{id: duty, name: Duty officer, channels: [email: ops@acme.example]}}
      - {{id: boss, name: The boss, channels: [webhook: "http://127.0.0.1:{HOOK_PORT}/hook"]}}
    devices:
{lines}
"""


@dataclass
class Played:
    """What the script did to the world, by its own clock (microseconds since 1970)."""

    cut_us: dict[str, tuple[int, int]] = field(default_factory=dict)
    """When each device fell silent: between these two."""

    restored_us: dict[str, tuple[int, int]] = field(default_factory=dict)
    acknowledged: list[str] = field(default_factory=list)
    """Digests of the configurations that the watch said were in force."""

    stage: str = "start"


class Script:
    """Plays the run once."""

    def __init__(self, folder: Path, people: People, follower: Follower) -> None:
        self.played = Played()
        self._folder = folder
        self._people = people
        self._follower = follower
        self.write(("web-1", "web-2"))

    @property
    def config(self) -> Path:
        """The configuration file."""
        return self._folder / "hostwatch.yaml"

    def write(self, devices: tuple[str, ...]) -> None:
        """Put a configuration in place."""
        draft = self.config.with_suffix(".draft")
        draft.write_text(configuration(devices))
        draft.replace(self.config)

    async def play(self) -> None:
        """From the first look to the last recovery that was told."""
        await self._at("proving", self._proven("web-1", "web-2"))
        async with self._outage(1):
            await self._at("telling 1", self._told(1, "emergency"))
            self._cut(2)
            await self._at("telling 2", self._told(2, "emergency"))
        await self._at("recovery 1", self._told(1, "recovery"))
        self.write(("web-1", "web-2", "web-3"))
        await self._at("reload", self._reload())
        await self._at("proving 3", self._proven("web-3"))
        async with self._outage(3):
            await self._at("telling 3", self._told(3, "emergency"))
            self._restore(2)
            await self._at("recovery 2", self._told(2, "recovery"))
        await self._at("recovery 3", self._told(3, "recovery"))
        await self._at("settling", self._follower.until(self._settled))
        self.played.stage = "done"

    async def _at(self, stage: str, waiting: Awaitable[None]) -> None:
        self.played.stage = stage
        await waiting

    @contextlib.asynccontextmanager
    async def _outage(self, number: int) -> AsyncIterator[None]:
        self._cut(number)
        yield
        self._restore(number)

    def _cut(self, number: int) -> None:
        device = OUTAGES[number - 1]
        self.played.cut_us[device] = _timed(lambda: world.silence(DEVICES[device]))

    def _restore(self, number: int) -> None:
        device = OUTAGES[number - 1]
        self.played.restored_us[device] = _timed(lambda: world.revive(DEVICES[device]))

    async def _told(self, number: int, kind: str) -> None:
        await self._people.until_told({f"E-{number:06d}.{kind}.acme.{contact}" for contact in CONTACTS})

    async def _proven(self, *devices: str) -> None:
        await self._follower.until(
            lambda seen: {f"{device}/ping@main" for device in devices} <= seen.named("DeviceProven", "signal")
        )

    async def _reload(self) -> None:
        """Ask until the watch has said yes: the one that was asked first may be dead."""
        while True:
            with contextlib.suppress(OSError, ValueError, KeyError):
                reader, writer = await asyncio.open_unix_connection(self._folder / "hostwatch.db.sock")
                try:
                    writer.write(b'{"do": "reload"}\n')
                    answer = json.loads(await reader.readline())
                finally:
                    writer.close()
                if answer["ok"]:
                    assert answer["accepted"], answer
                    self.played.acknowledged.append(answer["digest"])
                    return
            await asyncio.sleep(0.02)

    def _settled(self, seen: Follower) -> bool:
        return len(seen.named("NoticeSettled", "notice")) >= 2 * len(CONTACTS) * len(OUTAGES)


def _timed(deed: Callable[[], None]) -> tuple[int, int]:
    began = time.time_ns() // 1000
    deed()
    return began, time.time_ns() // 1000

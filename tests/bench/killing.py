"""Who is told how often if the one who tells is killed: hostwatch and Alertmanager, by the same script.

In each trial something new is wrong. Whoever is to tell it has said yes to it, and is killed at one point of
its first send, as the receiver sees it; then it is started again with what it kept. The receiver counts.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
import signal
import socket
import sys
import tempfile
import time
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final, Protocol

import aiohttp

from hostwatch import control
from tests.bench import tools
from tests.faults.record import POLL_S, look, until

LOOPBACK: Final = "127.0.0.1"
POINTS: Final = ("accepted", "connected", "read", "answered", "later")
"""Killed as soon as it has said yes; when its connection is there; when its message is read and counted,
and not answered; when the answer has left; and a moment later."""

LINE_BYTES: Final = 65_536
MOMENT_S: Final = 0.05
PATIENCE_S: Final = 30.0
QUIET_S: Final = 3.0
"""So long an Alertmanager is given to tell after a start: sixty times what it waits for a group."""

POSTED_EACH_S: Final = 1.0
"""How often alerts are posted again, where they are; Prometheus does it each minute."""

ALERTMANAGER: Final = """
route: {{receiver: hook, group_by: [name], group_wait: 50ms, group_interval: 200ms, repeat_interval: 4h}}
receivers:
  - name: hook
    webhook_configs: [{{url: "{hook}", send_resolved: false}}]
"""


@dataclass(frozen=True, slots=True)
class Tally:
    """What the receiver counted."""

    trials: int
    lost: int
    """Never told."""

    marked: int
    """Told once more, and it said that it may be a repeat."""

    unmarked: int
    """Told once more as if it were new."""


def tally(trials: Sequence[str], told: Sequence[tuple[str, bool]]) -> Tally:
    """Count what was told of each trial, in its order, and whether it was marked as a repeat."""
    times: Counter[str] = Counter()
    marked = unmarked = 0
    for name, is_marked in told:
        if times[name]:
            marked, unmarked = marked + is_marked, unmarked + (not is_marked)
        times[name] += 1
    return Tally(len(trials), sum(not times[name] for name in trials), marked, unmarked)


class Receiver:
    """A webhook that counts what it has read, and halts at a point of the first message of a trial."""

    def __init__(self) -> None:
        self.told: list[tuple[str, bool]] = []
        self.point = ""
        """Where it halts next; empty: nowhere."""

        self.reached = asyncio.Event()
        self.url = ""

    @contextlib.asynccontextmanager
    async def listening(self) -> AsyncIterator[None]:
        """On loopback."""
        async with await asyncio.start_server(self._serve, LOOPBACK, 0) as server:
            self.url = f"http://{LOOPBACK}:{server.sockets[0].getsockname()[1]}/hook"
            yield

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(ConnectionError, asyncio.IncompleteReadError):
            await self._halts_at("connected", reader)
            head = (await reader.readuntil(b"\r\n\r\n")).decode().lower()
            body = json.loads(await reader.readexactly(int(head.partition("content-length:")[2].split()[0])))
            self.told += names_of(body)
            await self._halts_at("read", reader)
            writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
            await writer.drain()
            await self._halts_at("answered", reader)
            if self.point == "later":
                await asyncio.sleep(MOMENT_S)
                await self._halts_at("later", reader)
        writer.close()

    async def _halts_at(self, point: str, reader: asyncio.StreamReader) -> None:
        """Say that it is there, and go no further: whoever sends is killed now."""
        if self.point != point:
            return
        self.point = ""
        self.reached.set()
        while await reader.read(LINE_BYTES):
            pass  # until it is gone
        raise ConnectionAbortedError


def names_of(body: dict[str, Any]) -> list[tuple[str, bool]]:
    """What a message tells, of hostwatch or of Alertmanager, and whether it is marked as a repeat."""
    if "alerts" in body:
        return [(one["labels"]["name"], False) for one in body["alerts"]]
    return [(device, bool(body["repeat"])) for one in body["emergencies"] for device in _devices(one)]


def _devices(one: dict[str, Any]) -> list[str]:
    seen = one.get("seen") or [{"device": one["device"]}]
    return [each["device"] for each in seen]


class Teller(Protocol):
    """Whoever is to tell, in a process that can be killed and started again."""

    async def start(self) -> None:
        """Start it with what it kept; it is ready."""
        ...

    async def told(self, name: str) -> None:
        """Something is wrong: it has said yes to that."""
        ...

    async def quiet(self, name: str) -> None:
        """Wait until it has told what it will tell."""
        ...

    async def kill(self) -> None:
        """As a crash would."""
        ...


class Killable:
    """A process, and what it says."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._process: asyncio.subprocess.Process | None = None

    async def _run(self, *words: str) -> None:
        with (self._folder / "said.log").open("ab") as said:
            self._process = await asyncio.create_subprocess_exec(*words, stdout=said, stderr=said)

    async def kill(self) -> None:
        """As a crash would."""
        if self._process is not None and self._process.returncode is None:
            self._process.send_signal(signal.SIGKILL)
            await self._process.wait()

    async def _ready(self, is_ready: Callable[[], Awaitable[bool]]) -> None:
        async with asyncio.timeout(PATIENCE_S):
            while not await is_ready():  # noqa: ASYNC110 - of another process
                await asyncio.sleep(POLL_S)


class Hostwatch(Killable):
    """A watch. What is wrong is reported by a person, and its device goes on answering."""

    def __init__(self, folder: Path, hook: str, names: Sequence[str]) -> None:
        super().__init__(folder)
        devices = [
            {"id": name, "address": f"127.0.{1 + place // 200}.{1 + place % 200}"}
            for place, name in enumerate(names)
        ]
        contact = {"id": "duty", "name": "Duty officer", "channels": [{"webhook": hook}]}
        customer = {"id": "acme", "name": "Acme Trading", "contacts": [contact], "devices": devices}
        written = {
            "site": {"name": "Bench", "timezone": "UTC"},
            "store": "sqlite:///hostwatch.db",
            "schedule": {"interval": "5m"},
            "notices": {"within": "15m", "first_retry": "100ms"},
            "mail": {"smtp": "smtp://127.0.0.1:9", "from": "noc@dc.example"},
            "listen": "off",
            "customers": [customer],
        }
        (folder / "hostwatch.yaml").write_text(json.dumps(written))
        self._store = folder / "hostwatch.db"
        self._owed = 0

    async def start(self) -> None:
        """Start it; it is ready when it answers."""
        await self._run(
            sys.executable, "-m", "hostwatch", "run", "--config", str(self._folder / "hostwatch.yaml")
        )
        await self._ready(self._answers)

    async def _answers(self) -> bool:
        """Whether it answers, and its devices are on record."""
        path = self._store.with_name("hostwatch.db.sock")
        with contextlib.suppress(control.ControlError):
            await asyncio.to_thread(control.ask, path, "status", within_s=5)
            return bool(look(self._store, "SELECT 1 FROM facts WHERE kind = 'ConfigurationApplied'"))
        return False

    async def told(self, name: str) -> None:
        """A person reports it."""
        words = {
            "devices": name,
            "since": datetime.now(UTC).isoformat(),
            "told_by": "bench",
            "because": "is down",
        }
        path = self._store.with_name("hostwatch.db.sock")
        answer = await asyncio.to_thread(control.ask, path, "report-emergency", within_s=PATIENCE_S, **words)
        assert answer["ok"], answer

    async def quiet(self, name: str) -> None:
        """Until nothing is owed."""
        of_all = "SELECT count(*), coalesce(sum(state = 'pending'), 0) FROM notices"
        self._owed += 1
        async with asyncio.timeout(PATIENCE_S):
            await until(lambda: look(self._store, of_all) == [(self._owed, 0)])


class Alertmanager(Killable):
    """Debian's. With `posted_again` somebody in front posts what is wrong again and again."""

    def __init__(self, folder: Path, hook: str, program: str, *, posted_again: bool) -> None:
        super().__init__(folder)
        self._program = program
        self._posted_again = posted_again
        (folder / "alertmanager.yml").write_text(ALERTMANAGER.format(hook=hook))
        with socket.create_server((LOOPBACK, 0)) as free:
            self._at = f"{LOOPBACK}:{free.getsockname()[1]}"

    async def start(self) -> None:
        """Start it with its folder of data; it is ready when it says so."""
        await self._run(
            self._program, f"--config.file={self._folder / 'alertmanager.yml'}",
            f"--storage.path={self._folder / 'data'}", f"--web.listen-address={self._at}",
            "--cluster.listen-address=", "--log.level=warn",
        )  # fmt: skip
        await self._ready(self._answers)

    async def _answers(self) -> bool:
        with contextlib.suppress(aiohttp.ClientError):
            async with (
                aiohttp.ClientSession() as session,
                session.get(f"http://{self._at}/-/ready") as answer,
            ):
                return answer.status == 200
        return False

    async def told(self, name: str) -> None:
        """It is posted."""
        posted = [{"labels": {"alertname": "down", "name": name}}]
        async with (
            aiohttp.ClientSession() as session,
            session.post(f"http://{self._at}/api/v2/alerts", json=posted) as answer,
        ):
            assert answer.status == 200, await answer.text()

    async def quiet(self, name: str) -> None:
        """For a while; it does not say what it still owes."""
        until = time.monotonic() + QUIET_S
        while time.monotonic() < until:
            if self._posted_again:
                await self.told(name)
            await asyncio.sleep(POSTED_EACH_S)


async def trial(teller: Teller, receiver: Receiver, name: str, point: str) -> None:
    """Killed once at a point of telling one thing."""
    receiver.point = "" if point == "accepted" else point
    receiver.reached.clear()
    await teller.told(name)
    if point != "accepted":
        async with asyncio.timeout(PATIENCE_S):
            await receiver.reached.wait()
    await teller.kill()
    await teller.start()
    await teller.quiet(name)


@contextlib.asynccontextmanager
async def contestant(
    who: str, folder: Path, receiver: Receiver, names: Sequence[str]
) -> AsyncIterator[Teller]:
    """One of them, running; killed at the end."""
    teller: Hostwatch | Alertmanager
    if who == "hostwatch":
        teller = Hostwatch(folder, receiver.url, names)
    else:
        program = tools.program("prometheus-alertmanager")
        teller = Alertmanager(folder, receiver.url, program, posted_again=who == "posted again")
    try:
        await teller.start()
        yield teller
    finally:
        await teller.kill()


async def killed(who: str, points: Sequence[str]) -> Tally:
    """All trials of one: `hostwatch`, `alone` or `posted again`."""
    receiver, names = Receiver(), [f"web-{number}" for number, _ in enumerate(points, 1)]
    with tempfile.TemporaryDirectory(prefix="kills-") as folder:
        async with receiver.listening(), contestant(who, Path(folder), receiver, names) as teller:
            for name, point in zip(names, points, strict=True):
                await trial(teller, receiver, name, point)
    return tally(names, receiver.told)


def main() -> int:
    """Print what came of it as JSON."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--who", choices=("hostwatch", "alone", "posted again"), required=True)
    parser.add_argument("--rounds", type=int, default=1)
    options = parser.parse_args()
    print(json.dumps(asdict(asyncio.run(killed(options.who, POINTS * options.rounds)))))
    return 0


if __name__ == "__main__":
    sys.exit(main())

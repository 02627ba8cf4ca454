"""Who checks applications, measured: the process of our checkers, and blackbox_exporter. On loopback only.

Both are asked by this process over a socket, as the watch and Prometheus would, and only their own time
counts: not that of whoever asks, nor that of the server.
"""

from __future__ import annotations

import asyncio
import json
import os
import re
import signal
import socket
import subprocess
import time
import urllib.parse
import zlib
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

from hostwatch.checkers import client, services
from hostwatch.checkers.protocol import Found, Look, Order
from hostwatch.checkers.services import Check, Service
from hostwatch.core.reading import Outcome
from tests.bench import tools, usage
from tests.bench.machine import Meter, core_for
from tests.bench.table import middle

AT_ONCE = 4
"""Checks of one target that run at one time: as many as our process allows."""

PATIENCE_S = 60.0
SECOND_US = 1_000_000

LIKE_PROMETHEUS = """\
Host: bench\r
User-Agent: Prometheus/2.42.0\r
Accept: application/openmetrics-text;version=1.0.0,application/openmetrics-text;version=0.0.1;q=0.75,\
text/plain;version=0.0.4;q=0.5,*/*;q=0.1\r
Accept-Encoding: gzip\r
X-Prometheus-Scrape-Timeout-Seconds: 10\r
"""
"""The headers of a scrape."""


class Asked(Protocol):
    """Somebody who checks when asked."""

    name: str

    @property
    def pid(self) -> int:
        """Its process."""
        ...

    async def check(self, many: int, rate: float) -> int:
        """Have one target checked so often, at a rate or as fast as it goes (0); how often it answered."""
        ...


class Ours:
    """The process of the checkers, as the watch starts it."""

    name = "hostwatch"

    def __init__(self, process: client.Checkers) -> None:
        self._process = process
        self._number = 0

    @property
    def pid(self) -> int:
        """Its process."""
        return self._process.pid

    def define(self, kind: str, written: Any) -> None:
        """What is checked from now on."""
        settings = services.module(kind).Settings.model_validate(written)
        self._process.send(services.defined("bench", Service("bench", (Check(kind, settings),))))

    async def check(self, many: int, rate: float) -> int:
        """Order all at once, each for its own time."""
        apart_us = round(SECOND_US / rate) if rate else 0
        latest_us = many * apart_us + 600 * SECOND_US
        orders = [
            Order(self._number + place, "bench", "127.0.0.1", place * apart_us, latest_us)
            for place in range(many)
        ]
        self._number += many
        for first in range(0, many, 500):
            self._process.send(Look(orders=tuple(orders[first : first + 500])))
        answered = 0
        for _ in range(many):
            async with asyncio.timeout(PATIENCE_S):
                answered += await self._found() is Outcome.ANSWERED
        return answered

    async def _found(self) -> Outcome:
        while True:
            message = await self._process.receive()
            if isinstance(message, Found):
                return message.outcome


class Exporter:
    """blackbox_exporter, asked over connections that are kept, as Prometheus does."""

    name = "blackbox_exporter"

    def __init__(self, process: subprocess.Popen[bytes], port: int) -> None:
        self._process = process
        self._port = port
        self.query = ""

    @property
    def pid(self) -> int:
        """Its process."""
        return self._process.pid

    def define(self, module: str, target: str) -> None:
        """What is checked from now on."""
        self.query = urllib.parse.urlencode({"module": module, "target": target})

    async def check(self, many: int, rate: float) -> int:
        """Ask for one after the other on each of a few connections."""
        began, left = time.monotonic(), iter(range(many))

        async def ask() -> int:
            answered = 0
            reader, writer = await asyncio.open_connection("127.0.0.1", self._port)
            for place in left:
                if rate:
                    await asyncio.sleep(max(0.0, began + place / rate - time.monotonic()))
                writer.write(f"GET /probe?{self.query} HTTP/1.1\r\n{LIKE_PROMETHEUS}\r\n".encode())
                answered += b"\nprobe_success 1" in await _page(reader)
            writer.close()
            return answered

        return sum(await asyncio.gather(*(ask() for _ in range(AT_ONCE))))


async def _page(reader: asyncio.StreamReader) -> bytes:
    head = (await reader.readuntil(b"\r\n\r\n")).lower()
    page = b""
    length = re.search(rb"\r\ncontent-length: *([0-9]+)\r", head)
    if length is not None:
        page = await reader.readexactly(int(length[1]))
    else:
        while size := int(await reader.readline(), 16):
            page += (await reader.readexactly(size + 2))[:-2]
        await reader.readline()
    return zlib.decompress(page, 31) if b"content-encoding: gzip" in head else page


@asynccontextmanager
async def ours() -> AsyncIterator[Ours]:
    """Our process."""
    process = await client.start(Path("/"), {})
    os.sched_setaffinity(process.pid, {int(core_for(0))})
    try:
        yield Ours(process)
    finally:
        await process.close()


@asynccontextmanager
async def exporter(folder: Path, modules: dict[str, Any]) -> AsyncIterator[Exporter]:
    """Theirs. Raises `NotThere`."""
    program = tools.program("prometheus-blackbox-exporter")
    file = folder / "blackbox.yml"
    file.write_text(json.dumps({"modules": modules}), encoding="ascii")
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    words = [program, f"--config.file={file}", f"--web.listen-address=127.0.0.1:{port}", "--log.level=error"]
    process = subprocess.Popen(  # noqa: ASYNC220
        ["taskset", "-c", core_for(0), *words], stdin=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    try:
        await _listens(port)
        yield Exporter(process, port)
    finally:
        process.send_signal(signal.SIGKILL)
        process.wait()


async def _listens(port: int) -> None:
    over = time.monotonic() + PATIENCE_S
    while time.monotonic() < over:
        try:
            _, writer = await asyncio.open_connection("127.0.0.1", port)
        except OSError:
            await asyncio.sleep(0.1)
        else:
            writer.close()
            return
    raise tools.NotThere("blackbox_exporter did not start")


@dataclass(slots=True)
class Measured:
    """One who is asked for the same again and again, and what its rounds brought."""

    who: Asked
    runs: list[usage.Run] = field(default_factory=list)
    checks: int = 0
    failed: int = 0

    async def run(self, many: int, rate: float, server: int) -> None:
        """One round. The time of the server is neither ours nor other work."""
        meter, began = Meter(), time.monotonic()
        before = usage.cpu_of(self.who.pid), usage.cpu_of(os.getpid()), _cpu_of_all(server)
        answered = await self.who.check(many, rate)
        after = usage.cpu_of(self.who.pid), usage.cpu_of(os.getpid()), _cpu_of_all(server)
        used = [new - old for new, old in zip(after, before, strict=True)]
        self.checks += many
        self.failed += many - answered
        self.runs.append(
            usage.Run(
                cpu_s=used[0] / many,
                wall_s=(time.monotonic() - began) / many,
                rss_mib=usage.memory_of(self.who.pid)[0],
                out="",
                err="",
                code=0,
                others=meter.others(sum(used)),
            )
        )

    @property
    def cpu_us(self) -> float:
        """Of one check."""
        return middle(one.cpu_s for one in usage.best(self.runs)) * 1e6

    @property
    def percent(self) -> float:
        """Of one core, while it was asked at its rate."""
        return middle(one.cpu_s / one.wall_s for one in usage.best(self.runs)) * 100

    @property
    def noisy(self) -> bool:
        """Whether there were no two rounds without much other work."""
        return sum(one.clean for one in self.runs) < min(2, len(self.runs))


async def by_turns(contestants: Sequence[Measured], rounds: int, many: int, rate: float, server: int) -> None:
    """Each of them in each round."""
    for _ in range(rounds):
        for one in contestants:
            await one.run(many, rate, server)


def children(pid: int) -> list[int]:
    """A process and all below it."""
    found = [pid]
    with suppress(OSError):  # it has just ended
        for task in Path(f"/proc/{pid}/task").iterdir():
            for word in (task / "children").read_text(encoding="ascii").split():
                found += children(int(word))
    return found


def _cpu_of_all(pid: int) -> float:
    """Of a process and all below it, also those that it has waited for."""
    used = 0.0
    for one in children(pid):
        with suppress(OSError):
            used += usage.cpu_of(one)
    return used

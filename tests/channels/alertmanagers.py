"""A real Alertmanager on loopback, which tells a receiver by webhook. Its socket is opened here."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import signal
import socket
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aiohttp

from tests.channels.servers import LOOPBACK

CONFIGURATION = """
route: {{receiver: hook, group_by: [reference], group_wait: 1ms, group_interval: 100ms, repeat_interval: 1h}}
receivers:
  - name: hook
    webhook_configs: [{{url: "{hook}", send_resolved: true}}]
"""

START = 'LISTEN_PID=$$ exec prometheus-alertmanager "$@"'
"""Sockets are handed over as systemd does: by their number and the process that they are for."""


@dataclass(frozen=True)
class Alertmanager:
    """One that runs."""

    port: int

    async def held(self) -> list[dict[str, Any]]:
        """What it holds as firing."""
        url = f"http://{LOOPBACK}:{self.port}/api/v2/alerts"
        async with aiohttp.ClientSession() as session, session.get(url) as response:
            assert response.status == 200
            found: list[dict[str, Any]] = json.loads(await response.read())
            return found


@contextlib.asynccontextmanager
async def running(folder: Path, hook: str) -> AsyncIterator[Alertmanager]:
    """Keep one running that tells `hook`."""
    (folder / "alertmanager.yml").write_text(CONFIGURATION.format(hook=hook))
    sock = socket.create_server((LOOPBACK, 0), backlog=64)
    port = sock.getsockname()[1]
    with (folder / "said.log").open("wb") as said:
        process = await asyncio.create_subprocess_exec(
            "bash", "-c", f"exec 3<&{sock.fileno()}; {START}", "bash",
            f"--config.file={folder / 'alertmanager.yml'}", f"--storage.path={folder / 'data'}",
            "--web.systemd-socket", "--cluster.listen-address=", "--log.level=warn",
            env={**os.environ, "LISTEN_FDS": "1"}, pass_fds=[sock.fileno()], stdout=said, stderr=said,
        )  # fmt: skip
    sock.close()
    try:
        found = Alertmanager(port)
        async with asyncio.timeout(30):
            await found.held()  # the socket listens already: it is answered as soon as there is somebody
        yield found
        assert process.returncode is None, (folder / "said.log").read_text()
    finally:
        if process.returncode is None:
            process.send_signal(signal.SIGKILL)
        await process.wait()

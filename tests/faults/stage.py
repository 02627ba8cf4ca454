"""A stage for one test: a process of its own in a network and mounts of its own, and real watches on it."""

from __future__ import annotations

import asyncio
import functools
import json
import os
import subprocess
import sys
import traceback
import urllib.error
import urllib.request
from collections.abc import Callable, Coroutine, Iterable
from pathlib import Path
from typing import Any, ParamSpec

from tests.faults import world
from tests.faults.people import HOOK_PORT, SMTP_PORT
from tests.faults.record import until

ROOT = Path(__file__).resolve().parents[2]
PORT = 9464
PATIENCE_S = 30.0

P = ParamSpec("P")


def on_stage(play: Callable[P, Coroutine[Any, Any, None]]) -> Callable[P, None]:
    """Run a test in a child that has entered a network and mounts of its own."""

    @functools.wraps(play)
    def test(*args: P.args, **kwargs: P.kwargs) -> None:
        result, told = os.pipe()
        pid = os.fork()
        if pid == 0:
            os.close(result)
            _play(functools.partial(play, *args, **kwargs), told)
        os.close(told)
        with os.fdopen(result) as words:
            said = words.read()
        code = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
        assert (code, said) == (0, ""), said

    return test


def _play(play: Callable[[], Coroutine[Any, Any, None]], told: int) -> None:
    code = 1
    try:
        world.die_with_parent()
        world.enter_network()
        world.enter_mounts()
        asyncio.run(play())
        code = 0
    except BaseException:
        os.write(told, traceback.format_exc().encode())
    finally:
        os._exit(code)


def configuration(store: str = "hostwatch.db", devices: Iterable[str] = ("127.0.0.2", "127.0.0.3")) -> str:
    """Two contacts, each with one channel, and a device at each address: web-1, web-2, …"""
    lines = "\n".join(
        f"      - {{id: web-{number}, address: {address}}}" for number, address in enumerate(devices, 1)
    )
    return f"""
site: {{name: Faults, timezone: Asia/Shanghai}}
store: sqlite:///{store}
mail: {{smtp: "smtp://127.0.0.1:{SMTP_PORT}", from: noc@dc.example}}
schedule: {{interval: 200ms}}
notices: {{within: 60s, first_retry: 100ms}}
listen: 127.0.0.1:{PORT}
customers:
  - id: acme
    name: Acme Trading
    contacts:
      - {{id: duty, name: Duty officer, channels: [email: ops@acme.example]}}
      - {{id: boss, name: The boss, channels: [webhook: "http://127.0.0.1:{HOOK_PORT}/hook"]}}
    devices:
{lines}
"""


def command(verb: str, config: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """A command of hostwatch, as it is typed."""
    return subprocess.run(
        [sys.executable, "-m", "hostwatch", verb, "--config", str(config), *arguments],
        cwd=ROOT, capture_output=True, text=True, timeout=PATIENCE_S, check=False,
    )  # fmt: skip


class Watch:
    """A running `hostwatch run`, and what it says."""

    def __init__(self, config: Path, *, umask: int = -1) -> None:
        """Start it."""
        self._log = config.with_name(f"watch-{len([*config.parent.glob('watch-*')])}.log")
        with self._log.open("w") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "hostwatch", "run", "--config", str(config)],
                cwd=ROOT, stderr=log, umask=umask, preexec_fn=world.die_with_parent,
            )  # fmt: skip
        self.pid = self.process.pid

    def events(self, name: str) -> list[dict[str, Any]]:
        """The events of a name so far."""
        whole, _, _ = self.said().rpartition("\n")
        said = [json.loads(line) for line in whole.splitlines() if line.startswith("{")]
        return [event for event in said if event["event"] == name]

    async def says(self, name: str, times: int = 1) -> dict[str, Any]:
        """Wait for the so-many-th event of a name."""
        await self.until(lambda: len(self.events(name)) >= times, f"never said {name}")
        return self.events(name)[times - 1]

    async def until(self, true: Callable[[], bool], what: str = "it never came true") -> None:
        """Wait until something is true, as long as the watch runs."""

        def true_yet() -> bool:
            assert self.process.poll() is None, f"{what}; it ended: {self._log.read_text()[-3000:]}"
            return true()

        async with asyncio.timeout(PATIENCE_S):
            await until(true_yet)

    async def ended(self) -> int:
        """Wait until it has ended; its exit code."""
        return await asyncio.to_thread(self.process.wait, PATIENCE_S)

    async def stop(self) -> int:
        """Tell it to stop; its exit code."""
        self.process.terminate()
        return await self.ended()

    def said(self) -> str:
        """All that it said."""
        return self._log.read_text()

    def last_words(self) -> str:
        """Why it stopped."""
        return str(self.events("stopped")[-1]["error"])


def page(path: str) -> tuple[int, str]:
    """A page of the watch: status and text."""
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        with opener.open(f"http://127.0.0.1:{PORT}{path}", timeout=PATIENCE_S) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as refused:
        with refused:
            return refused.code, refused.read().decode()


def readings(outcome: str) -> float:
    """How many readings with this outcome the watch has counted."""
    lines = page("/metrics")[1].splitlines()
    return next(float(line.split()[1]) for line in lines if f'readings_total{{outcome="{outcome}"}}' in line)

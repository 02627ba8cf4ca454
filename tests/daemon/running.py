"""A real `hostwatch run` for a test, and what it says."""

from __future__ import annotations

import json
import os
import queue
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

WITHIN_S = 20.0

CONFIGURATION = """\
site: {name: Test site, timezone: Europe/Berlin}
store: sqlite:///watch.db
mail: {smtp: "smtp://127.0.0.1:9", from: noc@dc.example}
schedule: {interval: 500ms, misses: 2}
notices: {within: 10s}
listen: 127.0.0.1:0
customers:
  - id: acme
    name: Acme Trading
    contacts:
      - {id: duty, name: Duty officer, channels: [{email: ops@acme.example}]}
    devices:
      - {id: web-1, address: 127.0.0.2}
"""


def command(*words: str, **more: Any) -> subprocess.CompletedProcess[str]:
    """Run a command of ours to its end."""
    return subprocess.run(
        [sys.executable, "-m", "hostwatch", *words], capture_output=True, text=True, timeout=WITHIN_S, **more
    )


class Running:
    """A watch in a process of its own. Its log is read as it comes."""

    def __init__(
        self, folder: Path, environment: Mapping[str, str] | None = None, inside: Sequence[str] = ()
    ) -> None:
        """`inside`: the words before a command that has it run elsewhere, such as in a network of its own."""
        self.folder = folder
        self.path = folder / "hostwatch.yaml"
        if not self.path.exists():
            self.path.write_text(CONFIGURATION, encoding="utf-8")
        self.events: list[dict[str, Any]] = []
        self._coming: queue.Queue[dict[str, Any] | None] = queue.Queue()
        self.process = subprocess.Popen(
            [*inside, sys.executable, "-m", "hostwatch", "run", "--config", str(self.path)],
            stderr=subprocess.PIPE,
            env={**os.environ, **(environment or {})},
            text=True,
        )
        threading.Thread(target=self._read, daemon=True).start()

    def _read(self) -> None:
        assert self.process.stderr is not None
        with self.process.stderr as lines:
            for line in lines:
                self._coming.put(json.loads(line) if line.startswith("{") else {"event": "raw", "line": line})
        self._coming.put(None)

    def wait_for(
        self, event: str, wanted: Callable[[dict[str, Any]], bool] = lambda _: True
    ) -> dict[str, Any]:
        """The next such event, or the one that has been read already and was not asked for."""
        for seen in self.events:
            if seen["event"] == event and wanted(seen):
                return seen
        while True:
            coming = self._coming.get(timeout=WITHIN_S)
            assert coming is not None, f"ended without {event}: {self.events}"
            self.events.append(coming)
            if coming["event"] == event and wanted(coming):
                return coming

    def forget(self) -> None:
        """Let `wait_for` look only at what comes from now on."""
        self.events.clear()

    @property
    def url(self) -> str:
        """Where its pages are."""
        return f"http://127.0.0.1:{self.wait_for('listening')['port']}"

    def command(self, verb: str, *words: str) -> subprocess.CompletedProcess[str]:
        """Run a command with this watch's configuration."""
        return command(verb, "--config", str(self.path), *words)

    def rewrite(self, old: str, new: str) -> None:
        """Change the configuration on disk."""
        text = self.path.read_text(encoding="utf-8")
        assert old in text
        self.path.write_text(text.replace(old, new), encoding="utf-8")

    def stop(self, number: signal.Signals = signal.SIGTERM) -> int:
        """Stop it; its exit code."""
        if self.process.poll() is None:
            self.process.send_signal(number)
        return self.process.wait(timeout=WITHIN_S)

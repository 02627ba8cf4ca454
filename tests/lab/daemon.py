"""`hostwatch run` as a real process in the laboratory, with its log, its record and its pages at hand."""

from __future__ import annotations

import http.client
import json
import os
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import Any, TypeVar
from zoneinfo import ZoneInfo

from prometheus_client.parser import text_string_to_metric_families

from hostwatch.core.facts import Fact
from hostwatch.store.reader import Reader
from tests.lab.namespace import Namespace
from tests.lab.waiting import PATIENCE_S, until

ROOT = Path(__file__).resolve().parents[2]
PAGES = ("127.0.0.1", 9464)
ZONE = ZoneInfo("Asia/Shanghai")
LAST_LINES = 40
PEOPLE = ("attempt", "notice", "duty")
"""Events that a log that is shown does without."""


F = TypeVar("F", bound=Fact)
Event = dict[str, Any]


PLACE = "/mnt"
ELSEWHERE = ("unshare", "-m", "sh", "-c", f'mount --bind "{ROOT}" {PLACE} && cd {PLACE} && exec "$@"', "sh")
"""Shows the project, to one process, at a place that everybody may enter: it may lie in root's own folder."""


def _is_open(folder: Path) -> bool:
    return all(place.stat().st_mode & 0o001 for place in (folder, *folder.parents))


def _moved(words: list[str]) -> list[str]:
    return [word.replace(str(ROOT), PLACE, 1) if word.startswith(str(ROOT)) else word for word in words]


class Daemon:
    """One watch over one store; it may be started again and again."""

    def __init__(self, namespace: Namespace, configuration: Path) -> None:
        self._namespace = namespace
        self._configuration = configuration
        self._process: subprocess.Popen[str] | None = None
        self._reader: threading.Thread | None = None
        self.store = configuration.with_name("hostwatch.db")
        self.events: list[Event] = []
        """What it said in its log, over all its starts."""

    def start(self, *before: str) -> Event:
        """Start it, behind some other command such as `setpriv`; what it said when it began to watch."""
        told = len(self.events)
        self.launch(*before)
        return self.said("watching", since=told)

    def launch(self, *before: str) -> None:
        """Start it without waiting. It dies with whoever started it."""
        assert self._process is None, "it runs already"
        run = [sys.executable, "-m", "hostwatch", "run", "--config", str(self._configuration)]
        words = [*before, *run] if _is_open(ROOT) else [*ELSEWHERE, *before, *_moved(run)]
        self._process = subprocess.Popen(
            self._namespace.command("setpriv", "--pdeathsig", "KILL", *words),
            cwd=ROOT,
            env={key: value for key, value in os.environ.items() if not key.startswith("NOTIFY_")},
            stdin=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
        )
        self._reader = threading.Thread(target=self._read, args=(self._process,))
        self._reader.start()

    def _read(self, process: subprocess.Popen[str]) -> None:
        assert process.stderr is not None
        with process.stderr as lines:
            for line in lines:
                try:
                    self.events.append(json.loads(line))
                except ValueError:
                    self.events.append({"event": "not a line of the log", "line": line})

    def send(self, number: signal.Signals) -> None:
        """Send it a signal."""
        assert self._process is not None
        self._process.send_signal(number)

    def treat(self, *words: str) -> None:
        """Run a command on it, such as `chrt`, that takes the number of a process as its last word."""
        assert self._process is not None
        subprocess.run([*words, str(self._process.pid)], check=True, stdout=subprocess.DEVNULL)

    def end(self, number: signal.Signals = signal.SIGTERM) -> int:
        """End it by a signal; how it ended."""
        self.send(number)
        return self.ended()

    def ended(self) -> int:
        """Wait until it has ended; how it ended."""
        process, self._process = self._process, None
        assert process is not None
        assert self._reader is not None
        try:
            return process.wait(15)
        finally:
            process.kill()
            process.wait()
            self._reader.join()

    def close(self) -> None:
        """End it, if it runs, whatever state it is in."""
        if self._process is not None:
            self.send(signal.SIGCONT)
            self.end(signal.SIGKILL)

    def heard(self, name: str, *, since: int = 0, **fields: object) -> list[Event]:
        """The events of a name that have these fields."""
        return [
            event
            for event in self.events[since:]
            if event["event"] == name and all(event.get(key) == value for key, value in fields.items())
        ]

    def said(self, name: str, *, count: int = 1, since: int = 0, **fields: object) -> Event:
        """Wait until it has said something as often as that; the last of these events."""

        def look() -> list[Event]:
            found = self.heard(name, since=since, **fields)
            assert len(found) >= count or self._alive(), f"it ended\n{self.log()}"
            return found if len(found) >= count else []

        try:
            return until(f"{count} × {name} {fields or ''}", look)[count - 1]
        except AssertionError as error:
            raise AssertionError(f"{error}\n{self.log()}") from None

    def log(self) -> str:
        """The end of the log, for whoever reads why a test failed."""
        told = [event for event in self.events if not event["event"].startswith(PEOPLE)]
        return "\n".join(json.dumps(event, ensure_ascii=False) for event in told[-LAST_LINES:])

    def _alive(self) -> bool:
        return self._process is not None and self._process.poll() is None

    def readings(self, outcome: str) -> int:
        """How many looks had that outcome since the start, as Prometheus is told."""
        return int(self.figure("hostwatch_readings_total", outcome=outcome))

    def figure(self, name: str, **labels: str) -> float:
        """One figure of the page of metrics; 0 if it is not there."""
        link = self._namespace.inside(lambda: socket.create_connection(PAGES, timeout=5))
        page = http.client.HTTPConnection(*PAGES)
        page.sock = link
        try:
            page.request("GET", "/metrics")
            text = page.getresponse().read().decode()
        finally:
            page.close()
        found = (
            sample.value
            for family in text_string_to_metric_families(text)
            for sample in family.samples
            if sample.name == name and sample.labels == labels
        )
        return next(found, 0.0)

    def looked(self, outcome: str, more: int, patience_s: float = PATIENCE_S) -> None:
        """Wait until so many more looks had that outcome."""
        wanted = self.readings(outcome) + more
        try:
            until(f"{more} more looks {outcome}", lambda: self.readings(outcome) >= wanted, patience_s)
        except AssertionError as error:
            raise AssertionError(f"{error}\n{self.log()}") from None

    def facts(self, kind: type[F], **fields: object) -> list[F]:
        """The facts of a kind that the record holds now."""
        with Reader(self.store) as reader:
            return [
                fact
                for fact in reader.facts([kind])
                if isinstance(fact, kind)
                and all(getattr(fact, name) == value for name, value in fields.items())
            ]

    def report(self) -> dict[str, Any]:
        """The running month, as `hostwatch report` tells it."""
        month = datetime.now(ZONE).strftime("%Y-%m")
        words = ["report", "--config", str(self._configuration), "--month", month, "--format", "json"]
        done = subprocess.run(
            [sys.executable, "-m", "hostwatch", *words],
            cwd=ROOT, capture_output=True, text=True, timeout=30, check=False,
        )  # fmt: skip
        assert done.returncode == 0, done.stderr
        report: dict[str, Any] = json.loads(done.stdout)
        return report


def rows(report: dict[str, Any], devices: Sequence[str]) -> list[dict[str, Any]]:
    """The report's lines about some devices."""
    found = {row["device"]: row for row in report["devices"]}
    return [found[device] for device in devices]

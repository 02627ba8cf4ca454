"""The whole watch as a process in the network: started, asked for its pages, measured from outside, ended."""

from __future__ import annotations

import http.client
import math
import os
import re
import signal
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Self

from tests.bench import usage
from tests.bench.inventory import PORT
from tests.bench.network import Network
from tests.bench.tools import ROOT

ENDS_WITHIN_S = 60
SAMPLE = re.compile(r"^(\w+)(\{[^}]*\})? ([^ \n]+)$", re.MULTILINE)


class NotWatching(Exception):
    """The watch did not start, or ended; with the end of its log."""


class Watched:
    """One `hostwatch run` over one configuration."""

    def __init__(self, network: Network, configuration: Path) -> None:
        self._network = network
        self.store = configuration.with_name("hostwatch.db")
        self._log = configuration.with_name("log")
        words = [sys.executable, "-m", "hostwatch", "run", "--config", str(configuration)]
        with self._log.open("wb") as log:
            self._process = subprocess.Popen(
                network.measured("setpriv", "--pdeathsig", "KILL", *words),
                cwd=ROOT,
                env={key: value for key, value in os.environ.items() if not key.startswith("NOTIFY_")},
                stdin=subprocess.DEVNULL,
                stderr=log,
            )
        self.began = time.monotonic()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self._process.poll() is None:
            self._process.send_signal(signal.SIGTERM)
            try:
                self._process.wait(ENDS_WITHIN_S)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait()

    @property
    def pid(self) -> int:
        """Of the process."""
        return self._process.pid

    def connect(self, patience_s: float = 30) -> http.client.HTTPConnection:
        """A connection to its pages. Raises `OSError` while nobody listens."""
        link = self._network.near.inside(lambda: socket.create_connection(("127.0.0.1", PORT), patience_s))
        connection = http.client.HTTPConnection("127.0.0.1", PORT)
        connection.sock = link
        return connection

    def get(self, page: str) -> bytes:
        """One of its pages. Raises `OSError` while nobody listens."""
        connection = self.connect()
        try:
            connection.request("GET", page)
            return connection.getresponse().read()
        finally:
            connection.close()

    def wait_for(self, page: str, patience_s: float) -> float:
        """Until a page answers `ready` or the like; how many seconds after the start that was."""
        over = time.monotonic() + patience_s
        while True:
            try:
                if b"not" not in self.get(page):
                    return time.monotonic() - self.began
            except (OSError, http.client.HTTPException):
                pass
            self.check()
            if time.monotonic() > over:
                raise NotWatching(f"{page} did not answer within {patience_s:.0f} s: {self.log()}")
            time.sleep(0.2)

    def check(self) -> None:
        """Raises `NotWatching` if it ended."""
        if self._process.poll() is not None:
            raise NotWatching(f"it ended with {self._process.returncode}: {self.log()}")

    def log(self) -> str:
        """The end of what it said."""
        return self._log.read_text(encoding="utf-8")[-2_000:]

    def metrics(self) -> dict[str, float]:
        """Every sample that is not of one device."""
        text = self.get("/metrics").decode()
        return {
            name + (labels or ""): float(value)
            for name, labels, value in SAMPLE.findall(text)
            if "device=" not in labels
        }

    def readings(self) -> dict[str, int]:
        """How many looks had which outcome since the start."""
        found = self.metrics()
        return {
            outcome: int(found[f'hostwatch_readings_total{{outcome="{outcome}"}}'])
            for outcome in ("answered", "missed", "unknown")
        }

    def signals(self) -> int:
        """How many are watched."""
        return int(sum(v for name, v in self.metrics().items() if name.startswith("hostwatch_signals{")))

    def cpu_s(self) -> float:
        """What it used so far, with the children that have ended."""
        self.check()
        return usage.cpu_of(self.pid)

    def memory_mib(self) -> tuple[float, float]:
        """What it holds now, and held at most. A shared page counts for each process that has it."""
        self.check()
        return usage.memory_of(self.pid)


class Pulse:
    """How long a page that needs only the loop takes to answer: at its longest the loop stood still."""

    def __init__(self, watched: Watched, every_s: float = 0.005) -> None:
        self._watched, self._every_s = watched, every_s
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._beat)
        self.took_s: list[float] = []
        self.broken = ""

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join()

    def _beat(self) -> None:
        connection = self._watched.connect()
        try:
            while not self._over.wait(self._every_s):
                began = time.monotonic()
                connection.request("GET", "/-/ready")
                connection.getresponse().read()
                self.took_s.append(time.monotonic() - began)
        except (OSError, http.client.HTTPException) as error:
            self.broken = str(error)
        finally:
            connection.close()

    @property
    def longest_s(self) -> float:
        """Above what such an answer takes anyway. Not a number if there is no figure."""
        if self.broken or not self.took_s:
            return math.nan
        usual = sorted(self.took_s)[len(self.took_s) // 2]
        return max(self.took_s) - usual

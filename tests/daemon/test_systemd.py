"""What the watch tells systemd, read at a NOTIFY_SOCKET of our own."""

from __future__ import annotations

import signal
import socket
import sqlite3
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.daemon.running import WITHIN_S, Running


class Systemd:
    """Reads what services tell."""

    def __init__(self, path: str) -> None:
        self.address = path
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._socket.bind("\0" + path[1:] if path.startswith("@") else path)
        self._socket.settimeout(WITHIN_S)

    def read(self) -> dict[str, str]:
        """The next message."""
        text = self._socket.recv(4096).decode()
        return dict(line.split("=", 1) for line in text.splitlines())

    def until(self, key: str) -> list[dict[str, str]]:
        """All messages up to one that has the key."""
        told = [self.read()]
        while key not in told[-1]:
            told.append(self.read())
        return told

    def drain(self) -> None:
        """Forget what has come."""
        self._socket.setblocking(False)
        try:
            while True:
                self._socket.recv(4096)
        except BlockingIOError:
            self._socket.settimeout(WITHIN_S)

    def close(self) -> None:
        self._socket.close()


@pytest.fixture(params=["a file", "an abstract name"])
def systemd(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Systemd]:
    path = str(tmp_path / "notify") if request.param == "a file" else f"@hostwatch-test-{tmp_path}"
    listening = Systemd(path)
    yield listening
    listening.close()


def test_a_service_is_ready_alive_reloading_ready_and_stopping(
    systemd: Systemd, start: Callable[..., Running]
) -> None:
    watch = start(NOTIFY_SOCKET=systemd.address, WATCHDOG_USEC="900000")

    first = systemd.read()
    assert first["READY"] == "1"
    assert "signals" in first["STATUS"]
    assert systemd.until("WATCHDOG")[-1]["WATCHDOG"] == "1"

    watch.process.send_signal(signal.SIGHUP)
    reloading = systemd.until("RELOADING")[-1]
    assert int(reloading["MONOTONIC_USEC"]) > 0
    assert systemd.until("READY")[-1]["READY"] == "1"

    watch.process.send_signal(signal.SIGTERM)
    assert systemd.until("STOPPING")[-1]["STOPPING"] == "1"
    assert watch.stop() == 0


def test_a_store_that_cannot_be_written_is_said_and_tried_again_not_restarted(
    systemd: Systemd, start: Callable[..., Running], tmp_path: Path
) -> None:
    """Another program holds the write lock. A restart would lose what has been seen, and help nobody."""
    watch = start(NOTIFY_SOCKET=systemd.address, WATCHDOG_USEC="300000")
    systemd.until("WATCHDOG")
    thief = sqlite3.connect(tmp_path / "watch.db", isolation_level=None)
    thief.execute("BEGIN IMMEDIATE")

    watch.wait_for("store-stuck")
    systemd.drain()
    told = systemd.until("WATCHDOG")[-1]
    assert told["STATUS"].startswith("cannot write to the store: another program holds it")

    thief.execute("ROLLBACK")
    thief.close()
    watch.wait_for("store-recovered")
    assert systemd.until("WATCHDOG")[-1]["WATCHDOG"] == "1"
    assert not [event for event in watch.events if event["event"] == "silence-began"]


def test_another_process_is_not_fed_for(systemd: Systemd, start: Callable[..., Running]) -> None:
    """WATCHDOG_PID names somebody else: the interval is not ours, but saying that we live does no harm."""
    start(NOTIFY_SOCKET=systemd.address, WATCHDOG_USEC="1", WATCHDOG_PID="1")

    assert systemd.read()["READY"] == "1"
    assert systemd.until("WATCHDOG")[-1]["WATCHDOG"] == "1"

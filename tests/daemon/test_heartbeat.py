"""A real watch, and somebody outside who raises an alarm when they do not hear from it."""

from __future__ import annotations

import signal
import sqlite3
import threading
import time
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from tests.daemon.running import CONFIGURATION, WITHIN_S, Running, command

GRACE_S = 2.0
SECRET = "/ping/5bf3f0e8-0d0f-4a5c-9d3c-1b6f0a0c7d11"


class Deadman:
    """What Healthchecks does: it is up while pings come, and down when none came for a time and its grace."""

    def __init__(self) -> None:
        self.heard: list[tuple[str, str]] = []
        self.history: list[str] = []
        self._heard_at: float | None = None
        self._changed = threading.Condition()
        deadman = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"])).decode()
                deadman.hear(self.path, body)
                self.send_response(200)
                self.end_headers()
                self.wfile.write(b"OK")

            def log_message(self, *_: Any) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._ended = threading.Event()
        for work in (self._server.serve_forever, self._watch):
            threading.Thread(target=work, daemon=True).start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_address[1]}{SECRET}"

    def hear(self, path: str, body: str) -> None:
        with self._changed:
            self.heard.append((path.removeprefix(SECRET), body))
            if path == SECRET:
                self._heard_at = time.monotonic()
                self._turn("up")
            elif path.endswith("/fail"):
                self._turn("down")

    def _turn(self, state: str) -> None:
        if self.history[-1:] != [state]:
            self.history.append(state)
            self._changed.notify_all()

    def _watch(self) -> None:
        while not self._ended.wait(0.1):
            with self._changed:
                if self._heard_at is not None and time.monotonic() - self._heard_at > GRACE_S:
                    self._turn("down")

    def wait_for(self, *history: str) -> None:
        """Wait until it has been so, one after another."""
        with self._changed:
            assert self._changed.wait_for(lambda: self.history == [*history], WITHIN_S), self.history

    def close(self) -> None:
        self._ended.set()
        self._server.shutdown()
        self._server.server_close()


@pytest.fixture
def deadman() -> Iterator[Deadman]:
    one = Deadman()
    yield one
    one.close()


def prepared(folder: Path, url: str, more: str = "") -> None:
    (folder / "url").write_text(url)
    (folder / "url").chmod(0o600)
    beats = f"heartbeat: [{{every: 1s, url: {{url: {{file: url}}{more}}}}}]\n"
    (folder / "hostwatch.yaml").write_text(CONFIGURATION + beats)


def test_a_store_that_is_stuck_and_a_loop_that_hangs_are_noticed_outside(
    start: Callable[..., Running], tmp_path: Path, deadman: Deadman
) -> None:
    """well ── the store cannot be written ── it can ── the process hangs ── it goes on ── it is killed"""
    prepared(tmp_path, deadman.url)
    watch = start()
    deadman.wait_for("up")
    assert deadman.heard[0][1].startswith("hostwatch ")
    assert "\nwell\n" in deadman.heard[0][1]

    with sqlite3.connect(tmp_path / "watch.db", isolation_level=None) as held:
        held.execute("BEGIN IMMEDIATE")
        deadman.wait_for("up", "down")
        held.execute("ROLLBACK")
    deadman.wait_for("up", "down", "up")

    watch.process.send_signal(signal.SIGSTOP)
    deadman.wait_for("up", "down", "up", "down")
    watch.process.send_signal(signal.SIGCONT)
    deadman.wait_for("up", "down", "up", "down", "up")

    watch.stop(signal.SIGKILL)
    deadman.wait_for("up", "down", "up", "down", "up", "down")
    assert {path for path, _ in deadman.heard} == {""}, "nobody asked for more than beats"


def test_who_understands_it_is_told_of_the_start_and_of_the_trouble(
    start: Callable[..., Running], tmp_path: Path, deadman: Deadman
) -> None:
    prepared(tmp_path, deadman.url, ", start: on, fail: on")
    watch = start()
    deadman.wait_for("up")
    assert deadman.heard[0][0] == "/start"
    assert not any(path == "/fail" for path, _ in deadman.heard), "a start is no trouble"

    with sqlite3.connect(tmp_path / "watch.db", isolation_level=None) as held:
        held.execute("BEGIN IMMEDIATE")
        deadman.wait_for("up", "down")
        held.execute("ROLLBACK")
    _, body = next(one for one in deadman.heard if one[0] == "/fail")
    assert "\nnot well:\nthe store cannot be written\n" in body
    assert str(tmp_path) not in body
    deadman.wait_for("up", "down", "up")
    assert SECRET not in str(watch.events), "the address is a secret"


def test_what_cannot_work_is_said_beforehand(tmp_path: Path) -> None:
    beats = """\
heartbeat:
  - url: http://hc.example/ping/1
  - email: box@elsewhere.example
  - email: other@elsewhere.example
  - pigeon: {}
"""
    (tmp_path / "hostwatch.yaml").write_text(CONFIGURATION + beats)

    said = command("check-config", str(tmp_path / "hostwatch.yaml")).stderr

    assert "would go through foreign networks in the clear" in said
    assert "pigeon is not a heartbeat, write one of email, url" in said


def test_two_of_one_name_and_a_mail_without_a_relay_are_mistakes(tmp_path: Path) -> None:
    beats = "heartbeat: [{email: a@elsewhere.example}, {email: b@elsewhere.example}]\n"
    without = CONFIGURATION.replace('mail: {smtp: "smtp://127.0.0.1:9", from: noc@dc.example}\n', "")
    without = without.replace("{email: ops@acme.example}", '{webhook: "http://127.0.0.1:9/"}')
    (tmp_path / "hostwatch.yaml").write_text(without + beats)

    said = command("check-config", str(tmp_path / "hostwatch.yaml")).stderr

    assert "another is called email" in said
    assert said.count("email needs settings of the site") == 2

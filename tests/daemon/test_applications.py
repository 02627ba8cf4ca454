"""A watch with services: its checkers look, die, come back, and keep what they saw; secrets go nowhere else.

```
 hostwatch run ──▶ checkers ──▶ servers on loopback
      ▲               ✗ kill -9: looks are unknown, another process takes its place
      └── last findings, also after a restart
```
"""

from __future__ import annotations

import os
import re
import signal
import socketserver
import threading
import urllib.request
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from hostwatch import control
from tests.checkers.servers import serving
from tests.daemon.running import CONFIGURATION, Running

DEVICE = "127.0.0.2"
PASSWORD = "correct-horse-battery"


def greet(visitor: socketserver.StreamRequestHandler) -> None:
    visitor.wfile.write(b"hello\r\n")


def mail(visitor: socketserver.StreamRequestHandler) -> None:
    """As much POP3 as a login needs, by a server that repeats the password in its answer."""
    visitor.wfile.write(b"+OK ready\r\n")
    for line in visitor.rfile:
        answers = {b"CAPA": b"-ERR what\r\n", b"PASS": b"-ERR wrong password: " + line}
        visitor.wfile.write(answers.get(line[:4], b"+OK\r\n"))


def configured(folder: Path, services: str) -> None:
    text = CONFIGURATION.replace("address: 127.0.0.2}", f"address: 127.0.0.2, services: {services}}}")
    assert services in text
    (folder / "hostwatch.yaml").write_text(text, encoding="utf-8")


def counted(url: str) -> dict[str, float]:
    with urllib.request.urlopen(f"{url}/metrics") as answer:
        text = answer.read().decode()
    rows = re.findall(r"^(hostwatch_check\S+) (\S+)$", text, re.MULTILINE)
    return {name: float(value) for name, value in rows}


def last(watch: Running, wanted: Callable[[list[dict[str, Any]]], bool]) -> list[dict[str, Any]]:
    """The last findings, as soon as they are as wanted."""
    found: list[dict[str, Any]] = []
    for _ in range(400):
        found = control.ask(watch.folder / "watch.db.sock", "last", device="web-1")["findings"]
        if wanted(found):
            return found
        threading.Event().wait(0.05)
    raise AssertionError(found)


def of(found: list[dict[str, Any]], outcome: str) -> dict[str, Any]:
    """The last finding of an outcome; empty if there is none."""
    return next((one for one in found if one["outcome"] == outcome), {})


def has_answered(found: list[dict[str, Any]]) -> bool:
    return bool(of(found, "answered"))


def missed(found: list[dict[str, Any]], what: str) -> Any:
    """Something of the last miss, if there is one."""
    return of(found, "missed").get("finding", {}).get(what)


def test_checkers_that_are_killed_come_back(start: Callable[..., Running], tmp_path: Path) -> None:
    with serving(greet, DEVICE) as port:
        configured(tmp_path, f"{{www: {{checks: [tcp: {{port: {port}, expect: hello, timeout: 400ms}}]}}}}")
        watch = start()
        first = watch.wait_for("checkers-started")["process"]
        last(watch, has_answered)
        url = watch.url
        watch.forget()
        os.kill(first, signal.SIGKILL)
        gone = watch.wait_for("checkers-gone")
        second = watch.wait_for("checkers-started")["process"]
        before = of(last(watch, has_answered), "answered")["at"]
        last(watch, lambda found: of(found, "answered")["at"] > before)
        figures = counted(url)
    assert gone["why"] == "they ended by signal 9"
    assert second != first
    assert figures["hostwatch_checkers_up"] == 1
    assert figures["hostwatch_checkers_restarts_total"] == 1
    assert figures['hostwatch_checks_total{kind="tcp",outcome="answered"}'] >= 2
    assert figures['hostwatch_check_duration_seconds_bucket{kind="tcp",le="+Inf"}'] >= 2
    assert watch.stop() == 0
    assert not Path(f"/proc/{second}").exists()


def test_the_last_answer_and_the_last_miss_survive_a_restart(
    start: Callable[..., Running], tmp_path: Path
) -> None:
    with serving(greet, DEVICE) as port:
        configured(tmp_path, f"{{www: {{checks: [tcp: {{port: {port}, expect: hello, timeout: 400ms}}]}}}}")
        watch = start()
        watch.wait_for("checkers-started")
        last(watch, has_answered)
    last(watch, lambda found: has_answered(found) and missed(found, "why") == "connection refused")
    assert watch.stop() == 0

    again = start()
    again.wait_for("checkers-started")
    kept = last(again, has_answered)
    assert of(kept, "answered")["finding"]["transcript"][-1][2] == "hello\\r\\n"
    assert missed(kept, "why") == "connection refused"


def test_a_reload_brings_services_and_takes_them_away(start: Callable[..., Running], tmp_path: Path) -> None:
    with serving(greet, DEVICE) as port:
        watch = start()
        watch.wait_for("device-proven")
        assert [event for event in watch.events if event["event"] == "checkers-started"] == []
        assert counted(watch.url) == {}
        configured(tmp_path, f"{{www: {{checks: [tcp: {{port: {port}, timeout: 400ms}}]}}}}")
        assert watch.command("reload").returncode == 0
        process = watch.wait_for("checkers-started")["process"]
        last(watch, has_answered)
        (tmp_path / "hostwatch.yaml").write_text(CONFIGURATION, encoding="utf-8")
        assert watch.command("reload").returncode == 0
        watch.wait_for("checkers-stopped")
    assert not Path(f"/proc/{process}").exists()


def test_secrets_go_to_the_checkers_and_nowhere_else(start: Callable[..., Running], tmp_path: Path) -> None:
    """Not into a command line or an environment, the log, the store, or what is kept of findings."""
    with serving(mail, DEVICE) as port:
        check = (
            f"pop3: {{port: {port}, unprotected_login: true,"
            " login: {user: probe, password: {env: MAIL_PASSWORD}},"
            " timeout: 400ms, authorisation: letter of 2026-03-01}"
        )
        configured(tmp_path, f"{{email: {{checks: [{check}]}}}}")
        watch = start(MAIL_PASSWORD=PASSWORD)
        process = watch.wait_for("checkers-started")["process"]
        found = last(watch, lambda found: missed(found, "step") == "login")
        here = Path(f"/proc/{process}")
        shown = (here / "environ").read_bytes() + (here / "cmdline").read_bytes()
        assert watch.stop() == 0
    assert PASSWORD.encode() not in shown
    assert PASSWORD not in f"{watch.events} {found}"
    kept = [file for file in tmp_path.iterdir() if file.is_file()]
    assert tmp_path / "watch.db.findings" in kept
    assert [file.name for file in kept if PASSWORD.encode() in file.read_bytes()] == []


@pytest.mark.lab
def test_the_checkers_have_no_capability_though_the_watch_has(
    start: Callable[..., Running], tmp_path: Path
) -> None:
    with serving(greet, DEVICE) as port:
        configured(tmp_path, f"{{www: {{checks: [tcp: {{port: {port}, timeout: 400ms}}]}}}}")
        watch = start()
        process = watch.wait_for("checkers-started")["process"]
        ours, theirs = (
            re.findall(
                r"^Cap(?:Prm|Eff|Bnd):\s+(\w+)$", Path(f"/proc/{one}/status").read_text(), re.MULTILINE
            )
            for one in (watch.process.pid, process)
        )
    assert int(ours[1], 16)
    assert [int(one, 16) for one in theirs] == [0, 0, 0]

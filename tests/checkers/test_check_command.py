"""`hostwatch check`: what a person sees of a look at a service, while it happens and after it."""

from __future__ import annotations

import json
import os
import re
import socketserver
import subprocess
import sys
import threading
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from hostwatch.checks.base import of_data
from hostwatch.commands.check import _Shown
from tests.checkers.servers import serving
from tests.daemon.conftest import start
from tests.daemon.running import CONFIGURATION, Running, command

__all__ = ["start"]

PASSWORD = "correct-horse-battery"


def page(visitor: socketserver.StreamRequestHandler) -> None:
    for line in visitor.rfile:
        if not line.strip():
            break
    body = b"<h1>everything runs</h1>"
    visitor.wfile.write(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s" % (len(body), body))


def rude(visitor: socketserver.StreamRequestHandler) -> None:
    """A server that writes on the reader's terminal."""
    visitor.wfile.write("\x1b[2J\x1b]0;owned\x07[red]go away\u202e\r\n".encode())


def configured(folder: Path, services: str, more: str = "") -> Path:
    path = folder / "hostwatch.yaml"
    text = CONFIGURATION.replace("500ms", "5m").replace(
        "address: 127.0.0.2}", f"address: 127.0.0.1, services: {services}}}"
    )
    path.write_text(text + more, encoding="utf-8")
    return path


def check(path: Path, *words: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return command("check", "--config", str(path), *words, env={**os.environ, **environment})


def test_a_device_is_looked_at_step_by_step(tmp_path: Path) -> None:
    with serving(page) as port:
        path = configured(
            tmp_path, f"{{www: {{checks: [http: 'http://:{port}/', tcp: {{port: {port}, timeout: 2s}}]}}}}"
        )
        told = check(path, "web-1")
    lines = [re.sub(r"[\d,.]+ ms", "N ms", line).strip() for line in told.stdout.splitlines()]
    assert (told.returncode, told.stderr) == (0, "")
    assert lines[:4] == ["web-1 (127.0.0.1)", "", "www, check 1 of 2: http", "N ms  = connect took N ms"]
    assert "N ms  > GET / HTTP/1.1" in lines
    assert "N ms  < HTTP/1.1 200 OK" in lines
    assert lines[-7:] == [
        "www, check 2 of 2: tcp",
        "N ms  = connect took N ms",
        f"N ms  * connected to 127.0.0.1:{port}",
        "N ms  = answer took N ms",
        "answered after N ms",
        "",
        "www runs (all of 2 checks must run)",
    ]


def test_what_is_wrong_is_said_and_the_exit_code_tells(tmp_path: Path) -> None:
    with serving(page) as port:
        path = configured(
            tmp_path, f"{{www: {{checks: [http: {{url: 'http://:{port}/', contains: closed}}]}}}}"
        )
        missed = check(path, "web-1", "www")
    assert missed.returncode == 1
    assert "\nwww does not run: http: content: " in missed.stdout
    assert "  expected: " in missed.stdout


def test_our_own_failure_is_unknown(tmp_path: Path) -> None:
    """Names are asked for at a resolver that is not there."""
    path = configured(
        tmp_path,
        "{www: {checks: [tcp: {port: 80, host: www.acme.example, timeout: 2s}]}}",
        'checks: {resolvers: ["127.0.0.1:9"]}\n',
    )
    told = check(path, "web-1")
    assert told.returncode == 2, told.stdout + told.stderr
    assert "\nwww is unknown: tcp: resolve: " in told.stdout


def test_programs_get_json(tmp_path: Path) -> None:
    with serving(page) as port:
        path = configured(tmp_path, f"{{www: {{checks: [http: 'http://:{port}/']}}}}")
        told = check(path, "web-1", "--json")
    found = json.loads(told.stdout)
    assert (found["device"], found["address"]) == ("web-1", "127.0.0.1")
    (www,) = found["services"]
    assert (www["service"], www["require"], www["outcome"], www["why"]) == ("www", "all", "answered", None)
    assert of_data(www["checks"][0]).address == f"127.0.0.1:{port}"


def test_one_check_can_be_tried_without_any_configuration(tmp_path: Path) -> None:
    with serving(page) as port:
        told = check(tmp_path / "none.yaml", "--kind", "tcp", "--to", "127.0.0.1", str(port))
    assert told.returncode == 0
    assert told.stdout.endswith("\ntcp runs\n")


@pytest.mark.parametrize(
    ("words", "why"),
    [
        ((), "write the name of a device"),
        (("web-1", "www", "more"), "write the name of a device"),
        (("web-9",), "'web-9' is not a device of "),
        (("web-1", "email"), "web-1 has no service email: it has www"),
        (("--kind", "tcp", "443"), "write --kind KIND --to ADDRESS"),
        (("--kind", "tcp", "--to", "www.acme.example", "443"), "'www.acme.example' is not an IP address"),
        (("--kind", "tcp", "--to", "127.0.0.1", "{prt: 443}"), "tcp.prt: is not known here"),
        (("--kind", "tcp", "--to", "127.0.0.1", "{port: }"), "tcp.port: "),
        (("--kind", "tcp", "--to", "127.0.0.1", "{"), "the settings"),
        (("--last", "web-1"), "no watch is running here"),
    ],
)
def test_what_makes_no_sense_is_said(tmp_path: Path, words: tuple[str, ...], why: str) -> None:
    told = check(configured(tmp_path, "{www: {checks: [tcp: 9]}}"), *words)
    assert (told.returncode, told.stdout) == (2, "")
    assert why in told.stderr


def test_each_line_is_shown_as_it_happens(tmp_path: Path) -> None:
    """The server greets and waits until it is told that the greeting was seen."""
    seen = threading.Event()

    def wait(visitor: socketserver.StreamRequestHandler) -> None:
        visitor.wfile.write(b"220 welcome\r\n")
        seen.wait(20)
        visitor.wfile.write(b"250 thank you\r\n")

    with serving(wait) as port:
        words = ["--kind", "tcp", "--to", "127.0.0.1", f"{{port: {port}, expect: thank}}"]
        process = subprocess.Popen(
            [sys.executable, "-m", "hostwatch", "check", "--config", str(tmp_path / "none"), *words],
            stdout=subprocess.PIPE,
            text=True,
        )
        assert process.stdout is not None
        with process.stdout:
            assert any("220 welcome" in line for line in iter(process.stdout.readline, ""))
            seen.set()
            rest = process.stdout.read()
        assert process.wait(20) == 0
    assert "250 thank you" in rest


def test_a_server_cannot_write_on_the_terminal(tmp_path: Path) -> None:
    with serving(rude) as port:
        words = ("--kind", "tcp", "--to", "127.0.0.1", f"{{port: {port}, expect: welcome}}")
        told = check(tmp_path / "none", *words, FORCE_COLOR="1")
    bare = re.sub(r"\x1b\[[\d;]*m", "", told.stdout)
    assert told.returncode == 1
    assert "\x1b" not in bare
    assert "\u202e" not in bare
    assert "\\x1b[2J\\x1b]0;owned\\x07[red]go away\\u202e\\r\\n" in bare


def test_nor_could_a_process_that_a_server_has_taken_over(capsys: pytest.CaptureFixture[str]) -> None:
    """What it says is made harmless here again."""
    shown = _Shown()
    shown.told(1_000, "<", "\x1b[2J\u202eowned")
    assert capsys.readouterr().out == "      1.0 ms  < \\x1b[2J\\u202eowned\n"


def test_secrets_are_used_and_not_shown(tmp_path: Path) -> None:
    heard: list[bytes] = []

    def mail(visitor: socketserver.StreamRequestHandler) -> None:
        visitor.wfile.write(b"+OK ready\r\n")
        for line in visitor.rfile:
            heard.append(line)
            answers = {b"CAPA": b"-ERR what\r\n", b"PASS": b"-ERR wrong password: " + line}
            visitor.wfile.write(answers.get(line[:4], b"+OK\r\n"))

    with serving(mail) as port:
        path = configured(
            tmp_path,
            f"{{email: {{checks: [pop3: {{port: {port}, unprotected_login: true,"
            " login: {user: probe, password: {env: MAIL_PASSWORD}}, authorisation: letter of 2026-03-01}]}}",
        )
        told = check(path, "web-1", MAIL_PASSWORD=PASSWORD)
    assert f"PASS {PASSWORD}\r\n".encode() in heard
    assert told.returncode == 1
    assert PASSWORD not in told.stdout + told.stderr
    assert "  logs in, by letter of 2026-03-01\n" in told.stdout


def test_the_watch_is_asked_what_it_saw_last(start: Callable[..., Running], tmp_path: Path) -> None:
    with serving(page) as port:
        services = f"{{www: {{checks: [http: {{url: 'http://:{port}/', timeout: 400ms}}]}}}}"
        path = configured(tmp_path, services)
        path.write_text(path.read_text(encoding="utf-8").replace("5m", "500ms"), encoding="utf-8")
        watch = start()
        watch.wait_for("checkers-started")
        answered = until(lambda: check(path, "--last", "web-1", "www"), lambda told: told.returncode == 0)
    missed = until(lambda: check(path, "--last", "web-1"), lambda told: "connection refused" in told.stdout)
    plain = json.loads(check(path, "--last", "web-1", "--json").stdout)
    nobody = check(path, "--last", "web-1", "email")

    title = re.search(r"^web-1/www@main, check 1: http, last answered (.*)$", answered.stdout, re.MULTILINE)
    assert title is not None
    at = datetime.strptime(title[1], "%Y-%m-%d %H:%M:%S %z")
    assert at.utcoffset() == at.astimezone(ZoneInfo("Europe/Berlin")).utcoffset() != timedelta(0)
    assert abs(at - datetime.now(UTC)) < timedelta(minutes=5)
    assert all(one["at"].endswith("Z") for one in plain["findings"])
    assert "< HTTP/1.1 200 OK" in answered.stdout
    assert ", last answered 20" in missed.stdout
    assert ", last missed 20" in missed.stdout
    assert missed.returncode == 1
    assert "http: connect: connection refused" in missed.stdout
    assert {one["outcome"] for one in plain["findings"]} >= {"answered", "missed"}
    assert (nobody.returncode, nobody.stderr) == (
        2,
        "nothing is kept of web-1 email: nobody has looked yet\n",
    )


def until(do: Callable[[], Any], is_so: Callable[[Any], bool]) -> Any:
    done = do()
    for _ in range(60):
        if is_so(done):
            return done
        threading.Event().wait(0.1)
        done = do()
    raise AssertionError(done.stdout + done.stderr)

"""`hostwatch report`, from the command line to the last byte."""

from __future__ import annotations

import argparse
import fcntl
import io
import json
import os
import pty
import re
import struct
import subprocess
import sys
import termios
from datetime import UTC, datetime
from pathlib import Path

import pytest

from hostwatch import commands, reports
from hostwatch.commands import report
from tests.reports.october import october
from tests.reports.stores import ROOT, write, writer

CONFIGURATION = """\
site: {name: Chengdu 1, timezone: Asia/Shanghai}
store: sqlite:///var/hostwatch.db
schedule: {interval: 5m, misses: 2}
customers:
  - id: acme
    name: Acme Trading
    contacts:
      - id: duty
        name: Duty officer
        channels:
          - webhook: http://127.0.0.1:9000/hook
    devices:
      - {id: acme-web-1, address: 192.0.2.10}
"""
COMMAND = (sys.executable, "-m", "hostwatch", "report")


@pytest.fixture
def config(tmp_path: Path) -> Path:
    path = tmp_path / "hostwatch.yaml"
    path.write_text(CONFIGURATION, encoding="utf-8")
    return path


@pytest.fixture
def store(config: Path) -> Path:
    path = config.parent / "var" / "hostwatch.db"
    write(path).close()
    return path


def ask(config: Path | None, *words: str, **environment: str) -> subprocess.CompletedProcess[bytes]:
    given = () if config is None else ("--config", str(config))
    return subprocess.run(
        [*COMMAND, *given, *words],
        cwd=ROOT,
        env={"PATH": os.environ["PATH"], **environment},
        capture_output=True,
        check=False,
    )


@pytest.mark.parametrize("name", reports.formats())
def test_exact_bytes(config, store, name):
    done = ask(config, "--month", "2026-10", "--customer", "acme", "--format", name)

    assert (done.returncode, done.stderr) == (0, b"")
    assert done.stdout == reports.render(name, october("acme"))


def test_text_is_what_one_gets(config, store):
    done = ask(config, "--month", "2026-10")

    assert done.stdout == reports.render("text", october(None))


def test_it_makes_no_difference_whether_the_watch_runs(config):
    with writer(config.parent / "var" / "hostwatch.db"):
        done = ask(config, "--month", "2026-10", "--format", "json")

    assert done.stdout == reports.render("json", october(None))


def test_the_configuration_may_be_named_by_the_environment(config, store):
    done = ask(None, "--month", "2026-10", "--format", "csv", HOSTWATCH_CONFIG=str(config))

    assert done.stdout == reports.render("csv", october(None))


def test_without_a_word_the_configuration_is_in_etc(monkeypatch):
    monkeypatch.delenv("HOSTWATCH_CONFIG", raising=False)
    parser = argparse.ArgumentParser()
    commands.add_config(parser)
    assert parser.parse_args([]).config == Path("/etc/hostwatch/hostwatch.yaml")


def test_a_running_month_is_reported_so_far(config, store, monkeypatch, capsysbinary):
    class Noon:
        def now(self) -> datetime:
            return datetime(2026, 10, 12, 4, 0, 0, 999_999, tzinfo=UTC)

    monkeypatch.setattr(report, "SystemClock", Noon)
    parser = argparse.ArgumentParser()
    report.arguments(parser)

    code = report.run(parser.parse_args(["--config", str(config), "--month", "2026-10", "--format", "json"]))

    told = json.loads(capsysbinary.readouterr().out)
    assert code == 0
    assert told["so_far"] is True
    assert told["until_local"] == "2026-10-12 12:00:00+08:00"
    assert told["devices"][0]["period_s"] == (11 * 24 + 12) * 3600


@pytest.mark.parametrize(
    ("words", "code", "message"),
    [
        (["--month", "2026-13"], 2, "cannot read '2026-13' as a month: write it like 2026-10"),
        (["--month", "9999-01"], 2, "cannot report 9999-01: it has not begun"),
        (
            ["--month", "2026-10", "--customer", "acne"],
            2,
            "cannot report customer acne: the record knows no such customer; did you mean acme?",
        ),
        (
            ["--month", "2026-10", "--customer", "zzz"],
            2,
            "cannot report customer zzz: the record knows no such customer; the record knows 2 customers",
        ),
        (["--month", "2026-10", "--format", "pdf"], 2, "invalid choice: 'pdf'"),
        ([], 2, "required: --month"),
        (["--month", "2026-10", "--output", "/nowhere/at/all.csv"], 2, "cannot write /nowhere/at/all.csv"),
    ],
)
def test_what_makes_no_sense(config, store, words, code, message):
    done = ask(config, *words)

    assert done.returncode == code
    assert message in done.stderr.decode()
    assert done.stdout == b""
    assert b"Traceback" not in done.stderr


def test_no_store_yet(config):
    done = ask(config, "--month", "2026-10")

    assert done.returncode == 1
    assert b"there is no store yet at " in done.stderr
    assert b"start `hostwatch run`" in done.stderr


def test_a_wrong_configuration(config, store):
    config.write_text(CONFIGURATION.replace("Asia/Shanghai", "Asia/Shanghia"), encoding="utf-8")

    done = ask(config, "--month", "2026-10")

    assert done.returncode == 1
    assert f"{config}:1: site.timezone:".encode() in done.stderr


def test_secrets_are_not_needed(config, store):
    mail = (
        'mail: {smtp: "smtps://127.0.0.1", from: noc@dc.example, username: noc, password: {file: /nowhere}}\n'
    )
    config.write_text(mail + CONFIGURATION, encoding="utf-8")

    assert ask(config, "--month", "2026-10").returncode == 0


def test_a_file_is_written_whole(config, store, tmp_path):
    target = tmp_path / "october.csv"
    target.write_text("old", encoding="utf-8")

    with target.open(encoding="utf-8") as reading:
        done = ask(config, "--month", "2026-10", "--format", "csv", "--output", str(target))
        assert reading.read() == "old", "whoever reads the old report reads it to its end"

    assert (done.returncode, done.stdout) == (0, b"")
    assert target.read_bytes() == reports.render("csv", october(None))
    assert sorted(file.name for file in tmp_path.iterdir()) == ["hostwatch.yaml", "october.csv", "var"]


def test_a_device_file_is_written_to_and_not_replaced(config, store):
    done = ask(config, "--month", "2026-10", "--format", "csv", "--output", "/dev/stdout")

    assert done.stdout == reports.render("csv", october(None))
    assert Path("/dev/null").is_char_device()
    assert ask(config, "--month", "2026-10", "--output", "/dev/null").returncode == 0
    assert Path("/dev/null").is_char_device()


def on_a_terminal(config: Path, columns: int, **environment: str) -> str:
    """What a terminal of that width shows."""
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 50, columns, 0, 0))
    with subprocess.Popen(
        [*COMMAND, "--config", str(config), "--month", "2026-10"],
        cwd=ROOT,
        env={"PATH": os.environ["PATH"], "TERM": "xterm", **environment},
        stdin=theirs,
        stdout=theirs,
        stderr=subprocess.DEVNULL,
    ) as process:
        os.close(theirs)
        shown = io.BytesIO()
        try:
            while chunk := os.read(ours, 65536):
                shown.write(chunk)
        except OSError:
            pass
        assert process.wait() == 0
    os.close(ours)
    return shown.getvalue().decode()


def test_a_terminal_is_used_as_it_is(config, store):
    wide, narrow = on_a_terminal(config, 140), on_a_terminal(config, 60)

    assert "\x1b[1m" in wide
    assert "─" in wide
    assert max(len(re.sub(r"\x1b\[[0-9;]*m", "", line)) for line in narrow.splitlines()) <= 60
    assert "\x1b" not in on_a_terminal(config, 140, NO_COLOR="1")

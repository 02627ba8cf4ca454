"""The whole daemon, traced: every system call that it makes is one that the unit allows.

No systemd runs here, so what it would enforce is compared instead: the calls that the trace shows with the
sets that `systemd-analyze` gives, and the memory and sockets asked for with what the unit says of them.
"""

from __future__ import annotations

import os
import re
import signal
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
UNIT = (ROOT / "systemd" / "hostwatch.service").read_text()
PATIENCE_S = 30.0

CONFIGURATION = """
site: {name: Confined, timezone: Asia/Shanghai}
store: sqlite:///state/hostwatch.db
schedule: {interval: 200ms}
listen: 127.0.0.1:0
customers:
  - id: acme
    name: Acme Trading
    contacts:
      - {id: duty, name: Duty officer, channels: [webhook: "http://127.0.0.1:9/hook"]}
    devices:
      - {id: acme-web-1, address: 127.0.0.1, services: {www: {checks: [tcp: {port: 9, timeout: 150ms}]}}}
      - {id: acme-web-2, address: "::1"}
"""


def settings(name: str) -> list[str]:
    return re.findall(rf"^{name}=(.*)$", UNIT, re.MULTILINE)


def call_sets() -> dict[str, set[str]]:
    """systemd's named sets of system calls, each with what stands in it; sets may name other sets."""
    listing = subprocess.run(
        ["systemd-analyze", "--no-pager", "syscall-filter"], capture_output=True, text=True, check=True
    )
    found: dict[str, set[str]] = {}
    members: set[str] = set()
    for line in listing.stdout.splitlines():
        if line.startswith("@"):
            members = found.setdefault(line.strip(), set())
        elif line.startswith("    ") and not line.strip().startswith("#"):
            members.add(line.strip())
    return found


def allowed_calls() -> set[str]:
    """The filter of the unit, worked out: the first line admits, a line with ~ takes away again."""
    sets = call_sets()

    def members(name: str) -> set[str]:
        if not name.startswith("@"):
            return {name}
        return set().union(*(members(each) for each in sets[name]))

    # What the filter lets through in any case, so that a program can be started and ended at all.
    calls = members("@default")
    for line in settings("SystemCallFilter"):
        named = set().union(*(members(name) for name in line.removeprefix("~").split()))
        calls = calls - named if line.startswith("~") else calls | named
    if settings("ProtectClock") == ["yes"]:
        calls -= members("@clock")
    return calls | members("@default") | {"execve"}


@pytest.fixture
def told(tmp_path: Path) -> Iterator[Callable[[str], None]]:
    """Waits until the daemon has told the service manager the given line."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
        manager.bind(str(tmp_path / "notify"))
        manager.settimeout(PATIENCE_S)

        def wait(line: str) -> None:
            while line not in manager.recv(4096).decode().splitlines():
                pass

        yield wait


@pytest.fixture
def trace(tmp_path: Path, told: Callable[[str], None]) -> str:
    """Start, look, reload, stop: every system call of all threads, as strace writes them."""
    (tmp_path / "hostwatch.yaml").write_text(CONFIGURATION)
    written = tmp_path / "trace"
    # With -D the daemon is our own child and the tracer hangs beside it.
    strace = ["strace", "-D", "-f", "-qq", "-o", str(written)]
    daemon = subprocess.Popen(
        [*strace, sys.executable, "-m", "hostwatch", "run", "--config", str(tmp_path / "hostwatch.yaml")],
        env={**os.environ, "NOTIFY_SOCKET": str(tmp_path / "notify"), "WATCHDOG_USEC": "2000000"},
        cwd=ROOT,
    )
    try:
        told("READY=1")
        told("WATCHDOG=1")
        daemon.send_signal(signal.SIGHUP)
        told("READY=1")
        daemon.send_signal(signal.SIGTERM)
        told("STOPPING=1")
        assert daemon.wait(PATIENCE_S) == 0
    finally:
        daemon.kill()
        daemon.wait()
    return written.read_text()


@pytest.mark.lab
def test_the_daemon_lives_with_what_the_unit_leaves_it(trace: str) -> None:
    called = set(re.findall(r"^\d+ +(\w+)\(", trace, re.MULTILINE))
    assert {"sendto", "recvmsg", "fdatasync"} & called
    assert {"adjtimex", "clock_adjtime"} & called
    # SQLite hands its files to the owner of the folder, and checkers give up capabilities, if they are root,
    # as here and never in service. That a priority is refused does no harm.
    assert called - {"fchown", "capset", "setpriority"} - allowed_calls() == set()

    # MemoryDenyWriteExecute= refuses these.
    assert settings("MemoryDenyWriteExecute") == ["yes"]
    assert re.findall(r"^.*mmap\(.*PROT_WRITE\|PROT_EXEC.*$", trace, re.MULTILINE) == []
    assert re.findall(r"^.*mprotect\(.*PROT_EXEC.*$", trace, re.MULTILINE) == []

    families = set(re.findall(r"socket\((AF_\w+)", trace))
    assert families <= set(settings("RestrictAddressFamilies")[0].split())

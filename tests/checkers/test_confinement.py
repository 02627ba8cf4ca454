"""As another user than root, traced: every system call is one that the unit of the service allows."""

from __future__ import annotations

import asyncio
import os
import re
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from hostwatch.checkers import services
from hostwatch.checkers.protocol import Begin, Found, Look, Order, Ready, encoded, from_checkers, receive
from hostwatch.core.reading import Outcome
from tests.checkers.conftest import PATIENCE_S, SECOND_US, checkers, greet, service
from tests.checks.conftest import serving
from tests.test_confinement import allowed_calls, settings

ROOT = Path(__file__).resolve().parents[2]

AS_NOBODY = """
import os, sys
from hostwatch.checkers import process, services
for kind in services.kinds():
    services.module(kind)
os.setgroups([])
os.setresgid(65534, 65534, 65534)
os.setresuid(65534, 65534, 65534)
os.write(1, b"from here on")
process.main(sys.argv[1:])
"""


@pytest.mark.lab
async def test_it_lives_with_what_the_unit_leaves_it(tmp_path: Path) -> None:
    written = tmp_path / "trace"
    ours, theirs = socket.socketpair()
    process = traced(written, theirs)
    theirs.close()
    reader, writer = await asyncio.open_connection(sock=ours)
    try:
        async with asyncio.timeout(PATIENCE_S), serving(greet) as port:
            ready = from_checkers(await receive(reader))
            told = status(process.pid)
            writer.write(encoded(Begin()) + encoded(services.defined("k", service(port))))
            writer.write(encoded(Look(orders=(Order(1, "k", "127.0.0.1", 0, SECOND_US),))))
            found = from_checkers(await receive(reader))
    finally:
        writer.transport.abort()
        code = await asyncio.to_thread(process.wait, PATIENCE_S)

    assert isinstance(ready, Ready)
    assert isinstance(found, Found)
    assert (found.outcome, code) == (Outcome.ANSWERED, 0)
    assert re.findall(r"^Uid:\s+(\d+)", told, re.MULTILINE) == ["65534"]
    assert {int(one, 16) for one in re.findall(r"^Cap(?:Inh|Prm|Eff|Amb):\s+(\w+)$", told, re.MULTILINE)} == {
        0
    }
    trace = after_the_mark(written)
    assert "connect(" in trace
    assert set(re.findall(r"^\d+ +(\w+)\(", trace, re.MULTILINE)) - allowed_calls() == set()
    families = set(re.findall(r"socket\((AF_\w+)", trace))
    assert families <= set(settings("RestrictAddressFamilies")[0].split())


def traced(written: Path, theirs: socket.socket) -> subprocess.Popen[bytes]:
    strace = ["strace", "-D", "-f", "-qq", "-o", str(written)]
    return subprocess.Popen(
        [*strace, sys.executable, "-c", AS_NOBODY, str(theirs.fileno())],
        pass_fds=(theirs.fileno(),),
        stdout=subprocess.DEVNULL,
        cwd=ROOT,
    )


def status(process: int) -> str:
    return Path(f"/proc/{process}/status").read_text(encoding="utf-8")


def after_the_mark(written: Path) -> str:
    _, mark, trace = written.read_text(encoding="utf-8").partition("from here on")
    assert mark
    return trace


TRIES = """
import os, subprocess, sys
from hostwatch.checkers.confinement import confine
store, watch = sys.argv[1], int(sys.argv[2])
opened = open(store)
confine()
def tried(deed):
    try:
        deed()
    except (PermissionError, subprocess.SubprocessError):
        return "refused"
    return "done"
print(*[tried(deed) for deed in (
    lambda: open(store),
    lambda: open(store, "r+"),
    lambda: open(store + "-new", "w"),
    lambda: os.remove(store),
    lambda: os.rename(store, store + "-old"),
    lambda: os.truncate(store, 0),
    lambda: open("/proc/self/fd/%d" % opened.fileno(), "r+"),
    lambda: subprocess.run(["true"]),
    lambda: os.kill(watch, 0),
)])
"""


def test_it_writes_nothing_starts_nothing_and_signals_nobody(tmp_path: Path) -> None:
    """Though root, as here, may do all of it, and in service the user of the watch the most of it."""
    store = tmp_path / "hostwatch.db"
    store.write_text("the record")
    with subprocess.Popen(["sleep", "60"]) as watch:
        try:
            told = subprocess.run(
                [sys.executable, "-c", TRIES, str(store), str(watch.pid)],
                capture_output=True,
                text=True,
                check=True,
                cwd=ROOT,
                timeout=PATIENCE_S,
            )
        finally:
            watch.kill()
    read, *others = told.stdout.split()
    version = tuple(int(part) for part in re.findall(r"\d+", os.uname().release)[:2])
    scoped = others if version >= (6, 12) else others[:-1]
    assert read == "done"
    assert set(scoped) == {"refused"}, others
    assert [file.name for file in tmp_path.iterdir()] == ["hostwatch.db"]
    assert store.read_text() == "the record"


async def test_a_kernel_that_cannot_forbid_it_is_told_of() -> None:
    async with checkers() as process:
        assert process.notes == ()

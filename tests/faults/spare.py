"""Processes that stand ready to be a hostwatch, forked from one that has imported it: so a start is cheap.

What runs in them is the command line itself, `hostwatch run` and the rest.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import subprocess
import traceback
from collections.abc import Sequence
from pathlib import Path

from hostwatch import cli
from tests.faults import world

CALLS = ("pwrite64", "write", "fdatasync", "fsync", "sendto", "sendmsg")
"""The system calls by which the watch writes, makes durable and speaks."""

STRACE_WITHIN_S = 10.0


class Spare:
    """One process that waits, then runs a command, once."""

    def __init__(self, command: Sequence[str], log: Path) -> None:
        """Fork it. Our process must have a single thread."""
        self.log = log
        ready, self._go = os.pipe()
        self.pid = os.fork()
        if self.pid == 0:
            os.close(self._go)
            _become(command, log, ready)
        os.close(ready)
        self._pidfd = os.pidfd_open(self.pid)

    def go(self) -> None:
        """Run the command."""
        os.write(self._go, b"!")
        os.close(self._go)

    def traced(self, *arguments: str) -> subprocess.Popen[bytes]:
        """Run the command under strace."""
        tracer = subprocess.Popen(["strace", "-f", "-qq", "-p", str(self.pid), *arguments])
        status = Path(f"/proc/{self.pid}/status")
        while "TracerPid:\t0\n" in status.read_text():
            if tracer.poll() is not None:
                raise RuntimeError("strace cannot attach")
            os.sched_yield()
        self.go()
        return tracer

    async def ended(self) -> int:
        """Wait until it has ended; the exit code, or minus the signal."""
        gone = asyncio.Event()
        loop = asyncio.get_running_loop()
        loop.add_reader(self._pidfd, gone.set)
        try:
            await gone.wait()
        finally:
            loop.remove_reader(self._pidfd)
        return self._reaped()

    def _reaped(self) -> int:
        return os.waitstatus_to_exitcode(os.waitpid(self.pid, 0)[1])

    def last_line(self) -> str:
        """What it said last."""
        return (self.log.read_text(errors="replace").splitlines() or [""])[-1]

    def terminate(self) -> None:
        """Ask it to stop, if it is still there."""
        with contextlib.suppress(ProcessLookupError):
            signal.pidfd_send_signal(self._pidfd, signal.SIGTERM)


def _become(command: Sequence[str], log: Path, ready: int) -> None:
    """In the child: wait for the word, run the command, never return."""
    code = 70
    try:
        world.die_with_parent()
        out = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        os.dup2(out, 1)
        os.dup2(out, 2)
        if os.read(ready, 1):
            code = cli.main(command)
    except SystemExit as leaving:
        code = leaving.code if isinstance(leaving.code, int) else 1
    except BaseException:
        traceback.print_exc()
    finally:
        os._exit(code)

"""A program that is run and measured: what the kernel says it used (wait4), and what it printed."""

from __future__ import annotations

import os
import subprocess
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from tests.bench.machine import BUSY_MAX, Meter

TICKS = os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """One run of one program."""

    cpu_s: float
    """User and system time, of its children too once they have been waited for."""

    wall_s: float
    rss_mib: float
    """At most this: the kernel counts what the process held before it became this program."""

    out: str
    err: str
    code: int
    others: float
    """What other work took meanwhile, in cores."""

    @property
    def clean(self) -> bool:
        """Whether nothing else was going on."""
        return self.others <= BUSY_MAX


def run(words: Sequence[str], *, cwd: Path | None = None) -> Run:
    """Run a program to its end."""
    with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
        meter, began = Meter(), time.monotonic()
        process = subprocess.Popen(words, stdin=subprocess.DEVNULL, stdout=out, stderr=err, cwd=cwd)
        _, status, used = os.wait4(process.pid, 0)
        wall = time.monotonic() - began
        process.returncode = os.waitstatus_to_exitcode(status)
        cpu = used.ru_utime + used.ru_stime
        return Run(
            cpu_s=cpu,
            wall_s=wall,
            rss_mib=used.ru_maxrss / 1024,
            out=_text(out),
            err=_text(err),
            code=process.returncode,
            others=meter.others(cpu),
        )


def _text(file: IO[bytes]) -> str:
    file.seek(0)
    return file.read().decode(errors="replace")


def best(runs: Sequence[Run]) -> list[Run]:
    """The runs that count: the clean ones if there are two, else all."""
    clean = [one for one in runs if one.clean]
    return clean if len(clean) >= 2 else list(runs)


def cpu_of(pid: int) -> float:
    """What a running process has used so far, all its threads and the children that it has waited for."""
    words = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()
    return sum(int(word) for word in words[11:15]) / TICKS


def memory_of(pid: int) -> tuple[float, float]:
    """What a running process holds now, and held at most, in MiB."""
    lines = dict(
        line.split(":", 1) for line in Path(f"/proc/{pid}/status").read_text(encoding="utf-8").splitlines()
    )
    return int(lines["VmRSS"].split()[0]) / 1024, int(lines["VmHWM"].split()[0]) / 1024

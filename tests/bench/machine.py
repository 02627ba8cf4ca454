"""The machine that a figure comes from, and how much else it was doing meanwhile."""

from __future__ import annotations

import os
import platform
import sqlite3
import time
from importlib.metadata import version
from pathlib import Path

BUSY_MAX = 0.2
"""A run beside more work of others than this, in cores, counts only if there is no better."""


def facts() -> dict[str, str]:
    """What must be known of a machine to compare figures with it."""
    memory_kib = int(Path("/proc/meminfo").read_text(encoding="ascii").split()[1])
    return {
        "processor": _processor(),
        "cores": str(os.cpu_count()),
        "memory": f"{memory_kib / 1024**2:.0f} GiB",
        "kernel": platform.release(),
        "Python": f"{platform.python_version()} ({platform.python_compiler()})",
        "SQLite": sqlite3.sqlite_version,
        "hostwatch": version("hostwatch"),
        "icmplib": version("icmplib"),
        "rmem_max": Path("/proc/sys/net/core/rmem_max").read_text(encoding="ascii").strip(),
    }


def _processor() -> str:
    for line in Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines():
        name, _, value = line.partition(":")
        if name.strip() == "model name":
            return value.strip()
    return platform.machine()


def core_for(what: int) -> str:
    """The core that the measured one (0) or the one who answers it (1) is held to."""
    cores = sorted(os.sched_getaffinity(0))
    return str(cores[-1 - what % len(cores)])


class Meter:
    """How much processor time everybody used since it was made."""

    def __init__(self) -> None:
        self._wall, self._busy_s = time.monotonic(), _busy_s()

    def others(self, own_s: float) -> float:
        """What others used, in cores. `own_s` is what the measured ones used."""
        wall = time.monotonic() - self._wall
        return max(0.0, (_busy_s() - self._busy_s - own_s) / wall) if wall > 0 else 0.0


def _busy_s() -> float:
    ticks = [int(word) for word in Path("/proc/stat").read_text(encoding="ascii").split("\n")[0].split()[1:9]]
    user, nice, system, _idle, _waiting, interrupts, soft, stolen = ticks
    return (user + nice + system + interrupts + soft + stolen) / os.sysconf("SC_CLK_TCK")

"""icmplib's `async_multiping`, as a program:  python -m tests.bench.peer_icmplib LIST TASKS raw|ping"""

from __future__ import annotations

import asyncio
import json
import resource
import sys
import time
from pathlib import Path

import icmplib


def cpu_s() -> float:
    """What this process has used."""
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


def main(path: str, tasks: str, kind: str) -> None:
    """Ping all once, and print what came and what it used."""
    targets = Path(path).read_text(encoding="ascii").split()
    began, cpu = time.monotonic(), cpu_s()
    found = asyncio.run(
        icmplib.async_multiping(
            targets, count=1, timeout=1, concurrent_tasks=int(tasks), privileged=kind == "raw"
        )
    )
    answered = sum(one.is_alive for one in found)
    used, wall = cpu_s() - cpu, time.monotonic() - began
    print(json.dumps({"cpu_s": used, "wall_s": wall, "targets": len(targets), "answered": answered}))


if __name__ == "__main__":
    main(*sys.argv[1:])

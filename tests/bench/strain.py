"""The engine under strain: another pinger, a loop that stands still, a small buffer, one capability."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from ipaddress import IPv4Address
from pathlib import Path
from typing import Any

from tests.bench import tools, usage
from tests.bench.bench import Bench
from tests.bench.machine import core_for
from tests.bench.network import BEHIND_THE_TUN, Network, addresses
from tests.bench.tools import ROOT

RATE = 10_000
TARGETS = 100_000
FOREIGN_RATE = 20_000
FOREIGN_TARGETS = 10_000
FOREIGN_ROUNDS_MAX = 1_000_000
DELAY_US = 2_000
"""As far as a machine in another hall is. At 20 ms 200 replies are under way: nearly the whole buffer."""
SILENT_EVERY = 100
HOLDS = 256
"""Replies that a receive buffer of 212,992 bytes takes."""

AS_THE_UNIT = ("setpriv", "--bounding-set", "-all,+net_raw", "--inh-caps", "-all,+net_raw")
WORDS = f"{RATE:,}/s, {FOREIGN_RATE:,} foreign/s, RTT {DELAY_US // 1000} ms, stalls of 500 ms"


def write_list(bench: Bench) -> Path:
    """The targets, and who of them is silent."""
    path = bench.scratch / "strained"
    lines = (
        f"{one} silent\n" if int(IPv4Address(one)) % SILENT_EVERY == 7 else f"{one}\n"
        for one in addresses(TARGETS, base=BEHIND_THE_TUN)
    )
    path.write_text("".join(lines), encoding="ascii")
    return path


@contextmanager
def foreigner(bench: Bench, network: Network) -> Iterator[None]:
    """Another pinger in the same namespace. Each of its replies is shown to every raw socket there."""
    path = bench.write_list("foreign", addresses(FOREIGN_TARGETS))
    words = [tools.compiled("echo_loop"), "-r", str(FOREIGN_RATE), "-n", str(FOREIGN_ROUNDS_MAX), str(path)]
    process = subprocess.Popen(network.near.command("taskset", "-c", core_for(1), *words))
    try:
        yield
    finally:
        process.kill()
        process.wait()


def ping(bench: Bench, network: Network, *more: str) -> dict[str, Any]:
    """Our engine with no right but to open raw sockets. The network has its TUN device already."""
    words = [sys.executable, "-m", "tests.bench.enduring", str(write_list(bench)), "--holds", str(HOLDS)]
    with foreigner(bench, network):
        done = usage.run(network.measured(*AS_THE_UNIT, *words, *more), cwd=ROOT)
    if done.code != 0:
        raise RuntimeError(f"it ended with {done.code}: {done.err.strip()[-1_000:]}")
    said: dict[str, Any] = json.loads(done.out)
    return said | {"others": done.others}

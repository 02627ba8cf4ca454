"""A storm: 10,000 devices of one site fall silent at once and come back, and everybody is told of each."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator

from tests.bench.bench import Bench
from tests.bench.table import Line, at_most

DEVICES = 10_000
CPU_MAX_S = 20.0
"""For 40,000 notices handed over, each with an attempt begun and ended."""

LOOP_MAX_S = 0.02


def measure(bench: Bench) -> Iterator[Line]:
    """With 1,000 devices when it is to be quick."""
    devices = DEVICES // 10 if bench.quick else DEVICES
    words = [sys.executable, "-m", "tests.bench.storming", "--devices", str(devices)]
    phases = json.loads(subprocess.run(words, check=True, capture_output=True, text=True).stdout)
    asked = f"{devices:,} devices, two contacts each"
    yield at_most(
        row="storm",
        measure="CPU of the loop, from the first misses to the last notice of a recovery",
        asked=asked,
        ours=sum(phase["cpu_s"] for phase in phases),
        goal=CPU_MAX_S * devices / DEVICES,
        unit="s",
        note="; ".join(f"{phase['phase']} {phase['cpu_s']:.1f} s" for phase in phases),
    )
    yield at_most(
        row="storm",
        measure="the loop's longest delay meanwhile",
        asked=asked,
        ours=max(phase["longest_s"] for phase in phases) * 1e3,
        goal=LOOP_MAX_S * 1e3,
        unit="ms",
    )

"""A configuration of 100,000 devices: read, brought into force, and read again with 100 changes."""

from __future__ import annotations

import shutil
import sys
import time
from collections.abc import Iterator
from pathlib import Path

from tests.bench import usage
from tests.bench.bench import Bench
from tests.bench.inventory import FILE_DEVICES, Inventory
from tests.bench.network import Network
from tests.bench.table import Line, at_most
from tests.bench.tools import ROOT
from tests.bench.watching import Pulse, Watched

DEVICES = 100_000
READ_MAX_S = {"csv": 5.0, "yaml": 40.0}
STEP_MAX_S = 0.02
RELOAD_MAX_S = 1.0
CHANGES = 100
STARTS_WITHIN_S = 1_200


def measure(bench: Bench) -> Iterator[Line]:
    """With 10,000 devices when it is to be quick."""
    inventory = Inventory(DEVICES // 10 if bench.quick else DEVICES, silent_every=DEVICES)
    for kind, goal in READ_MAX_S.items():
        yield _read(bench, inventory, kind, goal)
    yield from _force(bench, inventory)


def _hostwatch(*words: str) -> list[str]:
    return [sys.executable, "-m", "hostwatch", *words]


def _read(bench: Bench, inventory: Inventory, kind: str, goal: float) -> Line:
    asked = f"{inventory.devices:,} devices in {kind.upper()}, hostwatch check-config"
    bench.say(f"configuration: {asked}")
    folder = bench.scratch / f"read-{kind}"
    path = inventory.write(folder, kind)
    done = usage.run(_hostwatch("check-config", str(path)), cwd=ROOT)
    shutil.rmtree(folder)
    if done.code != 0:
        raise RuntimeError(f"check-config found mistakes: {done.err[-500:]}")
    return at_most(
        row="configuration",
        measure="read and checked",
        asked=asked,
        ours=done.wall_s,
        goal=goal,
        unit="s",
        note=f"{done.cpu_s:.1f} s of CPU, {done.rss_mib:.0f} MiB; other work took {done.others:.1f} cores",
    )


def _force(bench: Bench, inventory: Inventory) -> Iterator[Line]:
    asked = f"{inventory.devices:,} devices in CSV"
    bench.say(f"configuration: {asked}: a first start")
    folder = bench.scratch / "force"
    path = inventory.write(folder)
    with Network() as network, Watched(network, path) as watched:
        listening_s = watched.wait_for("/-/healthy", STARTS_WITHIN_S)
        with Pulse(watched) as pulse:
            ready_s = watched.wait_for("/-/ready", STARTS_WITHIN_S)
            lag_s = watched.metrics()["hostwatch_loop_lag_seconds"]
            all_s = _wait_for_all(watched, inventory.devices)
        yield at_most(
            row="configuration",
            measure="the loop's longest delay while it is brought into force",
            asked=f"{asked}, first start",
            ours=max(lag_s, pulse.longest_s) * 1e3,
            goal=STEP_MAX_S * 1e3,
            unit="ms",
            note=f"the watch itself says at the first scrape: {lag_s * 1e3:.0f} ms; seconds from the start:"
            f" listening {listening_s:.1f}, ready {ready_s:.1f}, all watched {all_s:.1f}. {pulse.broken}",
        )
        time.sleep(5)
        firsts = range(0, inventory.devices, FILE_DEVICES)
        share = CHANGES // len(firsts)
        for first in firsts:
            inventory.write_file(folder, first, moved=share)
        yield from _reload(bench, watched, path, f"{asked}, {CHANGES} changes in all files")
        inventory.write_file(folder, 0, moved=share + CHANGES)
        yield from _reload(bench, watched, path, f"{asked}, {CHANGES} changes in one file")


def _wait_for_all(watched: Watched, devices: int) -> float:
    """Until every device is watched; how many seconds after the start that was."""
    over = time.monotonic() + STARTS_WITHIN_S
    while watched.signals() < devices and time.monotonic() < over:
        time.sleep(1)
    return time.monotonic() - watched.began


def _reload(bench: Bench, watched: Watched, path: Path, asked: str) -> Iterator[Line]:
    bench.say(f"configuration: {asked}")
    with Pulse(watched) as pulse:
        done = usage.run(_hostwatch("reload", "--config", str(path)), cwd=ROOT)
    watched.check()
    if done.code != 0:
        raise RuntimeError(f"the reload was refused: {done.err[-500:]}")
    yield at_most(
        row="configuration",
        measure="reload",
        asked=asked,
        ours=done.wall_s,
        goal=RELOAD_MAX_S,
        unit="s",
        note="The command's own start is in it, about 0.3 s.",
    )
    yield at_most(
        row="configuration",
        measure="the loop's longest delay meanwhile",
        asked=asked,
        ours=pulse.longest_s * 1e3,
        goal=STEP_MAX_S * 1e3,
        unit="ms",
        note=pulse.broken,
    )

"""The whole watch: the real daemon over 100,000 and 1,000,000 devices, one in a hundred silent."""

from __future__ import annotations

import http.client
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path

from hostwatch.core.facts import SilenceBegan
from hostwatch.core.schedule import Target
from hostwatch.store.reader import Reader
from tests.bench import month, table
from tests.bench.bench import Bench
from tests.bench.inventory import Inventory, signal
from tests.bench.machine import Meter
from tests.bench.network import Network
from tests.bench.table import Line, at_most
from tests.bench.watching import Watched
from tests.bench.wire import REQUEST, Wire

INTERVAL = timedelta(minutes=5)
SCRAPE_EVERY_S = 15
STARTS_WITHIN_S = 1_200
GOALS = {100_000: (2.5, 150.0), 1_000_000: (10.0, 600.0)}
"""Of the processor, in per cent of a core, and of the memory, in MiB."""

LATENESS_MAX_S = 1.0
RETRY_MIN_US = 500_000
"""A packet of a ping that leaves so long after its due instant may be its second."""

EVIDENCE_MAX_BYTES = 1_000


@dataclass(slots=True)
class Seen:
    """What a span of watching brought."""

    span_s: float = 0.0
    cpu_s: float = 0.0
    others: float = 0.0
    rss_mib: list[float] = field(default_factory=list)
    peak_mib: float = 0.0
    scrapes_s: list[float] = field(default_factory=list)
    readings: dict[str, int] = field(default_factory=dict)
    lateness_s: list[float] = field(default_factory=list)
    requests: int = 0
    lost_on_the_wire: int = 0
    silent_due: int = 0
    false_misses: int = 0
    store_grew: int = 0


def measure(bench: Bench) -> Iterator[Line]:
    """Both sizes; the smaller alone when it is to be quick."""
    for devices in (100_000,) if bench.quick else (100_000, 1_000_000):
        yield from watch(bench, devices, 120 if bench.quick else 600)


def watch(bench: Bench, devices: int, span_s: int) -> Iterator[Line]:
    """One size."""
    inventory = Inventory(devices)
    folder = bench.scratch / f"watch-{devices}"
    asked = f"{devices:,} devices, 5 min, {span_s // 60} min, 1 % silent"
    bench.say(f"watch: {asked}: writing and reading the configuration")
    path = inventory.write(folder)
    with Network(silent=inventory.silent) as network, Watched(network, path) as watched:
        started_s = watched.wait_for("/-/ready", STARTS_WITHIN_S)
        bench.say(f"watch: ready after {started_s:.0f} s; until each device has had its turn")
        _settle(watched, devices)
        bench.say(f"watch: measuring for {span_s} s")
        seen = _look(watched, network, folder, span_s)
    judge(seen, inventory, folder / "wire")
    store = folder / "hostwatch.db"
    bare, full = (month.of(store, folder / "month.db", healthy=healthy) for healthy in (True, False))
    with Reader(folder / "hostwatch.db") as reader:
        living = {signal(place) for place in range(devices) if place % 100 != 50}
        seen.false_misses = sum(
            isinstance(one, SilenceBegan) and one.signal in living for one in reader.facts([SilenceBegan])
        )
    yield from _lines(asked, devices, seen, started_s)
    yield at_most(
        row="watch",
        measure="evidence of a healthy device, a month",
        asked=f"{devices:,} devices, latency excluded",
        ours=bare / devices,
        goal=EVIDENCE_MAX_BYTES,
        unit="bytes",
        note=f"With latencies and who is silent the slices of a month take {full / 1e6:,.0f} MB in all.",
    )


def _settle(watched: Watched, devices: int) -> None:
    """Until every device has been looked at once, and what that brings is recorded."""
    over = time.monotonic() + INTERVAL.total_seconds() + STARTS_WITHIN_S
    while time.monotonic() < over:
        try:
            if sum(watched.readings().values()) >= devices:
                break
        except (OSError, http.client.HTTPException):
            watched.check()
        time.sleep(10)
    time.sleep(10)


def _look(watched: Watched, network: Network, folder: Path, span_s: int) -> Seen:
    seen = Seen()
    with Wire(network, folder / "wire") as wire:
        before = watched.readings()
        size = watched.store.stat().st_size
        meter, began, cpu = Meter(), time.monotonic(), watched.cpu_s()
        while (left := began + span_s - time.monotonic()) > 0:
            asked = time.monotonic()
            watched.metrics()
            seen.scrapes_s.append(time.monotonic() - asked)
            seen.rss_mib.append(watched.memory_mib()[0])
            time.sleep(max(0.0, min(SCRAPE_EVERY_S - seen.scrapes_s[-1], left)))
        seen.cpu_s, seen.span_s = watched.cpu_s() - cpu, time.monotonic() - began
        seen.others = meter.others(seen.cpu_s)
        seen.readings = {name: count - before[name] for name, count in watched.readings().items()}
        seen.peak_mib = watched.memory_mib()[1]
        seen.store_grew = watched.store.stat().st_size - size
    seen.lost_on_the_wire = wire.dropped
    return seen


def judge(seen: Seen, inventory: Inventory, capture: Path) -> None:
    """How late the first packet of each ping left, after the instant that its device is due by its phase."""
    interval_us = INTERVAL // timedelta(microseconds=1)
    phases: dict[int, int] = {}
    had: set[tuple[int, int]] = set()
    first_us: int | None = None
    for packet in Wire.read(capture):
        if packet.kind != REQUEST:
            continue
        phase = phases.get(packet.place)
        if phase is None:
            target = Target(signal=signal(packet.place), address="", interval=INTERVAL)
            phase = phases[packet.place] = target.phase_us
        lap, late_us = divmod(packet.at_ns // 1000 - phase, interval_us)
        if late_us > interval_us // 2:
            lap, late_us = lap + 1, late_us - interval_us
        first_us = packet.at_ns // 1000 if first_us is None else first_us
        if lap * interval_us + phase < first_us - RETRY_MIN_US:
            continue  # it began before the capture did, which saw only its later packets
        if (packet.place, lap) not in had:
            had.add((packet.place, lap))
            seen.lateness_s.append(late_us / 1e6)
            seen.silent_due += packet.place % inventory.silent_every == inventory.silent_every // 2
    seen.requests = len(had)


def _lines(asked: str, devices: int, seen: Seen, started_s: float) -> Iterator[Line]:
    cpu_goal, memory_goal = GOALS[devices]
    looks = sum(seen.readings.values())
    busy = f"other work took {seen.others:.1f} cores meanwhile" if seen.others > 0.2 else ""
    yield at_most(
        row="watch",
        measure="CPU, of one core",
        asked=asked,
        ours=seen.cpu_s / seen.span_s * 100,
        goal=cpu_goal,
        unit="%",
        note=f"{seen.cpu_s / looks * 1e6:.0f} µs a probe. {busy}",
    )
    yield at_most(
        row="watch",
        measure="memory",
        asked=asked,
        ours=max(seen.rss_mib),
        goal=memory_goal,
        unit="MiB",
        note=f"at most {seen.peak_mib:.0f} MiB since the start; ready {started_s:.0f} s after it",
    )
    late = [table.quantile(seen.lateness_s, share) for share in (0.5, 0.99, 1.0)]
    yield Line(
        row="watch",
        measure="start lateness p50 / p99 / max",
        asked=asked,
        ours=" / ".join(f"{one * 1e3:,.0f}" for one in late) + " ms",
        goal="p99 ≤ 1 s",
        reached=late[1] <= LATENESS_MAX_S,
        note=f"of {seen.requests:,} pings on the cable; the capture lost {seen.lost_on_the_wire:,} packets",
        figures={"p50_s": late[0], "p99_s": late[1], "max_s": late[2]},
    )
    yield Line(
        row="watch",
        measure="false misses",
        asked=asked,
        ours=f"{seen.false_misses:,}",
        goal="0",
        reached=seen.false_misses == 0,
        note=f"{seen.readings}; {seen.silent_due:,} pings went to silent devices",
    )
    yield Line(
        row="watch",
        measure="/metrics, scraped each 15 s",
        asked=asked,
        ours=f"{table.figure(table.middle(seen.scrapes_s))} s, at most {table.figure(max(seen.scrapes_s))} s",
        figures={"median_s": table.middle(seen.scrapes_s), "max_s": max(seen.scrapes_s)},
    )

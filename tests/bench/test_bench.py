"""What things cost, side by side in one run: medians of interleaved rounds, and ratios. Never a verdict.

Run by `scripts/bench`. Compare within one table of one run only; machines differ.
"""

from __future__ import annotations

import asyncio
import gc
import resource
import statistics
import time
from collections.abc import Callable, Coroutine, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

import icmplib
import pytest
from rich.console import Console
from rich.table import Table

from hostwatch.clock import SystemClock
from hostwatch.configuration.load import load
from hostwatch.core import enrolment, instant, judge
from hostwatch.core.population import Customer, Device, Population
from hostwatch.core.reading import Outcome, Reading
from hostwatch.core.world import World
from hostwatch.icmp import IcmpPinger
from hostwatch.pinger import Ask, Batch, Manner
from hostwatch.store.ledger import Ledger, connect

pytestmark = [pytest.mark.bench, pytest.mark.timeout(900)]

ROUNDS = 5
TARGETS = 1_000
ADDRESSES = [f"127.8.{place // 250}.{place % 250 + 1}" for place in range(TARGETS)]
AT = datetime(2026, 10, 1, tzinfo=UTC)


def show(title: str, columns: tuple[str, ...], rows: Sequence[tuple[str, ...]]) -> None:
    table = Table(*columns, title=title, title_justify="left", caption="medians")
    for row in rows:
        table.add_row(*row)
    Console(width=110).print("\n", table)


def cpu_s() -> float:
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


async def ours() -> int:
    clock = SystemClock()
    pinger = IcmpPinger(clock)
    now_us = instant.micros(clock.now())
    asks = tuple(
        Ask(signal=str(place), address=address, at_us=now_us + place * 50)
        for place, address in enumerate(ADDRESSES)
    )
    manner = Manner(attempts=1, spacing=timedelta(milliseconds=100), timeout=timedelta(milliseconds=500))
    alive = 0
    try:
        async for group in pinger.probe(Batch(asks=asks, manner=manner)):
            alive += sum(look.outcome is Outcome.ANSWERED for look in group)
    finally:
        await pinger.close()
    return alive


def theirs(tasks: int) -> Callable[[], Coroutine[None, None, int]]:
    async def ping() -> int:
        found = await icmplib.async_multiping(ADDRESSES, count=1, timeout=0.5, concurrent_tasks=tasks)
        return sum(one.is_alive for one in found)

    return ping


def test_pinging_a_thousand_living_targets_on_loopback() -> None:
    ways = {"hostwatch": ours, "icmplib, 50 tasks": theirs(50), "icmplib, 500 tasks": theirs(500)}
    seen: dict[str, list[tuple[float, float, int]]] = {name: [] for name in ways}
    for _ in range(ROUNDS):
        for name, way in ways.items():
            gc.collect()
            wall, cpu = time.monotonic(), cpu_s()
            alive: int = asyncio.run(way())
            seen[name].append((time.monotonic() - wall, cpu_s() - cpu, alive))
    base = statistics.median(cpu for _, cpu, _ in seen["hostwatch"])
    rows = []
    for name, runs in seen.items():
        wall = statistics.median(run[0] for run in runs)
        cpu = statistics.median(run[1] for run in runs)
        alive = min(run[2] for run in runs)
        rows.append(
            (name, f"{wall:.2f} s", f"{cpu / TARGETS * 1e6:.0f} µs", f"{cpu / base:.1f} ×", str(alive))
        )
    show("One ping of 1,000 targets", ("way", "wall", "CPU a target", "ratio", "alive found (worst)"), rows)


def world_of(devices: int) -> tuple[World, Population]:
    population = Population(
        customers={"acme": Customer(id="acme", contacts=("duty",))},
        devices={
            f"d{n}": Device(id=f"d{n}", customer="acme", address=f"127.9.{n // 250}.{n % 250 + 1}")
            for n in range(devices)
        },
    )
    return World(), population


def test_judging_and_keeping_slices(tmp_path: Path) -> None:
    """A slice of 17 devices (1,000 devices, 5 minutes) and one of 1,667 (100,000 devices)."""
    rows = []
    for size in (17, 1_667):
        judged, kept = [], []
        ledger = Ledger(connect(tmp_path / f"{size}.db"), "bench")
        ledger.open()
        world, population = world_of(size)
        accepted = enrolment.Accepted(
            population=population, digest="x", author="bench", difference=(), content={}
        )
        decision = enrolment.apply(world, accepted, AT)
        ledger.commit(decision, AT)
        world.apply(decision)
        for lap in range(1, ROUNDS * 4 + 1):
            at = AT + lap * timedelta(minutes=5)
            brought = [
                Reading(signal=name, at=at, known_at=at, outcome=Outcome.ANSWERED) for name in world.signals
            ]
            began = time.monotonic()
            decision = judge.readings(world, (1, lap), brought, closes=True, now=at)
            judged.append(time.monotonic() - began)
            ledger.commit(decision, at)
            kept.append(time.monotonic() - began - judged[-1])
            world.apply(decision)
        ledger.close()
        judging, keeping = statistics.median(judged), statistics.median(kept)
        rows.append(
            (
                f"{size:,}",
                f"{judging * 1e3:.2f} ms",
                f"{judging / size * 1e6:.1f} µs",
                f"{keeping * 1e3:.2f} ms",
                f"{keeping / size * 1e6:.1f} µs",
            )
        )
    show("A slice", ("readings", "judged in", "each", "kept in (synchronous=FULL)", "each"), rows)


def test_loading_a_configuration(tmp_path: Path) -> None:
    """100 files of 100 devices."""
    folder = tmp_path / "customers.d"
    folder.mkdir()
    for customer in range(100):
        devices = "\n".join(
            f"  - {{id: c{customer}-d{n}, address: 127.{customer + 1}.0.{n + 1}}}" for n in range(100)
        )
        text = f"id: c{customer}\nname: Customer {customer}\ndevices:\n{devices}\n"
        (folder / f"c{customer}.yaml").write_text(text, encoding="utf-8")
    main = tmp_path / "hostwatch.yaml"
    main.write_text(
        "site: {name: Bench, timezone: Asia/Shanghai}\n"
        "store: sqlite:///bench.db\n"
        "include: customers.d/*.yaml\n",
        encoding="utf-8",
    )
    times = []
    for _ in range(ROUNDS):
        began = time.monotonic()
        load(main)
        times.append(time.monotonic() - began)
    show("Loading a configuration", ("devices", "took"), [("10,000", f"{statistics.median(times):.2f} s")])

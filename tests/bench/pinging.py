"""Our engine alone, as a program: pings a list of addresses and prints what came and what it used.

    python -m tests.bench.pinging LIST [--rate 333] [--attempts 1] [--timeout 1] [--slice 5]

Without --rate all are asked for at once, and the engine sends as fast as it dares. With it the asks are
spread as a schedule spreads them, and handed over a slice at a time. What the interpreter's start and its
imports cost is not counted: a daemon starts once.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import random
import resource
import time
from collections import Counter
from collections.abc import Sequence
from datetime import timedelta
from functools import partial
from operator import sub
from pathlib import Path

from hostwatch import garbage
from hostwatch.clock import SystemClock
from hostwatch.core import instant
from hostwatch.core.reading import Outcome
from hostwatch.core.schedule import ICMP
from hostwatch.icmp import IcmpPinger
from hostwatch.pinger import Ask, Batch, Manner

SEED = 7
_ask = partial(tuple.__new__, Ask)
"""As the watch makes asks (`rounds`)."""


def phases(count: int, rate: float) -> list[int]:
    """When each is to be looked at, in µs from the beginning: by phases as a schedule has them, in order."""
    if not rate:
        return [0] * count
    chance, span_us = random.Random(SEED), count / rate * 1e6
    return sorted(int(chance.random() * span_us) for _ in range(count))


def slices(planned: Sequence[Ask], long_s: float) -> list[tuple[Ask, ...]]:
    """The asks of each slice of the schedule."""
    if planned[0].at_us == planned[-1].at_us:
        return [tuple(planned)]
    found: dict[int, list[Ask]] = {}
    for ask in planned:
        found.setdefault(int((ask.at_us - planned[0].at_us) / 1e6 / long_s), []).append(ask)
    return [tuple(some) for some in found.values()]


def cpu_s() -> tuple[float, float]:
    """What this process has used, itself and in the kernel."""
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime, used.ru_stime


async def ping(options: argparse.Namespace) -> dict[str, float]:
    """Look at all once."""
    targets = options.list.read_text(encoding="ascii").split()
    clock = SystemClock()
    pinger = IcmpPinger(clock)
    manner = Manner(
        attempts=options.attempts,
        spacing=timedelta(seconds=1),
        timeout=timedelta(seconds=options.timeout),
        late_after=timedelta(seconds=60),
    )
    outcomes: Counter[Outcome] = Counter()

    async def one(batch: Batch) -> None:
        async for group in pinger.probe(batch):
            outcomes.update([look.outcome for look in group])

    times = phases(len(targets), options.rate)
    garbage.settle(0)  # as the watch does
    began, cpu = time.monotonic(), cpu_s()
    since_us = instant.micros(clock.now()) + (200_000 if options.rate else 0)
    asks = [
        _ask((target, target, since_us + at, ICMP, "", 0)) for target, at in zip(targets, times, strict=True)
    ]
    planned = slices(asks, options.slice)
    running = []
    for some in planned:
        await clock.sleep_until(instant.from_micros(some[0].at_us - 100_000))
        running.append(asyncio.create_task(one(Batch(asks=some, manner=manner))))
    await asyncio.gather(*running)
    (user_s, sys_s), wall = map(sub, cpu_s(), cpu), time.monotonic() - began
    await pinger.close()
    rss_mib = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    found = {outcome.value: count for outcome, count in outcomes.items()}
    return {
        "user_s": user_s,
        "sys_s": sys_s,
        "wall_s": wall,
        "rss_mib": rss_mib,
        "targets": len(targets),
        **found,
    }


def main() -> None:
    """What stands at the top of this file."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("list", type=Path)
    parser.add_argument("--rate", type=float, default=0.0)
    parser.add_argument("--attempts", type=int, default=1)
    parser.add_argument("--timeout", type=float, default=1.0)
    parser.add_argument("--slice", type=float, default=5.0)
    print(json.dumps(asyncio.run(ping(parser.parse_args()))))


if __name__ == "__main__":
    main()

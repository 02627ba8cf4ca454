"""Our engine under strain, as a program: a steady rate for long, while its loop stands still now and then.

    python -m tests.bench.enduring LIST --probes 1000000 [--rate 10000] [--stall-every 20] [--holds 256]

LIST has an address on each line, and `silent` after those that do not answer. The kernel grants a
receive buffer of `--holds` replies and no more, as on a machine whose `net.core.rmem_max` is small.
Prints what came of the pings as JSON; with --looks it also writes each answer's times to a file.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import resource
import socket
import time
from collections import Counter
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from struct import Struct
from typing import Any, BinaryIO

from hostwatch.clock import SystemClock
from hostwatch.core import instant
from hostwatch.core.reading import Outcome
from hostwatch.icmp import IcmpPinger
from hostwatch.pinger import Ask, Batch, Look, Manner

REPLY_BYTES = 832
"""What the kernel charges to the buffer for a reply."""

SLICE_S = 5.0
STALL_S = 0.5
LOOK = Struct("=qII")
"""When the packet that was answered left (µs since 1970), the target's place in the list, the time in µs."""


def grant(holds: int) -> None:
    """Let no socket have a larger receive buffer than that. The kernel doubles what it is asked for."""
    plain = socket.socket.setsockopt
    most = holds * REPLY_BYTES // 2

    def capped(sock: socket.socket, *words: Any) -> None:
        if words[:2] == (socket.SOL_SOCKET, socket.SO_RCVBUF):
            words = (*words[:2], min(words[2], most))
        plain(sock, *words)

    socket.socket.setsockopt = capped  # type: ignore[method-assign, assignment]


@dataclass(slots=True)
class Tally:
    """What came of the pings."""

    silent: set[str]
    places: dict[str, int]
    file: BinaryIO | None
    outcomes: Counter[str] = field(default_factory=Counter)
    false_misses: list[tuple[str, int, str]] = field(default_factory=list)
    silent_looks: int = 0
    true_misses: int = 0

    unknown: list[tuple[int, int, str]] = field(default_factory=list)

    def take(self, look: Look) -> None:
        """One more."""
        self.outcomes[look.outcome.value] += 1
        is_silent = look.address in self.silent
        self.silent_looks += is_silent
        if look.outcome is Outcome.ANSWERED:
            if self.file is not None and look.rtt_us is not None:
                left = look.at_us if look.answered_us is None else look.answered_us
                self.file.write(LOOK.pack(left, self.places[look.address], look.rtt_us))
        elif look.outcome is Outcome.UNKNOWN:
            self.unknown.append((look.at_us, look.known_us, look.why))
        elif is_silent:
            self.true_misses += 1
        else:
            self.false_misses.append((look.address, look.at_us, look.why))


async def stall(every_s: float, stalls: list[tuple[int, int]]) -> None:
    """Keep the loop from running, now and then."""
    while True:
        await asyncio.sleep(every_s)
        began = time.time_ns() // 1000
        time.sleep(STALL_S)  # noqa: ASYNC251 - this is the stall
        stalls.append((began, time.time_ns() // 1000))


def told(tally: Tally, stalls: list[tuple[int, int]]) -> dict[str, Any]:
    """What came of the pings, and what of it while the loop stood still."""
    stalled = sum(any(at < end and known > begin for begin, end in stalls) for at, known, _ in tally.unknown)
    return {
        "outcomes": dict(tally.outcomes),
        "silent_looks": tally.silent_looks,
        "true_misses": tally.true_misses,
        "false_misses": len(tally.false_misses),
        "false_miss_examples": tally.false_misses[:5],
        "unknown_in_stalls": stalled,
        "unknown_outside": len(tally.unknown) - stalled,
        "unknown_why": Counter(why for _, _, why in tally.unknown).most_common(5),
        "stalls": len(stalls),
    }


async def endure(options: argparse.Namespace) -> dict[str, Any]:
    """Ping on and on."""
    lines = [line.split() for line in options.list.read_text(encoding="ascii").splitlines()]
    targets = [words[0] for words in lines]
    silent = {words[0] for words in lines if len(words) > 1}
    clock, manner, stalls = SystemClock(), Manner(), list[tuple[int, int]]()
    pinger = IcmpPinger(clock)
    places = {target: place for place, target in enumerate(targets)}
    file = options.looks.open("wb") if options.looks else None
    tally = Tally(silent, places, file)

    async def one(batch: Batch) -> None:
        async for group in pinger.probe(batch):
            for look in group:
                tally.take(look)

    many = int(SLICE_S * options.rate)
    assert len(targets) >= many * manner.longest / timedelta(seconds=SLICE_S) + many, "too few targets"
    stalling = asyncio.create_task(stall(options.stall_every, stalls))
    since_us, running, began = (
        instant.micros(clock.now()) + 200_000,
        set[asyncio.Task[None]](),
        time.monotonic(),
    )
    for first in range(0, options.probes, many):
        asks = tuple(
            Ask(signal=target, address=target, at_us=since_us + int(number / options.rate * 1e6))
            for number in range(first, min(first + many, options.probes))
            for target in [targets[number % len(targets)]]
        )
        await clock.sleep_until(instant.from_micros(asks[0].at_us - 100_000))
        task = asyncio.create_task(one(Batch(asks=asks, manner=manner)))
        running.add(task)
        task.add_done_callback(running.discard)
    await asyncio.gather(*running)
    stalling.cancel()
    if file is not None:
        file.close()
    await pinger.close()
    used = resource.getrusage(resource.RUSAGE_SELF)
    return {
        **told(tally, stalls),
        "cpu_s": used.ru_utime + used.ru_stime,
        "wall_s": time.monotonic() - began,
        "rss_mib": used.ru_maxrss / 1024,
    }


def main() -> None:
    """What stands at the top of this file."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("list", type=Path)
    parser.add_argument("--probes", type=int, required=True)
    parser.add_argument("--rate", type=float, default=10_000.0)
    parser.add_argument("--stall-every", type=float, default=20.0)
    parser.add_argument("--holds", type=int, default=256)
    parser.add_argument("--looks", type=Path)
    options = parser.parse_args()
    grant(options.holds)
    print(json.dumps(asyncio.run(endure(options))))


if __name__ == "__main__":
    main()

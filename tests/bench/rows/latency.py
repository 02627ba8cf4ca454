"""What we say a round trip took, held against the wire, under the same strain as in the row of endurance."""

from __future__ import annotations

from bisect import bisect_left
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

from tests.bench import strain, table
from tests.bench.bench import Bench
from tests.bench.enduring import LOOK
from tests.bench.network import BEHIND_THE_TUN, TUN, Network
from tests.bench.table import Line
from tests.bench.wire import REPLY, REQUEST, Wire

PROBES = 600_000
SAME_NS = 200_000_000
"""A packet on the wire is the one of a look if it left within this time of what the look says."""

P99_MAX_MS = 0.1
COMPARED_MIN = 0.9
"""With fewer round trips than this share of the probes the figure speaks for nothing."""


def measure(bench: Bench) -> Iterator[Line]:
    """A minute, or a third of it when it is to be quick."""
    probes = PROBES // 3 if bench.quick else PROBES
    asked = f"{probes:,} probes, {strain.WORDS}"
    bench.say(f"latency: {probes / strain.RATE:,.0f} s of {strain.WORDS}")
    looks, capture = bench.scratch / "looks", bench.scratch / "wire"
    with Network() as network:
        network.add_tun(strain.DELAY_US, strain.SILENT_EVERY)
        with Wire(network, capture, TUN) as wire:
            more = ("--probes", str(probes), "--stall-every", "5", "--looks", str(looks))
            strain.ping(bench, network, *more)
    errors = sorted(abs(error) for error in compare(looks, capture))
    p50, p90, p99, most = (table.quantile(errors, share) for share in (0.5, 0.9, 0.99, 1.0))
    yield Line(
        row="latency",
        measure="error p50 / p90 / p99 / max",
        asked=asked,
        ours=f"{p50:.3f} / {p90:.3f} / {p99:.3f} / {most:.3f} ms",
        goal=f"p99 ≤ {P99_MAX_MS} ms",
        reached=p99 <= P99_MAX_MS and len(errors) >= COMPARED_MIN * probes,
        note=f"{len(errors):,} round trips of {probes:,} probes compared; the capture lost {wire.dropped:,}",
        figures={"p50_ms": p50, "p90_ms": p90, "p99_ms": p99, "max_ms": most},
    )


def compare(looks: Path, capture: Path) -> Iterator[float]:
    """What each look says less what the wire says, in ms."""
    trips = round_trips(capture)
    for left_us, place, rtt_us in LOOK.iter_unpack(looks.read_bytes()):
        known = trips[place]
        at = bisect_left(known, (left_us * 1000 - SAME_NS, 0))
        if at < len(known) and known[at][0] - left_us * 1000 < SAME_NS:
            yield (rtt_us * 1000 - known[at][1]) / 1e6


def round_trips(capture: Path) -> defaultdict[int, list[tuple[int, int]]]:
    """By target: when a request was on the wire, and how long after it its reply."""
    waiting: dict[tuple[int, int], int] = {}
    trips: defaultdict[int, list[tuple[int, int]]] = defaultdict(list)
    for packet in Wire.read(capture, BEHIND_THE_TUN):
        key = packet.place, packet.sequence
        if packet.kind == REQUEST:
            waiting[key] = packet.at_ns
        elif packet.kind == REPLY and (left := waiting.pop(key, None)) is not None:
            trips[packet.place].append((left, packet.at_ns - left))
    return trips

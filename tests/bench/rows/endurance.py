"""Ten million probes under strain: nobody alive is called silent, and nearly everybody silent is."""

from __future__ import annotations

from collections.abc import Iterator

from tests.bench import strain
from tests.bench.bench import Bench
from tests.bench.network import Network
from tests.bench.table import Line

PROBES = 10_000_000
UNKNOWN_OUTSIDE_MAX = 0.001
UNKNOWN_MAX = 0.01
FOUND_MIN = 0.999


def measure(bench: Bench) -> Iterator[Line]:
    """A tenth of them when it is to be quick."""
    probes = PROBES // 10 if bench.quick else PROBES
    asked = f"{probes:,} probes, {strain.WORDS}, {strain.HOLDS} replies held, CAP_NET_RAW only"
    bench.say(f"endurance: {probes / strain.RATE:,.0f} s of {strain.WORDS}")
    with Network() as network:
        network.add_tun(strain.DELAY_US, strain.SILENT_EVERY)
        said = strain.ping(bench, network, "--probes", str(probes))
    looks = sum(said["outcomes"].values())
    unknown = said["outcomes"].get("unknown", 0)
    note = f"CPU {said['cpu_s'] / looks * 1e6:.0f} µs a probe, its bookkeeping too; {said['stalls']} stalls; "
    note += f"UNKNOWN because: {said['unknown_why']}; false misses: {said['false_miss_examples']}; "
    note += f"everything else took {said['others']:.1f} cores, the other pinger and who answers included"
    yield Line(
        row="endurance",
        measure="false misses",
        asked=asked,
        ours=f"{said['false_misses']:,} of {looks:,}",
        goal="0",
        reached=said["false_misses"] == 0 and looks == probes,
        note=note,
        figures=said,
    )
    for measure_, count, most in (
        ("UNKNOWN outside the stalls", said["unknown_outside"], UNKNOWN_OUTSIDE_MAX),
        ("UNKNOWN in all", unknown, UNKNOWN_MAX),
    ):
        yield Line(
            row="endurance",
            measure=measure_,
            asked=asked,
            ours=f"{count / looks:.4%}",
            goal=f"≤ {most:.1%}",
            reached=count <= looks * most,
        )
    found = said["true_misses"] / said["silent_looks"]
    yield Line(
        row="endurance",
        measure="true misses found",
        asked=asked,
        ours=f"{found:.4%} of {said['silent_looks']:,}",
        goal=f"≥ {FOUND_MIN:.1%}",
        reached=found >= FOUND_MIN,
    )

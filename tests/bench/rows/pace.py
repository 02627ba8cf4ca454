"""The engine at the pace of a watch: 333 probes a second are 100,000 devices in 5 minutes."""

from __future__ import annotations

from collections.abc import Iterator

from tests.bench import contest, prometheus, tools
from tests.bench.bench import Bench
from tests.bench.network import Network, addresses
from tests.bench.table import Line, missing, versus

RATES = (333, 3_333)
GOAL = 0.5
SCRAPED_TARGETS = 5_000
SCRAPE_EVERY_S = 15


def measure(bench: Bench) -> Iterator[Line]:
    """At both rates; beside blackbox_exporter and Prometheus at the lower one."""
    span_s = 10 if bench.quick else 20
    ours_us = {}
    with Network() as network:
        for rate in RATES:
            bench.say(f"pace: {rate:,} probes a second")
            count = rate * span_s
            path = bench.write_list(f"at-{rate}", addresses(count))
            ours = contest.ours(path, count, "--rate", str(rate))
            limit = contest.limit(path, count, "-r", str(rate))
            asked = f"{rate:,} probes/s, {span_s} s"
            peers = [limit]
            try:
                peers.insert(0, contest.fping(path, count, "-i", f"{1000 / rate:.1g}", "-e"))
            except tools.NotThere as error:
                yield missing(row="pace", measure="CPU a probe beside fping", asked=asked, why=str(error))
            contest.hold(network, [ours, *peers], bench.rounds)
            ours_us[rate] = ours.cpu_us
            note = contest.noise([ours, *peers])
            for peer in peers:
                goal = None if peer is limit else GOAL
                yield contest.cpu_line("pace", asked, ours, peer, goal, note)
            yield Line(
                row="pace",
                measure="replies lost",
                asked=asked,
                ours=f"{count - ours.answered:,}",
                goal="0",
                reached=ours.answered == count,
                note="" if ours.answered == count else f"our engine said in its last run: {ours.said}",
            )
        yield _beside_prometheus(bench, network, ours_us[RATES[0]])


def _beside_prometheus(bench: Bench, network: Network, ours_us: float) -> Line:
    asked = f"{SCRAPED_TARGETS:,} targets every {SCRAPE_EVERY_S} s, {RATES[0]} probes/s"
    bench.say(f"pace: blackbox_exporter and Prometheus, {asked}")
    try:
        pair = prometheus.probe(
            network, bench.scratch, addresses(SCRAPED_TARGETS), SCRAPE_EVERY_S, 30 if bench.quick else 60
        )
    except tools.NotThere as error:
        return missing(
            row="pace", measure="CPU a probe beside blackbox_exporter", asked=asked, why=str(error)
        )
    return versus(
        row="pace",
        measure="CPU a probe",
        asked=asked,
        ours=ours_us,
        theirs=pair.cpu_us,
        goal=1 / 35,
        whose=f"blackbox_exporter {pair.exporter_us:.0f} + Prometheus {pair.prometheus_us:.0f}",
        note=f"Both hold {pair.rss_mib:.0f} MiB; {pair.probes:,} probes were made, {pair.failed:,} failed.",
    )

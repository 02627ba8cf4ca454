"""The engine flat out: 60,000 addresses behind a cable, and 10,000 that answer after 20 ms."""

from __future__ import annotations

from collections.abc import Iterator
from ipaddress import IPv4Address

from tests.bench import contest, tools
from tests.bench.bench import Bench
from tests.bench.contest import Contestant
from tests.bench.network import BEHIND_THE_TUN, Network, addresses
from tests.bench.table import Line, missing

TARGETS = 60_000
SILENT_EVERY = 20
FEWER = 10_000
"""For icmplib, which would take a minute for all."""

AS_WE = ("-i", "0", "-e")
"""Tells who answered and how soon, as our engine does; `-q` tells nothing but sums, and has no goal."""

DELAY_US = 20_000


def measure(bench: Bench) -> Iterator[Line]:
    """Flat out."""
    count = TARGETS // 10 if bench.quick else TARGETS
    mixed = addresses(count, since=count)
    silent = mixed[7::SILENT_EVERY]
    with Network(silent=silent) as network:
        for title, some, living in (
            (f"{count:,} addresses, all answer", addresses(count), count),
            (f"{count:,} addresses, 5 % silent", mixed, count - len(silent)),
        ):
            bench.say(f"engine: {title}")
            yield from _flat_out(bench, network, title, some, living)
        bench.say("engine: icmplib")
        yield from _beside_icmplib(bench, network, min(FEWER, count))


def _flat_out(bench: Bench, network: Network, title: str, some: list[str], living: int) -> Iterator[Line]:
    path, count = bench.write_list("targets", some), len(some)
    ours = contest.ours(path, count)
    limit = contest.limit(path, count)
    peers: list[Contestant] = []
    try:
        peers = [contest.fping(path, count, *more) for more in (AS_WE, ("-i", "0", "-q"))]
    except tools.NotThere as error:
        yield missing(row="engine", measure="CPU a probe beside fping", asked=title, why=str(error))
    contest.hold(network, [ours, limit, *peers], bench.rounds)
    note = contest.noise([ours, limit, *peers])
    goals: list[tuple[Contestant, float | None]] = [*zip(peers, (1.0, None), strict=False), (limit, 2.1)]
    for peer, goal in goals:
        yield contest.cpu_line("engine", title, ours, peer, goal, note)
    yield Line(
        row="engine",
        measure="probes a second on one core",
        asked=title,
        ours=f"{ours.rate:,.0f}",
        theirs=f"{limit.rate:,.0f} ({limit.name})",
        ratio=ours.rate / limit.rate,
        goal="≥ 50,000",
        reached=ours.rate >= 50_000 if living == count else None,
        note="With silent addresses the wait for them is in the wall time." if living < count else note,
    )
    yield Line(
        row="engine",
        measure="replies lost",
        asked=title,
        ours=f"{living - ours.answered:,}",
        theirs=f"{living - limit.answered:,} ({limit.name})",
        goal="0",
        reached=ours.answered == living,
        note="" if ours.answered == living else f"our engine said in its last run: {ours.said}",
    )


def _beside_icmplib(bench: Bench, network: Network, count: int) -> Iterator[Line]:
    network.add_tun(DELAY_US, SILENT_EVERY)
    near = bench.write_list("near", addresses(count))
    slow_ones = addresses(count, base=BEHIND_THE_TUN)
    living = sum(int(IPv4Address(one)) % SILENT_EVERY != 7 for one in slow_ones)
    slow = bench.write_list("slow", slow_ones)
    pairs = (
        ("RTT 0, all answer", contest.ours(near, count), contest.icmplib(near, count, 50, "ping"), 1 / 12),
        ("RTT 20 ms, 5 % silent", contest.ours(slow, count), contest.icmplib(slow, count, 50, "raw"), 1 / 40),
    )
    for title, ours, peer, goal in pairs:
        contest.hold(network, [ours, peer], min(3, bench.rounds))
        asked = f"{count:,} addresses, {title}"
        yield contest.cpu_line("engine", asked, ours, peer, goal, contest.noise([ours, peer]))
    yield Line(
        row="engine",
        measure="alive found",
        asked=f"{count:,} addresses, {pairs[-1][0]}",
        ours=f"{ours.answered:,} of {living:,}",
        theirs=f"{peer.answered:,} ({peer.name})",
        goal="all",
        reached=ours.answered == living,
        note="" if ours.answered == living else f"our engine said in its last run: {ours.said}",
    )

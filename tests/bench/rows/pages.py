"""The page of metrics of a watch over 100,000 devices: how long it takes, and what the loop feels of it."""

from __future__ import annotations

import time
from collections.abc import Iterator

from tests.bench.bench import Bench
from tests.bench.inventory import Inventory
from tests.bench.network import Network
from tests.bench.table import Line, at_most, middle
from tests.bench.watching import Pulse, Watched

DEVICES = 100_000
STARTS_WITHIN_S = 1_200
PAGE_MAX_S = 0.3
LOOP_MAX_S = 0.02
PAGES = ("/metrics", "/metrics/devices")


def measure(bench: Bench) -> Iterator[Line]:
    """With 10,000 devices when it is to be quick."""
    inventory = Inventory(DEVICES // 10 if bench.quick else DEVICES)
    path = inventory.write(bench.scratch / "pages")
    bench.say(f"pages: starting a watch over {inventory.devices:,} devices")
    with Network(silent=inventory.silent) as network, Watched(network, path) as watched:
        watched.wait_for("/-/ready", STARTS_WITHIN_S)
        over = time.monotonic() + STARTS_WITHIN_S
        while sum(watched.readings().values()) < inventory.devices and time.monotonic() < over:
            time.sleep(2)
        for page in PAGES:
            yield from _page(bench, watched, inventory, page)


def _page(bench: Bench, watched: Watched, inventory: Inventory, page: str) -> Iterator[Line]:
    took: list[float] = []
    size = 0
    with Pulse(watched) as pulse:
        for _ in range(max(5, bench.rounds)):
            began = time.monotonic()
            size = len(watched.get(page))
            took.append(time.monotonic() - began)
            time.sleep(1)
    asked = f"{inventory.devices:,} devices, {page}"
    yield at_most(
        row="pages",
        measure="one scrape",
        asked=asked,
        ours=middle(took),
        goal=PAGE_MAX_S,
        unit="s",
        note=f"{size / 1e6:.2f} MB; at most {max(took):.2f} s",
    )
    yield at_most(
        row="pages",
        measure="the loop's longest delay meanwhile",
        asked=asked,
        ours=pulse.longest_s * 1e3,
        goal=LOOP_MAX_S * 1e3,
        unit="ms",
        note=pulse.broken,
    )

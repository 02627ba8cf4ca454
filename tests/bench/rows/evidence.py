"""The store of a small site, a month of 10 devices. That of a large one is in the row of the watch."""

from __future__ import annotations

import time
from collections.abc import Iterator

from tests.bench import month
from tests.bench.bench import Bench
from tests.bench.inventory import Inventory
from tests.bench.network import Network
from tests.bench.table import Line, at_most
from tests.bench.watching import Watched

DEVICES = 10
MIB = 2**20
MOST_MIB = 50


def measure(bench: Bench) -> Iterator[Line]:
    """Six minutes, so that every device had its turn twice or once at least."""
    inventory = Inventory(DEVICES, silent_every=1_000)
    folder = bench.scratch / "small"
    path = inventory.write(folder)
    bench.say("evidence: 6 minutes of 10 devices")
    with Network() as network, Watched(network, path) as watched:
        watched.wait_for("/-/ready", 60)
        time.sleep(360)
        store = watched.store.stat().st_size
        size = month.of(watched.store, folder / "month.db", healthy=False)
    yield at_most(
        row="evidence",
        measure="a site's store, a month",
        asked=f"{DEVICES} devices, 5 min, all answer, latencies included",
        ours=(store + size) / MIB,
        goal=MOST_MIB,
        unit="MiB",
        note=f"{store:,} bytes before the first evidence",
    )

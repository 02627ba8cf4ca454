"""The record and the present: gapless, hashed right, and the same after a load as in memory.

The leaf hashes are made here from the columns of the rows, not by the code that wrote them.
"""

from __future__ import annotations

import hashlib
import json
import sqlite3
from datetime import UTC, datetime, timedelta

from hostwatch.core.emergency import Notice
from hostwatch.core.notices import Notices
from hostwatch.core.world import World
from hostwatch.store.present import load_world
from tests.simulation.evidence import Complain


def check_facts(db: sqlite3.Connection, complain: Complain, after: int = 0) -> int:
    """Each fact follows the one before, and its leaf is the hash of the rest of its row."""
    last = after
    rows = db.execute("SELECT * FROM facts WHERE seq > ? ORDER BY seq", (after,))
    for seq, kind, happened, recorded, boot_id, body, leaf in rows:
        last += 1
        if seq != last:
            complain(f"the record goes from {last - 1} to {seq}")
            return last
        parsed = json.loads(body)
        entry = {"seq": seq, "kind": kind, "recorded_at": _text(recorded), "boot_id": boot_id, "body": parsed}
        text = json.dumps(entry, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
        if leaf != hashlib.sha256(b"\0" + text.encode()).digest() or parsed["at"] != _text(happened):
            complain(f"the leaf of fact {seq} is not the hash of its row")
    return last


def _text(us: int) -> str:
    when = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=us)
    return when.strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def check_world(db: sqlite3.Connection, world: World, complain: Complain) -> None:
    """What the engine believes is what a restart would find; open slices are lost by design."""
    loaded = load_world(db)
    for name in (
        "population",
        "configuration",
        "signals",
        "emergencies",
        "duties",
        "customer_duties",
        "notices",
        "blind",
        "alive_at",
        "references",
        "holds",
        "heard",
        "warned",
        "counted",
        "causes",
        "stated",
        "bygones",
        "running",
    ):
        memory, store = getattr(world, name), getattr(loaded, name)
        if isinstance(memory, Notices):
            memory, store = _without_warnings(memory), _without_warnings(store)
        if memory != store:
            complain(f"{name} in memory differs from the store: {_difference(memory, store)}")
    if (loaded.schedule.version, loaded.schedule.targets) != (world.schedule.version, world.schedule.targets):
        complain("the schedule in memory differs from the store")


def _difference(memory: object, store: object) -> str:
    if isinstance(memory, dict) and isinstance(store, dict):
        names = [n for n in memory.keys() | store.keys() if memory.get(n) != store.get(n)]
        return "; ".join(f"{n}: {memory.get(n)} / {store.get(n)}" for n in sorted(map(str, names))[:2])
    return f"{memory} / {store}"


def _without_warnings(notices: Notices) -> dict[str, Notice]:
    """Without the notices of warnings that are settled: only a store that was just read still has them."""
    return {name: one for name, one in notices.items() if one.emergencies or name in notices.pending}

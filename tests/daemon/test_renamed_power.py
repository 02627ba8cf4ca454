"""What devices hang on is written otherwise in the middle of a blackout, with a real UPS server and a reload.

```
 ups-a            OL │ empty, off ──────────────────────────────│ OL
 hostwatch.yaml      │            │ SIGHUP: ups-a is ups-old     │
 acme                │ emergency  │ (not a word)                 │ over
```
"""

from __future__ import annotations

import signal
import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.daemon.running import Running
from tests.daemon.test_power_story import SITE, notices, watching
from tests.power.upsd import Upsd, upsd

OLD, NEW = "supply:ups-a/power@main", "supply:ups-old/power@main"


@pytest.fixture
def server() -> Iterator[Upsd]:
    with upsd("ups1", "ups2") as server:
        yield server


@pytest.fixture
def watch(tmp_path: Path, server: Upsd) -> Iterator[Running]:
    with watching(tmp_path, server, SITE) as running:
        yield running


def test_a_ups_gets_another_name_in_a_blackout(watch: Running, server: Upsd) -> None:
    watch.wait_for("device-proven", lambda seen: seen["signal"] == OLD)
    server["ups1"].say("OFF OB LB", **{"input.voltage": "0", "output.voltage": "0"})
    opened = watch.wait_for("supply-emergency-opened")

    path = watch.folder / "hostwatch.yaml"
    path.write_text(path.read_text(encoding="utf-8").replace("ups-a", "ups-old"), encoding="utf-8")
    watch.process.send_signal(signal.SIGHUP)
    taken = watch.wait_for("supply-took-over")
    assert (taken["signal"], taken["before"]) == (NEW, [OLD])
    watch.wait_for(
        "emergency-joined", lambda seen: (seen["signal"], seen["reference"]) == (NEW, opened["reference"])
    )
    assert notices(watch) == [("acme", "emergency")]

    server["ups1"].say("OL CHRG", **{"input.voltage": "230", "output.voltage": "230"})
    ended = watch.wait_for("emergency-ended", lambda seen: seen["reference"] == opened["reference"])
    assert ended["withdrawn"] is False
    assert notices(watch) == [("acme", "emergency"), ("acme", "recovery")]
    page = watch.command("explain", opened["reference"]).stdout
    assert "supply ups-old: takes the place of supply ups-a" in page
    with sqlite3.connect(f"file:{watch.folder / 'watch.db'}?mode=ro", uri=True) as db:
        (down,) = db.execute(
            "SELECT count(*) FROM facts WHERE kind = 'WentDown' AND body LIKE '%supply:%'"
        ).fetchone()
    assert down == 1, "one interruption, one verdict"

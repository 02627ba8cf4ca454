"""A blackout from the utility to the last word on it, with a real UPS server and a running watch.

```
 utility     ────╲_______________________________________________╱──────────
 ups-a       OL  │OB        │ driver killed │ OB │ empty, off    │ OL
 r1: acme    well│a warning │ unknown       │    │ emergency     │ over, and explained
 r2: beta    well│                                                 nobody tells beta anything
```
"""

from __future__ import annotations

import json
import re
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from hostwatch.messages import spans
from tests.daemon.running import Running
from tests.power.upsd import Upsd, upsd

SUPPLY = "supply:ups-a/power@main"
SITE = """\
site: {{name: Test site, timezone: Europe/Berlin}}
store: sqlite:///watch.db
mail: {{smtp: "smtp://127.0.0.1:9", from: noc@dc.example}}
schedule: {{interval: 500ms, misses: 2}}
notices: {{within: 10s}}
listen: 127.0.0.1:0
customers:
  - id: acme
    name: Acme Trading
    contacts:
      - {{id: duty, name: Duty officer, channels: [{{email: ops@acme.example}}]}}
    devices:
      - {{id: web-1, address: 127.0.0.2, rack: r1}}
      - {{id: web-2, address: 127.0.0.3, rack: r1}}
  - id: beta
    name: Beta
    contacts:
      - {{id: duty, name: Duty officer, channels: [{{email: ops@beta.example}}]}}
    devices:
      - {{id: db-1, address: 127.0.0.4, rack: r2}}
power:
  interval: 500ms
  sources:
    - {{id: card-a, nut: {{address: 127.0.0.1, port: {port}, ups: ups1, timeout: 400ms}}}}
    - {{id: card-b, nut: {{address: 127.0.0.1, port: {port}, ups: ups2, timeout: 400ms}}}}
  utilities: [{{id: grid-1}}, {{id: grid-2}}]
  ups: [{{id: ups-a, input: grid-1, source: card-a}}, {{id: ups-b, input: grid-2, source: card-b}}]
  panels: [{{id: panel-a, input: ups-a}}, {{id: panel-b, input: ups-b}}]
  feeds: [{{id: r1-a, panel: panel-a, rack: r1}}, {{id: r2-b, panel: panel-b, rack: r2}}]
"""


@pytest.fixture
def server() -> Iterator[Upsd]:
    with upsd("ups1", "ups2") as server:
        yield server


@contextmanager
def watching(folder: Path, server: Upsd, site: str) -> Iterator[Running]:
    """A watch over a site whose two UPSes are well."""
    for name in ("ups1", "ups2"):
        server[name].say("OL CHRG")
    (folder / "hostwatch.yaml").write_text(site.format(port=server.port), encoding="utf-8")
    running = Running(folder)
    try:
        yield running
    finally:
        running.process.kill()
        running.process.wait()


@pytest.fixture
def watch(tmp_path: Path, server: Upsd) -> Iterator[Running]:
    with watching(tmp_path, server, SITE) as running:
        yield running


def power(watch: Running, wanted: int | None = None) -> tuple[int, dict[str, Any]]:
    """What it says, once it ends as wanted: on a busy machine a reading may come late, and leave a gap."""
    told = watch.command("power", "--json")
    for _ in range(100):
        if wanted in (None, told.returncode):
            break
        told = watch.command("power", "--json")
    return told.returncode, json.loads(told.stdout)


def of(found: list[dict[str, Any]], key: str, name: str) -> dict[str, Any]:
    return next(one for one in found if one[key] == name)


def notices(watch: Running) -> list[tuple[str, str]]:
    """Who was owed what, as the record tells."""
    with sqlite3.connect(f"file:{watch.folder / 'watch.db'}?mode=ro", uri=True) as db:
        return db.execute("SELECT customer, kind FROM notices ORDER BY created_at, customer").fetchall()


def test_a_blackout(watch: Running, server: Upsd) -> None:
    watch.wait_for("device-proven", lambda seen: seen["signal"] == SUPPLY)
    watch.wait_for("device-proven", lambda seen: seen["signal"] == "supply:ups-b/power@main")
    code, told = power(watch, 0)
    assert (code, of(told["supplies"], "supply", "ups-a")["customers"]) == (0, {"acme": 2})
    page = watch.command("power").stdout
    assert "ups-a (ups): has power" in page
    assert "r1-a (feed, rack r1): has power" in page

    # The utility is lost: a warning, and no emergency.
    server["ups1"].say("OB DISCHRG", **{"input.voltage": "0"})
    watch.wait_for("warning-began", lambda seen: seen["about"] in ("ups-a", "card-a"))
    code, told = power(watch, 0)
    assert code == 0
    assert [one["what"] for one in told["warnings"]] == ["on battery"]
    assert notices(watch) == []

    page = _until_shown(watch, r"card-a \((just now|\d+ s ago)\): utility absent, UPS able")
    assert "warning: ups-a (source card-a): on battery" in page
    page = watch.command("status").stdout
    assert ("Warnings" in page, "on battery" in page) == (True, True), page

    # Nobody hears the UPS any more, last seen on battery: unknown, whatever was last said.
    server["ups1"].kill()
    _until_unknown(watch)
    code, told = power(watch)
    assert code == 2
    assert of(told["supplies"], "supply", "ups-a")["interrupted"] is None
    assert of(told["sources"], "source", "card-a")["heard"] is False
    assert notices(watch) == []

    # It is heard again, and is empty: an emergency of those on its feeds alone.
    server["ups1"].start()
    server["ups1"].say("OFF OB LB", **{"input.voltage": "0", "output.voltage": "0"})
    opened = watch.wait_for("supply-emergency-opened")
    assert opened["customers"] == ["acme"]
    found = watch.wait_for("cause-found", lambda seen: seen["signal"] == SUPPLY)
    assert (found["cause"], found["confidence"]) == ("operator's power", "certain")
    code, told = power(watch, 1)
    assert (code, of(told["supplies"], "supply", "ups-a")["roots"]) == (1, ["ups-a"])
    assert notices(watch) == [("acme", "emergency")]

    status = json.loads(watch.command("status", "--json").stdout)
    (shown,) = [one for one in status["emergencies"] if one["reference"] == opened["reference"]]
    assert (shown["supplies"], shown["customers"], shown["behind"]) == (["ups-a"], 1, 2)
    assert "on battery" in [one["what"] for one in status["warnings"]]
    page = watch.command("status").stdout
    assert ("supply ups-a" in page, "1 customer" in page, "2 devices" in page) == (True, True, True), page
    assert "acme/duty" in page, "of several customers it is said whose contact it is"

    # A person says what it was; what makes no sense is refused.
    reference = opened["reference"]
    refused = watch.command("cause", reference, "--is", "third patry", "--because", "a digger")
    assert (refused.returncode, "did you mean third party?" in refused.stderr) == (2, True)
    assert watch.command("cause", reference, "--is", "carrier").returncode == 2, "a reason is needed"
    assert watch.command("cause", "E-000099", "--is", "carrier", "--because", "x").returncode == 2
    stated = watch.command("cause", reference, "--is", "third party", "--because", "a digger, ticket 4711")
    assert (stated.returncode, stated.stdout) == (0, f"the cause of {reference} is stated: third party\n")

    # A null route: who ordered it, from when until when.
    ordered = ("--ordered-by", "acme, by telephone", "--from", "2026-12-01T01:00:00+01:00")
    words = (*ordered, "--until", "2026-12-01T03:30:00+01:00", "--because", "ticket 4711")
    assert watch.command("cause", reference, "--is", "attack and our null route", *words).returncode == 0
    page = watch.command("cause", reference).stdout
    assert "because: ticket 4711; ordered by acme, by telephone" in page
    assert "\n  ordered by acme, by telephone\n" in page
    assert "\n  from 2026-12-01 01:00:00 +0100 until 2026-12-01 03:30:00 +0100\n" in page
    stated = watch.command("cause", reference, "--is", "third party", "--because", "a digger, ticket 4711")
    assert "ordered by" not in watch.command("cause", reference).stdout.rpartition("cause, as")[2]

    # The utility is back.
    server["ups1"].say("OL CHRG", **{"input.voltage": "230", "output.voltage": "230"})
    watch.wait_for("emergency-ended", lambda seen: seen["reference"] == reference)

    page = watch.command("explain", reference).stdout
    for line in (
        "supply ups-a, is over since",
        "source card-a: says utility present",
        "source card-a: says utility absent, UPS able",
        "supply ups-a: first miss: interrupted at ups-a",
        "supply ups-a: is down: 2 misses in a row",
        "acme/duty: is owed a notice: emergency",
        "states the cause: third party, because: a digger, ticket 4711",
        "supply ups-a: first answer",
        "cause by the rules: operator's power, certain (interrupted)",
    ):
        assert line in page, page
    assert "beta" not in page
    assert "our own gateway" not in page, "nobody looks at one"
    chinese = watch.command("explain", reference, "--language", "zh").stdout
    assert "运营方供电, 确定" in chinese
    record = json.loads(watch.command("explain", reference, "--json").stdout)
    assert record["bounds"]["at_most_s"] >= record["bounds"]["counted_s"] >= record["bounds"]["at_least_s"]
    assert f"without power for {spans.words(record['bounds']['counted_s'])} (at least" in page
    assert record["stated"][0]["actor"].startswith("root (uid 0")
    withdrawn = watch.command("cause", reference, "--withdraw", "--because", "it was no digger")
    assert withdrawn.returncode == 0, "also when the emergency is over"
    assert "as root" not in watch.command("cause", reference).stdout
    assert watch.command("explain", "E-000099").returncode == 1


def _until_shown(watch: Running, pattern: str) -> str:
    """Until the page tells it: a reading that comes late is not heard for a moment."""
    while not re.search(pattern, page := watch.command("power").stdout):
        pass
    return page


def _until_unknown(watch: Running) -> None:
    """Until the watch has asked in vain."""
    while True:
        sources = power(watch)[1]["sources"]
        if not of(sources, "source", "card-a")["heard"]:
            return

"""A watch with a real UPS server: what the UPS says becomes readings of the supply, a verdict and a recovery.

```
 ups1 (dummy-ups) ── upsd ◀── checkers ◀── hostwatch run
    OL        OB        OB LB, off       upsd killed      OL
    up        up        silent, down     unknown          up
```
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.daemon.running import CONFIGURATION, Running
from tests.power.upsd import Upsd, upsd

SUPPLY = "supply:ups-a/power@main"
POWER = """
power:
  interval: 500ms
  sources: [{{id: card-a, nut: {{address: 127.0.0.1, port: {port}, ups: ups1, timeout: 400ms}}}}]
  utilities: [{{id: grid-1}}]
  ups: [{{id: ups-a, input: grid-1, source: card-a}}]
  panels: [{{id: panel-a, input: ups-a}}]
  feeds: [{{id: r1-a, panel: panel-a, rack: r1}}]
"""


@pytest.fixture
def server() -> Iterator[Upsd]:
    with upsd("ups1") as server:
        yield server


def configured(folder: Path, server: Upsd) -> None:
    text = CONFIGURATION.replace("address: 127.0.0.2}", "address: 127.0.0.2, rack: r1}")
    (folder / "hostwatch.yaml").write_text(text + POWER.format(port=server.port), encoding="utf-8")


def test_what_a_ups_says_becomes_the_state_of_the_supply(tmp_path: Path, server: Upsd) -> None:
    server["ups1"].say("OL CHRG")
    configured(tmp_path, server)
    watch = Running(tmp_path)
    try:
        watch.wait_for("device-proven", lambda seen: seen["signal"] == SUPPLY)
        server["ups1"].say("OB DISCHRG")
        watch.wait_for("power-seen", lambda seen: "on battery" in seen["said"])
        server["ups1"].say("OFF OB LB", **{"input.voltage": "0", "output.voltage": "0"})
        began = watch.wait_for("silence-began", lambda seen: seen["signal"] == SUPPLY)
        assert began["why"] == "interrupted at ups-a"
        watch.wait_for("went-down", lambda seen: seen["signal"] == SUPPLY)
        server["ups1"].say("OL CHRG", **{"input.voltage": "230", "output.voltage": "230"})
        watch.wait_for("came-up", lambda seen: seen["signal"] == SUPPLY)
    finally:
        watch.process.kill()
        watch.process.wait()

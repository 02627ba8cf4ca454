"""The blackout of `test_power_story`, told by the network card of a UPS: SNMP, and a real agent.

```
 utility     ────╲______________________________________________╱──────────
 ups-a       on  │battery   │ the agent hangs │ dark             │ on
 r1: acme    well│a warning │ unknown         │ emergency        │ over
 r2: beta    well│                                               nobody tells beta anything
```
"""

from __future__ import annotations

import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.daemon.running import Running
from tests.daemon.test_power_story import SITE, SUPPLY, _until_unknown, notices, of, power
from tests.power.test_snmp_ups import WELL, Room
from tests.snmp.agents import COMMUNITY, Snmpd, override, snmpd

SOURCE = (
    "{{id: {name}, snmp_ups: {{address: 127.0.0.1, port: {port}, community: {{file: community}}, {more}}}}}"
)
MORE = "model: rfc1628, timeout: 400ms"


@pytest.fixture
def agents(tmp_path: Path) -> Iterator[tuple[Snmpd, Snmpd]]:
    with snmpd(tmp_path / "a", override(WELL)) as one, snmpd(tmp_path / "b", override(WELL)) as other:
        yield one, other
        one.process.send_signal(signal.SIGCONT)


@pytest.fixture
def watch(tmp_path: Path, agents: tuple[Snmpd, Snmpd]) -> Iterator[Running]:
    site = SITE.format(port=1)
    before, _, rest = site.partition("  sources:\n")
    after = rest[rest.index("  utilities:") :]
    names = zip(("card-a", "card-b"), agents, strict=True)
    listed = [f"    - {SOURCE.format(name=name, port=agent.port, more=MORE)}\n" for name, agent in names]
    (tmp_path / "hostwatch.yaml").write_text(
        f"{before}  sources:\n{''.join(listed)}{after}", encoding="utf-8"
    )
    secret = tmp_path / "community"
    secret.write_text(COMMUNITY)
    secret.chmod(0o600)
    running = Running(tmp_path)
    yield running
    running.process.kill()
    running.process.wait()


def test_a_blackout(watch: Running, agents: tuple[Snmpd, Snmpd]) -> None:
    card = Room(agents[0], model="rfc1628")
    watch.wait_for("device-proven", lambda seen: seen["signal"] == SUPPLY)
    watch.wait_for("device-proven", lambda seen: seen["signal"] == "supply:ups-b/power@main")

    # The utility is lost: a warning, and no emergency.
    card.set(source=5, seconds=12, volts=0, alarm_1=2)
    watch.wait_for("warning-began", lambda seen: seen["about"] in ("ups-a", "card-a"))
    code, told = power(watch, 0)
    assert (code, [one["what"] for one in told["warnings"]]) == (0, ["on battery"])
    assert notices(watch) == []

    # The card hangs while on battery: unknown, however long.
    agents[0].process.send_signal(signal.SIGSTOP)
    _until_unknown(watch)
    code, told = power(watch, 2)
    assert (code, of(told["supplies"], "supply", "ups-a")["interrupted"]) == (2, None)
    assert notices(watch) == []
    agents[0].process.send_signal(signal.SIGCONT)

    # It is dark: an emergency of those on its feeds alone.
    card.set(source=2, battery=4, charge=0, minutes=0)
    opened = watch.wait_for("supply-emergency-opened")
    assert opened["customers"] == ["acme"]
    found = watch.wait_for("cause-found", lambda seen: seen["signal"] == SUPPLY)
    assert (found["cause"], found["confidence"]) == ("operator's power", "certain")
    assert notices(watch) == [("acme", "emergency")]

    # The utility is back.
    card.set(source=3, battery=2, seconds=0, charge=100, minutes=42, volts=230, alarm_1=0)
    watch.wait_for("emergency-ended", lambda seen: seen["reference"] == opened["reference"])
    page = watch.command("explain", opened["reference"]).stdout
    for line in (
        "supply ups-a, is over since",
        "source card-a: says utility absent",
        "supply ups-a: first answer",
    ):
        assert line in page, page
    assert "beta" not in page

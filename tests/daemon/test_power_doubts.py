"""Whoever tells of the power falls silent at the worst moment: unknown with both bounds, and never a verdict.

By a real UPS server, and by the real agent of a network card. What the record says of the supply is counted
here second by second, and the month must come to the same.

```
              on battery          down, with a verdict      between first and second reading
 ups-a   OL │OB       ✗        OL │ OB OFF      ✗      OL   │ OB OFF ✗              OL
 ups-a   up │up       unknown  up │ down        unknown up  │ silent unknown        up
 notices    │ no           no  no │ emergency   lasts  over │ no     no             no
```
"""

from __future__ import annotations

import json
import signal
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, Protocol
from zoneinfo import ZoneInfo

import pytest

from tests.daemon.running import Running
from tests.daemon.test_power_story import SITE, SUPPLY, notices, of
from tests.daemon.test_power_story_by_snmp import MORE, SOURCE
from tests.power.test_snmp_ups import WELL, Room
from tests.power.upsd import DummyUps, upsd
from tests.snmp.agents import COMMUNITY, override, snmpd


class Card(Protocol):
    """What tells of ups-a."""

    def battery(self) -> None: ...
    def dead(self) -> None: ...
    def well(self) -> None: ...
    def kill(self) -> None: ...
    def revive(self) -> None: ...


@dataclass
class ByNut:
    """A driver, and the server before it."""

    ups: DummyUps

    def battery(self) -> None:
        self.ups.say("OB DISCHRG", **{"input.voltage": "0", "battery.runtime": "720"})

    def dead(self) -> None:
        self.ups.say("OFF OB LB", **{"input.voltage": "0", "output.voltage": "0"})

    def well(self) -> None:
        self.ups.say("OL CHRG", **{"input.voltage": "230", "output.voltage": "230"})

    def kill(self) -> None:
        self.ups.kill()

    def revive(self) -> None:
        """It starts anew, and says at once that the utility is back."""
        self.ups.play("ups.status: OL CHRG\ninput.voltage: 230\noutput.voltage: 230\n")
        self.ups.start()


@dataclass
class BySnmp:
    """An agent, which hangs."""

    room: Room

    def battery(self) -> None:
        self.room.set(source=5, seconds=12, volts=0, alarm_1=2, minutes=12)

    def dead(self) -> None:
        self.room.set(source=2, battery=4, charge=0, minutes=0, volts=0)

    def well(self) -> None:
        self.room.set(source=3, battery=2, seconds=0, charge=100, minutes=42, volts=230, alarm_1=0)

    def kill(self) -> None:
        self.room.agent.process.send_signal(signal.SIGSTOP)

    def revive(self) -> None:
        """It goes on, and is told at once that the utility is back."""
        self.room.agent.process.send_signal(signal.SIGCONT)
        self.well()


@contextmanager
def told_by(kind: str, home: Path, interval: str) -> Iterator[tuple[Card, Running]]:
    """A watch whose ups-a is told of so."""
    if kind == "nut":
        with upsd("ups1", "ups2") as server:
            for name in ("ups1", "ups2"):
                server[name].say("OL CHRG")
            with watching(home, SITE.format(port=server.port), interval) as watch:
                yield ByNut(server["ups1"]), watch
        return
    with snmpd(home / "a", override(WELL)) as one, snmpd(home / "b", override(WELL)) as other:
        before, _, rest = SITE.format(port=1).partition("  sources:\n")
        names = (("card-a", one.port), ("card-b", other.port))
        listed = "".join(f"    - {SOURCE.format(name=name, port=port, more=MORE)}\n" for name, port in names)
        (home / "community").write_text(COMMUNITY)
        (home / "community").chmod(0o600)
        site = f"{before}  sources:\n{listed}{rest[rest.index('  utilities:') :]}"
        try:
            with watching(home, site, interval) as watch:
                yield BySnmp(Room(one, model="rfc1628")), watch
        finally:
            one.process.send_signal(signal.SIGCONT)


@contextmanager
def watching(home: Path, site: str, interval: str) -> Iterator[Running]:
    (home / "hostwatch.yaml").write_text(
        site.replace("power:\n  interval: 500ms", f"power:\n  interval: {interval}"), encoding="utf-8"
    )
    running = Running(home)
    try:
        running.wait_for("device-proven", lambda seen: seen["signal"] == SUPPLY)
        yield running
    finally:
        running.process.kill()
        running.process.wait()


@pytest.mark.first
@pytest.mark.parametrize("kind", ["nut", "snmp"])
def test_lost_on_battery_and_lost_while_it_is_down(kind: str, tmp_path: Path) -> None:
    with told_by(kind, tmp_path, "500ms") as (card, watch):
        card.battery()
        watch.wait_for("warning-began", lambda seen: seen["what"] == "on battery")
        card.kill()
        until_unknown(watch)
        told = supply(watch)
        assert (told["interrupted"], told["not_known"]["possibly_interrupted"]) == (None, True)
        assert (told["not_known"]["last_seen"], told["not_known"]["runtime_s"]) == ("on battery", 720)
        page = " ".join(watch.command("power").stdout.split())
        assert "ups-a (ups): not known; last seen on battery with 12 min left: possibly" in page, page
        assert (
            "(card-a not heard); last seen on battery with 12 min left: possibly interrupted; so said" in page
        )
        assert "nothing is certain of the time since" in page, page
        status = json.loads(watch.command("status", "--json").stdout)
        assert of(status["supplies"], "supply", "ups-a")["not_known"]["possibly_interrupted"] is True
        lasting = power_of(watch)
        assert lasting["possibly_s"] == lasting["unknown_s"] - unproven(watch), "so far"

        card.revive()
        until_known(watch)
        (doubt,) = doubts(watch)
        assert (doubt["because"], doubt["silent_sources"]) == ("source silent", ["card-a"])
        assert (doubt["last_seen"], doubt["last_seen_by"]) == ("on battery", "card-a")
        count_again(watch)
        assert power_of(watch)["down_s"] == power_of(watch)["down_s_least"] == 0
        assert notices(watch) == []
        assert kinds(watch).isdisjoint({"SilenceBegan", "WentDown", "SupplyEmergencyOpened"})

        card.dead()
        opened = watch.wait_for("supply-emergency-opened")
        card.kill()
        until_unknown(watch)
        assert supply(watch)["not_known"]["last_seen"] == "without power"
        page = " ".join(watch.command("explain", opened["reference"]).stdout.split())
        assert "is not known: source silent (card-a); last seen without power: possibly interrupted" in page
        assert "EmergencyEnded" not in kinds(watch), "what nobody can say ends nothing"

        card.revive()
        watch.wait_for("emergency-ended", lambda seen: seen["reference"] == opened["reference"])
        count_again(watch)
        assert [one["last_seen"] for one in doubts(watch)][-1] == "without power"
        record = json.loads(watch.command("explain", opened["reference"], "--json").stdout)
        assert record["bounds"]["unknown_s"] >= 0
        assert {one for _, one in notices(watch)} == {"emergency", "recovery"}


@pytest.mark.first
@pytest.mark.parametrize("kind", ["nut", "snmp"])
def test_lost_between_the_first_and_the_second_reading(kind: str, tmp_path: Path) -> None:
    with told_by(kind, tmp_path, "5s") as (card, watch):
        card.dead()
        watch.wait_for("silence-began", lambda seen: seen["signal"] == SUPPLY)
        card.kill()
        until_unknown(watch)
        assert supply(watch)["not_known"]["last_seen"] == "without power"
        assert supply(watch)["verdict"] is None

        card.revive()
        watch.wait_for("silence-ended", lambda seen: seen["signal"] == SUPPLY)
        count_again(watch)
        (silence,) = month(watch)["supplies"][0]["silences"]
        assert (silence["confirmed"], silence["first_miss"]) == (False, silence["last_miss"])
        assert power_of(watch)["down_s_least"] == 0, "one reading is certain of no second"
        assert power_of(watch)["down_s"] > 0
        assert notices(watch) == []
        assert kinds(watch).isdisjoint({"WentDown", "SupplyEmergencyOpened"})


# What the record says, counted once more.


def facts(watch: Running) -> list[tuple[str, dict[str, Any]]]:
    with sqlite3.connect(f"file:{watch.folder / 'watch.db'}?mode=ro", uri=True) as db:
        rows = db.execute("SELECT kind, body FROM facts ORDER BY seq").fetchall()
    return [(kind, json.loads(body)) for kind, body in rows]


def kinds(watch: Running) -> set[str]:
    return {kind for kind, body in facts(watch) if body.get("signal", SUPPLY) == SUPPLY}


def second(text: str) -> int:
    return int(datetime.fromisoformat(text).timestamp())


def seconds(since: str, until: str) -> set[int]:
    return set(range(second(since), second(until)))


def unproven(watch: Running) -> int:
    """The seconds before it was seen with power for the first time."""
    return sum(
        len(seconds(body["since"], body["at"]))
        for kind, body in facts(watch)
        if kind == "Unspoken" and body["signal"] == SUPPLY and body["why"] == "not proven"
    )


def troubled(told: list[tuple[str, dict[str, Any]]]) -> int:
    """The seconds of which nobody spoke after the utility had been seen absent, and before it was seen again.

    On a busy machine a reading may come late as well: nothing spoke then either, and nobody saw any trouble.
    """
    seen = [(body["at"], "absent" in body["said"]) for kind, body in told if kind == "PowerSeen"]
    unknown = [
        (body["since"], body["at"])
        for kind, body in told
        if kind == "Unspoken" and body["signal"] == SUPPLY and body["why"] != "not proven"
    ]
    return sum(
        len(seconds(since, until))
        for since, until in unknown
        if [trouble for at, trouble in seen if at < since][-1:] == [True]
    )


def count_again(watch: Running) -> None:
    """Each second by the facts alone: unknown, down, at least and at most; as the month has them."""
    told = facts(watch)
    report = month(watch)
    mine = [(kind, body) for kind, body in told if body.get("signal") == SUPPLY]
    unknown, point, inner, outer = set[int](), set[int](), set[int](), set[int]()
    for kind, body in mine:
        if kind == "Unspoken":
            unknown |= seconds(body["since"], body["at"])
        if kind == "SilenceEnded":
            point |= seconds(body["first_miss"], body["at"])
            inner |= seconds(body["first_miss"], body["last_miss"])
            outer |= seconds(body["last_answer"], body["at"])
    (row,) = [one for one in report["supplies"] if one["supply"] == "ups-a"]
    counted = {
        "unknown_s": len(unknown),
        "down_s": len(point - unknown),
        "down_s_least": len(inner - unknown),
        "down_s_most": len((outer - unknown) | unknown),
    }
    assert {name: row[name] for name in counted} == counted
    assert row["possibly_s"] == troubled(told)
    assert row["up_s"] == row["period_s"] - row["unknown_s"] - row["down_s"]
    said = [one for one in row["doubts"] if one["possibly_interrupted"]]
    spans = [(body["since"], body["at"]) for kind, body in mine if kind == "Unspoken"]
    assert {(one["since"], one["until"]) for one in said} <= set(spans)


# What commands say.


def month(watch: Running) -> dict[str, Any]:
    now = datetime.now(ZoneInfo("Europe/Berlin"))
    told = watch.command("report", "--month", f"{now:%Y-%m}", "--format", "json", "--customer", "acme")
    found: dict[str, Any] = json.loads(told.stdout)
    return found


def power_of(watch: Running) -> dict[str, Any]:
    found: dict[str, Any] = month(watch)["devices"][0]["power"]
    return found


def doubts(watch: Running) -> list[dict[str, Any]]:
    """Those after it was seen with power for the first time."""
    return [one for one in month(watch)["supplies"][0]["doubts"] if one["because"] != "not proven"]


def supply(watch: Running) -> dict[str, Any]:
    return of(json.loads(watch.command("power", "--json").stdout)["supplies"], "supply", "ups-a")


def _is_unknown(watch: Running, wanted: bool) -> bool:
    """By the present state on record: an UNKNOWN came, and no reading has spoken since."""
    with sqlite3.connect(f"file:{watch.folder / 'watch.db'}?mode=ro", uri=True) as db:
        (since,) = db.execute("SELECT blind_since FROM signals WHERE name = ?", (SUPPLY,)).fetchone()
    return (since is not None) is wanted


def until_unknown(watch: Running) -> None:
    """Until the watch has asked in vain."""
    while not _is_unknown(watch, True):
        watch.process.poll()


def until_known(watch: Running) -> None:
    while not _is_unknown(watch, False):
        watch.process.poll()

"""A watch with inventories: from a start to a reload, through kills, and beside its looks."""

from __future__ import annotations

import json
import signal
from collections.abc import Callable
from pathlib import Path

from hostwatch.core import facts
from hostwatch.core.device import Device
from hostwatch.core.enrolment import STEP_MAX, UNDER_WAY
from hostwatch.core.world import World
from hostwatch.store.reader import Reader
from tests.daemon.running import CONFIGURATION, Running, command

HEADER = "customer,id,address,state\n"
MANY = 3 * STEP_MAX


def rows(count: int, net: int = 20) -> str:
    return "".join(f"acme,d{number},127.0.{net}.{number % 250 + 1},\n" for number in range(count))


def prepared(folder: Path, table: str) -> None:
    (folder / "hostwatch.yaml").write_text(CONFIGURATION + "inventory: d/*.csv\n", encoding="utf-8")
    (folder / "d").mkdir()
    (folder / "d/one.csv").write_text(HEADER + table, encoding="utf-8")


def world(watch: Running) -> World:
    with Reader(watch.folder / "watch.db") as reader:
        return reader.world()


def recorded(watch: Running, kind: type[facts.Fact]) -> list[facts.Fact]:
    with Reader(watch.folder / "watch.db") as reader:
        return list(reader.facts([kind]))


def applied(watch: Running) -> list[facts.ConfigurationApplied]:
    return [
        f for f in recorded(watch, facts.ConfigurationApplied) if isinstance(f, facts.ConfigurationApplied)
    ]


def in_force(watch: Running) -> bool:
    return world(watch).configuration not in (None, UNDER_WAY)


def test_a_start_with_many_devices_and_a_reload_of_a_few(
    start: Callable[..., Running], tmp_path: Path
) -> None:
    prepared(tmp_path, rows(MANY))
    watch = start()
    watch.wait_for("schedule-adopted")
    watch.wait_for("device-proven", lambda event: event["signal"].startswith("d"))

    assert len(world(watch).population.devices) == MANY + 1
    (first,) = applied(watch)
    (inventory,) = first.content["inventory"]
    assert (inventory["id"], inventory["devices"]) == ("d/one.csv", MANY)
    assert "'d17'" not in str(first.content)
    listed = [change["path"] for change in first.difference if "devices[d" in change["path"]]
    assert len(listed) == 100
    assert first.difference[-1] == {"path": "devices", "before": None, "after": {"more": MANY - 100}}

    table = (
        HEADER + rows(MANY).replace("acme,d1,127.0.20.2,", "acme,d1,127.0.21.2,") + "acme,new,127.0.22.1,\n"
    )
    (tmp_path / "d/one.csv").write_text(table.replace("acme,d2,127.0.20.3,\n", ""), encoding="utf-8")
    seen = len(recorded(watch, facts.PopulationChanged))
    done = watch.command("reload")

    assert (done.returncode, done.stdout) == (0, "the new configuration is in force\n"), done.stderr
    changed = recorded(watch, facts.PopulationChanged)[seen:]
    assert [(f.name, f.state) for f in changed if isinstance(f, facts.PopulationChanged)] == [
        ("d1", "in-service"),
        ("d2", "removed"),
        ("new", "in-service"),
    ]
    now = world(watch)
    assert now.population.devices["d1"] == Device(id="d1", customer="acme", address="127.0.21.2")
    assert {target.signal for target in now.schedule.targets} == now.signals.keys()
    assert watch.command("reload").stdout == "nothing has changed\n"
    watch.wait_for("device-proven", lambda event: event["signal"] == "new/ping@main")
    note = json.loads((tmp_path / "watch.db.inventory/in-force.json").read_text())
    assert note["configuration"] == now.configuration == applied(watch)[-1].digest


def test_a_kill_between_steps_leaves_the_rest_to_the_next_start(
    start: Callable[..., Running], tmp_path: Path
) -> None:
    prepared(tmp_path, rows(3))
    watch = start()
    watch.wait_for("device-proven")
    (tmp_path / "d/one.csv").write_text(HEADER + rows(40 * STEP_MAX), encoding="utf-8")

    watch.process.send_signal(signal.SIGHUP)
    watch.wait_for("configuration-applied", lambda event: event["author"].startswith("unattributed"))
    watch.stop(signal.SIGKILL)
    assert world(watch).configuration == UNDER_WAY
    assert len(world(watch).population.devices) < 40 * STEP_MAX
    again = start()
    again.wait_for("schedule-adopted")

    now = world(again)
    assert in_force(again)
    assert len(now.population.devices) == 40 * STEP_MAX + 1
    assert {target.signal for target in now.schedule.targets} == now.signals.keys()
    assert len(recorded(again, facts.PopulationChanged)) == 40 * STEP_MAX + 3, "nothing is recorded twice"


def test_mistakes_in_an_inventory_leave_the_old_in_force(
    start: Callable[..., Running], tmp_path: Path
) -> None:
    prepared(tmp_path, rows(3))
    watch = start()
    watch.wait_for("device-proven")
    (tmp_path / "d/two.csv").write_text(HEADER + "acme,d1,127.0.30.1,\nacme,x,nowhere,\n", encoding="utf-8")

    done = watch.command("reload")

    assert done.returncode == 1
    assert "d/two.csv:2: devices[d1].id: another device has this id, in " in done.stderr
    assert "d/two.csv:3: devices[x].address: is not an IP address" in done.stderr
    (refused,) = recorded(watch, facts.ConfigurationRefused)
    assert isinstance(refused, facts.ConfigurationRefused)
    assert [place.rpartition("/")[2] for place in refused.mistakes] == [
        "two.csv:2: devices[d1].id",
        "two.csv:3: devices[x].address",
    ]
    assert len(world(watch).population.devices) == 4


def test_mistakes_in_an_inventory_end_a_start(start: Callable[..., Running], tmp_path: Path) -> None:
    prepared(tmp_path, "acme,a,nowhere,\n")
    watch = start()

    said = watch.wait_for(
        "raw", lambda event: "d/one.csv:2: devices[a].address: is not an IP address" in event["line"]
    )

    assert said
    assert watch.process.wait(20) == 1
    assert not (tmp_path / "watch.db").exists()


def test_an_unchanged_inventory_is_no_new_fact_at_a_start(
    start: Callable[..., Running], tmp_path: Path
) -> None:
    prepared(tmp_path, rows(MANY))
    first = start()
    first.wait_for("schedule-adopted")
    first.wait_for("device-proven")
    assert first.stop() == 0
    kept = {file.name: file.stat().st_ino for file in (tmp_path / "watch.db.inventory").iterdir()}
    second = start()
    second.wait_for("watch-started")
    second.wait_for("blind-ended")

    assert len(applied(second)) == 1
    assert kept == {file.name: file.stat().st_ino for file in (tmp_path / "watch.db.inventory").iterdir()}


def test_check_config_counts_the_devices_of_inventories(tmp_path: Path) -> None:
    prepared(tmp_path, rows(3))

    done = command("check-config", str(tmp_path / "hostwatch.yaml"))
    assert [line.split("│")[1:3] for line in done.stdout.splitlines() if "│" in line][2:4] == [
        [" devices     ", " 4 "],
        [" inventories ", " 1 "],
    ]
    (tmp_path / "d/one.csv").write_text(HEADER + "acme,web-1,127.0.0.9,\n")
    bad = command("check-config", str(tmp_path / "hostwatch.yaml"))

    assert bad.returncode == 1
    where = f"another device has this id, in {tmp_path}/hostwatch.yaml:13"
    assert f"d/one.csv:2: devices[web-1].id: {where}" in bad.stderr

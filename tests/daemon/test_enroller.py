"""Inventories are brought into force without a look at anybody: who is on which uplink."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from datetime import timedelta
from pathlib import Path

from hostwatch.clock import SystemClock
from hostwatch.configuration.load import Loaded
from hostwatch.core.device import Device
from hostwatch.core.enrolment import STEP_MAX
from hostwatch.core.world import World
from hostwatch.engine import Engine
from hostwatch.enroller import Enroller
from hostwatch.store.writer import ThreadWriter

MAIN = """\
site: {name: Test site, timezone: Europe/Berlin}
store: sqlite:///watch.db
inventory: d.csv
customers:
  - {id: acme, name: Acme, devices: [{id: web-1, address: 192.0.2.1}]}
uplinks:
"""
EAST = "  - {id: east, name: East, references: [198.51.100.1, 198.51.100.2, 198.51.100.3]}\n"
WEST = "  - {id: west, name: West, references: [203.0.113.1, 203.0.113.2, 203.0.113.3]}\n"

Reload = Callable[[], Awaitable[dict[str, Device]]]


async def enrolling(path: Path, story: Callable[[Reload], Awaitable[None]]) -> World:
    """Run a story in which the configuration is read and brought into force again and again."""
    clock = SystemClock()
    writer = await ThreadWriter.open(path.with_name("watch.db"), clock.boot_id)
    engine = Engine(writer, clock, await writer.load())
    working = asyncio.create_task(engine.run())
    enroller = Enroller(engine, writer, clock)
    before: list[Loaded] = []

    async def reload() -> dict[str, Device]:
        taken = await enroller.take(path, soon=bool(before))
        try:
            await enroller.bring(taken, before[-1] if before else None, "me")
        finally:
            await enroller.dismiss(taken)
        before.append(taken.loaded)
        loaded = (await writer.load()).population.devices
        assert loaded == engine.world.population.devices
        return loaded

    try:
        await story(reload)
    finally:
        enroller.close()
        working.cancel()
        await asyncio.gather(working, return_exceptions=True)
        await writer.close()
    return engine.world


def on_uplinks(devices: dict[str, Device]) -> dict[str, str | None]:
    return {name: devices[name].uplink for name in sorted(devices)}


def test_devices_of_inventories_are_on_the_uplink_of_their_customer_and_follow_it(tmp_path: Path) -> None:
    """The only uplink is everybody's; of two the customer's, unless the device names its own."""
    path, table = tmp_path / "hostwatch.yaml", tmp_path / "d.csv"
    table.write_text("customer,id,address\nacme,a,192.0.2.2\nacme,b,192.0.2.3\n")

    async def story(reload: Reload) -> None:
        path.write_text(MAIN + EAST)
        assert on_uplinks(await reload()) == {"a": "east", "b": "east", "web-1": "east"}

        path.write_text((MAIN + EAST + WEST).replace("name: Acme,", "name: Acme, uplink: west,"))
        assert on_uplinks(await reload()) == {"a": "west", "b": "west", "web-1": "west"}

        table.write_text("customer,id,address,uplink\nacme,a,192.0.2.2,east\nacme,b,192.0.2.3,\n")
        assert on_uplinks(await reload()) == {"a": "east", "b": "west", "web-1": "west"}

        path.write_text(MAIN + EAST + WEST)
        assert on_uplinks(await reload()) == {"a": "east", "b": None, "web-1": None}

    asyncio.run(enrolling(path, story))


def test_a_device_may_move_between_the_configuration_and_its_inventories(tmp_path: Path) -> None:
    path, table = tmp_path / "hostwatch.yaml", tmp_path / "d.csv"
    table.write_text("customer,id,address\nacme,a,192.0.2.2\n")

    async def story(reload: Reload) -> None:
        path.write_text(MAIN + EAST)
        first = await reload()

        path.write_text(MAIN.replace("devices: [{id: web-1, address: 192.0.2.1}]", "devices: []") + EAST)
        table.write_text("customer,id,address\nacme,a,192.0.2.2\nacme,web-1,192.0.2.1\n")
        assert await reload() == first

        table.write_text("customer,id,address\nacme,web-1,192.0.2.9\n")
        assert {name: one.address for name, one in (await reload()).items()} == {"web-1": "192.0.2.9"}

    asyncio.run(enrolling(path, story))


def test_names_and_addresses_of_many_devices_are_held_once(tmp_path: Path) -> None:
    path, table = tmp_path / "hostwatch.yaml", tmp_path / "d.csv"
    table.write_text(
        "customer,id,address\n" + "".join(f"acme,d{n},192.0.2.{n % 250 + 1}\n" for n in range(2 * STEP_MAX))
    )
    path.write_text(MAIN + EAST)

    async def story(reload: Reload) -> None:
        await reload()

    world = asyncio.run(enrolling(path, story))

    devices = [target for target in world.schedule.targets if world.device(target.signal) is not None]
    assert len(devices) == 2 * STEP_MAX + 1
    names = {name: name for name in world.signals}
    for target in devices:
        device = world.device(target.signal)
        assert device is not None
        assert target.signal is names[target.signal]
        assert target.address is device.address
    assert len({id(device.customer) for device in world.population.devices.values()}) <= 2


def test_what_is_warned_of_follows_the_configuration(tmp_path: Path) -> None:
    path, table = tmp_path / "hostwatch.yaml", tmp_path / "d.csv"
    table.write_text("customer,id,address\n")
    power = (
        "power:\n  runtime_low: {}\n  utilities: [{{id: grid-1}}]\n  planned:\n"
        "    - {{element: grid-1, from: '2026-12-01T01:00:00+08:00', until: '2026-12-01T03:00:00+08:00',"
        " what: works}}\n"
    )

    async def story(reload: Reload) -> None:
        for minutes in (5, 20):
            path.write_text(MAIN + EAST + power.format(f"{minutes}m"))
            await reload()

    planning = asyncio.run(enrolling(path, story)).planning

    assert planning.runtime_low == timedelta(minutes=20)
    assert [(one.element, one.what, one.until - one.since) for one in planning.planned] == [
        ("grid-1", "works", timedelta(hours=2))
    ]

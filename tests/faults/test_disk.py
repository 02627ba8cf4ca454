"""Disks that are full, broken, read-only or damaged: nothing acknowledged is lost, nothing is invented."""

from __future__ import annotations

import asyncio
import subprocess
import time
from pathlib import Path
from typing import BinaryIO

import pytest

from tests.faults import world
from tests.faults.oracles import Kept
from tests.faults.people import People
from tests.faults.record import Follower, faults_of
from tests.faults.stage import Watch, command, configuration, on_stage, page, readings

pytestmark = pytest.mark.lab

RECOVERED_WITHIN_S = 60.0


def prepared(folder: Path, store: str = "hostwatch.db") -> Path:
    config = folder / "hostwatch.yaml"
    config.write_text(configuration(store))
    return config


def pour(ballast: BinaryIO, size: int) -> None:
    while True:
        ballast.write(b"x" * size)


def fill(ballast: BinaryIO) -> None:
    """Take all the space there is, to the last byte."""
    for size in (65536, 4096, 1):
        with pytest.raises(OSError, match="No space left"):
            pour(ballast, size)


async def agreeing(store: Path, seen: Follower, *, at_first: int) -> Kept:
    """The store is whole, and what was seen of its first facts is still there, byte for byte."""
    kept = Kept(store)
    assert kept.integrity == "ok"
    assert len(seen.rows) >= at_first
    assert [*faults_of(kept.rows, seen.rows)] == []
    return kept


@on_stage
async def test_a_full_disk_is_survived_and_the_outage_meanwhile_is_told(tmp_path: Path) -> None:
    disk = tmp_path / "disk"
    disk.mkdir()
    world.mount_small(disk, "4m")
    people, seen = People(), Follower(disk / "hostwatch.db")
    await people.start()
    watch = Watch(prepared(tmp_path, "disk/hostwatch.db"))
    await watch.says("device-proven", 2)
    assert page("/-/ready")[0] == 200
    seen.read()
    at_first = len(seen.rows)

    with (disk / "ballast").open("wb", buffering=0) as ballast:
        fill(ballast)
    world.silence("127.0.0.2")
    told = await watch.says("store-stuck")
    assert "the disk is full" in told["error"]
    assert page("/-/ready")[0] == 503
    assert "the disk is full" in page("/-/healthy")[1]
    missed = readings("missed")
    await watch.until(lambda: readings("missed") >= missed + 4)
    world.revive("127.0.0.2")
    answered = readings("answered")
    await watch.until(lambda: readings("answered") >= answered + 6)
    seen.read()
    assert {row[1] for row in seen.rows}.isdisjoint({"WentDown", "EmergencyOpened", "BlindBegan"})
    assert people.accepted == []
    assert len(watch.events("store-stuck")) == 1

    (disk / "ballast").unlink()
    freed = time.monotonic()
    contacts = ("duty", "boss")
    wanted = {f"E-000001.{kind}.acme.{contact}" for kind in ("emergency", "recovery") for contact in contacts}
    async with asyncio.timeout(RECOVERED_WITHIN_S):
        await people.until_told(wanted)
    await watch.says("store-recovered")
    await watch.until(lambda: page("/-/ready")[0] == 200)
    assert time.monotonic() - freed < RECOVERED_WITHIN_S
    await watch.says("notice-settled", 4)
    missed = readings("missed")
    assert await watch.stop() == 0

    kept = await agreeing(disk / "hostwatch.db", seen, at_first=at_first)
    assert kept.misses() == missed, "a look was lost while the disk was full"
    assert {body["signal"] for body in kept.bodies("SilenceBegan")} == {"web-1/ping@main"}
    assert [row["device"] for row in kept.tables["emergencies"]] == ["web-1"]
    assert {message.about for message in people.accepted} == wanted
    assert len(people.accepted) == len(wanted)
    assert kept.bodies("DutyBreached") == []


def strike(watch: Watch, store: Path, call: str, error: str) -> subprocess.Popen[bytes]:
    """Let the next call on a file of the store fail, once."""
    files = [argument for end in ("", "-wal") for argument in ("-P", f"{store}{end}")]
    inject = ["-e", f"trace={call}", "-e", f"inject={call}:error={error}:when=1"]
    return subprocess.Popen(["strace", "-f", "-qq", "-p", str(watch.pid), *files, *inject, "-o", "/dev/null"])


FAILURES = [("fdatasync", "EIO"), ("pwrite64", "EIO"), ("pwrite64", "EROFS")]


@pytest.mark.parametrize(("call", "error"), FAILURES)
@on_stage
async def test_a_write_that_failed_is_never_tried_again(tmp_path: Path, call: str, error: str) -> None:
    people, store = People(), tmp_path / "hostwatch.db"
    seen = Follower(store)
    await people.start()
    config = prepared(tmp_path)
    watch = Watch(config)
    await watch.says("device-proven", 2)
    tracer = strike(watch, store, call, error)
    ending = asyncio.create_task(watch.ended())
    await seen.until(lambda _: ending.done())
    assert ending.result() == 1
    tracer.wait()
    assert "cannot write to the store" in watch.last_words()
    assert watch.events("store-stuck") == []
    at_first = len(seen.rows)

    again = Watch(config)
    await again.says("watch-started")
    world.silence("127.0.0.3")
    await people.until_told({f"E-000001.emergency.acme.{contact}" for contact in ("duty", "boss")})
    assert await again.stop() == 0
    await agreeing(store, seen, at_first=at_first)


@on_stage
async def test_a_read_only_disk_is_refused_at_start(tmp_path: Path) -> None:
    disk = tmp_path / "disk"
    disk.mkdir()
    world.mount_small(disk)
    config = prepared(tmp_path, "disk/hostwatch.db")
    watch = Watch(config)
    await watch.says("device-proven", 2)
    assert await watch.stop() == 0
    before = {path.name: path.read_bytes() for path in disk.iterdir()}

    world.remount(disk, "ro")
    refused = Watch(config)
    assert await refused.ended() == 1
    assert "Read-only file system" in refused.last_words()
    assert str(disk) in refused.last_words()
    status = command("status", config, "--json")
    assert '"up": 2' in status.stdout or '"unknown"' in status.stdout
    assert command("report", config, "--month", time.strftime("%Y-%m"), "--format", "csv").returncode == 0
    assert {path.name: path.read_bytes() for path in disk.iterdir()} == before

    world.remount(disk, "rw")
    again = Watch(config)
    await again.says("watch-started")
    assert await again.stop() == 0


@pytest.mark.parametrize(("first", "length"), [(0, 16), (18, 90), (4096, 200), (2 * 4096, 8192)])
@on_stage
async def test_a_damaged_store_is_refused_in_plain_words(tmp_path: Path, first: int, length: int) -> None:
    store, config = tmp_path / "hostwatch.db", prepared(tmp_path)
    watch = Watch(config)
    await watch.says("device-proven", 2)
    assert await watch.stop() == 0

    content = bytearray(store.read_bytes())
    content[first : first + length] = bytes(byte ^ 0xFF for byte in content[first : first + length])
    store.write_bytes(content)
    refused = Watch(config)
    assert await refused.ended() == 1
    assert "damaged" in refused.last_words()
    assert "restore a backup" in refused.last_words()
    assert "Traceback" not in refused.said()
    assert store.read_bytes() == bytes(content)

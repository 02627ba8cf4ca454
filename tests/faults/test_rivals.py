"""Two watches want one store: one has it, the other is told so, and whoever lost it stops."""

from __future__ import annotations

import os
import signal
import sqlite3
import time
from pathlib import Path

import pytest

from tests.faults.oracles import Kept
from tests.faults.point import fingerprint
from tests.faults.record import Follower, faults_of
from tests.faults.stage import Watch, command, configuration, on_stage

pytestmark = pytest.mark.lab

LOOKS_WITHIN_S = 10.0


def prepared(folder: Path, name: str = "hostwatch.yaml") -> Path:
    config = folder / name
    config.write_text(configuration())
    return config


def prepared_quiet(folder: Path) -> Path:
    """The same without pages: two watches may run side by side."""
    config = folder / "quiet.yaml"
    config.write_text(configuration().replace("listen: 127.0.0.1:9464", "listen: off"))
    return config


@on_stage
async def test_the_second_is_refused_and_told_who_has_the_store(tmp_path: Path) -> None:
    config = prepared(tmp_path)
    first = Watch(config)
    await first.says("device-proven", 2)
    second = Watch(config)
    assert await second.ended() == 1
    assert f"another watch (process {first.pid}) has it" in second.last_words()
    assert command("reload", config).returncode == 0
    assert f'"process": {first.pid}' in command("status", config, "--json").stdout
    assert await first.stop() == 0


@on_stage
async def test_after_a_kill_the_next_starts_at_once(tmp_path: Path) -> None:
    config, seen = prepared(tmp_path), Follower(tmp_path / "hostwatch.db")
    first = Watch(config)
    await first.says("device-proven", 2)
    seen.read()
    first.process.kill()
    assert await first.ended() == -signal.SIGKILL
    began = time.monotonic()
    second = Watch(config)
    await second.says("watch-started")
    assert time.monotonic() - began < LOOKS_WITHIN_S
    assert await second.stop() == 0
    kept = Kept(tmp_path / "hostwatch.db")
    assert [*faults_of(kept.rows, seen.rows)] == []
    assert [body["epoch"] for body in kept.bodies("WatchStarted")] == [1, 2]


async def freeze(watch: Watch, store: Path) -> None:
    """Stop a watch where it stands, as a paused machine does, but not in the middle of a transaction."""
    db = sqlite3.connect(store, timeout=0, isolation_level=None)

    def frozen() -> bool:
        watch.process.send_signal(signal.SIGSTOP)
        os.waitid(os.P_PID, watch.pid, os.WSTOPPED | os.WNOWAIT)
        try:
            db.execute("BEGIN IMMEDIATE")
        except sqlite3.OperationalError:
            watch.process.send_signal(signal.SIGCONT)
            return False
        db.execute("ROLLBACK")
        return True

    await watch.until(frozen, "was always writing")
    db.close()


@on_stage
async def test_a_fenced_watch_stops_and_leaves_the_other_alone(tmp_path: Path) -> None:
    config = prepared_quiet(tmp_path)
    first = Watch(config)
    await first.says("device-proven", 2)
    await freeze(first, tmp_path / "hostwatch.db")
    (tmp_path / "hostwatch.db.lock").unlink()  # somebody "cleans up", and so both get a lease
    second = Watch(config)
    await second.says("watch-started")
    first.process.send_signal(signal.SIGCONT)
    assert await first.ended() == 1
    assert "another watch has taken the store over" in first.last_words()
    assert second.process.poll() is None
    assert f'"process": {second.pid}' in command("status", config, "--json").stdout
    assert await second.stop() == 0
    kept = Kept(tmp_path / "hostwatch.db")
    assert kept.integrity == "ok"
    assert [*faults_of(kept.rows, [])] == []
    epochs = [body["epoch"] for body in kept.bodies("WatchStarted")]
    stopped = [body["epoch"] for body in kept.bodies("WatchStopped")]
    assert (epochs, stopped) == ([1, 2], [2])


@on_stage
async def test_after_a_kill_readers_leave_everything_as_it_was(tmp_path: Path) -> None:
    config, store = prepared(tmp_path), tmp_path / "hostwatch.db"
    watch = Watch(config)
    await watch.says("device-proven", 2)
    watch.process.kill()
    await watch.ended()
    before = fingerprint(store)
    assert "hostwatch.db-wal" in before
    assert store.with_name("hostwatch.db-wal").stat().st_size > 0
    month = time.strftime("%Y-%m", time.gmtime())
    for verb, *arguments in (
        ("status",), ("status", "--json"), ("report", "--month", month),
        ("report", "--month", month, "--format", "json"), ("webhook-key",),
    ):  # fmt: skip
        done = command(verb, config, *arguments)
        assert done.returncode == (2 if verb == "status" else 0), done.stderr
        assert fingerprint(store) == before, verb
    os.sync()
    again = Watch(config)
    await again.says("watch-started")
    assert await again.stop() == 0
    assert Kept(store).integrity == "ok"

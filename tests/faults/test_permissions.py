"""Users who may not: as root nothing could fail, so the commands here run as nobody.

The child becomes nobody itself, after its imports: the interpreter may live where nobody cannot go.
"""

from __future__ import annotations

import stat
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.faults.stage import ROOT, Watch, configuration, on_stage

pytestmark = pytest.mark.lab

NOBODY = 65534
AS_NOBODY = f"""
import encodings.ascii, encodings.idna, os, pkgutil, sys
from importlib import import_module
from hostwatch import channels, cli, commands, reports
for room in (channels, commands, reports):
    for found in pkgutil.iter_modules(room.__path__):
        import_module(room.__name__ + "." + found.name)
os.setgroups([])
os.setresgid({NOBODY}, {NOBODY}, {NOBODY})
os.setresuid({NOBODY}, {NOBODY}, {NOBODY})
sys.exit(cli.main(sys.argv[1:]))
"""


def as_nobody(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", AS_NOBODY, *arguments],
        cwd=ROOT, capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip


@pytest.fixture
def public() -> Iterator[Path]:
    """A folder that everybody may enter, with a configuration that everybody may read."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        folder.chmod(0o755)
        config = folder / "hostwatch.yaml"
        config.write_text(configuration("state/hostwatch.db"))
        config.chmod(0o644)
        yield folder


def refused(done: subprocess.CompletedProcess[str], code: int, *words: str) -> None:
    assert done.returncode == code, (done.stdout, done.stderr)
    for one in words:
        assert one in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("mode", [0o700, 0o755])
@on_stage
async def test_what_belongs_to_the_watch_is_closed_to_others(public: Path, mode: int) -> None:
    """Also when somebody has opened the folder: each file is closed by itself."""
    config, state = str(public / "hostwatch.yaml"), public / "state"
    watch = Watch(public / "hostwatch.yaml")
    await watch.says("device-proven", 2)
    state.chmod(mode)
    store = str(state / "hostwatch.db")
    why = "Permission denied" if mode == 0o700 else "as this user"
    refused(as_nobody("status", "--config", config), 2, store, why)
    refused(as_nobody("report", "--config", config, "--month", "2026-10"), 1, store, why)
    refused(
        as_nobody("webhook-key", "--config", config), 1, "cannot read the webhook key", "Permission denied"
    )
    refused(as_nobody("reload", "--config", config), 1, f"{store}.sock", "only its user and root may")
    refused(as_nobody("run", "--config", config), 1, "Permission denied", f"{store}.lock")
    assert watch.process.poll() is None
    assert len(watch.events("configuration-applied")) == 1
    assert await watch.stop() == 0


@pytest.mark.parametrize("umask", [0o000, 0o022, 0o777])
@on_stage
async def test_modes_do_not_hang_on_the_umask(public: Path, umask: int) -> None:
    watch = Watch(public / "hostwatch.yaml", umask=umask)
    await watch.says("device-proven", 2)
    state = public / "state"
    modes = {path.name: oct(stat.S_IMODE(path.stat().st_mode)) for path in state.iterdir()}
    assert stat.S_IMODE(state.stat().st_mode) == 0o700
    names = ("", "-wal", "-shm", ".lock", ".sock", ".webhook-key")
    assert modes == {f"hostwatch.db{name}": "0o600" for name in names}
    assert await watch.stop() == 0


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o620])
@on_stage
async def test_a_key_that_others_may_read_is_refused(public: Path, mode: int) -> None:
    config = public / "hostwatch.yaml"
    watch = Watch(config)
    await watch.says("device-proven", 2)
    assert await watch.stop() == 0
    key = public / "state" / "hostwatch.db.webhook-key"
    key.chmod(mode)
    again = Watch(config)
    assert await again.ended() == 1
    assert f"run chmod 600 {key}" in again.last_words()
    key.chmod(0o600)
    once_more = Watch(config)
    await once_more.says("watch-started")
    assert await once_more.stop() == 0


@on_stage
async def test_the_key_survives_a_start_that_was_cut_off(public: Path) -> None:
    """What an earlier start left half done is no key, and is in nobody's way."""
    state = public / "state"
    state.mkdir(mode=0o700)
    (state / "hostwatch.db.webhook-key.new").write_text("")
    watch = Watch(public / "hostwatch.yaml")
    await watch.says("device-proven", 2)
    assert len((state / "hostwatch.db.webhook-key").read_text().strip()) == 64
    assert not (state / "hostwatch.db.webhook-key.new").exists()
    assert stat.S_IMODE((state / "hostwatch.db.webhook-key").stat().st_mode) == 0o600
    assert await watch.stop() == 0

"""The store as files: who may have it, who may read it, and what happens to a damaged or full one."""

from __future__ import annotations

import json
import os
import signal
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from hostwatch.store import ledger
from hostwatch.store.connection import connect
from hostwatch.store.errors import Damaged, Held, StoreError
from hostwatch.store.lease import Lease
from tests.store.stories import Story, device, population

ROOT = Path(__file__).parents[2]
HOLDER = """
import sys
from pathlib import Path
from hostwatch.store.lease import Lease
lease = Lease(Path(sys.argv[1]))
print("held", flush=True)
sys.stdin.read()
"""


def run_python(*arguments: str, before: tuple[str, ...] = ()) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*before, sys.executable, *arguments],
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
    )


def hold(store: Path) -> subprocess.Popen[str]:
    """Another process that has the lease; waits until it says so."""
    holder = subprocess.Popen(
        [sys.executable, "-c", HOLDER, str(store)],
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert holder.stdout is not None
    assert holder.stdout.readline() == "held\n"
    return holder


def test_a_second_watch_is_refused_and_told_who_has_the_store(tmp_path: Path) -> None:
    store = tmp_path / "hostwatch.db"
    with hold(store) as holder:
        with pytest.raises(Held, match=rf"another watch \(process {holder.pid}\) has it"):
            Lease(store)
        holder.communicate()
    Lease(store).close()


def test_a_killed_watch_holds_nothing(tmp_path: Path) -> None:
    store = tmp_path / "hostwatch.db"
    with hold(store) as holder:
        holder.send_signal(signal.SIGKILL)
        holder.communicate()
    Lease(store).close()


def test_a_lease_is_given_back_and_taken_again(tmp_path: Path) -> None:
    store = tmp_path / "hostwatch.db"
    first = Lease(store)
    with pytest.raises(Held, match=rf"process {os.getpid()}"):
        Lease(store)
    first.close()
    Lease(store).close()


def fill(path: Path) -> None:
    """A store with some pages in it, closed in good order."""
    story = Story(connect(path))
    story.enrol(population(*(device(n) for n in range(60))))
    story.ledger.close()


def test_a_store_is_for_its_owner_alone(tmp_path: Path) -> None:
    path = tmp_path / "state" / "hostwatch.db"
    old = os.umask(0)
    try:
        story = Story(connect(path))
        Lease(path).close()
        files = {file.name: stat.S_IMODE(file.stat().st_mode) for file in path.parent.iterdir()}
    finally:
        os.umask(old)
    assert files == dict.fromkeys(
        ("hostwatch.db", "hostwatch.db-wal", "hostwatch.db-shm", "hostwatch.db.lock"), 0o600
    )
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    story.ledger.close()


@pytest.mark.lab
def test_others_cannot_read_it(tmp_path: Path) -> None:
    """As root nothing is forbidden, so somebody without privileges tries; the owner's folder is open."""
    path = tmp_path / "state" / "hostwatch.db"
    story = Story(connect(path))
    for folder in (path.parent, *path.parent.parents):
        if folder.stat().st_mode & 0o005 != 0o005:
            folder.chmod(0o755)
    nobody = ("setpriv", "--reuid=65534", "--regid=65534", "--clear-groups")
    for file in sorted(path.parent.iterdir()):
        tried = subprocess.run([*nobody, "cat", file], capture_output=True, text=True, check=False)
        assert tried.returncode != 0
        assert "Permission denied" in tried.stderr, file.name
    listed = subprocess.run([*nobody, "ls", path.parent], capture_output=True, text=True, check=False)
    assert path.name in listed.stdout, "the folder itself must be open here, or this shows nothing"
    story.ledger.close()


@pytest.mark.parametrize("damage", ["garbage", "header", "middle", "one page", "cut short"])
def test_a_damaged_file_is_refused_at_start(tmp_path: Path, damage: str) -> None:
    path = tmp_path / "hostwatch.db"
    fill(path)
    content = bytearray(path.read_bytes())
    match damage:
        case "garbage":
            content[:] = b"this is no database\n" * 400
        case "header":
            content[:16] = bytes(16)
        case "middle":
            for page in range(4096, len(content), 4096):
                content[page : page + 200] = b"\xa5" * 200
        case "one page":  # of the record, which nothing but the check of the whole file looks at
            page = content.index(b'"d30"') // 4096 * 4096
            content[page : page + 8] = b"\xa5" * 8
        case "cut short":
            del content[len(content) // 2 :]
    path.write_bytes(bytes(content))
    with pytest.raises(Damaged, match=r"SQLite found it damaged \(.*\); restore a backup"):
        ledger.Ledger(connect(path), "boot").open()
    assert path.read_bytes() == bytes(content), "a damaged file is evidence and is left as it is"


@pytest.mark.lab
def test_a_full_disk_leaves_nothing_half_written_and_goes_on_when_there_is_space(tmp_path: Path) -> None:
    script = Path(__file__).with_name("full_disk.py")
    mounted = f'mount -t tmpfs -o size=12m tmpfs "{tmp_path}" && exec "$0" "$@"'
    done = run_python(str(script), str(tmp_path), before=("unshare", "-m", "sh", "-c", mounted))
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    assert told["committed"] > 100
    assert told["refused"] == ["StoreError"] * 5
    assert "the disk is full" in told["words"]
    assert told["agreed_when_full"]
    assert told["recorded_when_full"] == told["recorded_before"]
    assert told["committed_after"] == 200
    assert told["integrity"] == "ok"
    assert told["reopened"]


def test_a_full_disk_at_the_first_start_says_so(tmp_path: Path) -> None:
    """SQLite is given no room for its first tables."""
    connection = connect(tmp_path / "hostwatch.db")
    connection.execute("PRAGMA max_page_count = 3")
    with pytest.raises(StoreError, match="the disk is full"):
        ledger.Ledger(connection, "boot").open()
    connection.execute("PRAGMA max_page_count = 1000")
    ledger.Ledger(connection, "boot").open()

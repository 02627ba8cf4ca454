"""The reader: sees what is committed, changes nothing, and says what is wrong."""

from __future__ import annotations

import os
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from hostwatch.core import facts
from hostwatch.core.world import Decision
from hostwatch.store import reader as reading
from hostwatch.store.connection import connect
from hostwatch.store.errors import Absent, Damaged, StoreError, WrongVersion
from hostwatch.store.ledger import Ledger, Personal
from hostwatch.store.reader import Reader
from tests.reports.october import teller
from tests.reports.stores import ROOT, hashes, write, writer

AT = datetime(2026, 10, 1, tzinfo=UTC)
NOBODY = 65534


@pytest.fixture(params=["hostwatch.db", "a ?#%41 ü.db"])
def path(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    return tmp_path / "var" / str(request.param)


def look(path: Path) -> int:
    """Read everything; how many facts there were."""
    with Reader(path) as reader:
        count = len(list(reader.facts()))
        as_of, world = reader.moment()
        assert as_of.seq == count
        assert world.alive_at == as_of.alive_at
        return count


def test_after_a_kill_nothing_is_changed(path):
    with writer(path) as process:
        process.kill()
        process.wait()
        before = hashes(path)
        assert set(before) == {path.name, path.name + "-wal"}

        assert look(path) == len(teller().record)

        assert hashes(path) == before


def test_a_live_writer_is_followed_and_its_files_are_left(path):
    ledger = write(path)
    before = hashes(path)
    with Reader(path) as reader:
        assert list(reader.facts()) == teller().record
        assert hashes(path) == before
        ledger.commit(Decision(facts=(facts.BlindBegan(at=AT, why="w", detail=""),)), AT)
        assert reader.as_of().seq == len(teller().record) + 1
    ledger.close()


def test_after_a_clean_end_no_file_is_made(path):
    write(path).close()
    before = hashes(path)

    assert look(path) == len(teller().record)

    assert [file.name for file in path.parent.iterdir()] == [path.name]
    assert hashes(path) == before


def test_a_writer_that_starts_under_a_reader_is_seen(path):
    write(path).close()
    with Reader(path) as reader:
        count = reader.as_of().seq
        ledger = Ledger(connect(path), "boot")
        ledger.open()
        ledger.commit(Decision(facts=(facts.BlindBegan(at=AT, why="w", detail=""),)), AT)
        assert reader.as_of().seq == count + 1
        ledger.close()
        assert reader.as_of().seq == count + 1


def test_a_read_that_a_writer_ran_into_is_done_again(path):
    write(path).close()
    tries = []

    def interfered(db: sqlite3.Connection) -> int:
        tries.append(db)
        if len(tries) == 1:
            ledger = Ledger(connect(path), "boot")
            ledger.open()
            ledger.close()
        return int(db.execute("SELECT epoch FROM watch").fetchone()[0])

    with Reader(path) as reader:
        assert reader._read(interfered) == 2
    assert len(tries) == 2


def test_a_file_that_never_stands_still(path):
    write(path).close()
    with Reader(path) as reader, pytest.raises(StoreError, match="it changed again and again"):
        reader._read(lambda db: path.touch())


def test_the_present_is_the_one_that_was_committed(path):
    write(path).close()
    with Reader(path) as reader:
        world = reader.world()
    assert world.signals == teller().world.signals
    assert world.population.devices == teller().world.population.devices


def test_facts_of_some_kinds_since_a_day_in_small_pages(path, monkeypatch):
    monkeypatch.setattr(reading, "FACTS_AT_ONCE", 7)
    write(path).close()
    kinds, since, seen = (facts.SilenceBegan, facts.SilenceEnded), datetime(2026, 10, 10, tzinfo=UTC), []
    with Reader(path) as reader:
        found = list(reader.facts(kinds, since=since, progress=lambda done, of: seen.append((done, of))))
        assert list(reader.facts()) == teller().record
        assert list(reader.facts(until=replace(reader.as_of(), seq=9))) == teller().record[:9]
    assert found == [f for f in teller().record if isinstance(f, kinds) and f.at >= since]
    assert len(found) == 16, "of the device, its service, its supply, the uplink and its three references"
    assert seen[-1] == (len(teller().record),) * 2
    assert len(seen) == -(-len(teller().record) // 7)


def test_emergencies_notices_and_personal_data(path):
    ledger = write(path)
    ledger.commit(Decision(), AT, [Personal(commitment="c", salt=b"s", value="ops@acme.example")])
    ledger.close()
    with Reader(path) as reader:
        assert [e.reference for e in reader.recent_emergencies(10)] == ["E-000002", "E-000003", "E-000001"]
        assert reader.recent_emergencies(0) == []
        assert reader.notices_of("E-000001") == []
        assert reader.personal("c") == "ops@acme.example"
        assert reader.personal("d") is None


def test_no_store_yet(path):
    with pytest.raises(Absent, match=r"there is no store yet at .*; start `hostwatch run`"):
        Reader(path)
    connect(path).close()
    with pytest.raises(Absent):
        Reader(path)


@pytest.mark.parametrize("version", [-1, 999])
def test_another_version(path, version):
    ledger = write(path)
    ledger._db.execute(f"PRAGMA user_version = {version}")
    ledger.close()
    with pytest.raises(WrongVersion):
        Reader(path)


def test_a_store_that_is_migrated_under_a_reader(path):
    ledger = write(path)
    with Reader(path) as reader:
        ledger._db.execute("PRAGMA user_version = 999")
        with pytest.raises(WrongVersion):
            reader.as_of()
    ledger.close()


def test_what_is_no_store(path):
    path.parent.mkdir()
    path.write_bytes(b"something else altogether" * 100)
    with pytest.raises(Damaged, match="cannot read the store"):
        Reader(path)


def test_a_look_that_takes_too_long(path):
    write(path).close()
    ticks = iter(range(0, 10**9, 4))
    with Reader(path, monotonic=lambda: float(next(ticks))) as reader:
        endless = "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT max(i) FROM n"
        with pytest.raises(StoreError, match="one look took longer than 5 s"):
            reader._read(lambda db: db.execute(endless).fetchone())
        assert reader.as_of().seq == len(teller().record)


def test_nothing_can_be_written(path):
    write(path).close()
    for wal in (False, True):
        ledger = Ledger(connect(path), "boot") if wal else None
        if ledger is not None:
            ledger.open()
        with Reader(path) as reader, pytest.raises(StoreError, match="readonly"):
            reader._read(lambda db: db.execute("UPDATE watch SET epoch = 99"))
        if ledger is not None:
            ledger.close()


@pytest.fixture
def public() -> Iterator[Path]:
    """A store in a folder that everybody may read and only root may write."""
    with TemporaryDirectory() as name:
        folder = Path(name)
        folder.chmod(0o755)
        yield folder / "hostwatch.db"


def as_nobody(path: Path, before: str = "") -> str:
    """What a user without any privilege reads. Our own files are read before: they may lie with root."""
    program = (
        "import os, sys, _strptime; from pathlib import Path\n"
        "from hostwatch.store import migrations; from hostwatch.store.reader import Reader\n"
        "known = migrations.newest(); migrations.newest = lambda: known\n"
        f"os.setgroups([]); os.setgid({NOBODY}); os.setuid({NOBODY})\n"
        f"{before}\n"
        "assert not os.access(Path(sys.argv[1]).parent, os.W_OK)\n"
        "try:\n"
        "    with Reader(Path(sys.argv[1])) as reader: print(len(list(reader.facts())))\n"
        "except Exception as error: print(error)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program, str(path)], cwd=ROOT, capture_output=True, text=True, check=True
    )
    return done.stdout.strip()


@pytest.mark.parametrize("state", ["closed", "live", "killed"])
def test_a_user_who_cannot_write_the_folder_can_read(public, state):
    assert os.geteuid() == 0, "this test gives up privileges, so it needs them"
    count = str(len(teller().record))
    with writer(public) as process:
        if state == "closed":
            process.communicate(b"\n")
        if state == "killed":
            process.kill()
            process.wait()
        for file in public.parent.iterdir():
            file.chmod(0o644)
        before = hashes(public)

        assert as_nobody(public) == count

        assert hashes(public) == before


def test_a_log_that_goes_while_it_is_looked_for(public):
    write(public).close()
    public.chmod(0o644)
    was_there = (
        "from hostwatch.store import reader; really, once = reader._log, [Path('/dev/null')]\n"
        "reader._log = lambda path: once.pop() if once else really(path)"
    )

    assert as_nobody(public, before=was_there) == str(len(teller().record))


def test_a_user_who_may_not_read_is_told_so(public):
    write(public).close()
    assert public.stat().st_mode & 0o777 == 0o600

    assert "cannot open the store" in as_nobody(public)
    assert "as this user" in as_nobody(public)

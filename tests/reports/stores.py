"""Real stores: written in this process, or by one that is told to die."""

from __future__ import annotations

import hashlib
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from hostwatch.store.connection import connect
from hostwatch.store.ledger import Ledger
from tests.reports.october import teller

ROOT = Path(__file__).parents[2]


def write(path: Path) -> Ledger:
    """The story of October in a store; the ledger is left open."""
    ledger = Ledger(connect(path), "boot")
    ledger.open()
    for at, decision in teller().decisions:
        if decision.facts or decision.population is not None:
            ledger.commit(decision, at)
    at, decision = teller().decisions[-1]
    world = teller().world
    last = type(decision)(signals=tuple(world.signals.values()), alive_at=world.alive_at)
    ledger.commit(last, at)
    return ledger


def hashes(path: Path) -> dict[str, str]:
    """What the database and its log hold; the log's shared index may be written by anybody."""
    return {
        file.name: hashlib.sha256(file.read_bytes()).hexdigest()
        for file in sorted(path.parent.iterdir())
        if not file.name.endswith("-shm")
    }


@contextmanager
def writer(path: Path) -> Iterator[subprocess.Popen[bytes]]:
    """A process that has written a store and holds it open."""
    with subprocess.Popen(
        [sys.executable, "-m", "tests.reports.stores", str(path)],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    ) as process:
        try:
            assert process.stdout is not None
            assert process.stdout.readline() == b"written\n"
            yield process
        finally:
            process.kill()


if __name__ == "__main__":
    held = write(Path(sys.argv[1]))
    print("written", flush=True)
    sys.stdin.readline()
    held.close()

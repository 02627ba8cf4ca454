"""One point of a sweep: a scripted run, killed at one system call, started again, played to its end."""

from __future__ import annotations

import asyncio
import shutil
import signal
import subprocess
import time
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path
from typing import Any

from tests.faults import world
from tests.faults.oracles import Kept
from tests.faults.plays import PLAYS, Play
from tests.faults.record import Follower, look, until
from tests.faults.spare import CALLS, Spare

LOOKS_WITHIN_S = 10.0
"""From a start to the first look."""

WHOLE_WITHIN_S = 60.0
"""A point that takes longer hangs."""

READERS = (
    ("status", "--json"),
    ("report", "--month", datetime.now(UTC).strftime("%Y-%m"), "--format", "json"),
)
"""What else looks at the store before the watch is started again."""


@dataclass
class Result:
    """What became of a point."""

    call: str
    number: int
    hit: bool = False
    stage: str = ""
    """How far the script was when the watch was killed."""

    faults: list[str] = field(default_factory=list)
    repeats: int = 0
    facts: int = 0
    looked_after_s: float = 0.0
    took_s: float = 0.0

    def as_json(self) -> dict[str, Any]:
        """For the process that counts."""
        return asdict(self)


class Point:
    """A point in a folder and a network of its own. The process must have a single thread."""

    def __init__(self, what: Play, call: str, number: int, folder: Path, trace: Path | None = None) -> None:
        """Kill at the `number`th `call` of any thread; with `trace`, write them there and kill nobody."""
        self.result = Result(call, number)
        self._what = what
        self._trace = trace
        self._folder = folder
        self._store = folder / "hostwatch.db"
        self._kept: Kept | None = None
        world.enter_network()
        self._first, self._second = (self._spare("run") for _ in range(2))
        self._readers = [self._spare(*reader) for reader in READERS]

    def _spare(self, *command: str) -> Spare:
        config = str(self._folder / "hostwatch.yaml")
        return Spare((command[0], "--config", config, *command[1:]), self._folder / f"{command[0]}.log")

    async def run(self) -> Result:
        """Play and judge."""
        began = time.monotonic()
        self._follower = Follower(self._store)
        self._script = self._what(self._folder, self._follower)
        await self._script.people.start()
        try:
            await asyncio.wait_for(self._play(), WHOLE_WITHIN_S)
        except TimeoutError:
            self._wrong(f"hangs at {self._script.stage}")
        self.result.took_s = time.monotonic() - began
        self.result.repeats = sum(message.repeat for message in self._script.people.accepted)
        return self.result

    def _wrong(self, *faults: str) -> None:
        self.result.faults += faults

    async def _play(self) -> None:
        tracer = self._first.traced(*self._tracing())
        playing = asyncio.create_task(self._script.play())
        try:
            code = await self._until_ended(self._first, playing)
            tracer.wait()
            if code == -signal.SIGKILL:
                self.result.hit, self.result.stage = True, self._script.stage
                await self._after_the_kill()
                code = await self._again(playing)
            if code != 0:
                self._wrong(f"ended with {code} at {self._script.stage}")
            if playing.done():
                playing.result()
                self._at_the_end()
        finally:
            playing.cancel()

    def _tracing(self) -> tuple[str, ...]:
        call, number = self.result.call, self.result.number
        if self._trace is not None:
            return "-e", f"trace={','.join(CALLS)}", "-o", str(self._trace)
        return "-e", f"trace={call}", "-e", f"inject={call}:signal=SIGKILL:when={number}", "-o", "/dev/null"

    async def _until_ended(self, watch: Spare, playing: asyncio.Task[None]) -> int:
        """Let the watch run until the script is through, then stop it; how it ended."""
        ending = asyncio.create_task(watch.ended())
        await asyncio.wait({ending, playing}, return_when=asyncio.FIRST_COMPLETED)
        if not ending.done():
            watch.terminate()
        return await ending

    async def _again(self, playing: asyncio.Task[None]) -> int:
        """Start anew; it must look soon, and then play on."""
        self._second.go()
        looking = asyncio.create_task(self._look_after(time.time_ns() // 1000))
        through = asyncio.create_task(_both(looking, playing))
        code = await self._until_ended(self._second, through)
        if not looking.done():
            self._wrong(f"never looked after it was started again: {self._second.last_line()}")
        elif self.result.looked_after_s > LOOKS_WITHIN_S:
            self._wrong(f"looked only after {self.result.looked_after_s:.1f} s")
        through.cancel()
        return code

    async def _look_after(self, at_us: int) -> None:
        query = "SELECT 1 FROM signals WHERE last_reading > ?"
        await until(lambda: bool(look(self._store, query, at_us)))
        self.result.looked_after_s = (time.time_ns() // 1000 - at_us) / 1e6

    async def _after_the_kill(self) -> None:
        seen, accepted = list(self._follower.rows), list(self._script.people.accepted)
        before = fingerprint(self._store)
        for (name, *_), reader in zip(READERS, self._readers, strict=True):
            reader.go()
            code = await reader.ended()
            if code not in (0, 1, 2):
                self._wrong(f"{name} ended with {code}")
        if fingerprint(self._store) != before:
            self._wrong("a reader changed the store")
        copy = self._copied("killed")
        if copy is not None:
            self._wrong(*self._script.always(Kept(copy), seen, accepted))
        elif seen or accepted:
            self._wrong("the store is gone")

    def _copied(self, name: str) -> Path | None:
        """A copy of the store, to be opened as SQLite likes."""
        target = self._folder / name / self._store.name
        target.parent.mkdir()
        if not self._store.exists():
            return None
        for suffix in ("", "-wal"):
            source = self._store.with_name(self._store.name + suffix)
            if source.exists():
                shutil.copy(source, target.with_name(source.name))
        return target

    def _at_the_end(self) -> None:
        copy = self._copied("ended")
        assert copy is not None
        kept = Kept(copy)
        self.result.facts = len(kept.rows)
        self._wrong(*self._script.always(kept, self._follower.rows, self._script.people.accepted))
        self._wrong(*self._script.at_the_end(kept))
        starts = len(kept.bodies("WatchStarted"))
        if not self.result.hit and starts != 1:
            self._wrong(f"{starts} starts without a kill")


async def _both(*waited: asyncio.Task[None]) -> None:
    await asyncio.gather(*waited)


def fingerprint(store: Path) -> dict[str, str]:
    """What lies at a store, each file by its hash; not the shared index of the log, which readers keep."""
    names = {path.name: path for path in store.parent.glob(f"{store.name}*") if path.is_file()}
    return {
        name: sha256(path.read_bytes()).hexdigest()
        for name, path in sorted(names.items())
        if not name.endswith("-shm")
    }


def play(what: str, call: str, number: int, folder: Path, trace: Path | None = None) -> Result:
    """A point of one of `PLAYS` from its beginning to its verdict."""
    folder.mkdir(parents=True)
    result = Result(call, number)
    try:
        result = asyncio.run(Point(PLAYS[what], call, number, folder, trace).run())
    except (subprocess.SubprocessError, OSError, RuntimeError, AssertionError) as error:
        result.faults.append(f"the sweep itself broke: {error!r}")
    if not result.faults:
        shutil.rmtree(folder)
    return result

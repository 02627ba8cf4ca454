"""A process that runs checks as it is told to, and says what came of each and what was left behind.

    python -m tests.checks.victim    orders come in, accounts go out: JSON, a line each

It must be its own: only so can one say that memory stayed flat and that nothing was left behind.
"""

from __future__ import annotations

import asyncio
import gc
import json
import os
import select
import socket
import subprocess
import sys
import time
import warnings
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from hostwatch import checks, power
from hostwatch.checks import base
from hostwatch.checks._wire import wait
from hostwatch.configuration.secret import Places
from hostwatch.power import base as base_of_power
from tests.checks.conftest import HostsFile, surroundings

ROOT: Final = Path(__file__).parents[2]
SECRET: Final = "correct-horse-battery-staple"
TURNS_MAX: Final = 200
"""Turns of the loop within which everything must be closed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """A check to be run."""

    kind: str
    """That of a power source begins with `power/`."""

    written: Any
    allowed: tuple[int, ...] = ()
    """The ports of 127.0.0.1 that may be connected to, and nothing else; all if empty."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """What came of it."""

    found: base.Finding
    grew_kib: int
    """By how much more memory was held at any time than before."""

    took_s: float
    left: list[str]
    """Descriptors, tasks and threads that are still there."""

    complaints: list[str]
    """What Python said about it: warnings, exceptions that nobody took."""


class Victim:
    """The other side of this process."""

    def __init__(self) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.checks.victim"],
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env={**os.environ, "HOSTWATCH_TEST_SECRET": SECRET},
        )

    async def run(self, order: Order) -> Account:
        """Run a check there."""
        told = json.loads(await asyncio.to_thread(self._run, order))
        return Account(**{**told, "found": base.of_data(told["found"])})

    def _run(self, order: Order) -> bytes:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        line = json.dumps({"kind": order.kind, "written": order.written, "allowed": order.allowed})
        self._process.stdin.write(line.encode() + b"\n")
        self._process.stdin.flush()
        return self._process.stdout.readline()

    def close(self) -> None:
        """End it."""
        assert self._process.stdin is not None
        self._process.stdin.close()
        assert self._process.wait(10) == 0
        assert self._process.stdout is not None
        self._process.stdout.close()


class OnlyThere:
    """Lets checks connect to some ports of one address."""

    def __init__(self, ports: tuple[int, ...]) -> None:
        self._ports = ports

    def refusal(self, address: str, port: int, *, literal: bool, own: bool) -> str:
        """Why not."""
        if not self._ports or (address == "127.0.0.1" and port in self._ports):
            return ""
        return "it is outside of what checks may connect to"


def _held(what: str) -> int:
    for line in Path("/proc/self/status").read_text(encoding="ascii").splitlines():
        if line.startswith(what):
            return int(line.split()[1])
    raise LookupError(what)


def _measure_anew() -> None:
    Path("/proc/self/clear_refs").write_text("5", encoding="ascii")  # forgets the peak


def _descriptors() -> dict[str, str]:
    found = {}
    for one in Path("/proc/self/fd").iterdir():
        try:
            found[one.name] = str(one.readlink())
        except FileNotFoundError:
            continue  # the one that listed them
    return found


def _left(before: dict[str, str]) -> list[str]:
    files = [f"{number}: {name}" for number, name in _descriptors().items() if number not in before]
    tasks = [repr(task) for task in asyncio.all_tasks() if task is not asyncio.current_task()]
    return files + tasks


@contextmanager
def _complaints() -> Iterator[list[str]]:
    found: list[str] = []
    loop, unraisable, show = asyncio.get_running_loop(), sys.unraisablehook, warnings.showwarning
    loop.set_exception_handler(lambda _loop, context: found.append(f"{context}"))
    sys.unraisablehook = lambda told: found.append(f"{told.exc_value!r} in {told.object!r}")
    warnings.showwarning = lambda message, *_: found.append(f"{message}")
    try:
        yield found
    finally:
        loop.set_exception_handler(None)
        sys.unraisablehook, warnings.showwarning = unraisable, show


async def attend(order: dict[str, Any]) -> dict[str, Any]:
    """Run one check, and look round after it."""
    room, _, kind = order["kind"].rpartition("/")
    module = power.room(kind) if room else checks.room(kind)
    run: Callable[..., Awaitable[base.Finding]] = base_of_power.run if room else base.run
    settings = module.Settings.model_validate(order["written"], context=Places())
    names = HostsFile(www_example_com="127.0.0.1")
    around = surroundings(names=names, policy=OnlyThere(tuple(order["allowed"])))
    gc.collect()
    before, held = _descriptors(), _held("VmRSS")
    _measure_anew()
    with _complaints() as complaints:
        began = time.monotonic()
        visit = base.Visit(kind=order["kind"], address="127.0.0.1", surroundings=around)
        found = await run(module, settings, visit)
        took_s = time.monotonic() - began
        grew_kib = _held("VmHWM") - held
        for _ in range(TURNS_MAX):
            if not _left(before):
                break
            await asyncio.sleep(0)
        left = _left(before)
        gc.collect()
    return {
        "found": found.as_data(),
        "grew_kib": grew_kib,
        "took_s": took_s,
        "left": left,
        "complaints": complaints,
    }


async def main() -> None:
    """One order after the other, until there are no more."""
    warnings.simplefilter("always")
    with socket.socket(type=socket.SOCK_DGRAM) as free:
        await wait(
            free, select.EPOLLOUT
        )  # one descriptor of the loop is made by the first who waits, and stays
    while line := await asyncio.to_thread(sys.stdin.readline):
        print(json.dumps(await attend(json.loads(line))), flush=True)


if __name__ == "__main__":
    asyncio.run(main())

"""How a watch has its inventories read: it starts a process, asks, and takes what changes.

Everything here waits for that process, and belongs into a thread beside the loop.
"""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple, Self

from hostwatch import unprivileged
from hostwatch.configuration.load import Loaded, load
from hostwatch.configuration.mistake import BadConfiguration, Mistake
from hostwatch.core import canonical
from hostwatch.core.device import Device
from hostwatch.stock.check import Order, Progress, Summary
from hostwatch.stock.order import order_of, recorded
from hostwatch.stock.worker import plain_order

SAID_CHARS_MAX = 2_000


class StockError(Exception):
    """The process that reads inventories did not do its work."""


class Taken(NamedTuple):
    """A configuration with its inventories, and the process that has read them; None without inventories."""

    loaded: Loaded
    stocktaker: Stocktaker | None


def take(
    path: Path,
    progress: Progress,
    started: Callable[[Stocktaker], None] = lambda stocktaker: None,
    *,
    soon: bool = False,
) -> Taken:
    """Read a configuration and its inventories. As `take_inventories`.

    `soon`: it had inventories before, so the process is started at once and loads its code meanwhile.
    """
    stocktaker = Stocktaker() if soon else None
    try:
        return take_inventories(load(path), progress, started, stocktaker)
    except BaseException:
        if stocktaker is not None:
            stocktaker.close()
        raise


def take_inventories(
    loaded: Loaded,
    progress: Progress,
    started: Callable[[Stocktaker], None] = lambda stocktaker: None,
    stocktaker: Stocktaker | None = None,
) -> Taken:
    """Read the inventories of a configuration. Raises `BadConfiguration` or `StockError`.

    Whoever takes it closes the process, which `started` is told of before it works.
    """
    if not loaded.inventories:
        if stocktaker is not None:
            stocktaker.close()
        return Taken(loaded, None)
    stocktaker = stocktaker or Stocktaker()
    try:
        started(stocktaker)
        stocktaker.check(order_of(loaded, kept=True), progress)
        if stocktaker.mistakes:
            raise BadConfiguration(stocktaker.mistakes)
    except BaseException:
        stocktaker.close()
        raise
    read = recorded(stocktaker.summaries)
    whole = loaded.with_inventories(read, stocktaker.warnings, stocktaker.supplies, stocktaker.uplinks)
    return Taken(whole, stocktaker)


def _device(like: Device, name: str, address: str) -> Device:
    """A device like others. They share all that is not their own: a million of them must fit into memory."""
    return Device(
        id=name,
        customer=like.customer,
        address=address,
        state=like.state,
        waiver=like.waiver,
        uplink=like.uplink,
        method=like.method,
        services=like.services,
        place=like.place,
    )


class Stocktaker:
    """One process for one reading of all inventories."""

    def __init__(self) -> None:
        self.mistakes: tuple[Mistake, ...] = ()
        self.warnings: tuple[Mistake, ...] = ()
        self.summaries: tuple[Summary, ...] = ()
        self.supplies: tuple[str, ...] = ()
        """The supplies of all devices, by name."""

        self.uplinks: tuple[str, ...] = ()
        """The uplinks and redundancy groups of all devices, by name."""

        self.devices = 0
        """How many there are in all."""

        self._process = subprocess.Popen(
            unprivileged.command("hostwatch.stock.worker"),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env={**os.environ, "PYTHONPATH": unprivileged.python_path()},
            encoding="utf-8",
        )
        self._said: list[str] = []
        self._listening = threading.Thread(target=self._listen, name="stocktaker-stderr", daemon=True)
        self._listening.start()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def check(self, order: Order, progress: Progress) -> None:
        """Have all inventories read. Raises `StockError` when the process fails."""
        self._ask(plain_order(order))
        for line in self._lines("checked"):
            if "file" in line:
                progress(line["file"], line["line"], line["lines"])
            else:
                self.mistakes = tuple(Mistake(**found) for found in line["mistakes"])
                self.warnings = tuple(Mistake(**found) for found in line["warnings"])
                self.summaries = tuple(Summary(*summary) for summary in line["summaries"])
                self.devices = line["devices"]
                self.supplies = tuple(line["supplies"])
                self.uplinks = tuple(line["uplinks"])

    def compare(self, store: Path, in_force: str) -> tuple[tuple[Device, ...], tuple[str, ...]]:
        """The devices that are new or changed against the record, and the names of those that are gone.

        `in_force` is the digest of the configuration on record. Raises `StockError` when the process fails
        or cannot read the store.
        """
        self._ask({"store": str(store), "in_force": in_force})
        likes: dict[int, Device] = {}
        devices: list[Device] = []
        gone: list[str] = []
        for line in self._lines("compared"):
            match line:
                case {"kind": kind, "like": like}:
                    likes[kind] = canonical.restore(Device, like)
                case {"devices": rows}:
                    devices.extend(_device(likes[kind], name, address) for name, address, kind in rows)
                case {"gone": [*names]}:
                    gone.extend(names)
        return tuple(devices), tuple(gone)

    def note(self, in_force: str) -> None:
        """What was read is in force and on record. Raises `StockError` when the process fails."""
        self._ask({"in_force": in_force})
        for _ in self._lines("noted"):
            pass

    def kill(self) -> None:
        """End the process, whatever it does. From any thread."""
        self._process.kill()

    def close(self) -> None:
        """End the process and forget it."""
        self._process.kill()
        self._process.wait()
        self._listening.join()
        for pipe in (self._process.stdin, self._process.stdout, self._process.stderr):
            if pipe is not None:
                with contextlib.suppress(OSError):
                    pipe.close()

    def _ask(self, what: dict[str, Any]) -> None:
        assert self._process.stdin is not None
        try:
            self._process.stdin.write(json.dumps(what) + "\n")
            self._process.stdin.flush()
        except OSError:
            raise self._failed() from None

    def _lines(self, last: str) -> Iterator[dict[str, Any]]:
        assert self._process.stdout is not None
        for text in self._process.stdout:
            line = json.loads(text)
            if line.get("done") == "failed":
                raise StockError(line["error"])
            yield line
            if line.get("done") == last:
                return
        raise self._failed()

    def _listen(self) -> None:
        assert self._process.stderr is not None
        for line in self._process.stderr:
            self._said[:] = [*self._said, line][-20:]

    def _failed(self) -> StockError:
        code = self._process.wait()
        self._listening.join()
        said = "".join(self._said)[-SAID_CHARS_MAX:].strip() or "it said nothing"
        return StockError(f"cannot read the inventories: the process ended with {code}: {said}")

"""The desk of the metrics: reads the store as everybody may, and writes the samples of all devices.

It takes nothing from the watch but processor time, so it stands in a process of its own as soon as
there are many devices, and in a thread of the watch while there are few. Either way it learns by the
record what is known of whom: what it says is as old as the last slice that was closed.
"""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from hostwatch import unprivileged
from hostwatch.clock import SystemClock
from hostwatch.core.schedule import Target
from hostwatch.core.service import service_in
from hostwatch.core.terms import speaking
from hostwatch.samples import Entry, Samples
from hostwatch.store.errors import StoreError
from hostwatch.store.evidence import Mark, News
from hostwatch.store.reader import Reader

DEVICES_INSIDE_MAX = 1_000
"""Up to so many devices the desk is a thread of the watch, and `/metrics` tells of each device by itself."""

ANSWER_WITHIN_S = 30.0
"""How long a desk in a process of its own may take before it is stopped: it reads 100,000 devices in 5 s."""

ANSWER_MAX_BYTES = 4096


class NoSamples(Exception):
    """Why there are none, in words for a person."""


class Sheet:
    """A file in memory, without a name. It is gone when nobody has it in hand any more."""

    def __init__(self) -> None:
        self._descriptor = os.memfd_create("samples", os.MFD_CLOEXEC)

    def fileno(self) -> int:
        """Its descriptor."""
        return self._descriptor

    def __del__(self) -> None:
        os.close(self._descriptor)


@dataclass(frozen=True, slots=True, kw_only=True)
class Body:
    """The samples of all devices: text, or a sheet that holds it."""

    size: int
    text: bytes = b""
    sheet: Sheet | None = None


class Desk:
    """Reads one store, again and again."""

    def __init__(self, path: Path, now: Callable[[], datetime] | None = None) -> None:
        self._path = path
        self._now = now or SystemClock().now
        self._mark = Mark()
        self._samples = Samples(())

    def text(self) -> bytes:
        """The samples as the record stands now. Raises `StoreError`."""
        with Reader(self._path) as reader:
            news = reader.news(self._mark)
        self._learn(news)
        return self._samples.text(self._now())

    def _learn(self, news: News) -> None:
        if news.devices is not None:
            entries = (
                Entry(
                    one.target.signal,
                    one.customer,
                    one.device,
                    one.target.address,
                    _speaking(one.target),
                    service_in(one.target.signal),
                )
                for one in news.devices
            )
            self._samples = Samples(entries, self._samples)
        for evidence in news.closed:
            self._samples.close(evidence.turns, evidence.codes)
        self._samples.restless(news.restless)
        self._mark = news.mark


def _speaking(target: Target) -> timedelta:
    return speaking(target.interval)


class Inside:
    """A desk in this process. Called in one thread only."""

    def __init__(self, path: Path) -> None:
        self._desk = Desk(path)

    def body(self) -> Body:
        """The samples. Raises `NoSamples`."""
        try:
            text = self._desk.text()
        except StoreError as error:
            raise NoSamples(str(error)) from error
        return Body(size=len(text), text=text)

    def close(self) -> None:
        """Nothing is held open."""


class Beside:
    """A desk in a process of its own, started at the first question. Called in one thread only."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._process: subprocess.Popen[bytes] | None = None
        self._ours: socket.socket | None = None

    def body(self) -> Body:
        """The samples, on a sheet that the other process wrote. Raises `NoSamples`."""
        sheet = Sheet()
        try:
            told = self._ask(sheet.fileno())
        except OSError as error:
            self.close()
            raise NoSamples(f"the process that reads the store for the metrics is gone: {error}") from error
        if not told.isdigit():
            raise NoSamples(told)
        return Body(size=int(told), sheet=sheet)

    def _ask(self, descriptor: int) -> str:
        if self._ours is None:
            self._ours = self._start()
        socket.send_fds(self._ours, [b"?"], [descriptor])
        answer = self._ours.recv(ANSWER_MAX_BYTES)
        if not answer:
            raise ConnectionResetError("it ended without an answer")
        return answer.decode()

    def _start(self) -> socket.socket:
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        ours.settimeout(ANSWER_WITHIN_S)
        with theirs:
            self._process = subprocess.Popen(
                unprivileged.command(__name__, str(self._path), str(theirs.fileno())),
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                pass_fds=(theirs.fileno(),),
            )
        return ours

    def close(self) -> None:
        """Stop the process; the next question starts another."""
        if self._ours is not None:
            self._ours.close()
        if self._process is not None:
            self._process.kill()
            self._process.wait()
        self._ours = self._process = None


class Chosen:
    """A desk inside or beside the watch, by how many devices there are."""

    def __init__(self, path: Path, devices: Callable[[], int]) -> None:
        self._path = path
        self._devices = devices
        self._desk: Inside | Beside = Inside(path)

    def body(self) -> Body:
        """The samples. Raises `NoSamples`."""
        kind = Inside if self._devices() <= DEVICES_INSIDE_MAX else Beside
        if not isinstance(self._desk, kind):
            self._desk.close()
            self._desk = kind(self._path)
        return self._desk.body()

    def close(self) -> None:
        """Stop a process that was started."""
        self._desk.close()


def serve(path: Path, theirs: socket.socket) -> None:
    """Answer until the watch is gone: the size of what was written, or why nothing was."""
    desk = Desk(path)
    while True:
        question, descriptors, *_ = socket.recv_fds(theirs, 1, 1)
        if not question:
            return
        with os.fdopen(descriptors[0], "wb") as file:
            try:
                text = desk.text()
                file.write(text)
                told = str(len(text))
            except StoreError as error:
                told = str(error)
        theirs.send(told.encode()[:ANSWER_MAX_BYTES])


if __name__ == "__main__":
    serve(Path(sys.argv[1]), socket.socket(fileno=int(sys.argv[2])))

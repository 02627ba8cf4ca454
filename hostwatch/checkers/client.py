"""The watch's end of the pair of sockets: starts one process of the checkers, speaks to it, and ends it.

The process gets nothing of ours but its end: no other descriptor, no environment that could hold a secret.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import socket
import subprocess
import threading
from collections import deque
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from hostwatch import unprivileged
from hostwatch.checkers.protocol import (
    VERSION,
    BadMessage,
    Begin,
    FromCheckers,
    Ready,
    ToCheckers,
    encoded,
    from_checkers,
    receive,
)
from hostwatch.checks.base import printable

START_WITHIN_S: Final = 30.0
"""From the start of the process to its first word."""

END_WITHIN_S: Final = 2.0
"""How long it may take to end by itself before it is killed."""

SAID_LINES: Final = 20
SAID_CHARS_MAX: Final = 1_000

ENVIRONMENT: Final = (
    "PATH",
    "LANG",
    "LC_ALL",
    "TZ",
    "SSL_CERT_FILE",
    "SSL_CERT_DIR",
    "PYTHONDONTWRITEBYTECODE",
)
"""What it may know of our environment: nothing that could be a secret."""


class Gone(Exception):
    """The process cannot be started, or has ended, or speaks nonsense; in words for a person."""


class Checkers:
    """One process, from its start to its end. `start` makes one."""

    def __init__(
        self,
        process: subprocess.Popen[bytes],
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
    ) -> None:
        self._process = process
        self._reader = reader
        self._writer = writer
        self._said: deque[str] = deque(maxlen=SAID_LINES)
        self._listening = threading.Thread(target=self._listen, name="checkers-stderr", daemon=True)
        self._listening.start()
        self.kinds: tuple[str, ...] = ()
        self.notes: tuple[str, ...] = ()
        """What this machine did not allow it to give up."""

    @property
    def pid(self) -> int:
        """The number of the process."""
        return self._process.pid

    @property
    def unsent_bytes(self) -> int:
        """What it has not read yet of what it was told."""
        return self._writer.transport.get_write_buffer_size()

    def send(self, message: ToCheckers) -> None:
        """Tell it something. Never waits; what a process that is gone is told is lost."""
        self._writer.write(encoded(message))

    async def receive(self) -> FromCheckers:
        """What it says next. Raises `Gone`: when it has ended, and when what it says is no message."""
        try:
            return from_checkers(await receive(self._reader))
        except BadMessage as bad:
            raise Gone(f"they said something that makes no sense: {bad}") from None
        except (EOFError, OSError):
            raise Gone(f"they ended{await asyncio.to_thread(self._last_words)}") from None

    def kill(self) -> None:
        """End it at once, whatever it is at."""
        self._process.kill()

    async def close(self) -> None:
        """Let it end; kill it if it does not."""
        self._writer.transport.abort()
        await asyncio.to_thread(self._end)

    def _end(self) -> None:
        try:
            self._process.wait(END_WITHIN_S)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._listening.join()
        assert self._process.stderr is not None
        with contextlib.suppress(OSError):
            self._process.stderr.close()

    def _listen(self) -> None:
        assert self._process.stderr is not None
        for line in self._process.stderr:
            self._said.append(line.decode("utf-8", "replace").rstrip())

    def _last_words(self) -> str:
        """How it ended, and what it said on its standard error."""
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.wait(END_WITHIN_S)
        code = self._process.poll()
        how = "" if code is None else f" by signal {-code}" if code < 0 else f" with {code}"
        said = printable(" | ".join(self._said), SAID_CHARS_MAX)
        return f"{how}: {said}" if said else how


async def start(folder: Path, settings: Mapping[str, Any]) -> Checkers:
    """A process that is ready. `folder`: where relative paths begin. Raises `Gone`."""
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_STREAM)
    starting = asyncio.ensure_future(asyncio.to_thread(_popen, theirs))
    try:
        process = await asyncio.shield(starting)
    except OSError as error:
        ours.close()
        raise Gone(f"they cannot be started: {error}") from None
    except asyncio.CancelledError:
        ours.close()
        starting.add_done_callback(_end_unheard)
        raise
    finally:
        starting.add_done_callback(lambda _: theirs.close())
    ours.setblocking(False)
    reader, writer = await asyncio.open_connection(sock=ours)
    checkers = Checkers(process, reader, writer)
    try:
        async with asyncio.timeout(START_WITHIN_S):
            ready = await checkers.receive()
        if not isinstance(ready, Ready) or ready.version != VERSION:
            raise Gone(f"they are of another version than {VERSION}")
        checkers.kinds, checkers.notes = ready.kinds, ready.notes
        checkers.send(Begin(folder=str(folder), around=dict(settings)))
    except TimeoutError:
        checkers.kill()
        await checkers.close()
        raise Gone(f"they were not ready within {START_WITHIN_S:g} s") from None
    except BaseException:
        checkers.kill()
        await checkers.close()
        raise
    return checkers


def _end_unheard(starting: asyncio.Future[subprocess.Popen[bytes]]) -> None:
    """A process that nobody waits for any more."""
    if not starting.cancelled() and starting.exception() is None:
        with starting.result() as process:
            process.kill()


def _popen(theirs: socket.socket) -> subprocess.Popen[bytes]:
    known = {name: os.environ[name] for name in ENVIRONMENT if name in os.environ}
    return subprocess.Popen(
        unprivileged.command("hostwatch.checkers.process", str(theirs.fileno())),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        pass_fds=(theirs.fileno(),),
        env={**known, "PYTHONPATH": unprivileged.python_path()},
    )

"""A real HylaFAX on loopback, without a modem: hfaxd and its scheduler; and one that misbehaves on demand."""

from __future__ import annotations

import asyncio
import contextlib
import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import ClassVar, Final

LOOPBACK: Final = "127.0.0.1"
PASSWORD: Final = "right"
HASHED: Final = "abuq21xu6EMNI"
"""The same as crypt(3) has it."""

CONFIG: Final = """LogFacility: daemon
CountryCode: 86
AreaCode: 28
LongDistancePrefix: 0
InternationalPrefix: 00
DialStringRules: etc/dialrules
"""
FOLDERS: Final = {
    *("archive", "bin", "client", "config", "dev", "docq", "doneq", "etc", "info", "log", "pollq", "recvq"),
    *("sendq", "status", "tmp"),
}


@dataclass(frozen=True, slots=True)
class Faxroom:
    """What runs."""

    port: int
    spool: Path

    def jobs(self, queue: str) -> list[dict[str, str]]:
        """The faxes of a queue, as its files say."""
        return [
            dict(line.split(":", 1) for line in path.read_text().splitlines() if ":" in line)
            for path in sorted((self.spool / queue).glob("q*"))
        ]

    def page(self, job: dict[str, str]) -> bytes:
        """The page of a fax."""
        return (self.spool / job["pdf"].rpartition(":")[2]).read_bytes()


@contextlib.contextmanager
def faxroom() -> Iterator[Faxroom]:
    """hfaxd and faxq, as Debian has them, on a spool of their own."""
    with tempfile.TemporaryDirectory(prefix="hostwatch-fax-") as folder, contextlib.ExitStack() as running:
        spool = Path(folder)
        for name in FOLDERS:
            (spool / name).mkdir()
        (spool / "etc/hosts.hfaxd").write_text(f"^watch@:1001:{HASHED}:{HASHED}\n^open@:1002\n")
        (spool / "etc/config").write_text(CONFIG)
        shutil.copy("/etc/hylafax/dialrules", spool / "etc/dialrules")
        (spool / "etc/setup.cache").touch()
        (spool / "bin/notify").write_text("#!/bin/sh\nexit 0\n")
        (spool / "bin/notify").chmod(0o755)
        for path in (spool, *spool.rglob("*")):
            shutil.chown(path, "uucp", "uucp")
        (spool / "etc/hosts.hfaxd").chmod(0o600)
        spool.chmod(0o755)
        with socket.socket() as sock:
            sock.bind((LOOPBACK, 0))
            port = sock.getsockname()[1]
        running.enter_context(_run("/usr/sbin/faxq", "-D", "-q", folder))
        running.enter_context(_run("/usr/sbin/hfaxd", "-d", "-q", folder, "-l", LOOPBACK, "-i", str(port)))
        _wait_for(port, spool / "FIFO")
        yield Faxroom(port, spool)


@contextlib.contextmanager
def _run(*command: str) -> Iterator[None]:
    quiet = subprocess.DEVNULL
    process = subprocess.Popen(command, stdin=quiet, stdout=quiet, stderr=quiet, start_new_session=True)
    try:
        yield
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def _wait_for(port: int, fifo: Path) -> None:
    until = time.monotonic() + 30
    while True:
        try:
            with socket.create_connection((LOOPBACK, port), timeout=5) as connection:
                if connection.recv(4) == b"220 " and fifo.exists():
                    return
        except OSError:
            pass
        assert time.monotonic() < until, "hfaxd does not answer"
        time.sleep(0.05)


@dataclass(slots=True)
class Scripted:
    """A server that says what hfaxd says, but for one thing: `wrong` is a command, and what it answers."""

    wrong: dict[str, str] = field(default_factory=dict)
    """By the first word of a command, or `greeting`; empty: it hangs up; `…`: it says nothing more."""

    done: list[str] = field(default_factory=list)
    """What `LIST doneq` brings."""

    port: int = 0
    hangs: asyncio.Event = field(default_factory=asyncio.Event)
    """Set when it says nothing more."""

    heard: list[str] = field(default_factory=list)
    stored: list[bytes] = field(default_factory=list)
    _beside: asyncio.Queue[tuple[asyncio.StreamReader, asyncio.StreamWriter]] = field(
        default_factory=asyncio.Queue
    )
    _port: int = 0

    ANSWERS: ClassVar[dict[str, str]] = {
        "USER": "331 Password required for watch.",
        "PASS": "230 User watch logged in.",
        "TYPE": "200 Type set to Image.",
        "FORM": "200 Format set to PDF.",
        "JNEW": "200 New job created: jobid: 7 groupid: 7.",
        "JPARM": "213 set.",
        "JSUBM": "200 Job 7 submitted.",
        "JOBFMT": "200 JOBFMT command successful.",
        "QUIT": "221 Goodbye.",
    }

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One conversation."""
        with contextlib.suppress(OSError, asyncio.IncompleteReadError):
            if await self._say(writer, "greeting", "220 fax.example server (HylaFAX (tm)) ready."):
                while line := await reader.readline():
                    self.heard.append(line.decode().rstrip("\r\n"))
                    if not await self._answer(writer, self.heard[-1].split()[0]):
                        break
        writer.close()

    async def _answer(self, writer: asyncio.StreamWriter, word: str) -> bool:
        if word in self.ANSWERS:
            return await self._say(writer, word, self.ANSWERS[word])
        if word in ("EPSV", "PASV"):
            high, low = divmod(self._port, 256)
            passive = f"227 Entering passive mode (10,9,8,7,{high},{low})"
            return await self._say(
                writer, word, passive if word == "PASV" else f"229 Passive (|||{self._port}|)"
            )
        await self._say(writer, word, "150 FILE: /tmp/doc1.pdf (Opening new data connection).")
        beside_reader, beside_writer = await self._beside.get()
        if word == "STOT":
            self.stored.append(await beside_reader.read())
        else:
            beside_writer.write("".join(f"{line}\r\n" for line in self.done).encode())
            with contextlib.suppress(OSError):
                await beside_writer.drain()
        beside_writer.close()
        return await self._say(writer, "after", "226 Transfer complete (FILE: /tmp/doc1.pdf).")

    async def _say(self, writer: asyncio.StreamWriter, word: str, usual: str) -> bool:
        said = self.wrong.get(word, usual)
        if said == "…":
            self.hangs.set()
            await asyncio.Event().wait()
        writer.write(f"{said}\r\n".encode() if said else b"")
        await writer.drain()
        return bool(said)


@contextlib.asynccontextmanager
async def scripted(
    wrong: dict[str, str] | None = None, done: list[str] | None = None
) -> AsyncIterator[Scripted]:
    """It, on loopback."""
    one = Scripted(wrong or {}, done or [])
    conversations: set[asyncio.Task[None]] = set()

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        conversations.add(task)
        try:
            await one.serve(reader, writer)
        except asyncio.CancelledError:
            writer.transport.abort()
        finally:
            conversations.discard(task)

    sides: list[asyncio.StreamWriter] = []

    async def beside(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        sides.append(writer)
        one._beside.put_nowait((reader, writer))

    server = await asyncio.start_server(talk, LOOPBACK, 0)
    data = await asyncio.start_server(beside, LOOPBACK, 0)
    one.port, one._port = server.sockets[0].getsockname()[1], data.sockets[0].getsockname()[1]
    try:
        yield one
    finally:
        server.close()
        data.close()
        for task in [*conversations]:
            task.cancel()
        await asyncio.gather(*conversations, return_exceptions=True)
        await asyncio.sleep(0)  # whoever has just come is among them
        for writer in sides:
            writer.transport.abort()
        await asyncio.sleep(0)

"""Real servers from Debian packages, started by fixtures on loopback and killed at the end."""

from __future__ import annotations

import socket
import subprocess
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

START_S = 30.0
"""A server that is not there by then has failed to start; what it said is shown."""


def free_port(address: str = "127.0.0.1") -> int:
    """A port that nobody has, neither for TCP nor for UDP."""
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    for _ in range(100):
        with (
            socket.socket(family, socket.SOCK_STREAM) as tcp,
            socket.socket(family, socket.SOCK_DGRAM) as udp,
        ):
            tcp.bind((address, 0))
            port: int = tcp.getsockname()[1]
            try:
                udp.bind((address, port))
            except OSError:
                continue
            return port
    raise AssertionError("there is no port that is free")


def listens(port: int, address: str = "127.0.0.1") -> Callable[[], bool]:
    """Whether somebody accepts connections there."""

    def look() -> bool:
        try:
            socket.create_connection((address, port), timeout=1).close()
        except OSError:
            return False
        return True

    return look


@contextmanager
def running(
    command: Sequence[str], ready: Callable[[], bool], log: Path
) -> Iterator[subprocess.Popen[bytes]]:
    """A server in the foreground, from the moment at which it is ready. What it says goes to a file."""
    with log.open("ab") as out:
        server = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=out, stderr=out)
    try:
        until = time.monotonic() + START_S
        while not ready():
            assert server.poll() is None, f"{command[0]} ended: {log.read_text()[-2_000:]}"
            assert time.monotonic() < until, f"{command[0]} is not ready: {log.read_text()[-2_000:]}"
            time.sleep(0.02)
        yield server
    finally:
        server.kill()
        server.wait()

"""Which name servers this machine uses: what `/etc/resolv.conf` says, read again when it changes."""

from __future__ import annotations

import os
from collections.abc import Callable
from ipaddress import ip_address
from pathlib import Path
from typing import Final

from hostwatch.configuration.checks import Server

RESOLV_CONF: Final = Path("/etc/resolv.conf")
RESOLV_CONF_BYTES_MAX: Final = 65_536
NAMESERVERS_MAX: Final = 3
"""More than these are not asked: so do the libraries of the system."""

LOOK_EVERY_US: Final = 10_000_000
"""How often we look whether the file has changed."""


class SystemServers:
    """The name servers of this machine, as a function without arguments."""

    def __init__(self, monotonic_us: Callable[[], int], path: Path = RESOLV_CONF) -> None:
        self._monotonic_us = monotonic_us
        self._path = path
        self._servers: tuple[Server, ...] = ()
        self._seen: tuple[int, int, int] | None = None
        self._look_at_us: int | None = None

    def __call__(self) -> tuple[Server, ...]:
        now_us = self._monotonic_us()
        if self._look_at_us is None or now_us >= self._look_at_us:
            self._look_at_us = now_us + LOOK_EVERY_US
            self._look()
        return self._servers

    def _look(self) -> None:
        """A file that cannot be read names nobody: the resolver then says that no server is known."""
        try:
            told = os.stat(self._path)  # noqa: PTH116 - one call of the kernel, on the loop
            seen = (told.st_ino, told.st_mtime_ns, told.st_size)
            if seen == self._seen:
                return
            with self._path.open("rb") as file:
                text = file.read(RESOLV_CONF_BYTES_MAX).decode("utf-8", "replace")
        except OSError:
            self._seen, self._servers = None, ()
            return
        self._seen, self._servers = seen, servers_in(text)


def servers_in(text: str) -> tuple[Server, ...]:
    """The name servers in a file such as resolv.conf(5). What is not an address is left out."""
    found: list[Server] = []
    for line in text.splitlines():
        words = line.split()
        if len(words) >= 2 and words[0] == "nameserver":
            try:
                found.append(Server(ip_address(words[1])))
            except ValueError:
                continue
    return tuple(found[:NAMESERVERS_MAX])

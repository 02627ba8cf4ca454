"""A network namespace that lives as long as its descriptor: nothing is left behind, however a test ends.

It has no name, so that laboratories cannot meet, and the machine's own network is never touched.
"""

from __future__ import annotations

import ctypes
import json
import os
import re
import subprocess
import threading
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import TypeVar

from tests.lab.waiting import until

CLONE_NEWNET = 0x40000000
_SETS_ADDRESS = re.compile("add(ress)? add .*:| up$")
_TENTATIVE = 0x40
_LOCAL = 0x80000000
COMMAND_MAX_S = 20.0

T = TypeVar("T")


class Namespace:
    """A network of its own, at first with nothing but loopback, which is up."""

    def __init__(self) -> None:
        self._fd = _in_a_thread(_made)
        self.ip("link set lo up")

    @property
    def path(self) -> str:
        """What other programs may call the namespace."""
        return f"/proc/{os.getpid()}/fd/{self._fd}"

    def inside(self, work: Callable[[], T]) -> T:
        """Do some work in the namespace. Sockets made there stay there, wherever they are used."""

        def entered() -> T:
            _call("setns", self._fd, CLONE_NEWNET)
            return work()

        return _in_a_thread(entered)

    def command(self, *words: str) -> list[str]:
        """The same command, inside."""
        return ["nsenter", f"--net={self.path}", "--", *words]

    def run(self, *words: str, stdin: str = "") -> str:
        """Run a command inside; what it wrote."""
        done = subprocess.run(
            self.command(*words),
            input=stdin,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=COMMAND_MAX_S,
            check=False,
        )
        assert done.returncode == 0, f"{' '.join(words)}\n{stdin}\n{done.stdout}"
        return done.stdout

    def ip(self, *lines: str) -> None:
        """Commands of `ip`, without the `ip`, and what the kernel does later because of them."""
        self.run("ip", "-batch", "-", stdin="\n".join(lines) + "\n")
        if any(_SETS_ADDRESS.search(line) for line in lines):
            until("the machine to take in what is sent to its addresses", partial(self.inside, _hears_all))

    def hardware(self, link: str) -> bytes:
        """The hardware address of a link."""
        (shown,) = json.loads(self.run("ip", "-json", "link", "show", "dev", link))
        return bytes.fromhex(shown["address"].replace(":", ""))

    def nft(self, rules: str) -> str:
        """A script of nftables, done as one."""
        return self.run("nft", "-f", "-", stdin=rules)

    def sysctl(self, **settings: object) -> None:
        """Settings below `net.`, with `__` for a dot."""

        def set_all() -> None:
            for name, value in settings.items():
                Path("/proc/sys/net", *name.split("__")).write_text(str(value))

        self.inside(set_all)

    def close(self) -> None:
        """Let go; the kernel takes it down with all that is in it."""
        os.close(self._fd)


def _made() -> int:
    _call("unshare", CLONE_NEWNET)
    return os.open("/proc/thread-self/ns/net", os.O_RDONLY | os.O_CLOEXEC)


def _hears_all() -> bool:
    """Whether packets to each IPv6 address of the machine, on a link that is up, are for itself.

    The kernel tells of an address at once, and lays its route some time after; until then it is nobody's.
    """
    links = json.loads(subprocess.check_output(["ip", "-json", "link"]))
    up = {link["ifname"] for link in links if "UP" in link["flags"]}
    routes = (line.split() for line in Path("/proc/thread-self/net/ipv6_route").read_text().splitlines())
    local = {destination for destination, *_, flags, _ in routes if int(flags, 16) & _LOCAL}
    addresses = (line.split() for line in Path("/proc/thread-self/net/if_inet6").read_text().splitlines())
    return all(one[0] in local for one in addresses if one[5] in up and not int(one[4], 16) & _TENTATIVE)


def _call(name: str, *arguments: int) -> None:
    libc = ctypes.CDLL(None, use_errno=True)
    if getattr(libc, name)(*arguments) != 0:
        number = ctypes.get_errno()
        raise OSError(number, f"{name}: {os.strerror(number)} (the lab needs root)")


def _in_a_thread(work: Callable[[], T]) -> T:
    """A thread may enter a namespace alone, and is thrown away after."""
    results: list[T] = []
    errors: list[BaseException] = []

    def body() -> None:
        try:
            results.append(work())
        except BaseException as error:  # carried over to the caller
            errors.append(error)

    thread = threading.Thread(target=body)
    thread.start()
    thread.join()
    if errors:
        raise errors[0]
    return results[0]

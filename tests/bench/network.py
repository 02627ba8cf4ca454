"""The network that is measured on: two namespaces and a cable, with a million addresses behind it.

    near (10.0.99.1) ──── veth ──── far (10.0.99.2): answers for the whole of 10.64.0.0/12

and, if asked for, a TUN device with a program behind it that answers for 10.80.0.0/12 after a fixed time.
All is gone when it is closed.
"""

from __future__ import annotations

import subprocess
from collections.abc import Iterable
from contextlib import ExitStack
from ipaddress import IPv4Address
from typing import Self

from tests.bench import tools
from tests.bench.machine import core_for
from tests.lab.namespace import Namespace

LINK = "cable"
TUN = "slow"
TUN_QUEUE = 20_000
BEHIND_THE_CABLE = IPv4Address("10.64.0.0")
BEHIND_THE_TUN = IPv4Address("10.80.0.0")
ADDRESSES_MAX = 2**20
GATEWAY = "10.0.99.2"


def addresses(count: int, *, since: int = 0, base: IPv4Address = BEHIND_THE_CABLE) -> list[str]:
    """That many addresses, one after the other."""
    assert since + count <= ADDRESSES_MAX
    return [str(base + since + place) for place in range(count)]


class Network:
    """The two namespaces, the cable, and who does not answer."""

    def __init__(self, silent: Iterable[str] = ()) -> None:
        self._stack = ExitStack()
        try:
            self.near, self.far = Namespace(), Namespace()
            self._stack.callback(self.near.close)
            self._stack.callback(self.far.close)
            self._connect(silent)
        except BaseException:
            self._stack.close()
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    def _connect(self, silent: Iterable[str]) -> None:
        # Who measures us with a ping socket may have one.
        self.near.sysctl(ipv4__ping_group_range="0 2147483647")
        self.far.ip(
            f"link add {LINK} type veth peer name {LINK} netns {self.near.path}",
            f"address add {GATEWAY}/24 dev {LINK}",
            f"link set {LINK} up",
            f"route add local {BEHIND_THE_CABLE}/12 dev lo",
            *(f"route add blackhole {address}/32 table local" for address in silent),
        )
        self.near.ip(
            f"address add 10.0.99.1/24 dev {LINK}",
            f"link set {LINK} up",
            f"route add default via {GATEWAY}",
        )

    def add_tun(self, delay_us: int, silent_every: int) -> None:
        """Put a network behind a TUN device beside it. Each `silent_every`-th address does not answer."""
        words = ["taskset", "-c", core_for(1), tools.compiled("tun_reflector"), TUN]
        process = subprocess.Popen(
            self.near.command(*words, str(delay_us), str(silent_every)), stdout=subprocess.PIPE, text=True
        )
        self._stack.callback(_end, process)
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
        self.near.ip(
            f"address add 10.0.98.1/24 dev {TUN}",
            # Its queue is no part of what is measured: a TUN device drops what does not fit and says nothing.
            f"link set {TUN} up txqueuelen {TUN_QUEUE}",
            f"route add {BEHIND_THE_TUN}/12 dev {TUN}",
        )

    def measured(self, *words: str) -> list[str]:
        """The same command, inside, on the core of those who are measured."""
        return self.near.command("taskset", "-c", core_for(0), *words)


def _end(process: subprocess.Popen[str]) -> None:
    process.kill()
    process.wait()
    if process.stdout is not None:
        process.stdout.close()

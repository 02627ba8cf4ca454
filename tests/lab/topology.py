"""The laboratory's network: hostwatch and a neighbour on one LAN, a router, and three devices behind it.

    watch ────┐                      ┌── device-1
              switch (LAN) ── router ┼── device-2
    neighbour ┘                      └── device-3

Each line is a pair of virtual links, IPv4 and IPv6. Every machine is a network namespace of its own.
"""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Literal, Self

from tests.lab.namespace import Namespace

Family = Literal[4, 6]
Device = Literal["device-1", "device-2", "device-3"]
DEVICES: tuple[Device, ...] = ("device-1", "device-2", "device-3")
GATEWAY = {4: "10.77.0.1", 6: "fd77::1"}
WATCH = {4: "10.77.0.2", 6: "fd77::2"}
NEIGHBOUR = {4: "10.77.0.9", 6: "fd77::9"}

_ADDRESSES_AT_ONCE = {
    "ipv6__conf__all__accept_dad": 0,
    "ipv6__conf__default__accept_dad": 0,
    "ipv6__conf__all__keep_addr_on_down": 1,
    "ipv6__conf__default__keep_addr_on_down": 1,
}
"""An address may be used as soon as it is there, and outlives its link, as if a daemon had set it again."""


@dataclass(frozen=True, slots=True)
class Moment:
    """When something was done: not before `since`, and it was over at `until`."""

    since: datetime
    until: datetime


def address(device: str, family: int = 4, host: int = 10) -> str:
    """A device's address. It has ten: hosts 10 to 19."""
    number = device.removeprefix("device-")
    return f"10.77.{number}.{host}" if family == 4 else f"fd77:{number}::{host}"


class Topology:
    """The network, from the first namespace to the last link; gone when it is closed."""

    def __init__(self) -> None:
        self._stack = ExitStack()
        try:
            self.watch, self.switch, self.router, self.neighbour = (self._namespace() for _ in range(4))
            self.devices = {name: self._namespace() for name in DEVICES}
            self._connect()
        except BaseException:
            self._stack.close()
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    def cut(self, device: Device) -> Moment:
        """Pull the device's cable at the router."""
        return timed(self.router, f"link set {device} down")

    def restore(self, device: Device) -> Moment:
        """Plug it in again."""
        return timed(self.router, f"link set {device} up")

    def route_out(self) -> None:
        """Give hostwatch's machine its default routes; the kernel drops them when a link is set down."""
        self.watch.ip(f"route replace default via {GATEWAY[4]}", f"route replace ::/0 via {GATEWAY[6]}")

    def _namespace(self) -> Namespace:
        made = Namespace()
        self._stack.callback(made.close)
        made.sysctl(**_ADDRESSES_AT_ONCE)
        return made

    def _connect(self) -> None:
        self.switch.ip("link add lan type bridge mcast_snooping 0", "link set lan up")
        for name, machine in (("watch", self.watch), ("router", self.router), ("neighbour", self.neighbour)):
            self.switch.ip(
                f"link add {name} type veth peer name lan netns {machine.path}",
                f"link set {name} master lan up",
            )
        _settle(self.router, "lan", [f"{GATEWAY[4]}/24", f"{GATEWAY[6]}/64"])
        _settle(self.watch, "lan", [f"{WATCH[4]}/24", f"{WATCH[6]}/64"])
        _settle(self.neighbour, "lan", [f"{NEIGHBOUR[4]}/24", f"{NEIGHBOUR[6]}/64"])
        self.route_out()
        for name, machine in self.devices.items():
            self._connect_device(name, machine)
        # A router that is asked for many at once must not be silent about some of them.
        unlimited = {"ipv4__icmp_ratelimit": 0, "ipv6__icmp__ratelimit": 0}
        self.router.sysctl(ipv4__ip_forward=1, ipv6__conf__all__forwarding=1, **unlimited)

    def _connect_device(self, name: str, machine: Namespace) -> None:
        self.router.ip(f"link add {name} type veth peer name port netns {machine.path}")
        gateway = {4: address(name, 4, 1), 6: address(name, 6, 1)}
        _settle(self.router, name, [f"{gateway[4]}/24", f"{gateway[6]}/64"])
        hosts = range(10, 20)
        _settle(
            machine,
            "port",
            [f"{address(name, 4, host)}/24" for host in hosts]
            + [f"{address(name, 6, host)}/64" for host in hosts],
        )
        machine.ip(f"route add default via {gateway[4]}", f"route add ::/0 via {gateway[6]}")


def timed(where: Namespace, *lines: str) -> Moment:
    """Commands of `ip`, and when they were done."""
    since = datetime.now(UTC)
    where.ip(*lines)
    return Moment(since, datetime.now(UTC))


def _settle(machine: Namespace, link: str, addresses: Iterable[str]) -> None:
    machine.ip(f"link set {link} up", *(f"address add {one} dev {link}" for one in addresses))

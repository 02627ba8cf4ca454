"""Which of our links leads to a neighbour, and as whom we speak on it.

Only ioctls and /proc are asked, no netlink, as in `carrier`.
"""

from __future__ import annotations

import errno
import fcntl
import socket
import struct
from ipaddress import IPv4Network, IPv6Network, ip_address, ip_interface
from pathlib import Path
from typing import Final, NamedTuple

from hostwatch.carrier import OWN_FAULTS, addresses_4, addresses_6, way_out
from hostwatch.pinger import is_loopback
from hostwatch.reach.base import Fault

ELSEWHERE: Final = "not on a link of ours"
SIOCGIFNETMASK: Final = 0x891B
SIOCGIFHWADDR: Final = 0x8927
ETHERNET: Final = 1
TENTATIVE: Final = 0x40
"""Of an IPv6 address: we may not speak as it yet."""

_ADDRESSES_6: Final = Path("/proc/thread-self/net/if_inet6")


class Way(NamedTuple):
    """How we speak to a neighbour."""

    link: str
    number: int
    mac: bytes
    """Our hardware address on the link."""

    source: bytes
    """Our address on the link; zeros for IPv4 where we have none."""


def way_to(address: str, link: str = "", source: str = "", interface: str = "") -> Way:
    """The way to an address on a link of ours, or on the one that is named. Raises `Fault`.

    `source` is the address of ours to speak as if it is on that link; `interface` the only link that
    packets may leave by where none is named.
    """
    if is_loopback(address):
        raise Fault(ELSEWHERE)
    try:
        link = link or address.partition("%")[2]  # a link-local address names it
        name, own = _named(address, link) if link else _found(address, interface)
        if source and name in {there for there, mine in (*addresses_4(), *addresses_6()) if mine == source}:
            own = ip_address(source).packed
        return Way(name, socket.if_nametoindex(name), _mac(name), own)
    except OSError as error:
        raise Fault(OWN_FAULTS.get(error.errno or 0, "no such link here")) from None


def _found(address: str, interface: str) -> tuple[str, bytes]:
    """The link whose subnet an address belongs to, by way of the source address that the kernel chooses."""
    there = ip_address(address.partition("%")[0])
    spelt, _ = way_out(address, link=interface)
    if spelt == str(there):
        raise Fault("an address of our own")
    nets = _nets_4() if there.version == 4 else _nets_6()
    for name, own, net in nets:
        if own == spelt and there in net:
            return name, ip_address(own).packed
    raise Fault(ELSEWHERE)


def _named(address: str, link: str) -> tuple[str, bytes]:
    """The link that is named, and an address of ours on it."""
    socket.if_nametoindex(link)
    there = ip_address(address.partition("%")[0])
    nets = [*(_nets_4() if there.version == 4 else _nets_6())]
    own = [(there not in net, mine) for name, mine, net in nets if name == link]
    if own:
        return link, ip_address(min(own)[1]).packed
    if there.version == 4:
        return link, bytes(4)
    raise Fault("no source address here")


def _nets_4() -> list[tuple[str, str, IPv4Network | IPv6Network]]:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        return [
            (name, own, ip_interface(f"{own}/{_mask(sock, name, own)}").network)
            for name, own in addresses_4()
        ]


def _mask(sock: socket.socket, name: str, own: str) -> str:
    """The mask of one of a link's addresses."""
    asked = struct.pack("@16sH2x4s8x", name.encode(), socket.AF_INET, ip_address(own).packed).ljust(40, b"\0")
    try:
        return socket.inet_ntoa(fcntl.ioctl(sock, SIOCGIFNETMASK, asked)[20:24])
    except OSError as error:
        if error.errno in (errno.ENODEV, errno.EADDRNOTAVAIL):
            return "255.255.255.255"  # taken away since, or it has a label of its own
        raise


def _nets_6() -> list[tuple[str, str, IPv4Network | IPv6Network]]:
    if not _ADDRESSES_6.exists():
        return []
    lines = [line.split() for line in _ADDRESSES_6.read_text(encoding="ascii").splitlines()]
    owned = [
        (words[5], ip_address(bytes.fromhex(words[0])), int(words[2], 16))
        for words in lines
        if not int(words[4], 16) & TENTATIVE
    ]
    return [(name, str(own), ip_interface(f"{own}/{length}").network) for name, own, length in owned]


def _mac(name: str) -> bytes:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        answer = fcntl.ioctl(sock, SIOCGIFHWADDR, struct.pack("@16s24x", name.encode()))
    kind, address = struct.unpack_from("@H6s", answer, 16)
    if kind != ETHERNET:
        raise Fault(f"{name} is no Ethernet link")
    return bytes(address)

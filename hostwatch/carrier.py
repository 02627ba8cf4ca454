"""Whether our own machine can send towards an address: is the link that the packets leave by alive?

The way out is found by connecting a UDP socket, which sends nothing: the source address that the
kernel chooses tells the link. Only ioctls are asked, no netlink (the unit of the service does not allow
it) and no /sys (which shows the links of whoever mounted it, not those of our network namespace).
"""

from __future__ import annotations

import array
import errno
import fcntl
import socket
import struct
from ipaddress import ip_address
from pathlib import Path
from typing import Final

from hostwatch.clock import Clock
from hostwatch.pinger import family, is_loopback

NO_CARRIER: Final = "no carrier here"
BELIEVED_FOR_US: Final = 1_000_000
"""How long what was seen of the links is believed."""

OWN_FAULTS: Final = {
    errno.EPERM: "sending not permitted here",
    errno.EACCES: "sending not permitted here",
    errno.ENOBUFS: "no buffer space here",
    errno.EAGAIN: "no buffer space here",
    errno.EMFILE: "no file descriptor here",
    errno.ENFILE: "no file descriptor here",
    errno.ENETUNREACH: "no route here",
    errno.ENETDOWN: "network down here",
    errno.EADDRNOTAVAIL: "no source address here",
    errno.ENODEV: "no such interface here",
}
"""What it means when the kernel refuses to send, and the fault is ours."""

TTL_AND_CLASS: Final = {
    4: ((socket.IPPROTO_IP, socket.IP_TTL), (socket.IPPROTO_IP, socket.IP_TOS)),
    6: ((socket.IPPROTO_IPV6, socket.IPV6_UNICAST_HOPS), (socket.IPPROTO_IPV6, socket.IPV6_TCLASS)),
}
"""The socket options of each family for the time to live and the traffic class."""

SIOCGIFCONF: Final = 0x8912
SIOCGIFFLAGS: Final = 0x8913
SIOCETHTOOL: Final = 0x8946
ETHTOOL_GLINK: Final = 0x0A
UP_AND_RUNNING: Final = 0x1 | 0x40
_BIND_ADDRESS_NO_PORT: Final = 24
"""The port is chosen when the other end is known, so that they do not run out."""

ADDRESSES_MAX: Final = 4_096
"""IPv4 addresses of our own that are looked at."""

_DISCARD_PORT: Final = 9
_RECORD_BYTES: Final = 16 + max(16, 3 * struct.calcsize("@P"))  # struct ifreq
_ADDRESSES_6: Final = Path("/proc/thread-self/net/if_inet6")


class Carrier:
    """Our own links, looked at only when somebody asks."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._seen_us: int | None = None
        self._links: dict[str, set[str]] = {}
        self._alive: dict[str, bool] = {}

    def fault(self, address: str) -> str:
        """Why nothing reaches that address from here; empty if it can, or if that cannot be told."""
        if is_loopback(address):
            return ""
        try:
            source, link = way_out(address)
            if source == _usual(address):
                return ""  # an address of our own: nothing leaves the machine
            self._look()
            links = {link} if link else self._links.get(source, set())
            return NO_CARRIER if links and not any(self._is_alive(name) for name in links) else ""
        except OSError as error:
            # Nothing is sent, so no neighbour is asked: what is unreachable here is so by our routes.
            own = OWN_FAULTS | {errno.EHOSTUNREACH: OWN_FAULTS[errno.ENETUNREACH]}
            return own.get(error.errno or 0, "")

    def link_fault(self, link: str) -> str:
        """Why nothing leaves by a link of ours; empty if it can."""
        self._look()
        return "" if self._is_alive(link) else NO_CARRIER

    def _look(self) -> None:
        now_us = self._clock.monotonic_us()
        if self._seen_us is None or now_us - self._seen_us >= BELIEVED_FOR_US:
            self._links = {}
            self._alive = {}
            for name, address in (*addresses_4(), *addresses_6()):
                self._links.setdefault(address, set()).add(name)
            self._seen_us = now_us

    def _is_alive(self, name: str) -> bool:
        if name not in self._alive:
            self._alive[name] = _is_alive(name)
        return self._alive[name]


def place(address: str, port: int) -> tuple[str, int] | tuple[str, int, int, int]:
    """An address and a port as sockets take them; a link-local one with the number of its link.

    The socket module drops a link that stands in the address itself. Raises `OSError` for an unknown link.
    """
    bare, _, link = address.partition("%")
    return (bare, port, 0, socket.if_nametoindex(link)) if link else (bare, port)


def leave_by(sock: socket.socket, source: str, link: str) -> None:
    """Have what a socket sends leave from an address of ours and by a link; empty is the kernel's choice.

    Raises `OSError` for what is not ours.
    """
    if link:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_BINDTODEVICE, link.encode() + b"\0")
    if source:
        sock.setsockopt(socket.IPPROTO_IP, _BIND_ADDRESS_NO_PORT, 1)
        sock.bind((source, 0))


def way_out(address: str, source: str = "", link: str = "") -> tuple[str, str]:
    """The source address that the kernel chooses, and the link if the address names it.

    Both may be settled before. Raises `OSError` if there is no way.
    """
    kind = socket.AF_INET if family(address) == 4 else socket.AF_INET6
    with socket.socket(kind, socket.SOCK_DGRAM) as sock:
        leave_by(sock, source, link)
        sock.connect(place(address, _DISCARD_PORT))
        name = sock.getsockname()
    if not link and kind == socket.AF_INET6 and name[3]:
        link = socket.if_indextoname(name[3])
    return _usual(str(name[0])), link


def _usual(address: str) -> str:
    """An address in its usual spelling, without the link that it is on. IPv4 has but one."""
    return str(ip_address(address.partition("%")[0])) if ":" in address else address


def addresses_4() -> list[tuple[str, str]]:
    """Our links and their IPv4 addresses."""
    held = array.array("B", bytes(ADDRESSES_MAX * _RECORD_BYTES))
    where, _ = held.buffer_info()
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        answer = fcntl.ioctl(sock, SIOCGIFCONF, struct.pack("@iP", len(held), where))
    used: int = struct.unpack_from("@i", answer)[0]
    records = (held[place : place + _RECORD_BYTES] for place in range(0, used, _RECORD_BYTES))
    return [(_name(bytes(record[:16])), str(ip_address(bytes(record[20:24])))) for record in records]


def _name(field: bytes) -> str:
    """A link's name, without the label that an address may add to it."""
    return field.partition(b"\0")[0].decode().partition(":")[0]


def _record(name: str, where: int = 0) -> bytes:
    return struct.pack("@16sP", name.encode(), where).ljust(_RECORD_BYTES, b"\0")


def addresses_6() -> list[tuple[str, str]]:
    """Our links and their IPv6 addresses; none on a machine without IPv6."""
    if not _ADDRESSES_6.exists():
        return []
    lines = (line.split() for line in _ADDRESSES_6.read_text(encoding="ascii").splitlines())
    return [(words[5], str(ip_address(bytes.fromhex(words[0])))) for words in lines]


def _is_alive(name: str) -> bool:
    """Whether a link is up, and something is at the other end of it."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        try:
            answer = fcntl.ioctl(sock, SIOCGIFFLAGS, _record(name))
        except OSError as error:
            if error.errno == errno.ENODEV:
                return False  # unplugged since
            raise
        flags: int = struct.unpack_from("=H", answer, 16)[0]
        return flags & UP_AND_RUNNING == UP_AND_RUNNING and _has_carrier(sock, name)


def _has_carrier(sock: socket.socket, name: str) -> bool:
    """What the driver says of its cable. The flags follow that up to a second later."""
    asked = array.array("I", [ETHTOOL_GLINK, 0])
    where, _ = asked.buffer_info()
    try:
        fcntl.ioctl(sock, SIOCETHTOOL, _record(name, where))
    except OSError as error:
        if error.errno in (errno.EOPNOTSUPP, errno.EPERM, errno.ENODEV):
            return True  # a link without a cable, such as a tunnel: its flags have told
        raise
    return asked[1] != 0

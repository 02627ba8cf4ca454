"""ICMP sockets: one per address family, shared by all targets, through icmplib.

icmplib opens the sockets and builds the packets; its receiving is not used, since it judges by the
time at which the loop gets round to a packet. Here the kernel stamps each packet as it arrives, counts
those that it had to drop, and lets only replies and errors that are ours through (`sieve`). A reply
counts only with the right source, identifier, sequence number and nonce.
"""

from __future__ import annotations

import errno
import secrets
import socket
import struct
from collections.abc import Callable
from dataclasses import dataclass
from ipaddress import ip_address
from typing import Final

from icmplib import ICMPRequest, ICMPv4Socket, ICMPv6Socket
from icmplib.exceptions import ICMPSocketError, SocketPermissionError

from hostwatch import sieve
from hostwatch.carrier import OWN_FAULTS

SO_TIMESTAMPNS: Final = 35
SO_MEMINFO: Final = 55
MEMINFO_WORDS: Final = 9
MEMINFO_DROPS: Final = 8

RECEIVE_BUFFER_BYTES: Final = 4 * 1024 * 1024
REPLY_CHARGE_BYTES: Final = 832
"""What the kernel charges to the buffer for one of our replies."""

PACKET_MAX_BYTES: Final = 2048
DRAIN_MAX: Final = 2_000
"""Packets taken in one turn of the loop."""

PIECE: Final = 50
"""Packets taken between two looks at the clock."""

NONCE_BYTES: Final = 16

PADDING: Final = bytes(40)
"""With the nonce 56 bytes, as every ping sends."""

ERRORS: Final = {
    4: {
        (3, 0): "network unreachable",
        (3, 1): "host unreachable",
        (3, 2): "protocol unreachable",
        (3, 3): "port unreachable",
        (3, 9): "prohibited",
        (3, 10): "prohibited",
        (3, 13): "prohibited",
        (11, 0): "time exceeded",
    },
    6: {
        (1, 0): "network unreachable",
        (1, 1): "prohibited",
        (1, 3): "host unreachable",
        (1, 4): "port unreachable",
        (3, 0): "time exceeded",
    },
}
ADVICE: Final = (
    "cannot open an ICMP socket: give the process CAP_NET_RAW (run it as root, by systemd, or with sudo), or "
    "allow ping sockets with: sysctl -w net.ipv4.ping_group_range='0 2147483647'"
)


class NoPermission(Exception):
    """We may not ping at all."""

    def __init__(self) -> None:
        super().__init__(ADVICE)


class SendFault(Exception):
    """A packet did not leave, and it is our own failure."""


class Unreachable(Exception):
    """A packet did not leave, because the neighbour it goes to is dead."""


@dataclass(frozen=True, slots=True)
class Echo:
    """A reply to one of our requests."""

    nonce: bytes
    identifier: int | None
    """None on a ping socket: there the kernel sets it, and lets no other through."""

    sequence: int
    source: str
    received_ns: int
    """Kernel's time of arrival, nanoseconds since 1970."""


@dataclass(frozen=True, slots=True)
class Trouble:
    """An ICMP error about one of our requests."""

    nonce: bytes
    """As much of it as was quoted: none by routers that quote 8 bytes."""

    identifier: int
    sequence: int
    destination: str
    """Where the request was sent to."""

    source: str
    words: str


class EchoSocket:
    """One family's socket, raw with CAP_NET_RAW, a ping socket otherwise."""

    def __init__(self, family: int, mark: bytes) -> None:
        """`mark` begins all our nonces. Raises `NoPermission` when neither kind may be opened."""
        self.family = family
        self.raw = True
        kind = ICMPv4Socket if family == 4 else ICMPv6Socket
        try:
            self._icmp = kind(privileged=True)
        except SocketPermissionError:
            self.raw = False
            try:
                self._icmp = kind(privileged=False)
            except SocketPermissionError:
                raise NoPermission from None
        self.sock: socket.socket = self._icmp.sock
        self.sock.setblocking(False)
        self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, RECEIVE_BUFFER_BYTES)
        self.sock.setsockopt(socket.SOL_SOCKET, SO_TIMESTAMPNS, 1)
        if self.raw:
            sieve.install(self.sock, family, mark)

    @property
    def holds(self) -> int:
        """How many replies the receive buffer takes: the kernel grants at most what the machine allows."""
        return self.sock.getsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF) // REPLY_CHARGE_BYTES

    @property
    def is_short(self) -> bool:
        """Whether less was granted than asked for. The kernel doubles what it grants, for its own needs."""
        return self.sock.getsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF) < 2 * RECEIVE_BUFFER_BYTES

    def dropped(self) -> int:
        """How many packets the kernel has dropped so far, mostly because our buffer was full.

        Asked for: what rides on later packets would not be seen when none comes after.
        """
        info = self.sock.getsockopt(socket.SOL_SOCKET, SO_MEMINFO, MEMINFO_WORDS * 4)
        count: int = struct.unpack(f"={MEMINFO_WORDS}I", info)[MEMINFO_DROPS]
        return count

    def send(self, address: str, identifier: int, sequence: int, nonce: bytes) -> None:
        """Send one echo request. Raises `SendFault` or `Unreachable`."""
        request = ICMPRequest(
            destination=address, id=identifier, sequence=sequence, payload=nonce + PADDING, ttl=64
        )
        try:
            self._icmp.send(request)
        except ICMPSocketError as error:
            raise _fault(error.__context__) from error

    def receive(self, take: Callable[[Echo | Trouble], None]) -> bool:
        """Take a piece of what has arrived; whether there may be more."""
        for _ in range(PIECE):
            try:
                packet, ancillary, _, source = self.sock.recvmsg(PACKET_MAX_BYTES, 64)
            except BlockingIOError:
                return False
            except OSError:
                continue  # an error that the kernel had noted for an earlier packet; the next call is clean
            parsed = _parse(self.family, self.raw, packet, str(source[0]), _stamp(ancillary))
            if parsed is not None:
                take(parsed)
        return True

    def close(self) -> None:
        """Close the socket."""
        self._icmp.close()


def new_identifier(mark: bytes) -> int:
    """A fresh ICMP identifier that ends with the tag of a mark: constant ones pin sessions in firewalls."""
    return (1 + secrets.randbelow(255)) << 8 | mark[0]


def _stamp(ancillary: list[tuple[int, int, bytes]]) -> int:
    for level, kind, data in ancillary:
        if level == socket.SOL_SOCKET and kind == SO_TIMESTAMPNS:
            seconds, nanoseconds = struct.unpack("=qq", data[:16])
            return int(seconds * 1_000_000_000 + nanoseconds)
    return 0


def _fault(cause: BaseException | None) -> SendFault | Unreachable:
    number = cause.errno if isinstance(cause, OSError) else None
    if number in (errno.EHOSTUNREACH, errno.EHOSTDOWN, errno.ECONNREFUSED):
        return Unreachable("host unreachable")
    return SendFault(OWN_FAULTS.get(number or 0, f"cannot send: {cause or 'unknown error'}"))


def _parse(family: int, raw: bool, packet: bytes, source: str, stamp: int) -> Echo | Trouble | None:
    icmp = packet
    if family == 4 and raw:
        icmp = packet[(packet[0] & 0x0F) * 4 :] if packet else b""
    if len(icmp) < 8:
        return None
    if icmp[0] == sieve.ECHO_REPLY[family]:
        if len(icmp) < 8 + NONCE_BYTES:
            return None
        identifier, sequence = struct.unpack_from("!HH", icmp, 4)
        return Echo(icmp[8 : 8 + NONCE_BYTES], identifier if raw else None, sequence, source, stamp)
    words = ERRORS[family].get((icmp[0], icmp[1]), f"ICMP error {icmp[0]}/{icmp[1]}")
    return _trouble(family, icmp[8:], source, words)


def _trouble(family: int, quoted: bytes, source: str, words: str) -> Trouble | None:
    """The request that an ICMP error quotes, if it may be one of ours."""
    header_bytes = (quoted[0] & 0x0F) * 4 if family == 4 and quoted else 40
    request = quoted[header_bytes:]
    if len(request) < 8 or request[0] != sieve.ECHO_REQUEST[family]:
        return None
    identifier, sequence = struct.unpack_from("!HH", request, 4)
    destination = str(ip_address(quoted[16:20] if family == 4 else quoted[24:40]))
    return Trouble(request[8 : 8 + NONCE_BYTES], identifier, sequence, destination, source, words)

"""ICMP sockets: one per address family, shared by all targets, through icmplib.

icmplib opens the sockets and builds the packets; its receiving is not used, since it judges by the
time at which the loop gets round to a packet. Here the kernel stamps each packet as it arrives, a
filter lets only our own replies and errors through, so that others who ping from this machine cannot
fill our buffer, and a reply counts only with the right source, identifier, sequence number and nonce.
"""

from __future__ import annotations

import ctypes
import errno
import os
import socket
import struct
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from icmplib import ICMPRequest, ICMPv4Socket, ICMPv6Socket
from icmplib.exceptions import ICMPSocketError, SocketPermissionError

SO_TIMESTAMPNS: Final = 35
SO_RXQ_OVFL: Final = 40
SOL_RAW: Final = 255
ICMP_FILTER: Final = 1
ICMP6_FILTER: Final = 1
SO_ATTACH_FILTER: Final = 26

RECEIVE_BUFFER_BYTES: Final = 4 * 1024 * 1024
PACKET_MAX_BYTES: Final = 2048
DRAIN_MAX: Final = 2_000
"""Packets taken in one turn of the loop."""

NONCE_BYTES: Final = 16
MARK_BYTES: Final = 4
"""A nonce begins with the mark of its pinger, by which the kernel knows whose reply it is."""

PADDING: Final = bytes(40)
"""With the nonce 56 bytes, as every ping sends."""

ECHO_REPLY: Final = {4: 0, 6: 129}
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
PASSED: Final = {4: (0, 3, 11, 12), 6: (129, 1, 3, 4)}
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
    identifier: int
    sequence: int
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
        self.dropped = 0
        """Packets that the kernel had to drop because our buffer was full."""

        self._prepare()
        if self.raw:
            self._admit(mark)

    def _prepare(self) -> None:
        sock = self.sock
        sock.setblocking(False)
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, RECEIVE_BUFFER_BYTES)
        sock.setsockopt(socket.SOL_SOCKET, SO_TIMESTAMPNS, 1)
        sock.setsockopt(socket.SOL_SOCKET, SO_RXQ_OVFL, 1)
        if self.raw and self.family == 4:
            blocked = 0xFFFFFFFF
            for number in PASSED[4]:
                blocked &= ~(1 << number)
            sock.setsockopt(SOL_RAW, ICMP_FILTER, struct.pack("=I", blocked))
        elif self.raw:
            words = [0xFFFFFFFF] * 8
            for number in PASSED[6]:
                words[number >> 5] &= ~(1 << (number & 31))
            sock.setsockopt(socket.IPPROTO_ICMPV6, ICMP6_FILTER, struct.pack("=8I", *words))

    def _admit(self, mark: bytes) -> None:
        """Have the kernel pass over replies to others: a raw socket gets everybody's (classic BPF)."""
        header = (0xB1, 0, 0, 0) if self.family == 4 else (0x01, 0, 0, 0)  # X = where ICMP begins
        program = (
            header,
            (0x50, 0, 0, 0),  # A = type
            (0x15, 0, 2, ECHO_REPLY[self.family]),  # not a reply: take it
            (0x40, 0, 0, 8),  # A = first four bytes of the payload; none: leave it
            (0x15, 0, 1, int.from_bytes(mark)),  # not our mark: leave it
            (0x06, 0, 0, 0xFFFFFFFF),  # take it
            (0x06, 0, 0, 0),  # leave it
        )
        code = ctypes.create_string_buffer(b"".join(struct.pack("=HBBI", *step) for step in program))
        wrapped = struct.pack("@HP", len(program), ctypes.addressof(code))
        self.sock.setsockopt(socket.SOL_SOCKET, SO_ATTACH_FILTER, wrapped)

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
        """Take what has arrived; whether there may be more."""
        for _ in range(DRAIN_MAX):
            try:
                packet, ancillary, _, source = self.sock.recvmsg(PACKET_MAX_BYTES, 128)
            except BlockingIOError:
                return False
            except OSError:
                continue  # an error that the kernel had noted for an earlier packet; the next call is clean
            stamp = self._read(ancillary)
            parsed = _parse(self.family, self.raw, packet, str(source[0]), stamp)
            if parsed is not None:
                take(parsed)
        return True

    def _read(self, ancillary: list[tuple[int, int, bytes]]) -> int:
        stamp = 0
        for level, kind, data in ancillary:
            if level == socket.SOL_SOCKET and kind == SO_TIMESTAMPNS:
                seconds, nanoseconds = struct.unpack("=qq", data[:16])
                stamp = seconds * 1_000_000_000 + nanoseconds
            elif level == socket.SOL_SOCKET and kind == SO_RXQ_OVFL:
                self.dropped = struct.unpack("=I", data[:4])[0]
        return stamp

    def close(self) -> None:
        """Close the socket."""
        self._icmp.close()


def new_identifier() -> int:
    """A fresh ICMP identifier: constant ones pin sessions in firewalls."""
    return int.from_bytes(os.urandom(2)) or 1


def _fault(cause: BaseException | None) -> SendFault | Unreachable:
    number = cause.errno if isinstance(cause, OSError) else None
    if number in (errno.EHOSTUNREACH, errno.EHOSTDOWN, errno.ECONNREFUSED):
        return Unreachable("host unreachable")
    words = {
        errno.EPERM: "sending not permitted here",
        errno.EACCES: "sending not permitted here",
        errno.ENOBUFS: "no buffer space here",
        errno.EAGAIN: "no buffer space here",
        errno.ENETUNREACH: "no route here",
        errno.ENETDOWN: "network down here",
        errno.EADDRNOTAVAIL: "no source address here",
    }
    return SendFault(words.get(number or 0, f"cannot send: {cause or 'unknown error'}"))


def _parse(family: int, raw: bool, packet: bytes, source: str, stamp: int) -> Echo | Trouble | None:
    icmp = packet
    if family == 4 and raw:
        icmp = packet[(packet[0] & 0x0F) * 4 :] if packet else b""
    if len(icmp) < 8:
        return None
    if icmp[0] == ECHO_REPLY[family]:
        if len(icmp) < 8 + NONCE_BYTES:
            return None
        identifier, sequence = struct.unpack_from("!HH", icmp, 4)
        return Echo(icmp[8 : 8 + NONCE_BYTES], identifier if raw else None, sequence, source, stamp)
    words = ERRORS[family].get((icmp[0], icmp[1]), f"ICMP error {icmp[0]}/{icmp[1]}")
    return _trouble(family, icmp[8:], source, words)


def _trouble(family: int, quoted: bytes, source: str, words: str) -> Trouble | None:
    """The request that an ICMP error quotes, if it may be one of ours."""
    if not quoted:
        return None
    request = quoted[(quoted[0] & 0x0F) * 4 :] if family == 4 else quoted[40:]
    if len(request) < 8 or request[0] != (8 if family == 4 else 128):
        return None
    identifier, sequence = struct.unpack_from("!HH", request, 4)
    return Trouble(request[8 : 8 + NONCE_BYTES], identifier, sequence, source, words)

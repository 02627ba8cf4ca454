"""ICMP errors made by hand: what a router, or somebody who pretends to be one, sends back of a request."""

from __future__ import annotations

import socket
import struct
from ipaddress import ip_address

from tests.lab.namespace import Namespace

REQUEST = {4: 8, 6: 128}
UNREACHABLE = {4: (3, 1), 6: (1, 3)}
"""Type and code of "host unreachable"."""


def request(family: int, identifier: int, nonce: bytes, sequence: int = 1, kind: int | None = None) -> bytes:
    """An echo request, as it stands in a quote."""
    head = struct.pack("!BBHHH", REQUEST[family] if kind is None else kind, 0, 0, identifier, sequence)
    return head + nonce + bytes(40)


def quoted(family: int, target: str, what: bytes, options: bytes = b"") -> bytes:
    """The IP header of a packet to that target, and as much of the packet as is given."""
    to = ip_address(target).packed
    if family == 6:
        return struct.pack("!IHBB", 6 << 28, len(what), socket.IPPROTO_ICMPV6, 64) + bytes(16) + to + what
    words = 5 + len(options) // 4
    head = struct.pack("!BBHHHBBH", 4 << 4 | words, 0, 84, 0, 0, 64, socket.IPPROTO_ICMP, 0)
    return head + bytes(4) + to + options + what


def error(family: int, quote: bytes) -> bytes:
    """The whole ICMP message "host unreachable" about that."""
    packet = struct.pack("!BBHI", *UNREACHABLE[family], 0, 0) + quote
    if family == 6:  # the kernel sums up
        return packet
    total = sum(word for (word,) in struct.iter_unpack("!H", packet + bytes(len(packet) % 2)))
    total = (total & 0xFFFF) + (total >> 16)
    return packet[:2] + struct.pack("!H", ~(total + (total >> 16)) & 0xFFFF) + packet[4:]


def opened(where: Namespace, family: int) -> socket.socket:
    """A socket by which errors may be sent from a machine."""
    if family == 4:
        return where.inside(lambda: socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_ICMP))
    return where.inside(lambda: socket.socket(socket.AF_INET6, socket.SOCK_RAW, socket.IPPROTO_ICMPV6))

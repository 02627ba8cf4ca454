"""Echo requests, and what comes back of them, byte by byte.

A request is known again by its *key*: identifier, sequence number and nonce, the twenty
bytes that a reply repeats. What is read here may come from anybody: nothing is believed of it.
"""

from __future__ import annotations

import socket
import struct
from collections.abc import Iterable
from ipaddress import ip_address
from typing import Final, NamedTuple

from hostwatch import sieve
from hostwatch.columns import Column

NONCE_BYTES: Final = 16
HEADER_BYTES: Final = 8
KEY_BYTES: Final = 4 + NONCE_BYTES
KEY_END: Final = 4 + KEY_BYTES
"""A key stands in a packet from its fifth byte to here."""

PAYLOAD_BYTES: Final = 56
"""As every ping sends: the nonce, and what fills it up."""

CHANCE_BYTES: Final = NONCE_BYTES - sieve.MARK_BYTES
"""What of a nonce is drawn for each request."""

_TURNED: Final = bytes(255 - byte for byte in range(256))

IPV6_HEADER_BYTES: Final = 40
TIME_EXCEEDED: Final = "time exceeded"

ERRORS: Final = {
    4: {
        (3, 0): "network unreachable",
        (3, 1): "host unreachable",
        (3, 2): "protocol unreachable",
        (3, 3): "port unreachable",
        (3, 9): "prohibited",
        (3, 10): "prohibited",
        (3, 13): "prohibited",
        (11, 0): TIME_EXCEEDED,
    },
    6: {
        (1, 0): "network unreachable",
        (1, 1): "prohibited",
        (1, 3): "host unreachable",
        (1, 4): "port unreachable",
        (3, 0): TIME_EXCEEDED,
    },
}


class Echo(NamedTuple):
    """A reply to an echo request, whoever's."""

    key: bytes
    source: bytes
    """The address that it came from, packed."""


class Trouble(NamedTuple):
    """An ICMP error about an echo request, whoever's."""

    key: bytes
    """As much of it as was quoted: identifier and sequence number alone by routers that quote 8 bytes."""

    destination: bytes
    """Where the request was sent to, packed."""

    source: bytes
    """Who says so, packed; empty if that is our own kernel refusing to send."""

    words: str
    stamp_us: int = 0
    """When the kernel took it in, by the wall clock; 0 if that is not known."""


class Requests:
    """The echo requests of pings that share an identifier: all but number and nonce is prepared."""

    def __init__(self, family: int, identifier: int, payload_bytes: int = PAYLOAD_BYTES) -> None:
        self._form = struct.Struct(f"!BxHHH{NONCE_BYTES}s{payload_bytes - NONCE_BYTES}x")
        self._keys = Column(self._form.size, 4, KEY_BYTES)
        self._has_room = payload_bytes >= NONCE_BYTES + CHANCE_BYTES
        self._kind = sieve.ECHO_REQUEST[family]
        self._identifier = identifier
        self._constant = (self._kind << 8) + identifier

    def packet(self, sequence: int, nonce: bytes) -> bytes:
        """One request. Its checksum is right for IPv4; over IPv6 the kernel sums up."""
        # The ones' complement sum of 16-bit words is the number that they are, modulo 65,535.
        total = (self._constant + sequence + int.from_bytes(nonce)) % 0xFFFF
        return self._form.pack(self._kind, 0xFFFF - total, self._identifier, sequence, nonce)

    def first_ones(self, mark: bytes, chance: bytes) -> tuple[list[bytes], bytes]:
        """Many first requests at once: their keys, and the packets one behind the other.

        After what was drawn for a nonce stands its complement, so that all have one checksum.
        """
        many, size = len(chance) // CHANCE_BYTES, self._form.size
        if self._has_room:
            room = bytearray(self.packet(1, mark.ljust(NONCE_BYTES, b"\0")) * many)
            turned = chance.translate(_TURNED)
            for place in range(CHANCE_BYTES):  # one byte of all packets at a time: few steps, however many
                room[KEY_END - CHANCE_BYTES + place :: size] = chance[place::CHANCE_BYTES]
                room[KEY_END + place :: size] = turned[place::CHANCE_BYTES]
            packets = bytes(room)
        else:
            drawn = (chance[at : at + CHANCE_BYTES] for at in range(0, len(chance), CHANCE_BYTES))
            packets = b"".join(self.packet(1, mark + one) for one in drawn)
        return self._keys.cut(packets, many), packets

    def key(self, sequence: int, nonce: bytes) -> bytes:
        """By what that request is known again."""
        return (self._identifier << 16 | sequence).to_bytes(4) + nonce


def key_of(packet: bytes) -> bytes:
    """By what a request, or a reply to it, is known again."""
    return packet[4:KEY_END]


def sequence_of(key: bytes) -> int:
    """The sequence number in a key. Beyond one byte it says how many routers the packet might pass."""
    return key[2] << 8 | key[3]


def parse(family: int, packet: bytes, source: bytes) -> Echo | Trouble | None:
    """What an ICMP message says; None if it is of no use to us."""
    if len(packet) < HEADER_BYTES:
        return None
    if packet[0] == sieve.ECHO_REPLY[family]:
        key = key_of(packet)
        return Echo(key, source) if len(key) == KEY_BYTES else None
    return _quoted(family, packet[HEADER_BYTES:], source, words_of(family, packet[0], packet[1]))


def words_of(family: int, kind: int, code: int) -> str:
    """What an ICMP error means."""
    return ERRORS[family].get((kind, code), f"ICMP error {kind}/{code}")


def without_ip_header(packet: bytes) -> bytes:
    """The ICMP message in an IPv4 packet."""
    return packet[(packet[0] & 0x0F) * 4 :] if packet else b""


def _quoted(family: int, quote: bytes, source: bytes, words: str) -> Trouble | None:
    """The request that an ICMP error quotes, if it may be one of ours."""
    header_bytes = (quote[0] & 0x0F) * 4 if family == 4 and quote else IPV6_HEADER_BYTES
    request = quote[header_bytes:]
    if len(request) < HEADER_BYTES or request[0] != sieve.ECHO_REQUEST[family]:
        return None
    destination = quote[16:20] if family == 4 else quote[24:40]
    return Trouble(key_of(request), destination, source, words)


def packed(address: str) -> bytes:
    """An address as it stands in packets, without the link that it is on."""
    if ":" in address:
        return socket.inet_pton(socket.AF_INET6, address.partition("%")[0])
    return socket.inet_aton(address)


def all_packed(family: int, addresses: Iterable[str]) -> list[bytes]:
    """Addresses of one family as they stand in packets; none names the link that it is on."""
    if family == 4:
        return list(map(socket.inet_aton, addresses))
    return [socket.inet_pton(socket.AF_INET6, address) for address in addresses]


def spelt(address: bytes) -> str:
    """A packed address in its usual spelling."""
    return str(ip_address(address))

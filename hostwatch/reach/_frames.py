"""Asking for a neighbour, and what it answers: ARP (RFC 826) and neighbour discovery (RFC 4861).

A parser takes any bytes and gives an answer or None: what comes in was written by somebody else.
"""

from __future__ import annotations

import struct
from typing import Final, NamedTuple

ARP: Final = 0x0806
ARP_HEAD: Final = struct.pack("!HHBB", 1, 0x0800, 6, 4)
ARP_REQUEST: Final = 1
ARP_REPLY: Final = 2
ARP_BYTES: Final = 28

SOLICITATION: Final = 135
ADVERTISEMENT: Final = 136
SOLICITED: Final = 0x40
HOPS: Final = 255
"""A packet with fewer left has passed a router, and is not a neighbour's."""

OPTION_SOURCE: Final = 1
OPTION_TARGET: Final = 2


class Reply(NamedTuple):
    """Somebody says that an address is theirs."""

    address: bytes
    mac: bytes
    to: bytes
    """Whose question is answered, as far as the packet itself says it: ARP only."""


def arp_request(mac: bytes, source: bytes, target: bytes) -> bytes:
    """Who has `target`? Tell `source` at `mac`."""
    return ARP_HEAD + struct.pack("!H", ARP_REQUEST) + mac + source + bytes(6) + target


def arp_reply(packet: bytes) -> Reply | None:
    """The answer to a request; None for anything else."""
    if len(packet) < ARP_BYTES or packet[:6] != ARP_HEAD or packet[6:8] != ARP_REPLY.to_bytes(2):
        return None
    return _reply(packet[14:18], packet[8:14], packet[24:28])


def solicitation(mac: bytes, target: bytes) -> bytes:
    """Who has `target`? Tell `mac`. The kernel fills in the checksum."""
    return struct.pack("!BBHI", SOLICITATION, 0, 0, 0) + target + struct.pack("!BB", OPTION_SOURCE, 1) + mac


def solicited_group(target: bytes) -> bytes:
    """The multicast group that whoever has an address listens to."""
    return bytes.fromhex("ff0200000000000000000001ff") + target[13:]


def advertisement(packet: bytes) -> Reply | None:
    """The answer to a solicitation; None for anything else."""
    if len(packet) < 24 or packet[0] != ADVERTISEMENT or packet[1] != 0 or not packet[4] & SOLICITED:
        return None
    options = packet[24:]
    while len(options) >= 8:
        kind, length = options[0], options[1] * 8
        if length == 0:
            return None
        if kind == OPTION_TARGET and length == 8:
            return _reply(packet[8:24], options[2:8], b"")
        options = options[length:]
    return None


def _reply(address: bytes, mac: bytes, to: bytes) -> Reply | None:
    """Nobody has a group's hardware address, or none."""
    return None if mac[0] & 1 or mac == bytes(6) else Reply(address, mac, to)


def spelt(mac: bytes) -> str:
    """A hardware address as people write it."""
    return mac.hex(":")

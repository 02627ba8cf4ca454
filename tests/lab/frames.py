"""Echo requests out of Ethernet frames, and answers of every kind into them, IPv4 and IPv6."""

from __future__ import annotations

import random
import socket
import struct
from functools import lru_cache
from ipaddress import ip_address
from typing import NamedTuple

from tests.lab.script import ECHO_REPLY, ECHO_REQUEST, Answer

ETHERNET_BYTES = 14
ETHERTYPE = {4: 0x0800, 6: 0x86DD}
PROTOCOL = {4: socket.IPPROTO_ICMP, 6: socket.IPPROTO_ICMPV6}
HOPS = 64
NO_OPERATION = b"\1"
DESTINATION_OPTIONS = 60
ICMP_LEAST_BYTES, ICMP_MOST_BYTES = 8, 1_400
MARK_AT = 8
"""Where in a reply the first four bytes of the payload stand."""


class Request(NamedTuple):
    """An echo request that came in."""

    family: int
    asker: bytes
    """The hardware address that it came from."""

    source: bytes
    target: bytes
    header: bytes
    """Its IP header, as an error quotes it."""

    identifier: int
    sequence: int
    payload: bytes


def request_in(frame: bytes) -> Request | None:
    """The echo request that a frame holds, if it does."""
    (ethertype,) = struct.unpack_from("!H", frame, 12)
    packet = frame[ETHERNET_BYTES:]
    if ethertype == ETHERTYPE[4]:
        family, header_bytes = 4, (packet[0] & 0x0F) * 4
        (total,) = struct.unpack_from("!H", packet, 2)
        protocol, source, target = packet[9], packet[12:16], packet[16:20]
    elif ethertype == ETHERTYPE[6]:
        family, header_bytes = 6, 40
        total = 40 + struct.unpack_from("!H", packet, 4)[0]
        protocol, source, target = packet[6], packet[8:24], packet[24:40]
    else:
        return None
    icmp = packet[header_bytes:total]
    if protocol != PROTOCOL[family] or len(icmp) < 8 or icmp[0] != ECHO_REQUEST[family]:
        return None
    identifier, sequence = struct.unpack_from("!HH", icmp, 4)
    return Request(family, frame[6:12], source, target, packet[:header_bytes], identifier, sequence, icmp[8:])


def answer_frame(asked: Request, answer: Answer, own: bytes) -> bytes:
    """The frame that answers a request. `own` is the hardware address that it leaves from."""
    source = packed(answer.source) if answer.source else asked.target
    icmp = _error(asked, answer) if answer.kind == "error" else _echo(asked, answer)
    packet = ip_packet(asked.family, source, asked.source, icmp, answer.checksum, answer.options)
    return frame_of(asked.family, asked.asker, own, packet)


def noise_frame(asked: Request, own: bytes, draw: random.Random) -> bytes:
    """A reply, or an error, that was changed at random, and is no right answer to that request."""
    how = Answer(kind="error", cut=draw.choice((None, 8, 20, 24))) if draw.random() < 0.5 else Answer()
    icmp = bytearray(_error(asked, how) if how.kind == "error" else _echo(asked, how))
    for _ in range(draw.randint(1, 4)):
        _disturb(icmp, draw)
    del icmp[ICMP_MOST_BYTES:]
    if draw.random() < 0.7 and len(icmp) > MARK_AT:
        icmp[MARK_AT : MARK_AT + 4] = asked.payload[:4]  # our kernel's filter lets it in
    is_reply = icmp[0] == ECHO_REPLY[asked.family]
    if is_reply and icmp[4:6] == asked.identifier.to_bytes(2) and icmp[8:24] == asked.payload[:16]:
        icmp[23] ^= 1 << draw.randrange(8)  # with another number it would be right for another request
    packet = ip_packet(asked.family, asked.target, asked.source, bytes(icmp), 0, draw.choice((0, 0, 0, 1)))
    return frame_of(asked.family, asked.asker, own, packet)


def _disturb(icmp: bytearray, draw: random.Random) -> None:
    place = draw.randrange(len(icmp) + 1)
    match draw.randrange(6):
        case 0:
            del icmp[place:]
        case 1:
            icmp[place:place] = draw.randbytes(draw.choice((1, 4, 8, 200, 900)))
        case 2:
            icmp[place : place + 2] = draw.choice((b"\0\0", b"\xff\xff", b"\x45\0", b"\x4f\0", b"\x60\0"))
        case 3:
            icmp[:1] = bytes([draw.choice((0, 1, 2, 3, 4, 8, 11, 12, 128, 129, 255))])
        case _ if place < len(icmp):
            icmp[place] ^= 1 << draw.randrange(8)
    if len(icmp) < ICMP_LEAST_BYTES:
        icmp += bytes(ICMP_LEAST_BYTES - len(icmp))


def frame_of(family: int, to: bytes, own: bytes, packet: bytes) -> bytes:
    """An IP packet on its way over a cable."""
    return to + own + struct.pack("!H", ETHERTYPE[family]) + packet


def ip_packet(
    family: int, source: bytes, to: bytes, icmp: bytes, checksum: int = 0, options: int = 0
) -> bytes:
    """An ICMP message with its checksum, of which bits may be changed, behind an IP header with options."""
    icmp = icmp[:2] + bytes(2) + icmp[4:]
    if family == 4:
        summed = icmp
        words, total = 5 + 2 * options, 20 + 8 * options + len(icmp)
        head = struct.pack("!BBHHHBBH4s4s", 0x40 + words, 0, total, 0, 0, HOPS, 1, 0, source, to)
        head += NO_OPERATION * 8 * options
        head = head[:10] + struct.pack("!H", _checksum(head)) + head[12:]
    else:
        summed = source + to + struct.pack("!II", len(icmp), PROTOCOL[6]) + icmp
        first = DESTINATION_OPTIONS if options else PROTOCOL[6]
        head = struct.pack("!IHBB16s16s", 6 << 28, 8 * options + len(icmp), first, HOPS, source, to)
        if options:
            padding = 8 * options - 4
            head += struct.pack("!BBBB", PROTOCOL[6], options - 1, 1, padding) + bytes(padding)
    return head + icmp[:2] + struct.pack("!H", _checksum(summed) ^ checksum) + icmp[4:]


def echo(kind: int, identifier: int, sequence: int, payload: bytes) -> bytes:
    """An echo request or reply without its checksum."""
    return struct.pack("!BBHHH", kind, 0, 0, identifier & 0xFFFF, sequence & 0xFFFF) + payload


@lru_cache(maxsize=100_000)
def packed(address: str) -> bytes:
    """An address as it is in packets."""
    return ip_address(address).packed


def _echo(asked: Request, answer: Answer) -> bytes:
    kinds = ECHO_REPLY if answer.kind == "reply" else ECHO_REQUEST
    payload = _flipped(asked.payload, answer.flip)[: answer.cut]
    return echo(
        kinds[asked.family], asked.identifier ^ answer.identifier, asked.sequence + answer.sequence, payload
    )


def _error(asked: Request, answer: Answer) -> bytes:
    sent = echo(
        ECHO_REQUEST[asked.family],
        asked.identifier ^ answer.identifier,
        asked.sequence + answer.sequence,
        _flipped(asked.payload, answer.flip),
    )
    target = packed(answer.stranger) if answer.stranger else asked.target
    header = asked.header[: -len(target)] + target
    return struct.pack("!BBHI", *answer.code, 0, 0) + header + sent[: answer.cut]


def _flipped(payload: bytes, bit: int | None) -> bytes:
    if bit is None or bit // 8 >= len(payload):
        return payload
    changed = bytearray(payload)
    changed[bit // 8] ^= 0x80 >> bit % 8
    return bytes(changed)


def _checksum(data: bytes) -> int:
    """The Internet checksum: a number modulo 65,535 is the ones' complement sum of its 16-bit words."""
    total = int.from_bytes(data + bytes(len(data) % 2)) % 0xFFFF
    return ~total & 0xFFFF if total or not any(data) else 0

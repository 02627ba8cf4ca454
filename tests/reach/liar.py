"""A machine that answers questions for a neighbour by a script: right, or wrong in exactly one way."""

from __future__ import annotations

import socket
import struct
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from ipaddress import ip_address

from tests.lab.namespace import Namespace

ARP = 0x0806
IPV6 = 0x86DD
FRAME_MAX = 2_048
MAC = bytes.fromhex("525400abcdef")
"""Whose the address is said to be."""


class Question:
    """What was asked, as far as an answer needs it."""

    def __init__(self, packet: bytes, mac: bytes) -> None:
        if len(packet) == 28:
            self.asker_mac, self.asker = packet[8:14], packet[14:18]
            self.target = packet[24:28]
        else:
            self.asker_mac, self.asker = mac, packet[8:24]
            self.target = packet[48:64]


def arp(
    question: Question,
    *,
    operation: int = 2,
    mac: bytes = MAC,
    said: bytes | None = None,
    to: bytes | None = None,
) -> bytes:
    """An ARP packet."""
    head = struct.pack("!HHBBH", 1, 0x0800, 6, 4, operation)
    whose = question.target if said is None else said
    return head + mac + whose + question.asker_mac + (question.asker if to is None else to)


def advertisement(
    question: Question,
    *,
    hops: int = 255,
    flags: int = 0x60,
    said: bytes | None = None,
    option: bytes = b"\x02\x01" + MAC,
    kind: int = 136,
    code: int = 0,
) -> bytes:
    """A whole IPv6 packet with a neighbour advertisement."""
    target = question.target if said is None else said
    message = struct.pack("!BBHI", kind, code, 0, flags << 24) + target + option
    head = struct.pack("!IHBB", 6 << 28, len(message), socket.IPPROTO_ICMPV6, hops)
    source = question.target
    return head + source + question.asker + _summed(source, question.asker, message)


def _summed(source: bytes, to: bytes, message: bytes) -> bytes:
    whole = source + to + struct.pack("!II", len(message), socket.IPPROTO_ICMPV6) + message
    total = sum(word for (word,) in struct.iter_unpack("!H", whole + bytes(len(whole) % 2)))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return message[:2] + struct.pack("!H", ~total & 0xFFFF) + message[4:]


@contextmanager
def lying(
    machine: Namespace,
    address: str,
    answers: Callable[[Question], Sequence[bytes]],
    *,
    broadcast: bool = False,
) -> Iterator[None]:
    """Answer whoever asks for an address, in a thread of its own, until the end."""
    protocol = ARP if ip_address(address).version == 4 else IPV6
    target = ip_address(address).packed
    ears = machine.inside(lambda: socket.socket(socket.AF_PACKET, socket.SOCK_DGRAM, socket.htons(protocol)))
    ears.settimeout(0.05)
    over = threading.Event()

    def answer() -> None:
        while not over.is_set():
            try:
                packet, sender = ears.recvfrom(FRAME_MAX)
            except TimeoutError:
                continue
            if sender[2] == socket.PACKET_OUTGOING or not _asks_for(packet, target):
                continue
            question = Question(packet, sender[4])
            to = b"\xff" * 6 if broadcast else question.asker_mac
            for one in answers(question):
                ears.sendto(one, (sender[0], protocol, 0, 0, to))

    thread = threading.Thread(target=answer)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()
        ears.close()


def _asks_for(packet: bytes, target: bytes) -> bool:
    if len(target) == 4:
        return packet[6:8] == b"\0\1" and packet[24:28] == target
    return packet[6] == socket.IPPROTO_ICMPV6 and packet[40] == 135 and packet[48:64] == target

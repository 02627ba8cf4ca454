"""A device that answers pings by a script: right, or wrong in exactly one way, for each of its addresses.

Its kernel keeps silent. Requests of another size than hostwatch's are always answered rightly: they
are somebody else's.
"""

from __future__ import annotations

import select
import socket
import struct
import threading
import time
from dataclasses import dataclass, field
from ipaddress import ip_address
from typing import Literal, Self

from tests.lab.namespace import Namespace
from tests.lab.topology import Family

Way = Literal[
    "right",
    "fifty times",
    "wrong source",
    "wrong id",
    "wrong sequence",
    "wrong nonce",
    "nonce cut short",
    "too late",
]
OUR_PAYLOAD_BYTES = 56
LATE_S = 0.8
IP_PKTINFO = 8
REQUEST = {4: 8, 6: 128}
REPLY = {4: 0, 6: 129}


@dataclass
class Reflector:
    """Answers in a thread of its own, in the way that is set for the address that was pinged."""

    namespace: Namespace
    family: Family
    elsewhere: str
    """The address that answers come from when their source is to be wrong."""

    ways: dict[str, Way] = field(default_factory=dict)
    answers: dict[str, int] = field(default_factory=dict)
    """How many answers left for the requests to each address."""

    def __enter__(self) -> Self:
        version = "ipv4__icmp_echo_ignore_all" if self.family == 4 else "ipv6__icmp__echo_ignore_all"
        self.namespace.sysctl(**{version: 1})
        self._socket = self.namespace.inside(self._opened)
        self._stop, stopped = socket.socketpair()
        self._thread = threading.Thread(target=self._run, args=(stopped,))
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.close()
        self._thread.join()
        self._socket.close()

    def _opened(self) -> socket.socket:
        if self.family == 4:
            raw = socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_ICMP)
            raw.setsockopt(socket.IPPROTO_IP, IP_PKTINFO, 1)
        else:
            raw = socket.socket(socket.AF_INET6, socket.SOCK_RAW, socket.IPPROTO_ICMPV6)
            raw.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_RECVPKTINFO, 1)
        return raw

    def _run(self, stopped: socket.socket) -> None:
        late: list[tuple[float, str, str, bytes]] = []
        with stopped:
            while True:
                ready, _, _ = select.select([self._socket, stopped], [], [], 0.02)
                if stopped in ready:
                    return
                while late and late[0][0] <= time.monotonic():
                    self._send(*late.pop(0)[1:])
                if self._socket in ready:
                    self._answer(late)

    def _answer(self, late: list[tuple[float, str, str, bytes]]) -> None:
        packet, ancillary, _, source = self._socket.recvmsg(2048, 128)
        icmp = packet[(packet[0] & 0x0F) * 4 :] if self.family == 4 else packet
        if icmp[0] != REQUEST[self.family]:
            return
        to, here = str(source[0]), _pinged(ancillary[0][2])
        number, sequence = struct.unpack_from("!HH", icmp, 4)
        payload = icmp[8:]
        way = self.ways.get(here, "right") if len(payload) == OUR_PAYLOAD_BYTES else "right"
        if len(payload) == OUR_PAYLOAD_BYTES:
            self.answers[here] = self.answers.get(here, 0) + 1
        match way:
            case "fifty times":
                for _ in range(50):
                    self._send(here, to, self._reply(number, sequence, payload))
            case "wrong source":
                self._send(self.elsewhere, to, self._reply(number, sequence, payload))
            case "wrong id":
                self._send(here, to, self._reply(number ^ 1, sequence, payload))
            case "wrong sequence":
                self._send(here, to, self._reply(number, sequence + 7, payload))
            case "wrong nonce":
                wrong = payload[:15] + bytes([payload[15] ^ 1]) + payload[16:]
                self._send(here, to, self._reply(number, sequence, wrong))
            case "nonce cut short":
                self._send(here, to, self._reply(number, sequence, payload[:15]))
            case "too late":
                late.append((time.monotonic() + LATE_S, here, to, self._reply(number, sequence, payload)))
            case "right":
                self._send(here, to, self._reply(number, sequence, payload))

    def _reply(self, number: int, sequence: int, payload: bytes) -> bytes:
        head = struct.pack("!BBHHH", REPLY[self.family], 0, 0, number, sequence)
        if self.family == 6:  # the kernel sums up
            return head + payload
        return head[:2] + struct.pack("!H", _checksum(head + payload)) + head[4:] + payload

    def _send(self, source: str, to: str, packet: bytes) -> None:
        raw = ip_address(source).packed
        if self.family == 4:
            info = (socket.IPPROTO_IP, IP_PKTINFO, struct.pack("=i4s4s", 0, raw, bytes(4)))
        else:
            info = (socket.IPPROTO_IPV6, socket.IPV6_PKTINFO, raw + struct.pack("=i", 0))
        self._socket.sendmsg([packet], [info], 0, (to, 0))


def _pinged(info: bytes) -> str:
    """The address that a request came to."""
    return str(ip_address(info[:16] if len(info) == 20 else info[8:12]))


def _checksum(packet: bytes) -> int:
    words = struct.iter_unpack("!H", packet + bytes(len(packet) % 2))
    total: int = sum(word for (word,) in words)
    total = (total & 0xFFFF) + (total >> 16)
    return ~(total + (total >> 16)) & 0xFFFF

"""Sockets that ask for neighbours and hear who they are: ARP on a packet socket, discovery on a raw one.

The kernel lets nothing through but answers, stamps each as it comes, and counts those that it drops.
"""

from __future__ import annotations

import asyncio
import ctypes
import socket
import struct
from abc import ABC, abstractmethod
from ipaddress import ip_address
from typing import Final, Protocol

from hostwatch.clock import Clock
from hostwatch.core import instant
from hostwatch.reach import _frames, _links

READ_MAX: Final = 200
"""Packets read in one turn of the loop."""

BUFFER_BYTES: Final = 1024 * 1024
PACKET_MAX_BYTES: Final = 1_500
STAMP_OLD_S: Final = 60
"""A packet does not lie in our buffer for longer: an older stamp is of a clock that stepped."""

_BROADCAST: Final = b"\xff" * 6
_TO_US: Final = 0
_SO_ATTACH_FILTER: Final = 26
_SO_TIMESTAMPNS: Final = 35
_SO_MEMINFO: Final = 55
_MEMINFO: Final = struct.Struct("=9I")
_ICMP6_FILTER: Final = 1
_PKTINFO: Final = struct.Struct("=16sI")


class Listener(Protocol):
    """Who waits for an answer."""

    way: _links.Way

    def take(self, reply: _frames.Reply, came_us: int) -> None:
        """Somebody says that the address is theirs; the answer came then, by the monotonic clock."""


class Ear(ABC):
    """A socket that asks for neighbours and hears who they are."""

    def __init__(self, clock: Clock, sock: socket.socket) -> None:
        self._clock = clock
        self._sock = sock
        self.listeners: dict[tuple[int, bytes], list[Listener]] = {}
        """By link and address."""

        sock.setblocking(False)
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, BUFFER_BYTES)
        sock.setsockopt(socket.SOL_SOCKET, _SO_TIMESTAMPNS, 1)
        asyncio.get_running_loop().add_reader(sock, self.read)

    @abstractmethod
    def ask(self, way: _links.Way, target: bytes) -> None:
        """Send one request. Raises `OSError`."""

    @abstractmethod
    def heard(
        self, packet: bytes, ancillary: dict[tuple[int, int], bytes], source: tuple[object, ...]
    ) -> tuple[int, _frames.Reply] | None:
        """The link that an answer came by, and what it says; None if it is none."""

    def dropped(self) -> int:
        """How many packets the kernel has dropped so far, because our buffer was full."""
        info = self._sock.getsockopt(socket.SOL_SOCKET, _SO_MEMINFO, _MEMINFO.size)
        return int(_MEMINFO.unpack(info)[-1])

    def read(self) -> bool:
        """Take what has come in, as much as one turn of the loop may; whether there may be more."""
        for _ in range(READ_MAX):
            try:
                packet, told, _, source = self._sock.recvmsg(PACKET_MAX_BYTES, 256)
            except BlockingIOError:
                return False
            except OSError:
                continue  # an error that the kernel had noted for an earlier packet; the next call is clean
            ancillary = {(level, kind): data for level, kind, data in told}
            found = self.heard(packet, ancillary, source)
            if found is not None:
                self._give(found[0], found[1], self._came_us(ancillary))
        return True

    def _give(self, link: int, reply: _frames.Reply, came_us: int) -> None:
        for question in self.listeners.get((link, reply.address), ()):
            if reply.to in (b"", question.way.source):
                question.take(reply, came_us)

    def _came_us(self, ancillary: dict[tuple[int, int], bytes]) -> int:
        """When a packet came, monotonically: by the kernel's stamp, or now if that cannot be true."""
        wall_us = instant.micros(self._clock.now())  # first: should we be held up here, it came no earlier
        now_us = self._clock.monotonic() // instant.MICROSECOND
        seconds, nanoseconds = struct.unpack("=qq", ancillary[socket.SOL_SOCKET, _SO_TIMESTAMPNS][:16])
        age_us = wall_us - (seconds * 1_000_000 + nanoseconds // 1_000)
        return int(now_us - age_us) if 0 <= age_us <= STAMP_OLD_S * 1_000_000 else now_us

    def close(self) -> None:
        """Close the socket."""
        asyncio.get_running_loop().remove_reader(self._sock)
        self._sock.close()


class ArpEar(Ear):
    """IPv4: a packet socket that hears ARP replies and nothing else."""

    def __init__(self, clock: Clock) -> None:
        sock = socket.socket(socket.AF_PACKET, socket.SOCK_DGRAM, socket.htons(_frames.ARP))
        try:
            _let_through_replies(sock)
            super().__init__(clock, sock)
        except OSError:
            sock.close()
            raise

    def ask(self, way: _links.Way, target: bytes) -> None:
        request = _frames.arp_request(way.mac, way.source, target)
        self._sock.sendto(request, (way.link, _frames.ARP, 0, 0, _BROADCAST))

    def heard(
        self, packet: bytes, ancillary: dict[tuple[int, int], bytes], source: tuple[object, ...]
    ) -> tuple[int, _frames.Reply] | None:
        reply = _frames.arp_reply(packet) if source[2] == _TO_US else None
        return None if reply is None else (socket.if_nametoindex(str(source[0])), reply)


def _let_through_replies(sock: socket.socket) -> None:
    """Leave all but ARP replies in the kernel: load half-word 6, and keep the packet if that is 2."""
    steps = ((0x28, 0, 0, 6), (0x15, 0, 1, _frames.ARP_REPLY), (0x06, 0, 0, 0xFFFF), (0x06, 0, 0, 0))
    program = ctypes.create_string_buffer(b"".join(struct.pack("=HBBI", *step) for step in steps))
    sock.setsockopt(
        socket.SOL_SOCKET, _SO_ATTACH_FILTER, struct.pack("@HP", len(steps), ctypes.addressof(program))
    )


class DiscoveryEar(Ear):
    """IPv6: a raw socket that hears neighbour advertisements and nothing else."""

    def __init__(self, clock: Clock) -> None:
        sock = socket.socket(socket.AF_INET6, socket.SOCK_RAW, socket.IPPROTO_ICMPV6)
        try:
            passed = bytearray(b"\xff" * 32)
            passed[_frames.ADVERTISEMENT // 32 * 4 : _frames.ADVERTISEMENT // 32 * 4 + 4] = struct.pack(
                "=I", ~(1 << _frames.ADVERTISEMENT % 32) & 0xFFFFFFFF
            )
            sock.setsockopt(socket.IPPROTO_ICMPV6, _ICMP6_FILTER, bytes(passed))
            for option, value in (
                (socket.IPV6_MULTICAST_HOPS, _frames.HOPS),
                (socket.IPV6_MULTICAST_LOOP, 0),
                (socket.IPV6_RECVHOPLIMIT, 1),
                (socket.IPV6_RECVPKTINFO, 1),
            ):
                sock.setsockopt(socket.IPPROTO_IPV6, option, value)
            super().__init__(clock, sock)
        except OSError:
            sock.close()
            raise

    def ask(self, way: _links.Way, target: bytes) -> None:
        group = str(ip_address(_frames.solicited_group(target)))
        source = (socket.IPPROTO_IPV6, socket.IPV6_PKTINFO, _PKTINFO.pack(way.source, way.number))
        self._sock.sendmsg([_frames.solicitation(way.mac, target)], [source], 0, (group, 0, 0, way.number))

    def heard(
        self, packet: bytes, ancillary: dict[tuple[int, int], bytes], source: tuple[object, ...]
    ) -> tuple[int, _frames.Reply] | None:
        hops = ancillary.get((socket.IPPROTO_IPV6, socket.IPV6_HOPLIMIT), b"")
        came = ancillary.get((socket.IPPROTO_IPV6, socket.IPV6_PKTINFO), b"")
        if len(came) != _PKTINFO.size or hops != struct.pack("=i", _frames.HOPS):
            return None
        reply = _frames.advertisement(packet)
        to, link = _PKTINFO.unpack(came)
        return None if reply is None else (link, reply._replace(to=to))

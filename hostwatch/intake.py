"""Room for what comes in, filled by one call of the kernel for many packets (`recvmmsg`).

Python has no such call, so it is made through ctypes. Each packet gets a slot of fixed size with the
kernel's stamp, the sender's address and the packet in it, so that all are read in one go, by columns.
"""

from __future__ import annotations

import ctypes
import errno
import socket
import struct
from collections.abc import Sequence
from typing import Final

from hostwatch import sieve
from hostwatch.columns import Column
from hostwatch.packets import KEY_BYTES

PIECE: Final = 544
"""Packets taken by one call."""

_SLOT_BYTES: Final = 256
_NAME_AT: Final = 32  # after the kernel's stamp: a header of 16 bytes, seconds, nanoseconds
_PACKET_AT: Final = 64  # after the sender's address
_PACKET_BYTES: Final = _SLOT_BYTES - _PACKET_AT
_HEADER: Final = struct.Struct("@PI4xPNPNi4xI4x")  # struct mmsghdr of 64-bit Linux
_LENGTH_AT: Final = _HEADER.size - 8
_STAMP: Final = struct.Struct("=qq")
_STAMP_AT: Final = 16
_LENGTH: Final = struct.Struct("=I")
_VECTOR: Final = struct.Struct("@PN")
_NAME_BYTES: Final = {4: 16, 6: 28}  # struct sockaddr_in, sockaddr_in6
_IP_HEADER_BYTES: Final = 20  # of a packet without options; others are no plain replies
_SOURCE: Final = {4: (4, 4), 6: (8, 16)}  # where in the sender's address, and how long

_recvmmsg = ctypes.CDLL(None, use_errno=True).recvmmsg
_recvmmsg.argtypes = (ctypes.c_int, ctypes.c_void_p, ctypes.c_uint, ctypes.c_int, ctypes.c_void_p)
_recvmmsg.restype = ctypes.c_int


class Intake:
    """The room of one socket."""

    def __init__(self, family: int, *, raw: bool) -> None:
        self._raw4 = raw and family == 4
        self._icmp_at = _PACKET_AT + (_IP_HEADER_BYTES if self._raw4 else 0)
        self._source_at, self._source_bytes = _NAME_AT + _SOURCE[family][0], _SOURCE[family][1]
        if self._raw4:
            self._source_at = _PACKET_AT + 12
        self._sources = Column(_SLOT_BYTES, self._source_at, self._source_bytes)
        self._keys = Column(_SLOT_BYTES, self._icmp_at + 4, KEY_BYTES)
        self._reply = sieve.ECHO_REPLY[family]
        self._slots = memoryview(bytearray(PIECE * _SLOT_BYTES))
        self._vectors = bytearray(PIECE * _VECTOR.size)
        self._headers = memoryview(bytearray(PIECE * _HEADER.size))
        slots, vectors = _address(self._slots.obj), _address(self._vectors)
        for place in range(PIECE):
            slot, vector = slots + place * _SLOT_BYTES, vectors + place * _VECTOR.size
            _VECTOR.pack_into(self._vectors, place * _VECTOR.size, slot + _PACKET_AT, _PACKET_BYTES)
            _HEADER.pack_into(
                self._headers, place * _HEADER.size,
                slot + _NAME_AT, _NAME_BYTES[family], vector, 1, slot, _NAME_AT, 0, 0,
            )  # fmt: skip
        self._fresh = bytes(self._headers)
        self._where = _address(self._headers.obj)
        self._used = 0
        self._least = self._icmp_at - _PACKET_AT + 4 + KEY_BYTES
        """A reply with a whole key is at least that long."""

    def fill(self, sock: socket.socket) -> int:
        """Take what has come, if there is room; how many packets. Raises `OSError` for a noted error."""
        used = self._used * _HEADER.size
        self._headers[:used] = self._fresh[:used]  # the kernel writes into them
        self._used = 0
        count: int = _recvmmsg(sock.fileno(), self._where, PIECE, socket.MSG_DONTWAIT, None)
        if count >= 0:
            self._used = count
            return count
        number = ctypes.get_errno()
        if number in (errno.EAGAIN, errno.EINTR):
            return 0
        raise OSError(number, "cannot receive")

    # Beyond a packet's length stands what was there before: what these say is true of whole replies only.

    def keys(self, count: int) -> list[bytes]:
        """What each packet that came is known again by."""
        return self._keys.cut(self._slots, count)

    def sources(self, count: int) -> list[bytes]:
        """Who sent it."""
        return self._sources.cut(self._slots, count)

    def stamps_us(self, count: int) -> list[int]:
        """When the kernel took it in, in microseconds since 1970."""
        words = self._slots[: count * _SLOT_BYTES].cast("q")
        seconds = words[_STAMP_AT // 8 :: _SLOT_BYTES // 8].tolist()
        nanoseconds = words[_STAMP_AT // 8 + 1 :: _SLOT_BYTES // 8].tolist()
        if seconds.count(seconds[0]) == count:  # as nearly always
            since_us = seconds[0] * 1_000_000
            return [since_us + ns // 1_000 for ns in nanoseconds]
        return [s * 1_000_000 + ns // 1_000 for s, ns in zip(seconds, nanoseconds, strict=True)]

    def are_replies(self, count: int) -> bool:
        """Whether all of them are replies with a whole key, and no IP options."""
        kinds = self._kinds(count)
        return kinds.count(self._reply) == count and min(self._lengths(count)) >= self._least

    def is_reply(self, count: int) -> list[bool]:
        """The same of each."""
        pairs = zip(self._kinds(count), self._lengths(count), strict=True)
        return [kind == self._reply and length >= self._least for kind, length in pairs]

    def _kinds(self, count: int) -> bytes:
        return self._slots[self._icmp_at : count * _SLOT_BYTES : _SLOT_BYTES].tobytes()

    def _lengths(self, count: int) -> Sequence[int]:
        words = self._headers[: count * _HEADER.size].cast("I")
        return words[_LENGTH_AT // 4 :: _HEADER.size // 4].tolist()

    def whole(self, place: int) -> tuple[bytes, bytes, int]:
        """One packet as it came, who sent it, and its stamp in microseconds since 1970."""
        (length,) = _LENGTH.unpack_from(self._headers, place * _HEADER.size + _LENGTH_AT)
        slot = self._slots[place * _SLOT_BYTES : (place + 1) * _SLOT_BYTES]
        packet = bytes(slot[_PACKET_AT : _PACKET_AT + length])
        source = packet[12:16] if self._raw4 else bytes(slot[self._source_at :][: self._source_bytes])
        seconds, nanoseconds = _STAMP.unpack_from(slot, _STAMP_AT)
        return packet, source, seconds * 1_000_000 + nanoseconds // 1_000


def _address(buffer: object) -> int:
    return ctypes.addressof(ctypes.c_char.from_buffer(buffer))  # type: ignore[arg-type]

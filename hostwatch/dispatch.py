"""Room for what goes out, emptied by one call of the kernel for many packets (`sendmmsg`).

The counterpart of `intake`. When each packet of a call left is not known, only when the call began and ended:
so a call takes few packets, and calls are made only where very many packets wait (`echo`).
"""

from __future__ import annotations

import ctypes
import socket
import struct
from collections.abc import Sequence
from typing import Final

MANY_MAX: Final = 512
"""Packets in the room at a time."""

_HEADER: Final = struct.Struct("@PI4xPNPNi4xI4x")  # struct mmsghdr of 64-bit Linux
_VECTOR: Final = struct.Struct("@PN")
_AROUND: Final = {
    4: (struct.pack("@HH", socket.AF_INET, 0), bytes(8)),  # struct sockaddr_in
    6: (struct.pack("@HHI", socket.AF_INET6, 0, 0), bytes(4)),  # struct sockaddr_in6
}
"""What stands before and after the packed address in the address of a socket."""

_ADDRESS_BYTES: Final = {4: 4, 6: 16}

_sendmmsg = ctypes.CDLL(None, use_errno=True).sendmmsg
_sendmmsg.argtypes = (ctypes.c_int, ctypes.c_void_p, ctypes.c_uint, ctypes.c_int)
_sendmmsg.restype = ctypes.c_int


class Dispatch:
    """The room of one socket."""

    def __init__(self, family: int) -> None:
        self._before, self._after = _AROUND[family]
        self._between = self._after + self._before
        self._name_bytes = len(self._between) + _ADDRESS_BYTES[family]
        self._length = 0

    def _lay_out(self, length: int) -> None:
        """Make room for packets of that length."""
        self._length = length
        self._packets = bytearray(MANY_MAX * length)
        self._names = bytearray(MANY_MAX * self._name_bytes)
        self._vectors = bytearray(MANY_MAX * _VECTOR.size)
        self._headers = bytearray(MANY_MAX * _HEADER.size)
        rooms = (self._packets, self._names, self._vectors, self._headers)
        packets, names, vectors, self._where = (_address(room) for room in rooms)
        for place in range(MANY_MAX):
            vector = vectors + place * _VECTOR.size
            _VECTOR.pack_into(self._vectors, place * _VECTOR.size, packets + place * length, length)
            _HEADER.pack_into(
                self._headers, place * _HEADER.size,
                names + place * self._name_bytes, self._name_bytes, vector, 1, 0, 0, 0, 0,
            )  # fmt: skip

    def load(self, packets: bytes, addresses: Sequence[bytes]) -> None:
        """Put packets of one length in, each with the packed address that it goes to; at most `MANY_MAX`.

        They stand one behind the other.
        """
        length = len(packets) // len(addresses)
        if length != self._length:
            self._lay_out(length)
        names = self._before + self._between.join(addresses) + self._after
        self._packets[: len(packets)] = packets
        self._names[: len(names)] = names

    def send(self, sock: socket.socket, first: int, many: int) -> int:
        """Send some of them; how many left. What keeps the next one is not told here."""
        count: int = _sendmmsg(sock.fileno(), self._where + first * _HEADER.size, many, 0)
        return max(count, 0)


def _address(room: bytearray) -> int:
    return ctypes.addressof(ctypes.c_char.from_buffer(room))

"""Room for what comes in, filled by one call of the kernel for many packets (`recvmmsg`).

Python has no such call, so it is made through ctypes. Each packet gets a slot of fixed size with the
kernel's stamp, the sender's address and the packet in it, so that `struct` reads them all in one go.
"""

from __future__ import annotations

import ctypes
import errno
import socket
import struct
from collections.abc import Iterator
from typing import Final

PIECE: Final = 64
"""Packets taken by one call."""

_SLOT_BYTES: Final = 256
_NAME_AT: Final = 32  # after the kernel's stamp: a header of 16 bytes, seconds, nanoseconds
_PACKET_AT: Final = 64  # after the sender's address
_PACKET_BYTES: Final = _SLOT_BYTES - _PACKET_AT
_HEADER: Final = struct.Struct("@PI4xPNPNi4xI4x")  # struct mmsghdr of 64-bit Linux
_LENGTH: Final = struct.Struct(f"@{_HEADER.size - 8}xI4x")
_STAMP: Final = struct.Struct("=qq")
_STAMP_AT: Final = 16
_VECTOR: Final = struct.Struct("@PN")
_NAME_BYTES: Final = {4: 16, 6: 28}  # struct sockaddr_in, sockaddr_in6

_FORMS: Final = {
    # stamp; source (in the IP header, or in the sender's address); type; key
    (4, True): struct.Struct(f"=16xqq32x12x4s4xB3x20s{_PACKET_BYTES - 44}x"),
    (4, False): struct.Struct(f"=16xqq4x4s24xB3x20s{_PACKET_BYTES - 24}x"),
    (6, True): struct.Struct(f"=16xqq8x16s8xB3x20s{_PACKET_BYTES - 24}x"),
    (6, False): struct.Struct(f"=16xqq8x16s8xB3x20s{_PACKET_BYTES - 24}x"),
}
Row = tuple[tuple[int], tuple[int, int, bytes, int, bytes]]
"""The packet's length; and the stamp's seconds and nanoseconds, source, type and key, if it is that long."""

_recvmmsg = ctypes.CDLL(None, use_errno=True).recvmmsg
_recvmmsg.argtypes = (ctypes.c_int, ctypes.c_void_p, ctypes.c_uint, ctypes.c_int, ctypes.c_void_p)
_recvmmsg.restype = ctypes.c_int


class Intake:
    """The room of one socket."""

    def __init__(self, family: int, *, raw: bool) -> None:
        self._form = _FORMS[family, raw]
        assert self._form.size == _SLOT_BYTES
        self._raw4 = raw and family == 4
        self._source = slice(8, 24) if family == 6 else slice(4, 8)
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
        self.least = 44 if self._raw4 else 24
        """A reply with a whole key is at least that long."""

    def fill(self, sock: socket.socket) -> int:
        """Take what has come, if there is room; how many packets. Raises `OSError` for a noted error."""
        self._headers[:] = self._fresh  # the kernel writes into them
        count: int = _recvmmsg(sock.fileno(), self._where, PIECE, socket.MSG_DONTWAIT, None)
        if count >= 0:
            return count
        number = ctypes.get_errno()
        if number in (errno.EAGAIN, errno.EINTR):
            return 0
        raise OSError(number, "cannot receive")

    def rows(self, count: int) -> Iterator[Row]:
        """The packets as far as they have one form. Beyond a packet's length stands what was there before."""
        headers = _LENGTH.iter_unpack(self._headers[: count * _HEADER.size])
        return zip(headers, self._form.iter_unpack(self._slots[: count * _SLOT_BYTES]), strict=True)

    def whole(self, place: int, length: int) -> tuple[bytes, bytes, int]:
        """One packet as it came, who sent it, and its stamp in microseconds since 1970."""
        slot = self._slots[place * _SLOT_BYTES : (place + 1) * _SLOT_BYTES]
        packet = bytes(slot[_PACKET_AT : _PACKET_AT + length])
        source = packet[12:16] if self._raw4 else bytes(slot[_NAME_AT:_PACKET_AT][self._source])
        seconds, nanoseconds = _STAMP.unpack_from(slot, _STAMP_AT)
        return packet, source, seconds * 1_000_000 + nanoseconds // 1_000


def _address(buffer: object) -> int:
    return ctypes.addressof(ctypes.c_char.from_buffer(buffer))  # type: ignore[arg-type]

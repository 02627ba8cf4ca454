"""A thread gives up the right to open raw sockets; the rest of the process keeps it."""

from __future__ import annotations

import ctypes
import os
import struct

VERSION_3 = 0x20080522
CAP_NET_RAW = 13


def give_up_net_raw() -> None:
    """From now on this thread must do with ping sockets."""
    libc = ctypes.CDLL(None, use_errno=True)
    head = ctypes.create_string_buffer(struct.pack("=Ii", VERSION_3, 0))
    data = ctypes.create_string_buffer(24)
    _check(libc.capget(head, data))
    words = list(struct.unpack("=6I", data.raw[:24]))
    words[0] &= ~(1 << CAP_NET_RAW)  # what is in effect
    words[1] &= ~(1 << CAP_NET_RAW)  # what may be
    _check(libc.capset(head, ctypes.create_string_buffer(struct.pack("=6I", *words))))


def _check(result: int) -> None:
    if result != 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))

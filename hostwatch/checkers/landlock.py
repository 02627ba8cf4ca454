"""No writing, no starting of programs, no signals to others: enforced by the kernel (Landlock), for ever.

The checkers run as the user of the watch, to whom the store belongs. What that user may change, this process
may not. Reading stays: settings name files of authorities anywhere.
"""

from __future__ import annotations

import ctypes
import os
from typing import Final

_CREATE_RULESET: Final = 444
_RESTRICT_SELF: Final = 446
"""The numbers of these system calls are the same on every kind of machine."""

_ASK_VERSION: Final = 1

_EXECUTE: Final = 1 << 0
_WRITE_FILE: Final = 1 << 1
_REMOVE_AND_MAKE: Final = sum(1 << bit for bit in range(4, 13))
"""Folders, files, devices, sockets, pipes, links."""

_ALWAYS: Final = _EXECUTE | _WRITE_FILE | _REMOVE_AND_MAKE
_SINCE: Final = {2: 1 << 13, 3: 1 << 14}
"""By the version that has it first: move to another folder, cut off."""

_SCOPED_SINCE: Final = 6
_ABSTRACT_SOCKETS_AND_SIGNALS: Final = 0b11


class _Ruleset(ctypes.Structure):
    _fields_ = (("files", ctypes.c_uint64), ("net", ctypes.c_uint64), ("scoped", ctypes.c_uint64))


def restrict() -> str:
    """Give it up. Returns why that is not possible here; empty if it is done. No new privileges before."""
    libc = ctypes.CDLL(None, use_errno=True)
    nothing = ctypes.c_void_p(None)
    version = libc.syscall(_CREATE_RULESET, nothing, ctypes.c_size_t(0), ctypes.c_uint32(_ASK_VERSION))
    if version < 1:
        return f"this kernel cannot keep us from writing files: {os.strerror(ctypes.get_errno())}"
    files = _ALWAYS | sum(right for since, right in _SINCE.items() if version >= since)
    ruleset = _Ruleset(files, 0, _ABSTRACT_SOCKETS_AND_SIGNALS if version >= _SCOPED_SINCE else 0)
    size = ctypes.sizeof(_Ruleset) if version >= _SCOPED_SINCE else 8
    descriptor = libc.syscall(
        _CREATE_RULESET, ctypes.byref(ruleset), ctypes.c_size_t(size), ctypes.c_uint32(0)
    )
    if descriptor < 0:
        return f"writing of files cannot be given up: {os.strerror(ctypes.get_errno())}"
    try:
        if libc.syscall(_RESTRICT_SELF, ctypes.c_int(descriptor), ctypes.c_uint32(0)):
            return f"writing of files cannot be given up: {os.strerror(ctypes.get_errno())}"
    finally:
        os.close(descriptor)
    return ""

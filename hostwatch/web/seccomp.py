"""What the desk cannot ask of the kernel any more, once it serves: enforced there (seccomp), for ever.

It runs as the user of the watch, to whom its control socket and the store belong. Without new sockets, files,
programs and signals it has nothing but the line that it was given and those who come to it.
"""

from __future__ import annotations

import ctypes
import os
import struct
from typing import Final

PR_SET_SECCOMP: Final = 22
_FILTER: Final = 2
_LOAD, _EQUAL, _OVER, _RETURN = 0x20, 0x15, 0x35, 0x06
_ALLOW: Final = 0x7FFF0000
_REFUSE: Final = 0x00050000
_X32: Final = 0x40000000

DENIED: Final[dict[str, tuple[int, ...]]] = {
    "x86_64": (
        0xC000003E,
        # socket connect socketpair clone fork vfork execve kill ptrace tkill tgkill execveat
        *(41, 42, 53, 56, 57, 58, 59, 62, 101, 200, 234, 322),
        # open creat link unlink symlink rename chmod truncate openat unlinkat renameat openat2 renameat2
        *(2, 85, 86, 87, 88, 82, 90, 76, 257, 263, 264, 437, 316),
        # bind, of other processes: reading, writing, signals, descriptors; clone3, io_uring, open by handle
        *(49, 310, 311, 424, 438, 435, 425, 304),
    ),
    "aarch64": (
        0xC00000B7,
        *(198, 203, 199, 220, 221, 129, 117, 130, 131, 281),
        *(56, 35, 38, 437, 276, 45, 37, 36),
        *(200, 270, 271, 424, 438, 435, 425, 265),
    ),
}
"""By the kind of machine: its number, then those of the calls that are refused."""


class _Program(ctypes.Structure):
    _fields_ = (("length", ctypes.c_ushort), ("lines", ctypes.c_char_p))


def restrict() -> str:
    """Give it up. Returns why that is not possible here; empty if it is done. No new privileges before."""
    machine = os.uname().machine
    if machine not in DENIED:
        return f"this machine is of a kind that is not known here: {machine}"
    lines = _written(*DENIED[machine])
    program = _Program(len(lines) // 8, lines)
    libc = ctypes.CDLL(None, use_errno=True)
    nothing = ctypes.c_ulong(0)
    if libc.prctl(PR_SET_SECCOMP, ctypes.c_ulong(_FILTER), ctypes.byref(program), nothing, nothing):
        return f"calls of the kernel cannot be given up: {os.strerror(ctypes.get_errno())}"
    return ""


def _written(kind: int, *denied: int) -> bytes:
    """The filter: another kind of machine, and each of these calls, is refused; all else is allowed."""
    refuse = _REFUSE | 1  # EPERM
    lines = [
        (_LOAD, 0, 0, 4),
        (_EQUAL, 1, 0, kind),
        (_RETURN, 0, 0, refuse),
        (_LOAD, 0, 0, 0),
        (_OVER, 0, 1, _X32),
        (_RETURN, 0, 0, refuse),
    ]
    for number in denied:
        lines += [(_EQUAL, 0, 1, number), (_RETURN, 0, 0, refuse)]
    lines.append((_RETURN, 0, 0, _ALLOW))
    return b"".join(struct.pack("=HBBI", *one) for one in lines)

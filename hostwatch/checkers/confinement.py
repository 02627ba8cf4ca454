"""What the checkers give up before they speak to anybody: capabilities and the way to them, writing, memory.

`unprivileged` has cleared the ambient capabilities before; here all others go, and for ever.
"""

from __future__ import annotations

import ctypes
import os
import resource
from contextlib import suppress
from pathlib import Path
from typing import Final

from hostwatch.checkers import landlock

FILES_MAX: Final = 8_192
"""Descriptors of the process. Whoever finds none left looks at nothing: UNKNOWN."""

MEMORY_BYTES_MAX: Final = 1024 * 1024 * 1024
"""Address space of the process. Without memory a check is UNKNOWN; a process that it ends is started anew."""

OOM_SCORE: Final = 500
"""Where memory ends, this process goes first, and not the watch."""

PR_SET_DUMPABLE: Final = 4
PR_CAPBSET_READ: Final = 23
PR_CAPBSET_DROP: Final = 24
PR_SET_NO_NEW_PRIVS: Final = 38
PR_CAP_AMBIENT: Final = 47
PR_CAP_AMBIENT_CLEAR_ALL: Final = 4
CAPABILITIES_MAX: Final = 64
_CAPABILITY_VERSION_3: Final = 0x20080522


class _Head(ctypes.Structure):
    _fields_ = (("version", ctypes.c_uint32), ("process", ctypes.c_int))


class _Sets(ctypes.Structure):
    _fields_ = (
        ("effective", ctypes.c_uint32),
        ("permitted", ctypes.c_uint32),
        ("inheritable", ctypes.c_uint32),
    )


def confine() -> tuple[str, ...]:
    """Give it all up; what of it this machine does not allow, for the log.

    Raises `OSError` if a capability stays.
    """
    libc = ctypes.CDLL(None, use_errno=True)

    def control(option: int, value: int) -> int:
        words = [ctypes.c_ulong(number) for number in (value, 0, 0, 0)]
        return int(libc.prctl(option, *words))

    for capability in range(CAPABILITIES_MAX):
        if control(PR_CAPBSET_READ, capability) == 1:
            control(PR_CAPBSET_DROP, capability)  # refused to those who have none, who need it not
    control(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL)
    if any(_capabilities()):  # of root; in service they are gone already, and the unit refuses the call
        libc.capset(ctypes.byref(_Head(_CAPABILITY_VERSION_3, 0)), ctypes.byref((_Sets * 2)()))
    if control(PR_SET_NO_NEW_PRIVS, 1):
        raise OSError(ctypes.get_errno(), "cannot give up new privileges")
    if any(_capabilities()):
        raise OSError("cannot give up the capabilities")
    with suppress(OSError):
        Path("/proc/self/oom_score_adj").write_text(str(OOM_SCORE), encoding="ascii")
    control(PR_SET_DUMPABLE, 0)  # nobody of the same user reads secrets out of its memory
    os.umask(0o077)
    _bound(resource.RLIMIT_CORE, 0)
    _bound(resource.RLIMIT_NOFILE, FILES_MAX)
    _bound(resource.RLIMIT_AS, MEMORY_BYTES_MAX)
    kept = landlock.restrict()
    return (kept,) if kept else ()


def _bound(what: int, most: int) -> None:
    _, hard = resource.getrlimit(what)
    bound = most if hard == resource.RLIM_INFINITY else min(most, hard)
    with suppress(ValueError, OSError):
        resource.setrlimit(what, (bound, bound))


def _capabilities() -> list[int]:
    """What this process may do, and what it may make itself or others able to do, as bits."""
    told = Path("/proc/self/status").read_text(encoding="utf-8", errors="replace").splitlines()
    return [int(line.split()[1], 16) for line in told if line.startswith(("CapInh", "CapPrm", "CapEff"))]

"""`python -m hostwatch.unprivileged MODULE …` runs one of our modules without our privileges.

The watch may open raw sockets because the service manager gave it an ambient capability, which every
program that it starts would inherit. It is given up here, and then the module is started anew, since
only then does the kernel take away what follows from it. Nothing else is imported before.
"""

from __future__ import annotations

import ctypes
import os
import sys
from contextlib import suppress
from pathlib import Path

PR_CAP_AMBIENT = 47
PR_CAP_AMBIENT_CLEAR_ALL = 4
POLITE = 10
"""How much later than the watch such a process gets its turn on a busy machine (nice)."""


def command(module: str, *words: str) -> list[str]:
    """The command line that runs a module so."""
    return [sys.executable, "-m", "hostwatch.unprivileged", module, *words]


def python_path() -> str:
    """Where such a process finds our code, as its PYTHONPATH: also where that is not installed."""
    code = str(Path(__file__).parent.parent)
    return os.pathsep.join(part for part in (code, os.environ.get("PYTHONPATH")) if part)


def main(words: list[str]) -> None:
    """Become the module. A user who is root keeps what root has."""
    nothing = ctypes.c_ulong(0)
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.prctl(PR_CAP_AMBIENT, ctypes.c_ulong(PR_CAP_AMBIENT_CLEAR_ALL), nothing, nothing, nothing):
        raise OSError(ctypes.get_errno(), "cannot give up the ambient capabilities")
    with suppress(OSError):  # where the service manager forbids it, it sets the priorities itself
        os.nice(POLITE)
    os.execv(sys.executable, [sys.executable, "-m", *words])


if __name__ == "__main__":
    main(sys.argv[1:])

"""A network of our own, with loopback devices that fall silent and come back when they are told to.

Needs root. The process that calls `enter` must have a single thread.
"""

from __future__ import annotations

import ctypes
import os
import signal
import subprocess
from pathlib import Path

CLONE_NEWNS = 0x00020000
CLONE_NEWNET = 0x40000000
MS_REC_PRIVATE = 0x4000 | 0x40000
PR_SET_PDEATHSIG = 1

# Requests are dropped where they arrive: dropped where they leave, the sender would be told so.
RULES = """
table inet faults {
    set silent { type ipv4_addr; }
    chain input { type filter hook input priority 0; ip daddr @silent icmp type echo-request drop; }
}
"""

_libc = ctypes.CDLL(None, use_errno=True)


def _check(result: int) -> None:
    if result != 0:
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))


def enter_network() -> None:
    """Move this process into an empty network with nothing but loopback."""
    _check(_libc.unshare(CLONE_NEWNET))
    subprocess.run(["ip", "link", "set", "lo", "up"], check=True)
    subprocess.run(["nft", "-f", "-"], input=RULES, text=True, check=True)


def enter_mounts() -> None:
    """Move this process where mounts are nobody else's."""
    _check(_libc.unshare(CLONE_NEWNS))
    _check(_libc.mount(b"none", b"/", None, ctypes.c_ulong(MS_REC_PRIVATE), None))


def mount_small(place: Path, size: str = "50%") -> None:
    """Put a file system of its own there, in memory."""
    subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={size}", "small", str(place)], check=True)


def remount(place: Path, how: str) -> None:
    """Make it read-only (`ro`) or writable (`rw`)."""
    subprocess.run(["mount", "-o", f"remount,{how}", str(place)], check=True)


def die_with_parent() -> None:
    """Be killed when the process that made us ends, however it ends."""
    _check(_libc.prctl(PR_SET_PDEATHSIG, signal.SIGKILL))


def silence(address: str) -> None:
    """From now on nothing answers there."""
    subprocess.run(["nft", "add", "element", "inet", "faults", "silent", f"{{ {address} }}"], check=True)


def revive(address: str) -> None:
    """From now on it answers again."""
    subprocess.run(["nft", "delete", "element", "inet", "faults", "silent", f"{{ {address} }}"], check=True)

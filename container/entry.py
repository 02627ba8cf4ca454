"""The entry of the image: turns a permitted CAP_NET_RAW into an ambient one, then becomes hostwatch.

The image runs as a user without privileges, and a runtime that is told `--cap-add=NET_RAW` grants such a
user nothing but the permission to take it. The interpreter that runs this file carries the capability as
*permitted* only, so it starts under any policy; where the runtime withholds the capability, nothing is
raised, and hostwatch falls back to the unprivileged ping sockets that `net.ipv4.ping_group_range` admits.
"""

from __future__ import annotations

import ctypes
import os
import sys

HOSTWATCH = "/opt/hostwatch/bin/hostwatch"

CAP_NET_RAW = 13
CAPABILITY_VERSION_3 = 0x20080522
PR_CAP_AMBIENT = 47
PR_CAP_AMBIENT_RAISE = 2


class Header(ctypes.Structure):
    """`struct __user_cap_header_struct` of capget(2); pid 0 is the calling thread."""

    _fields_ = (("version", ctypes.c_uint32), ("pid", ctypes.c_int))


class Sets(ctypes.Structure):
    """`struct __user_cap_data_struct` of capget(2): 32 capabilities in each of three sets."""

    _fields_ = (
        ("effective", ctypes.c_uint32),
        ("permitted", ctypes.c_uint32),
        ("inheritable", ctypes.c_uint32),
    )


def raise_net_raw() -> bool:
    """Makes CAP_NET_RAW ambient, if this process may, so that it outlives exec. Says whether it did."""
    libc = ctypes.CDLL(None, use_errno=True)
    header = Header(CAPABILITY_VERSION_3, 0)
    low_and_high = (Sets * 2)()
    if libc.capget(ctypes.byref(header), low_and_high) != 0:
        return False
    if not low_and_high[0].permitted & 1 << CAP_NET_RAW:
        return False
    low_and_high[0].inheritable |= 1 << CAP_NET_RAW
    if libc.capset(ctypes.byref(header), low_and_high) != 0:
        return False
    raised: int = libc.prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, CAP_NET_RAW, 0, 0)
    return raised == 0


def main(arguments: list[str], program: str = HOSTWATCH) -> None:
    """Replaces this process by hostwatch; a broken image ends with the error of exec."""
    raise_net_raw()
    os.execv(program, [program, *arguments])


if __name__ == "__main__":
    main(sys.argv[1:])

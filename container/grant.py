"""Gives an interpreter the file capability `cap_net_raw=p`, while the image is built.

Permitted and not effective: with the effective bit the kernel would refuse to start the program at all
wherever the capability is withheld. Writing the attribute here needs no package that the image then keeps.
"""

from __future__ import annotations

import os
import struct
import sys

CAP_NET_RAW = 13
VFS_CAP_REVISION_2 = 0x02000000


def grant(path: str) -> None:
    """Writes `security.capability`: the revision, then permitted and inheritable, in two halves."""
    os.setxattr(
        path, "security.capability", struct.pack("<5I", VFS_CAP_REVISION_2, 1 << CAP_NET_RAW, 0, 0, 0)
    )


if __name__ == "__main__":
    grant(sys.argv[1])

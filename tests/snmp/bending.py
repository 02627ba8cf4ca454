"""Datagrams that were changed at random."""

from __future__ import annotations

import random
import struct

INTERESTING = (b"\x30", b"\x04", b"\x02", b"\x80", b"\xff", b"\x84\xff\xff\xff\xff", b"\0", b"\xa2", b"\xa8")


def bent(chance: random.Random, data: bytes) -> bytes:
    """A datagram that was changed in a few places."""
    found = bytearray(data)
    for _ in range(chance.randint(1, 4)):
        at = chance.randrange(len(found))
        match chance.randrange(4):
            case 0:
                found[at] = chance.randrange(256)
            case 1:
                del found[at : at + chance.randint(1, 8)]
            case 2:
                found[at:at] = chance.choice(INTERESTING)
            case 3:
                found[at : at + 4] = struct.pack("!I", chance.choice((0, 1, 2**31, 2**32 - 1)))
        if not found:
            return b"\0"
    return bytes(found)

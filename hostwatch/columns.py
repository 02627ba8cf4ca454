"""Rows of one length that stand one behind the other, read by columns.

What is done for each of thousands of packets a second costs most where Python does it packet by packet.
So the same field of all of them is cut out in one go, and columns are compared and put together as wholes.
"""

from __future__ import annotations

import struct
from typing import Final

AT_ONCE: Final = 64
"""Rows that one form reads; what is left over is read by a form of its own, kept for the next time."""


class Column:
    """The same few bytes of each row."""

    def __init__(self, row_bytes: int, at: int, size: int) -> None:
        self._row_bytes = row_bytes
        self._row = f"{at}x{size}s{row_bytes - at - size}x"
        self._forms: dict[int, struct.Struct] = {}

    def cut(self, room: bytes | bytearray | memoryview, count: int) -> list[bytes]:
        """Those of the first rows."""
        found: list[bytes] = []
        for first in range(0, count, AT_ONCE):
            form = self._form(min(AT_ONCE, count - first))
            found += form.unpack_from(room, first * self._row_bytes)
        return found

    def _form(self, rows: int) -> struct.Struct:
        if rows not in self._forms:
            self._forms[rows] = struct.Struct("=" + rows * self._row)
        return self._forms[rows]

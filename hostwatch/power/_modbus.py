"""Modbus TCP as a power source needs it: four functions that read, one question after the other on a line.

Ours, because every connection goes through the visit of the look (policy, budget, transcript), and because
there is so little of it: `docs/decisions/0037-modbus-of-our-own.md`.
"""

from __future__ import annotations

import math
import struct
from collections.abc import Sequence
from typing import Final, NamedTuple

from hostwatch.checks.base import Line, Missed, Visit

READ_WORDS_MAX: Final = 125
READ_BITS_MAX: Final = 2_000
"""What one question may ask for (Modbus Application Protocol 1.1b3, 6.1 to 6.4)."""

FRAME_BYTES_MAX: Final = 254
"""The unit and what follows it: what the length of a frame may say."""

NAMES: Final = {1: "coils", 2: "discrete inputs", 3: "holding registers", 4: "input registers"}

EXCEPTIONS: Final = {
    1: "the device does not know this function",
    2: "the device has not all of these registers",
    3: "the device does not take such a question",
    4: "the device failed while it answered",
    5: "the device needs more time",
    6: "the device is busy",
    8: "the device found its memory damaged",
    10: "the gateway has no way to this unit",
    11: "the gateway got no answer from this unit",
}
"""What a device answers instead (Modbus Application Protocol 1.1b3, 7)."""


class Asked(NamedTuple):
    """One question."""

    unit: int
    function: int
    start: int
    many: int

    @property
    def end(self) -> int:
        """The first that is not asked for."""
        return self.start + self.many

    def __str__(self) -> str:
        last = f" to {self.end - 1}" if self.many > 1 else ""
        return f"{NAMES[self.function]} {self.start}{last} of unit {self.unit}"


class Client:
    """A device that is asked on one connection."""

    def __init__(self, line: Line, visit: Visit) -> None:
        self._line = line
        self._visit = visit
        self._number = 0

    async def read(self, asked: Asked) -> tuple[int, ...]:
        """What the bits or registers hold. Raises `Missed` if the device does not say it."""
        self._number += 1
        body = struct.pack(">BBHH", asked.unit, asked.function, asked.start, asked.many)
        frame = struct.pack(">HHH", self._number, 0, len(body)) + body
        await self._line.write(frame, shown=f"read {asked}")
        number, protocol, length = struct.unpack(">HHH", await self._line.read_exactly(6))
        if protocol or not 3 <= length <= FRAME_BYTES_MAX:
            raise Missed("what answers there does not speak Modbus")
        came = await self._line.read_exactly(length)
        self._visit.tell("<", came.hex(" "))
        if (number, came[0]) != (self._number, asked.unit):
            raise Missed("an answer came to another question than ours", came=came.hex(" "))
        return answered(asked, came[1:])


def answered(asked: Asked, said: bytes) -> tuple[int, ...]:
    """What an answer says, from the function on. Raises `Missed`."""
    if said[0] == asked.function | 0x80:
        why = EXCEPTIONS.get(said[1], f"the device refuses, with exception {said[1]}")
        raise Missed(f"{why}: {asked}", came=said.hex(" "))
    is_bits = asked.function <= 2
    many = -(-asked.many // 8) if is_bits else 2 * asked.many
    if said[0] != asked.function or said[1] != many or len(said) != many + 2:
        raise Missed(f"the answer is not one to this question: {asked}", came=said.hex(" "))
    if is_bits:
        return tuple(said[2 + place // 8] >> place % 8 & 1 for place in range(asked.many))
    return struct.unpack(f">{asked.many}H", said[2:])


_FORMATS: Final = {"u16": ">H", "i16": ">h", "u32": ">I", "i32": ">i", "f32": ">f"}


def number(words: Sequence[int], kind: str, bit: int = 0) -> float | None:
    """The number that registers hold, the highest first; none for what is no number."""
    if kind == "bit":
        return float(words[0] >> bit & 1)
    found: float = struct.unpack(_FORMATS[kind], struct.pack(f">{len(words)}H", *words))[0]
    return found if math.isfinite(found) else None

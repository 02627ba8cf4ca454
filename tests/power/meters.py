"""A real Modbus TCP server (pymodbus's own) on loopback, whose registers a test sets."""

from __future__ import annotations

import asyncio
import struct
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from pymodbus.constants import ExcCodes
from pymodbus.server import ModbusTcpServer
from pymodbus.simulator import DataType, SimData, SimDevice

SIZE = 2_048
MISSING = range(500, 600)
"""Registers that no device of these has."""


@dataclass(slots=True)
class Meter:
    """What the server says, and what it was asked."""

    port: int = 0
    unit: int = 1
    bits: dict[tuple[int, int], int] = field(default_factory=dict)
    """By function (1, 2) and address."""

    words: dict[tuple[int, int], int] = field(default_factory=dict)
    """By function (3, 4) and address."""

    refusal: ExcCodes | None = None
    asked: list[tuple[int, int, int]] = field(default_factory=list)
    """Function, address and how many registers of 16 bits."""

    def set(self, function: int, address: int, *values: int) -> None:
        """What stands from an address on."""
        kept = self.bits if function <= 2 else self.words
        kept |= {(function, address + place): value for place, value in enumerate(values)}

    def set_f32(self, function: int, address: int, value: float) -> None:
        """A number that takes two registers, the higher half first."""
        self.set(function, address, *struct.unpack(">HH", struct.pack(">f", value)))

    async def answer(
        self, function: int, start: int, address: int, count: int, held: list[int], _new: object
    ) -> ExcCodes | None:
        """What pymodbus calls before it answers."""
        self.asked.append((function, address, count))
        if function >= 3:
            for place in range(count):
                held[address + place - start] = self.words.get((function, address + place), 0)
        else:
            for at in range(address // 16, address // 16 + count):
                held[at - start] = sum(
                    1 << place for place in range(16) if self.bits.get((function, 16 * at + place))
                )
        return self.refusal


@asynccontextmanager
async def meter(unit: int = 1) -> AsyncIterator[Meter]:
    """One device, which answers as one unit."""
    one = Meter(unit=unit)
    device = SimDevice(
        unit,
        simdata=(
            [SimData(0, count=SIZE, values=False, datatype=DataType.BITS)],
            [SimData(0, count=SIZE, values=False, datatype=DataType.BITS)],
            _words(),
            _words(),
        ),
        action=one.answer,
    )
    server = ModbusTcpServer(device, address=("127.0.0.1", 0))
    await server.serve_forever(background=True)
    listening: Any = server.transport
    one.port = listening.sockets[0].getsockname()[1]
    try:
        yield one
    finally:
        await server.shutdown()
        await asyncio.sleep(0)


def _words() -> list[SimData]:
    return [
        SimData(0, count=MISSING.start, values=0, datatype=DataType.REGISTERS),
        SimData(MISSING.stop, count=1_000, values=0, datatype=DataType.REGISTERS),
    ]

"""Agents of a few lines that do not mean well: what they send for each question is a test's to say."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import asynccontextmanager
from typing import Any

from hostwatch.snmp import ber, message
from hostwatch.snmp.message import Pdu

Bite = Callable[[Pdu], Iterable[bytes]]


class _Wolf(asyncio.DatagramProtocol):
    def __init__(self, bite: Callable[[bytes], Iterable[bytes]]) -> None:
        self._bite = bite
        self.asked = 0

    def connection_made(self, transport: Any) -> None:
        self.transport = transport

    def datagram_received(self, data: bytes, addr: tuple[Any, ...]) -> None:
        self.asked += 1
        for one in self._bite(data):
            self.transport.sendto(one, addr)


@asynccontextmanager
async def wolf(bite: Callable[[bytes], Iterable[bytes]]) -> AsyncIterator[int]:
    """One on 127.0.0.1 that is given each datagram as it came; its port."""
    loop = asyncio.get_running_loop()
    transport, _ = await loop.create_datagram_endpoint(lambda: _Wolf(bite), ("127.0.0.1", 0))
    try:
        yield transport.get_extra_info("sockname")[1]
    finally:
        transport.close()


def by_2c(bite: Bite) -> Callable[[bytes], Iterable[bytes]]:
    """One that reads questions by v2c."""

    def bitten(data: bytes) -> Iterable[bytes]:
        _, body = message.unframed(data)
        return bite(message.pdu(body, 0, len(body)))

    return bitten


def said(
    number: int, pairs: Iterable[tuple[bytes, bytes]], community: bytes = b"wolf", *, error: int = 0,
    index: int = 0, kind: int = message.RESPONSE,
) -> bytes:  # fmt: skip
    """An answer by v2c: names and values as they are written."""
    listed = b"".join(ber.wrapped(ber.SEQUENCE, ber.wrapped(ber.OID, name) + value) for name, value in pairs)
    inside = b"".join(map(ber.written, (number, error, index))) + ber.wrapped(ber.SEQUENCE, listed)
    return message.framed(community, ber.wrapped(kind, inside))


def honest(asked: Pdu, value: int = 1) -> bytes:
    """The answer that everybody hopes for."""
    return said(asked.number, [(name, ber.written(value)) for name, _ in asked.variables])

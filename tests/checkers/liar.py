"""A name server of a few lines that says whatever a test wants it to say."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from ipaddress import ip_address
from typing import cast

import dns.flags
import dns.message
import dns.name
import dns.rcode
import dns.rrset

from hostwatch.configuration.checks import Server

Tells = Callable[[dns.message.Message], list[bytes]]
"""The datagrams that go back for a question; none if it keeps silent."""


def answer(
    asked: dns.message.Message, *addresses: str, rcode: dns.rcode.Rcode = dns.rcode.NOERROR, ttl: int = 300
) -> dns.message.Message:
    """An honest answer with these addresses."""
    told = dns.message.make_response(asked, recursion_available=True)
    told.set_rcode(rcode)
    name, kind = asked.question[0].name, asked.question[0].rdtype
    if addresses and name != dns.name.root:
        told.answer.append(dns.rrset.from_text_list(name, ttl, "IN", kind, addresses))
    return told


class Liar(asyncio.DatagramProtocol):
    """It counts what it was asked, the root apart: by that others find out whether it lives."""

    def __init__(self, tells: Tells) -> None:
        self.tells = tells
        self.asked: list[str] = []
        self.root_asked = 0
        self.came_from = ("", 0)
        self.asked_once = asyncio.Event()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.DatagramTransport, transport)

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        self.came_from = addr
        asked = dns.message.from_wire(data)
        name = asked.question[0].name.to_text(omit_final_dot=True)
        if name == ".":
            self.root_asked += 1
        else:
            self.asked.append(name)
        for wire in self.tells(asked):
            self._transport.sendto(wire, addr)
        self.asked_once.set()

    @property
    def server(self) -> Server:
        """Where it is."""
        address, port = self._transport.get_extra_info("sockname")[:2]
        return Server(ip_address(address), port)


@asynccontextmanager
async def lying(tells: Tells, address: str = "127.0.0.1") -> AsyncIterator[Liar]:
    """One on loopback."""
    loop = asyncio.get_running_loop()
    transport, liar = await loop.create_datagram_endpoint(lambda: Liar(tells), local_addr=(address, 0))
    try:
        yield liar
    finally:
        transport.close()

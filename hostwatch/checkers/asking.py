"""One question to our own name servers: each in its turn, over UDP, and over TCP what does not fit.

What a server says of itself (it fails, it refuses, it does not look up for others) is no answer: the next
one is asked. Silence is waited for a second time, longer. All that together has an end.
"""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

import dns.message
import dns.name
import dns.rcode
import dns.rdatatype

from hostwatch.carrier import OWN_FAULTS, place
from hostwatch.checks import base
from hostwatch.checks._question import Truncated, framed, over_datagrams, question, read
from hostwatch.configuration.checks import Server

PATIENCE_S: Final = (1.5, 2.5)
"""How long each server is waited for, in the first and in the second round."""

ASKING_S: Final = 5.0
"""How long one question may take in all, over all servers."""

SETTLED: Final = (dns.rcode.NOERROR, dns.rcode.NXDOMAIN)


@dataclass(slots=True, eq=False)
class Unanswered(Exception):
    """No server has answered a question."""

    said: dict[Server, str] = field(default_factory=dict)
    """What came of each server."""

    alive: bool = False
    """Whether any of them said anything at all."""

    own: bool = False
    """Whether it failed here: no descriptor, say."""

    def __str__(self) -> str:
        return ", ".join(f"{server}: {what}" for server, what in self.said.items())


async def ask(
    servers: Sequence[Server],
    name: dns.name.Name,
    kind: dns.rdatatype.RdataType,
    patience_s: Sequence[float] = PATIENCE_S,
) -> dns.message.QueryMessage:
    """The answer of the first server that has one. Raises `Unanswered`."""
    left, failed = list(servers), Unanswered()
    try:
        async with asyncio.timeout(ASKING_S):
            for turn, waiting_s in enumerate(patience_s):
                for server in tuple(left):
                    answer = await _ask_one(server, question(name, kind, edns=turn == 0), waiting_s, failed)
                    if answer is None:
                        continue
                    said = _unusable(answer)
                    if not said:
                        return answer
                    failed.alive = True
                    failed.said[server] = said
                    if answer.rcode() not in (dns.rcode.FORMERR, dns.rcode.NOTIMP):
                        left.remove(server)  # it has spoken; the others are asked anew, without extensions
    except TimeoutError:
        for server in servers:
            failed.said.setdefault(server, "no answer")
    raise failed


async def _ask_one(
    server: Server, asked: dns.message.QueryMessage, waiting_s: float, failed: Unanswered
) -> dns.message.QueryMessage | None:
    try:
        async with asyncio.timeout(waiting_s):
            return await _exchange(server, asked)
    except TimeoutError:
        failed.said[server] = "no answer"
    except base.Missed as nonsense:
        failed.said[server] = nonsense.why
        failed.alive = True
    except OSError as error:
        reason = base.failed(error)
        failed.own = failed.own or error.errno in OWN_FAULTS
        failed.said[server] = str(reason)
    return None


async def _exchange(server: Server, asked: dns.message.QueryMessage) -> dns.message.QueryMessage:
    family = socket.AF_INET if server.address.version == 4 else socket.AF_INET6
    where = place(str(server.address), server.port)
    with socket.socket(family, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK) as sock:
        await asyncio.get_running_loop().sock_connect(sock, where)
        try:
            return await over_datagrams(sock, asked)
        except Truncated:
            pass
    return await _over_tcp(family, where, asked)


async def _over_tcp(
    family: socket.AddressFamily,
    where: tuple[str, int] | tuple[str, int, int, int],
    asked: dns.message.QueryMessage,
) -> dns.message.QueryMessage:
    loop = asyncio.get_running_loop()
    with socket.socket(family, socket.SOCK_STREAM | socket.SOCK_NONBLOCK) as sock:
        await loop.sock_connect(sock, where)
        await loop.sock_sendall(sock, framed(asked))
        size = int.from_bytes(await _exactly(sock, 2), "big")
        answer = await read(asked, await _exactly(sock, size))
    if answer is None:
        raise base.Missed("what came over TCP is no answer to the question")
    return answer


async def _exactly(sock: socket.socket, many: int) -> bytes:
    found = bytearray()
    while len(found) < many:
        piece = await asyncio.get_running_loop().sock_recv(sock, many - len(found))
        if not piece:
            raise base.Missed("the connection was closed in the middle of an answer")
        found += piece
    return bytes(found)


def _unusable(answer: dns.message.QueryMessage) -> str:
    """Why this settles nothing; empty if it does."""
    if answer.rcode() not in SETTLED:
        return dns.rcode.to_text(answer.rcode())
    referral = not answer.answer and any(
        held.rdtype == dns.rdatatype.NS for held in answer.authority
    ) and not any(held.rdtype == dns.rdatatype.SOA for held in answer.authority)  # fmt: skip
    return "it does not look up names for others" if referral else ""


base.chinese(
    """
    what came over TCP is no answer to the question
        通过 TCP 收到的不是对该查询的应答
    the connection was closed in the middle of an answer
        连接在应答途中被关闭
    """
)

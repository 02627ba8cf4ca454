"""DNS messages: a question, and how its own answer is told from all else that may come.

The codec is dnspython's; sockets, waiting and what to believe are ours.
"""

from __future__ import annotations

import asyncio
import secrets
import socket
import struct
from typing import Final

import dns.exception
import dns.flags
import dns.message
import dns.name
import dns.rcode
import dns.rdataclass
import dns.rdatatype

from hostwatch.checks._finding import Missed
from hostwatch.checks._sentence import chinese

EDNS_BYTES: Final = 1_232
"""The largest datagram that we take: none of this size is cut into fragments on its way."""

DATAGRAM_BYTES: Final = 65_535

RECORDS_MAX: Final = 250
"""Records of one answer. Each may hold names of 127 parts, which cost some milliseconds to read and to
compare."""

RECORDS_AT_ONCE: Final = 8
"""Messages of more records are read, and compared, in a thread: nobody waits for that."""

STRAY_MAX: Final = 64
"""Datagrams that are no answer to the question, before we no longer wait for one that is."""

_HEADER_BYTES: Final = 12
_WITHOUT_QUESTION: Final = (dns.rcode.FORMERR, dns.rcode.SERVFAIL, dns.rcode.NOTIMP, dns.rcode.REFUSED)
"""Who says so need not repeat the question."""
_RESPONSE, _TRUNCATED = 0x80, 0x02


class Truncated(Exception):
    """The answer does not fit into a datagram: ask again over TCP."""


def question(
    name: dns.name.Name,
    kind: dns.rdatatype.RdataType,
    *,
    edns: bool = True,
    recursion: bool = True,
    dnssec: bool = False,
) -> dns.message.QueryMessage:
    """A question with a number that nobody can guess."""
    asked = dns.message.make_query(
        name,
        kind,
        use_edns=0 if edns else False,
        payload=EDNS_BYTES if edns else None,
        want_dnssec=dnssec,
        id=secrets.randbelow(65_536),
        flags=dns.flags.RD if recursion else 0,
    )
    assert isinstance(asked, dns.message.QueryMessage)
    return asked


def fitting(asked: dns.message.QueryMessage, wire: bytes) -> dns.message.QueryMessage | None:
    """The answer to a question; None for another number, another question, or what is no message.

    Raises `Missed` for one of very many records, unread.
    """
    if not _is_about(asked, wire):
        return None
    if _records(wire) > RECORDS_MAX:
        raise Missed("the answer has more than {count} records", count=RECORDS_MAX)
    try:
        came = dns.message.from_wire(wire, ignore_trailing=False)
    except (dns.exception.DNSException, ValueError):
        return None
    return came if isinstance(came, dns.message.QueryMessage) and asked.is_response(came) else None


def _is_about(asked: dns.message.QueryMessage, wire: bytes) -> bool:
    """Whether it says that it answers the question: seen by its first bytes, so that others cost nothing."""
    if len(wire) < _HEADER_BYTES or wire[:2] != asked.id.to_bytes(2, "big") or not wire[2] & _RESPONSE:
        return False
    questions = int.from_bytes(wire[4:6], "big")
    if not questions:
        return wire[3] & 0x0F in _WITHOUT_QUESTION
    (one,) = asked.question
    expected = one.name.to_digestable() + struct.pack("!2H", one.rdtype, one.rdclass)
    found = wire[_HEADER_BYTES : _HEADER_BYTES + len(expected)]
    return questions == 1 and found.lower() == expected.lower()


def _records(wire: bytes) -> int:
    """How many records a message says that it holds."""
    return sum(struct.unpack("!3H", wire[6:_HEADER_BYTES]))


async def read(asked: dns.message.QueryMessage, wire: bytes) -> dns.message.QueryMessage | None:
    """As `fitting`, and nobody waits for what costs much to read."""
    if len(wire) < _HEADER_BYTES or not RECORDS_AT_ONCE < _records(wire) <= RECORDS_MAX:
        return fitting(asked, wire)
    return await asyncio.to_thread(fitting, asked, wire)


def is_cut(asked: dns.message.QueryMessage, wire: bytes) -> bool:
    """Whether it is an answer that says that it was cut. What is left of it is not looked at."""
    return (
        len(wire) >= _HEADER_BYTES
        and wire[:2] == asked.id.to_bytes(2, "big")
        and wire[2] & (_RESPONSE | _TRUNCATED) == _RESPONSE | _TRUNCATED
    )


async def over_datagrams(sock: socket.socket, asked: dns.message.QueryMessage) -> dns.message.QueryMessage:
    """Ask by a connected UDP socket; what does not fit is passed over, and waited on.

    Raises `Truncated`, `OSError`, and `Missed` when too much comes that is no answer.
    """
    loop = asyncio.get_running_loop()
    await loop.sock_sendall(sock, asked.to_wire())
    for _ in range(STRAY_MAX):
        wire = await loop.sock_recv(sock, DATAGRAM_BYTES)
        if is_cut(asked, wire):
            raise Truncated
        if (came := await read(asked, wire)) is not None:
            return came
        await asyncio.sleep(0)  # the next one may be here already: it must not keep all others waiting
    raise Missed("{count} messages came, and none is an answer to the question", count=STRAY_MAX)


def framed(asked: dns.message.QueryMessage) -> bytes:
    """A question as it is sent over TCP: its length goes before it."""
    wire = asked.to_wire()
    return len(wire).to_bytes(2, "big") + wire


chinese(
    """
    the answer has more than {count} records
        应答的记录超过 {count} 条
    {count} messages came, and none is an answer to the question
        收到 {count} 条消息，都不是对该查询的应答
    """
)

"""A server that means harm while TLS is agreed upon: before, in the middle of, and right after its own words.

```
check  ── ClientHello ──▶ server
check  ◀─ ServerHello, certificate, Finished ── server    one flight, of which a part may come
```
"""

from __future__ import annotations

import ssl
import struct

from tests.checks.certificates import Pair
from tests.checks.hostile import NO_ANSWER, PIECE, Act, Peer

HANDSHAKE, ALERT, CHANGE, DATA = 22, 21, 20, 23


def secured(pair: Pair) -> ssl.SSLContext:
    """What a server speaks TLS with."""
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(pair.chain, pair.key)
    return context


def record(kind: int, body: bytes) -> bytes:
    """A record of TLS 1.2 or 1.3."""
    return struct.pack("!BHH", kind, 0x0303, len(body)) + body


async def _flight(peer: Peer) -> bytes:
    """What a right server would answer."""
    assert peer.secure is not None
    came, goes = ssl.MemoryBIO(), ssl.MemoryBIO()
    server = peer.secure.wrap_bio(came, goes, server_side=True)
    while not goes.pending:
        came.write(await peer.reader.read(PIECE))
        try:
            server.do_handshake()
        except ssl.SSLWantReadError:
            continue
    return goes.read()


async def _hello(peer: Peer) -> None:
    await peer.reader.read(PIECE)


async def _garbage(peer: Peer) -> None:
    await _hello(peer)
    await peer.say(bytes(range(256)) * 64)


async def _words(peer: Peer) -> None:
    await _hello(peer)
    await peer.say(b"220 this is no TLS\r\n")
    await peer.wait()


async def _hangs_up(peer: Peer) -> None:
    await _hello(peer)


async def _resets(peer: Peer) -> None:
    await _hello(peer)
    peer.reset()


async def _says_nothing(peer: Peer) -> None:
    await _hello(peer)
    await peer.wait()


async def _half_and_hangs_up(peer: Peer) -> None:
    flight = await _flight(peer)
    await peer.say(flight[: len(flight) // 2])


async def _half_and_waits(peer: Peer) -> None:
    flight = await _flight(peer)
    await peer.say(flight[: len(flight) // 2])
    await peer.wait()


async def _drips(peer: Peer) -> None:
    flight = await _flight(peer)
    await peer.drip(flight[: len(flight) // 2] * 100)


async def _broken_flight(peer: Peer) -> None:
    flight = bytearray(await _flight(peer))
    for place in range(120, len(flight), 97):
        flight[place] ^= 0x55
    await peer.say(bytes(flight))


async def _endless_certificate(peer: Peer) -> None:
    await _hello(peer)
    await peer.say(record(HANDSHAKE, b"\x0b\xff\xff\xff" + bytes(1_000)))
    await peer.flood(record(HANDSHAKE, bytes(16_000)))


async def _endless_warnings(peer: Peer) -> None:
    await _hello(peer)
    await peer.flood(record(ALERT, b"\x01\x70"))


async def _endless_changes(peer: Peer) -> None:
    flight = await _flight(peer)
    first = 5 + struct.unpack("!H", flight[3:5])[0]
    await peer.say(flight[:first])
    await peer.flood(record(CHANGE, b"\x01"))


async def _empty_records(peer: Peer) -> None:
    await _hello(peer)
    await peer.flood(record(DATA, b""))


HANDSHAKE_ACTS = (
    Act(name="garbage", play=_garbage),
    Act(name="words without TLS", play=_words),
    Act(name="hangs up", play=_hangs_up),
    Act(name="resets", play=_resets),
    Act(name="says nothing", play=_says_nothing, hangs=True, why=NO_ANSWER),
    Act(name="hangs up in the middle", play=_half_and_hangs_up),
    Act(name="waits in the middle", play=_half_and_waits, hangs=True, why=NO_ANSWER),
    Act(name="drips", play=_drips, hangs=True),
    Act(name="breaks its flight", play=_broken_flight),
    Act(name="a certificate without end", play=_endless_certificate),
    Act(name="warnings without end", play=_endless_warnings),
    Act(name="changes without end", play=_endless_changes),
    Act(name="empty records without end", play=_empty_records),
)

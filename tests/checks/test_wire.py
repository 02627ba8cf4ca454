"""A wire, and somebody at its other end whose every word a test says itself."""

from __future__ import annotations

import asyncio
import select
import socket
import ssl
from collections.abc import Iterator

import pytest

from hostwatch.checks._tls import Tls, prepared, unverified
from hostwatch.checks._wire import PIECE_BYTES, Wire, _Bells, connected, wait
from tests.checks.certificates import Papers
from tests.checks.hostile_tls import secured

PATIENCE_S = 20.0


@pytest.fixture
def pair() -> Iterator[tuple[socket.socket, socket.socket]]:
    ours, theirs = _pair()
    yield ours, theirs
    ours.close()
    theirs.close()


def _pair() -> tuple[socket.socket, socket.socket]:
    both = socket.socketpair()
    for one in both:
        one.setblocking(False)
    return both


class Server:
    """Speaks TLS at the other end."""

    def __init__(self, sock: socket.socket, context: ssl.SSLContext) -> None:
        self._sock = sock
        self._came, self._leaving = ssl.MemoryBIO(), ssl.MemoryBIO()
        self._over = context.wrap_bio(self._came, self._leaving, server_side=True)

    async def shake_hands(self) -> None:
        while True:
            try:
                return self._over.do_handshake()  # its tickets leave with what it says next
            except ssl.SSLWantReadError:
                await self._flush()
                piece = await asyncio.get_running_loop().sock_recv(self._sock, 65_536)
                if piece:
                    self._came.write(piece)
                else:
                    self._came.write_eof()

    async def say(self, data: bytes) -> None:
        self._over.write(data)
        await self._flush()

    async def _flush(self) -> None:
        await asyncio.get_running_loop().sock_sendall(self._sock, self._leaving.read())


def _trusting(papers: Papers) -> ssl.SSLContext:
    return prepared(Tls(ca=str(papers.ca)), "localhost")[0]


async def test_the_end_of_a_handshake_leaves_though_we_say_nothing_then(
    pair: tuple[socket.socket, socket.socket], papers: Papers
) -> None:
    """A server may wait for it, and we for the server elsewhere."""
    wire, server = Wire(pair[0]), Server(pair[1], secured(papers.valid))
    async with asyncio.timeout(PATIENCE_S):
        await asyncio.gather(wire.shake_hands(_trusting(papers), "localhost"), server.shake_hands())


async def test_the_end_of_a_handshake_does_not_wait_for_our_next_word(
    pair: tuple[socket.socket, socket.socket], papers: Papers
) -> None:
    """Together they save a packet. But then a server's own end of the handshake and its answer come together
    too: many keep the answer back until the first has been acknowledged, which takes our kernel 40 ms."""
    wire, server = Wire(pair[0]), Server(pair[1], secured(papers.valid))
    serving = asyncio.create_task(server.shake_hands())
    async with asyncio.timeout(PATIENCE_S):
        await wire.shake_hands(_trusting(papers), "localhost")
        assert not serving.done()
        assert pair[1].recv(PIECE_BYTES, socket.MSG_PEEK)
        await serving


async def test_the_end_of_a_handshake_leaves_before_we_hang_up(
    pair: tuple[socket.socket, socket.socket], papers: Papers
) -> None:
    """Or the server would note a handshake that somebody broke off."""
    wire, server = Wire(pair[0]), Server(pair[1], secured(papers.valid))

    async def look_and_go() -> None:
        await wire.shake_hands(_trusting(papers), "localhost")
        wire.close()

    async with asyncio.timeout(PATIENCE_S):
        await asyncio.gather(look_and_go(), server.shake_hands())


async def test_a_server_is_told_that_its_certificate_is_not_accepted(
    pair: tuple[socket.socket, socket.socket], papers: Papers
) -> None:
    wire, server = Wire(pair[0]), Server(pair[1], secured(papers.unknown))
    async with asyncio.timeout(PATIENCE_S):
        ours, theirs = await asyncio.gather(
            wire.shake_hands(_trusting(papers), "localhost"), server.shake_hands(), return_exceptions=True
        )
    assert isinstance(ours, ssl.SSLCertVerificationError)
    assert isinstance(theirs, ssl.SSLError)
    assert theirs.reason == "TLSV1_ALERT_UNKNOWN_CA"


async def test_no_certificate_is_good_for_nobody_in_particular(
    pair: tuple[socket.socket, socket.socket], papers: Papers
) -> None:
    with pytest.raises(ValueError, match="nobody in particular"):
        await Wire(pair[0]).shake_hands(_trusting(papers), None)


async def test_others_have_their_turn_while_a_server_always_has_more_by_tls(
    pair: tuple[socket.socket, socket.socket], papers: Papers
) -> None:
    wire, server = Wire(pair[0]), Server(pair[1], secured(papers.valid))
    turns = 0

    async def flood() -> None:
        while True:
            await server.say(b"x" * 4 * PIECE_BYTES)

    async def take_turns() -> None:
        nonlocal turns
        while True:
            await asyncio.sleep(0)
            turns += 1

    async with asyncio.timeout(PATIENCE_S):
        await asyncio.gather(wire.shake_hands(unverified(), None), server.shake_hands())
        beside = [asyncio.create_task(flood()), asyncio.create_task(take_turns())]
        await wire.receive(1)
        before, came = turns, 0
        while came < 100 * PIECE_BYTES:
            came += len(await wire.receive(PIECE_BYTES))
    for task in beside:
        task.cancel()
    assert turns - before >= 90


async def test_what_came_before_anybody_waits_is_not_waited_for(
    pair: tuple[socket.socket, socket.socket],
) -> None:
    ours, theirs = pair
    theirs.send(b"one")
    async with asyncio.timeout(PATIENCE_S):
        await wait(ours, select.EPOLLIN)
        assert ours.recv(1) == b"o"
        await wait(ours, select.EPOLLIN)  # what was left of it is still there


async def test_who_gives_up_waiting_can_wait_again(pair: tuple[socket.socket, socket.socket]) -> None:
    ours, theirs = pair
    complaints: list[object] = []
    asyncio.get_running_loop().set_exception_handler(lambda _, context: complaints.append(context))
    given_up = asyncio.create_task(wait(ours, select.EPOLLIN))
    await asyncio.sleep(0)
    given_up.cancel()
    await asyncio.wait([given_up])
    theirs.send(b"one")
    for _ in range(3):  # the loop hears of it, and nobody waits
        await asyncio.sleep(0)
    async with asyncio.timeout(PATIENCE_S):
        await wait(ours, select.EPOLLIN)
    assert complaints == []


async def test_the_loop_is_left_alone_by_what_nobody_waits_for(
    pair: tuple[socket.socket, socket.socket], monkeypatch: pytest.MonkeyPatch
) -> None:
    ours, theirs = pair
    rings, ring = 0, _Bells._ring

    def count(bells: _Bells) -> None:
        nonlocal rings
        rings += 1
        ring(bells)

    monkeypatch.setattr(_Bells, "_ring", count)
    theirs.send(b"one")
    async with asyncio.timeout(PATIENCE_S):
        await wait(ours, select.EPOLLIN)
    for _ in range(20):  # it is not read, and nobody wants to
        await asyncio.sleep(0)
    assert rings == 1


async def test_a_socket_with_the_number_of_an_earlier_one_is_another_one() -> None:
    """
    ```
    first  ──waits──gives up──closed
    second                           (the same number) ──waits──────────hears "two"
    ```
    """
    first, its_peer = _pair()
    number = first.fileno()
    given_up = asyncio.create_task(wait(first, select.EPOLLIN))
    await asyncio.sleep(0)
    given_up.cancel()
    await asyncio.wait([given_up])
    first.close()
    second, theirs = _pair()
    assert second.fileno() == number
    waiting = asyncio.create_task(wait(second, select.EPOLLIN))
    its_peer.close()
    for _ in range(5):
        await asyncio.sleep(0)
    assert not waiting.done()
    theirs.send(b"two")
    async with asyncio.timeout(PATIENCE_S):
        await waiting
    second.close()
    theirs.close()


async def test_a_socket_that_nobody_listens_to_is_refused() -> None:
    async with asyncio.timeout(PATIENCE_S):
        with socket.socket() as taken:  # bound, so nobody else listens there
            taken.bind(("127.0.0.1", 0))
            ours = socket.socket(type=socket.SOCK_STREAM | socket.SOCK_NONBLOCK)
            with ours, pytest.raises(ConnectionRefusedError):
                await connected(ours, taken.getsockname())

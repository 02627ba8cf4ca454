"""The pinger of this process: rounds of echo requests over two shared sockets.

Each target gets packets until one is answered. An answer counts if the kernel took it in before the
ping was over, however late the loop reads it. A miss is said only if every packet left and no
received packet was dropped; otherwise the look is UNKNOWN and says why.
"""

from __future__ import annotations

import asyncio
import os
import socket
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from heapq import heapify, heappop, heappush
from ipaddress import ip_address

from icmplib.exceptions import ICMPSocketError

from hostwatch import log
from hostwatch.clock import Clock
from hostwatch.core import instant
from hostwatch.core.reading import Outcome
from hostwatch.echo import (
    MARK_BYTES,
    NONCE_BYTES,
    Echo,
    EchoSocket,
    NoPermission,
    SendFault,
    Trouble,
    Unreachable,
    new_identifier,
)
from hostwatch.pinger import Ask, Batch, Look, Manner, Pinger, family


@dataclass(slots=True)
class _Try:
    """An ask on its way."""

    ask: Ask
    manner: Manner
    nonce: bytes
    identifier: int
    sent: list[datetime] = field(default_factory=list)
    first_at: datetime | None = None
    fault: str = ""
    trouble: str = ""
    dropped: int = 0
    answer: tuple[datetime, int] | None = None
    """When the packet that was answered left, and after how many microseconds the answer came."""

    @property
    def ends_at(self) -> datetime:
        """When the ping is over."""
        return (self.first_at or self.ask.at) + self.manner.longest


class IcmpPinger(Pinger):
    """Pings from this machine."""

    def __init__(self, clock: Clock) -> None:
        """Opens the sockets that may be opened. Raises `NoPermission` when there is none."""
        self._clock = clock
        self._mark = os.urandom(MARK_BYTES)
        self._tries: dict[bytes, _Try] = {}
        self._sockets: dict[int, EchoSocket] = {}
        refused: NoPermission | None = None
        for version in (4, 6):
            try:
                self._sockets[version] = EchoSocket(version, self._mark)
            except NoPermission as error:
                refused = error
            except ICMPSocketError as error:
                log.warning("no-socket", family=version, error=str(error))
        if not self._sockets:
            raise refused or NoPermission
        loop = asyncio.get_running_loop()
        for sock in self._sockets.values():
            loop.add_reader(sock.sock, self._read, sock)

    @property
    def mode(self) -> str:
        """`raw` or `ping socket`, for the log."""
        return "raw" if all(sock.raw for sock in self._sockets.values()) else "ping socket"

    async def close(self) -> None:
        loop = asyncio.get_running_loop()
        for sock in self._sockets.values():
            loop.remove_reader(sock.sock)
            sock.close()
        self._sockets.clear()

    def _nonce(self) -> bytes:
        return self._mark + os.urandom(NONCE_BYTES - MARK_BYTES)

    async def probe(self, batch: Batch) -> AsyncIterator[tuple[Look, ...]]:
        identifier = new_identifier()
        tries = [_Try(ask, batch.manner, self._nonce(), identifier) for ask in batch.asks]
        agenda = [(one.ask.at, place) for place, one in enumerate(tries)]
        heapify(agenda)
        answered: list[Look] = []
        try:
            while agenda:
                await self._clock.sleep_until(agenda[0][0])
                silent: list[Look] = []
                now = self._clock.now()
                if now >= agenda[0][0]:
                    self._drain()
                else:
                    agenda = self._set_back(agenda, tries, now)
                while agenda and agenda[0][0] <= now:
                    _, place = heappop(agenda)
                    look = self._turn(tries[place], now, agenda, place)
                    if look is not None:
                        (answered if look.outcome is Outcome.ANSWERED else silent).append(look)
                if silent:
                    yield tuple(silent)
        finally:
            for one in tries:
                self._tries.pop(one.nonce, None)
        if answered:
            yield tuple(answered)

    def _set_back(
        self, agenda: list[tuple[datetime, int]], tries: list[_Try], now: datetime
    ) -> list[tuple[datetime, int]]:
        """The clock was set back: whoever is left is due now, and what is not answered is our own fault."""
        for one in (tries[place] for _, place in agenda):
            one.fault = one.fault or "clock set back"
            one.first_at = min(one.first_at or now, now)
        return [(now, place) for _, place in agenda]

    def _turn(self, one: _Try, now: datetime, agenda: list[tuple[datetime, int]], place: int) -> Look | None:
        """What is to be done for one target now: send, wait on, or say what became of it."""
        if one.answer is not None:
            return self._look(one, Outcome.ANSWERED, now)
        if one.first_at is None and now - one.ask.at > one.manner.late_after:
            one.fault = "looked too late"
            return self._look(one, Outcome.UNKNOWN, now)
        if len(one.sent) < one.manner.attempts and not one.fault:
            self._send(one)
            next_at = one.ends_at if len(one.sent) == one.manner.attempts else now + one.manner.spacing
            heappush(agenda, (max(next_at, now + timedelta(microseconds=1)), place))
            return None
        if now < one.ends_at:
            heappush(agenda, (one.ends_at, place))
            return None
        return self._judge(one, now)

    def _judge(self, one: _Try, now: datetime) -> Look:
        sock = self._sockets.get(family(one.ask.address))
        if not one.fault and sock is not None and sock.dropped != one.dropped:
            one.fault = "receive buffer overflowed here"
        if one.fault:
            return self._look(one, Outcome.UNKNOWN, now)
        return self._look(one, Outcome.MISSED, now)

    def _look(self, one: _Try, outcome: Outcome, now: datetime) -> Look:
        self._tries.pop(one.nonce, None)
        why = "" if outcome is Outcome.ANSWERED else one.fault or one.trouble or "no answer"
        return Look(
            signal=one.ask.signal,
            address=one.ask.address,
            at=one.first_at or one.ask.at,
            known_at=now,
            outcome=outcome,
            why=why,
            answered_at=None if one.answer is None or len(one.sent) == 1 else one.answer[0],
            rtt_us=None if one.answer is None else one.answer[1],
        )

    def _send(self, one: _Try) -> None:
        sock = self._sockets.get(family(one.ask.address))
        sent_at = self._clock.now()
        if one.first_at is None:
            one.first_at = sent_at
            one.dropped = 0 if sock is None else sock.dropped
            self._tries[one.nonce] = one
        one.sent.append(sent_at)
        if sock is None:
            one.fault = f"no IPv{family(one.ask.address)} socket here"
            return
        try:
            sock.send(one.ask.address, one.identifier, len(one.sent), one.nonce)
        except SendFault as error:
            one.fault = str(error)
        except Unreachable as error:
            one.trouble = str(error)

    def _read(self, sock: EchoSocket) -> None:
        sock.receive(self._take)

    def _drain(self) -> None:
        """Read what has arrived before anybody is called silent."""
        for sock in self._sockets.values():
            while sock.receive(self._take):
                pass

    def _take(self, packet: Echo | Trouble) -> None:
        one = self._tries.get(packet.nonce)
        if one is None or not 1 <= packet.sequence <= len(one.sent):
            return
        if isinstance(packet, Trouble):
            one.trouble = packet.words if packet.source == one.ask.address else _from(packet)
            return
        if one.answer is not None or not _same(packet.source, one.ask.address):
            return
        if packet.identifier not in (None, one.identifier):
            return
        sent_at = one.sent[packet.sequence - 1]
        received_at = instant.from_micros(packet.received_ns // 1000)
        if received_at <= one.ends_at:
            rtt_us = max((received_at - sent_at) // instant.MICROSECOND, 0)
            one.answer = (sent_at, rtt_us)


def _from(packet: Trouble) -> str:
    who = "our own kernel" if _is_ours(packet.source) else packet.source
    return f"{packet.words}, says {who}"


def _is_ours(address: str) -> bool:
    """Whether an address is one of this machine's own: only those can be bound to."""
    with socket.socket(
        socket.AF_INET if family(address) == 4 else socket.AF_INET6, socket.SOCK_DGRAM
    ) as sock:
        try:
            sock.bind((address, 0))
        except OSError:
            return False
    return True


def _same(source: str, address: str) -> bool:
    return ip_address(source.partition("%")[0]) == ip_address(address.partition("%")[0])

"""Pings on their way: which answer, and which word of a router, belongs to which, and came in time.

An answer counts if the kernel took it in before the ping was over. The kernel's stamp is of the wall
clock, and pings are measured by the monotonic one, so that a step of the wall clock takes no answer away.
"""

from __future__ import annotations

import socket
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from ipaddress import ip_address
from typing import NamedTuple

from hostwatch.clock import STEP_MIN, Clock
from hostwatch.core import instant
from hostwatch.echo import NONCE_BYTES, Echo, Trouble
from hostwatch.pinger import Ask, Manner, family


class Moment(NamedTuple):
    """One moment by both clocks: the wall's to date with, the monotonic one to measure with."""

    wall: datetime
    mono: timedelta


@dataclass(slots=True)
class Try:
    """An ask on its way. What is a `timedelta` alone is a time of the monotonic clock."""

    ask: Ask
    manner: Manner
    nonce: bytes
    identifier: int
    due: timedelta
    bare: str
    """The target's address, spelt as it is in packets."""

    sent: list[Moment] = field(default_factory=list)
    fault: str = ""
    stepped: bool = False
    trouble: Trouble | None = None
    dropped: int = 0
    answer: tuple[Moment, timedelta] | None = None
    """When the packet that was answered left, and when the answer came."""

    @property
    def at(self) -> datetime:
        """When it was asked for."""
        return instant.from_micros(self.ask.at_us)

    @property
    def is_sent(self) -> bool:
        """Whether no more packets are to leave."""
        return len(self.sent) == self.manner.attempts

    @property
    def planned(self) -> timedelta:
        """When the next packet was to leave by the plan, had nothing held us up."""
        return self.due + len(self.sent) * self.manner.spacing

    @property
    def over(self) -> timedelta:
        """When the ping is over. What held us up is added: the last packet gets its whole timeout."""
        left = self.manner.attempts - len(self.sent)
        return self.sent[-1].mono + left * self.manner.spacing + self.manner.timeout

    @property
    def quoted_as(self) -> tuple[int, str]:
        """By what an error knows it that quotes no nonce."""
        return self.identifier, self.bare


class Tries:
    """All pings on their way, by what comes back of them."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._by_nonce: dict[bytes, Try] = {}
        self._by_quote: dict[tuple[int, str], Try] = {}

    def now(self) -> Moment:
        """This moment."""
        return Moment(self._clock.now(), self._clock.monotonic())

    def add(self, one: Try) -> None:
        """From now on something may come back."""
        self._by_nonce[one.nonce] = one
        self._by_quote[one.quoted_as] = one

    def forget(self, one: Try) -> None:
        """What comes now comes too late."""
        self._by_nonce.pop(one.nonce, None)
        if self._by_quote.get(one.quoted_as) is one:
            del self._by_quote[one.quoted_as]

    def take(self, packet: Echo | Trouble) -> None:
        """Give a packet to the ping that it belongs to."""
        if isinstance(packet, Trouble):
            self._take_trouble(packet)
            return
        one = self._by_nonce.get(packet.nonce)
        if one is None or one.answer is not None or not 1 <= packet.sequence <= len(one.sent):
            return
        if packet.identifier not in (None, one.identifier):
            return
        if packet.source != one.bare and bare(packet.source) != one.bare:
            return
        left = one.sent[packet.sequence - 1]
        came = self._came(packet, left)
        if came <= one.over:
            one.answer = (left, came)

    def _came(self, packet: Echo, left: Moment) -> timedelta:
        """When an answer came in: by the kernel's stamp, or now if that cannot be true.

        The stamp is the wall clock's. If that stepped since the request left, the stamp says nothing,
        and that the answer is here now is all that is known.
        """
        now = self.now()
        came = now.mono - (now.wall - instant.from_micros(packet.received_ns // 1000))
        apart = (now.wall - left.wall) - (now.mono - left.mono)
        if abs(apart) >= STEP_MIN or not left.mono - STEP_MIN <= came <= now.mono:
            return now.mono
        return max(came, left.mono)

    def _take_trouble(self, packet: Trouble) -> None:
        """What a router said of a request. It decides nothing: people are told it."""
        if len(packet.nonce) == NONCE_BYTES:
            one = self._by_nonce.get(packet.nonce)
        else:
            one = self._by_quote.get((packet.identifier, packet.destination))
        if one is None or not one.nonce.startswith(packet.nonce):
            return
        if 1 <= packet.sequence <= len(one.sent):
            one.trouble = packet


def said(trouble: Trouble | None) -> str:
    """What was said of a request, and by whom if it was not the target or a refusal to send."""
    if trouble is None or trouble.source in ("", trouble.destination):
        return "" if trouble is None else trouble.words
    who = "our own kernel" if _is_ours(trouble.source) else trouble.source
    return f"{trouble.words}, says {who}"


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


def bare(address: str) -> str:
    """An address in its usual spelling, without the link that it is on. IPv4 has one spelling only."""
    if family(address) == 4:
        return address
    return str(ip_address(address.partition("%")[0]))

"""Hearing what agents tell unasked: traps, and informs, which are answered. By v2c and v3.

A datagram is heard only from the address of an agent that is configured, and only if it bears that agent's
community, or is signed (and encrypted) by its user. Whatever else comes is counted and dropped. What a trap
says is a hint: it is no verdict, and by v2c not even a word that anybody believes, since whoever knows the
community can send it in the agent's name.

All kinds of sources share one socket for each address and port: whoever listens first opens it, whoever ends
last closes it.
"""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import socket
import time
from collections import Counter, OrderedDict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from ipaddress import IPv6Address, ip_address
from typing import Any, Final, cast

from hostwatch.checks.base import Fault
from hostwatch.configuration.fields import Listen, TrapsAddress
from hostwatch.snmp import ber, message, usm
from hostwatch.snmp.access import Access
from hostwatch.snmp.agent import NOT_IN_TIME, UNKNOWN_ENGINE
from hostwatch.snmp.ber import BadBer, Value
from hostwatch.snmp.message import Pdu
from hostwatch.snmp.usm import Engine, Envelope, NotAuthentic, Opened, User

DATAGRAM_BYTES_MAX: Final = 8_192
"""What is longer is no trap."""

BURST_MAX: Final = 50
"""So many datagrams of one address are looked at at once; after that so many a second:"""

RATE_MAX: Final = 10

ENGINES_KEPT: Final = 10_000
"""Agents whose clocks are remembered, so that nobody sends their old traps again."""

TRAP_OID: Final = ber.name("1.3.6.1.6.3.1.1.4.1.0")
"""The variable that says what a trap is about."""

_ENTERPRISE: Final = bytes.fromhex("80007ed9") + b"\x05"
"""Begins our engine's name: the number that is for those who have none (RFC 5612), and octets of our own."""

_SINCE_S: Final = 1_577_836_800
"""The beginning of 2020: how often our engine has started is the minute in which it did, since then."""


class Heard(Access):
    """An agent that is asked, and heard if it tells something by itself."""

    traps: TrapsAddress = None
    """Where its traps and informs come in: an address of ours and a port, as 0.0.0.0:1162; `off`: nowhere.
    Default: that of all sources (`power.traps`)."""


@dataclass(frozen=True, slots=True)
class Told:
    """One trap or inform that was believed to be an agent's."""

    about: str
    """What it is about: an object identifier with dots."""

    variables: Mapping[str, Value]
    is_signed: bool
    """Whether it was v3: nobody else can have said it."""


Tell = Callable[[str, Told], None]
"""Told of each, with the name of the source."""


@dataclass(slots=True, eq=False)
class _Listener:
    """One source that is listened to."""

    name: str
    access: Heard
    tell: Tell


@dataclass(slots=True)
class _Allowance:
    left: float = BURST_MAX
    at_s: float = 0.0


@dataclass(slots=True, eq=False)
class Post(asyncio.DatagramProtocol):
    """An address and port at which traps come in."""

    at: Listen
    counts: Counter[str] = field(default_factory=Counter)
    """What came: `heard`, and why the others were dropped."""

    _listeners: dict[str, list[_Listener]] = field(default_factory=dict)
    """By the address of the agent."""

    _allowances: dict[str, _Allowance] = field(default_factory=dict)
    _clocks: OrderedDict[bytes, tuple[Engine, float]] = field(default_factory=OrderedDict)
    _transport: asyncio.DatagramTransport | None = None
    _opening: asyncio.Task[None] | None = None
    _is_closed: bool = False
    _began_s: float = field(default_factory=time.monotonic)
    _boots: int = field(default_factory=lambda: max(int(time.time() - _SINCE_S) // 60, 1))

    async def open(self) -> None:
        """Take the address and port, once for all. Raises `Fault` if that is not possible."""
        if self._opening is None:
            self._opening = asyncio.create_task(self._open())
        await asyncio.shield(self._opening)

    async def _open(self) -> None:
        try:
            await asyncio.get_running_loop().create_datagram_endpoint(
                lambda: self, (str(self.at.address), self.at.port)
            )
        except OSError as error:
            below = (
                " (ports below 1024 are not for us: send traps to 1162, say)" if self.at.port < 1024 else ""
            )
            raise Fault(f"cannot hear traps at {self.at}: {error.strerror or error}{below}") from None

    def close(self) -> None:
        """Give it back."""
        self._is_closed = True
        if self._transport is not None:
            self._transport.close()

    def add(self, listeners: Iterable[_Listener]) -> None:
        for one in listeners:
            self._listeners.setdefault(str(one.access.address), []).append(one)

    def remove(self, listeners: Iterable[_Listener]) -> bool:
        """Whether anybody is left."""
        for one in listeners:
            address = str(one.access.address)
            self._listeners[address].remove(one)
            if not self._listeners[address]:
                del self._listeners[address]
                self._allowances.pop(address, None)
        return bool(self._listeners)

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.DatagramTransport, transport)
        if self._is_closed:
            transport.close()

    def error_received(self, exc: Exception) -> None:
        """An answer to an inform that nobody takes."""
        self._count("not answered")

    def datagram_received(self, data: bytes, addr: tuple[Any, ...]) -> None:
        address = _plain(addr[0])
        here = self._listeners.get(address)
        if here is None:
            self._count("from nobody we know")
        elif not self._may_speak(address):
            self._count("too often")
        elif len(data) > DATAGRAM_BYTES_MAX:
            self._count("too long")
        else:
            try:
                self._count(self._hear(data, addr, here))
            except BadBer:
                self._count("makes no sense")
            except NotAuthentic:
                self._count("not authentic")

    def _count(self, what: str) -> None:
        self.counts[what] += 1
        _untold[what] += 1

    def _may_speak(self, address: str) -> bool:
        allowance = self._allowances.setdefault(address, _Allowance())
        now_s = time.monotonic()
        earned = (now_s - allowance.at_s) * RATE_MAX
        allowance.left, allowance.at_s = min(allowance.left + earned, BURST_MAX), now_s
        if allowance.left < 1:
            return False
        allowance.left -= 1
        return True

    def _hear(self, data: bytes, addr: tuple[Any, ...], here: list[_Listener]) -> str:
        """What became of a datagram from an agent's address."""
        if message.version(data) == message.VERSION_3:
            return self._hear_3(usm.envelope(data), addr, here)
        community, body = message.unframed(data)
        known = [one for one in here if _has_community(one.access, community)]
        if not known:
            return "not authentic"
        said = message.pdu(body, 0, len(body))
        if said.kind == message.INFORM:
            self._send(message.framed(community, message.answer(body)), addr)
        return self._deliver(said, known, is_signed=False)

    def _hear_3(self, came: Envelope, addr: tuple[Any, ...], here: list[_Listener]) -> str:
        """A trap bears its sender's engine; an inform bears ours, which is told to who asks for it."""
        ours = self._engine()
        is_inform = came.flags & usm.REPORTABLE
        if is_inform and came.engine.id != ours.id:
            self._report(came, UNKNOWN_ENGINE, ours, None, addr)
            return "asked who we are"
        known = [one for one in here if one.access.user and one.access.user.encode() == came.user]
        users = {one.access.user_3: one for one in known}
        user, (body, context) = _opened(came, users)
        if is_inform and not _in_time(came.engine, ours):
            self._report(came, NOT_IN_TIME, ours, usm.without_privacy(user), addr)
            return "has another clock for us"
        if not is_inform and not self._is_new(came.engine):
            return "old"
        said = message.pdu(body, 0, len(body))
        if is_inform and said.kind == message.INFORM:
            self._send(usm.sealed(came.number, 0, ours, user, message.answer(body), context), addr)
        return self._deliver(said, [one for one in known if one.access.user_3 == user], is_signed=True)

    def _deliver(self, said: Pdu, to: list[_Listener], *, is_signed: bool) -> str:
        about = next((value for name, value in said.variables if name == TRAP_OID), None)
        if said.kind not in (message.TRAP, message.INFORM) or not isinstance(about, tuple):
            return "makes no sense"
        told = Told(
            ".".join(map(str, about)),
            {ber.shown(name): value for name, value in said.variables if name != TRAP_OID},
            is_signed,
        )
        for one in to:
            one.tell(one.name, told)
        return "heard"

    def _engine(self) -> Engine:
        """Ours: who answers informs."""
        return Engine(_own_id(str(self.at)), self._boots, int(time.monotonic() - self._began_s))

    def _is_new(self, engine: Engine) -> bool:
        """Whether a signed trap is no old one that somebody sends again (RFC 3414, 3.2.7b)."""
        now_s = time.monotonic()
        if engine.id in self._clocks:
            last, at_s = self._clocks[engine.id]
            now = last._replace(time_s=last.time_s + int(now_s - at_s))
            if engine.boots < last.boots or (
                engine.boots == last.boots and engine.time_s < now.time_s - usm.WINDOW_S
            ):
                return False
            if engine.boots == last.boots and engine.time_s < now.time_s:
                engine = now  # it was on its way for some time
        self._clocks[engine.id] = engine, now_s
        self._clocks.move_to_end(engine.id)
        while len(self._clocks) > ENGINES_KEPT:
            self._clocks.popitem(last=False)
        return True

    def _report(
        self, came: Envelope, about: str, ours: Engine, user: User | None, addr: tuple[Any, ...]
    ) -> None:
        body = message.report(ber.name(about))
        self._send(usm.sealed(came.number, 0, ours, user, body), addr)

    def _send(self, data: bytes, addr: tuple[Any, ...]) -> None:
        if self._transport is not None and not self._transport.is_closing():
            self._transport.sendto(data, addr)


def _opened(came: Envelope, users: Mapping[User | None, _Listener]) -> tuple[User, Opened]:
    """What is said in it, and by whom. Raises `NotAuthentic`, and `BadBer`."""
    for user in users:
        if user is None:
            continue
        try:
            return user, usm.opened(came, user)
        except NotAuthentic:
            continue
    raise NotAuthentic("nobody whom we know has said it")


def _has_community(access: Access, community: bytes) -> bool:
    mine = access.community
    return mine is not None and hmac.compare_digest(mine.reveal().encode(), community)


def _in_time(came: Engine, ours: Engine) -> bool:
    return came.boots == ours.boots and abs(came.time_s - ours.time_s) <= usm.WINDOW_S


@lru_cache(4_096)
def _plain(address: str) -> str:
    """An address as it is configured: IPv4 as such, also where a socket of IPv6 heard it."""
    found = ip_address(address)
    mapped = found.ipv4_mapped if isinstance(found, IPv6Address) else None
    return str(mapped or found)


@lru_cache
def _own_id(at: str) -> bytes:
    """The name of our engine: the same after each start, another on each machine and port."""
    return _ENTERPRISE + hashlib.sha256(f"{socket.gethostname()} {at}".encode()).digest()[:12]


_posts: dict[Listen, Post] = {}
"""Those that are open."""

_untold: Counter[str] = Counter()
"""What came since `take_counts`."""


async def listen(sources: Mapping[str, Heard], tell: Tell) -> None:
    """Hear the traps of these sources until it is cancelled. Returns if none of them wants that.

    Raises `Fault` if an address and port cannot be taken.
    """
    wanted: dict[Listen, list[_Listener]] = {}
    for name, access in sources.items():
        if access.traps is not None:
            wanted.setdefault(access.traps, []).append(_Listener(name, access, tell))
    if not wanted:
        return
    try:
        for at, listeners in wanted.items():
            _posts.setdefault(at, Post(at)).add(listeners)
        for at in wanted:
            await _posts[at].open()
        await asyncio.get_running_loop().create_future()
    finally:
        for at, listeners in wanted.items():
            if not _posts[at].remove(listeners):
                _posts.pop(at).close()


def take_counts() -> dict[str, int]:
    """What came since this was asked last, by what became of it."""
    told = dict(_untold)
    _untold.clear()
    return told


def counts() -> Counter[str]:
    """What came at all posts that are open, and what became of it."""
    return sum((post.counts for post in _posts.values()), Counter())

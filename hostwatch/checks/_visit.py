"""One run of one check: its time, its budget, its transcript, and its only way to the network.

A kind never opens a socket itself. Through its visit each name is resolved by our own resolver, each address
is held against the outbound policy before it is connected to, each byte that comes in counts, and each line
stands in the transcript.
"""

from __future__ import annotations

import asyncio
import base64
import html
import json
import socket
from collections.abc import Awaitable, Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from ipaddress import ip_address
from typing import Final, Protocol
from urllib.parse import quote, quote_plus

from hostwatch.carrier import place
from hostwatch.checks._failed import failed
from hostwatch.checks._finding import (
    NOTES_MAX,
    SAID_CHARS_MAX,
    TRANSCRIPT_LINES_MAX,
    WHY_CHARS_MAX,
    Fault,
    Finding,
    Missed,
    Phase,
    Said,
    Step,
    printable,
)
from hostwatch.checks._sentence import chinese
from hostwatch.checks._wire import Wire, connected
from hostwatch.core.reading import Outcome

BYTES_MAX: Final = 4 * 1024 * 1024
"""Bytes that one run of a check reads, over all its connections."""

CONNECTIONS_MAX: Final = 10
"""Connections that one run of a check makes."""

SECRET_CHARS_MIN: Final = 4
"""Shorter secrets are not searched for: stars all over a text would tell what they stand for."""

PORT_BESIDE_MIN: Final = 1_024
"""The lowest port that a server may name for a second connection to itself."""


class Names(Protocol):
    """Our own resolver."""

    async def addresses(self, name: str, family: int) -> tuple[str, ...]:
        """The addresses of one family (4, 6) that a name has; at least one.

        Raises `Missed` if there is no such name, or it has none of them; `Fault` if no resolver answers.
        """
        ...


class Policy(Protocol):
    """Where checks may connect to."""

    def refusal(self, address: str, port: int, *, literal: bool, own: bool) -> str:
        """Why that must not be connected to; empty if it may.

        `literal`: the operator wrote the address. `own`: it is that of the device that the check is about.
        """
        ...


class Gate(Protocol):
    """Room at the addresses that a run connects to."""

    def enter(self, address: str) -> Awaitable[None] | None:
        """Be connected to an address: None if it may at once, else what to wait for, which raises `Fault`."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Surroundings:
    """What all runs have in common."""

    names: Names
    policy: Policy
    monotonic_us: Callable[[], int]
    now_us: Callable[[], int]


@dataclass(slots=True, kw_only=True)
class Visit:
    """One run of one check. `address` is the device's own, as the operator wrote it."""

    kind: str
    address: str
    surroundings: Surroundings
    step: Step = Step.CONNECT
    """The step that the run is at."""

    connected: str = ""
    """The address and port connected to last."""

    known: Missed | Fault | None = None
    """What is wrong already, while we look for its reason: it stands if the time ends."""

    is_decided: bool = False
    """Whether all is well already, and only a goodbye is under way: the end of the time decides nothing."""

    listener: Callable[[Said | Phase], None] | None = None
    """Told of each line of the transcript and of each step as it happens, for whoever looks on."""

    gate: Gate | None = None
    """Whom the run asks before it connects to an address."""

    deadline: asyncio.Timeout | None = None
    """The end of its time."""

    peer: str = ""
    """The address connected to last, but for connections beside it."""

    value: str = ""
    """What the look brought back, as text, if it is one that brings something."""

    _began_us: int = 0
    """Later by as much as it waited for what is our own bound."""

    _read: int = 0
    _connections: int = 0
    _phases: list[Phase] = field(default_factory=list)
    _transcript: list[tuple[int, str, str | bytes]] = field(default_factory=list)
    """Lines as they were said: what nobody has asked for yet is not worded yet. Long ones are shortened."""

    _dropped: int = 0
    _notes: list[str] = field(default_factory=list)
    _open: list[Wire | socket.socket] = field(default_factory=list)
    _secrets: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        self._began_us = self.surroundings.monotonic_us()

    @property
    def family(self) -> int:
        """4 or 6: that of the device's address. Names are resolved in it alone, without a silent fallback."""
        return ip_address(self.address.partition("%")[0]).version

    def at(self, step: Step) -> AbstractContextManager[None]:
        """Take a step: its time is measured, and what fails in it is said to have failed there."""
        return _At(self, step)

    def running_us(self) -> int:
        """Since the beginning, without the time that it waited for what is our own bound."""
        return self.surroundings.monotonic_us() - self._began_us

    def took(self, step: Step, took_us: int) -> None:
        """A step is over."""
        phase = Phase(step, took_us)
        self._phases.append(phase)
        if self.listener is not None:
            self.listener(phase)

    @contextmanager
    def aside(self, known: Missed | Fault) -> Iterator[None]:
        """Look for the reason of what is wrong: steps on the way are none of the run's."""
        before, phases, connected, self.known = self.step, [*self._phases], self.connected, known
        try:
            yield
        finally:
            self.step, self._phases, self.connected = before, phases, connected

    def tell(self, who: str, said: str | bytes) -> None:
        """Add a line to the transcript: `>` sent, `<` came, `*` told. Never with a secret in it."""
        if len(self._transcript) >= TRANSCRIPT_LINES_MAX:
            del self._transcript[TRANSCRIPT_LINES_MAX // 2]  # the beginning and the end are kept
            self._dropped += 1
        at_us = self.running_us()
        if len(said) > SAID_CHARS_MAX:  # a long line must not be held until the end
            said = self._shown(said, SAID_CHARS_MAX)
        self._transcript.append((at_us, who, said))
        if self.listener is not None:
            self.listener(Said(at_us, who, self._shown(said, SAID_CHARS_MAX)))

    def note(self, text: str) -> None:
        """Something worth knowing that decides nothing."""
        text = self._shown(text, WHY_CHARS_MAX)
        if text not in self._notes and len(self._notes) < NOTES_MAX:
            self._notes.append(text)

    def conceal(self, secret: str) -> None:
        """From now on `***` stands for this in all that is told of the run, also when the other side says it.

        So are its forms in base64, web addresses, JSON and HTML. Who says it backwards, or in pieces, is not
        found out.
        """
        if len(secret) >= SECRET_CHARS_MIN:
            forms = {*self._secrets, secret, base64.b64encode(secret.encode()).decode()}
            forms |= {quote(secret, safe=""), quote(secret), quote_plus(secret), html.escape(secret)}
            forms |= {json.dumps(secret, ensure_ascii=only)[1:-1] for only in (True, False)}
            self._secrets = tuple(sorted(forms, key=len, reverse=True))

    def _shown(self, said: str | bytes, chars_max: int) -> str:
        """Printable, bounded, without secrets: these go first, so that no bound leaves half of one."""
        for secret in self._secrets:
            if isinstance(said, bytes):
                said = said.replace(secret.encode(), b"***")
            else:
                said = said.replace(secret, "***")
        return printable(said, chars_max)

    def count(self, many: int) -> None:
        """So many bytes came in. Raises `Missed` when a run has read enough."""
        self._read += many
        if self._read > BYTES_MAX:
            raise Missed(
                "more than {count} bytes came", count=BYTES_MAX, expected=f"at most {BYTES_MAX:,} bytes"
            )

    async def resolve(self, host: str) -> tuple[str, bool]:
        """The address to connect to, and whether the operator wrote it. Raises `Missed` or `Fault`."""
        if not host or host == self.address:
            return self.address, True
        try:
            return str(ip_address(host)), True
        except ValueError:
            pass
        with self.at(Step.RESOLVE):
            found = await self.surroundings.names.addresses(host, self.family)
            self.tell("*", f"{host} is {', '.join(found)}")
        chosen = self.address if self.address in found else found[0]
        return chosen, chosen == self.address

    async def open(self, host: str, port: int, *, literal: bool | None = None) -> socket.socket:
        """A connected TCP socket, closed at the end of the run at the latest.

        `literal=False` says that the host was not written by the operator: it came from the other side, as a
        redirect does, or from a customer. Raises `Missed` or `Fault`.
        """
        return await self._opened(host, port, socket.SOCK_STREAM, literal)

    async def open_datagrams(self, host: str, port: int) -> socket.socket:
        """A UDP socket that sends to that address and port, and hears nobody else. Raises as `open`."""
        return await self._opened(host, port, socket.SOCK_DGRAM, None)

    async def open_beside(self, port: int) -> socket.socket:
        """A second connection to the address connected to last, at a port that the other side named.

        It is not resolved again, and a port below 1024 is refused: so nobody has us speak to other services.
        Raises as `open`.
        """
        address = self.peer
        with self.at(Step.CONNECT):
            if port < PORT_BESIDE_MIN:
                raise Missed(
                    "not connected to {name}, a port that a server may not name", name=_joined(address, port)
                )
            self.tell("*", f"a second connection, to {_joined(address, port)}")
            return await self._connected(address, port, socket.SOCK_STREAM)

    async def _opened(
        self, host: str, port: int, kind: socket.SocketKind, literal: bool | None
    ) -> socket.socket:
        address, is_literal = await self.resolve(host)
        with self.at(Step.CONNECT):
            refused = self.surroundings.policy.refusal(
                address,
                port,
                literal=is_literal if literal is None else literal and is_literal,
                own=address == self.address,
            )
            if refused:  # where a server leads us is its doing; where a name may lead is our own
                where = _joined(address, port)
                if literal is False:
                    self.note(f"not connected to {where}: {refused}")
                    raise Missed("not connected to {name}, where this check may not go", name=where)
                raise Fault(f"not connected to {where}: {refused}")
            if self.gate is not None and (room := self.gate.enter(address)) is not None:
                await self._wait(room, address)
            self.peer, self.connected = address, _joined(address, port)
            sock = await self._connected(address, port, kind)
        if kind == socket.SOCK_STREAM:
            self.tell("*", f"connected to {self.connected}")
        return sock

    async def _wait(self, room: Awaitable[None], address: str) -> None:
        """Wait for what is our own bound: meanwhile the time of the run stands still."""
        began_us, now_s = self.surroundings.monotonic_us(), asyncio.get_running_loop().time
        until_s = None if self.deadline is None else self.deadline.when()
        if self.deadline is None or until_s is None or self.deadline.expired():
            await room
            return
        left_s = until_s - now_s()
        self.deadline.reschedule(None)
        try:
            await room
        finally:
            self.deadline.reschedule(now_s() + left_s)
            waited_us = self.surroundings.monotonic_us() - began_us
            self._began_us += waited_us
        self.tell("*", f"waited {waited_us / 1e6:.1f} s for room at {address}")

    async def _connected(self, address: str, port: int, kind: socket.SocketKind) -> socket.socket:
        self._connections += 1
        if self._connections > CONNECTIONS_MAX:
            raise Missed("more than {count} connections were needed", count=CONNECTIONS_MAX)
        try:
            family = socket.AF_INET6 if ":" in address else socket.AF_INET
            sock = socket.socket(family, kind | socket.SOCK_NONBLOCK)
            self._open.append(sock)
            await connected(sock, place(address, port))
        except OSError as error:
            raise failed(error) from error
        return sock

    def handed_over(self, sock: socket.socket, wire: Wire) -> None:
        """A wire owns a socket of ours from now on."""
        self._open.remove(sock)
        self._open.append(wire)

    def close(self) -> None:
        """End all connections at once, whatever the other side does."""
        for one in self._open:
            one.close()
        self._open.clear()

    def finding(self, error: Missed | Fault | None = None) -> Finding:
        """What this run found, when it is over."""
        transcript = [
            Said(at_us, who, self._shown(said, SAID_CHARS_MAX)) for at_us, who, said in self._transcript
        ]
        if self._dropped:
            at_us = transcript[TRANSCRIPT_LINES_MAX // 2].at_us
            transcript[TRANSCRIPT_LINES_MAX // 2] = Said(at_us, "*", f"… {self._dropped + 1} lines …")
        missed = error if isinstance(error, Missed) else None
        why = missed.told(self._shown) if missed else self._shown(str(error or ""), WHY_CHARS_MAX)
        expected, came = (self._shown(text, WHY_CHARS_MAX) for text in (missed.said if missed else ("", "")))
        outcome = Outcome.ANSWERED if error is None else Outcome.MISSED if missed else Outcome.UNKNOWN
        return Finding(
            kind=self.kind,
            outcome=outcome,
            step=None if error is None else (missed and missed.step) or self.step,
            why=why,
            expected=expected,
            came=came,
            address=self.connected,
            took_us=self.running_us(),
            phases=tuple(self._phases),
            transcript=tuple(transcript),
            notes=tuple(self._notes),
            value=self.value if error is None else "",
        )


class _At(AbstractContextManager[None]):
    """A step under way. It stays the step of the visit if it fails."""

    __slots__ = ("_before", "_began_us", "_step", "_visit")

    def __init__(self, visit: Visit, step: Step) -> None:
        self._visit, self._step = visit, step

    def __enter__(self) -> None:
        visit = self._visit
        self._before, visit.step = visit.step, self._step
        self._began_us = visit.running_us()

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        visit = self._visit
        visit.took(self._step, visit.running_us() - self._began_us)
        if kind is None:
            visit.step = self._before


def _joined(address: str, port: int) -> str:
    return f"[{address}]:{port}" if ":" in address else f"{address}:{port}"


chinese(
    """
    more than {count} bytes came
        收到的数据超过 {count} 字节
    more than {count} connections were needed
        需要的连接超过 {count} 个
    not connected to {name}, where this check may not go
        未连接 {name}：不在本检查允许访问的范围内
    not connected to {name}, a port that a server may not name
        未连接 {name}：服务器不得指定该端口
    """
)
